//! Retention: the oldest messages of a room go, by age or by size, where the owner has asked for it. The rule of the
//! node holds for all rooms but those that have a rule of their own.

use crate::base::id::RoomId;
use crate::base::limits::{BLOCK_ENTRIES_MAX, TRIMMED_BLOCKS_MAX};
use crate::chat::change::What;
use crate::chat::policy;
use crate::chat::refusal::Refusal;
use crate::node::books::Books;
use crate::node::caller::Caller;
use crate::node::{Node, Reading, refuse};
use crate::store::error::StoreError;
use crate::store::index::catalog::Catalog;
use crate::store::index::times::Times;
use crate::store::journal::Pos;
use crate::store::keys;
use crate::store::record::block::Entry;

/// How much of a room is kept. Nothing is trimmed unless one of them is set.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Retention {
    /// Messages older than so many milliseconds go.
    pub age_ms: Option<u64>,
    /// The oldest messages go when a room takes about so many bytes.
    pub bytes: Option<u64>,
}

/// How much of a room is kept, as a person says it; 0 sets no limit.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Rule {
    /// Older messages go.
    pub days: u32,
    /// The oldest messages go when the room takes more, about.
    pub megabytes: u32,
}

impl Rule {
    /// The rule as the value of a setting, JSON text.
    fn written(rule: Option<Rule>) -> String {
        rule.map_or("null".to_owned(), |Rule { days, megabytes }| format!("[{days},{megabytes}]"))
    }

    fn read(value: &str) -> Option<Rule> {
        let numbers = value.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let read = || {
            let (days, megabytes) = numbers?.split_once(',')?;
            Some(Rule { days: days.parse().ok()?, megabytes: megabytes.parse().ok()? })
        };
        match value {
            "null" => None,
            // What is not understood takes nothing away.
            _ => Some(read().unwrap_or_default()),
        }
    }

    /// The room's own rule, if it has one.
    pub fn of_room(shelf: &(impl Catalog + ?Sized), room: &RoomId) -> Result<Option<Rule>, StoreError> {
        Ok(shelf.setting(&keys::room_retention(room))?.and_then(|value| Rule::read(&value)))
    }
}

impl From<Rule> for Retention {
    fn from(rule: Rule) -> Retention {
        let limit = |number: u32, unit: u64| (number > 0).then(|| u64::from(number) * unit);
        Retention { age_ms: limit(rule.days, 24 * 3_600 * 1_000), bytes: limit(rule.megabytes, 1_000_000) }
    }
}

/// Messages of one block whose sizes are looked at: its others are taken to be like them.
const SAMPLES: usize = 4;
/// Bytes of a frame and its place in a block beside the payload, about.
const AROUND_BYTES: u64 = 24;

impl Retention {
    /// What holds for this room where `self` is the rule of the node.
    pub fn in_room(self, reading: &Reading, room: &RoomId) -> Result<Retention, StoreError> {
        Ok(Rule::of_room(reading, room)?.map_or(self, Retention::from))
    }

    /// The number in the room of the first message that stays.
    pub fn first_kept(&self, reading: &Reading, room: &RoomId) -> Result<u64, StoreError> {
        let by_age = self.age_ms.map_or(Ok(0), |age_ms| younger(reading, room, age_ms))?;
        let by_size = self.bytes.map_or(Ok(0), |bytes| within(reading, room, bytes))?;
        Ok(by_age.max(by_size))
    }
}

/// The first message that is younger. A time that was not trusted when it was noted says nothing, and neither does a
/// clock that is not trusted now; but whatever came before an old message is older still.
fn younger(reading: &Reading, room: &RoomId, age_ms: u64) -> Result<u64, StoreError> {
    let now = reading.clock().now();
    if !now.trusted {
        return Ok(0);
    }
    let limit = now.wall_ms.saturating_sub(age_ms);
    let mut number = reading.first_shown_number(room, &|entry: &Entry| entry.at >= limit)?;
    let lowest = number.saturating_sub(BLOCK_ENTRIES_MAX as u64);
    while number > lowest {
        let Some((first, block)) = reading.shown_block_at(room, number - 1)? else { return Ok(0) };
        let shown = block.get((number - 1 - first) as usize).copied();
        let message = shown.map_or(Ok(None), |shown| reading.message_shown(&shown))?;
        if message.is_some_and(|message| message.trusted) {
            return Ok(number);
        }
        number -= 1;
    }
    Ok(0)
}

/// The first message from which on the room takes no more than so many bytes, about.
fn within(reading: &Reading, room: &RoomId, bytes: u64) -> Result<u64, StoreError> {
    let mut number = reading.room_tail(room)?.unwrap_or_default().count;
    let mut taken = 0u64;
    while number > 0 {
        let Some((first, block)) = reading.block_at(room, number - 1)? else { return Ok(0) };
        let entries: Vec<&Entry> = block.entries().iter().filter(|entry| entry.pos != 0).collect();
        let (mut sampled, mut samples) = (0u64, 0u64);
        for entry in entries.iter().step_by(entries.len().div_ceil(SAMPLES).max(1)) {
            sampled += reading.journal().frame(Pos(entry.pos))?.payload.len() as u64 + AROUND_BYTES;
            samples += 1;
        }
        let block_bytes = sampled * entries.len() as u64 / samples.max(1);
        if taken + block_bytes > bytes {
            let fits = (bytes - taken) * block.entries().len() as u64 / block_bytes.max(1);
            return Ok(number - fits.min(number - first));
        }
        taken += block_bytes;
        number = first;
    }
    Ok(0)
}

impl Node {
    /// Gives a room a rule of its own, or that of the node again.
    pub fn keep_room_by(
        &mut self,
        caller: &Caller,
        room: &RoomId,
        rule: Option<Rule>,
    ) -> Result<(), Refusal> {
        let actor = self.actor(caller)?;
        let (room, membership) = self.room_and_place(&actor, room)?;
        let permit = policy::may_limit(&actor, &room, membership.as_ref())?;
        let known = Rule::of_room(self, permit.room()).map_err(refuse)?;
        if known == rule {
            return Ok(());
        }
        self.set(&keys::room_retention(permit.room()), &Rule::written(rule))
    }

    /// Takes the messages before this number out of a room, some thousands at most. Whether more remain.
    pub fn trim_room(&mut self, room: &RoomId, first_kept: u64) -> Result<bool, Refusal> {
        let known = self.trimmed(room).map_err(refuse)?.unwrap_or_default();
        let tail = self.room_tail(room).map_err(refuse)?.unwrap_or_default();
        let block = BLOCK_ENTRIES_MAX as u64;
        let at_most = known.first + TRIMMED_BLOCKS_MAX as u64 * block;
        let before = first_kept.min(tail.count).min(at_most);
        let Some(newest) =
            before.checked_sub(1).map(|number| self.entry_at(room, number)).transpose()?.flatten()
        else {
            return Ok(false);
        };
        if newest.seq <= known.upto {
            return Ok(false);
        }
        let first = before - before % block;
        let last = first.checked_sub(1).map(|number| self.entry_at(room, number)).transpose()?.flatten();
        let (seq, at) = last.map_or((known.seq, known.at), |last| (last.seq, last.at));
        let first = first.max(known.first);
        self.append(What::Trimmed { room: room.clone(), first, seq, at, upto: newest.seq })?;
        Ok(before < first_kept.min(tail.count))
    }

    fn entry_at(&self, room: &RoomId, number: u64) -> Result<Option<Entry>, Refusal> {
        let found = self.block_at(room, number).map_err(refuse)?;
        Ok(found.and_then(|(first, block)| block.entries().get((number - first) as usize).copied()))
    }
}
