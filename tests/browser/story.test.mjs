// The story of the first day, with a real node and a real Chromium: each step goes on where the last one ended.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Node } from './node.mjs';
import { PHONE, Stage } from './stage.mjs';

/** @type {Node} */
let node;
/** @type {Stage} */
let stage;
/** @type {import('./stage.mjs').Person} */
let alice;
/** @type {import('./stage.mjs').Person} */
let bob;
let invite = '';
let porch = '';
let failed = false;

/** Runs a step; the steps after one that failed say so instead of failing for the same reason. */
const step = (/** @type {string} */ name, /** @type {() => Promise<void>} */ act) =>
  test(name, async () => {
    assert.ok(!failed, 'an earlier step failed');
    failed = true;
    try {
      await act();
    } catch (error) {
      for (const person of [alice, bob]) await person?.picture(`failed-${person.name}`);
      throw error;
    }
    failed = false;
  });

before(async () => {
  node = await Node.start();
  stage = await Stage.open();
});

after(async () => {
  await stage?.close();
  await node?.end();
});

step('a node without an owner says where the owner link is', async () => {
  const stranger = await stage.person('stranger', node.url, { viewport: PHONE });
  await stranger.page.getByRole('heading', { name: 'This node has no owner yet' }).waitFor();
  await stranger.picture('1-no-owner-phone');
  await stranger.page.context().close();
});

step('opening the owner link makes the owner', async () => {
  alice = await stage.person('alice', `${node.url}/${await node.ownerCode()}`);
  await alice.page.getByLabel('Your name').fill('Alice');
  await alice.page.getByLabel('Password', { exact: true }).fill('correct horse');
  await alice.page.getByText('Others call you @Alice').waitFor();
  await alice.picture('2-claim-desktop');
  await alice.page.getByRole('button', { name: 'Become the owner' }).click();
  await alice.page.getByRole('heading', { name: 'general' }).waitFor();
  assert.match(alice.page.url(), /#\/general$/);
  assert.equal(await alice.page.evaluate(() => document.cookie), '', 'the page cannot see the session');
});

step('a wrong owner code is refused with what to do', async () => {
  const mallory = await stage.person('mallory', `${node.url}/#own-AAAA-BBBB-CCCC-DDDD`);
  stage.expected = /Failed to load resource: the server responded with a status of 4\d\d/;
  await mallory.page.getByLabel('Your name').fill('Mallory');
  await mallory.page.getByLabel('Password', { exact: true }).fill('let me in now');
  await mallory.page.getByRole('button', { name: 'Become the owner' }).click();
  await mallory.page.getByRole('alert').filter({ hasText: /\w/ }).waitFor();
  stage.expected = null;
  await mallory.page.context().close();
});

step('the owner makes an invite link', async () => {
  await alice.page.getByRole('button', { name: 'This room' }).click();
  await alice.page.getByRole('link', { name: 'Invite by link' }).click();
  await alice.page.getByRole('button', { name: 'Make a link' }).click();
  invite = await alice.page.getByLabel('Invite link').inputValue();
  assert.match(invite, /#inv-[\w-]+$/);
  await alice.picture('3-invite-desktop');
  await alice.page.keyboard.press('Escape');
  await alice.page.getByRole('dialog').waitFor({ state: 'hidden' });
});

step('a second person joins on a phone screen by keyboard alone', async () => {
  bob = await stage.person('bob', `${node.url}/${invite.slice(invite.indexOf('#'))}`, { viewport: PHONE, colorScheme: 'dark' });
  const { keyboard } = bob.page;
  await bob.page.getByRole('heading', { name: 'You are invited' }).waitFor();
  if (!/name/i.test(await bob.focused())) await bob.tabTo(/^Your name$/);
  assert.ok(await bob.focusIsShown());
  await keyboard.type('bob');
  await bob.tabTo(/^Password$/);
  await keyboard.type('battery staple');
  await bob.picture('4-join-phone-dark');
  await keyboard.press('Enter');
  await bob.page.getByRole('heading', { name: 'general' }).waitFor();
  await bob.page.getByRole('textbox', { name: 'Write to #general' }).waitFor();
});

step('both chat live in #general, the phone by keyboard alone', async () => {
  await alice.say('Good morning, **Bob**');
  await bob.sees('Good morning, Bob');
  if (!/^Write to/.test(await bob.focused())) await bob.tabTo(/^Write to #general$/);
  assert.ok(await bob.focusIsShown());
  const { keyboard } = bob.page;
  await keyboard.type('Morning!');
  await keyboard.press('Shift+Enter');
  await keyboard.type('The door is open.');
  await keyboard.press('Enter');
  await alice.page.locator('.line:not(.sending) .text').getByText('Morning!\nThe door is open.').waitFor();
  assert.deepEqual(await bob.overflow(), []);
});

step('a message is changed, reacted to and removed by keyboard, and both see it', async () => {
  const { keyboard } = bob.page;
  await keyboard.type('I am at the gat');
  await keyboard.press('Enter');
  await alice.sees('I am at the gat');
  await bob.sees('I am at the gat');
  await keyboard.press('ArrowUp');
  await keyboard.type('e');
  await keyboard.press('Enter');
  await alice.page.locator('.text').getByText('I am at the gate (edited)').waitFor();
  await alice.page.locator('.line', { hasText: 'I am at the gate' }).focus();
  await alice.tabTo(/^React$/);
  await alice.page.keyboard.press('Enter');
  await alice.page.keyboard.press('Enter');
  await bob.page.getByRole('button', { name: /thumbsup/ }).waitFor();
  await bob.say('gone in a moment');
  await alice.sees('gone in a moment');
  await bob.sees('gone in a moment');
  await bob.page.locator('.line', { hasText: 'gone in a moment' }).focus();
  await bob.tabTo(/^Delete$/);
  await keyboard.press('Enter');
  await bob.page.getByText('Delete for everybody?').waitFor();
  await keyboard.press('Shift+Tab');
  await keyboard.press('Enter');
  await alice.page.locator('.line', { hasText: 'gone in a moment' }).waitFor({ state: 'detached' });
  await bob.page.locator('.line', { hasText: 'gone in a moment' }).waitFor({ state: 'detached' });
});

step('a room that one makes is found and joined by the other, by keyboard on the phone', async () => {
  await alice.page.getByRole('link', { name: 'New room' }).click();
  await alice.page.getByLabel('Name', { exact: true }).fill('Greenhouse');
  await alice.page.getByRole('button', { name: 'Make the room' }).click();
  await alice.page.getByRole('heading', { name: 'greenhouse' }).waitFor();
  await alice.say('Tomatoes are in');
  const { keyboard } = bob.page;
  await bob.tabTo(/^All rooms$/);
  await keyboard.press('Enter');
  await bob.tabTo(/^Find a room$/);
  await keyboard.press('Enter');
  await bob.page.getByRole('dialog').getByText('greenhouse').waitFor();
  await keyboard.type('green');
  await bob.picture('5-find-phone-dark');
  await bob.tabTo(/^greenhouse/);
  await keyboard.press('Enter');
  await bob.sees('Tomatoes are in');
  await bob.tabTo(/^Join the room$/);
  await keyboard.press('Enter');
  await bob.page.getByRole('textbox', { name: 'Write to #greenhouse' }).waitFor();
  await bob.say('Nice. Who waters?');
  await alice.sees('Nice. Who waters?');
});

step('a private room and a room of two stay between those in them', async () => {
  await alice.page.getByRole('link', { name: 'Write to somebody' }).click();
  await alice.page.getByRole('dialog').getByRole('button', { name: /bob/ }).click();
  await alice.page.getByRole('heading', { name: 'bob' }).waitFor();
  await alice.say('Just between us');
  await bob.page.goto(`${node.url}/#/@Alice`);
  await bob.sees('Just between us');
});

step('unread messages are counted, and shown below a line', async () => {
  await alice.page.goto(`${node.url}/#/general`);
  await alice.sees('Morning!\nThe door is open.');
  await bob.page.goto(`${node.url}/#/`);
  await bob.page.getByRole('heading', { name: 'Rooms' }).waitFor();
  await alice.say('Lunch at twelve?');
  await bob.page.locator('.room', { hasText: 'general' }).getByText('1', { exact: false }).waitFor();
  await bob.picture('6-rooms-phone-dark');
  await bob.page.getByRole('link', { name: /general/ }).click();
  await bob.sees('Lunch at twelve?');
  await bob.page.locator('.new', { hasText: 'New' }).waitFor();
});

step('a device posts and both see it at once', async () => {
  porch = await node.device('porch', 'general');
  await node.post(porch, 'general', 'door open');
  await node.post(porch, 'general', '-4 °C for ten minutes', { Title: 'Freezer', Priority: 'high', Tags: 'warning,cold' });
  for (const person of [alice, bob]) {
    await person.sees('door open');
    await person.page.locator('.notice.level-4', { hasText: 'Freezer' }).getByText('-4 °C for ten minutes').waitFor();
  }
  await alice.picture('7-device-desktop');
  await bob.picture('7-device-phone-dark');
});

step('a reload keeps history and place', async () => {
  const had = await alice.texts();
  await alice.page.reload();
  await alice.sees('Lunch at twelve?');
  assert.deepEqual(await alice.texts(), had);
});

step('after the node was killed and started again the pages come back by themselves, with everything once', async () => {
  const had = await alice.texts();
  stage.absent = true;
  await node.stop('SIGKILL');
  await bob.page.getByText('Connection lost.').waitFor();
  await bob.say('written while away');
  await bob.page.getByText('Waiting for the connection').waitFor();
  await bob.picture('8-away-phone-dark');
  await node.start();
  await node.post(porch, 'general', 'said before anybody is back');
  for (const person of [alice, bob]) {
    await person.sees('said before anybody is back');
    await person.sees('written while away');
    await person.page.getByText('Connection lost.').waitFor({ state: 'hidden' });
  }
  stage.absent = false;
  const now = await alice.texts();
  assert.deepEqual(now.slice(0, had.length), had);
  assert.equal(now.length, had.length + 2);
  assert.deepEqual([...(await bob.texts())].sort(), [...now].sort());
  await bob.page.reload();
  await bob.sees('written while away');
  assert.deepEqual(await bob.texts(), now);
});

step('a guest comes in by name alone when the owner lets guests in', async () => {
  const closed = await stage.person('carol', node.url, { viewport: PHONE });
  await closed.page.getByRole('button', { name: 'Log in' }).waitFor();
  assert.equal(await closed.page.getByText('Come in as a guest').count(), 0);
  await closed.page.context().close();
  await alice.page.getByRole('link', { name: 'Settings' }).click();
  await alice.page.getByLabel('Let guests in from this network').click();
  await alice.page.getByText('Guests are let in.').waitFor();
  await alice.picture('9-settings-desktop');
  await alice.page.keyboard.press('Escape');
  const carol = await stage.person('carol', node.url, { viewport: PHONE, hasTouch: true, isMobile: true });
  await carol.page.getByLabel('Your name').fill('Carol');
  await carol.picture('9-guest-phone');
  await carol.page.getByRole('button', { name: 'Come in' }).tap();
  await carol.page.getByRole('link', { name: /general/ }).tap();
  await carol.say('Hello from the gate');
  await alice.sees('Hello from the gate');
  await carol.sees('Hello from the gate');
  await carol.picture('9-general-phone');
  assert.deepEqual(await carol.overflow(), []);
});

step('a long room opens at its end and brings older messages while one scrolls up', async () => {
  for (let n = 1; n <= 130; n += 1) await node.post(porch, 'general', `reading ${n}`);
  await alice.page.reload();
  await alice.sees('reading 130');
  const list = alice.page.locator('.scroll');
  await alice.page.waitForFunction(() => {
    const scroll = /** @type {HTMLElement} */ (document.querySelector('.scroll'));
    scroll.scrollTo(0, 0);
    return !scroll.querySelector(':scope > .start')?.hasAttribute('hidden');
  });
  assert.ok(await list.evaluate((element) => element.scrollHeight > element.clientHeight * 3));
  const all = (await alice.texts()).filter((text) => text.startsWith('reading '));
  assert.deepEqual(all, Array.from({ length: 130 }, (_, n) => `reading ${n + 1}`));
  await alice.page.getByRole('button', { name: 'Newest' }).click();
  await alice.page.getByText('reading 130').waitFor();
});

step('logging out ends the session', async () => {
  await bob.page.goto(`${node.url}/#/general/out`);
  await bob.page.getByRole('dialog').getByRole('button', { name: 'Log out' }).click();
  await bob.page.getByRole('button', { name: 'Log in' }).waitFor();
  await bob.page.getByLabel('Name', { exact: true }).fill('bob');
  await bob.page.getByLabel('Password', { exact: true }).fill('battery staple');
  await bob.page.keyboard.press('Enter');
  await bob.page.getByRole('link', { name: /general/ }).click();
  await bob.sees('reading 130');
});

step('no page complained: no policy was broken, no error was logged', async () => {
  assert.deepEqual(stage.complaints, []);
});
