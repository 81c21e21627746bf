// MQTT.js as its users know it, in both versions of MQTT and over everything that carries it.

import assert from 'node:assert/strict';
import { readFile, writeFile, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import mqtt from 'mqtt';
import { Node } from '../browser/node.mjs';
import { step, story } from './steps.mjs';

const ROOM = 'linnet/room/general';
const PATIENCE_MS = 20_000;

/** A port nobody listens on. */
async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** What a promise gives, within the time that anything may take. */
async function within(what, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited for ${what}`)), PATIENCE_MS);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** A node with every door open, on ports that stay. */
class Site {
  static async open() {
    const site = new Site();
    site.folder = await mkdtemp(join(tmpdir(), 'linnet-clients-'));
    const [tcp, tls, https] = [await freePort(), await freePort(), await freePort()];
    const settings = join(site.folder, 'linnet.toml');
    await writeFile(settings, `[http]\ntls_address = '127.0.0.1:${https}'\n[mqtt]\naddress = '127.0.0.1:${tcp}'\ntls_address = '127.0.0.1:${tls}'\n`);
    site.node = await Node.start(['--config', settings]);
    site.ca = await readFile(join(site.node.dir, 'tls', 'certificate.pem'));
    site.urls = {
      tcp: `mqtt://127.0.0.1:${tcp}`,
      tls: `mqtts://127.0.0.1:${tls}`,
      ws: `ws://127.0.0.1:${site.node.port}/mqtt`,
      wss: `wss://127.0.0.1:${https}/mqtt`,
    };
    return site;
  }

  async end() {
    await this.node.end();
    await rm(this.folder, { recursive: true });
  }

  /** The login of a new device. */
  async device(name, ...rights) {
    const made = await this.node.command('device', 'add', name, '--room', 'general', '--json', ...rights);
    return { username: name, password: JSON.parse(made).token };
  }

  say(text) {
    return this.node.command('post', 'general', text);
  }
}

/** A client and what it hears. */
class Peer {
  heard = [];
  #waits = [];

  constructor(site, options, carrier = 'tcp') {
    this.client = mqtt.connect(site.urls[carrier], { ca: site.ca, reconnectPeriod: 200, ...options });
    this.errors = [];
    this.client.on('error', (error) => this.errors.push(error));
    this.client.on('message', (topic, payload, packet) => {
      this.heard.push({ topic, text: payload.toString(), packet });
      this.#waits.shift()?.();
    });
  }

  /** A client that is let in. */
  static async enter(...words) {
    const peer = new Peer(...words);
    peer.connack = (await peer.next('connect'))[0];
    return peer;
  }

  next(event) {
    return within(event, new Promise((resolve) => this.client.once(event, (...told) => resolve(told))));
  }

  async hear() {
    if (this.heard.length === 0) await within('a message', new Promise((resolve) => this.#waits.push(resolve)));
    return this.heard.shift();
  }

  async texts(count) {
    const texts = [];
    while (texts.length < count) texts.push((await this.hear()).text);
    return texts;
  }

  leave() {
    return within('goodbye', this.client.endAsync());
  }

  /** The connection breaks without a goodbye. */
  async lose() {
    const closed = this.next('close');
    this.client.options.reconnectPeriod = 0;
    this.client.stream.destroy();
    await closed;
    await this.client.endAsync(true);
  }
}

async function carriers(site, version, porch) {
  for (const carrier of Object.keys(site.urls)) {
    await step(`MQTT version ${version} over ${carrier}: it logs in, posts in its room and hears it`, async () => {
      const peer = await Peer.enter(site, { ...porch, protocolVersion: version }, carrier);
      await peer.client.subscribeAsync(`${ROOM}/msg`, { qos: 1 });
      await peer.client.publishAsync(`${ROOM}/post`, `by ${carrier}`, { qos: 1 });
      await site.say(`seen ${carrier}`);
      const lines = (await peer.texts(2)).map((text) => JSON.parse(text));
      assert.deepEqual(lines.map(({ author, text }) => [author, text]), [['porch', `by ${carrier}`], ['linnet', `seen ${carrier}`]]);
      await peer.leave();
    });
  }
}

async function strangers(site, version, porch) {
  await step(`MQTT version ${version}: a wrong key is turned away, and so is a certificate that nobody knows`, async () => {
    const wrong = new Peer(site, { ...porch, password: `dv_${'x'.repeat(43)}`, protocolVersion: version, reconnectPeriod: 0 });
    const [refusal] = await wrong.next('error');
    assert.ok([4, 5, 134, 135].includes(refusal.code), refusal);
    for (const carrier of ['tls', 'wss']) {
      const stranger = new Peer(site, { ...porch, ca: undefined, protocolVersion: version, reconnectPeriod: 0 }, carrier);
      const [error] = await stranger.next('error');
      assert.match(String(error.code), /SELF_SIGNED|UNABLE_TO_VERIFY/);
      await stranger.client.endAsync(true);
    }
  });
}

async function exchange(site, version, porch, lamp) {
  const ear = await Peer.enter(site, { ...lamp, protocolVersion: version });
  const mouth = await Peer.enter(site, { ...porch, protocolVersion: version });
  await step(`MQTT version ${version}: each quality of service comes as it was asked for, in order and once`, async () => {
    for (const qos of [0, 1, 2]) {
      const [granted] = await ear.client.subscribeAsync(`porch/q${qos}`, { qos });
      assert.equal(granted.qos, qos);
      for (let number = 0; number < 50; number += 1) await mouth.client.publishAsync(`porch/q${qos}`, `${number}`, { qos });
      for (let number = 0; number < 50; number += 1) {
        const { text, packet } = await ear.hear();
        assert.deepEqual([text, packet.qos], [`${number}`, qos]);
      }
    }
  });
  await step(`MQTT version ${version}: what is retained is told later, and a will when a connection breaks`, async () => {
    const will = { topic: 'porch/status', payload: 'offline', qos: 1, retain: true };
    const dies = await Peer.enter(site, { ...porch, protocolVersion: version, will });
    await dies.client.publishAsync('porch/status', 'online', { qos: 1, retain: true });
    await ear.client.subscribeAsync('porch/status', { qos: 1 });
    const kept = await ear.hear();
    assert.deepEqual([kept.text, kept.packet.retain], ['online', true]);
    await dies.lose();
    assert.deepEqual(await ear.texts(1), ['offline']);
    await mouth.client.publishAsync('porch/status', '', { qos: 1, retain: true });
    assert.deepEqual(await ear.texts(1), ['']);
  });
  if (version === 5) await properties(ear, mouth);
  await Promise.all([ear.leave(), mouth.leave()]);
}

async function properties(ear, mouth) {
  await step('MQTT version 5: properties arrive as they were sent', async () => {
    const sent = { userProperties: { room: ['a', 'b'] }, contentType: 'text/plain', responseTopic: 'porch/r', correlationData: Buffer.from([0, 255]) };
    await ear.client.subscribeAsync('porch/asks', { qos: 1, properties: { subscriptionIdentifier: 7 } });
    await mouth.client.publishAsync('porch/asks', 'x', { qos: 1, properties: sent });
    const { packet } = await ear.hear();
    const { userProperties, ...others } = packet.properties;
    assert.deepEqual(others, { subscriptionIdentifier: 7, contentType: 'text/plain', responseTopic: 'porch/r', correlationData: sent.correlationData });
    assert.deepEqual({ ...userProperties }, sent.userProperties);
  });
}

async function comesBack(site, version, porch, lamp) {
  await step(`MQTT version ${version}: after kill -9 it comes back by itself, and all that was queued arrives, once`, async () => {
    const stays = { clean: false, protocolVersion: version, properties: version === 5 ? { sessionExpiryInterval: 3600 } : undefined };
    const ear = await Peer.enter(site, { ...lamp, ...stays, clientId: `ear-${version}` });
    const mouth = await Peer.enter(site, { ...porch, ...stays, clientId: `mouth-${version}` });
    await ear.client.subscribeAsync('porch/again', { qos: 2 });
    await mouth.client.publishAsync('porch/again', 'before', { qos: 2 });
    assert.deepEqual(await ear.texts(1), ['before']);
    const gone = [ear.next('close'), mouth.next('close')];
    await site.node.stop('SIGKILL');
    await Promise.all(gone);
    const sent = Array.from({ length: 50 }, (_, number) => mouth.client.publishAsync('porch/again', `${number}`, { qos: 2 }));
    const back = [ear.next('connect'), mouth.next('connect')];
    await site.node.start();
    for (const [connack] of await Promise.all(back)) assert.ok(connack.sessionPresent);
    await within('what was queued', Promise.all(sent));
    assert.deepEqual(await ear.texts(50), Array.from({ length: 50 }, (_, number) => `${number}`));
    await Promise.all([ear.leave(), mouth.leave()]);
  });
}

async function revoked(site, version) {
  await step(`MQTT version ${version}: a device that is removed is thrown out and does not come back`, async () => {
    const spy = await Peer.enter(site, { ...(await site.device(`spy${version}`)), protocolVersion: version });
    await spy.client.subscribeAsync(`${ROOM}/msg`, { qos: 1 });
    const told = version === 5 ? spy.next('disconnect') : undefined;
    const [closed, refused] = [spy.next('close'), spy.next('error')];
    await site.node.command('device', 'remove', `spy${version}`);
    await site.say('now that it is gone');
    if (told) assert.equal((await told)[0].reasonCode, 0x87);
    await closed;
    // It tries again by itself, as the library does, and is turned away.
    const [refusal] = await refused;
    assert.ok([4, 5, 134, 135].includes(refusal.code), refusal);
    await spy.client.endAsync(true);
    assert.deepEqual(spy.heard, []);
  });
}

await story(async () => {
  const site = await Site.open();
  try {
    const porch = await site.device('porch', '--publish', 'porch/#');
    const lamp = await site.device('lamp', '--subscribe', 'porch/#');
    for (const version of [4, 5]) {
      await carriers(site, version, porch);
      await strangers(site, version, porch);
      await exchange(site, version, porch, lamp);
      await comesBack(site, version, porch, lamp);
      await revoked(site, version);
    }
  } finally {
    await site.end();
  }
});
