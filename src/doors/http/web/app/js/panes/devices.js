// How a device speaks in the open room, in lines to paste.

import { copyable } from '../copy.js';
import { el } from '../el.js';
import { state } from '../store.js';

/** Where others on the network reach the node. */
function reach() {
  const here = /^(localhost|127\.|\[::1\])/.test(location.hostname);
  return here ? (state.hello?.addresses[0] ?? location.origin) : location.origin;
}

export function devices() {
  const room = state.open && state.open.kind !== 'd' ? state.open.name : 'general';
  const at = `${reach()}/${room}`;
  const post = `curl -H "Authorization: Bearer dv_TOKEN" -d "door open" ${at}`;
  const notice = `curl -H "Authorization: Bearer dv_TOKEN" -H "Title: Freezer" -H "Priority: high" \\\n  -H "Tags: warning" -d "-4 °C for ten minutes" ${at}`;
  return {
    title: `Post to #${room} from a device`,
    content: [
      el('p', null, '1. Where the node runs, give the device a token. It may post here and nothing else.'),
      copyable(`linnet device add porch --room ${room}`, 'Line that makes a device'),
      el('p', null, '2. With the token in place of dv_TOKEN, this appears here at once.'),
      copyable(post, 'Line that posts'),
      el('p', null, 'With a title, a priority and tags:'),
      copyable(notice, 'Line that posts a notice'),
    ],
  };
}
