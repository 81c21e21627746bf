//! Times as they are shown. A clock that was turned corrects what was written before, in one stroke and without
//! rewriting any of it: every reader looks up the stretch that a Change lies in. So blocks and Changes stay what the
//! journal says, a rebuilt index says the same as the one that was there, and no reader sees a history half corrected.

use crate::base::id::{RoomId, Seq};
use crate::base::limits::{CLOCK_TURNS_MAX, CLOCK_UPTIME_MAX_MS};
use crate::base::time::WallMs;
use crate::chat::change::{Change, ClockSet, What};
use crate::chat::message::Message;
use crate::store::error::StoreError;
use crate::store::index::catalog::Catalog;
use crate::store::index::kv::{Shelf, Write};
use crate::store::keys::{self, end_of};
use crate::store::record::block::Entry;
use crate::store::record::turned::{self, Turned};

/// One message of a room with the time that is shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Shown {
    /// Where it lies, and the time that is shown.
    pub entry: Entry,
    /// The stretch its posting lies in.
    pub turned: Option<Turned>,
}

/// Nouns with the times that are shown.
pub trait Times: Catalog {
    /// The stretch in which the times of this Change are shown otherwise than they were written.
    fn turned_of(&self, seq: Seq) -> Result<Option<Turned>, StoreError> {
        Ok(self.turned_from(seq)?.filter(|(_, turned)| turned.since <= seq).map(|(_, turned)| turned))
    }

    /// The first stretch that ends at this Change or later, with its last Change.
    fn turned_from(&self, seq: Seq) -> Result<Option<(Seq, Turned)>, StoreError> {
        let found = self.scan(&keys::turned(seq), &end_of(&keys::all_turned()), 1)?;
        let Some((key, value)) = found.first() else { return Ok(None) };
        let upto =
            keys::turned_upto(key).ok_or_else(|| StoreError::Index("a stretch's key is too short".into()))?;
        Ok(Some((upto, turned::decode(value)?)))
    }

    /// The block of a room's history in which this number lies, as it is shown, with the number of its first entry.
    fn shown_block_at(&self, room: &RoomId, number: u64) -> Result<Option<(u64, Vec<Shown>)>, StoreError> {
        let Some((first, block)) = self.block_at(room, number)? else { return Ok(None) };
        let mut shown = Vec::with_capacity(block.entries().len());
        let mut passing = Passing::default();
        for entry in block.entries() {
            let turned = passing.turned_of(self, entry.seq)?;
            let at = turned.map_or(entry.at, |turned| turned.shown(entry.at));
            shown.push(Shown { entry: Entry { at, ..*entry }, turned });
        }
        Ok(Some((first, shown)))
    }

    /// As [`Catalog::first_number`], for what holds for the times that are shown.
    fn first_shown_number(
        &self,
        room: &RoomId,
        is_after: &dyn Fn(&Entry) -> bool,
    ) -> Result<u64, StoreError> {
        let Some(tail) = self.room_tail(room)? else { return Ok(0) };
        let (mut low, mut high) = (0, tail.count);
        while low < high {
            let middle = low + (high - low) / 2;
            let Some((first, block)) = self.shown_block_at(room, middle)? else {
                // What was before the first block is gone.
                low = middle + 1;
                continue;
            };
            let end = first + block.len() as u64;
            if middle >= end {
                return Err(StoreError::Index("a block of a room's history is missing".into()));
            }
            match first + block.partition_point(|shown| !is_after(&shown.entry)) as u64 {
                split if split == first => high = first,
                split if split == end => low = end,
                split => return Ok(split),
            }
        }
        Ok(low)
    }

    /// The message of this sequence in this room, as it is shown; `None` when it is not there or was removed.
    fn shown_lying(&self, room: &RoomId, seq: Seq) -> Result<Option<Shown>, StoreError> {
        let number = self.first_number(room, &|entry| entry.seq >= seq)?;
        let Some((first, block)) = self.shown_block_at(room, number)? else { return Ok(None) };
        let found = number.checked_sub(first).and_then(|at| block.get(at as usize).copied());
        Ok(found.filter(|shown| shown.entry.seq == seq && shown.entry.pos != 0))
    }

    /// The Change with the times that are shown.
    fn shown_change(&self, mut change: Change) -> Result<Change, StoreError> {
        if let Some(turned) = self.turned_of(change.seq)? {
            show_change(&mut change, &turned);
        }
        Ok(change)
    }
}

impl<T: Shelf + ?Sized> Times for T {}

/// Looks up the stretches of Changes that come in their order: few lookups for many Changes.
#[derive(Default)]
pub struct Passing {
    next: Option<(Seq, Turned)>,
    known_upto: Seq,
}

impl Passing {
    /// The stretch of this Change, which comes after all that were asked for before.
    pub fn turned_of<S: Times + ?Sized>(
        &mut self,
        shelf: &S,
        seq: Seq,
    ) -> Result<Option<Turned>, StoreError> {
        if seq > self.known_upto {
            self.next = shelf.turned_from(seq)?;
            // Without a further stretch none of the later Changes lies in one.
            self.known_upto = self.next.map_or(Seq(u64::MAX), |(upto, _)| upto);
        }
        Ok(self.next.filter(|(_, turned)| turned.since <= seq).map(|(_, turned)| turned))
    }
}

/// Shows the times of a Change of this stretch.
pub fn show_change(change: &mut Change, turned: &Turned) {
    let moment = &mut change.origin.moment;
    moment.wall_ms = turned.shown(moment.wall_ms);
    moment.trusted |= turned.trusted;
    match &mut change.what {
        What::Posted { message, .. } => {
            show_message(message, turned);
            message.trusted |= turned.trusted;
        }
        What::Revised { message, .. } => show_message(message, turned),
        _ => {}
    }
}

/// Shows the times of a message as it was written in a Change of this stretch.
pub fn show_message(message: &mut Message, turned: &Turned) {
    message.at = turned.shown(message.at);
    message.touched = turned.shown(message.touched);
    if let Some((at, _, _)) = &mut message.edited {
        *at = turned.shown(*at);
    }
}

/// The writes that follow a turn of the clock: its own stretch, and those of the same start before it, whose times are
/// known better now.
pub fn turn(shelf: &dyn Shelf, change: &Change, set: &ClockSet) -> Result<Vec<Write>, StoreError> {
    let mut writes: Vec<Write> = Vec::new();
    let (trusted, mut since) = (change.origin.moment.trusted, set.since);
    for _ in 0..=CLOCK_TURNS_MAX {
        // After a power cut in a checkpoint there may be later ones; their own turns come again.
        let Some((upto, turned)) = shelf.turned_from(since)?.filter(|(upto, _)| upto.next() < change.seq)
        else {
            break;
        };
        let again = Turned { is_ms: set.offset_ms, trusted, ..turned };
        writes.push((keys::turned(upto), Some(turned::encode(&again)[..].into())));
        since = upto.next();
    }
    if since < change.seq {
        let turned =
            Turned { since, was_ms: set.was_ms, is_ms: set.offset_ms, floor_ms: set.floor_ms, trusted };
        writes.push((keys::turned(Seq(change.seq.0 - 1)), Some(turned::encode(&turned)[..].into())));
    }
    Ok(writes)
}

/// How far time has come with this Change; a turn says it anew.
pub fn newest(change: &Change, before: WallMs) -> WallMs {
    let at = change.origin.moment.wall_ms;
    match &change.what {
        // A time far ahead of the node's own is the room's, or a file's: it says nothing of the node's clock.
        What::Posted { message, .. } if message.at <= at + CLOCK_UPTIME_MAX_MS => {
            before.max(message.at).max(at)
        }
        What::ClockSet(set) => set.floor_ms.max(at),
        _ => before.max(at),
    }
}
