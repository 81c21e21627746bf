//! What the care for the disk does and when: rooms are trimmed to their measure, words that were taken back go, and the
//! journal is gone through for segments that are mostly waste, a little at every look. All of the journal is read again
//! now and then. No thread and no clock lives here.

use crate::base::id::RoomId;
use crate::base::limits::{
    CARE_LOOK_MS, CARE_LOOK_SOON_MS, CONDENSED_RUN_MAX, PAGE_ENTRIES_MAX, SCRUB_EVERY_MS, SCRUB_FIRST_MS,
    UNWANTED_MS,
};
use crate::node::Reading;
use crate::node::condense::{GivenBack, Hands, Scope, condense};
use crate::node::topics::{self, Lag};
use crate::node::trim::Retention;
use crate::store::error::StoreError;
use crate::store::index::kv::Shelf;
use crate::store::journal::{Pos, Reader};
use crate::store::keys::{self, end_of, text_after};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Something that is due.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Duty {
    /// A look at what can leave the disk.
    Look,
    /// To read all of the journal again.
    Scrub,
}

/// When what is due, by a clock that only runs forward.
pub struct Agenda {
    look_ms: u64,
    scrub_ms: u64,
}

impl Agenda {
    /// The agenda of a node that starts now.
    pub fn new(now_ms: u64) -> Agenda {
        Agenda { look_ms: now_ms + CARE_LOOK_MS, scrub_ms: now_ms + SCRUB_FIRST_MS }
    }

    /// What is due now, or in how many milliseconds something will be.
    pub fn next(&mut self, now_ms: u64) -> Result<Duty, u64> {
        if self.scrub_ms <= now_ms {
            self.scrub_ms = now_ms + SCRUB_EVERY_MS;
            Ok(Duty::Scrub)
        } else if self.look_ms <= now_ms {
            self.look_ms = now_ms + CARE_LOOK_MS;
            Ok(Duty::Look)
        } else {
            Err(self.look_ms.min(self.scrub_ms) - now_ms)
        }
    }

    /// Much was given back, so there may be more.
    pub fn look_soon(&mut self, now_ms: u64) {
        self.look_ms = self.look_ms.min(now_ms + CARE_LOOK_SOON_MS);
    }

    /// It could not be read to its end: somebody else needed the journal.
    pub fn scrub_soon(&mut self, now_ms: u64) {
        self.scrub_ms = now_ms + SCRUB_FIRST_MS;
    }
}

/// What is done at every look.
pub struct Rounds {
    retention: Retention,
    /// How far the journal was gone through for waste, and where it ended when that began.
    at: Pos,
    began: Option<Pos>,
    lag: Lag,
}

impl Rounds {
    /// Rooms without a rule of their own are trimmed by this measure.
    pub fn new(retention: Retention) -> Rounds {
        Rounds { retention, at: Pos::default(), began: None, lag: Lag::default() }
    }

    /// Sessions of topics may be this far behind.
    pub fn allowing(self, lag: Lag) -> Rounds {
        Rounds { lag, ..self }
    }

    /// One look at what is due. Nothing else may condense or trim meanwhile.
    pub fn look(&mut self, reading: &Reading, hands: &mut dyn Hands) -> Result<GivenBack, StoreError> {
        topics::rounds::look(reading, hands, self.lag)?;
        trim(reading, hands, self.retention)?;
        let due = reading.clock().now().wall_ms.saturating_sub(UNWANTED_MS);
        let given = condense(reading, hands, Scope::Unwanted(due))?;
        let Some((from, until)) = self.stretch(&reading.journal) else { return Ok(given) };
        let more = condense(reading, hands, Scope::Wasted(from, until))?;
        self.at = until;
        Ok(GivenBack {
            segments: given.segments + more.segments,
            changes: given.changes + more.changes,
            bytes: given.bytes + more.bytes,
        })
    }

    /// The segments to look at next: one, or as many as are no more than one together. When all have been looked at, it
    /// begins anew once the journal has grown by a segment: only what is written makes waste of what was written before.
    fn stretch(&mut self, journal: &Reader) -> Option<(Pos, Pos)> {
        let end = journal.end();
        let mut segments = journal.segments();
        segments.pop();
        let grown = |began: Pos| end.place().saturating_sub(began.place()) >= journal.segment_bytes();
        let is_over = segments.last().is_none_or(|last| last.to.place() <= self.at.place());
        match self.began {
            Some(began) if is_over && !grown(began) => return None,
            Some(_) if !is_over => {}
            _ => (self.at, self.began) = (Pos::default(), Some(end)),
        }
        let rest = segments.iter().skip_while(|segment| segment.from.place() < self.at.place());
        let mut taken: Option<(Pos, Pos)> = None;
        let mut bytes = 0;
        for segment in rest.take(CONDENSED_RUN_MAX) {
            bytes += segment.bytes;
            match &mut taken {
                Some(_) if bytes > journal.segment_bytes() => break,
                Some((_, until)) => *until = segment.to,
                None => taken = Some((segment.from, segment.to)),
            }
        }
        taken
    }
}

/// Trims every room to its measure, this one where it has none of its own.
pub(super) fn trim(reading: &Reading, hands: &mut dyn Hands, retention: Retention) -> Result<(), StoreError> {
    let prefix = keys::rooms();
    let mut from = prefix.to_vec();
    loop {
        let page = reading.scan(&from, &end_of(&prefix), PAGE_ENTRIES_MAX)?;
        let Some((last, _)) = page.last() else { return Ok(()) };
        from = [last, &[0][..]].concat();
        for room in page.iter().filter_map(|(key, _)| text_after(&prefix, key).and_then(RoomId::parse)) {
            let first = retention.in_room(reading, &room)?.first_kept(reading, &room)?;
            while first > 0 && trim_some(hands, &room, first)? {}
        }
        hands.breathe()?;
    }
}

/// Trims some of a room; whether more remain.
fn trim_some(hands: &mut dyn Hands, room: &RoomId, first: u64) -> Result<bool, StoreError> {
    let more = Arc::new(AtomicBool::new(false));
    let (room, told) = (room.clone(), more.clone());
    hands.job(Box::new(move |node| {
        told.store(node.trim_room(&room, first)?, Ordering::Release);
        Ok(())
    }))?;
    Ok(more.load(Ordering::Acquire))
}
