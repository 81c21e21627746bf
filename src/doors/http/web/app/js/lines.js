// The window of messages that is loaded: how pages, live messages and messages on their way come together.
// Order is the node's, never a clock's: pages are taken in the order they came in.

/** @typedef {import('./types.js').Line} Line */

export const WINDOW_LINES_MAX = 400;
const WINDOW_LINES_KEPT = 150;

/** @param {Line} line */
const onItsWay = (line) => line.state !== '';

/**
 * A newer or new message takes its place.
 * @param {Line[]} lines
 * @param {Line} line
 */
export function withLine(lines, line) {
  const at = lines.findIndex((other) => other.id === line.id);
  if (at >= 0) {
    const old = lines[at];
    if (!onItsWay(old)) return old.touched > line.touched ? lines : lines.with(at, line);
    // The node has it now: it moves from among the waiting to its place in the order.
    return placed(lines.toSpliced(at, 1), line);
  }
  return placed(lines, line);
}

/**
 * @param {Line[]} lines
 * @param {Line} line
 */
function placed(lines, line) {
  let at = lines.length;
  if (!onItsWay(line)) while (at > 0 && (onItsWay(lines[at - 1]) || lines[at - 1].at > line.at)) at -= 1;
  return lines.toSpliced(at, 0, line);
}

/**
 * @param {Line[]} lines
 * @param {string} id
 */
export function withoutLine(lines, id) {
  return lines.some((line) => line.id === id) ? lines.filter((line) => line.id !== id) : lines;
}

/**
 * A page of older messages, oldest first, goes before what is there.
 * @param {Line[]} lines
 * @param {Line[]} page
 */
export function withOlder(lines, page) {
  const known = new Set(lines.map((line) => line.id));
  return [...page.filter((line) => !known.has(line.id)), ...lines];
}

/**
 * The newest page, oldest first, after we were away: what it overlaps it replaces, so what was deleted meanwhile goes;
 * when it does not reach what we had, the old part is let go rather than shown with a hole.
 * @param {Line[]} lines
 * @param {Line[]} page
 * @param {Set<string>} live ids that came in while the page was on its way
 */
export function withNewest(lines, page, live) {
  const fresh = new Set(page.map((line) => line.id));
  const from = lines.findIndex((line) => fresh.has(line.id) && !onItsWay(line));
  const newer = new Map(lines.filter((line) => fresh.has(line.id) && !onItsWay(line)).map((line) => [line.id, line]));
  // The node's clock was set meanwhile: what we had shows wrong times, and its older part is asked for anew.
  const corrected = page.some((line) => (newer.get(line.id)?.at ?? line.at) !== line.at);
  const before = from > 0 && !corrected ? lines.slice(0, from) : [];
  const middle = page.map((line) => {
    const had = newer.get(line.id);
    return had && !corrected && had.touched >= line.touched ? had : line;
  });
  const after = lines.filter((line) => !fresh.has(line.id) && (onItsWay(line) || live.has(line.id)));
  return [...before, ...middle, ...after];
}

/**
 * Lets go of old messages when the window has grown far; those on screen are at its end.
 * @param {Line[]} lines
 */
export function trimmed(lines) {
  return lines.length > WINDOW_LINES_MAX ? lines.slice(-WINDOW_LINES_KEPT) : lines;
}

/**
 * How many messages at the start share their time: where the next older page begins.
 * @param {Line[]} lines
 */
export function tied(lines) {
  const settled = lines.filter((line) => !onItsWay(line));
  const apart = settled.findIndex((line) => line.at !== settled[0].at);
  return apart < 0 ? settled.length : apart;
}
