// Asking the node over HTTP. The session is a cookie that this page cannot see.

/** A request the node refused or did not answer; the message says what to do. */
export class Refused extends Error {
  /**
   * @param {number} status 0 when nothing answered
   * @param {string} type
   * @param {string} message
   */
  constructor(status, type, message) {
    super(message);
    this.status = status;
    this.type = type;
  }

  /** Whether trying again later can help. */
  get passing() {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

const ANSWER_MS_MAX = 20_000;

/**
 * @param {'GET' | 'POST'} method
 * @param {string} path
 * @param {object} [body]
 * @returns {Promise<any>}
 */
async function ask(method, path, body) {
  /** @type {Response} */
  let answer;
  try {
    answer = await fetch(`/api/${path}`, {
      method,
      credentials: 'same-origin',
      cache: 'no-store',
      headers: body ? { 'Content-Type': 'application/json' } : {},
      body: body ? JSON.stringify(body) : null,
      signal: AbortSignal.timeout(ANSWER_MS_MAX),
    });
  } catch {
    throw new Refused(0, 'no-answer', 'The node does not answer. Check that it runs and that you are on its network.');
  }
  const json = await answer.json().catch(() => ({}));
  if (answer.ok) return json;
  if (answer.status === 401) dispatchEvent(new Event('linnet-stranger'));
  throw new Refused(answer.status, String(json.errorType ?? ''), told(answer.status, json));
}

/**
 * The text of a refusal without its code in brackets.
 * @param {number} status
 * @param {any} json
 */
function told(status, json) {
  const text = String(json.message ?? json.error ?? '').replace(/\s*\[[\w-]+\]$/, '');
  return text || `The node refused (${status}).`;
}

/**
 * @param {string} path
 * @param {Record<string, string | number | boolean>} [query]
 */
export function get(path, query) {
  const text = new URLSearchParams(Object.entries(query ?? {}).map(([key, value]) => [key, String(value)])).toString();
  return ask('GET', text ? `${path}?${text}` : path);
}

/**
 * @param {string} path
 * @param {object} [body]
 */
export function post(path, body) {
  return ask('POST', path, body ?? {});
}

/**
 * What to tell a person about a failure.
 * @param {unknown} error
 */
export function wordsOf(error) {
  return error instanceof Error ? error.message : String(error);
}

/** The family of endpoints of a room's kind. @param {'c' | 'p' | 'd'} kind */
export function family(kind) {
  return { c: 'channels', p: 'groups', d: 'im' }[kind];
}
