// The tree that each message carries, against that of the parser of Rocket.Chat's own clients.

import assert from 'node:assert/strict';
import { parse } from '@rocket.chat/message-parser';
import { Node } from '../browser/node.mjs';
import { step, story } from './steps.mjs';

const ADMIN = 'rocketchat.internal.admin.test';

/** Texts that both read alike. */
const SAME = [
  "hi", "*bold*", "**bold** x", "_it_", "__it__", "~s~", "~~s~~", "`code`", "```\nx\ny\n```", "```js\na\n\nb\n```",
  "a\nb", "a\n\nb", "# T", "## T *b*", "> q", "> q\n> r *b*", "- a\n- b", "* a\n* b", "1. a\n2. b",
  "- [ ] a\n- [x] b", ":smile:", ":smile: :smile:", ":smile: hi", "😀", "😀😀😀", "😀😀😀😀", "hi 😀", ":)", "hi :)", "@bob",
  "hi @bob.x!", "#general", "a#b", "a@b", "http://x.de", "[l](http://x)", "[*l*](http://x)", "<http://x|l>",
  "![a](http://x.png)", "x.de", "bob@x.de", "+4912345678", "color:#ff0000", "||sp||", "*a _b_ c*", "_a *b* c_", "*a",
  "a * b * c", "snake_case_name", "\\*no\\*", "a  \nb", "*b*c", "a*b*", "2*3*4", "http://localhost:3000",
  "https://x.de/a_b_c", "@all and @here", "# ", "#", "1.a", "-a", "***x***", "`a", "``a``", "$$x$$", "> \n> a",
  ">a\nb", "*@bob*", "*:smile:*", "[a](b)", "<t:1630360800:R>", "user@host", "127.0.0.1", "file.txt", "a.b", "12:30",
  "hello :wave: you", "*#general*", "```code```", "a ```x\ny\n``` b", "- a\n\n- b", "1. a\ntext", "text\n- a",
  "text\n# T", "text\n> q", "text\n```\nx\n```", "*http://x.de*", "_http://x.de_", "~http://x.de~", "*a\nb*", "**a*",
  "*a**", "a_b_", "_a_b", "_a_ b", "a _b_c", "__a_", "__init__", "*a_b*", "_a*b_", "*:)*", "*a :)*", "~a *b* _c_~",
  "||a\nb||", "`a *b*`", "*`a`*", "[](http://x.de)", "[a@b](http://x.de)", "@a.", "@a_b-c", "@a:matrix.org",
  "(@bob)", "x@bob", "@@bob", "#a-b_c.d", "##x", "#a#b", ":a:b:", ":+1:", ":a b:", "a:smile:b", ":smile::smile:",
  ":smile:x", "a:)", ":) :)", "x :) y", ":)y", "(:)", ":D", "<3", "8)", "C:/x", "x.de.", "x.de,", "see x.de!",
  "x.de/path?q=1", "www.x.com", "X.COM", "a.b.c.com", "foo@bar.com.", "mailto:a@b.com", "+49-123", "+49(0)12",
  "+1(234)56789", "+12", "call +49 123", "ftp://x.com", "javascript:alert(1)", "data:x", "http://",
  "tcp://1.2.3.4:80", "[x](mailto:a@b.com)", "[x](+491234567)", "color:#abc", "color:#aabbccdd", "\\_a\\_", "\\a",
  "\\\\", "\\", "a\\", "- ", "-  a", "* a *b*", "* a* b", "*a b", "1) a", "12. a\n13. b", " 1. a", " - a", "\t- a",
  "#x", "##### x", "# a\n\n\nb", "> a\n\n> b", ">", "> ", "```\n```", "```\n\n```", "```a b\nx\n```",
  "```\nx\n```\n", "```\nx```", "``` \nx\n```", "  ```\nx\n```", "a\r\nb", "\n\na", "a\n", "a\n\n", "😀 a", "👍🏽",
  "👨‍👩‍👧", "❤️", "❤", "©", "1️⃣", "🇩🇪", "☀", "→", "![](http://x.de/a.png)", "![a b](http://x.de)", "<x.de|a b>",
  "<a|b>", "<script>", "- [X] a", "- [] a", "*a*\n*b*", "**a** **b**", "*a* *b*", "_a_ _b_", "~a", "~~a~", "a~b~c",
  "a`b`c", "`a\nb`", "``` x ```", "||||", "|| a ||", "||a", "a||b||c", "_ a _", "* a *", "~ a ~", "*  *", "** **",
  "_*a*_", "*_~a~_*", "_(a)_", "(_a_)", "._a_", "_a_.", "_a_,b", "a*b", "*a*b*c*", "https://a.com/b*c*d", "@bob*x*",
  "*x*@bob", "#x*y*", "a <t:1630360800> b", "https://x.com/a?b=_c_&d=*e*", "https://x.com)", "https://x.com;",
  "https://x.com?", "https://user:pw@x.com/", "https://ü.com", "ü.de", "日本.jp", "192.168.0.1:3000",
  "http://192.168.0.1/x", "http://[::1]/", "linnet.local", "a.toString()", "obj.method", "v1.2.3", "1.5",
  "e.g. this", "hello.world", "x.io",
];

/** Addresses that a node on a local network links and that parser does not: what they lead to. */
const LINKED = [
  ['http://raspberrypi:3000/x', 'http://raspberrypi:3000/x'], ['http://pi.local/', 'http://pi.local/'],
  ['(https://x.com)', 'https://x.com'], ['see https://a.b/c?d=e.', 'https://a.b/c?d=e'],
  ['https://x.com/(a)', 'https://x.com/(a)'],
];

/** What must never be a link, whoever draws it. */
const DEAD = ['javascript://x.com/%0aalert(1)', '[a](javascript:alert(1))', '<data:text/html,x|a>'];

/** The keys of every object in one order. */
function ordered(value) {
  if (Array.isArray(value)) return value.map(ordered);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.keys(value).sort().map((key) => [key, ordered(value[key])]));
}

const node = await Node.start(['--test-mode']);
const call = async (path, body, headers = {}) => {
  const answer = await fetch(`${node.url}/api/v1/${path}`, {
    method: 'POST', body: JSON.stringify(body), headers: { 'Content-Type': 'application/json', ...headers },
  });
  return answer.json();
};
const { data } = await call('login', { user: ADMIN, password: ADMIN });
const key = { 'X-Auth-Token': data.authToken, 'X-User-Id': data.userId };
/** The message as the node gives it back. */
const said = async (msg) => {
  const answer = await call('chat.sendMessage', { message: { rid: 'GENERAL', msg } }, key);
  assert.equal(answer.success, true, `${JSON.stringify(msg)}: ${JSON.stringify(answer)}`);
  return answer.message;
};

const tell = async () => {
  await step(`${SAME.length} texts have the tree that Rocket.Chat's parser makes`, async () => {
    for (const text of SAME) {
      const { md, msg } = await said(text);
      // As it is sent: without what is undefined.
      const wanted = JSON.parse(JSON.stringify(parse(msg, { colors: true, emoticons: true })));
      assert.deepEqual(ordered(md), ordered(wanted), JSON.stringify(text));
    }
  });
  await step('addresses of a local network and in brackets are links too', async () => {
    for (const [text, url] of LINKED) {
      const { md, urls } = await said(text);
      assert.ok(JSON.stringify(md).includes(`"src":{"type":"PLAIN_TEXT","value":${JSON.stringify(url)}}`), text);
      assert.deepEqual(urls, [{ url }], text);
    }
  });
  await step('nothing that would run is a link', async () => {
    for (const text of DEAD) {
      const { md, urls } = await said(text);
      assert.ok(!JSON.stringify(md).includes('LINK'), text);
      assert.deepEqual(urls, [], text);
    }
  });
};
// Whatever fails, the node ends.
await story(() => tell().finally(() => node.end()));
