//! One who listens, and what they must hear: every Change they have a right to, once, in order, and nothing else.

use super::model::Model;
use linnet::base::id::{RoomId, Seq, UserId};
use linnet::chat::change::{Audience, Change, What};
use linnet::chat::policy::MayRead;
use linnet::chat::room::RoomKind;
use linnet::chat::token::TokenHash;
use linnet::delivery::{Event, Hub, Listener, Reach, Refused, Who};
use linnet::node::reading::Granted;
use std::collections::BTreeMap;

/// A fault planted between the hub and the listener's owner.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Slip {
    None,
    /// Every so often an event is left out.
    Skips,
    /// Every so often an event comes twice.
    Repeats,
}

pub struct Ear {
    listener: Listener,
    pub user: UserId,
    token: TokenHash,
    /// Everything up to here was held against the model.
    heard: Seq,
    own_after: Seq,
    mine_after: Option<Seq>,
    pub follows: BTreeMap<RoomId, (Seq, MayRead)>,
    /// Rooms whose follow ended at the last drain, with the permit that is no longer good.
    pub revoked: Vec<MayRead>,
    pub over: bool,
    drained: u64,
}

impl Ear {
    pub fn attach(listener: Listener, who: Who, as_of: Seq) -> Ear {
        Ear {
            listener,
            user: who.user,
            token: who.token.unwrap(),
            heard: as_of,
            own_after: as_of,
            mine_after: None,
            follows: BTreeMap::new(),
            revoked: Vec::new(),
            over: false,
            drained: 0,
        }
    }

    pub fn follow_room(&mut self, granted: &Granted) -> Result<(), Refused> {
        self.listener.follow_room(granted.permit.clone(), granted.as_of)?;
        self.go_back_to(granted.as_of);
        self.follows.insert(granted.permit.room().clone(), (granted.as_of, granted.permit.clone()));
        Ok(())
    }

    pub fn unfollow_room(&mut self, room: &RoomId) {
        self.listener.unfollow_room(room);
        self.follows.remove(room);
    }

    pub fn follow_mine(&mut self, permits: Vec<MayRead>, as_of: Seq) -> Result<(), Refused> {
        self.listener.follow_mine(permits, as_of)?;
        self.go_back_to(as_of);
        self.mine_after = Some(as_of);
        Ok(())
    }

    /// A follow from an older place tells again what lies between, but for itself only.
    fn go_back_to(&mut self, as_of: Seq) {
        if as_of >= self.heard {
            return;
        }
        self.own_after = self.own_after.max(self.heard);
        self.mine_after = self.mine_after.map(|after| after.max(self.heard));
        for (after, _) in self.follows.values_mut() {
            *after = (*after).max(self.heard);
        }
        self.heard = as_of;
    }

    /// Takes some of what is there and holds it against the model. Says whether there is more.
    pub fn drain(&mut self, model: &Model, hub: &Hub, max: usize, slip: Slip) -> Result<bool, String> {
        let mut drained = self.listener.drain(max);
        self.drained += 1;
        self.revoked.clear();
        if self.drained.is_multiple_of(7) && !drained.events.is_empty() {
            match slip {
                Slip::None => {}
                Slip::Skips => drop(drained.events.remove(0)),
                Slip::Repeats => drained.events.insert(0, drained.events[0].clone()),
            }
        }
        for event in drained.events {
            self.hear(event, model, hub)?;
        }
        if !drained.more && !self.over {
            self.pass_upto(hub.relayed(), model)?;
            self.all_rights_hold(model)?;
        }
        Ok(drained.more)
    }

    fn hear(&mut self, event: Event, model: &Model, hub: &Hub) -> Result<(), String> {
        match event {
            Event::Change { change, reach } => self.hear_change(&change, reach, model)?,
            Event::RoomRevoked { room, at, reach } => {
                self.pass_upto(at, model)?;
                if model.reads(&self.user, &room, at) && !self.may_end(model, &room, at) {
                    return Err(format!("{} no longer hears {room} at {at:?} without a reason", self.user));
                }
                // The room can be followed for itself again although it is no longer one of the user's own.
                if reach.room
                    && let Some((_, permit)) = self.follows.remove(&room)
                {
                    self.revoked.push(permit);
                }
            }
            Event::Resync { since } => {
                self.pass_upto(since, model)?;
                self.follows.clear();
                self.mine_after = None;
                self.heard = hub.relayed();
                self.own_after = self.own_after.max(self.heard);
            }
            Event::Ended(_) => {
                let ends = |change: &std::sync::Arc<Change>| self.ends(&change.what);
                if !model.between(Seq(0), model.newest()).any(ends) {
                    return Err(format!("{} hears nothing any more without a reason", self.user));
                }
                self.over = true;
            }
            Event::Signal(_) => {}
        }
        Ok(())
    }

    fn hear_change(&mut self, change: &Change, reach: Reach, model: &Model) -> Result<(), String> {
        let seq = change.seq;
        if self.over || seq <= self.heard {
            return Err(format!("{} hears {seq:?} again or too late, after {:?}", self.user, self.heard));
        }
        self.pass_upto(Seq(seq.0 - 1), model)?;
        let expected = self.expected(change, model);
        if reach != expected {
            return Err(format!("{} hears {seq:?} for {reach:?} and not for {expected:?}", self.user));
        }
        if let Some(room) = room_of(change).filter(|_| reach.room || reach.mine) {
            let shuts_out = matches!(change.what, What::RoomChanged { .. });
            let right = model.reads(&self.user, room, seq)
                || (!shuts_out && model.reads(&self.user, room, Seq(seq.0 - 1)));
            if !right {
                return Err(format!("a stranger hears: {} of {room} at {seq:?}", self.user));
            }
        }
        self.heard = seq;
        Ok(())
    }

    /// Goes on to a place that was drained past: nothing up to it may have been for this listener.
    fn pass_upto(&mut self, upto: Seq, model: &Model) -> Result<(), String> {
        for change in model.between(self.heard, upto) {
            if self.ends(&change.what) && change.seq > self.own_after {
                return Err(format!("{} was not told that listening ended at {:?}", self.user, change.seq));
            }
            let missed = self.expected(change, model);
            if missed.is_some() {
                return Err(format!("{} missed {:?} for {missed:?}", self.user, change.seq));
            }
        }
        self.heard = self.heard.max(upto);
        Ok(())
    }

    fn all_rights_hold(&self, model: &Model) -> Result<(), String> {
        match self.follows.keys().find(|room| !model.reads(&self.user, room, self.heard)) {
            Some(room) => Err(format!("{} follows {room} without a right at {:?}", self.user, self.heard)),
            None => Ok(()),
        }
    }

    /// For what this listener must hear a Change.
    fn expected(&self, change: &Change, model: &Model) -> Reach {
        let (seq, before) = (change.seq, Seq(change.seq.0 - 1));
        let mut reach = Reach::default();
        for audience in change.audiences() {
            match audience {
                Audience::All => reach.own |= seq > self.own_after,
                Audience::User(user) => reach.own |= user == self.user && seq > self.own_after,
                Audience::Topics => {}
                Audience::Room(room) => {
                    let followed = self.follows.get(&room).is_some_and(|(after, _)| seq > *after);
                    reach.room |= followed && !(self.is_shut_out(&change.what, &room, model, seq));
                    let belongs = |seq| model.belongs(&self.user, &room, seq);
                    reach.mine |=
                        self.mine_after.is_some_and(|after| seq > after) && (belongs(before) || belongs(seq));
                }
            }
        }
        reach
    }

    /// A room that becomes private tells those whom it shuts out nothing of how it is now.
    fn is_shut_out(&self, what: &What, room: &RoomId, model: &Model, seq: Seq) -> bool {
        match what {
            What::RoomChanged { room: now, .. } => {
                now.kind != RoomKind::Public && !model.reads(&self.user, room, seq)
            }
            _ => false,
        }
    }

    fn ends(&self, what: &What) -> bool {
        match what {
            What::TokenRevoked { hash, .. } => *hash == self.token,
            What::UserRemoved { user, .. } => *user == self.user,
            What::UserChanged(user) => user.id == self.user && !user.active,
            _ => false,
        }
    }

    /// Whether the Change at this place is one after which a door must ask again.
    fn may_end(&self, model: &Model, room: &RoomId, at: Seq) -> bool {
        model.between(Seq(at.0 - 1), at).any(|change| match &change.what {
            What::Left { user, room: left, .. } => *user == self.user && left == room,
            What::UserChanged(user) => user.id == self.user,
            What::DeviceSet(device) => device.user == self.user,
            _ => false,
        })
    }
}

fn room_of(change: &Change) -> Option<&RoomId> {
    match &change.what {
        What::Posted { message, .. } | What::Revised { message, .. } => Some(&message.room),
        What::Deleted { room, .. } | What::Left { room, .. } | What::RoomRemoved { room, .. } => Some(room),
        What::RoomMade(room) | What::RoomChanged { room, .. } => Some(&room.id),
        What::Joined(membership) => Some(&membership.room),
        _ => None,
    }
}
