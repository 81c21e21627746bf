//! What was said: pages of a room's history. Every reader shows the permit to read that room.

use crate::base::id::{MessageId, RoomId, Seq};
use crate::base::limits::{PAGE_MESSAGES_MAX, SKIP_ENTRIES_MAX, SYNC_CHANGES_MAX};
use crate::base::time::WallMs;
use crate::chat::change::{Change, What};
use crate::chat::message::Message;
use crate::chat::policy::MayRead;
use crate::chat::refusal::Refusal;
use crate::node::books::Books;
use crate::node::{Reading, refuse};
use crate::store::error::StoreError;
use crate::store::index::catalog::Catalog;
use crate::store::index::times::{Passing, Times, show_change};
use crate::store::journal::Pos;
use crate::store::record;
use crate::store::record::block::Entry;
use std::collections::BTreeMap;

/// Which part of a history is wanted: from the newest back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stretch {
    /// Only messages before this time; `None` for the newest.
    pub latest: Option<WallMs>,
    /// Only messages after this time.
    pub oldest: Option<WallMs>,
    /// Whether messages of exactly these times belong to it.
    pub inclusive: bool,
    /// Newest messages of the stretch to leave out. Removed ones do not count among the first [`SKIP_ENTRIES_MAX`].
    pub skip: u64,
    /// Messages wanted, at most [`PAGE_MESSAGES_MAX`].
    pub max: usize,
}

/// A page of a history.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// The messages, newest first.
    pub messages: Vec<Message>,
    /// Messages of the whole stretch, removed ones included.
    pub total: u64,
}

/// What changed in a room since a moment.
#[derive(Clone, Debug, Default)]
pub struct Since {
    /// Messages posted, edited or reacted to, as they are now, oldest first.
    pub updated: Vec<Message>,
    /// Messages removed, with when.
    pub removed: Vec<(MessageId, WallMs)>,
}

impl Reading {
    /// A page of the room's history, newest first.
    pub fn history(&self, permit: &MayRead, stretch: Stretch) -> Result<Page, Refusal> {
        let room = permit.room();
        let first =
            |is_after: &dyn Fn(&Entry) -> bool| self.first_shown_number(room, is_after).map_err(refuse);
        let tail = self.room_tail(room).map_err(refuse)?.unwrap_or_default();
        let end = match stretch.latest {
            Some(latest) if stretch.inclusive => first(&|entry| entry.at > latest)?,
            Some(latest) => first(&|entry| entry.at >= latest)?,
            None => tail.count,
        };
        let start = match stretch.oldest {
            Some(oldest) if stretch.inclusive => first(&|entry| entry.at >= oldest)?,
            Some(oldest) => first(&|entry| entry.at > oldest)?,
            None => 0,
        };
        let upto = self.before_skipped(permit.room(), (start, end), stretch.skip).map_err(refuse)?;
        let messages = self.page_before(permit, start, upto, stretch.max)?;
        Ok(Page { messages, total: end.saturating_sub(start) })
    }

    /// Messages of the room before this place in the order, newest first; at most [`PAGE_MESSAGES_MAX`].
    pub fn messages_before(&self, permit: &MayRead, seq: Seq, max: usize) -> Result<Vec<Message>, Refusal> {
        let number = self.first_number(permit.room(), &|entry| entry.seq >= seq).map_err(refuse)?;
        self.page_before(permit, 0, number, max)
    }

    /// Messages of the room after this place in the order, oldest first; at most [`PAGE_MESSAGES_MAX`].
    pub fn messages_after(&self, permit: &MayRead, seq: Seq, max: usize) -> Result<Vec<Message>, Refusal> {
        let number = self.first_number(permit.room(), &|entry| entry.seq > seq).map_err(refuse)?;
        self.page_from(permit, number, max)
    }

    /// Messages of the room from this time on, oldest first; at most [`PAGE_MESSAGES_MAX`].
    pub fn messages_from(&self, permit: &MayRead, at: WallMs, max: usize) -> Result<Vec<Message>, Refusal> {
        let number = self.first_shown_number(permit.room(), &|entry| entry.at >= at).map_err(refuse)?;
        self.page_from(permit, number, max)
    }

    fn page_from(&self, permit: &MayRead, mut number: u64, max: usize) -> Result<Vec<Message>, Refusal> {
        let max = max.min(PAGE_MESSAGES_MAX);
        let mut messages = Vec::new();
        while messages.len() < max {
            let Some((first, block)) = self.shown_block_at(permit.room(), number).map_err(refuse)? else {
                break;
            };
            let end = first + block.len() as u64;
            if number < first || number >= end {
                break;
            }
            for shown in &block[(number - first) as usize..] {
                if messages.len() < max {
                    messages.extend(self.message_shown(shown).map_err(refuse)?);
                }
            }
            number = end;
        }
        Ok(messages)
    }

    /// The number before which the page lies that leaves out so many of the newest messages: without the removed ones,
    /// so that pages neither overlap nor leave one out, as far as it looks.
    fn before_skipped(&self, room: &RoomId, stretch: (u64, u64), skip: u64) -> Result<u64, StoreError> {
        let (start, end) = stretch;
        let (mut at, mut left) = (end, skip);
        while left > 0 && at > start && end - at < SKIP_ENTRIES_MAX {
            let Some((first, block)) = self.block_at(room, at - 1)? else { break };
            let Some(upto) = at.checked_sub(first).filter(|upto| *upto <= block.entries().len() as u64)
            else {
                break;
            };
            for entry in block.entries()[start.saturating_sub(first) as usize..upto as usize].iter().rev() {
                if left == 0 {
                    break;
                }
                at -= 1;
                left -= u64::from(entry.pos != 0);
            }
        }
        Ok(at.saturating_sub(left))
    }

    /// Messages with numbers from `start` up to before `end`, newest first.
    fn page_before(
        &self,
        permit: &MayRead,
        start: u64,
        end: u64,
        max: usize,
    ) -> Result<Vec<Message>, Refusal> {
        let max = max.min(PAGE_MESSAGES_MAX);
        let mut messages = Vec::new();
        let mut end = end;
        while messages.len() < max && end > start {
            let Some((first, block)) = self.shown_block_at(permit.room(), end - 1).map_err(refuse)? else {
                break;
            };
            let Some(upto) = end.checked_sub(first).filter(|upto| *upto <= block.len() as u64) else {
                break;
            };
            let from = start.saturating_sub(first);
            for shown in block[from as usize..upto as usize].iter().rev() {
                if messages.len() < max {
                    messages.extend(self.message_shown(shown).map_err(refuse)?);
                }
            }
            end = first.max(start);
        }
        Ok(messages)
    }

    /// What changed in the room after a time. Looks at no more than [`SYNC_CHANGES_MAX`] Changes of the whole node;
    /// a client that was away longer loads the history anew.
    ///
    /// The wall clock may have run backwards since, but the times shown in a room never do: everything that came after
    /// the first message of that time, or from the first later one on, belongs to it, whatever the clock said.
    pub fn changed_since(&self, permit: &MayRead, at: WallMs) -> Result<Since, Refusal> {
        loop {
            // Where segments are rewritten meanwhile, the scan begins again where they lie now.
            if let Some(since) = self.scanned_since(permit, at)? {
                return Ok(since);
            }
        }
    }

    fn scanned_since(&self, permit: &MayRead, at: WallMs) -> Result<Option<Since>, Refusal> {
        let reached = self.settled.reached();
        let first_shown = self.first_shown_after(permit.room(), at).map_err(refuse)?;
        let mut from = self.journal_place_at(at)?;
        if let Some(seq) = first_shown {
            from = from.min(self.waymark(seq).map_err(refuse)?.map_or(Pos::default(), |(_, pos)| pos));
        }
        // What was trimmed may still lie in the journal.
        let trimmed = self.trimmed(permit.room()).map_err(refuse)?.map_or(Seq(0), |trimmed| trimmed.upto);
        let mut since = Gathered { trimmed, ..Gathered::default() };
        let (mut looked, mut passing) = (0, Passing::default());
        for found in self.journal.scan(from, reached.end) {
            let frame = match found {
                Ok((_, frame)) => frame,
                // It was reported at the start; what can be read is told all the same.
                Err(StoreError::Damaged(_)) => continue,
                Err(StoreError::Condensed) => return Ok(None),
                Err(error) => return Err(refuse(error)),
            };
            looked += 1;
            if looked > SYNC_CHANGES_MAX {
                return Err(Refusal::TooMany { what: "changes since then", max: SYNC_CHANGES_MAX });
            }
            let mut change =
                record::change::decode(Seq(frame.seq), &frame.payload).map_err(|e| refuse(e.into()))?;
            if let Some(turned) = passing.turned_of(self, change.seq).map_err(refuse)? {
                show_change(&mut change, &turned);
            }
            let is_after = first_shown.is_some_and(|first| change.seq >= first);
            if is_after || shown_at(&change) > at {
                since.take(permit, change);
            }
        }
        let mut updated = Vec::with_capacity(since.updated.len());
        for mut message in since.updated.into_values() {
            // The clock may have been turned between its posting and this revision of it.
            if self.turned_of(message.seq).map_err(refuse)?.is_some() {
                message = self.message_of(permit.room(), message.seq)?.unwrap_or(message);
            }
            updated.push(message);
        }
        Ok(Some(Since { updated, removed: since.removed }))
    }

    /// The place from which on everything in the room is later than what was shown at this time. Several messages can
    /// show one time: the first of them is taken for known, the others are not.
    fn first_shown_after(&self, room: &RoomId, at: WallMs) -> Result<Option<Seq>, StoreError> {
        let number = self.first_shown_number(room, &|entry| entry.at >= at)?;
        let Some((first, block)) = self.shown_block_at(room, number)? else { return Ok(None) };
        let shown = number.checked_sub(first).and_then(|place| block.get(place as usize));
        let entry = shown.map(|shown| shown.entry);
        Ok(entry.map(|entry| if entry.at == at { entry.seq.next() } else { entry.seq }))
    }

    /// A place in the journal before which nothing is younger than this time.
    fn journal_place_at(&self, at: WallMs) -> Result<Pos, Refusal> {
        let (mut low, mut high) = (Seq(0), self.newest().next());
        let mut place = Pos::default();
        while low.next() < high {
            let middle = Seq(low.0 + (high.0 - low.0) / 2);
            let Some((seq, pos)) = self.waymark(middle).map_err(refuse)?.filter(|(seq, _)| *seq > low) else {
                low = middle;
                continue;
            };
            let change = self.change_of(seq).map_err(refuse)?;
            let change =
                change.map(|change| self.shown_change((*change).clone())).transpose().map_err(refuse)?;
            if change.is_some_and(|change| change.origin.moment.wall_ms <= at) {
                (low, place) = (middle, pos);
            } else {
                high = seq;
            }
        }
        Ok(place)
    }
}

/// What was gathered so far: a message that is changed again, or removed, is told once.
#[derive(Default)]
struct Gathered {
    trimmed: Seq,
    updated: BTreeMap<Seq, Message>,
    removed: Vec<(MessageId, WallMs)>,
}

/// The time that is shown for it. A message's own is read a moment before the Change around it gets its time.
fn shown_at(change: &Change) -> WallMs {
    match &change.what {
        What::Posted { message, .. } | What::Revised { message, .. } => message.touched,
        _ => change.origin.moment.wall_ms,
    }
}

impl Gathered {
    fn take(&mut self, permit: &MayRead, change: Change) {
        match change.what {
            What::Posted { message, .. } | What::Revised { message, .. }
                if message.room == *permit.room() && message.seq > self.trimmed =>
            {
                self.updated.insert(message.seq, message);
            }
            What::Deleted { room, id, target, .. } if room == *permit.room() => {
                self.updated.remove(&target);
                self.removed.push((id, change.origin.moment.wall_ms));
            }
            _ => {}
        }
    }
}
