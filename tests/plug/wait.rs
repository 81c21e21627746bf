//! Real time: limits of waiting, and pauses that a word ends. Nothing here waits for time alone.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Now, on a clock that never runs backwards.
#[allow(clippy::disallowed_methods, reason = "the rig measures real starts; the World's clock is the node's")]
pub fn now() -> Instant {
    Instant::now()
}

/// The longest that anything is waited for here.
pub const PATIENCE: Duration = Duration::from_secs(30);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(5);

/// A word that ends pauses.
#[derive(Default)]
pub struct Stop {
    said: Mutex<bool>,
    heard: Condvar,
}

impl Stop {
    /// Says it.
    pub fn say(&self) {
        *self.said.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.heard.notify_all();
    }

    /// Whether it was said.
    pub fn is_said(&self) -> bool {
        *self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the word at most so long. Whether it was said.
    pub fn within(&self, time: Duration) -> bool {
        let said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.heard.wait_timeout_while(said, time, |said| !*said);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

/// Looks until it holds, at most as long as there is patience. Whether it does.
pub fn until(holds: impl FnMut() -> bool) -> bool {
    until_within(PATIENCE, holds)
}

/// Looks until it holds, at most so long. Whether it does.
pub fn until_within(limit: Duration, mut holds: impl FnMut() -> bool) -> bool {
    let (began, never) = (now(), Stop::default());
    loop {
        if holds() {
            return true;
        }
        if began.elapsed() > limit {
            return false;
        }
        never.within(LOOK);
    }
}
