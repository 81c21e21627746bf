//! The newest settled Changes, in order, shared by all listeners. Whoever needs older ones reads the store.

use crate::base::id::{Seq, UserId};
use crate::chat::change::{Audience, Change, What};
use crate::chat::message::Message;
use std::collections::VecDeque;
use std::sync::Arc;

/// A settled Change and who should hear of it, worked out once for all listeners.
pub(super) struct Entry {
    pub change: Arc<Change>,
    pub audiences: heapless::Vec<Audience, 2>,
    bytes: usize,
}

impl Entry {
    pub fn new(change: &Arc<Change>) -> Self {
        Self { audiences: change.audiences(), bytes: bytes_of(change), change: Arc::clone(change) }
    }

    pub fn seq(&self) -> Seq {
        self.change.seq
    }

    /// Whether the user hears of it wherever they listen.
    pub fn is_for(&self, user: &UserId) -> bool {
        self.audiences.iter().any(|audience| match audience {
            Audience::All => true,
            Audience::User(who) => who == user,
            Audience::Room(_) | Audience::Topics => false,
        })
    }
}

/// A ring of entries, bounded in number and bytes.
pub(super) struct Tail {
    entries: VecDeque<Entry>,
    bytes: usize,
    changes_max: usize,
    bytes_max: usize,
    lost: Seq,
    head: Seq,
    relayed: Seq,
    topics_relayed: Seq,
}

impl Tail {
    /// An empty tail of a journal that is settled up to `settled`.
    pub fn new(settled: Seq, changes_max: usize, bytes_max: usize) -> Self {
        Self {
            entries: VecDeque::new(),
            bytes: 0,
            changes_max,
            bytes_max,
            lost: settled,
            head: settled,
            relayed: settled,
            topics_relayed: settled,
        }
    }

    /// The newest place that is no longer here: only what is after it can be read.
    pub fn lost(&self) -> Seq {
        self.lost
    }

    /// The newest place the listeners were marked for.
    pub fn relayed(&self) -> Seq {
        self.relayed
    }

    /// The newest place that those who hear topics were told of.
    pub fn topics_relayed(&self) -> Seq {
        self.topics_relayed
    }

    /// Appends, dropping the oldest; gives the entry back when the oldest was not relayed yet.
    pub fn push(&mut self, entry: Entry) -> Result<(), Entry> {
        debug_assert!(entry.seq() > self.head, "Changes settle in order and once");
        while self.entries.len() >= self.changes_max || self.bytes + entry.bytes > self.bytes_max {
            match self.entries.front() {
                Some(oldest) if oldest.seq() > self.relayed.min(self.topics_relayed) => return Err(entry),
                Some(oldest) => self.lost = oldest.seq(),
                // One that is too large alone is kept alone: those who keep up still get it.
                None => break,
            }
            self.bytes -= self.entries.pop_front().map_or(0, |oldest| oldest.bytes);
        }
        self.head = entry.seq();
        self.bytes += entry.bytes;
        self.entries.push_back(entry);
        Ok(())
    }

    /// Everything here after a place, oldest first.
    pub fn after(&self, seq: Seq) -> impl Iterator<Item = &Entry> {
        let first = self.entries.partition_point(|entry| entry.seq() <= seq);
        self.entries.range(first..)
    }

    /// Everything here from a place up to what was relayed.
    pub fn relayed_from(&self, from: Seq) -> impl Iterator<Item = &Entry> {
        let first = self.entries.partition_point(|entry| entry.seq() < from);
        self.entries.range(first..).take_while(|entry| entry.seq() <= self.relayed)
    }

    /// From now on everything here counts as relayed.
    pub fn set_relayed(&mut self) {
        self.relayed = self.head;
    }

    /// From now on those who hear topics know of everything here.
    pub fn set_topics_relayed(&mut self) {
        self.topics_relayed = self.head;
    }
}

/// What a Change occupies, roughly: its own size and the texts that can be long.
fn bytes_of(change: &Change) -> usize {
    let long = match &change.what {
        What::Posted { message, .. } | What::Revised { message, .. } => bytes_of_message(message),
        What::UserAdded(user) | What::UserChanged(user) => {
            user.extra.as_ref().map_or(0, |extra| extra.as_bytes().len())
        }
        What::RoomMade(room) | What::RoomChanged { room, .. } => {
            let texts = room.topic.len() + room.description.len() + room.announcement.len();
            texts + room.extra.as_ref().map_or(0, |extra| extra.as_bytes().len())
        }
        What::DeviceSet(device) => device.bindings.len() * 32,
        What::SettingSet { value, .. } => value.len(),
        What::PermissionsSet(table) => size_of_val(table.changed()),
        What::Unknown { bytes, .. } => bytes.len(),
        What::Published { publication, .. } => {
            let properties = publication.properties.as_ref().map_or(0, |properties| properties.len());
            publication.payload.len() + publication.topic.as_str().len() + properties
        }
        _ => 0,
    };
    size_of::<Entry>() + size_of::<Change>() + long
}

fn bytes_of_message(message: &Message) -> usize {
    let reactors: usize = message.reactions.iter().map(|reaction| 32 + reaction.by.len() * 48).sum();
    let extra = message.extra.as_ref().map_or(0, |extra| extra.as_bytes().len());
    message.text.as_str().len() + extra + reactors
}
