//! How the index follows a Change: which keys it writes. Applying the same Changes again, in order, gives the
//! same index, because a start replays what a checkpoint had not reached.

use crate::base::id::{RoomId, UserId};
use crate::base::limits::{MEMBERSHIPS_MAX, ROOM_TAILS_MAX, SCAN_ENTRIES_MAX, WAYMARK_CHANGES};
use crate::base::time::WallMs;
use crate::chat::change::{Change, Revision, What};
use crate::chat::membership::Membership;
use crate::chat::name::Name;
use crate::chat::question::asked_of;
use crate::chat::room::Room;
use crate::chat::user::User;
use crate::store::error::StoreError;
use crate::store::index::catalog::{Catalog, RoomTail};
use crate::store::index::heard;
use crate::store::index::history;
use crate::store::index::kv::{Shelf, Write};
use crate::store::index::times;
use crate::store::index::topics::{self, Topics};
use crate::store::journal::Pos;
use crate::store::keys::{self, Key, end_of, text_after};
use crate::store::record;
use crate::store::record::RecordError;
use crate::store::record::trimmed::Trimmed;
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
    pub(super) tails: HashMap<RoomId, RoomTail>,
    /// The newest time of all Changes, once it was looked up.
    newest: Option<WallMs>,
    /// Topics that have a retained publication, once they were counted.
    retained: Option<u64>,
}

impl Follower {
    /// Forgets what it had in mind: after Changes it followed were taken back.
    pub fn forget(&mut self) {
        self.tails.clear();
        self.newest = None;
        self.retained = None;
    }

    /// Where the history of a room ends on this shelf, which is the one that is followed.
    pub fn tail(&self, shelf: &dyn Shelf, room: &RoomId) -> Result<RoomTail, StoreError> {
        match self.tails.get(room) {
            Some(tail) => Ok(*tail),
            None => Ok(shelf.room_tail(room)?.unwrap_or_default()),
        }
    }

    /// How many topics have a retained publication on this shelf, which is the one that is followed.
    pub fn retained(&mut self, shelf: &dyn Shelf) -> Result<u64, StoreError> {
        match self.retained {
            Some(retained) => Ok(retained),
            None => Ok(*self.retained.insert(shelf.count_retained()?)),
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
                    name_free(shelf, name, room, &mut writes)?;
                }
                room_gone(shelf, room, &mut writes)?;
                self.tails.remove(room);
            }
            What::ClockSet(set) => {
                writes.0.extend(times::turn(shelf, change, set)?);
                self.tails.clear();
            }
            message => self.follow_message(shelf, change, message, place, &mut writes)?,
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

    fn follow_message(
        &mut self,
        shelf: &dyn Shelf,
        change: &Change,
        what: &What,
        place: Place,
        writes: &mut Writes,
    ) -> Result<(), StoreError> {
        if let What::Posted { via: Some(via), .. }
        | What::Erased { via: Some(via), .. }
        | What::Skipped { via: Some(via), .. } = what
        {
            history::delivered(via, writes);
        }
        let now = change.origin.moment.wall_ms;
        match what {
            What::Posted { message, own_id, .. } => {
                if *own_id {
                    let at = (&message.room, message.seq);
                    writes
                        .record(keys::own_id(&message.id), &at, |at, out| record::own_id::encode(*at, out))?;
                }
                heard::note(shelf, change, message, writes)?;
                self.posted(shelf, message, place.pos, writes)
            }
            What::Revised { message, how } => {
                let edited = matches!(how, Revision::Edited { .. });
                let unwanted = edited.then_some(now);
                history::revised(shelf, &message.room, message.seq, place.pos, unwanted, writes)
            }
            What::Deleted { room, target, .. } => {
                history::revised(shelf, room, *target, Pos(0), Some(now), writes)
            }
            What::Erased { room, at, own_id, .. } => {
                self.erased(shelf, room, (change.seq, *at), own_id.as_ref(), writes)
            }
            What::Skipped { room, count, last, at, .. } => {
                self.skipped(shelf, room, *count, (*last, *at), writes)
            }
            What::Trimmed { room, first, seq, at, upto } => {
                let trimmed = Trimmed { first: *first, seq: *seq, at: *at, upto: *upto };
                self.trimmed(shelf, room, trimmed, now, writes)
            }
            topic if topic.is_about_topics() => {
                topics::follow(shelf, change, place.pos, &mut self.retained, writes)
            }
            noun => noun_is(shelf, noun, writes),
        }
    }

    /// Forgets all when there are too many to keep in mind.
    pub(super) fn make_room(&mut self) {
        if self.tails.len() >= ROOM_TAILS_MAX {
            self.tails.clear();
        }
    }
}

pub(super) struct Writes(Vec<Write>);

impl Writes {
    pub(super) fn put(&mut self, key: Key, value: &[u8]) {
        self.0.push((key, Some(value.into())));
    }

    pub(super) fn record<T>(
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

    pub(super) fn gone(&mut self, key: Key) {
        self.0.push((key, None));
    }
}

/// Follows what says how a noun is now.
fn noun_is(shelf: &dyn Shelf, what: &What, writes: &mut Writes) -> Result<(), StoreError> {
    match what {
        What::UserAdded(user) | What::UserChanged(user) => user_is(shelf, user, writes)?,
        What::UserRemoved { user, username } => user_gone(shelf, user, username.as_str(), writes)?,
        What::RoomMade(room) => room_is(shelf, room, None, writes)?,
        What::RoomChanged { room, former_name } => room_is(shelf, room, former_name.as_ref(), writes)?,
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
        What::PermissionsSet(table) => {
            writes.record(keys::PERMISSIONS.into(), table, record::permissions::encode)?;
        }
        // The history's and the node's own Changes are followed by the caller; unknown ones write nothing.
        _ => {}
    }
    Ok(())
}

// A name is freed only where it still leads to who had it. What led it elsewhere may come earlier in a journal that
// was condensed, because the Changes between were left out.

fn user_is(shelf: &dyn Shelf, user: &User, writes: &mut Writes) -> Result<(), StoreError> {
    if let Some(former) = shelf.user(&user.id)? {
        if former.username != user.username {
            free(shelf, keys::username(&former.username.folded()), user.id.as_str(), writes)?;
        }
        if let Some(email) = former.email.as_ref().filter(|_| former.email != user.email) {
            free(shelf, keys::email(&email.to_lowercase()), user.id.as_str(), writes)?;
        }
    }
    writes.put(keys::username(&user.username.folded()), user.id.as_str().as_bytes());
    if let Some(email) = &user.email {
        writes.put(keys::email(&email.to_lowercase()), user.id.as_str().as_bytes());
    }
    writes.record(keys::user(&user.id), user, record::user::encode)
}

fn free(shelf: &dyn Shelf, key: Key, id: &str, writes: &mut Writes) -> Result<(), StoreError> {
    if shelf.get(&key)?.is_some_and(|value| *value == *id.as_bytes()) {
        writes.gone(key);
    }
    Ok(())
}

fn name_free(shelf: &dyn Shelf, name: &Name, room: &RoomId, writes: &mut Writes) -> Result<(), StoreError> {
    free(shelf, keys::room_name(&name.folded()), room.as_str(), writes)
}

fn user_gone(
    shelf: &dyn Shelf,
    user: &UserId,
    username: &str,
    writes: &mut Writes,
) -> Result<(), StoreError> {
    if let Some(email) = shelf.user(user)?.and_then(|former| former.email.clone()) {
        free(shelf, keys::email(&email.to_lowercase()), user.as_str(), writes)?;
    }
    free(shelf, keys::username(&username.to_lowercase()), user.as_str(), writes)?;
    for membership in shelf.memberships(user)? {
        member_gone(&membership.room, user, writes);
    }
    for token in shelf.tokens_of(user)? {
        writes.gone(keys::token(&token.hash));
        writes.gone(keys::token_of(user, &token.hash));
    }
    let marks = keys::read_marks(user);
    for (key, _) in shelf.scan(&marks, &end_of(&marks), 2 * MEMBERSHIPS_MAX)? {
        writes.gone(key);
    }
    writes.gone(keys::setting(&asked_of(user)));
    writes.gone(keys::device(user));
    writes.gone(keys::heard(user));
    writes.gone(keys::user(user));
    Ok(())
}

fn room_is(
    shelf: &dyn Shelf,
    room: &Room,
    former_name: Option<&Name>,
    writes: &mut Writes,
) -> Result<(), StoreError> {
    let former = shelf.room(&room.id)?;
    for name in former.iter().filter_map(|former| former.name.as_ref()).chain(former_name) {
        name_free(shelf, name, &room.id, writes)?;
    }
    if let Some(name) = &room.name {
        writes.put(keys::room_name(&name.folded()), room.id.as_str().as_bytes());
    }
    writes.record(keys::room(&room.id), room, record::room::encode)
}

/// Takes the room and who was in it out of the index. Its history blocks stay until compaction: nothing leads to
/// them, since room ids are never used again.
fn room_gone(shelf: &dyn Shelf, room: &RoomId, writes: &mut Writes) -> Result<(), StoreError> {
    let members = keys::members(room);
    for (key, _) in shelf.scan(&members, &end_of(&members), SCAN_ENTRIES_MAX)? {
        if let Some(user) = text_after(&members, &key).and_then(UserId::parse) {
            member_gone(room, &user, writes);
        }
    }
    writes.gone(keys::setting(&keys::room_retention(room)));
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
