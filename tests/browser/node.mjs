// A node of its own for the stories: started on a free port, stopped and started again on the same one.

import { execFile, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

const run = promisify(execFile);
const BIN = process.env.LINNET_BIN ?? '';
const READY_MS_MAX = 10_000;

export class Node {
  port = 0;
  #child = null;
  #dir = '';
  /** @type {string[]} */
  #flags = [];
  /** @type {Record<string, string>} */
  #env = {};

  /** @param {string[]} flags @param {Record<string, string>} env */
  static async start(flags = [], env = {}) {
    const node = new Node();
    node.#flags = flags;
    node.#env = env;
    node.#dir = await mkdtemp(join(tmpdir(), 'linnet-browser-'));
    await node.start();
    return node;
  }

  get url() {
    return `http://127.0.0.1:${this.port}`;
  }

  /** The folder that holds everything it keeps. */
  get dir() {
    return this.#dir;
  }

  /** Starts the node, the second time on the port it had. */
  async start() {
    const args = ['serve', '--data', this.#dir, '--http', `127.0.0.1:${this.port}`, ...this.#flags];
    const child = spawn(BIN, args, { env: { ...process.env, ...this.#env }, stdio: ['ignore', 'pipe', 'inherit'] });
    this.#child = child;
    this.port = await new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`no ready line within ${READY_MS_MAX} ms`)), READY_MS_MAX);
      child.once('error', reject);
      child.once('exit', (code) => reject(new Error(`the node ended with ${code} before it was ready`)));
      createInterface({ input: child.stdout }).on('line', (line) => {
        const found = /^ready http=\S*:(\d+) /.exec(line);
        if (!found) return;
        clearTimeout(late);
        resolve(Number(found[1]));
      });
    });
  }

  /** @param {NodeJS.Signals} signal */
  async stop(signal = 'SIGTERM') {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    await gone;
  }

  async end() {
    await this.stop();
    await rm(this.#dir, { recursive: true, force: true });
  }

  /** What a command of the node prints. @param {...string} args */
  async command(...args) {
    const { stdout } = await run(BIN, [...args, '--data', this.#dir]);
    return stdout;
  }

  /** The address fragment of a fresh owner link. */
  async ownerCode() {
    const printed = await this.command('owner');
    const found = /#own-[\w-]+/.exec(printed);
    if (!found) throw new Error(`no owner link in: ${printed}`);
    return found[0];
  }

  /** The token of a device bound to a room. @param {string} name @param {string} room */
  async device(name, room) {
    return JSON.parse(await this.command('device', 'add', name, '--room', room, '--json')).token;
  }

  /** Posts as a device does. @param {string} token @param {string} room @param {string} text @param {Record<string, string>} headers */
  async post(token, room, text, headers = {}) {
    const answer = await fetch(`${this.url}/${room}`, { method: 'POST', body: text, headers: { Authorization: `Bearer ${token}`, ...headers } });
    if (!answer.ok) throw new Error(`the device was refused: ${answer.status} ${await answer.text()}`);
  }
}
