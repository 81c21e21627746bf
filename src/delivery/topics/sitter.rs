//! One who listens to topics, behind the lock.

use super::queue::{Outcome, Queue};
use super::rights::Login;
use super::seat::{TopicDrained, TopicWho};
use super::sheet::{Ids, Parcel, Sheet};
use crate::base::id::{Seq, UserId};
use crate::chat::publication::{Qos, Subscription};
use crate::chat::topic::Filter;
use crate::delivery::rights::Ended;
use smol_str::SmolStr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::task::{Poll, Waker};

/// A subscription at its filter: all that is needed to put a publication into the queue.
#[derive(Clone)]
pub(super) struct Hearer {
    /// Whose.
    pub seat: u32,
    /// The number its publications are marked with.
    pub id: Option<NonZeroU32>,
    /// What is kept is heard after this place.
    pub after: Seq,
    pub qos: Qos,
    pub no_local: bool,
    pub retain_as_published: bool,
}

impl Hearer {
    pub fn of(seat: u32, subscription: &Subscription, after: Seq) -> Self {
        Self {
            seat,
            id: subscription.id.and_then(NonZeroU32::new),
            after,
            qos: subscription.qos,
            no_local: subscription.no_local,
            retain_as_published: subscription.retain_as_published,
        }
    }

    pub fn hears(&self, seq: Option<Seq>) -> bool {
        seq.is_none_or(|seq| seq > self.after)
    }

    pub fn parcel(&self, sheet: &Arc<Sheet>, group: Option<NonZeroU32>) -> Parcel {
        let publication = sheet.publication();
        Parcel {
            sheet: Arc::clone(sheet),
            qos: self.qos.min(publication.qos),
            retain: self.retain_as_published && publication.retain,
            ids: Ids::of(self.id),
            group,
        }
    }
}

/// A subscription at its seat.
pub(super) struct Held {
    pub filter: Filter,
    pub share: Option<SmolStr>,
    pub after: Seq,
    pub qos: Qos,
}

impl Held {
    pub fn is(&self, filter: &Filter, share: Option<&str>) -> bool {
        self.filter == *filter && self.share.as_deref() == share
    }
}

pub(super) struct Sitter {
    pub user: UserId,
    pub login: Login,
    pub client: SmolStr,
    pub is_persistent: bool,
    /// Where they were found good.
    pub after: Seq,
    /// Permits from before this place are not good any more.
    pub rights_since: Seq,
    pub held: Vec<Held>,
    pub queue: Queue,
    pub cut: Vec<(Filter, Option<SmolStr>)>,
    pub ended: Option<Ended>,
    is_end_told: bool,
    /// A group of this seat is behind.
    pub is_to_feed: bool,
    waker: Option<Waker>,
    /// The publication that was last put in, and what became of it.
    round: u64,
    outcome: Outcome,
}

impl Sitter {
    pub fn new(who: TopicWho, as_of: Seq) -> Self {
        Self {
            user: who.actor.user.id.clone(),
            login: Login::of(&who),
            client: who.client,
            is_persistent: who.is_persistent,
            after: as_of,
            rights_since: as_of,
            held: Vec::new(),
            queue: Queue::default(),
            cut: Vec::new(),
            ended: None,
            is_end_told: false,
            is_to_feed: false,
            waker: None,
            round: 0,
            outcome: Outcome::Waits,
        }
    }

    fn has_news(&self) -> bool {
        self.is_to_feed
            || self.queue.has_news()
            || !self.cut.is_empty()
            || (self.ended.is_some() && !self.is_end_told)
    }

    pub fn wake(&mut self, woken: &mut Vec<Waker>) {
        woken.extend(self.waker.take());
    }

    /// Ready when something waits; else the waker is kept. The old one is dropped by the caller, without the lock.
    pub fn poll_ready(&mut self, waker: &Waker) -> (Poll<()>, Option<Waker>) {
        if self.has_news() {
            return (Poll::Ready(()), None);
        }
        if self.waker.as_ref().is_some_and(|old| old.will_wake(waker)) {
            return (Poll::Pending, None);
        }
        (Poll::Pending, self.waker.replace(waker.clone()))
    }

    /// Puts a publication in for one of the subscriptions, or adds the subscription to what is in.
    pub fn hear(&mut self, hearer: &Hearer, sheet: &Arc<Sheet>, round: u64, woken: &mut Vec<Waker>) -> Heard {
        let parcel = hearer.parcel(sheet, None);
        if self.round == round {
            return self.hear_more(hearer, parcel);
        }
        self.round = round;
        self.outcome = self.queue.push(parcel);
        if self.outcome != Outcome::Missed {
            self.wake(woken);
        }
        Heard::First(self.outcome)
    }

    /// The same publication for another of the subscriptions.
    fn hear_more(&mut self, hearer: &Hearer, parcel: Parcel) -> Heard {
        match self.outcome {
            Outcome::Waits => {
                let last = self.queue.last_mut().expect("it was put in just now");
                last.qos = last.qos.max(parcel.qos);
                last.retain |= parcel.retain;
                last.ids.add(hearer.id);
            }
            Outcome::Missed if parcel.is_kept() => {
                self.queue.unmiss();
                self.outcome = Outcome::Behind;
                return Heard::Rescued;
            }
            Outcome::Missed | Outcome::Behind => {}
        }
        Heard::Again
    }

    pub fn drain(&mut self, max: usize, bytes_max: usize, relayed: Seq) -> TopicDrained {
        let parcels = self.queue.take(max, bytes_max);
        self.is_to_feed = false;
        let first_left = self.queue.first_kept();
        let is_end = self.queue.is_empty() && !self.is_end_told;
        let ended = self.ended.filter(|_| is_end);
        self.is_end_told |= ended.is_some();
        TopicDrained {
            parcels,
            missed: self.queue.take_missed(),
            behind: self.queue.take_behind(),
            upto: first_left.map_or(relayed, |first| Seq(first.0 - 1)),
            cut: std::mem::take(&mut self.cut),
            ended,
            group_behind: None,
            more: self.has_news(),
        }
    }
}

/// What came of putting a publication in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Heard {
    /// It is a new one.
    First(Outcome),
    /// It was counted before.
    Again,
    /// It was counted as missed, and is not.
    Rescued,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delivery::topics::places::{Leaf, Person};

    /// Five thousand devices that say nothing are a few megabytes.
    #[test]
    fn an_idle_seat_with_one_filter_takes_little() {
        let at_seat = size_of::<Option<Box<Sitter>>>() + size_of::<Sitter>() + size_of::<Held>();
        let at_filter = size_of::<(Filter, u32)>() + size_of::<Leaf>() + size_of::<Hearer>();
        let of_user = size_of::<(UserId, Person)>() + size_of::<u32>();
        let all = at_seat + at_filter + of_user;
        // Tables and lists may be half empty.
        assert!(2 * all < 1_400 && size_of::<Sitter>() < 320, "{at_seat} {at_filter} {of_user}");
        assert!(size_of::<Parcel>() <= 32, "a burst is a thousand of them");
    }
}
