//! The meeting point of what was settled and who listens.
//!
//! Three locks, always in this order: seats, tail, topics. None is held while bytes are encoded or anyone is woken.

use super::follows::Kind;
use super::frames::Frames;
use super::listener::{Drained, Listener, Refused, Who};
use super::live::SignalKind;
use super::seats::Seats;
use super::tail::{Entry, Tail};
use super::topics::Places;
use crate::base::budget::Budget;
use crate::base::id::{Seq, UserId};
use crate::base::limits::{TOPIC_FILTERS_PART, TOPIC_WAITING_PART};
use crate::chat::change::Change;
use crate::chat::policy::{MayPost, MayRead};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::Waker;
use tokio::sync::Notify;

/// How much the hub holds; the node's own are the default.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bounds {
    /// Listeners at once.
    pub listeners: usize,
    /// Newest Changes in memory.
    pub tail_changes: usize,
    /// Bytes of them, roughly.
    pub tail_bytes: usize,
    /// Changes that are kept encoded.
    pub frames: usize,
    /// Bytes of them.
    pub frames_bytes: usize,
    /// Bytes of publications that wait for those who hear topics.
    pub topics_bytes: usize,
    /// Bytes of what they subscribed to.
    pub filters_bytes: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self::of(&Budget::default())
    }
}

impl Bounds {
    /// What a budget gives the hub.
    pub fn of(budget: &Budget) -> Self {
        let Budget { sessions: listeners, tail_changes, tail_bytes, frames, frames_bytes, memory, .. } =
            *budget;
        Self {
            listeners,
            tail_changes,
            tail_bytes,
            frames,
            frames_bytes,
            topics_bytes: (memory / TOPIC_WAITING_PART) as usize,
            filters_bytes: (memory / TOPIC_FILTERS_PART) as usize,
        }
    }
}

/// Who listens, and the newest of what they hear.
pub struct Hub {
    seats: Mutex<Seats>,
    tail: Mutex<Tail>,
    topics: Mutex<Places>,
    news: Notify,
    frames: Frames,
}

impl Hub {
    /// A hub over a journal that is settled up to `settled`.
    pub fn new(settled: Seq, bounds: Bounds) -> Arc<Self> {
        Arc::new(Self {
            seats: Mutex::new(Seats::new(bounds.listeners)),
            tail: Mutex::new(Tail::new(settled, bounds.tail_changes, bounds.tail_bytes)),
            topics: Mutex::new(Places::new(settled, &bounds)),
            news: Notify::new(),
            frames: Frames::with_bounds(bounds.frames, bounds.frames_bytes),
        })
    }

    /// Takes what is on disk now, and has it relayed.
    pub fn settle(&self, changes: &[Arc<Change>]) {
        self.take_in(changes);
        self.announce();
    }

    /// Takes what is on disk now, in order and once. For the thread that syncs: it touches no listener, unless the
    /// relay has fallen a whole tail behind and nothing may be forgotten unrelayed. Whoever acts on an answer of the node
    /// finds what it answers for here.
    pub fn take_in(&self, changes: &[Arc<Change>]) {
        let mut entries = changes.iter().map(Entry::new);
        let mut waiting = entries.next();
        while waiting.is_some() {
            let mut tail = self.tail();
            while let Some(entry) = waiting.take() {
                match tail.push(entry) {
                    Ok(()) => waiting = entries.next(),
                    Err(refused) => {
                        waiting = Some(refused);
                        break;
                    }
                }
            }
            drop(tail);
            if waiting.is_some() {
                self.relay_now();
            }
        }
    }

    /// Has what was taken in relayed.
    pub fn announce(&self) {
        self.news.notify_one();
    }

    /// Marks and wakes those who should hear of what is settled, for as long as it is polled. Run it once.
    pub async fn relay(&self) {
        loop {
            self.news.notified().await;
            self.relay_now();
        }
    }

    /// Lets someone listen from `as_of` on, the settled place at which the user and the token were found good.
    pub fn attach(self: &Arc<Self>, who: Who, as_of: Seq) -> Result<Listener, Refused> {
        let id = self.locked(|seats, tail, woken| {
            catch_up(as_of, seats, tail, woken);
            seats.attach(who, as_of, tail, woken)
        })?;
        Ok(Listener::new(Arc::clone(self), id))
    }

    /// How many listeners a user has: more than none is online.
    pub fn online(&self, user: &UserId) -> usize {
        self.seats().online(user)
    }

    /// How many listeners there are.
    pub fn listeners(&self) -> usize {
        self.seats().count()
    }

    /// The newest place that listeners were marked for.
    pub fn relayed(&self) -> Seq {
        self.tail().relayed()
    }

    /// A signal to those who follow the permit's room, except its user. One beyond its bounds is dropped.
    pub fn signal(&self, permit: &MayPost, kind: SignalKind) {
        if !kind.is_bounded() {
            return;
        }
        self.locked(|seats, tail, woken| {
            // A signal stays behind what was settled before it: whoever was shut out by then does not get it.
            seats.relay(tail, woken);
            seats.signal_room(permit.room(), permit.user().clone(), kind, woken);
        });
    }

    /// A signal of a user to those who follow presence, except themselves. One beyond its bounds is dropped.
    pub fn signal_presence(&self, by: UserId, kind: SignalKind) {
        if kind.is_bounded() {
            self.locked(|seats, _, woken| seats.tell_presence(by, kind, woken));
        }
    }

    /// Changes in bytes, shared by the doors.
    pub fn frames(&self) -> &Frames {
        &self.frames
    }

    pub(super) fn follow(&self, id: u32, kind: Kind, permits: &[MayRead], as_of: Seq) -> Result<(), Refused> {
        let user = self.seats().user(id).clone();
        let theirs = permits.iter().all(|permit| *permit.user() == user);
        debug_assert!(theirs, "a listener follows by the permits of its own user");
        if !theirs {
            return Err(Refused::NotTheirPermit);
        }
        self.locked(|seats, tail, woken| {
            catch_up(as_of, seats, tail, woken);
            seats.follow(id, kind, permits, as_of, tail, woken)
        })
    }

    pub(super) fn drain(&self, id: u32, events_max: usize) -> Drained {
        self.locked(|seats, tail, woken| seats.drain(id, events_max, tail, woken))
    }

    pub(super) fn detach(&self, id: u32) {
        // What the seat held may run code of the runtime when dropped: not under the lock.
        drop(self.locked(|seats, _, woken| seats.detach(id, woken)));
    }

    pub(super) fn seats(&self) -> MutexGuard<'_, Seats> {
        self.seats.lock().expect("no holder of this lock panics")
    }

    pub(super) fn topics(&self) -> MutexGuard<'_, Places> {
        self.topics.lock().expect("no holder of this lock panics")
    }

    pub(super) fn tail(&self) -> MutexGuard<'_, Tail> {
        self.tail.lock().expect("no holder of this lock panics")
    }

    fn relay_now(&self) {
        self.locked(|seats, tail, woken| seats.relay(tail, woken));
        self.relay_topics();
    }

    /// Does something under both locks, and wakes those it names once they are free.
    fn locked<T>(&self, work: impl FnOnce(&mut Seats, &mut Tail, &mut Vec<Waker>) -> T) -> T {
        let mut woken = Vec::new();
        let done = {
            let mut seats = self.seats();
            let mut tail = self.tail();
            work(&mut seats, &mut tail, &mut woken)
        };
        woken.into_iter().for_each(Waker::wake);
        done
    }
}

/// Relays first when someone starts further on: else they would be marked for what they already know.
fn catch_up(as_of: Seq, seats: &mut Seats, tail: &mut Tail, woken: &mut Vec<Waker>) {
    if as_of > tail.relayed() {
        seats.relay(tail, woken);
    }
}
