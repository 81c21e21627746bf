//! What waits for one seat, bounded in number and bytes.

use super::sheet::Parcel;
use crate::base::id::Seq;
use crate::base::limits::{TOPIC_QUEUE_BYTES_MAX, TOPIC_QUEUE_MAX};
use std::collections::VecDeque;

/// What became of a parcel.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum Outcome {
    /// It waits.
    #[default]
    Waits,
    /// There was no room: it is lost.
    Missed,
    /// There was no room: it is read from the store.
    Behind,
}

#[derive(Default)]
pub(super) struct Queue {
    parcels: VecDeque<Parcel>,
    bytes: usize,
    missed: u64,
    behind: bool,
}

impl Queue {
    pub fn has_room(&self, weight: usize) -> bool {
        let few = self.parcels.len() < TOPIC_QUEUE_MAX && self.bytes + weight <= TOPIC_QUEUE_BYTES_MAX;
        few || self.parcels.is_empty()
    }

    pub fn has_news(&self) -> bool {
        self.behind || !self.parcels.is_empty()
    }

    pub fn is_empty(&self) -> bool {
        self.parcels.is_empty()
    }

    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Puts a parcel in, if there is room.
    pub fn push(&mut self, parcel: Parcel) -> Outcome {
        let is_kept = parcel.is_kept();
        if self.behind && is_kept {
            return Outcome::Behind;
        }
        if self.has_room(parcel.sheet.weight()) {
            self.bytes += parcel.sheet.weight();
            self.parcels.push_back(parcel);
            return Outcome::Waits;
        }
        if is_kept {
            self.fall_behind();
            return Outcome::Behind;
        }
        self.miss();
        Outcome::Missed
    }

    /// The parcel that was put in last.
    pub fn last_mut(&mut self) -> Option<&mut Parcel> {
        self.parcels.back_mut()
    }

    /// Counts one that got lost.
    pub fn miss(&mut self) {
        self.missed += 1;
    }

    /// One that was counted as lost is read from the store after all.
    pub fn unmiss(&mut self) {
        self.missed -= 1;
        self.fall_behind();
    }

    /// What is kept is read from the store from now on; until it was told so.
    pub fn fall_behind(&mut self) {
        self.behind = true;
        self.parcels.retain(|parcel| !parcel.is_kept());
        self.bytes = self.parcels.iter().map(|parcel| parcel.sheet.weight()).sum();
    }

    /// Lets everything go. Gives the number of those that are lost.
    pub fn shed(&mut self) -> u64 {
        if self.parcels.iter().any(Parcel::is_kept) {
            self.fall_behind();
        }
        let lost = self.parcels.len() as u64;
        self.missed += lost;
        self.parcels = VecDeque::new();
        self.bytes = 0;
        lost
    }

    /// Nothing is read from the store any more: whoever was behind has missed something.
    pub fn end(&mut self) {
        self.missed += u64::from(std::mem::take(&mut self.behind));
    }

    /// Takes out those of groups, or of one group.
    pub fn take_shared(&mut self, is_meant: impl Fn(&Parcel) -> bool) -> Vec<Parcel> {
        if !self.parcels.iter().any(&is_meant) {
            return Vec::new();
        }
        let (taken, left): (VecDeque<_>, VecDeque<_>) =
            std::mem::take(&mut self.parcels).into_iter().partition(is_meant);
        self.bytes -= taken.iter().map(|parcel| parcel.sheet.weight()).sum::<usize>();
        self.parcels = left;
        taken.into()
    }

    /// The oldest, at most so many and about so many bytes.
    pub fn take(&mut self, max: usize, bytes_max: usize) -> Vec<Parcel> {
        if self.parcels.len() <= max && self.bytes <= bytes_max {
            self.bytes = 0;
            // An idle seat keeps no memory for a queue.
            return std::mem::take(&mut self.parcels).into();
        }
        let (mut count, mut bytes) = (0, 0);
        for parcel in self.parcels.iter().take(max) {
            if count > 0 && bytes + parcel.sheet.weight() > bytes_max {
                break;
            }
            (count, bytes) = (count + 1, bytes + parcel.sheet.weight());
        }
        self.bytes -= bytes;
        self.parcels.drain(..count).collect()
    }

    pub fn take_missed(&mut self) -> u64 {
        std::mem::take(&mut self.missed)
    }

    pub fn take_behind(&mut self) -> bool {
        std::mem::take(&mut self.behind)
    }

    /// The first place of what still waits and is kept.
    pub fn first_kept(&self) -> Option<Seq> {
        self.parcels.iter().filter_map(Parcel::kept_at).min()
    }
}
