// A node that does not know the time, and its owner who opens the page.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Node } from './node.mjs';
import { PHONE, Stage } from './stage.mjs';

/** The account of every node in test mode. */
const ADMIN = 'rocketchat.internal.admin.test';

/** @type {Node} */
let node;
/** @type {Stage} */
let stage;

before(async () => {
  node = await Node.start(['--test-mode'], { LINNET_TEST_CLOCK: 'none' });
  stage = await Stage.open();
});

after(async () => {
  await stage?.close();
  await node?.end();
});

test('the owner sets the time of a node that does not know it, and times are put right', async () => {
  const owner = await stage.person('owner', node.url, { viewport: PHONE });
  await owner.page.getByLabel('Name', { exact: true }).fill(ADMIN);
  await owner.page.getByLabel('Password', { exact: true }).fill(ADMIN);
  await owner.page.keyboard.press('Enter');
  await owner.page.getByRole('link', { name: /general/ }).click();
  await owner.say('what time is it?');
  await owner.sees('what time is it?');
  const line = owner.page.locator('.line', { hasText: 'what time is it?' });
  assert.match(await line.locator('time').getAttribute('datetime'), /^1970-/);
  assert.equal(await line.locator('.mark').innerText(), 'time not certain');
  const question = owner.page.locator('linnet-clock');
  await question.getByText('This node does not know the time.').waitFor();
  await owner.picture('10-clock-unknown-phone');
  assert.deepEqual(await owner.overflow(), []);
  stage.absent = true;
  await question.getByRole('button', { name: /^Set it to/ }).click();
  await question.waitFor({ state: 'hidden' });
  await owner.page.locator(`.line time[datetime^="${new Date().getUTCFullYear()}-"]`).waitFor();
  assert.equal(await line.locator('.mark').count(), 0, 'the time is certain now');
  await owner.page.reload();
  await owner.sees('what time is it?');
  assert.ok(await question.isHidden(), 'nobody is asked again');
  const { trust } = JSON.parse(await node.command('clock', '--json'));
  assert.equal(trust, 'person');
  assert.deepEqual(stage.complaints, []);
});
