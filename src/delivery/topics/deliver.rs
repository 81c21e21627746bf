//! How one publication comes to all who hear it, and to one of those who share.

use super::groups::rouse;
use super::places::{Person, Places, Taken, sitter_at};
use super::queue::Outcome;
use super::seat::Reached;
use super::sheet::{Parcel, Sheet};
use super::sitter::{Heard, Hearer, Sitter};
use crate::base::id::{Seq, UserId};
use crate::chat::change::What;
use crate::chat::policy;
use crate::chat::publication::{Publication, Qos, Subscription};
use crate::chat::question;
use crate::chat::topic::Topic;
use crate::delivery::tail::Tail;
use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Waker;

impl Places {
    /// Puts a publication into the queues of all who hear it.
    pub fn deliver(
        &mut self,
        seq: Option<Seq>,
        publication: &Arc<Publication>,
        arrived_ms: u64,
        woken: &mut Vec<Waker>,
    ) -> Reached {
        let mut found = std::mem::take(&mut self.found);
        self.tree.matching(&publication.topic, &mut found);
        let mut reached = Reached::default();
        if !found.is_empty() {
            self.relieve();
            let sheet = Sheet::new(seq, Arc::clone(publication), signed(arrived_ms), &self.meter);
            self.round += 1;
            for leaf in &found {
                self.deliver_to_all(*leaf, &sheet, &mut reached, woken);
            }
            // Behind the others: what one hears for itself is told apart from what it shares.
            for leaf in &found {
                self.deliver_to_groups(*leaf, &sheet, &mut reached, woken);
            }
        }
        found.clear();
        self.found = found;
        reached
    }

    fn deliver_to_all(
        &mut self,
        leaf: u32,
        sheet: &Arc<Sheet>,
        reached: &mut Reached,
        woken: &mut Vec<Waker>,
    ) {
        let (seq, client) = (sheet.seq(), &sheet.publication().client);
        let topic = &sheet.publication().topic;
        let is_between = question::is_between(topic.as_str());
        for hearer in &self.tree.leaf(leaf).hearers {
            let sitter = sitter_at(&mut self.seats, hearer.seat);
            if !hearer.hears(seq) || (hearer.no_local && sitter.client == *client) {
                continue;
            }
            if is_between && !may_hear(&self.people, &sitter.user, topic) {
                continue;
            }
            match sitter.hear(hearer, sheet, self.round, woken) {
                Heard::First(Outcome::Waits) => {
                    reached.seats += 1;
                    self.delivered += 1;
                }
                Heard::First(Outcome::Missed) => self.dropped += 1,
                Heard::Rescued => self.dropped -= 1,
                Heard::First(Outcome::Behind) | Heard::Again => {}
            }
        }
    }

    fn deliver_to_groups(
        &mut self,
        leaf: u32,
        sheet: &Arc<Sheet>,
        reached: &mut Reached,
        woken: &mut Vec<Waker>,
    ) {
        let kept = sheet.seq().filter(|_| sheet.publication().qos != Qos::Most);
        let topic = &sheet.publication().topic;
        let is_between = question::is_between(topic.as_str());
        for group in &mut self.tree.leaf_mut(leaf).groups {
            let (seats, people) = (&mut self.seats, &self.people);
            let mut members = group.members.iter();
            // Whoever is in a group gets what any of it gets.
            if is_between && !members.all(|one| may_hear(people, &sitter_at(seats, one.seat).user, topic)) {
                continue;
            }
            let mut debt = group.debt.as_mut().zip(kept);
            if debt.as_ref().is_some_and(|(debt, _)| debt.behind().is_some()) {
                // It is read from the store, behind what came before it.
                continue;
            }
            let Some(at) = pick(&group.members, group.next, sheet, &mut self.seats, None) else {
                if let Some((debt, seq)) = &mut debt {
                    debt.wait(*seq);
                    rouse(group, &mut self.seats, woken);
                } else if let Some(next) = group.next.checked_rem(group.members.len()) {
                    sitter_at(&mut self.seats, group.members[next].seat).queue.miss();
                    self.dropped += 1;
                }
                continue;
            };
            group.next = at + 1;
            let hearer = &group.members[at];
            let is_sure = put_shared(hearer, sheet, group.number, &mut self.seats, woken);
            if let Some((debt, seq)) = debt.filter(|_| is_sure) {
                debt.hand_out(seq);
            }
            reached.seats += 1;
            self.delivered += 1;
        }
    }

    /// What a new subscription hears of what was relayed after it was made, as far as no other one brought it.
    pub(super) fn replay(
        &mut self,
        id: u32,
        subscription: &Subscription,
        as_of: Seq,
        tail: &Tail,
        woken: &mut Vec<Waker>,
    ) {
        let hearer = Hearer::of(id, subscription, as_of);
        for entry in tail.after(as_of).take_while(|entry| entry.seq() <= tail.topics_relayed()) {
            let What::Published { publication, .. } = &entry.change.what else { continue };
            let sitter = sitter_at(&mut self.seats, id);
            let is_own = hearer.no_local && publication.client == sitter.client;
            if is_own
                || !may_hear(&self.people, &sitter.user, &publication.topic)
                || !subscription.filter.matches(&publication.topic)
                || was_heard(sitter, entry.seq(), publication, subscription)
            {
                continue;
            }
            let arrived_ms = entry.change.origin.moment.mono_ms;
            let sheet =
                Sheet::new(Some(entry.seq()), Arc::clone(publication), signed(arrived_ms), &self.meter);
            self.round += 1;
            match sitter.hear(&hearer, &sheet, self.round, woken) {
                Heard::First(Outcome::Waits) => self.delivered += 1,
                Heard::First(Outcome::Missed) => self.dropped += 1,
                _ => {}
            }
        }
    }

    /// Takes from those who hold more than a fair share when too much waits in all.
    pub(super) fn relieve(&mut self) {
        let held = self.meter.load(Ordering::Relaxed);
        if held < self.relieve_at {
            if held < self.waiting_max / 2 {
                self.relieve_at = self.waiting_max;
            }
            return;
        }
        let fair = self.waiting_max / self.count().max(1);
        let mut shared = Vec::new();
        for sitter in self.seats.iter_mut().flatten() {
            if sitter.queue.bytes() > fair {
                shared.extend(sitter.queue.take_shared(Parcel::is_shared));
                self.dropped += sitter.queue.shed();
            }
        }
        for parcel in shared {
            let is_lost = !self.lay_back(&parcel, &mut Vec::new());
            self.dropped += u64::from(is_lost);
        }
        // What is left is held elsewhere: it is not looked again for each publication.
        let left = self.meter.load(Ordering::Relaxed);
        self.relieve_at = self.waiting_max.max(left + self.waiting_max / 8);
    }
}

/// Milliseconds of this start.
fn signed(ms: u64) -> i64 {
    i64::try_from(ms).unwrap_or(i64::MAX)
}

/// Whether a right of this user reaches this topic: one to a filter with wildcards may stop before it.
fn may_hear(people: &HashMap<UserId, Person>, user: &UserId, topic: &Topic) -> bool {
    let is_between = question::is_between(topic.as_str());
    !is_between || people.get(user).is_some_and(|person| policy::may_hear(&person.actor, topic))
}

/// Whether another subscription of this seat has brought it.
fn was_heard(sitter: &Sitter, seq: Seq, publication: &Publication, new: &Subscription) -> bool {
    sitter.held.iter().any(|held| {
        let is_other = held.share.is_none() && held.filter != new.filter;
        is_other && seq > held.after && held.filter.matches(&publication.topic)
    })
}

/// The next of a group that has room, beginning with whose turn it is.
pub(super) fn pick(
    members: &[Hearer],
    next: usize,
    sheet: &Sheet,
    seats: &mut [Taken],
    but_not: Option<u32>,
) -> Option<usize> {
    let turns = (0..members.len()).map(|turn| (next + turn) % members.len());
    let mut able = turns.filter(|at| Some(members[*at].seat) != but_not);
    able.find(|at| sitter_at(seats, members[*at].seat).queue.has_room(sheet.weight()))
}

/// Puts a publication in for one of a group; whether it is to be acknowledged.
pub(super) fn put_shared(
    hearer: &Hearer,
    sheet: &Arc<Sheet>,
    group: NonZeroU32,
    seats: &mut [Taken],
    woken: &mut Vec<Waker>,
) -> bool {
    let sitter = sitter_at(seats, hearer.seat);
    let parcel = hearer.parcel(sheet, Some(group));
    let is_sure = parcel.kept_at().is_some();
    let outcome = sitter.queue.push(parcel);
    debug_assert_eq!(outcome, Outcome::Waits, "only those with room are picked");
    sitter.wake(woken);
    is_sure
}
