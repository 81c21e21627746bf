//! Rooms as topics: `linnet/room/<room>/post` says something there, `linnet/room/<room>/msg` hears what is said.
//!
//! Who may, the room says, not the filters of a device. What is said is followed as in other doors; a session that
//! outlives its connection hears what was said meanwhile from the room's history.

mod line;

use super::connection::{Connection, End};
use super::outbound::KEY_ENDED;
use super::persistent::at_ms;
use super::session::Delivery;
use crate::base::id::{RoomId, Seq};
use crate::base::limits::{FOLLOWED_ROOMS_MAX, MQTT_EVENTS_AT_ONCE, PAGE_MESSAGES_MAX, STALE_RETRIES_MAX};
use crate::chat::change::{Change, What};
use crate::chat::message::{Message, MessageKind};
use crate::chat::publication::{Publication, Qos};
use crate::chat::refusal::Refusal;
use crate::chat::room::Room;
use crate::chat::topic::{Filter, Topic};
use crate::delivery::{Event, Listener, Refused, Who};
use crate::node::{Caller, Catalog, NodeHandle, Reading, refuse};
use line::Line;
use smol_str::SmolStr;
use std::sync::Arc;
use std::task::Context;

/// What the topics of all rooms begin with.
const ROOMS: &str = "linnet/room/";

/// The room that a publication to this topic is said in.
pub fn said_in(topic: &Topic) -> Option<&str> {
    let room = topic.as_str().strip_prefix(ROOMS)?.strip_suffix("/post")?;
    (!room.contains('/')).then_some(room)
}

/// Whether a filter is about rooms and nothing else.
pub fn is_of_rooms(filter: &Filter) -> bool {
    filter.as_str().starts_with(ROOMS)
}

/// Whether a filter matches what is said in some room: `linnet/room/+/msg`, and `#` as well.
pub fn hears_rooms(filter: &Filter) -> bool {
    let mut wanted = filter.as_str().split('/');
    for level in ["linnet", "room", "", "msg"] {
        match wanted.next() {
            Some("#") => return true,
            Some("+") => {}
            Some(name) if level.is_empty() || name == level => {}
            _ => return false,
        }
    }
    matches!(wanted.next(), None | Some("#"))
}

/// A room by name or id. Whether the caller may know of it, the node says where it is used.
pub fn named(reading: &Reading, name: &str) -> Result<RoomId, Refusal> {
    if let Some(room) = reading.room_named(name).map_err(refuse)? {
        return Ok(room.id.clone());
    }
    let by_id = RoomId::parse(name).map(|id| reading.room(&id)).transpose().map_err(refuse)?;
    by_id.flatten().map(|room| room.id.clone()).ok_or(Refusal::NoSuchRoom)
}

/// The topic of what is said in a room.
fn topic_of(room: &Room) -> Option<Topic> {
    Topic::parse(&format!("{ROOMS}{}/msg", room.label())).ok()
}

/// The rooms that a caller hears by a filter: one that it names must be there.
fn rooms_of(reading: &Reading, caller: &Caller, filter: &Filter) -> Result<Vec<Arc<Room>>, Refusal> {
    let actor = reading.actor(caller)?;
    if let Some(name) = filter.as_str().strip_prefix(ROOMS).and_then(|rest| rest.strip_suffix("/msg"))
        && filter.is_literal()
    {
        return Ok(vec![reading.room_for(&actor, name)?.0]);
    }
    let ids: Vec<RoomId> = match &actor.device {
        Some(device) => device.bindings.iter().map(|binding| binding.room.clone()).collect(),
        None => reading.places(&actor)?.into_iter().map(|place| place.room.id.clone()).collect(),
    };
    let rooms = ids.iter().filter_map(|id| Some(reading.room_for(&actor, id.as_str()).ok()?.0));
    Ok(rooms.filter(|room| topic_of(room).is_some_and(|topic| filter.matches(&topic))).collect())
}

/// The rooms a client hears.
pub struct Rooms {
    listener: Listener,
    followed: Vec<Followed>,
}

struct Followed {
    room: Arc<Room>,
    topic: Topic,
    /// What was said up to here was told.
    told: Seq,
    /// What was said up to here is read from the room's history.
    as_of: Seq,
}

impl Rooms {
    fn listen(node: &NodeHandle, caller: &Caller) -> Result<Rooms, Refusal> {
        for _ in 0..STALE_RETRIES_MAX {
            let (as_of, actor) = node.read(|reading| Ok((reading.newest(), reading.actor(caller)?)))?;
            let token = if let Caller::Token(hash) = caller { Some(*hash) } else { None };
            let who = Who { user: actor.user.id.clone(), roles: actor.user.roles, token };
            match node.hub.attach(who, as_of) {
                Ok(listener) => return Ok(Rooms { listener, followed: Vec::new() }),
                Err(Refused::Stale) => {}
                Err(_) => break,
            }
        }
        Err(Refusal::Busy)
    }

    /// The first place up to which a room that is read from its history was told.
    pub fn behind(&self) -> Option<Seq> {
        self.followed.iter().filter(|known| known.told < known.as_of).map(|known| known.told).min()
    }

    /// Follows a room, from `told` on or from now on.
    fn follow(
        &mut self,
        node: &NodeHandle,
        caller: &Caller,
        room: &RoomId,
        told: Option<Seq>,
    ) -> Result<(), Refusal> {
        for _ in 0..STALE_RETRIES_MAX {
            let (room, granted) =
                node.read(|reading| reading.room_for(&reading.actor(caller)?, room.as_str()))?;
            let Some(topic) = topic_of(&room) else { return Err(Refusal::NoSuchRoom) };
            match self.listener.follow_room(granted.permit, granted.as_of) {
                Ok(()) => {
                    self.followed.retain(|known| known.room.id != room.id);
                    let (as_of, told) = (granted.as_of, told.unwrap_or(granted.as_of));
                    self.followed.push(Followed { room, topic, told, as_of });
                    return Ok(());
                }
                Err(Refused::Stale) => {}
                Err(Refused::TooManyRooms) => {
                    return Err(Refusal::TooMany {
                        what: "rooms that one client hears",
                        max: FOLLOWED_ROOMS_MAX,
                    });
                }
                Err(_) => break,
            }
        }
        Err(Refusal::Busy)
    }

    /// Knows a room by its new name.
    fn rename(&mut self, room: &Room) {
        let known = self.followed.iter_mut().find(|known| known.room.id == room.id);
        if let (Some(known), Some(topic)) = (known, topic_of(room)) {
            (known.room, known.topic) = (Arc::new(room.clone()), topic);
        }
    }
}

impl Connection {
    /// Follows the rooms of a filter, from `told` on or from now on.
    pub(super) fn follow_rooms(&mut self, filter: &Filter, told: Option<Seq>) -> Result<(), Refusal> {
        if self.caller == Caller::Anonymous && !filter.is_literal() {
            // No room is, or will ever be, that of somebody who showed nothing.
            return Ok(());
        }
        let node = &self.broker.node;
        let wanted = node.read(|reading| rooms_of(reading, &self.caller, filter))?;
        let rooms = match &mut self.rooms {
            Some(rooms) => rooms,
            none => none.insert(Box::new(Rooms::listen(node, &self.caller)?)),
        };
        for room in wanted {
            if !rooms.followed.iter().any(|known| known.room.id == room.id) {
                rooms.follow(node, &self.caller, &room.id, told)?;
            }
        }
        Ok(())
    }

    /// Follows what the session of a client that is back hears, from where it was.
    pub(super) fn follow_rooms_again(&mut self, was_there: bool) {
        let told = was_there.then(|| self.session.heard());
        for filter in self.hears.iter().map(|hears| hears.filter.clone()).collect::<Vec<_>>() {
            if hears_rooms(&filter)
                && let Err(refusal) = self.follow_rooms(&filter, told)
            {
                tracing::info!(client = ?self.session.client, %filter, ?refusal, "a room is heard no longer");
            }
        }
    }

    /// Follows no longer what no filter is about.
    pub(super) fn unfollow_rooms(&mut self) {
        let Some(rooms) = &mut self.rooms else { return };
        let hears = &self.hears;
        let (kept, gone): (Vec<_>, Vec<_>) = std::mem::take(&mut rooms.followed)
            .into_iter()
            .partition(|known| hears.iter().any(|hears| hears.filter.matches(&known.topic)));
        gone.iter().for_each(|known| rooms.listener.unfollow_room(&known.room.id));
        rooms.followed = kept;
        // Those that are joined later are heard by a wildcard.
        if !hears.iter().any(|hears| hears_rooms(&hears.filter)) {
            self.rooms = None;
        }
    }

    /// Tells what is said in rooms; whether there was anything.
    pub(super) fn tell_rooms(&mut self, context: &mut Context<'_>) -> Result<bool, End> {
        let Some(mut rooms) = self.rooms.take() else { return Ok(false) };
        let told = match rooms.followed.iter_mut().find(|known| known.told < known.as_of) {
            Some(known) => self.tell_said(known),
            None => self.tell_saying(&mut rooms, context),
        };
        self.rooms = Some(rooms);
        told
    }

    /// A page of what was said before.
    fn tell_said(&mut self, known: &mut Followed) -> Result<bool, End> {
        let page = self.broker.node.read(|reading| {
            // Asked at each page: a slow reader's right may have ended since.
            let (_, granted) = reading.room_for(&reading.actor(&self.caller)?, known.room.id.as_str())?;
            reading.messages_after(&granted.permit, known.told, PAGE_MESSAGES_MAX)
        });
        let page = page.unwrap_or_default();
        let is_last = page.len() < PAGE_MESSAGES_MAX;
        for message in page.iter().filter(|message| message.seq <= known.as_of) {
            known.told = message.seq;
            self.offer_said(&known.room, &known.topic, message);
        }
        if is_last || page.last().is_some_and(|message| message.seq >= known.as_of) {
            known.told = known.as_of;
        }
        Ok(true)
    }

    fn tell_saying(&mut self, rooms: &mut Rooms, context: &mut Context<'_>) -> Result<bool, End> {
        if rooms.listener.poll_ready(context).is_pending() {
            return Ok(false);
        }
        for event in rooms.listener.drain(MQTT_EVENTS_AT_ONCE).events {
            match event {
                Event::Change { change, .. } => self.tell_change(rooms, &change),
                Event::RoomRevoked { room, at, .. } => self.follow_again(rooms, Some(&room), at),
                Event::Resync { since } => {
                    self.follow_again(rooms, None, since);
                    self.follow_missing(rooms, since);
                }
                Event::Ended(_) => return Err(KEY_ENDED.into()),
                Event::Signal(_) => {}
            }
        }
        Ok(true)
    }

    fn tell_change(&mut self, rooms: &mut Rooms, change: &Change) {
        match &change.what {
            What::Posted { message, .. } => {
                let known = rooms.followed.iter_mut().find(|known| known.room.id == message.room);
                if let Some(known) = known.filter(|known| known.told < change.seq) {
                    known.told = change.seq;
                    self.offer_said(&known.room, &known.topic, message);
                }
            }
            What::RoomChanged { room, .. } => rooms.rename(room),
            What::Joined(membership) if membership.user == self.session.user => {
                self.follow_new(rooms, &membership.room, change.seq);
            }
            What::DeviceSet(device) if device.user == self.session.user => {
                self.follow_missing(rooms, change.seq);
            }
            _ => {}
        }
    }

    /// Follows a room that has just become the client's, if one of its wildcards is about it.
    fn follow_new(&self, rooms: &mut Rooms, room: &RoomId, since: Seq) {
        let node = &self.broker.node;
        let topic = node.read(|reading| {
            let (room, _) = reading.room_for(&reading.actor(&self.caller)?, room.as_str())?;
            Ok(topic_of(&room))
        });
        let Ok(Some(topic)) = topic else { return };
        if self.hears.iter().any(|hears| hears.filter.matches(&topic))
            && !rooms.followed.iter().any(|known| known.room.id == *room)
            && let Err(refusal) = rooms.follow(node, &self.caller, room, Some(since))
        {
            tracing::info!(client = ?self.session.client, %topic, ?refusal, "a new room is not heard");
        }
    }

    /// Follows all rooms that wildcards are about and that are not followed.
    fn follow_missing(&self, rooms: &mut Rooms, since: Seq) {
        let wild = self.hears.iter().map(|hears| &hears.filter);
        for filter in wild.filter(|filter| hears_rooms(filter) && !filter.is_literal()) {
            let wanted = self.broker.node.read(|reading| rooms_of(reading, &self.caller, filter));
            wanted.unwrap_or_default().iter().for_each(|room| self.follow_new(rooms, &room.id, since));
        }
    }

    /// Asks for the right to a room, or to all of them, anew; or it is over.
    fn follow_again(&self, rooms: &mut Rooms, room: Option<&RoomId>, since: Seq) {
        let (again, stays): (Vec<_>, Vec<_>) = std::mem::take(&mut rooms.followed)
            .into_iter()
            .partition(|known| room.is_none_or(|room| known.room.id == *room));
        rooms.followed = stays;
        for known in again.into_iter().filter(|known| self.is_meant(known)) {
            let told = known.told.max(since);
            if let Err(refusal) = rooms.follow(&self.broker.node, &self.caller, &known.room.id, Some(told)) {
                let room = known.room.label();
                tracing::info!(client = ?self.session.client, room, ?refusal, "a room is heard no longer");
            }
        }
    }

    /// Whether a filter names the room, or it is one of the client's own, which are what wildcards are about.
    fn is_meant(&self, known: &Followed) -> bool {
        let is_among = |filter: &Filter| {
            let rooms = self.broker.node.read(|reading| rooms_of(reading, &self.caller, filter));
            rooms.is_ok_and(|rooms| rooms.iter().any(|room| room.id == known.room.id))
        };
        let mut filters = self.hears.iter().map(|hears| &hears.filter);
        filters.any(|filter| filter.matches(&known.topic) && (filter.is_literal() || is_among(filter)))
    }

    fn offer_said(&mut self, room: &Room, topic: &Topic, message: &Message) {
        if message.kind != MessageKind::Said {
            return;
        }
        let is_own = message.author.id == self.session.user;
        let mut heard: Option<(Qos, Vec<u32>)> = None;
        for hears in &self.hears {
            // What a group shares, it shares of the topics that have one publisher: each of it hears a room.
            let is_meant = hears.share.is_none() || is_of_rooms(&hears.filter);
            if is_meant && hears.filter.matches(topic) && !(hears.no_local && is_own) {
                let (qos, ids) = heard.get_or_insert((Qos::Most, Vec::new()));
                // What a room says has a place in its history: once is not promised, at least once is.
                *qos = (*qos).max(hears.qos.min(Qos::Least));
                ids.extend(hears.id);
            }
        }
        let Some((qos, ids)) = heard else { return };
        let payload = serde_json::to_vec(&Line::new(room, message)).expect("texts and numbers make JSON");
        let publication = Arc::new(Publication {
            topic: topic.clone(),
            payload: payload.into(),
            qos,
            retain: false,
            expiry_s: None,
            properties: None,
            by: message.author.id.clone(),
            client: SmolStr::default(),
        });
        let seq = Some(message.seq).filter(|_| qos != Qos::Most);
        let at_ms = self.broker.node.read(|reading| Ok(reading.now())).map_or(0, |now| at_ms(&now, &now));
        self.offer(Delivery {
            publication,
            seq,
            qos,
            retain: false,
            ids,
            at_ms,
            shared: None,
            shared_by: None,
        });
    }
}
