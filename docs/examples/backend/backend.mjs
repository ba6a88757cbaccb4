// A website's backend that gives its visitors tokens for a Mindflow server, without a library.
// Beside it are signing-key.json, which `mindflow token key` makes, and token.html, the page that it serves at
// http://localhost:3000.
import { createPrivateKey, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';

const [jwk] = JSON.parse(readFileSync('signing-key.json', 'utf8')).keys;
const key = createPrivateKey({ key: jwk, format: 'jwk' });
const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** Signs a token for ten minutes and one session at a time. */
function mint(visitor) {
  const text = `${part({ alg: 'EdDSA', kid: jwk.kid })}.${part({
    aud: 'faces.example', sub: visitor, exp: Math.floor(Date.now() / 1000) + 600,
    origins: ['https://shop.example'], max_sessions: 1,
  })}`;
  return `${text}.${sign(null, Buffer.from(text), key).toString('base64url')}`;
}

createServer((request, response) => {
  if (request.method === 'POST' && request.url === '/my-mindflow-token') {
    const visitor = 'ada'; // from your own login; answer others with 403
    response.setHeader('Cache-Control', 'no-store').end(mint(visitor));
  } else if (request.method === 'GET' && request.url === '/') {
    response.setHeader('Content-Type', 'text/html; charset=utf-8').end(readFileSync('token.html'));
  } else {
    response.writeHead(404).end();
  }
}).listen(process.env.PORT ?? 3000, '127.0.0.1');
