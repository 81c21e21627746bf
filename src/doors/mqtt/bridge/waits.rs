//! How long a bridge waits before it tries again: longer each time, never quite as long as its neighbour.

use crate::base::limits::{BRIDGE_WAIT_FIRST_MS, BRIDGE_WAIT_MAX_MS};
use crate::node::NodeHandle;
use std::time::Duration;
use tokio::time::Instant;

/// The waits of one bridge.
pub(super) struct Waits {
    node: NodeHandle,
    wait_ms: u64,
    began: Option<Instant>,
}

impl Waits {
    pub fn new(node: NodeHandle) -> Self {
        Self { node, wait_ms: BRIDGE_WAIT_FIRST_MS, began: None }
    }

    /// An attempt begins.
    pub fn began(&mut self) {
        self.began = Some(Instant::now());
    }

    /// How long to wait after this attempt. One that lasted was a good one: the next wait is short again.
    pub fn next(&mut self) -> Duration {
        let lasted = self.began.take().is_some_and(|began| began.elapsed().as_millis() as u64 >= LASTED_MS);
        if lasted {
            self.wait_ms = BRIDGE_WAIT_FIRST_MS;
        }
        let wait_ms = self.wait_ms;
        self.wait_ms = (wait_ms * 2).min(BRIDGE_WAIT_MAX_MS);
        with_jitter(wait_ms, self.chance())
    }

    fn chance(&self) -> u8 {
        let mut byte = [0];
        let filled = self.node.read(|reading| {
            reading.world().fill(&mut byte);
            Ok(())
        });
        filled.map_or(0, |()| byte[0])
    }
}

/// A connection that lasted this long was not turned away by another client of the same id, nor by a broker that falls
/// over its own session.
const LASTED_MS: u64 = 2 * BRIDGE_WAIT_MAX_MS;

/// Up to a quarter less, so that bridges that lost one broker do not come back in step.
fn with_jitter(wait_ms: u64, chance: u8) -> Duration {
    Duration::from_millis(wait_ms - wait_ms * u64::from(chance) / 1_024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jitter_takes_at_most_a_quarter() {
        assert_eq!(with_jitter(1_000, 0), Duration::from_millis(1_000));
        assert_eq!(with_jitter(1_000, 255), Duration::from_millis(751));
    }
}
