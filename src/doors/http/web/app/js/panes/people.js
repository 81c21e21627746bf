// Who is in the open room.

import { state } from '../store.js';
import { asChoice, members } from './persons.js';
import { picker } from './picker.js';
import { writeTo } from './write.js';

export function people() {
  const load = async () =>
    (await members()).map((user) => {
      const mine = user._id === state.hello?.me?.id;
      return asChoice(user, () => writeTo(user), mine ? 'you' : '');
    });
  const where = state.open?.kind === 'd' ? 'People here' : `People in #${state.open?.label}`;
  return { title: where, content: picker({ load, search: 'Find a person', none: 'Nobody here has such a name.' }) };
}
