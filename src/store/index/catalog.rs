//! The nouns of the index, read through any shelf: the settled index, or the writer's view with what is pending.

use crate::base::id::{MessageId, RoomId, Seq, UserId};
use crate::base::limits::{MEMBERSHIPS_MAX, TOKENS_PER_USER_MAX};
use crate::base::time::WallMs;
use crate::chat::change::Via;
use crate::chat::device::Device;
use crate::chat::invitation::Invitation;
use crate::chat::membership::{Membership, ReadMark};
use crate::chat::permission::Permissions;
use crate::chat::room::Room;
use crate::chat::token::{Token, TokenHash};
use crate::chat::user::User;
use crate::store::error::StoreError;
use crate::store::index::kv::{Shelf, Value};
use crate::store::index::times::Times;
use crate::store::journal::Pos;
use crate::store::keys::{self, Key, end_of, text_after};
use crate::store::record;
use crate::store::record::block::{Block, Entry};
use crate::store::record::own_id::OwnId;
use crate::store::record::trimmed::Trimmed;
use smol_str::SmolStr;
use std::sync::Arc;

/// Where the history of a room ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct RoomTail {
    /// The number in the room of the first message of the newest block.
    pub block: u64,
    /// Messages posted in the room so far, removed ones included.
    pub count: u64,
    /// The newest message's sequence.
    pub seq: Seq,
    /// The newest message's time, as it is shown.
    pub at: u64,
}

/// Where a message lies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Lying {
    /// Its sequence.
    pub seq: Seq,
    /// The journal's position of its newest form.
    pub pos: Pos,
    /// Its number in the room, counted from 0.
    pub number: u64,
}

fn nouns<T>(
    shelf: &(impl Shelf + ?Sized),
    prefix: &[u8],
    after: Option<&[u8]>,
    max: usize,
    read: impl Fn(&Key, &Value) -> Result<Option<T>, StoreError>,
) -> Result<Vec<T>, StoreError> {
    let from = match after {
        // The smallest key after this one.
        Some(after) => [after, &[0]].concat(),
        None => prefix.to_vec(),
    };
    let found = shelf.scan(&from, &end_of(prefix), max)?;
    found.iter().filter_map(|(key, value)| read(key, value).transpose()).collect()
}

fn id_in<T>(value: &[u8], parse: impl Fn(&str) -> Option<T>) -> Result<T, StoreError> {
    let id = std::str::from_utf8(value).ok().and_then(parse);
    id.ok_or_else(|| StoreError::Index("an id in it is damaged".into()))
}

/// Nouns by id, name and belonging.
pub trait Catalog: Shelf {
    /// The newest time that the node's own clock told: what is shown was never later, but for what a wrong clock of an
    /// earlier start left in a room.
    fn newest_time(&self) -> Result<WallMs, StoreError> {
        let value = self.get(keys::NEWEST)?;
        Ok(value.map_or(0, |value| value.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))))
    }

    /// A user by id.
    fn user(&self, id: &UserId) -> Result<Option<Arc<User>>, StoreError> {
        let Some(value) = self.get(&keys::user(id))? else { return Ok(None) };
        Ok(Some(Arc::new(record::user::decode(&value)?)))
    }

    /// A user by username, whatever its case.
    fn user_named(&self, name: &str) -> Result<Option<Arc<User>>, StoreError> {
        match self.get(&keys::username(&name.to_lowercase()))? {
            Some(id) => self.user(&id_in(&id, UserId::parse)?),
            None => Ok(None),
        }
    }

    /// A user by e-mail address, whatever its case.
    fn user_of_email(&self, email: &str) -> Result<Option<Arc<User>>, StoreError> {
        match self.get(&keys::email(&email.to_lowercase()))? {
            Some(id) => self.user(&id_in(&id, UserId::parse)?),
            None => Ok(None),
        }
    }

    /// At most `max` users in the order of their folded names, after this name.
    fn users(&self, after: Option<&str>, max: usize) -> Result<Vec<Arc<User>>, StoreError> {
        let after = after.map(keys::username);
        nouns(self, &keys::usernames(), after.as_deref(), max, |_, id| self.user(&id_in(id, UserId::parse)?))
    }

    /// A room by id.
    fn room(&self, id: &RoomId) -> Result<Option<Arc<Room>>, StoreError> {
        let Some(value) = self.get(&keys::room(id))? else { return Ok(None) };
        Ok(Some(Arc::new(record::room::decode(&value)?)))
    }

    /// A room by name, whatever its case.
    fn room_named(&self, name: &str) -> Result<Option<Arc<Room>>, StoreError> {
        match self.get(&keys::room_name(&name.to_lowercase()))? {
            Some(id) => self.room(&id_in(&id, RoomId::parse)?),
            None => Ok(None),
        }
    }

    /// At most `max` named rooms in the order of their folded names, after this name.
    fn rooms(&self, after: Option<&str>, max: usize) -> Result<Vec<Arc<Room>>, StoreError> {
        let after = after.map(keys::room_name);
        nouns(self, &keys::room_names(), after.as_deref(), max, |_, id| self.room(&id_in(id, RoomId::parse)?))
    }

    /// A user's place in a room.
    fn membership(&self, room: &RoomId, user: &UserId) -> Result<Option<Membership>, StoreError> {
        match self.get(&keys::membership(user, room))? {
            Some(value) => Ok(Some(record::membership::decode(&value)?)),
            None => Ok(None),
        }
    }

    /// All places of a user; at most [`MEMBERSHIPS_MAX`].
    fn memberships(&self, user: &UserId) -> Result<Vec<Membership>, StoreError> {
        let prefix = keys::memberships(user);
        nouns(self, &prefix, None, MEMBERSHIPS_MAX, |_, value| Ok(Some(record::membership::decode(value)?)))
    }

    /// At most `max` members of a room in the order of their ids, after this one.
    fn members(&self, room: &RoomId, after: Option<&UserId>, max: usize) -> Result<Vec<UserId>, StoreError> {
        let prefix = keys::members(room);
        let after = after.map(|user| keys::member(room, user));
        nouns(self, &prefix, after.as_deref(), max, |key, _| {
            Ok(text_after(&prefix, key).and_then(UserId::parse))
        })
    }

    /// How far a user has read in a room.
    fn read_mark(&self, room: &RoomId, user: &UserId) -> Result<ReadMark, StoreError> {
        match self.get(&keys::read_mark(user, room))? {
            Some(value) => Ok(record::membership::decode_mark(&value)?),
            None => Ok(ReadMark::default()),
        }
    }

    /// A token by its hash.
    fn token(&self, hash: &TokenHash) -> Result<Option<Token>, StoreError> {
        match self.get(&keys::token(hash))? {
            Some(value) => Ok(Some(record::token::decode(&value)?)),
            None => Ok(None),
        }
    }

    /// At most `max` tokens in the order of their hashes, after this one.
    fn tokens(&self, after: Option<&TokenHash>, max: usize) -> Result<Vec<Token>, StoreError> {
        let after = after.map(keys::token);
        nouns(self, &keys::tokens(), after.as_deref(), max, |_, value| {
            Ok(Some(record::token::decode(value)?))
        })
    }

    /// The tokens of a user.
    fn tokens_of(&self, user: &UserId) -> Result<Vec<Token>, StoreError> {
        let prefix = keys::tokens_of(user);
        nouns(self, &prefix, None, 2 * TOKENS_PER_USER_MAX, |key, _| {
            match key.strip_prefix(&*prefix).and_then(|hash| hash.try_into().ok()) {
                Some(hash) => self.token(&TokenHash(hash)),
                None => Ok(None),
            }
        })
    }

    /// The device record of a user.
    fn device(&self, user: &UserId) -> Result<Option<Arc<Device>>, StoreError> {
        match self.get(&keys::device(user))? {
            Some(value) => Ok(Some(Arc::new(record::device::decode(&value)?))),
            None => Ok(None),
        }
    }

    /// At most `max` devices in the order of their ids, after this one.
    fn devices(&self, after: Option<&UserId>, max: usize) -> Result<Vec<Device>, StoreError> {
        let after = after.map(keys::device);
        nouns(self, &keys::devices(), after.as_deref(), max, |_, value| {
            Ok(Some(record::device::decode(value)?))
        })
    }

    /// An invitation by the hash of its code.
    fn invitation(&self, hash: &TokenHash) -> Result<Option<Invitation>, StoreError> {
        match self.get(&keys::invitation(hash))? {
            Some(value) => Ok(Some(record::invitation::decode(&value)?)),
            None => Ok(None),
        }
    }

    /// At most `max` invitations.
    fn invitations(&self, max: usize) -> Result<Vec<Invitation>, StoreError> {
        nouns(self, &keys::invitations(), None, max, |_, value| Ok(Some(record::invitation::decode(value)?)))
    }

    /// A setting's value as JSON text.
    fn setting(&self, name: &str) -> Result<Option<SmolStr>, StoreError> {
        match self.get(&keys::setting(name))? {
            Some(value) => Ok(Some(record::setting::decode(&value)?)),
            None => Ok(None),
        }
    }

    /// What roles may do.
    fn permissions(&self) -> Result<Permissions, StoreError> {
        match self.get(keys::PERMISSIONS)? {
            Some(value) => Ok(record::permissions::decode(&value)?),
            None => Ok(Permissions::default()),
        }
    }

    /// Whether this delivery is among the newest of its bridge.
    fn is_delivered(&self, via: &Via) -> Result<bool, StoreError> {
        match self.get(&keys::delivery(&via.bridge, via.packet))? {
            Some(value) => Ok(record::delivery::is(&value, via)?),
            None => Ok(false),
        }
    }

    /// Where the history of a room ends; `None` before its first message.
    fn room_tail(&self, room: &RoomId) -> Result<Option<RoomTail>, StoreError> {
        let prefix = keys::blocks(room);
        let found = self.scan(&prefix, &end_of(&prefix), 1)?;
        let Some((key, value)) = found.first() else {
            let gone = |Trimmed { first, seq, at, .. }| RoomTail { block: first, count: first, seq, at };
            return Ok(self.trimmed(room)?.map(gone));
        };
        let block =
            keys::block_first(key).ok_or_else(|| StoreError::Index("a block's key is too short".into()))?;
        let head = record::block::head(value)?;
        let at = self.turned_of(head.last.seq)?.map_or(head.last.at, |turned| turned.shown(head.last.at));
        Ok(Some(RoomTail { block, count: block + head.count as u64, seq: head.last.seq, at }))
    }

    /// The block of a room's history in which this number lies, with the number of its first entry.
    fn block_at(&self, room: &RoomId, number: u64) -> Result<Option<(u64, Block)>, StoreError> {
        let found = self.scan(&keys::block(room, number), &end_of(&keys::blocks(room)), 1)?;
        let Some((key, value)) = found.first() else { return Ok(None) };
        let first =
            keys::block_first(key).ok_or_else(|| StoreError::Index("a block's key is too short".into()))?;
        Ok(Some((first, Block::decode(value)?)))
    }

    /// The number in the room of the first message for which `is_after` holds, given that it holds for all after
    /// it; the room's count when there is none. Looks at a few blocks, however long the history is.
    fn first_number(&self, room: &RoomId, is_after: &dyn Fn(&Entry) -> bool) -> Result<u64, StoreError> {
        let Some(tail) = self.room_tail(room)? else { return Ok(0) };
        let (mut low, mut high) = (0, tail.count);
        // Everything before `low` is not after, everything from `high` on is.
        while low < high {
            let middle = low + (high - low) / 2;
            let Some((first, block)) = self.block_at(room, middle)? else {
                // What was before the first block is gone.
                low = middle + 1;
                continue;
            };
            let end = first + block.entries().len() as u64;
            if middle >= end {
                // Without this a hole would make the search go on for ever.
                return Err(StoreError::Index("a block of a room's history is missing".into()));
            }
            match first + block.entries().partition_point(|entry| !is_after(entry)) as u64 {
                split if split == first => high = first,
                split if split == end => low = end,
                split => return Ok(split),
            }
        }
        Ok(low)
    }

    /// Where the message of this sequence lies in this room; `None` when it is not there or was removed.
    fn lying(&self, room: &RoomId, seq: Seq) -> Result<Option<Lying>, StoreError> {
        let number = self.first_number(room, &|entry| entry.seq >= seq)?;
        let Some((first, block)) = self.block_at(room, number)? else { return Ok(None) };
        let entry = number.checked_sub(first).and_then(|at| block.entries().get(at as usize));
        Ok(entry.filter(|entry| entry.seq == seq && entry.pos != 0).map(|entry| Lying {
            seq,
            pos: Pos(entry.pos),
            number,
        }))
    }

    /// The entry of a message in its room's history; `None` when it has no place there.
    fn entry(&self, room: &RoomId, seq: Seq) -> Result<Option<Entry>, StoreError> {
        let number = self.first_number(room, &|entry| entry.seq >= seq)?;
        Ok(self.block_at(room, number)?.and_then(|(_, block)| block.find(seq)))
    }

    /// How far the oldest messages of a room are gone.
    fn trimmed(&self, room: &RoomId) -> Result<Option<Trimmed>, StoreError> {
        match self.get(&keys::trimmed(room))? {
            Some(value) => Ok(Some(record::trimmed::decode(&value)?)),
            None => Ok(None),
        }
    }

    /// Where the message of a client's own id stands.
    fn own_id(&self, id: &MessageId) -> Result<Option<OwnId>, StoreError> {
        match self.get(&keys::own_id(id))? {
            Some(value) => Ok(Some(record::own_id::decode(&value)?)),
            None => Ok(None),
        }
    }

    /// The beginning of a group at or before this sequence.
    fn waymark(&self, seq: Seq) -> Result<Option<(Seq, Pos)>, StoreError> {
        let found = self.scan(&keys::waymark(seq), &end_of(&keys::waymarks()), 1)?;
        let Some((key, value)) = found.first() else { return Ok(None) };
        let place = value[..].try_into().ok().map(|bytes| Pos(u64::from_be_bytes(bytes)));
        Ok(keys::waymark_seq(key).zip(place))
    }
}

impl<T: Shelf + ?Sized> Catalog for T {}
