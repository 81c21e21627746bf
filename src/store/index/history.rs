//! How the index follows what happens to messages: which blocks of a room's history it writes.
//!
//! Blocks begin at numbers that are multiples of their size, or where messages before were skipped: so an index that is
//! rebuilt from condensed segments has the same blocks as the one that followed every Change.

use crate::base::id::{MessageId, RoomId, Seq};
use crate::base::limits::{BLOCK_ENTRIES_MAX, TRIMMED_BLOCKS_MAX};
use crate::base::time::WallMs;
use crate::chat::change::Via;
use crate::chat::membership::ReadMark;
use crate::chat::message::Message;
use crate::store::error::StoreError;
use crate::store::index::apply::{Follower, Writes};
use crate::store::index::catalog::{Catalog, RoomTail};
use crate::store::index::kv::Shelf;
use crate::store::journal::Pos;
use crate::store::keys::{self, end_of};
use crate::store::record;
use crate::store::record::block::{Block, Entry};
use crate::store::record::trimmed::Trimmed;
use std::collections::BTreeMap;

/// Bits of a place that lie within one stretch of the journal whose erasable messages are counted together: 16 KiB.
const STRETCH_BITS: u32 = 14;

/// The stretch of the journal in which a place lies.
pub fn stretch_of(pos: Pos) -> u64 {
    pos.place() >> STRETCH_BITS
}

/// What can be erased in a stretch of the journal.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Erasable {
    /// How many messages were edited or deleted there.
    pub messages: u64,
    /// When the first of them was.
    pub since: WallMs,
}

impl Erasable {
    /// What a value says.
    pub fn decode(bytes: &[u8]) -> Result<Self, StoreError> {
        let number = |at: usize| Some(u64::from_be_bytes(bytes.get(at..at + 8)?.try_into().ok()?));
        match (number(0), number(8)) {
            (Some(messages), Some(since)) => Ok(Erasable { messages, since }),
            _ => Err(StoreError::Index("what can be erased is damaged".into())),
        }
    }

    fn encode(self) -> Vec<u8> {
        [self.messages.to_be_bytes(), self.since.to_be_bytes()].concat()
    }
}

impl Follower {
    fn known_tail(&self, shelf: &dyn Shelf, room: &RoomId) -> Result<Option<RoomTail>, StoreError> {
        match self.tails.get(room) {
            Some(tail) => Ok(Some(*tail)),
            None => shelf.room_tail(room),
        }
    }

    /// Something was said.
    pub(super) fn posted(
        &mut self,
        shelf: &dyn Shelf,
        message: &Message,
        pos: Pos,
        writes: &mut Writes,
    ) -> Result<(), StoreError> {
        let entry = Entry { seq: message.seq, pos: pos.0, at: message.at };
        match self.appended(shelf, &message.room, entry, writes)? {
            Some(count) => author_has_read(shelf, message, count, writes),
            None => Ok(()),
        }
    }

    /// A message stood here whose words are gone.
    pub(super) fn erased(
        &mut self,
        shelf: &dyn Shelf,
        room: &RoomId,
        (seq, at): (Seq, WallMs),
        own_id: Option<&MessageId>,
        writes: &mut Writes,
    ) -> Result<(), StoreError> {
        if let Some(id) = own_id {
            writes.record(keys::own_id(id), &(room, seq), |at, out| record::own_id::encode(*at, out))?;
        }
        self.appended(shelf, room, Entry { seq, pos: 0, at }, writes).map(drop)
    }

    /// Appends to the room's history and gives its new count, unless it is a replay of what is there.
    fn appended(
        &mut self,
        shelf: &dyn Shelf,
        room: &RoomId,
        entry: Entry,
        writes: &mut Writes,
    ) -> Result<Option<u64>, StoreError> {
        let known = self.known_tail(shelf, room)?;
        let mut tail = known.unwrap_or_default();
        if known.is_some() && entry.seq <= tail.seq {
            return Ok(None);
        }
        if tail.count.is_multiple_of(BLOCK_ENTRIES_MAX as u64) {
            tail.block = tail.count;
        }
        let key = keys::block(room, tail.block);
        let mut block = shelf.get(&key)?.map_or_else(Vec::new, |value| value.to_vec());
        record::block::append_encoded(&mut block, entry)?;
        writes.put(key, &block);
        (tail.count, tail.seq, tail.at) = (tail.count + 1, entry.seq, entry.at);
        self.keep_in_mind(room, tail);
        Ok(Some(tail.count))
    }

    /// Messages stood here that are gone with their places.
    pub(super) fn skipped(
        &mut self,
        shelf: &dyn Shelf,
        room: &RoomId,
        count: u64,
        (last, at): (Seq, WallMs),
        writes: &mut Writes,
    ) -> Result<(), StoreError> {
        let tail = self.known_tail(shelf, room)?;
        if count == 0 || tail.is_some_and(|tail| last <= tail.seq) {
            return Ok(());
        }
        let first = tail.unwrap_or_default().count + count;
        self.trimmed(shelf, room, Trimmed { first, seq: last, at, upto: last }, at, writes)?;
        self.keep_in_mind(room, RoomTail { block: first, count: first, seq: last, at });
        Ok(())
    }

    /// The oldest messages of a room are gone: whole blocks, and the words of those that keep their places.
    pub(super) fn trimmed(
        &mut self,
        shelf: &dyn Shelf,
        room: &RoomId,
        trimmed: Trimmed,
        now: WallMs,
        writes: &mut Writes,
    ) -> Result<(), StoreError> {
        let mut unwanted: BTreeMap<u64, u64> = BTreeMap::new();
        let mut note = |entry: &Entry| {
            if entry.pos != 0 {
                *unwanted.entry(stretch_of(Pos(entry.pos))).or_default() += 1;
            }
        };
        let known = shelf.trimmed(room)?.unwrap_or_default();
        // Where an older one comes after what was skipped, it still takes its blocks along.
        let trimmed = if trimmed.upto < known.upto { known } else { trimmed };
        writes.record(keys::trimmed(room), &trimmed, record::trimmed::encode)?;
        let (from, to) = (keys::after(&keys::block(room, trimmed.first)), end_of(&keys::blocks(room)));
        for (key, value) in shelf.scan(&from, &to, TRIMMED_BLOCKS_MAX)? {
            Block::decode(&value)?.entries().iter().for_each(&mut note);
            writes.gone(key);
        }
        let mut number = trimmed.first;
        while let Some((first, mut block)) = shelf.block_at(room, number)? {
            let entries = block.entries().to_vec();
            // Behind the last block there is the last block again.
            let is_next = first >= trimmed.first && number < first + entries.len() as u64;
            let Some(newest) = entries.last().filter(|_| is_next) else { break };
            for entry in entries.iter().filter(|entry| entry.seq <= trimmed.upto) {
                note(entry);
                block.set_pos(entry.seq, 0);
            }
            put_block(room, first, &block, writes);
            if newest.seq >= trimmed.upto {
                break;
            }
            number = first + entries.len() as u64;
        }
        self.tails.remove(room);
        for (stretch, messages) in unwanted {
            note_erasable(shelf, (stretch, messages), now, writes)?;
        }
        Ok(())
    }

    fn keep_in_mind(&mut self, room: &RoomId, tail: RoomTail) {
        self.make_room();
        self.tails.insert(room.clone(), tail);
    }
}

fn put_block(room: &RoomId, first: u64, block: &Block, writes: &mut Writes) {
    let mut bytes = Vec::new();
    block.encode(&mut bytes);
    writes.put(keys::block(room, first), &bytes);
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

/// The message's newest form lies at `pos` now; 0 says that it is gone. Where words are no longer wanted since
/// `unwanted`, their stretch of the journal is noted.
pub(super) fn revised(
    shelf: &dyn Shelf,
    room: &RoomId,
    seq: Seq,
    pos: Pos,
    unwanted: Option<WallMs>,
    writes: &mut Writes,
) -> Result<(), StoreError> {
    let number = shelf.first_number(room, &|entry: &Entry| entry.seq >= seq)?;
    let Some((first, mut block)) = shelf.block_at(room, number)? else { return Ok(()) };
    let Some(former) = block.find(seq) else { return Ok(()) };
    block.set_pos(seq, pos.0);
    put_block(room, first, &block, writes);
    match unwanted.filter(|_| former.pos != 0 && former.pos != pos.0) {
        Some(since) => note_erasable(shelf, (stretch_of(Pos(former.pos)), 1), since, writes),
        None => Ok(()),
    }
}

fn note_erasable(
    shelf: &dyn Shelf,
    (stretch, messages): (u64, u64),
    since: WallMs,
    writes: &mut Writes,
) -> Result<(), StoreError> {
    let key = keys::erasable(stretch);
    let known = shelf.get(&key)?.map(|value| Erasable::decode(&value)).transpose()?;
    let known = known.unwrap_or(Erasable { messages: 0, since });
    writes.put(key, &Erasable { messages: known.messages + messages, ..known }.encode());
    Ok(())
}

/// A delivery of a bridge has become a message.
pub(super) fn delivered(via: &Via, writes: &mut Writes) {
    writes.put(keys::delivery(&via.bridge, via.packet), &record::delivery::encode(via));
}
