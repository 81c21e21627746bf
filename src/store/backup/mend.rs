//! What a damaged journal lost comes back from a backup: the Changes whose numbers are missing around the damage, and
//! nothing else. Only for a journal on which no node runs.
//!
//! A damaged file is copied aside and synced before a new one takes its place, so that power may go at any time: the
//! journal is then as damaged as before, or repaired. A number that was left out on purpose when a segment was condensed
//! does not come back: into such a segment only a backup gives that was made after it was decided what to leave out.

mod filling;

pub use filling::{Mended, mend, mend_and_remember};

use super::{BackupError, Mode, Source};
use crate::base::id::Seq;
use crate::base::limits::REPAIR_HOLES_MAX;
use crate::chat::change::{Change, Origin, What};
use crate::store::error::StoreError;
use crate::store::journal::{Damage, Frame, Pos, Reader, Segment, Why};
use crate::store::lost::register::Gone;
use crate::store::record;
use std::io::Read;

/// Numbers in a row that the journal cannot read any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hole {
    /// The first and the last of them.
    pub first: u64,
    /// See `first`.
    pub last: u64,
    /// The whole segments in which it is, or the stretch of those that are missing; none behind the journal's end.
    stretch: Option<(Pos, Pos)>,
    /// The newest number that was known when it was last decided what to leave out there.
    as_of: u64,
    /// What is on both sides of it.
    before: Option<Origin>,
    after: Option<Origin>,
}

impl Hole {
    fn numbers(&self) -> u64 {
        self.last - self.first + 1
    }

    /// What of it is lost, from this number on.
    fn gone(&self, first: u64, count: u64) -> Gone {
        let at = |origin: Option<Origin>| origin.map(|origin| origin.moment.wall_ms);
        let (from, until) = (at(self.before).filter(|_| first == self.first), at(self.after));
        Gone { first, last: self.last, count, from, until, ..Gone::default() }
    }
}

/// What a journal lost.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wounds {
    /// The number of the node whose journal it is, as its own Changes say.
    pub node: Option<u64>,
    /// Where Changes are missing, by number.
    pub holes: Vec<Hole>,
    /// The newest number that can be read.
    last: u64,
}

impl Wounds {
    /// Reads a journal to its end, or until there are too many holes for one repair. `claimed` is the newest number that
    /// anybody knows of.
    pub fn of(journal: &Reader, claimed: u64) -> Result<Wounds, StoreError> {
        let mut looking =
            Looking { segments: journal.segments(), wounds: Wounds::default(), before: None, open: None };
        if let Some(first) = looking.segments.first().filter(|first| first.from.place() > 0) {
            looking.damaged(Damage { from: Pos::default(), to: first.from, why: Why::Missing });
        }
        for found in journal.scan(Pos::default(), journal.end()) {
            match found {
                Ok((_, frame)) => looking.read(&frame),
                Err(StoreError::Damaged(damage)) => looking.damaged(damage),
                Err(error) => return Err(error),
            }
            if looking.wounds.holes.len() >= REPAIR_HOLES_MAX {
                return Ok(looking.wounds);
            }
        }
        looking.end(claimed);
        Ok(looking.wounds)
    }

    /// The numbers that are missing, a stretch for each hole.
    pub fn stretches(&self) -> Vec<(u64, u64)> {
        self.holes.iter().map(|hole| (hole.first, hole.last)).collect()
    }

    /// The hole in which this number is missing.
    fn hole(&self, seq: u64) -> Option<usize> {
        let at = self.holes.partition_point(|hole| hole.last < seq);
        self.holes.get(at).filter(|hole| hole.first <= seq).map(|_| at)
    }

    /// Whether a Change of a backup is the one beside a hole, where it is.
    fn fits(&self, seq: u64, payload: &[u8]) -> bool {
        let at = self.holes.partition_point(|hole| hole.last < seq);
        let left = at.checked_sub(1).map(|at| &self.holes[at]).filter(|hole| hole.last + 1 == seq);
        let right = self.holes.get(at).filter(|hole| hole.first == seq + 1);
        let known = left.and_then(|hole| hole.after).or_else(|| right.and_then(|hole| hole.before));
        known.is_none_or(|known| decode(seq, payload).is_some_and(|change| change.origin == known))
    }
}

fn decode(seq: u64, payload: &[u8]) -> Option<Change> {
    record::change::decode(Seq(seq), payload).ok()
}

/// Reading a journal for its holes.
struct Looking {
    segments: Vec<Segment>,
    wounds: Wounds,
    before: Option<Origin>,
    /// The stretch of the damage after which nothing was read yet, and up to when it was decided what to leave out there.
    open: Option<(Pos, Pos, u64)>,
}

impl Looking {
    fn damaged(&mut self, damage: Damage) {
        let is_in = |segment: &&Segment| (segment.from..segment.to).contains(&damage.from);
        let (from, until, as_of) = self
            .segments
            .iter()
            .find(is_in)
            .map_or((damage.from, damage.to, 0), |segment| (segment.from, segment.to, segment.as_of));
        self.open = Some(match self.open {
            None => (from, until, as_of),
            Some((first, last, known)) => (first.min(from), last.max(until), known.max(as_of)),
        });
    }

    fn read(&mut self, frame: &Frame) {
        let change = decode(frame.seq, &frame.payload);
        let origin = change.as_ref().map(|change| change.origin);
        self.close(frame.seq, origin);
        if let Some(Change { origin, what: What::Started { .. }, .. }) = change {
            self.wounds.node.get_or_insert(origin.node);
        }
        (self.wounds.last, self.before) = (frame.seq, origin);
    }

    /// The number `next` comes after the damage.
    fn close(&mut self, next: u64, after: Option<Origin>) {
        let Some((from, until, as_of)) = self.open.take() else { return };
        let first = self.wounds.last + 1;
        if first < next {
            let (stretch, before) = (Some((from, until)), self.before);
            self.wounds.holes.push(Hole { first, last: next - 1, stretch, as_of, before, after });
        }
    }

    fn end(&mut self, claimed: u64) {
        let told = self.segments.iter().filter_map(|segment| segment.seqs).map(|(_, last)| last).max();
        self.close(told.unwrap_or(0).max(claimed) + 1, None);
        let known = self.wounds.holes.last().map_or(0, |hole| hole.last).max(self.wounds.last);
        if claimed > known {
            let (first, before) = (known + 1, self.before);
            self.wounds.holes.push(Hole {
                first,
                last: claimed,
                stretch: None,
                as_of: 0,
                before,
                after: None,
            });
        }
    }
}

/// What a backup has of what a journal lost.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Offer {
    /// Changes it has of each hole.
    has: Vec<u64>,
    /// Numbers up to which nothing but what was left out on purpose is missing in it.
    complete: u64,
    last_seq: u64,
}

impl Offer {
    /// Reads a backup to its end. Refuses one of another node, or of one that went another way since.
    pub fn of<R: Read>(wounds: &Wounds, input: R) -> Result<Offer, BackupError> {
        let mut source = Source::open(input, Mode::Salvage)?;
        if wounds.node != Some(source.head().node) {
            return Err(BackupError::OtherNode);
        }
        let last_seq = source.head().last_seq;
        let mut offer = Offer { has: vec![0; wounds.holes.len()], complete: 0, last_seq };
        let mut other = None;
        while source.next_changes(|seq, payload| {
            if let Some(at) = wounds.hole(seq) {
                offer.has[at] += u64::from(offer.may_fill(&wounds.holes[at]));
            } else if !wounds.fits(seq, payload) {
                other.get_or_insert(seq);
            }
            Ok(())
        })? {}
        if let Some(seq) = other {
            return Err(BackupError::OtherCourse { seq });
        }
        let outcome = source.finish();
        if outcome.is_whole() && outcome.read.damaged == 0 {
            offer.complete = last_seq;
        }
        Ok(offer)
    }

    /// How many Changes it brings back.
    pub fn count(&self) -> u64 {
        self.has.iter().sum()
    }

    /// Whether nothing stays lost.
    pub fn is_all(&self, wounds: &Wounds) -> bool {
        wounds.holes.iter().enumerate().all(|(at, hole)| self.lost(at, hole) == 0)
    }

    /// Whether it is new enough not to bring back what was taken out of there for good.
    fn may_fill(&self, hole: &Hole) -> bool {
        hole.as_of == 0 || self.last_seq > hole.as_of
    }

    /// What stays lost for good where this backup fills what it can.
    fn leaves(&self, wounds: &Wounds) -> Vec<Gone> {
        let of = |(at, hole): (usize, &Hole)| {
            let count = self.lost(at, hole);
            let first = match self.complete {
                complete if complete > 0 && self.may_fill(hole) => hole.first.max(complete + 1),
                _ => hole.first,
            };
            (count > 0 && self.has[at] > 0).then(|| hole.gone(first, count))
        };
        wounds.holes.iter().enumerate().filter_map(of).collect()
    }

    /// Changes of a hole that it has not.
    fn lost(&self, at: usize, hole: &Hole) -> u64 {
        match self.complete {
            // What a whole backup has not of earlier numbers was left out of the journal before it was made.
            complete if complete > 0 && self.may_fill(hole) => {
                hole.last.saturating_sub(complete.max(hole.first - 1))
            }
            _ => hole.numbers() - self.has[at],
        }
    }
}
