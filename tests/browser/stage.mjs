// A real Chromium, people in it with a session each, and everything the pages complained about.

import { mkdir } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';

const CHROMIUM = '/usr/bin/chromium';
const FLAGS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];
const SCREENS = new URL('../.cache/screens/', import.meta.url).pathname;
/** What a browser says about a node that is not there; expected only while it is stopped. */
const ABSENCE = /ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE|WebSocket connection to/;
const WAIT_MS = 10_000;
const TABS_MAX = 60;

export const DESKTOP = { width: 1180, height: 760 };
export const PHONE = { width: 360, height: 740 };

export class Stage {
  /** @type {string[]} */
  complaints = [];
  absent = false;
  /** What may be said now because the step provokes it. @type {RegExp | null} */
  expected = null;

  static async open() {
    if (!existsSync(CHROMIUM)) throw new Error('no Chromium: apt-get install -y chromium');
    await mkdir(SCREENS, { recursive: true });
    const stage = new Stage();
    stage.browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
    return stage;
  }

  /**
   * A person with a browser of their own.
   * @param {string} name
   * @param {string} url
   * @param {import('playwright-core').BrowserContextOptions} options
   */
  async person(name, url, options = {}) {
    const context = await this.browser.newContext({ viewport: DESKTOP, locale: 'en-GB', ...options });
    await context.addInitScript(() => {
      addEventListener('securitypolicyviolation', (event) => console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`));
    });
    const page = await context.newPage();
    page.setDefaultTimeout(WAIT_MS);
    const complain = (/** @type {string} */ text) => {
      if (!(this.absent && ABSENCE.test(text)) && !this.expected?.test(text)) this.complaints.push(`${name}: ${text}`);
    };
    page.on('console', (message) => ['error', 'warning'].includes(message.type()) && complain(`${message.text()} ${message.location().url}`));
    page.on('pageerror', (error) => complain(String(error.stack)));
    await page.goto(url);
    return new Person(name, page);
  }

  async close() {
    await this.browser?.close();
  }
}

export class Person {
  /** @param {string} name @param {import('playwright-core').Page} page */
  constructor(name, page) {
    this.name = name;
    this.page = page;
  }

  /** @param {string} text */
  async say(text) {
    const field = this.page.getByRole('textbox', { name: /^Write to/ });
    await field.fill(text);
    await field.press('Enter');
  }

  /** Waits until a message is there, and settled. @param {string} text */
  async sees(text) {
    await this.page.locator('.line:not(.sending):not(.waiting):not(.failed) .text').getByText(text, { exact: true }).waitFor();
  }

  /** The texts of the messages, in their order. */
  texts() {
    return this.page.locator('.line .text').allInnerTexts();
  }

  /** Presses Tab until something of that name has the focus. @param {RegExp} name */
  async tabTo(name) {
    for (let tabs = 0; tabs < TABS_MAX; tabs += 1) {
      await this.page.keyboard.press('Tab');
      if (name.test(await this.focused())) return;
    }
    throw new Error(`${this.name} does not reach ${name} by keyboard`);
  }

  /** What has the focus, by the name a screen reader says. */
  focused() {
    return this.page.evaluate(() => {
      const on = document.activeElement;
      if (!on || on === document.body) return '';
      const label = on.id ? document.querySelector(`label[for="${on.id}"]`) : null;
      return on.getAttribute('aria-label') ?? label?.textContent ?? on.textContent?.trim() ?? '';
    });
  }

  /** Whether the ring around what has the focus can be seen. */
  focusIsShown() {
    return this.page.evaluate(() => {
      const on = document.activeElement;
      if (!on) return false;
      const ring = (/** @type {Element} */ element) => {
        const style = getComputedStyle(element);
        return (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0) || style.boxShadow !== 'none';
      };
      return ring(on) || Boolean(on.parentElement && ring(on.parentElement));
    });
  }

  /** Nothing may stick out sideways. */
  overflow() {
    return this.page.evaluate(() => {
      const wide = document.documentElement.clientWidth;
      return [...document.querySelectorAll('body *')]
        .filter((element) => element.getBoundingClientRect().right > wide + 1 && !element.closest('.hidden, pre, .topic'))
        .map((element) => `${element.tagName}.${element.className}`);
    });
  }

  /** @param {string} name */
  async picture(name) {
    await this.page.screenshot({ path: `${SCREENS}${name}.png` });
  }
}
