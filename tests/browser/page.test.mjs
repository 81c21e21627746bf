// The page's own rules, without a node: types, size, policy, and how messages come together.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';

const run = promisify(execFile);
const here = fileURLToPath(new URL('.', import.meta.url));
const app = fileURLToPath(new URL('../../src/doors/http/web/app/', import.meta.url));
const FIRST_LOAD_BYTES_MAX = 80 * 1024;
const SCRIPT_LINES_MAX = 150;

/** @returns {Promise<{path: string, text: string}[]>} */
async function files() {
  const names = await readdir(app, { recursive: true, withFileTypes: true });
  const paths = names.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Promise.all(paths.map(async (path) => ({ path: path.slice(app.length), text: await readFile(path, 'utf8') })));
}

test('the types of the page hold', async () => {
  const checked = run(join(here, 'node_modules/.bin/tsc'), ['-p', join(here, 'jsconfig.json')]);
  await checked.catch((error) => assert.fail(error.stdout));
});

test('the whole page fits its budget', async () => {
  const sizes = (await files()).map(({ text }) => gzipSync(text).length);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  assert.ok(sizes.length > 20 && total < FIRST_LOAD_BYTES_MAX, `${total} bytes in ${sizes.length} files`);
});

test('one behaviour per file', async () => {
  for (const { path, text } of await files()) {
    if (path.endsWith('.js')) assert.ok(text.split('\n').length <= SCRIPT_LINES_MAX, `${path} has more than ${SCRIPT_LINES_MAX} lines`);
  }
});

test('no HTML is parsed from text and nothing comes from elsewhere', async () => {
  for (const { path, text } of await files()) {
    assert.doesNotMatch(text, /innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|\beval\(|new Function/, path);
    assert.doesNotMatch(text, /(src|href|from|url\()\s*=?\s*['"(]?(https?:)?\/\/(?!www\.w3\.org)\w/, path);
    if (path.endsWith('.html')) assert.doesNotMatch(text, /<style|\son\w+=|\sstyle=|<script(?![^>]*\ssrc=)/, path);
  }
});

const { withLine, withNewest, withOlder, tied } = await import(join(app, 'js/lines.js'));
const line = (/** @type {string} */ id, at = 1, more = {}) => ({ id, at, touched: at, state: '', ...more });
const ids = (/** @type {{id: string}[]} */ lines) => lines.map(({ id }) => id).join(' ');

test('a message that comes by two ways is there once', () => {
  const lines = withLine(withLine([], line('a')), line('a'));
  assert.equal(ids(lines), 'a');
});

test('an older version does not replace a newer one', () => {
  const lines = withLine([line('a', 1, { touched: 9, text: 'new' })], line('a', 1, { touched: 5, text: 'old' }));
  assert.equal(lines[0].text, 'new');
});

test('what is on its way stays below what was said, and takes its place when the node has it', () => {
  let lines = withLine([line('a', 1)], line('mine', 2, { state: 'sending' }));
  lines = withLine(lines, line('b', 3));
  assert.equal(ids(lines), 'a b mine');
  lines = withLine(withLine(lines, line('c', 5)), line('mine', 4));
  assert.equal(ids(lines), 'a b mine c');
});

test('messages of one time keep the order of the node', () => {
  const lines = [1, 2, 3].reduce((all, n) => withLine(all, line(`m${n}`, 7)), []);
  assert.equal(ids(lines), 'm1 m2 m3');
  assert.equal(ids(withOlder(lines, [line('m0', 7), line('m1', 7)])), 'm0 m1 m2 m3');
  assert.equal(tied(lines), 3);
});

test('after a break the missed messages come, the deleted go, and what is on its way stays', () => {
  const had = [line('a', 1), line('b', 2), line('gone', 3), line('c', 4), line('mine', 9, { state: 'waiting' })];
  const page = [line('b', 2), line('c', 4), line('d', 5)];
  const lines = withNewest(had, page, new Set());
  assert.equal(ids(lines), 'a b c d mine');
});

test('what comes live while the page is on its way is kept', () => {
  const had = [line('a', 1), line('live', 6)];
  assert.equal(ids(withNewest(had, [line('a', 1), line('b', 5)], new Set(['live']))), 'a b live');
});

test('a break longer than a page leaves no hole', () => {
  const had = [line('a', 1), line('b', 2)];
  assert.equal(ids(withNewest(had, [line('x', 8), line('y', 9)], new Set())), 'x y');
});
