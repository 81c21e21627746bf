//! All listeners, and who of them follows what. One lock guards it; nobody is woken while it is held.

use super::cursor::Cursor;
use super::follows::{Kind, Move};
use super::listener::{Drained, Event, Refused, Who};
use super::live::{Place, Signal, SignalKind, Waiting};
use super::tail::{Entry, Tail};
use crate::base::id::{RoomId, Seq, UserId};
use crate::chat::change::Audience;
use crate::chat::policy::MayRead;
use std::collections::HashMap;
use std::sync::Arc;
use std::task::{Poll, Waker};

/// One listener's place among all.
struct Seat {
    cursor: Cursor,
    signals: Waiting,
    hears_presence: bool,
    waker: Option<Waker>,
}

impl Seat {
    fn has_news(&self) -> bool {
        self.cursor.is_pending() || !self.signals.is_empty()
    }

    fn wake(&mut self, woken: &mut Vec<Waker>) {
        woken.extend(self.waker.take());
    }

    fn mark(&mut self, entry: &Entry, woken: &mut Vec<Waker>) {
        if self.cursor.mark(&entry.change) {
            self.wake(woken);
        }
    }

    fn signal(&mut self, signal: &Arc<Signal>, woken: &mut Vec<Waker>) {
        if self.cursor.is_over() || *self.cursor.user() == signal.by {
            return;
        }
        self.signals.push(signal);
        self.wake(woken);
    }

    fn hears(&self, place: &Place) -> bool {
        match place {
            Place::Room(room) => self.cursor.follows().has_room(room),
            Place::Presence => self.hears_presence,
        }
    }
}

#[derive(Default)]
struct Followers {
    seats: Vec<u32>,
    /// The relay's round in which all of them were marked.
    marked: u64,
}

/// The listeners and the index of who hears what.
pub(super) struct Seats {
    slots: Vec<Option<Box<Seat>>>,
    free: Vec<u32>,
    listeners_max: usize,
    rooms: HashMap<RoomId, Followers>,
    users: HashMap<UserId, Vec<u32>>,
    presence: Vec<u32>,
    round: u64,
}

impl Seats {
    pub fn new(listeners_max: usize) -> Self {
        Self {
            slots: Vec::new(),
            free: Vec::new(),
            listeners_max,
            rooms: HashMap::new(),
            users: HashMap::new(),
            presence: Vec::new(),
            round: 0,
        }
    }

    pub fn attach(
        &mut self,
        who: Who,
        as_of: Seq,
        tail: &Tail,
        woken: &mut Vec<Waker>,
    ) -> Result<u32, Refused> {
        if self.slots.len() - self.free.len() >= self.listeners_max {
            return Err(Refused::TooManyListeners);
        }
        let cursor = Cursor::new(who, as_of, tail)?;
        let user = cursor.user().clone();
        let seat = Seat { cursor, signals: Waiting::default(), hears_presence: false, waker: None };
        let id = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            u32::try_from(self.slots.len() - 1).expect("there are fewer listeners than 2^32")
        });
        self.slots[id as usize] = Some(Box::new(seat));
        let listeners = self.users.entry(user.clone()).or_default();
        listeners.push(id);
        if listeners.len() == 1 {
            self.tell_presence(user, SignalKind::Online(true), woken);
        }
        Ok(id)
    }

    /// Frees the seat; what it held is dropped by the caller, without the lock.
    pub fn detach(&mut self, id: u32, woken: &mut Vec<Waker>) -> impl Sized + use<> {
        let seat = self.slots[id as usize].take().expect("a listener keeps its seat until it is dropped");
        let moves = seat.cursor.follows().rooms().cloned().map(Move::Leave).collect();
        self.apply(id, moves);
        self.retire(id, &seat, woken);
        self.free.push(id);
        seat
    }

    pub fn online(&self, user: &UserId) -> usize {
        self.users.get(user).map_or(0, Vec::len)
    }

    pub fn hears_room(&self, user: &UserId, room: &RoomId) -> bool {
        let theirs = self.users.get(user).into_iter().flatten();
        theirs
            .filter_map(|id| self.slots[*id as usize].as_deref())
            .any(|seat| seat.cursor.follows().has_room(room))
    }

    pub fn count(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// Marks everyone who should hear of what was not relayed yet.
    pub fn relay(&mut self, tail: &mut Tail, woken: &mut Vec<Waker>) {
        self.round += 1;
        for entry in tail.after(tail.relayed()) {
            for audience in &entry.audiences {
                match audience {
                    Audience::Room(room) => self.mark_room(room, entry, woken),
                    Audience::User(user) => {
                        for id in self.users.get(user).into_iter().flatten() {
                            seat_at(&mut self.slots, *id).mark(entry, woken);
                        }
                    }
                    // Subscriptions to topics have seats of their own.
                    Audience::Topics => {}
                    Audience::All => {
                        self.slots.iter_mut().flatten().for_each(|seat| seat.mark(entry, woken));
                    }
                }
            }
        }
        tail.set_relayed();
    }

    fn mark_room(&mut self, room: &RoomId, entry: &Entry, woken: &mut Vec<Waker>) {
        let Some(followers) = self.rooms.get_mut(room) else { return };
        // Nobody drains during a round: whoever was marked for its first Change needs no second mark.
        if followers.marked == self.round {
            return;
        }
        followers.marked = self.round;
        for id in &followers.seats {
            seat_at(&mut self.slots, *id).mark(entry, woken);
        }
    }

    pub fn follow(
        &mut self,
        id: u32,
        kind: Kind,
        permits: &[MayRead],
        as_of: Seq,
        tail: &Tail,
        woken: &mut Vec<Waker>,
    ) -> Result<(), Refused> {
        let seat = self.seat(id);
        let moves = seat.cursor.follow(kind, permits, as_of, tail)?;
        if seat.cursor.is_pending() {
            seat.wake(woken);
        }
        self.apply(id, moves);
        Ok(())
    }

    pub fn unfollow_room(&mut self, id: u32, room: &RoomId) {
        let moves = self.seat(id).cursor.unfollow(room).into_iter().collect();
        self.apply(id, moves);
    }

    pub fn unfollow_mine(&mut self, id: u32) {
        let moves = self.seat(id).cursor.unfollow_mine();
        self.apply(id, moves);
    }

    pub fn hear_presence(&mut self, id: u32, hears: bool) {
        let seat = self.seat(id);
        if seat.hears_presence == hears || seat.cursor.is_over() {
            return;
        }
        seat.hears_presence = hears;
        if hears { self.presence.push(id) } else { remove(&mut self.presence, id) }
    }

    pub fn user(&mut self, id: u32) -> &UserId {
        self.seat(id).cursor.user()
    }

    /// Ready when something waits; else the waker is kept. The old one is dropped by the caller, without the lock.
    pub fn poll_ready(&mut self, id: u32, waker: &Waker) -> (Poll<()>, Option<Waker>) {
        let seat = self.seat(id);
        if seat.has_news() {
            return (Poll::Ready(()), None);
        }
        if seat.waker.as_ref().is_some_and(|old| old.will_wake(waker)) {
            return (Poll::Pending, None);
        }
        (Poll::Pending, seat.waker.replace(waker.clone()))
    }

    pub fn drain(&mut self, id: u32, changes_max: usize, tail: &Tail, woken: &mut Vec<Waker>) -> Drained {
        let mut seat = self.slots[id as usize].take().expect("a listener keeps its seat until it is dropped");
        let mut events = Vec::new();
        let was_over = seat.cursor.is_over();
        let moves = seat.cursor.advance(tail, changes_max, &mut events);
        if seat.cursor.is_over() && !was_over {
            self.retire(id, &seat, woken);
            seat.hears_presence = false;
            seat.signals.clear();
        }
        // Signals come behind every Change relayed before them, so that a right that ended is known to have.
        while !seat.cursor.is_pending() && events.len() < changes_max {
            let Some(signal) = seat.signals.pop() else { break };
            if seat.hears(&signal.place) {
                events.push(Event::Signal(signal));
            }
        }
        let drained = Drained { events, more: seat.has_news(), signals_missed: seat.signals.take_missed() };
        self.slots[id as usize] = Some(seat);
        self.apply(id, moves);
        drained
    }

    /// A signal to those who follow the room, except the one it comes from.
    pub fn signal_room(&mut self, room: &RoomId, by: UserId, kind: SignalKind, woken: &mut Vec<Waker>) {
        let Some(followers) = self.rooms.get(room) else { return };
        let signal = Arc::new(Signal { place: Place::Room(room.clone()), by, kind });
        for id in &followers.seats {
            seat_at(&mut self.slots, *id).signal(&signal, woken);
        }
    }

    /// A signal to those who follow presence, except the one it comes from.
    pub fn tell_presence(&mut self, by: UserId, kind: SignalKind, woken: &mut Vec<Waker>) {
        if self.presence.is_empty() {
            return;
        }
        let signal = Arc::new(Signal { place: Place::Presence, by, kind });
        for id in &self.presence {
            if let Some(seat) = &mut self.slots[*id as usize] {
                seat.signal(&signal, woken);
            }
        }
    }

    /// Takes a seat out of what its user counts for: they listen no longer.
    fn retire(&mut self, id: u32, seat: &Seat, woken: &mut Vec<Waker>) {
        if seat.hears_presence {
            remove(&mut self.presence, id);
        }
        let user = seat.cursor.user();
        let Some(listeners) = self.users.get_mut(user) else { return };
        let before = listeners.len();
        remove(listeners, id);
        if listeners.is_empty() {
            self.users.remove(user);
            if before == 1 {
                self.tell_presence(user.clone(), SignalKind::Online(false), woken);
            }
        }
    }

    fn apply(&mut self, id: u32, moves: Vec<Move>) {
        for one in moves {
            match one {
                Move::Enter(room) => {
                    self.rooms.entry(room).or_default().seats.push(id);
                }
                Move::Leave(room) => {
                    let Some(followers) = self.rooms.get_mut(&room) else { continue };
                    remove(&mut followers.seats, id);
                    if followers.seats.is_empty() {
                        self.rooms.remove(&room);
                    }
                }
            }
        }
    }

    fn seat(&mut self, id: u32) -> &mut Seat {
        seat_at(&mut self.slots, id)
    }
}

fn seat_at(slots: &mut [Option<Box<Seat>>], id: u32) -> &mut Seat {
    slots[id as usize].as_deref_mut().expect("the index names only seats that are taken")
}

fn remove(ids: &mut Vec<u32>, id: u32) {
    if let Some(at) = ids.iter().position(|other| *other == id) {
        ids.swap_remove(at);
    }
}
