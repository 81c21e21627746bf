// Where one writes: Enter says it, Shift+Enter begins a line, Arrow Up in the empty field changes the last thing said.

import { post, wordsOf } from '../api.js';
import { edit } from '../deeds.js';
import { el } from '../el.js';
import { icon } from '../icons.js';
import { Part } from '../part.js';
import { say } from '../outbox.js';
import { catchUp } from '../talk.js';
import { loadRooms } from '../rooms.js';
import { isAdmin } from '../session.js';
import { set, state } from '../store.js';
import { tellTyping } from '../typing.js';

/** What was being written in each room. @type {Map<string, string>} */
const drafts = new Map();
const TEXT_CHARS_MAX = 5_000;

class Composer extends Part {
  #field = el('textarea', { rows: '1', maxlength: TEXT_CHARS_MAX, enterkeyhint: 'send', 'aria-describedby': 'composer-note' });
  #note = el('p', { class: 'note', id: 'composer-note', role: 'status' });
  #send = el('button', { type: 'submit', class: 'send', 'aria-label': 'Send', title: 'Send' }, icon('send'));
  #form = el('form', { class: 'compose' }, this.#field, this.#send);
  #join = el('button', { type: 'button', class: 'button strong' }, 'Join the room');
  #rid = state.open?.rid ?? '';

  build() {
    this.append(this.#note, this.#form, this.#join);
    this.#field.value = drafts.get(this.#rid) ?? '';
    // On a phone the keyboard would cover what one came to read.
    if (matchMedia('(pointer: fine)').matches && !state.route.pane) this.#field.focus();
  }

  begin() {
    this.listen(this.#form, 'submit', (event) => (event.preventDefault(), this.#done()));
    this.listen(this.#field, 'keydown', (event) => this.#onKey(event));
    this.listen(this.#field, 'input', () => this.#onInput());
    this.listen(this.#join, 'click', () => this.#joinRoom());
    this.watch(['open'], () => this.#draw());
    this.watch(['editing'], () => this.#drawEditing());
  }

  #draw() {
    const room = state.open;
    if (!room) return;
    const keeper = isAdmin() || room.roles.some((role) => role === 'owner' || role === 'moderator');
    const closed = room.readOnly && !keeper;
    this.#form.hidden = !room.joined || closed;
    this.#join.hidden = room.joined;
    if (room.joined && closed) this.#note.textContent = 'Only those who keep this room write here.';
    const where = room.kind === 'd' ? room.label : `#${room.label}`;
    this.#field.placeholder = `Write to ${where}`;
    this.#field.setAttribute('aria-label', `Write to ${where}`);
    this.#fit();
  }

  #drawEditing() {
    const { editing } = state;
    this.classList.toggle('editing', Boolean(editing));
    if (editing) {
      this.#field.value = editing.text;
      this.#note.textContent = 'Changing what you said. Escape leaves it as it was.';
      this.#field.focus();
    } else if (this.#note.textContent?.startsWith('Changing')) this.#note.textContent = '';
    this.#fit();
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    if (event.isComposing) return;
    if (event.key === 'Enter' && !event.shiftKey) {
      event.preventDefault();
      this.#done();
    } else if (event.key === 'Escape' && state.editing) {
      event.preventDefault();
      this.#stopEditing();
    } else if (event.key === 'ArrowUp' && !this.#field.value) {
      const mine = state.lines.findLast((line) => line.author.id === state.hello?.me?.id && !line.kind && !line.state);
      if (!mine) return;
      event.preventDefault();
      set({ editing: mine });
    }
  }

  #onInput() {
    if (!state.editing) {
      drafts.set(this.#rid, this.#field.value);
      tellTyping(this.#field.value !== '');
    }
    this.#fit();
  }

  /** Where the browser does not size the field by what is in it, the lines are counted. */
  #fit() {
    if (!CSS.supports('field-sizing', 'content')) this.#field.rows = Math.min(8, this.#field.value.split('\n').length);
  }

  async #done() {
    const text = this.#field.value.trim();
    const { editing, open } = state;
    if (!text || !open) return;
    this.#field.focus();
    if (!editing) {
      this.#clear();
      tellTyping(false);
      return say(open.rid, text);
    }
    try {
      if (text !== editing.text) await edit(editing, text);
      this.#stopEditing();
    } catch (error) {
      this.#note.textContent = wordsOf(error);
    }
  }

  #stopEditing() {
    this.#clear();
    set({ editing: null });
  }

  #clear() {
    this.#field.value = '';
    drafts.delete(this.#rid);
    this.#fit();
  }

  async #joinRoom() {
    try {
      await post('v1/channels.join', { roomId: this.#rid });
      await loadRooms();
      await catchUp();
      this.#field.focus();
    } catch (error) {
      this.#note.textContent = wordsOf(error);
    }
  }
}

customElements.define('linnet-composer', Composer);
