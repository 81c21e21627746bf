// The emoji this page knows by name; others stay as :name:.

/** @type {Record<string, string>} */
const KNOWN = {
  '+1': '👍', thumbsup: '👍', '-1': '👎', thumbsdown: '👎', heart: '❤️', joy: '😂', smile: '😄', slight_smile: '🙂', grinning: '😀',
  wink: '😉', cry: '😢', thinking: '🤔', tada: '🎉', eyes: '👀', fire: '🔥', wave: '👋', clap: '👏', pray: '🙏', ok_hand: '👌',
  rocket: '🚀', white_check_mark: '✅', heavy_check_mark: '✔️', x: '❌', question: '❓', exclamation: '❗', warning: '⚠️',
  rotating_light: '🚨', bell: '🔔', no_entry: '⛔', skull: '💀', bulb: '💡', zap: '⚡', battery: '🔋', electric_plug: '🔌',
  thermometer: '🌡️', droplet: '💧', snowflake: '❄️', sunny: '☀️', cloud: '☁️', rain: '🌧️', seedling: '🌱', house: '🏠', door: '🚪',
  lock: '🔒', unlock: '🔓', key: '🔑', clock: '🕒', hourglass: '⌛', hammer: '🔨', wrench: '🔧', gear: '⚙️', computer: '💻', robot: '🤖',
  bird: '🐦', cat: '🐱', dog: '🐶', package: '📦', mailbox: '📫', camera: '📷', loudspeaker: '📢', green_circle: '🟢', red_circle: '🔴',
};

export const QUICK = ['thumbsup', 'heart', 'joy', 'tada', 'eyes', 'white_check_mark'];

/**
 * The emoji of a name, or nothing.
 * @param {string} name
 */
export const emojiOf = (name) => (Object.hasOwn(KNOWN, name) ? KNOWN[name] : '');

/**
 * The emoji of a name, or the name between colons.
 * @param {string} name
 */
export const shownEmoji = (name) => emojiOf(name) || `:${name}:`;
