//! What the door holds for its clients beside the queues of the hub: packets whose end has not come, bytes nobody reads,
//! publications nobody acknowledges, wills. All of it together has its part of the memory; where it is more, the one for
//! whom the most is held is hung up on.

use super::bell::{Bell, Ring};
use crate::base::limits::{MQTT_HEAVY_PART, MQTT_HELD_PART};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

/// The door's scales.
#[derive(Default)]
pub struct Scales {
    held: AtomicUsize,
    max: usize,
    /// Those for whom much is held. They are few: all of them together hold little more than the most there may be.
    heavy: Mutex<Vec<Heavy>>,
}

struct Heavy {
    bell: Arc<Bell>,
    bytes: usize,
    /// What came of them: a packet whose end is on its way, as a rule.
    came: usize,
    /// It was told to go.
    is_rung: bool,
}

impl Scales {
    /// Those of a node with so many bytes of memory.
    pub fn of(memory: u64) -> Arc<Self> {
        let max = usize::try_from(memory / MQTT_HELD_PART).unwrap_or(usize::MAX);
        Arc::new(Self { max, ..Self::default() })
    }

    fn heavy(&self) -> MutexGuard<'_, Vec<Heavy>> {
        self.heavy.lock().expect("no holder of this lock panics")
    }

    /// Tells the heaviest to go, until what is left is not too much: first by what they do not read or acknowledge. Whoever is
    /// in the middle of a packet goes only where that is all there is.
    fn relieve(&self, heavy: &mut [Heavy]) {
        let leaving: usize = heavy.iter().filter(|heavy| heavy.is_rung).map(|heavy| heavy.bytes).sum();
        let mut left = self.held.load(Ordering::Relaxed).saturating_sub(leaving);
        while left > self.max {
            let staying = heavy.iter_mut().filter(|heavy| !heavy.is_rung);
            let Some(heaviest) = staying.max_by_key(|heavy| (heavy.bytes - heavy.came, heavy.came)) else {
                return;
            };
            heaviest.is_rung = true;
            left = left.saturating_sub(heaviest.bytes);
            heaviest.bell.ring(Ring::TooHeavy);
        }
    }
}

/// What one session has on the scales; dropping it takes that off.
#[derive(Default)]
pub struct Load {
    scales: Arc<Scales>,
    bell: Arc<Bell>,
    bytes: usize,
    is_heavy: bool,
}

impl Load {
    /// Nothing yet; the bell tells its connection to go.
    pub fn on(scales: &Arc<Scales>, bell: &Arc<Bell>) -> Self {
        Self { scales: scales.clone(), bell: bell.clone(), bytes: 0, is_heavy: false }
    }

    /// So much it is now: what goes to the client, and what came of it.
    pub fn set(&mut self, sent: usize, came: usize) {
        let bytes = sent + came;
        let before = std::mem::replace(&mut self.bytes, bytes);
        if bytes == before {
            return;
        }
        let held = &self.scales.held;
        match bytes > before {
            true => held.fetch_add(bytes - before, Ordering::Relaxed),
            false => held.fetch_sub(before - bytes, Ordering::Relaxed),
        };
        let is_heavy = bytes > self.scales.max / MQTT_HEAVY_PART;
        if !is_heavy && !self.is_heavy {
            return;
        }
        let was_heavy = std::mem::replace(&mut self.is_heavy, is_heavy);
        let mut heavy = self.scales.heavy();
        let at = heavy.iter().position(|heavy| was_heavy && Arc::ptr_eq(&heavy.bell, &self.bell));
        match at {
            Some(at) if is_heavy => (heavy[at].bytes, heavy[at].came) = (bytes, came),
            Some(at) => drop(heavy.swap_remove(at)),
            None => heavy.push(Heavy { bell: self.bell.clone(), bytes, came, is_rung: false }),
        }
        if bytes > before {
            self.scales.relieve(&mut heavy);
        }
    }

    /// So much of it stays while nobody is connected, if there is room for that: nobody could be told to go.
    pub fn may_stay(&mut self, bytes: usize) -> bool {
        self.set(0, 0);
        let may = self.scales.held.load(Ordering::Relaxed) + bytes <= self.scales.max / 2;
        if may {
            self.bytes = bytes;
            self.scales.held.fetch_add(bytes, Ordering::Relaxed);
        }
        may
    }

    /// Its client is back, by a connection that this bell tells to go.
    pub fn is_back(&mut self, bell: &Arc<Bell>) {
        self.bell = bell.clone();
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.set(0, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::task::{Context, Poll, Waker};

    #[test]
    fn where_too_much_is_held_the_heaviest_goes() {
        let scales = Scales::of(MQTT_HELD_PART * 1_000);
        let bells: [Arc<Bell>; 3] = Default::default();
        let is_rung = |at: usize| bells[at].poll_rung(&Context::from_waker(Waker::noop())).is_ready();
        let mut loads = bells.each_ref().map(|bell| Load::on(&scales, bell));
        loads[0].set(250, 150);
        loads[1].set(500, 0);
        loads[2].set(0, 100);
        assert!(!is_rung(0) && !is_rung(1) && !is_rung(2));
        loads[2].set(0, 101);
        assert!(!is_rung(0) && is_rung(1) && !is_rung(2), "the one who holds the most");
        loads[2].set(0, 500);
        assert!(!is_rung(0) && !is_rung(2), "what is about to go is as good as gone");
        let [first, second, mut third] = loads;
        drop(second);
        third.set(0, 900);
        assert!(
            bells[0].poll_rung(&Context::from_waker(Waker::noop())).is_ready(),
            "who is sent to goes before who sends"
        );
        drop(third);
        assert_eq!(bells[2].poll_rung(&Context::from_waker(Waker::noop())), Poll::Pending);
        drop(first);
        assert_eq!((scales.held.load(Ordering::Relaxed), scales.heavy().len()), (0, 0));
    }

    #[test]
    fn what_stays_without_a_client_takes_no_more_than_half() {
        let scales = Scales::of(MQTT_HELD_PART * 1_000);
        let bell = Arc::new(Bell::default());
        let (mut first, mut second) = (Load::on(&scales, &bell), Load::on(&scales, &bell));
        first.set(900, 0);
        assert!(first.may_stay(400) && !second.may_stay(200));
        assert!(scales.heavy().is_empty(), "nobody is there to be told");
        drop((first, second));
        assert_eq!(scales.held.load(Ordering::Relaxed), 0);
    }
}
