//! What one listener should be told, worked out from the whole log in the plainest way, and what it was told.

use super::stage::Stage;
use linnet::base::id::{RoomId, Seq, UserId};
use linnet::chat::change::{Audience, Change, What};
use linnet::chat::permission::Permission;
use linnet::chat::policy::{MayRead, ReadsBy};
use linnet::chat::room::RoomKind;
use linnet::chat::user::Roles;
use linnet::delivery::{Drained, Event, Listener, Refused, Who};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A fault planted between the hub and the model, to see that the model notices.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    None,
    /// The cursor goes one too far.
    Skips,
    /// The cursor stays one behind.
    Repeats,
    /// A room is told on after the right ended.
    IgnoresRevocation,
    /// The listening goes on after its end.
    OutlivesItsEnd,
}

/// What is told for one follow.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Told {
    Change(Seq),
    Revoked(RoomId, Seq),
}

/// One follow: of a room, or (without one) of the user's own rooms.
struct Follow {
    room: Option<RoomId>,
    as_of: Seq,
    permits: BTreeMap<RoomId, ReadsBy>,
    told: Vec<Told>,
}

pub struct Watched {
    listener: Listener,
    pub who: Who,
    pub laggard: bool,
    pub ended: bool,
    pub pocket: Option<(Option<RoomId>, Vec<MayRead>, Seq)>,
    own_after: Seq,
    own: Vec<Seq>,
    follows: Vec<Follow>,
    /// Everything up to here was judged.
    position: Seq,
    /// Rooms no longer followed since it was level with the relay: they may still have marked it.
    unfollowed: Vec<Option<RoomId>>,
    fault: Fault,
}

impl Watched {
    pub fn new(listener: Listener, who: Who, as_of: Seq, laggard: bool, fault: Fault) -> Self {
        let (own, follows) = (Vec::new(), Vec::new());
        let (ended, pocket, unfollowed) = (false, None, Vec::new());
        let (own_after, position) = (as_of, as_of);
        Self { listener, who, laggard, ended, pocket, own_after, own, follows, position, unfollowed, fault }
    }

    pub fn follow(
        &mut self,
        stage: &Stage,
        room: Option<RoomId>,
        permits: Vec<MayRead>,
        as_of: Seq,
        lost: Seq,
    ) -> Result<(), String> {
        let by: BTreeMap<RoomId, ReadsBy> =
            permits.iter().map(|permit| (permit.room().clone(), *permit.by())).collect();
        let stale = as_of < lost || after(stage, as_of).any(|change| self.spoils(change, &by));
        let answer = match &room {
            Some(_) => self.listener.follow_room(permits[0].clone(), as_of),
            None => self.listener.follow_mine(permits, as_of),
        };
        match answer {
            Err(Refused::Ended) if self.ended => return Ok(()),
            Err(Refused::Stale) if stale => {
                stage.saw("stale");
                return Ok(());
            }
            Ok(()) if !stale && !self.ended => {}
            other => return Err(format!("follow as of {as_of}: {other:?}, stale by the model: {stale}")),
        }
        self.unfollow_told(stage, &room)?;
        self.position = self.position.min(as_of);
        self.follows.push(Follow { room, as_of, permits: by, told: Vec::new() });
        Ok(())
    }

    pub fn unfollow(&mut self, stage: &Stage, room: Option<RoomId>) -> Result<(), String> {
        match &room {
            Some(room) => self.listener.unfollow_room(room),
            None => self.listener.unfollow_mine(),
        }
        self.unfollow_told(stage, &room)
    }

    fn unfollow_told(&mut self, stage: &Stage, room: &Option<RoomId>) -> Result<(), String> {
        let Some(at) = self.follows.iter().position(|follow| follow.room == *room) else { return Ok(()) };
        let follow = self.follows.swap_remove(at);
        self.unfollowed.push(room.clone());
        let expected = self.expected(stage, &follow, stage.hub.relayed());
        if expected.starts_with(&follow.told) { Ok(()) } else { Err(differ(&expected, &follow.told)) }
    }

    /// Drains once; says whether there is more.
    pub fn drain(&mut self, stage: &Stage, max: usize, lost: Seq) -> Result<bool, String> {
        let was_ended = self.ended;
        let drained = self.drain_with_fault(stage, max);
        if was_ended && drained != Drained::default() {
            return Err("something was told after the end".into());
        }
        for event in &drained.events {
            self.hear(stage, event, lost)?;
        }
        if !drained.more {
            self.position = stage.hub.relayed();
            self.unfollowed.clear();
        }
        if self.fault == Fault::None && drained.events.len() > max + stage.rooms.len() + 1 {
            return Err("one drain gave far too much".into());
        }
        Ok(drained.more)
    }

    fn hear(&mut self, stage: &Stage, event: &Event, lost: Seq) -> Result<(), String> {
        match event {
            Event::Change { change, reach } => {
                stage.saw("change");
                if reach.own {
                    self.own.push(change.seq);
                }
                if reach.room || reach.mine {
                    self.may_hear(stage, change)?;
                }
                let room = room_of(change);
                self.tell(reach.room.then_some(room.cloned()), Told::Change(change.seq))?;
                self.tell(reach.mine.then_some(None), Told::Change(change.seq))?;
                self.position = change.seq;
            }
            Event::RoomRevoked { room, at, reach } => {
                stage.saw("revoked");
                self.tell(reach.room.then(|| Some(room.clone())), Told::Revoked(room.clone(), *at))?;
                self.tell(reach.mine.then_some(None), Told::Revoked(room.clone(), *at))?;
            }
            Event::Resync { since } => {
                stage.saw("resync");
                if !self.may_have_lost(stage, lost) {
                    return Err(format!("a resync since {since} though nothing was lost up to {lost}"));
                }
                self.has_seen_until(stage, *since)?;
                self.follows.clear();
                self.own.clear();
                self.own_after = self.own_after.max(stage.hub.relayed());
                self.position = stage.hub.relayed();
            }
            Event::Ended(_) => {
                stage.saw("ended");
                let end = self.end(stage).ok_or("an end that never happened")?;
                if !self.may_have_lost(stage, lost) {
                    self.has_seen_until(stage, end)?;
                }
                self.ended = true;
                self.follows.clear();
            }
            Event::Signal(_) => return Err("nobody signals here".into()),
        }
        Ok(())
    }

    fn tell(&mut self, follow: Option<Option<RoomId>>, told: Told) -> Result<(), String> {
        let Some(room) = follow else { return Ok(()) };
        let follow = self.follows.iter_mut().find(|follow| follow.room == room);
        follow.ok_or_else(|| format!("{told:?} for {room:?}, which is not followed"))?.told.push(told);
        Ok(())
    }

    /// The promise that matters most, straight from the policy: a stranger never reads.
    fn may_hear(&self, stage: &Stage, change: &Change) -> Result<(), String> {
        let own_leaving = matches!(&change.what, What::Left { user, .. } if *user == self.who.user);
        if own_leaving || matches!(change.what, What::RoomRemoved { .. }) {
            return Ok(());
        }
        let room = room_of(change).ok_or("a follow told of a Change without a room")?.clone();
        let reader = (self.who.user.clone(), room);
        let allowed = stage.readers[change.seq.0 as usize - 1].contains(&reader);
        // A permit lets read what was said before it, too.
        let later = self.follows.iter().any(|follow| follow.as_of >= change.seq);
        if allowed || later { Ok(()) } else { Err(format!("{reader:?} may not read {}", change.seq)) }
    }

    /// Whether something that could be for this listener lies beyond the tail.
    fn may_have_lost(&self, stage: &Stage, lost: Seq) -> bool {
        let behind = after(stage, self.position).take_while(|change| change.seq <= lost);
        behind.into_iter().any(|change| {
            let follows = |room: &RoomId| {
                let followed = self.follows.iter().map(|follow| &follow.room);
                followed.chain(&self.unfollowed).any(|f| f.as_ref().is_none_or(|followed| followed == room))
            };
            is_own(change, &self.who.user) || room_of(change).is_some_and(follows)
        })
    }

    /// The place where everything ends for this listener, if it does.
    fn end(&self, stage: &Stage) -> Option<Seq> {
        let ends = |change: &&Arc<Change>| match &change.what {
            What::TokenRevoked { hash, .. } => {
                self.who.token == Some(*hash) && is_own(change, &self.who.user)
            }
            What::UserRemoved { user, .. } => *user == self.who.user,
            What::UserChanged(user) => user.id == self.who.user && !user.active,
            _ => false,
        };
        after(stage, self.own_after).find(ends).map(|change| change.seq)
    }

    pub fn has_seen_all(&self, stage: &Stage) -> Result<(), String> {
        if self.ended {
            return Ok(());
        }
        match self.end(stage) {
            Some(end) => Err(format!("the end at {end} was never told")),
            None => self.has_seen_until(stage, stage.as_of()),
        }
    }

    fn has_seen_until(&self, stage: &Stage, until: Seq) -> Result<(), String> {
        let end = self.end(stage).unwrap_or(Seq(u64::MAX));
        let own = after(stage, self.own_after).take_while(|change| change.seq < end);
        let own: Vec<Seq> = own.filter(|change| is_own(change, &self.who.user)).map(|c| c.seq).collect();
        let at_least = own.iter().take_while(|seq| **seq <= until).count();
        if !own.starts_with(&self.own) || self.own.len() < at_least {
            return Err(differ(&own, &self.own));
        }
        for follow in &self.follows {
            let at_least = self.expected(stage, follow, until).len();
            let expected = self.expected(stage, follow, stage.hub.relayed());
            if !expected.starts_with(&follow.told) || follow.told.len() < at_least {
                return Err(format!("{:?}: {}", follow.room, differ(&expected, &follow.told)));
            }
        }
        Ok(())
    }

    /// What a follow is told up to a place.
    fn expected(&self, stage: &Stage, follow: &Follow, until: Seq) -> Vec<Told> {
        let end = self.end(stage).unwrap_or(Seq(u64::MAX));
        let mut rights = follow.permits.clone();
        let mut told = Vec::new();
        for change in after(stage, follow.as_of).take_while(|c| c.seq <= until && c.seq < end) {
            if let What::Joined(joined) = &change.what
                && joined.user == self.who.user
                && (rights.contains_key(&joined.room) || follow.room.is_none())
                && !is_device(stage, &self.who.user, change.seq)
            {
                rights.insert(joined.room.clone(), ReadsBy::Membership);
            }
            let before = rights.clone();
            rights.retain(|room, by| !self.ends(stage, change, room, by));
            let hears = match change.what {
                What::RoomChanged { .. } => &rights,
                _ => &before,
            };
            if room_of(change).is_some_and(|room| hears.contains_key(room)) {
                told.push(Told::Change(change.seq));
            }
            let gone = before.into_keys().filter(|room| !rights.contains_key(room));
            told.extend(gone.map(|room| Told::Revoked(room, change.seq)));
        }
        told
    }

    /// Whether the right to a room ends with this Change.
    fn ends(&self, stage: &Stage, change: &Change, room: &RoomId, by: &mut ReadsBy) -> bool {
        match &change.what {
            What::Left { room: left, user, .. } => left == room && *user == self.who.user,
            What::RoomRemoved { room: gone, .. } => gone == room,
            What::RoomChanged { room: now, .. } => {
                now.id == *room && now.kind != RoomKind::Public && *by == ReadsBy::OpenRoom
            }
            What::DeviceSet(device) if device.user == self.who.user => {
                *by = ReadsBy::Binding;
                !device.bindings.iter().any(|binding| binding.room == *room && binding.read)
            }
            What::UserChanged(user) if user.id == self.who.user => {
                *by != ReadsBy::Membership && user.roles != roles_before(stage, &user.id, change.seq)
            }
            What::PermissionsSet(table) => {
                let roles = roles_before(stage, &self.who.user, change.seq);
                *by == ReadsBy::OpenRoom && !table.allow(roles, Permission::VIEW_C_ROOM)
            }
            _ => false,
        }
    }

    /// Whether a Change makes permits unsure.
    fn spoils(&self, change: &Change, permits: &BTreeMap<RoomId, ReadsBy>) -> bool {
        let user = &self.who.user;
        permits.iter().any(|(room, by)| match &change.what {
            What::Left { room: left, user: who, .. } => left == room && who == user,
            What::RoomRemoved { room: gone, .. } => gone == room,
            What::RoomChanged { room: now, .. } => {
                now.id == *room && now.kind != RoomKind::Public && *by == ReadsBy::OpenRoom
            }
            What::DeviceSet(device) => {
                device.user == *user && !device.bindings.iter().any(|binding| binding.room == *room)
            }
            What::UserChanged(now) => now.id == *user && *by != ReadsBy::Membership,
            What::PermissionsSet(_) => *by == ReadsBy::OpenRoom,
            _ => false,
        })
    }

    fn drain_with_fault(&mut self, stage: &Stage, max: usize) -> Drained {
        let mut drained = self.listener.drain(max);
        let events = &mut drained.events;
        match self.fault {
            Fault::None => {}
            Fault::Skips if drained.more => drop(events.pop()),
            Fault::Skips => {}
            Fault::Repeats => events.extend(events.last().filter(|_| drained.more).cloned()),
            Fault::IgnoresRevocation => {
                let revoked = |event: &Event| matches!(event, Event::RoomRevoked { .. });
                let told_on = events.iter().position(revoked).map(|at| events.remove(at));
                if let Some(Event::RoomRevoked { room, at, reach }) = told_on {
                    let next = after(stage, at).find(|change| room_of(change) == Some(&room)).cloned();
                    events.extend(next.map(|change| Event::Change { change, reach }));
                }
            }
            Fault::OutlivesItsEnd => events.retain(|event| !matches!(event, Event::Ended(_))),
        }
        drained
    }
}

fn after(stage: &Stage, seq: Seq) -> impl Iterator<Item = &Arc<Change>> {
    stage.log[seq.0 as usize..].iter()
}

fn room_of(change: &Change) -> Option<&RoomId> {
    match &change.what {
        What::Posted { message, .. } => Some(&message.room),
        What::Joined(joined) => Some(&joined.room),
        What::RoomMade(room) | What::RoomChanged { room, .. } => Some(&room.id),
        What::Left { room, .. } | What::RoomRemoved { room, .. } => Some(room),
        _ => None,
    }
}

fn is_own(change: &Change, user: &UserId) -> bool {
    let audiences = change.audiences();
    audiences.contains(&Audience::All) || audiences.contains(&Audience::User(user.clone()))
}

fn roles_before(stage: &Stage, user: &UserId, seq: Seq) -> Roles {
    let earlier = stage.log[..seq.0 as usize - 1].iter().rev();
    let mut records = earlier.filter_map(|change| match &change.what {
        What::UserAdded(record) | What::UserChanged(record) if record.id == *user => Some(record.roles),
        _ => None,
    });
    records.next().unwrap_or_default()
}

fn is_device(stage: &Stage, user: &UserId, seq: Seq) -> bool {
    let record =
        |change: &Arc<Change>| matches!(&change.what, What::DeviceSet(device) if device.user == *user);
    stage.log[..seq.0 as usize - 1].iter().any(record)
}

fn differ(expected: &impl std::fmt::Debug, told: &impl std::fmt::Debug) -> String {
    format!("expected {expected:?}\n told {told:?}")
}
