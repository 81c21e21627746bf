//! What a group that shares a subscription owes to itself: what was kept for it and nobody has acknowledged.
//!
//! Nothing of it is lost while a session that outlives its connection is in the group: what one of them was handed and
//! did not acknowledge is given back, and what nobody is there to take is read from the store by whoever comes first.

use crate::base::id::Seq;
use crate::base::limits::{TOPIC_GIVEN_BACK_MAX, TOPIC_GROUP_MOVES_EVERY};
use std::collections::BTreeSet;

/// The books of one group.
pub(super) struct Debt {
    /// Everything kept up to here was handed out; what came back since stands in `back`.
    told: Seq,
    /// What is kept after here has to be read from the store; nothing when it comes as it is published.
    behind: Option<Seq>,
    /// Handed to somebody who is here, and not acknowledged.
    out: BTreeSet<Seq>,
    /// Given back, and handed to nobody since.
    back: BTreeSet<Seq>,
    /// Acknowledgements since the store was told.
    acks: u32,
}

impl Debt {
    /// Of a group that begins here.
    pub fn new(place: Seq) -> Self {
        Self { told: place, behind: None, out: BTreeSet::new(), back: BTreeSet::new(), acks: 0 }
    }

    /// Of a group that has heard everything up to here, and may have missed what came since.
    pub fn since(place: Seq) -> Self {
        Self { behind: Some(place), ..Self::new(place) }
    }

    /// The place after which the store has to be read.
    pub fn behind(&self) -> Option<Seq> {
        self.behind
    }

    /// Whether what is kept at this place has to be handed to somebody.
    pub fn wants(&self, seq: Seq) -> bool {
        seq > self.told || self.back.contains(&seq)
    }

    /// Somebody was handed it.
    pub fn hand_out(&mut self, seq: Seq) {
        self.back.remove(&seq);
        self.out.insert(seq);
        self.told = self.told.max(seq);
    }

    /// Nobody could take what is kept at this place.
    pub fn wait(&mut self, seq: Seq) {
        let before = Seq(seq.0.saturating_sub(1));
        self.behind = Some(self.behind.map_or(before, |behind| behind.min(before)));
    }

    /// Whoever was handed it does not acknowledge it.
    pub fn give_back(&mut self, seq: Seq) {
        if self.out.remove(&seq) {
            self.back.insert(seq);
            self.wait(seq);
        }
        if self.back.len() > TOPIC_GIVEN_BACK_MAX {
            // All of it is told again rather than remembered one by one.
            self.told = self.behind.unwrap_or(self.told).min(self.told);
            self.back.clear();
        }
    }

    /// Whoever gave it back when they went takes it again; whether it was still there.
    pub fn reclaim(&mut self, seq: Seq) -> bool {
        let is_there = self.back.remove(&seq);
        if is_there {
            self.out.insert(seq);
        }
        if self.back.is_empty() {
            // What came before was handed out once, and is not read again.
            self.behind = self.behind.map(|behind| behind.max(self.told));
        }
        is_there
    }

    /// The store was read up to here; `relayed` is the newest place there is.
    pub fn read(&mut self, upto: Seq, relayed: Seq) {
        self.told = self.told.max(upto);
        self.behind = Some(upto).filter(|upto| *upto < relayed);
    }

    /// It was acknowledged. Whether the store should be told how far the group is.
    pub fn take(&mut self, seq: Seq) -> bool {
        self.out.remove(&seq);
        self.acks += 1;
        let is_due = self.acks >= TOPIC_GROUP_MOVES_EVERY;
        if is_due {
            self.acks = 0;
        }
        is_due
    }

    /// The place up to which nothing has to be told again.
    pub fn heard(&self, relayed: Seq) -> Seq {
        let first = self.out.first().into_iter().chain(self.back.first()).min();
        let before = first.map(|first| Seq(first.0.saturating_sub(1)));
        let unread = self.behind.map(|behind| behind.max(self.told));
        before.into_iter().chain(unread).min().unwrap_or(relayed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_out_or_came_back_has_not_been_heard() {
        let mut debt = Debt::new(Seq(10));
        assert_eq!((debt.heard(Seq(20)), debt.behind()), (Seq(20), None));
        [12, 14, 16].into_iter().for_each(|seq| debt.hand_out(Seq(seq)));
        debt.take(Seq(12));
        assert_eq!(debt.heard(Seq(20)), Seq(13));
        debt.give_back(Seq(16));
        assert_eq!((debt.heard(Seq(20)), debt.behind()), (Seq(13), Some(Seq(15))));
        debt.wait(Seq(21));
        let wanted: Vec<u64> = (11..=22).filter(|seq| debt.wants(Seq(*seq))).collect();
        assert_eq!(wanted, [16, 17, 18, 19, 20, 21, 22]);
        debt.read(Seq(16), Seq(21));
        assert!(debt.reclaim(Seq(16)) && !debt.reclaim(Seq(16)) && !debt.wants(Seq(16)));
        debt.hand_out(Seq(21));
        debt.read(Seq(21), Seq(21));
        assert_eq!((debt.heard(Seq(21)), debt.behind()), (Seq(13), None));
        [14, 16, 21].into_iter().for_each(|seq| assert!(!debt.take(Seq(seq))));
        assert_eq!(debt.heard(Seq(21)), Seq(21));
    }

    #[test]
    fn too_much_that_came_back_is_told_anew() {
        let mut debt = Debt::new(Seq(0));
        let many = TOPIC_GIVEN_BACK_MAX as u64 + 1;
        (1..=many).for_each(|seq| debt.hand_out(Seq(seq)));
        (1..=many).for_each(|seq| debt.give_back(Seq(seq)));
        assert!(debt.back.is_empty() && (1..=many).all(|seq| debt.wants(Seq(seq))));
        assert_eq!(debt.heard(Seq(many)), Seq(0));
    }
}
