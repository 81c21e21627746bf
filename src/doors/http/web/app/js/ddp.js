// The live connection: DDP over a WebSocket that comes back by itself.

/** @typedef {{id: string, name: string, params: unknown[], tell: (args: any[]) => void, ready: Promise<boolean>, answer: (fine: boolean) => void}} Sub */

const WAIT_MS_MIN = 400;
const WAIT_MS_MAX = 15_000;
const PING_MS = 20_000;
const SILENCE_MS_MAX = 45_000;

/** Tells 'up' when the node greeted us, 'down' when the connection is gone. */
export class Wire extends EventTarget {
  /** @type {WebSocket | null} */
  #socket = null;
  /** @type {Map<string, Sub>} */
  #subs = new Map();
  #count = 0;
  #wanted = false;
  #up = false;
  #wait = WAIT_MS_MIN;
  #heard = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #retry;

  start() {
    if (this.#wanted) return;
    this.#wanted = true;
    setInterval(() => this.#watchSilence(), PING_MS);
    addEventListener('online', () => this.now());
    document.addEventListener('visibilitychange', () => document.hidden || this.now());
    this.#connect();
  }

  stop() {
    this.#wanted = false;
    this.#subs.clear();
    clearTimeout(this.#retry);
    this.#socket?.close();
  }

  /** Whether the node greeted us. */
  get up() {
    return this.#up;
  }

  /** Tries at once instead of waiting for the next turn. */
  now() {
    if (!this.#wanted || this.#socket) return;
    this.#wait = WAIT_MS_MIN;
    this.#connect();
  }

  #connect() {
    clearTimeout(this.#retry);
    const socket = new WebSocket(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/websocket`);
    this.#socket = socket;
    this.#heard = Date.now();
    socket.onopen = () => this.#send({ msg: 'connect', version: '1', support: ['1'] });
    socket.onmessage = (event) => this.#socket === socket && this.#onFrame(event.data);
    socket.onclose = () => this.#socket === socket && this.#onClose();
  }

  #onClose() {
    this.#socket = null;
    this.#up = false;
    for (const sub of this.#subs.values()) sub.answer(false);
    this.dispatchEvent(new Event('down'));
    if (!this.#wanted) return;
    // Spread out, so that a node that starts again is not met by everybody in the same moment.
    this.#retry = setTimeout(() => this.#connect(), this.#wait * (0.7 + Math.random() * 0.6));
    this.#wait = Math.min(this.#wait * 2, WAIT_MS_MAX);
  }

  #watchSilence() {
    if (!this.#socket) return;
    if (Date.now() - this.#heard > SILENCE_MS_MAX) {
      const silent = this.#socket;
      this.#onClose();
      silent.close();
    } else if (this.#up) this.#send({ msg: 'ping' });
  }

  /** @param {string} text */
  #onFrame(text) {
    this.#heard = Date.now();
    const frame = JSON.parse(text);
    if (frame.msg === 'ping') this.#send(frame.id ? { msg: 'pong', id: frame.id } : { msg: 'pong' });
    else if (frame.msg === 'connected') this.#onConnected();
    else if (frame.msg === 'changed') this.#onChanged(frame);
    else if (frame.msg === 'ready') for (const id of frame.subs ?? []) this.#subs.get(id)?.answer(true);
    else if (frame.msg === 'nosub') this.#subs.get(frame.id)?.answer(false);
  }

  #onConnected() {
    this.#up = true;
    this.#wait = WAIT_MS_MIN;
    for (const sub of this.#subs.values()) this.#ask(sub);
    this.dispatchEvent(new Event('up'));
  }

  /** @param {any} frame */
  #onChanged(frame) {
    for (const sub of [...this.#subs.values()]) {
      if (sub.name === frame.collection && sub.params[0] === frame.fields?.eventName) sub.tell(frame.fields.args ?? []);
    }
  }

  /**
   * Listens to an event of a stream, over as many connections as it takes.
   * @param {string} name
   * @param {string} event
   * @param {(args: any[]) => void} tell
   * @returns {Sub}
   */
  listen(name, event, tell) {
    /** @type {Sub} */
    const sub = { id: `s${++this.#count}`, name, params: [event, false], tell, ready: Promise.resolve(false), answer: () => {} };
    this.#subs.set(sub.id, sub);
    if (this.#up) this.#ask(sub);
    return sub;
  }

  /** @param {Sub} sub */
  #ask(sub) {
    sub.ready = new Promise((answer) => (sub.answer = answer));
    this.#send({ msg: 'sub', id: sub.id, name: sub.name, params: sub.params });
  }

  /** @param {Sub} sub */
  unlisten(sub) {
    if (this.#subs.delete(sub.id) && this.#up) this.#send({ msg: 'unsub', id: sub.id });
  }

  /**
   * Calls a method whose answer nobody waits for.
   * @param {string} method
   * @param {unknown[]} params
   */
  tell(method, params) {
    if (this.#up) this.#send({ msg: 'method', id: `m${++this.#count}`, method, params });
  }

  /** @param {object} frame */
  #send(frame) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(frame));
  }
}
