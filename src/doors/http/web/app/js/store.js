// One small store: a value, changes to it, and those who watch some of its keys.

/** @typedef {import('./types.js').State} State */
/** @typedef {keyof State} Key */

/** @type {State} */
export const state = {
  hello: null,
  clock: null,
  route: { room: '', pane: '', code: null },
  link: 'starting',
  rooms: new Map(),
  roomsKnown: false,
  open: null,
  lost: '',
  lines: [],
  older: 'unknown',
  divider: '',
  typing: [],
  editing: null,
};

/** @type {Set<{keys: Key[], tell: () => void}>} */
const watchers = new Set();
/** @type {Set<Key>} */
const changed = new Set();

/**
 * Changes the state and tells the watchers of the changed keys once, soon.
 * @param {Partial<State>} patch
 */
export function set(patch) {
  const before = changed.size;
  for (const key of /** @type {Key[]} */ (Object.keys(patch))) {
    if (state[key] !== patch[key]) changed.add(key);
  }
  Object.assign(state, patch);
  if (before === 0 && changed.size > 0) queueMicrotask(tellAll);
}

function tellAll() {
  const keys = new Set(changed);
  changed.clear();
  for (const watcher of [...watchers]) {
    if (watchers.has(watcher) && watcher.keys.some((key) => keys.has(key))) watcher.tell();
  }
}

/**
 * Calls `tell` now and whenever one of the keys changes, until the answer is called.
 * @param {Key[]} keys
 * @param {() => void} tell
 * @returns {() => void}
 */
export function watch(keys, tell) {
  const watcher = { keys, tell };
  watchers.add(watcher);
  tell();
  return () => void watchers.delete(watcher);
}
