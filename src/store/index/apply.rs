//! How the index follows a Change: which keys it writes. Applying the same Changes again, in order, gives the
//! same index, because a start replays what a checkpoint had not reached.

use crate::base::id::{RoomId, Seq, UserId};
use crate::base::limits::{
    BLOCK_ENTRIES_MAX, MEMBERSHIPS_MAX, ROOM_TAILS_MAX, SCAN_ENTRIES_MAX, WAYMARK_CHANGES,
};
use crate::base::time::WallMs;
use crate::chat::change::{Change, Via, What};
use crate::chat::membership::{Membership, ReadMark};
use crate::chat::message::Message;
use crate::chat::room::Room;
use crate::chat::user::User;
use crate::store::error::StoreError;
use crate::store::index::catalog::{Catalog, RoomTail};
use crate::store::index::kv::{Order, Shelf, Write};
use crate::store::index::times;
use crate::store::journal::Pos;
use crate::store::keys::{self, Key, end_of, text_after};
use crate::store::record;
use crate::store::record::RecordError;
use crate::store::record::block::Entry;
use std::collections::HashMap;

/// Where a Change lies in the journal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place {
    /// Its frame.
    pub pos: Pos,
    /// The beginning of its group.
    pub group: Pos,
}

/// Follows Changes; keeps in mind where the histories of busy rooms end.
#[derive(Default)]
pub struct Follower {
    tails: HashMap<RoomId, RoomTail>,
    /// The newest time of all Changes, once it was looked up.
    newest: Option<WallMs>,
}

impl Follower {
    /// Forgets what it had in mind: after Changes it followed were taken back.
    pub fn forget(&mut self) {
        self.tails.clear();
        self.newest = None;
    }

    /// Where the history of a room ends on this shelf, which is the one that is followed.
    pub fn tail(&self, shelf: &dyn Shelf, room: &RoomId) -> Result<RoomTail, StoreError> {
        match self.tails.get(room) {
            Some(tail) => Ok(*tail),
            None => Ok(shelf.room_tail(room)?.unwrap_or_default()),
        }
    }

    /// The writes that bring `shelf` up to this Change. The caller lays them over the shelf before the next one.
    pub fn follow(
        &mut self,
        shelf: &dyn Shelf,
        change: &Change,
        place: Place,
    ) -> Result<Vec<Write>, StoreError> {
        let mut writes = Writes(Vec::new());
        self.pass(shelf, change, &mut writes)?;
        if change.seq.0.is_multiple_of(WAYMARK_CHANGES) {
            writes.put(keys::waymark(change.seq), &place.group.0.to_be_bytes());
        }
        match &change.what {
            What::Started { .. } => {
                writes.put(keys::NODE.into(), &change.origin.node.to_be_bytes());
                writes.put(keys::BOOT.into(), &change.origin.moment.boot.to_be_bytes());
            }
            What::RoomRemoved { room, name } => {
                if let Some(name) = name {
                    writes.gone(keys::room_name(&name.folded()));
                }
                room_gone(shelf, room, &mut writes)?;
                self.tails.remove(room);
            }
            What::Posted { message, own_id, via } => {
                if *own_id {
                    writes.put(keys::own_id(&message.id), &place.pos.0.to_be_bytes());
                }
                if let Some(via) = via {
                    delivered(shelf, via, &mut writes)?;
                }
                self.posted(shelf, message, place.pos, &mut writes)?;
            }
            What::Revised { message, .. } => {
                revised(shelf, &message.room, message.seq, place.pos, &mut writes)?;
            }
            What::Deleted { room, target, .. } => revised(shelf, room, *target, Pos(0), &mut writes)?,
            What::ClockSet(set) => {
                writes.0.extend(times::turn(shelf, change, set)?);
                self.tails.clear();
            }
            noun => noun_is(shelf, noun, &mut writes)?,
        }
        Ok(writes.0)
    }

    /// Notes how far time has come.
    fn pass(&mut self, shelf: &dyn Shelf, change: &Change, writes: &mut Writes) -> Result<(), StoreError> {
        let before = match self.newest {
            Some(newest) => newest,
            None => shelf.newest_time()?,
        };
        let newest = times::newest(change, before);
        self.newest = Some(newest);
        if newest != before {
            writes.put(keys::NEWEST.into(), &newest.to_be_bytes());
        }
        Ok(())
    }

    fn posted(
        &mut self,
        shelf: &dyn Shelf,
        message: &Message,
        pos: Pos,
        writes: &mut Writes,
    ) -> Result<(), StoreError> {
        let known = match self.tails.get(&message.room) {
            Some(tail) => Some(*tail),
            None => shelf.room_tail(&message.room)?,
        };
        let mut tail = known.unwrap_or_default();
        if known.is_some() && message.seq <= tail.seq {
            return Ok(()); // Replayed: the block has it.
        }
        if tail.count - tail.block >= BLOCK_ENTRIES_MAX as u64 {
            tail.block = tail.count;
        }
        let key = keys::block(&message.room, tail.block);
        let mut block = shelf.get(&key)?.map_or_else(Vec::new, |value| value.to_vec());
        record::block::append_encoded(&mut block, Entry { seq: message.seq, pos: pos.0, at: message.at })?;
        writes.put(key, &block);
        (tail.count, tail.seq, tail.at) = (tail.count + 1, message.seq, message.at);
        author_has_read(shelf, message, tail.count, writes)?;
        if self.tails.len() >= ROOM_TAILS_MAX {
            self.tails.clear();
        }
        self.tails.insert(message.room.clone(), tail);
        Ok(())
    }
}

struct Writes(Vec<Write>);

impl Writes {
    fn put(&mut self, key: Key, value: &[u8]) {
        self.0.push((key, Some(value.into())));
    }

    fn record<T>(
        &mut self,
        key: Key,
        noun: &T,
        encode: impl Fn(&T, &mut Vec<u8>) -> Result<(), RecordError>,
    ) -> Result<(), StoreError> {
        let mut bytes = Vec::with_capacity(128);
        encode(noun, &mut bytes)?;
        self.put(key, &bytes);
        Ok(())
    }

    fn gone(&mut self, key: Key) {
        self.0.push((key, None));
    }
}

/// Follows what says how a noun is now.
fn noun_is(shelf: &dyn Shelf, what: &What, writes: &mut Writes) -> Result<(), StoreError> {
    match what {
        What::UserAdded(user) | What::UserChanged(user) => user_is(shelf, user, writes)?,
        What::UserRemoved { user, username } => user_gone(shelf, user, username.as_str(), writes)?,
        What::RoomMade(room) => room_is(room, writes)?,
        What::RoomChanged { room, former_name } => {
            if let Some(name) = former_name {
                writes.gone(keys::room_name(&name.folded()));
            }
            room_is(room, writes)?;
        }
        What::Joined(membership) | What::MembershipChanged(membership) => member_is(membership, writes)?,
        What::Left { room, user, .. } => member_gone(room, user, writes),
        // When a power cut has let a membership go ahead of its time, its mark must not come back alone.
        What::Read { room, user, mark } if shelf.get(&keys::membership(user, room))?.is_some() => {
            writes.record(keys::read_mark(user, room), mark, record::membership::encode_mark)?;
        }
        What::TokenAdded(token) => {
            writes.record(keys::token(&token.hash), token, record::token::encode)?;
            writes.put(keys::token_of(&token.user, &token.hash), &[]);
        }
        What::TokenRevoked { hash, user } => {
            writes.gone(keys::token(hash));
            writes.gone(keys::token_of(user, hash));
        }
        What::DeviceSet(device) => {
            writes.record(keys::device(&device.user), device, record::device::encode)?;
        }
        What::InvitationSet(invitation) => {
            writes.record(keys::invitation(&invitation.hash), invitation, record::invitation::encode)?;
        }
        What::InvitationGone { hash } => writes.gone(keys::invitation(hash)),
        What::SettingSet { name, value } => {
            let encode = |value: &smol_str::SmolStr, out: &mut Vec<u8>| record::setting::encode(value, out);
            writes.record(keys::setting(name), value, encode)?;
        }
        // The history's and the node's own Changes are followed by the caller; unknown ones write nothing.
        _ => {}
    }
    Ok(())
}

fn user_is(shelf: &dyn Shelf, user: &User, writes: &mut Writes) -> Result<(), StoreError> {
    if let Some(former) = shelf.user(&user.id)? {
        if former.username != user.username {
            writes.gone(keys::username(&former.username.folded()));
        }
        if let Some(email) = former.email.as_ref().filter(|_| former.email != user.email) {
            writes.gone(keys::email(&email.to_lowercase()));
        }
    }
    writes.put(keys::username(&user.username.folded()), user.id.as_str().as_bytes());
    if let Some(email) = &user.email {
        writes.put(keys::email(&email.to_lowercase()), user.id.as_str().as_bytes());
    }
    writes.record(keys::user(&user.id), user, record::user::encode)
}

fn user_gone(
    shelf: &dyn Shelf,
    user: &UserId,
    username: &str,
    writes: &mut Writes,
) -> Result<(), StoreError> {
    if let Some(email) = shelf.user(user)?.and_then(|former| former.email.clone()) {
        writes.gone(keys::email(&email.to_lowercase()));
    }
    writes.gone(keys::username(&username.to_lowercase()));
    for membership in shelf.memberships(user)? {
        member_gone(&membership.room, user, writes);
    }
    for token in shelf.tokens_of(user)? {
        writes.gone(keys::token(&token.hash));
        writes.gone(keys::token_of(user, &token.hash));
    }
    let marks = keys::read_marks(user);
    for (key, _) in shelf.scan(&marks, &end_of(&marks), Order::Up, 2 * MEMBERSHIPS_MAX)? {
        writes.gone(key);
    }
    writes.gone(keys::device(user));
    writes.gone(keys::user(user));
    Ok(())
}

fn room_is(room: &Room, writes: &mut Writes) -> Result<(), StoreError> {
    if let Some(name) = &room.name {
        writes.put(keys::room_name(&name.folded()), room.id.as_str().as_bytes());
    }
    writes.record(keys::room(&room.id), room, record::room::encode)
}

/// Takes the room and who was in it out of the index. Its history blocks stay until compaction: nothing leads to
/// them, since room ids are never used again.
fn room_gone(shelf: &dyn Shelf, room: &RoomId, writes: &mut Writes) -> Result<(), StoreError> {
    let members = keys::members(room);
    for (key, _) in shelf.scan(&members, &end_of(&members), Order::Up, SCAN_ENTRIES_MAX)? {
        if let Some(user) = text_after(&members, &key).and_then(UserId::parse) {
            member_gone(room, &user, writes);
        }
    }
    writes.gone(keys::room(room));
    Ok(())
}

fn member_is(membership: &Membership, writes: &mut Writes) -> Result<(), StoreError> {
    let key = keys::membership(&membership.user, &membership.room);
    writes.record(key, membership, record::membership::encode)?;
    writes.put(keys::member(&membership.room, &membership.user), &[]);
    Ok(())
}

fn member_gone(room: &RoomId, user: &UserId, writes: &mut Writes) {
    writes.gone(keys::membership(user, room));
    writes.gone(keys::member(room, user));
    writes.gone(keys::read_mark(user, room));
}

/// Who has read everything and then speaks has read their own words too.
fn author_has_read(
    shelf: &dyn Shelf,
    message: &Message,
    count: u64,
    writes: &mut Writes,
) -> Result<(), StoreError> {
    let (room, user) = (&message.room, &message.author.id);
    let is_member = shelf.get(&keys::membership(user, room))?.is_some();
    if is_member && shelf.read_mark(room, user)?.count + 1 == count {
        let mark = ReadMark { count, seq: message.seq, at: message.at };
        writes.record(keys::read_mark(user, room), &mark, record::membership::encode_mark)?;
    }
    Ok(())
}

/// The message's newest form lies at `pos` now; 0 says that it is gone.
fn revised(
    shelf: &dyn Shelf,
    room: &RoomId,
    seq: Seq,
    pos: Pos,
    writes: &mut Writes,
) -> Result<(), StoreError> {
    let number = shelf.first_number(room, &|entry: &Entry| entry.seq >= seq)?;
    let Some((first, mut block)) = shelf.block_at(room, number)? else { return Ok(()) };
    if block.set_pos(seq, pos.0) {
        let mut bytes = Vec::new();
        block.encode(&mut bytes);
        writes.put(keys::block(room, first), &bytes);
    }
    Ok(())
}

fn delivered(shelf: &dyn Shelf, via: &Via, writes: &mut Writes) -> Result<(), StoreError> {
    let known = shelf.bridge(&via.bridge)?;
    writes.put(keys::bridge(&via.bridge), &record::bridge::with(known.as_deref(), via)?);
    Ok(())
}
