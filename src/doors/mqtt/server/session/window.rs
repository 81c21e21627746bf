//! What was sent and not acknowledged: as much at one time as the client takes, told again when it comes back.

use crate::base::limits::MQTT_WINDOW_BYTES_MAX;
use crate::base::limits::PLACED_IDS;
use std::collections::VecDeque;

/// What the client is waited for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// It has not said that it has the publication.
    Sent,
    /// It has it, and has not said that it heard that we know.
    Released,
    /// For it this is over; for us it is once everything before it is.
    Over,
}

/// One publication on its way.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Flight<T> {
    /// The number it was sent with.
    pub id: u16,
    /// How far it is.
    pub step: Step,
    /// Bytes it takes meanwhile.
    pub bytes: usize,
    /// What was sent.
    pub what: T,
}

/// Publications on their way to one client, oldest first.
#[derive(Debug)]
pub struct Window<T> {
    flights: VecDeque<Flight<T>>,
    /// How many of the newest the client that came back was not told again yet.
    untold: usize,
    bytes: usize,
    last: u16,
    /// The first number that is given out in turn.
    first: u16,
    max: u16,
}

impl<T> Window<T> {
    /// A window of so many.
    pub fn new(max: u16) -> Self {
        Self { flights: VecDeque::new(), untold: 0, bytes: 0, last: 0, first: 1, max: max.max(1) }
    }

    /// The client that came back takes so many.
    pub fn set_max(&mut self, max: u16) {
        self.max = max.max(1);
    }

    /// Everything on its way is to be told again.
    pub fn begin_again(&mut self) {
        self.untold = self.flights.len();
    }

    /// The next of what is to be told again, while the client takes one more.
    pub fn tell_again(&mut self) -> Option<Flight<T>>
    where
        T: Clone,
    {
        let told = self.flights.len() - self.untold;
        if self.untold == 0 || told >= usize::from(self.max) {
            return None;
        }
        self.untold -= 1;
        self.flights.get(told).cloned()
    }

    /// Numbers up to [`PLACED_IDS`] stand for places in the order from now on.
    pub fn set_placed(&mut self) {
        self.first = PLACED_IDS + 1;
    }

    /// How many may be sent now.
    pub fn room(&self) -> usize {
        match self.bytes < MQTT_WINDOW_BYTES_MAX {
            true => usize::from(self.max).saturating_sub(self.flights.len()),
            false => 0,
        }
    }

    /// Bytes of what is on its way.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// What is on its way, oldest first.
    pub fn flights(&self) -> impl Iterator<Item = &Flight<T>> {
        self.flights.iter()
    }

    /// What is on its way with this number.
    pub fn flight(&self, id: u16) -> Option<&Flight<T>> {
        self.flights.iter().find(|flight| flight.id == id)
    }

    /// A number nothing is on its way with, for something that is sent now. Only while there is [`room`](Self::room).
    pub fn send(&mut self, what: T, bytes: usize) -> u16 {
        let id = self.free_id();
        self.last = id;
        self.bytes += bytes;
        self.flights.push_back(Flight { id, step: Step::Sent, bytes, what });
        id
    }

    /// Something that is sent now with a number of its own. Only while there is [`room`](Self::room) and nothing is on its
    /// way with that.
    pub fn send_as(&mut self, id: u16, what: T, bytes: usize) -> u16 {
        self.bytes += bytes;
        self.flights.push_back(Flight { id, step: Step::Sent, bytes, what });
        id
    }

    /// Something that was on its way when the client was last heard, with its number.
    pub fn restore(&mut self, flight: Flight<T>) {
        self.last = flight.id;
        self.bytes += flight.bytes;
        self.flights.push_back(flight);
    }

    /// The client has what was sent with this number; gives it, or nothing when none was.
    pub fn done(&mut self, id: u16, step: Step) -> Option<T> {
        let at = self.flights.iter().position(|flight| flight.id == id && flight.step == step)?;
        let told = self.flights.len() - self.untold;
        let flight = self.flights.remove(at)?;
        self.untold -= usize::from(at >= told);
        self.bytes -= flight.bytes;
        Some(flight.what)
    }

    /// The client has what was sent exactly once with this number; what follows is that both know.
    pub fn received(&mut self, id: u16) {
        self.set(id, Step::Released);
    }

    /// For the client this is over.
    pub fn over(&mut self, id: u16) {
        self.set(id, Step::Over);
    }

    fn set(&mut self, id: u16, step: Step) {
        if let Some(flight) = self.flights.iter_mut().find(|flight| flight.id == id) {
            flight.step = step;
        }
    }

    /// Takes out those that are meant, oldest first.
    pub fn take_out(&mut self, is_meant: impl Fn(&Flight<T>) -> bool) -> Vec<Flight<T>> {
        let told = self.flights.len() - self.untold;
        self.untold -= self.flights.range(told..).filter(|flight| is_meant(flight)).count();
        let (taken, left): (VecDeque<_>, VecDeque<_>) =
            std::mem::take(&mut self.flights).into_iter().partition(is_meant);
        self.flights = left;
        self.bytes = self.flights.iter().map(|flight| flight.bytes).sum();
        taken.into()
    }

    fn free_id(&self) -> u16 {
        let mut id = self.last;
        loop {
            id = if id < self.first || id == u16::MAX { self.first } else { id + 1 };
            // There are more numbers than a window has places.
            if self.flights.iter().all(|flight| flight.id != id) {
                return id;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_sent_than_the_client_takes() {
        let mut window = Window::new(2);
        assert_eq!((window.send("a", 0), window.room()), (1, 1));
        assert_eq!((window.send("b", 0), window.room()), (2, 0));
        assert_eq!(window.done(1, Step::Sent), Some("a"));
        assert_eq!(window.room(), 1);
        assert_eq!(window.done(1, Step::Sent), None, "it was acknowledged already");
        window.set_max(1);
        assert_eq!(window.room(), 0);
    }

    #[test]
    fn no_more_bytes_are_on_their_way_than_one_client_may_hold() {
        let mut window = Window::new(9);
        let first = window.send("a", MQTT_WINDOW_BYTES_MAX - 1);
        assert_eq!(window.room(), 8);
        let second = window.send("b", 9);
        assert_eq!((window.room(), window.bytes()), (0, MQTT_WINDOW_BYTES_MAX + 8));
        window.done(first, Step::Sent);
        assert_eq!((window.room(), window.bytes()), (8, 9));
        assert_eq!(window.take_out(|flight| flight.id == second).len(), 1);
        assert_eq!(window.bytes(), 0);
    }

    #[test]
    fn exactly_once_takes_two_steps() {
        let mut window = Window::new(5);
        let id = window.send("a", 0);
        assert_eq!(window.done(id, Step::Released), None, "it has not said that it has it");
        window.received(id);
        window.received(id);
        assert_eq!(window.flight(id).map(|flight| flight.step), Some(Step::Released));
        assert_eq!(window.done(id, Step::Sent), None);
        assert_eq!(window.done(id, Step::Released), Some("a"));
        assert_eq!(window.flights().count(), 0);
    }

    #[test]
    fn numbers_go_round_and_never_meet() {
        let mut window = Window::new(3);
        let held = window.send(0u32, 0);
        for round in 1..=70_000u32 {
            let id = window.send(round, 0);
            assert!(id != 0 && id != held);
            assert_eq!(window.done(id, Step::Sent), Some(round));
        }
        window.restore(Flight { id: 7, step: Step::Released, bytes: 0, what: 7 });
        assert_eq!(window.send(8, 0), 8);
        assert_eq!(window.flights().map(|flight| flight.id).collect::<Vec<_>>(), [held, 7, 8]);
        window.begin_again();
        window.set_max(2);
        let told: Vec<u16> = std::iter::from_fn(|| window.tell_again()).map(|flight| flight.id).collect();
        assert_eq!(told, [held, 7], "no more than the client takes");
        assert_eq!(window.done(held, Step::Sent), Some(0));
        assert_eq!(window.tell_again().map(|flight| flight.id), Some(8));
        assert!(window.tell_again().is_none());
        window.set_max(9);
        window.set_placed();
        assert_eq!(
            (window.send(9, 0), window.send_as(9, 10, 0), window.send(11, 0)),
            (PLACED_IDS + 1, 9, PLACED_IDS + 2)
        );
    }
}
