//! What the door holds for its clients beside the queues of the hub: packets whose end has not come, bytes nobody reads,
//! publications nobody acknowledges, wills. All of it together has its part of the memory.

use crate::base::limits::MQTT_HELD_PART;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The door's scales.
#[derive(Debug)]
pub struct Scales {
    held: AtomicUsize,
    max: usize,
}

impl Scales {
    /// Those of a node with so many bytes of memory.
    pub fn of(memory: u64) -> Arc<Self> {
        let max = usize::try_from(memory / MQTT_HELD_PART).unwrap_or(usize::MAX);
        Arc::new(Self { held: AtomicUsize::new(0), max })
    }
}

/// What one session has on the scales; dropping it takes that off.
#[derive(Debug, Default)]
pub struct Load {
    scales: Option<Arc<Scales>>,
    bytes: usize,
}

impl Load {
    /// Nothing yet.
    pub fn on(scales: &Arc<Scales>) -> Self {
        Self { scales: Some(scales.clone()), bytes: 0 }
    }

    /// So much it is now. Whether that is fair: where too much is held in all, nobody may have more than others.
    pub fn is_fair(&mut self, bytes: usize, clients: usize) -> bool {
        let Some(scales) = &self.scales else { return true };
        let before = std::mem::replace(&mut self.bytes, bytes);
        if bytes <= before {
            if bytes < before {
                scales.held.fetch_sub(before - bytes, Ordering::Relaxed);
            }
            return true;
        }
        let held = scales.held.fetch_add(bytes - before, Ordering::Relaxed) + bytes - before;
        held <= scales.max || bytes <= scales.max / clients.max(1)
    }

    /// Whether it may stay while nobody is connected: only while there is room for all.
    pub fn may_stay(&self) -> bool {
        let is_light = |scales: &Arc<Scales>| scales.held.load(Ordering::Relaxed) <= scales.max;
        self.scales.as_ref().is_none_or(is_light)
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        if let Some(scales) = &self.scales {
            scales.held.fetch_sub(self.bytes, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_too_much_is_held_nobody_may_have_more_than_a_fair_share() {
        let scales = Scales::of(MQTT_HELD_PART * 1_000);
        let (mut large, mut small) = (Load::on(&scales), Load::on(&scales));
        assert!(large.is_fair(900, 2) && large.may_stay());
        assert!(small.is_fair(200, 2), "it is no more than half");
        assert!(!large.may_stay());
        assert!(!large.is_fair(901, 2));
        assert!(large.is_fair(700, 2), "it became less");
        drop(large);
        assert!(small.is_fair(1_000, 2) && small.may_stay());
        drop(small);
        assert_eq!(scales.held.load(Ordering::Relaxed), 0);
    }
}
