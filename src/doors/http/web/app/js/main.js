// Where the page starts: say hello to the node, then show its door or its rooms.

import './parts/banner.js';
import './parts/chat.js';
import './parts/clock.js';
import './parts/door.js';
import { wordsOf } from './api.js';
import { el } from './el.js';
import { followRoute, start as startLive } from './live.js';
import { start as startRoute } from './route.js';
import { hello } from './session.js';
import { state, watch } from './store.js';

const AGAIN_MS = 3_000;
const page = /** @type {HTMLElement} */ (document.getElementById('page'));
let shown = '';

function show() {
  if (!state.hello) return;
  const inside = Boolean(state.hello.me) && !state.route.code;
  const wanted = inside ? 'linnet-chat' : 'linnet-door';
  if (inside) void startLive();
  if (shown === wanted) return;
  shown = wanted;
  page.replaceChildren(document.createElement(wanted));
}

function title() {
  const unread = [...state.rooms.values()].reduce((sum, room) => sum + room.unread, 0);
  const place = state.open ? `${state.open.kind === 'd' ? '' : '#'}${state.open.label} · ` : '';
  document.title = `${unread ? `(${unread}) ` : ''}${place}${state.hello?.name ?? 'linnet'}`;
}

async function greet() {
  try {
    await hello();
  } catch (error) {
    page.replaceChildren(el('p', { class: 'splash', role: 'status' }, wordsOf(error)));
    setTimeout(() => void greet(), AGAIN_MS);
  }
}

// The session ended somewhere else: begin again at the door.
addEventListener('linnet-stranger', async () => {
  if (!state.hello?.me) return;
  await hello();
  if (!state.hello.me) location.reload();
});

startRoute();
watch(['hello', 'route'], show);
watch(['hello', 'rooms', 'open'], title);
watch(['route', 'roomsKnown'], () => void followRoute());
void greet();
