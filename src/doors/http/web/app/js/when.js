// Days and times as the reader's own place writes them.

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const weekday = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long' });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: 'full' });
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'medium' });

const DAY_MS = 86_400_000;

/** @param {number} at */
export const timeOf = (at) => clock.format(at);

/** @param {number} at */
export const exactTime = (at) => exact.format(at);

/** A text that is the same for all times of one day here. @param {number} at */
export function dayKey(at) {
  const day = new Date(at);
  return `${day.getFullYear()}-${day.getMonth()}-${day.getDate()}`;
}

/** @param {number} at */
export function dayName(at) {
  if (dayKey(at) === dayKey(Date.now())) return 'Today';
  if (dayKey(at) === dayKey(Date.now() - DAY_MS)) return 'Yesterday';
  return Math.abs(Date.now() - at) < 300 * DAY_MS ? weekday.format(at) : full.format(at);
}
