import assert from 'node:assert/strict';
import { test } from 'node:test';
import { candidateAddresses, isPrivate, formatAddresses, onlyProtocol, verdict } from '../../pages/paths.js';
import { EN, FR } from '../../words/pages/selftest.js';

const ANSWER = [
  'v=0', 'm=video 9 UDP/TLS/RTP/SAVPF 96', 'a=mid:0',
  'a=candidate:1 1 udp 2130706431 203.0.113.7 8189 typ host',
  'a=candidate:1 2 UDP 2130706431 203.0.113.7 8189 typ host',
  'a=candidate:2 1 udp 2130706431 2001:db8::7 8189 typ host',
  'a=candidate:3 1 tcp 1671430143 203.0.113.7 8443 typ host tcptype passive',
  'a=candidate:4 1 ssltcp 1 203.0.113.7 443 typ host', 'a=end-of-candidates', '',
].join('\r\n');

test('an answer tells the server’s addresses, each once', () => {
  const list = candidateAddresses(ANSWER);
  assert.equal(formatAddresses(list), '203.0.113.7:8189 (UDP), [2001:db8::7]:8189 (UDP), 203.0.113.7:8443 (TCP)');
  assert.deepEqual(candidateAddresses('v=0\r\n'), []);
});

test('an answer can be cut to one protocol', () => {
  assert.deepEqual(candidateAddresses(onlyProtocol(ANSWER, 'tcp')).map((a) => a.port), [8443]);
  assert.deepEqual(candidateAddresses(onlyProtocol(ANSWER, 'udp')).map((a) => a.protocol), ['udp', 'udp']);
  assert.ok(onlyProtocol(ANSWER, 'tcp').includes('a=end-of-candidates'));
});

test('addresses that mean nothing to the world are known', () => {
  for (const address of ['10.1.2.3', '127.0.0.1', '172.16.0.1', '172.31.9.9', '192.168.0.1', '169.254.1.1',
    '100.64.0.1', '::1', 'fe80::1',
    'fd00::1', '[::1]', 'localhost', 'a.localhost', 'printer.local']) assert.ok(isPrivate(address), address);
  for (const address of ['203.0.113.7', '172.32.0.1', '100.128.0.1', '2001:db8::1', 'example.org', '11.0.0.1',
      '10.example.org']) {
    assert.ok(!isPrivate(address), address);
  }
});

const UDP = { path: /** @type {const} */ ('udp'), tried: candidateAddresses(onlyProtocol(ANSWER, 'udp')) };
const INSIDE = { path: /** @type {const} */ ('udp'),
  tried: [{ protocol: /** @type {const} */ ('udp'), address: '10.0.0.5', port: 8189 }] };
const NO_TCP = { path: /** @type {const} */ ('tcp'), result: /** @type {const} */ ('absent'), tried: [] };

for (const [name, outcomes, host, grade, words] of /** @type {[string, any[], string, string, RegExp][]} */ ([
  ['UDP works', [{ ...UDP, result: 'works', labelMs: 90 }], 'example.org', 'good', /by UDP/],
  ['no labels', [{ ...UDP, result: 'works' }], 'example.org', 'bad', /no label.*log/],
  ['TCP alone works', [{ ...UDP, result: 'fails', own: 2, sent: 9, answered: 0 },
    { path: 'tcp', result: 'works', tried: [], labelMs: 90 }],
    'example.org', 'fair', /by TCP.*UDP port 8189 in.*security group/],
  ['the relay alone works', [{ ...UDP, result: 'fails', own: 2 }, NO_TCP,
    { path: 'relay', result: 'works', tried: [], labelMs: 90 }],
    'example.org', 'fair', /through the relay/],
  ['blocked', [{ ...UDP, result: 'fails', own: 2, sent: 9, answered: 0 }, NO_TCP], 'example.org', 'bad',
    /gets no answer.*Operator: let UDP port 8189 in.*203\.0\.113\.7:8189.*Visitor.*hotspot/],
  ['behind NAT', [{ ...INSIDE, result: 'fails', own: 2, sent: 9, answered: 0 }], 'example.org', 'bad',
    /10\.0\.0\.5:8189.*--public-ip.*UDP port 8189/],
  ['on a LAN', [{ ...INSIDE, result: 'fails', own: 2, sent: 9, answered: 0 }], '10.0.0.5', 'bad',
    /let UDP port 8189 in/],
  ['WebRTC forbidden', [{ ...UDP, result: 'fails', own: 0 }], 'example.org', 'bad', /extension/],
  ['half open', [{ ...UDP, result: 'fails', own: 2, sent: 9, answered: 4 }], 'example.org', 'bad', /was reached/],
  ['no token', [{ path: 'udp', result: 'fails', tried: [], error: '', reason: 'unauthorized' }], 'example.org', 'bad',
    /Paste a token/],
  ['full', [{ path: 'udp', result: 'fails', tried: [], error: 'all places are taken', reason: 'full' }], 'example.org',
    'bad', /could not begin.*is full.*: all places are taken\./],
])) {
  test(`verdict: ${name}`, () => {
    const v = verdict(outcomes, host, EN);
    assert.equal(v.grade, grade);
    assert.match([v.title, v.why, ...v.steps].join(' '), words);
    const french = verdict(outcomes, host, FR);
    assert.equal(french.grade, grade);
    assert.equal(french.steps.length, v.steps.length);
    assert.notEqual(french.title, v.title);
  });
}
