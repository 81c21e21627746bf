//! The hub's side for topics.

use super::places::{Places, is_of};
use super::rights::{Login, bears};
use super::seat::{Reached, TopicSeat, TopicWho, TopicsCounts};
use crate::base::id::{RoomId, Seq, UserId};
use crate::chat::policy::MayPublish;
use crate::chat::publication::{Publication, Qos, Subscription};
use crate::chat::topic::{Filter, Topic};
use crate::delivery::hub::Hub;
use crate::delivery::listener::Refused;
use crate::delivery::tail::Tail;
use smol_str::SmolStr;
use std::sync::Arc;
use std::task::Waker;

impl Hub {
    /// Lets someone listen to topics, from `as_of` on, the settled place at which the actor and the token were found good.
    pub fn take_topic_seat(self: &Arc<Self>, who: TopicWho, as_of: Seq) -> Result<TopicSeat, Refused> {
        let id = self.topics_with_tail(|places, tail, _| places.take(who, as_of, tail))?;
        Ok(TopicSeat::new(Arc::clone(self), id))
    }

    /// Brings a publication that is not kept to those who listen, from somebody without a seat: a will, a bridge.
    ///
    /// [`Refused::Stale`] when the right may have ended since `as_of`. `now_ms` is the node's monotonic clock.
    pub fn publish(
        &self,
        permit: &MayPublish,
        as_of: Seq,
        publication: &Arc<Publication>,
        now_ms: u64,
    ) -> Result<Reached, Refused> {
        if !is_of(permit, publication) {
            return Err(Refused::NotTheirPermit);
        }
        self.topics_with_tail(|places, tail, woken| {
            let mut after = tail.after(as_of);
            if as_of < tail.lost()
                || after.any(|entry| bears(&entry.change.what, permit.user(), &Login::default()))
            {
                return Err(Refused::Stale);
            }
            Ok(places.deliver(None, publication, now_ms, woken))
        })
    }

    /// Whether a publication must be kept because a session that outlives its connection hears it.
    pub fn keeps(&self, topic: &Topic, qos: Qos) -> bool {
        #[cfg(feature = "plant")]
        if crate::base::plant::lose_queued() {
            return false;
        }
        self.topics().keeps(topic, qos)
    }

    /// Whether a user who is connected hears this topic, or what is said in this room.
    pub fn hears(&self, user: &UserId, topic: &Topic, room: &RoomId) -> bool {
        self.topics().hears(user, topic) || self.seats().hears_room(user, room)
    }

    /// Whether a session of a user is kept while nobody is connected to it.
    pub fn waits_for(&self, user: &UserId) -> bool {
        self.topics().waits_for(user)
    }

    /// Whether anybody hears this topic, or will when they are back.
    pub fn has_hearers(&self, topic: &Topic) -> bool {
        self.topics().has_hearers(topic)
    }

    /// Keeps in mind what a session hears that nobody is connected to: for [`keeps`](Self::keeps). Park it before its
    /// seat is dropped, and [`unpark`](Self::unpark) it when its new seat has subscribed. One whose Change says that it is
    /// gone, or whose user is, is let go by itself.
    pub fn park(&self, client: SmolStr, user: UserId, subscriptions: &[Subscription]) {
        self.topics().park(client, user, subscriptions);
    }

    /// Keeps what is published for a group that has heard everything up to here: one that a session which outlives its
    /// connection is in. It is let go by the Change that says that no such session is in it any more.
    pub fn keep_group(&self, share: &SmolStr, filter: &Filter, heard: Seq) {
        self.topics().keep_group(share, filter, heard);
    }

    /// The session is connected again, or gone; says whether it was parked.
    pub fn unpark(&self, client: &str) -> bool {
        self.topics().unpark(client)
    }

    /// Whether a user has a client that is connected.
    pub fn hears_topics(&self, user: &UserId) -> bool {
        self.topics().people.contains_key(user)
    }

    /// How many listen to topics, and what became of publications.
    pub fn topics_counts(&self) -> TopicsCounts {
        self.topics().counts()
    }

    /// Those who hear topics learn of everything that is settled.
    pub(in crate::delivery) fn relay_topics(&self) {
        self.topics_caught_up(|_, _| ());
    }

    /// Does something under the lock, and wakes those it names once it is free.
    pub(super) fn topics_now<T>(&self, work: impl FnOnce(&mut Places, &mut Vec<Waker>) -> T) -> T {
        let mut woken = Vec::new();
        let done = work(&mut self.topics(), &mut woken);
        woken.into_iter().for_each(Waker::wake);
        done
    }

    /// The same, behind everything that is settled.
    pub(super) fn topics_caught_up<T>(&self, work: impl FnOnce(&mut Places, &mut Vec<Waker>) -> T) -> T {
        let mut woken = Vec::new();
        let done = {
            let mut tail = self.tail();
            let mut places = self.topics();
            places.relay(&mut tail, &mut woken);
            // The syncing thread need not wait for what follows.
            drop(tail);
            work(&mut places, &mut woken)
        };
        woken.into_iter().for_each(Waker::wake);
        done
    }

    /// The same, with a look at what was settled.
    pub(super) fn topics_with_tail<T>(
        &self,
        work: impl FnOnce(&mut Places, &Tail, &mut Vec<Waker>) -> T,
    ) -> T {
        let mut woken = Vec::new();
        let done = {
            let mut tail = self.tail();
            let mut places = self.topics();
            places.relay(&mut tail, &mut woken);
            work(&mut places, &tail, &mut woken)
        };
        woken.into_iter().for_each(Waker::wake);
        done
    }
}
