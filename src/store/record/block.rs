//! A block of a room's history: where its messages lie in the journal, and when they were said.
//!
//! The bytes are a head of fixed size with the count and the newest entry, then every entry as its difference from the
//! one before it. So a block grows at its end, and its newest entry is known without reading the others.

use crate::base::id::Seq;
use crate::base::limits::BLOCK_ENTRIES_MAX;
use crate::base::time::WallMs;
use crate::store::record::RecordError;
use crate::store::record::varint::{self, delta, undelta};

/// The layout written today.
const VERSION: u8 = 1;
/// Version, count, and the newest entry's three numbers.
const HEAD_BYTES: usize = 2 + 3 * 8;

/// One message of a room.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Entry {
    /// Its place in the order.
    pub seq: Seq,
    /// Where the Change with its newest text lies in the journal; 0 for a message that was removed.
    pub pos: u64,
    /// The time it shows.
    pub at: WallMs,
}

/// What a block says about itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Head {
    /// How many entries it has.
    pub count: usize,
    /// The newest of them; all zero when it has none.
    pub last: Entry,
}

/// What became of an entry that was to be appended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Appended {
    /// It is the newest entry now.
    Yes,
    /// An entry with its sequence was there and was left alone.
    There,
    /// The block has as many entries as it can: begin another.
    Full,
}

/// The head of an encoded block; the same for no bytes as for a block without entries.
pub fn head(bytes: &[u8]) -> Result<Head, RecordError> {
    if bytes.is_empty() {
        return Ok(Head::default());
    }
    let head = bytes.first_chunk::<HEAD_BYTES>().ok_or(RecordError::Short)?;
    match head[0] {
        VERSION => {}
        0 => return Err(RecordError::Damaged { part: "version" }),
        version => return Err(RecordError::Version { version }),
    }
    let number = |at: usize| u64::from_le_bytes(*head[at..].first_chunk().expect("the head is long enough"));
    let count = usize::from(head[1]);
    if count > BLOCK_ENTRIES_MAX {
        return Err(RecordError::Damaged { part: "block count" });
    }
    Ok(Head { count, last: Entry { seq: Seq(number(2)), pos: number(10), at: number(18) } })
}

/// Appends an entry to an encoded block, or begins one where no bytes are. Entries come in the order of their sequence;
/// one that is there already is left alone, so that a replay does no harm.
pub fn append_encoded(bytes: &mut Vec<u8>, entry: Entry) -> Result<Appended, RecordError> {
    let Head { count, last } = head(bytes)?;
    if count > 0 && entry.seq <= last.seq {
        let there = entry.seq == last.seq || Block::decode(bytes)?.find(entry.seq).is_some();
        return if there { Ok(Appended::There) } else { Err(RecordError::Damaged { part: "block order" }) };
    }
    if count == BLOCK_ENTRIES_MAX {
        return Ok(Appended::Full);
    }
    if bytes.is_empty() {
        bytes.resize(HEAD_BYTES, 0);
    }
    put_entry(last, entry, bytes);
    put_head(Head { count: count + 1, last: entry }, &mut bytes[..HEAD_BYTES]);
    Ok(Appended::Yes)
}

/// Says where a message of an encoded block lies now; 0 when it was removed. Whether it is in this block.
pub fn set_pos_encoded(bytes: &mut Vec<u8>, seq: Seq, pos: u64) -> Result<bool, RecordError> {
    let mut block = Block::decode(bytes)?;
    let found = block.set_pos(seq, pos);
    if found {
        bytes.clear();
        block.encode(bytes);
    }
    Ok(found)
}

fn put_head(head: Head, out: &mut [u8]) {
    let count = u8::try_from(head.count).expect("BLOCK_ENTRIES_MAX fits a byte");
    out[..2].copy_from_slice(&[VERSION, count]);
    out[2..10].copy_from_slice(&head.last.seq.0.to_le_bytes());
    out[10..18].copy_from_slice(&head.last.pos.to_le_bytes());
    out[18..26].copy_from_slice(&head.last.at.to_le_bytes());
}

fn put_entry(before: Entry, entry: Entry, out: &mut Vec<u8>) {
    varint::put(entry.seq.0.wrapping_sub(before.seq.0), out);
    varint::put(delta(before.pos, entry.pos), out);
    varint::put(delta(before.at, entry.at), out);
}

fn take_entry(before: Option<Entry>, bytes: &mut &[u8]) -> Result<Entry, RecordError> {
    let step = varint::take(bytes)?;
    if before.is_some() && step == 0 {
        return Err(RecordError::Damaged { part: "block order" });
    }
    let before = before.unwrap_or_default();
    let seq = before.seq.0.checked_add(step).ok_or(RecordError::Damaged { part: "block order" })?;
    let (pos, at) = (varint::take(bytes)?, varint::take(bytes)?);
    Ok(Entry { seq: Seq(seq), pos: undelta(before.pos, pos), at: undelta(before.at, at) })
}

/// A block to look into: at most [`BLOCK_ENTRIES_MAX`] entries in the order of their sequence.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Block {
    entries: heapless::Vec<Entry, BLOCK_ENTRIES_MAX>,
}

impl Block {
    /// The block in these bytes; without entries where no bytes are.
    pub fn decode(bytes: &[u8]) -> Result<Self, RecordError> {
        let Head { count, last } = head(bytes)?;
        let mut rest = bytes.get(HEAD_BYTES..).unwrap_or_default();
        let mut entries = heapless::Vec::new();
        for _ in 0..count {
            let entry = take_entry(entries.last().copied(), &mut rest)?;
            entries.push(entry).expect("head() checked the count");
        }
        if !rest.is_empty() {
            return Err(RecordError::Trailing { bytes: rest.len() });
        }
        if entries.last().copied().unwrap_or_default() != last {
            return Err(RecordError::Damaged { part: "block head" });
        }
        Ok(Self { entries })
    }

    /// Appends its bytes to an empty buffer or after other values.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let start = out.len();
        out.resize(start + HEAD_BYTES, 0);
        let mut before = Entry::default();
        for entry in &self.entries {
            put_entry(before, *entry, out);
            before = *entry;
        }
        put_head(Head { count: self.entries.len(), last: before }, &mut out[start..start + HEAD_BYTES]);
    }

    /// Its entries, oldest first.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Appends an entry as [`append_encoded`] does.
    pub fn append(&mut self, entry: Entry) -> Result<Appended, RecordError> {
        let newer = self.entries.last().is_none_or(|last| entry.seq > last.seq);
        if !newer {
            let there = self.find(entry.seq).is_some();
            return if there {
                Ok(Appended::There)
            } else {
                Err(RecordError::Damaged { part: "block order" })
            };
        }
        Ok(if self.entries.push(entry).is_ok() { Appended::Yes } else { Appended::Full })
    }

    /// Says where a message lies now; 0 when it was removed. Whether it is in this block.
    pub fn set_pos(&mut self, seq: Seq, pos: u64) -> bool {
        let found = self.entries.binary_search_by_key(&seq, |entry| entry.seq);
        found.map(|at| self.entries[at].pos = pos).is_ok()
    }

    /// The entry of this sequence.
    pub fn find(&self, seq: Seq) -> Option<Entry> {
        self.entries.binary_search_by_key(&seq, |entry| entry.seq).ok().map(|at| self.entries[at])
    }

    /// The index of the first entry after this sequence; their number when there is none.
    pub fn first_after(&self, seq: Seq) -> usize {
        self.entries.partition_point(|entry| entry.seq <= seq)
    }

    /// The index of the first entry at this time or later; their number when there is none.
    pub fn first_since(&self, at: WallMs) -> usize {
        self.entries.partition_point(|entry| entry.at < at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::world::SimWorld;

    fn entries(seed: u64, count: usize) -> Vec<Entry> {
        let world = SimWorld::new(seed);
        let mut last = Entry { seq: Seq(world.next() % 1_000_000), pos: 4_096, at: 1_767_225_600_000 };
        let mut more = || {
            last.seq.0 += 1 + world.next() % 40;
            last.pos = if world.next().is_multiple_of(8) { 0 } else { world.next() >> 24 };
            last.at += world.next() % 100_000;
            last
        };
        (0..count).map(|_| more()).collect()
    }

    fn encoded(entries: &[Entry]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for entry in entries {
            assert_eq!(append_encoded(&mut bytes, *entry), Ok(Appended::Yes));
        }
        bytes
    }

    #[test]
    fn what_is_appended_is_found_again() {
        for count in 0..=BLOCK_ENTRIES_MAX {
            let entries = entries(count as u64, count);
            let bytes = encoded(&entries);
            let block = Block::decode(&bytes).unwrap();
            assert_eq!(block.entries(), entries);
            let last = entries.last().copied().unwrap_or_default();
            assert_eq!(head(&bytes), Ok(Head { count, last }));
            if count > 0 {
                let mut again = vec![7];
                block.encode(&mut again);
                assert_eq!(again[1..], bytes, "appending and encoding give the same bytes");
            }
        }
    }

    #[test]
    fn a_replay_leaves_entries_alone() {
        let entries = entries(1, 10);
        let (mut bytes, before) = (encoded(&entries), encoded(&entries));
        let mut block = Block::decode(&bytes).unwrap();
        for entry in &entries {
            let other = Entry { pos: 1, at: 1, ..*entry };
            assert_eq!(append_encoded(&mut bytes, other), Ok(Appended::There));
            assert_eq!(block.append(other), Ok(Appended::There));
        }
        assert_eq!(bytes, before);
        assert_eq!(block.entries(), entries);
        let between = Entry { seq: Seq(entries[0].seq.0 - 1), ..entries[0] };
        assert_eq!(append_encoded(&mut bytes, between), Err(RecordError::Damaged { part: "block order" }));
        assert_eq!(block.append(between), Err(RecordError::Damaged { part: "block order" }));
    }

    #[test]
    fn a_full_block_takes_no_more() {
        let mut all = entries(2, BLOCK_ENTRIES_MAX + 1);
        let late = all.pop().unwrap();
        let (mut bytes, before) = (encoded(&all), encoded(&all));
        assert_eq!(append_encoded(&mut bytes, late), Ok(Appended::Full));
        assert_eq!(append_encoded(&mut bytes, all[3]), Ok(Appended::There));
        assert_eq!(Block::decode(&bytes).unwrap().append(late), Ok(Appended::Full));
        assert_eq!(bytes, before);
    }

    #[test]
    fn a_moved_or_removed_message_stays_in_its_place() {
        let mut all = entries(3, 20);
        let mut bytes = encoded(&all);
        for (at, pos) in [(0, 77), (7, 0), (19, u64::MAX)] {
            all[at].pos = pos;
            assert_eq!(set_pos_encoded(&mut bytes, all[at].seq, pos), Ok(true));
            assert_eq!(bytes, encoded(&all));
        }
        assert_eq!(set_pos_encoded(&mut bytes, Seq(u64::MAX), 5), Ok(false));
        assert_eq!(bytes, encoded(&all));
    }

    #[test]
    fn places_are_found_by_sequence_and_by_time() {
        let entry = |seq, at| Entry { seq: Seq(seq), pos: seq * 100, at };
        let block = Block::decode(&encoded(&[entry(5, 50), entry(7, 70), entry(9, 70)])).unwrap();
        assert_eq!((block.find(Seq(7)), block.find(Seq(8))), (Some(entry(7, 70)), None));
        assert_eq!([4, 5, 6, 9].map(|seq| block.first_after(Seq(seq))), [0, 1, 1, 3]);
        assert_eq!([0, 50, 51, 70, 71].map(|at| block.first_since(at)), [0, 0, 1, 1, 3]);
    }

    #[test]
    fn damage_is_an_error_and_never_a_panic() {
        let bytes = encoded(&entries(4, 12));
        for short in 1..bytes.len() {
            assert!(Block::decode(&bytes[..short]).is_err(), "cut at {short}");
        }
        let longer = [&bytes[..], &[0]].concat();
        assert_eq!(Block::decode(&longer), Err(RecordError::Trailing { bytes: 1 }));
        let newer = [&[VERSION + 1], &bytes[1..]].concat();
        assert_eq!(Block::decode(&newer), Err(RecordError::Version { version: VERSION + 1 }));
        for at in 0..HEAD_BYTES {
            for bit in 0..8 {
                let mut flipped = bytes.clone();
                flipped[at] ^= 1 << bit;
                assert!(Block::decode(&flipped).is_err(), "bit {bit} of byte {at} is not noticed");
            }
        }
        let world = SimWorld::new(5);
        for _ in 0..20_000 {
            let mut flipped = bytes.clone();
            let at = world.next() as usize % flipped.len();
            flipped[at] ^= 1 << (world.next() % 8);
            if let Ok(block) = Block::decode(&flipped) {
                assert!(block.entries().is_sorted_by(|one, next| one.seq < next.seq));
            }
            let _ = append_encoded(&mut flipped, Entry { seq: Seq(world.next()), pos: 1, at: 1 });
        }
    }
}
