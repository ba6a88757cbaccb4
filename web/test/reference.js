// Writes the reference of the element, from the comments of attributes.js and element.js, into docs/embedding.md:
//   node web/test/reference.js
// The test of the same name holds the page to them.

import { readFileSync, writeFileSync } from 'node:fs';

const PAGE = new URL('../../docs/embedding.md', import.meta.url);
const [BEGIN, END] = ['<!-- written by web/test/reference.js, from the code -->\n',
  '<!-- end of what is written -->\n'];

const code = (/** @type {string} */ name) => readFileSync(new URL(`../${name}`, import.meta.url), 'utf8');

/** A comment's text and its tags. @param {string} comment between its stars */
function parse(comment) {
  const lines = comment.split('\n').map((line) => line.replace(/^\s*\* ?/, '').trim());
  const text = lines.join(' ').replace(/\s+/g, ' ').trim();
  const [said, ...tags] = text.split(/ (?=@\w)|^(?=@\w)/);
  return { said: said.startsWith('@') ? '' : said.trim(), tags: tags.concat(said.startsWith('@') ? [said] : []) };
}

/**
 * What a module documents before members that match.
 * @param {string} text
 * @param {RegExp} member with the name as its group
 */
function members(text, member) {
  return [...text.matchAll(/\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\n {2}([^\n]+)/g)].flatMap(([, comment, line]) => {
    const name = member.exec(line)?.[1];
    return name && !name.startsWith('#') ? [{ name, line, ...parse(comment) }] : [];
  });
}

/** The reference, as Markdown. */
export function reference() {
  const element = code('live/element.js');
  const properties = [...members(code('live/attributes.js'), /^get (\w+)\(/), ...members(element, /^get (\w+)\(/)];
  const methods = members(element, /^(?:async )?((?!get|set|constructor)\w+)\(.*\) \{$/).filter((m) => m.said);
  const typeOf = (/** @type {string[]} */ tags) => tags
    .find((t) => t.startsWith('@type'))?.replace(/^@type \{(.*)\}.*$/, '$1').replace(/import\('[^']+'\)\./g, '') ?? '';
  const of = (/** @type {string} */ tag) => parse(/\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\nexport class/.exec(element)?.[1]
    ?? '').tags
    .filter((t) => t.startsWith(tag)).map((t) => t.slice(tag.length).trim());
  const cell = (/** @type {string} */ text) => text.replaceAll('|', '\\|');
  const rows = (/** @type {string[]} */ list, /** @type {string} */ head) =>
    [`| ${head} | |`, '|---|---|', ...list.map((line) => {
    const [, name, said] = /** @type {RegExpExecArray} */ (/^(?:\{.*\} )?(\S+) (.*)$/.exec(line));
    return `| \`${name}\` | ${cell(said)} |`;
  }), ''];
  return [
    '| property | type | |', '|---|---|---|', ...properties
      .map((p) => `| \`${p.name}\` | \`${cell(typeOf(p.tags))}\` | ${cell(p.said)} |`), '',
    '| method | |', '|---|---|', ...methods.map((m) => `| \`${m.name}()\` | ${cell(m.said)} |`), '',
    ...rows(of('@fires'), 'event'), ...rows(of('@slot'), 'slot'), ...rows(of('@part'), 'part'),
      ...rows(of('@cssproperty'), 'CSS property'),
  ].join('\n');
}

/** The page with the reference in its place. */
export function written() {
  const page = readFileSync(PAGE, 'utf8');
  const [before, after] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (before < 0 || after < 0) throw new Error(`docs/embedding.md has no place for the reference: ${BEGIN}${END}`);
  return { page, wanted: `${page.slice(0, before)}${BEGIN}\n${reference()}\n${page.slice(after)}` };
}

if (process.argv[1] === new URL(import.meta.url).pathname) writeFileSync(PAGE, written().wanted);
