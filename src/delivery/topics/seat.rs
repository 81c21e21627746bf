//! What a door holds for one session of topics: it subscribes, publishes, waits, and takes what is there.

use super::sheet::Parcel;
use crate::base::id::Seq;
use crate::chat::change::Change;
use crate::chat::policy::{Actor, MayPublish, MaySubscribe};
use crate::chat::publication::{Publication, Subscription};
use crate::chat::token::TokenHash;
use crate::chat::topic::Filter;
use crate::delivery::hub::Hub;
use crate::delivery::listener::Refused;
use crate::delivery::rights::Ended;
use smol_str::SmolStr;
use std::future::poll_fn;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::task::{Context, Poll};

/// Who listens to topics, as they were found when they came.
#[derive(Clone, Debug)]
pub struct TopicWho {
    /// The user, and the device they are.
    pub actor: Actor,
    /// The token they showed, if they did: its end ends the listening.
    pub token: Option<TokenHash>,
    /// Whether a certificate logged them in: their device's right to that ends with it.
    pub by_certificate: bool,
    /// The client's own id.
    pub client: SmolStr,
    /// Whether its session outlives the connection: what it hears must be kept.
    pub is_persistent: bool,
}

/// What one drain gave.
#[derive(Clone, Debug, Default)]
pub struct TopicDrained {
    /// What was published, in order.
    pub parcels: Vec<Parcel>,
    /// How many were lost since the last drain.
    pub missed: u64,
    /// Too far behind: what is kept has to be read from the store, up to `upto`.
    pub behind: bool,
    /// Everything kept up to here was given out by now, or has to be read when `behind`. Can go back after
    /// [`subscribe`](TopicSeat::subscribe).
    pub upto: Seq,
    /// Subscriptions whose right has ended: nothing after its end was put in for them.
    pub cut: Vec<(Filter, Option<SmolStr>)>,
    /// A group of this seat for which the store has to be read: [`feed`](TopicSeat::feed) it.
    pub group_behind: Option<GroupBehind>,
    /// Nothing comes any more. Told behind the last parcel.
    pub ended: Option<Ended>,
    /// Whether there is more right now.
    pub more: bool,
}

/// A group for which something was kept that nobody could take when it was published, or that was given back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GroupBehind {
    pub(super) group: NonZeroU32,
    /// What it hears.
    pub filter: Filter,
    /// Read the store from here on.
    pub after: Seq,
    /// And up to here.
    pub upto: Seq,
}

/// How far a group has heard.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GroupHeard {
    /// Its name.
    pub share: SmolStr,
    /// What it shares.
    pub filter: Filter,
    /// Everything up to this place was acknowledged by one of them.
    pub heard: Seq,
}

/// Whom a publication reached.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Reached {
    /// Seats that got it.
    pub seats: usize,
}

/// How many listen to topics, and what became of publications.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct TopicsCounts {
    /// Seats that are taken.
    pub seats: usize,
    /// Their subscriptions.
    pub subscriptions: usize,
    /// Sessions that are kept while nobody is connected.
    pub parked: usize,
    /// Parcels that were put into queues, ever.
    pub delivered: u64,
    /// Parcels that were lost because a queue was full, ever.
    pub dropped: u64,
    /// Bytes of publications that wait, roughly.
    pub waiting_bytes: usize,
}

/// One who listens to topics; dropping it ends that.
pub struct TopicSeat {
    hub: Arc<Hub>,
    id: u32,
}

impl TopicSeat {
    pub(super) fn new(hub: Arc<Hub>, id: u32) -> Self {
        Self { hub, id }
    }

    /// Hears a filter after `as_of`, the settled place at which the permit was given; says whether it is a new one.
    ///
    /// One that is there already takes the new options and goes on. What a group shares is heard from now on.
    /// [`Refused::Stale`] when the right may have ended since.
    pub fn subscribe(
        &self,
        permit: &MaySubscribe,
        subscription: &Subscription,
        as_of: Seq,
    ) -> Result<bool, Refused> {
        self.hub.topics_with_tail(|places, tail, woken| {
            places.subscribe(self.id, permit, subscription, as_of, tail, woken)
        })
    }

    /// No longer hears a filter, behind everything that is settled; says whether it did. What a group shares and waits here goes to the others.
    pub fn unsubscribe(&self, filter: &Filter, share: Option<&str>) -> bool {
        self.hub.topics_caught_up(|places, woken| places.unsubscribe(self.id, filter, share, woken))
    }

    /// Brings a publication that is not kept to those who listen, behind everything that was settled before.
    ///
    /// The permit may be an old one: [`Refused::Stale`] when a right of this seat's user has changed since `as_of`.
    /// `now_ms` is the node's monotonic clock.
    pub fn publish(
        &self,
        permit: &MayPublish,
        as_of: Seq,
        publication: &Arc<Publication>,
        now_ms: u64,
    ) -> Result<Reached, Refused> {
        self.hub.topics_caught_up(|places, woken| {
            places.may_publish(self.id, permit, as_of, publication)?;
            Ok(places.deliver(None, publication, now_ms, woken))
        })
    }

    /// Hands on what a group shares and this one will not deliver; gives how many found another.
    pub fn give_back(&self, parcels: Vec<Parcel>) -> usize {
        self.hub.topics_now(|places, woken| places.hand_on(self.id, parcels, woken))
    }

    /// Hands on what a group shares where nobody else may take it yet: for one who is just coming back.
    pub fn lay_back(&self, parcel: &Parcel) {
        self.hub.topics_now(|places, woken| places.lay_back(parcel, woken));
    }

    /// Takes again what was given back at the end of the last connection; false when another has it.
    pub fn reclaim(&self, parcel: &Parcel) -> bool {
        self.hub.topics().reclaim(parcel)
    }

    /// What a group shares was acknowledged; sometimes says how far the group has heard.
    pub fn take_shared(&self, parcel: &Parcel) -> Option<GroupHeard> {
        self.hub.topics().take_shared(parcel)
    }

    /// How far the groups of this seat have heard.
    pub fn groups_heard(&self) -> Vec<GroupHeard> {
        self.hub.topics().groups_heard(self.id)
    }

    /// Hands out among a group what was read from the store up to `reached`, each with the time at which it came.
    pub fn feed(&self, behind: &GroupBehind, found: &[(Arc<Change>, i64)], reached: Seq) {
        self.hub.topics_now(|places, woken| places.feed(behind, found, reached, woken));
    }

    /// Waits until something can be drained. Never ends once listening is over.
    pub async fn ready(&mut self) {
        poll_fn(|context| self.poll_ready(context)).await;
    }

    /// [`ready`](Self::ready) for those who poll by hand. Only the last waker is woken.
    pub fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let (poll, replaced) = self.hub.topics().sitter(self.id).poll_ready(context.waker());
        drop(replaced);
        poll
    }

    /// Takes what is there, at most `max` parcels and about `bytes_max` bytes, at least one.
    pub fn drain(&self, max: usize, bytes_max: usize) -> TopicDrained {
        self.hub.topics().drain(self.id, max.max(1), bytes_max)
    }
}

impl Drop for TopicSeat {
    fn drop(&mut self) {
        // What the seat held may run code of the runtime when dropped: not under the lock.
        drop(self.hub.topics_now(|places, woken| places.leave(self.id, woken)));
    }
}
