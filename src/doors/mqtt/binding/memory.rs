//! What bindings said last of each topic, and what is withheld until its time comes.
//!
//! At most [`BIND_TOPICS_MAX`] topics are kept in mind, in two halves: when the younger half is full the older one is
//! forgotten, so a topic is known at least until half as many others have said something since. Then its next value is
//! said like a first one. At most [`BIND_WAITING_MAX`] withheld messages wait for their time; one that finds no place is not said
//! later.

use super::{Binding, Why, shown};
use crate::base::limits::{BIND_TOPICS_MAX, BIND_WAITING_MAX};
use crate::node::Caller;
use smol_str::SmolStr;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use tokio::time::Instant;

/// Which binding, and which topic.
pub type Key = (u16, SmolStr);

/// What was said of a topic.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Mark {
    /// As a number, when it is one.
    number: Option<f64>,
    /// The value's hash.
    hash: u64,
}

/// What a binding has to say.
#[derive(Clone, Debug)]
pub struct Word {
    /// For the room.
    pub text: String,
    /// Of what.
    pub key: Key,
    mark: Mark,
}

/// What becomes of a publication.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// A message.
    Said(Word),
    /// Nothing now.
    Withheld(Why),
}

/// What waits for its time.
#[derive(Debug)]
pub(super) struct Waiting {
    due: Instant,
    word: Word,
    by: Option<Caller>,
}

/// What bindings know of topics.
#[derive(Default, Debug)]
pub struct Memory {
    pub(super) young: HashMap<Key, (Mark, Instant)>,
    pub(super) old: HashMap<Key, (Mark, Instant)>,
    pub(super) waiting: Vec<Waiting>,
}

impl Memory {
    /// What the binding of this number makes of a publication. What it says is noted by [`said`](Self::said), once it is
    /// on its way; what it withholds for a while is kept here, with who said it.
    pub fn judge(
        &mut self,
        (number, binding): (u16, &Binding),
        (topic, payload): (&str, &[u8]),
        now: Instant,
        by: Option<&Caller>,
    ) -> Verdict {
        let payload = shown(payload);
        let report = binding.report(topic, &payload);
        let key: Key = (number, topic.into());
        let Some(value) = report.value.as_deref() else { return Verdict::Withheld(Why::NoValue) };
        let mark = Mark::of(value);
        if binding.counts() && mark.number.is_none() {
            return Verdict::Withheld(Why::NoNumber);
        }
        if mark.number.is_some_and(|value| !within(binding, value)) {
            // When it is back within them, that is news.
            self.unsay(&key);
            return Verdict::Withheld(Why::OutOfBounds);
        }
        let said = if binding.remembers() { self.known(&key) } else { None };
        let is_same = said.is_some_and(|(said, _)| said.hash == mark.hash);
        if said.is_some_and(|(said, _)| is_unchanged(binding, said, mark)) {
            self.waits_no_more(&key);
            return Verdict::Withheld(Why::Unchanged);
        }
        let due = said.zip(binding.every).map(|((_, at), every)| at + every).filter(|due| *due > now);
        let word = |key| Word { text: binding.text.render(&report), key, mark };
        let Some(due) = due else { return Verdict::Said(word(key)) };
        self.waits_no_more(&key);
        if !is_same && self.waiting.len() < BIND_WAITING_MAX {
            self.waiting.push(Waiting { due, word: word(key), by: by.cloned() });
        }
        Verdict::Withheld(Why::TooSoon)
    }

    /// Notes what is on its way to the room.
    pub fn said(&mut self, word: &Word, now: Instant) {
        self.waits_no_more(&word.key);
        self.old.remove(&word.key);
        if self.young.len() >= BIND_TOPICS_MAX / 2 && !self.young.contains_key(&word.key) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(word.key.clone(), (word.mark, now));
    }

    /// It was not said after all, or is no more what it was.
    pub fn forget(&mut self, key: &Key) {
        self.waits_no_more(key);
        self.young.remove(key);
        self.old.remove(key);
    }

    /// What was said holds no longer; when it was said still counts.
    fn unsay(&mut self, key: &Key) {
        self.waits_no_more(key);
        for half in [&mut self.young, &mut self.old] {
            if let Some((mark, _)) = half.get_mut(key) {
                *mark = Mark::default();
            }
        }
    }

    /// When something withheld is to be said.
    pub fn due(&self) -> Option<Instant> {
        self.waiting.iter().map(|waiting| waiting.due).min()
    }

    /// Something withheld whose time has come; who said it.
    pub fn take_due(&mut self, now: Instant) -> Option<(Word, Option<Caller>)> {
        let at = self.waiting.iter().position(|waiting| waiting.due <= now)?;
        let waiting = self.waiting.remove(at);
        self.said(&waiting.word, now);
        Some((waiting.word, waiting.by))
    }

    fn known(&self, key: &Key) -> Option<(Mark, Instant)> {
        self.young.get(key).or_else(|| self.old.get(key)).copied()
    }

    fn waits_no_more(&mut self, key: &Key) {
        self.waiting.retain(|waiting| waiting.word.key != *key);
    }
}

impl Mark {
    fn of(value: &str) -> Self {
        let mut hasher = DefaultHasher::new();
        value.hash(&mut hasher);
        let number = value.parse().ok().filter(|number: &f64| number.is_finite());
        Mark { number, hash: hasher.finish() }
    }
}

fn within(binding: &Binding, value: f64) -> bool {
    binding.above.is_none_or(|above| value > above) && binding.below.is_none_or(|below| value < below)
}

fn is_unchanged(binding: &Binding, said: Mark, now: Mark) -> bool {
    if binding.on_change && said.hash == now.hash {
        return true;
    }
    let (Some(deadband), Some(before), Some(value)) = (binding.deadband, said.number, now.number) else {
        return false;
    };
    !deadband.lets(before, value)
}
