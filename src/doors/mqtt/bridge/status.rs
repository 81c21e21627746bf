//! How a bridge is, for `linnet status`: connected or not, what went wrong last, what it brought.

use super::rule::BridgeRule;
use std::sync::{Mutex, MutexGuard};

/// What a bridge says of itself; shared with whoever asks.
pub struct Status {
    name: String,
    broker: String,
    now: Mutex<Now>,
}

#[derive(Default)]
struct Now {
    connected: bool,
    error: Option<String>,
    posted: u64,
    sent: u64,
    dropped: u64,
}

/// How a bridge is at a moment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Report {
    /// The bridge's name.
    pub name: String,
    /// Host and port of its broker.
    pub broker: String,
    /// Whether the broker has granted the subscription and the connection stands.
    pub connected: bool,
    /// What ended the last connection or attempt, while there is no connection.
    pub error: Option<String>,
    /// Messages posted since the start.
    pub posted: u64,
    /// Messages since the start that the broker has acknowledged.
    pub sent: u64,
    /// What the room or the broker would not take since the start, and was passed over.
    pub dropped: u64,
}

impl Status {
    /// The status of a bridge that has not begun.
    pub fn new(rule: &BridgeRule) -> Self {
        Self { name: rule.name.clone(), broker: rule.broker.place(), now: Mutex::default() }
    }

    /// How the bridge is.
    pub fn report(&self) -> Report {
        let now = self.lock();
        Report {
            name: self.name.clone(),
            broker: self.broker.clone(),
            connected: now.connected,
            error: now.error.clone(),
            posted: now.posted,
            sent: now.sent,
            dropped: now.dropped,
        }
    }

    pub(super) fn connected(&self) {
        let mut now = self.lock();
        now.connected = true;
        now.error = None;
    }

    /// Says whether this is news.
    pub(super) fn failed(&self, words: &str) -> bool {
        let mut now = self.lock();
        now.connected = false;
        let is_news = now.error.as_deref() != Some(words);
        now.error = Some(words.to_owned());
        is_news
    }

    pub(super) fn left(&self) {
        self.lock().connected = false;
    }

    pub(super) fn posted(&self) {
        self.lock().posted += 1;
    }

    pub(super) fn sent(&self) {
        self.lock().sent += 1;
    }

    pub(super) fn dropped(&self) {
        self.lock().dropped += 1;
    }

    fn lock(&self) -> MutexGuard<'_, Now> {
        self.now.lock().expect("no holder of this lock panics")
    }
}
