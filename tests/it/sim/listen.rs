//! What listeners do in a simulated life: they come, follow rooms by permits they were given, and take what is there.

use super::ear::{Ear, Slip};
use super::live::{Fault, Sim};
use crate::harness::life::Life;
use linnet::delivery::{Hub, Who};
use linnet::node::reading::Granted;
use std::hash::Hash;
use std::pin::pin;
use std::task::{Context, Waker};

impl Sim {
    /// Somebody begins to listen, follows something, or takes what is there.
    pub fn listen(&mut self, life: &Life) -> Result<(), String> {
        let reading = &life.parts.reading;
        if self.chance.below(3) == 0 {
            relay(&life.parts.hub);
        }
        if self.ears.is_empty() || (self.ears.len() < 5 && self.chance.below(4) == 0) {
            if self.crowd.callers.is_empty() {
                return Ok(());
            }
            let (user, caller, token) = self.chance.pick(&self.crowd.callers).clone();
            let as_of = reading.newest();
            let Ok(actor) = reading.actor(&caller) else { return Ok(()) };
            let who = Who { user, roles: actor.user.roles, token: Some(token) };
            if let Ok(listener) = life.parts.hub.attach(who.clone(), as_of) {
                self.ears.push(Ear::attach(listener, who, as_of));
                let at = self.ears.len() - 1;
                (0..4).for_each(|_| self.ask(life, at));
                self.follow(life, at);
            }
            return Ok(());
        }
        let at = self.chance.below(self.ears.len() as u64) as usize;
        match self.chance.below(8) {
            0 | 1 => self.ask(life, at),
            2 | 3 => self.follow(life, at),
            4 => drop(
                self.ears[at].follows.keys().next().cloned().map(|room| self.ears[at].unfollow_room(&room)),
            ),
            _ => {
                let slip = match self.fault {
                    Fault::SkippedEvent => Slip::Skips,
                    Fault::RepeatedEvent => Slip::Repeats,
                    _ => Slip::None,
                };
                let max = 1 + self.chance.below(8) as usize;
                let more = self.ears[at].drain(&self.model, &life.parts.hub, max, slip)?;
                more.hash(&mut self.trace);
                self.follow_by_kept_grants(life, at);
                if self.ears[at].over {
                    self.ears.remove(at);
                    self.granted.clear();
                }
            }
        }
        Ok(())
    }

    /// Gets a permit now, to follow by later: much may happen between.
    fn ask(&mut self, life: &Life, at: usize) {
        let reading = &life.parts.reading;
        let user = &self.ears[at].user;
        let Some((_, caller, _)) = self.crowd.callers.iter().find(|(whose, ..)| whose == user) else {
            return;
        };
        let newest = self.model.newest();
        let rooms: Vec<_> =
            self.model.rooms.keys().filter(|room| self.model.reads(user, room, newest)).collect();
        if rooms.is_empty() {
            return;
        }
        let room = *self.chance.pick(&rooms);
        if let Ok(actor) = reading.actor(caller)
            && let Ok((_, granted)) = reading.room_for(&actor, room.as_str())
        {
            self.granted.push((at, granted));
        }
    }

    fn follow(&mut self, life: &Life, at: usize) {
        if self.chance.below(3) > 0 {
            for (_, granted) in self.granted.extract_if(.., |(whose, _)| *whose == at).collect::<Vec<_>>() {
                // Refused as stale is fine: then the door asks again.
                let _ = self.ears[at].follow_room(&granted);
            }
            return;
        }
        let reading = &life.parts.reading;
        let as_of = reading.newest();
        let user = self.ears[at].user.clone();
        let Some((_, caller, _)) = self.crowd.callers.iter().find(|(whose, ..)| *whose == user) else {
            return;
        };
        let Ok(actor) = reading.actor(caller) else { return };
        if actor.device.is_some() {
            return;
        }
        let places = reading.places(&actor).unwrap_or_default();
        let permits = places.iter().filter_map(|place| reading.may_read(&actor, &place.room).ok());
        let permits = permits.map(|granted| granted.permit).collect();
        let _ = self.ears[at].follow_mine(permits, as_of);
    }

    fn follow_by_kept_grants(&mut self, life: &Life, at: usize) {
        if self.fault != Fault::KeptGrant {
            return;
        }
        let as_of = life.parts.reading.newest();
        for permit in std::mem::take(&mut self.ears[at].revoked) {
            let _ = self.ears[at].follow_room(&Granted { permit, as_of });
        }
    }
}

/// What the hub's own task does, once.
pub fn relay(hub: &Hub) {
    let _ = pin!(hub.relay()).poll(&mut Context::from_waker(Waker::noop()));
}
