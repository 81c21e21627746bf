//! Condensing: what was deleted, edited or trimmed leaves the disk, and its space is given back.
//!
//! A run of segments goes through these steps, and power may go between any two of them. What the index has to know is
//! written; the segments are rewritten into one; the index follows to the new places and is synced; only then the old
//! files are removed. A start that finds old files beside new ones follows to the new places once more.

use crate::base::id::{RoomId, Seq, UserId};
use crate::base::limits::{CONDENSED_RUN_MAX, MARKS_AT_ONCE, SCAN_ENTRIES_MAX, TRIMMED_BLOCKS_MAX};
use crate::base::time::WallMs;
use crate::chat::change::What;
use crate::chat::refusal::Refusal;
use crate::chat::room::Room;
use crate::node::survey::{self, Survey};
use crate::node::{Node, Reading, refuse};
use crate::store::error::StoreError;
use crate::store::index::catalog::Catalog;
use crate::store::index::history::{Erasable, stretch_of};
use crate::store::index::kv::{Shelf, Value, Write};
use crate::store::index::layer::Layer;
use crate::store::index::live::Judge;
use crate::store::index::moved::Moving;
use crate::store::index::settled::Settled;
use crate::store::journal::{Pos, Reader, Segment};
use crate::store::keys::{self, end_of};
use crate::store::record::own_id::OwnId;
use std::collections::BTreeSet;

/// Something the writer has to do.
pub type Job = Box<dyn FnOnce(&mut Node) -> Result<(), Refusal> + Send>;

/// How condensing gets its work done beside everything else the node does.
pub trait Hands {
    /// Has the writer do something, and returns when it is on the disk.
    fn job(&mut self, job: Job) -> Result<(), StoreError>;
    /// Has the writer do something in its turn, after everything that was asked before. It need not be done when this
    /// returns.
    fn job_in_turn(&mut self, job: Job) -> Result<(), StoreError> {
        self.job(job)
    }
    /// Returns when all that was asked is on the disk.
    fn finish(&mut self) -> Result<(), StoreError> {
        Ok(())
    }
    /// Called between small pieces of work: a place to let others go first, or to end.
    fn breathe(&mut self) -> Result<(), StoreError>;
    /// Returns when nobody reads any more by a place that was looked up before this was called.
    fn let_readers_finish(&mut self);
}

/// What is to be condensed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scope {
    /// Everything in which there is anything to be won.
    All,
    /// Segments with words that are unwanted since this time or before.
    Unwanted(WallMs),
    /// The segments that begin in this stretch, if most of them is waste.
    Wasted(Pos, Pos),
}

impl Scope {
    fn takes(self, segment: &Segment, unwanted: &[Unwanted]) -> bool {
        match self {
            Scope::All => true,
            Scope::Unwanted(_) => unwanted.iter().any(|(stretch, _)| overlaps(segment, *stretch)),
            Scope::Wasted(from, until) => (from.place()..until.place()).contains(&segment.from.place()),
        }
    }

    /// Whether it is worth writing a run of segments anew.
    fn is_met_by(self, run: &[Survey]) -> bool {
        let sum = |of: fn(&Survey) -> u64| run.iter().map(of).sum::<u64>();
        let something = run.len() > 1 || sum(|survey| survey.dead_frames) > 0;
        match self {
            Scope::All | Scope::Unwanted(_) => something,
            Scope::Wasted(..) => {
                let is_waste = sum(|survey| survey.kept_bytes) * 2 < sum(|survey| survey.segment.bytes);
                something && (is_waste || run.len() >= CONDENSED_RUN_MAX)
            }
        }
    }
}

/// What condensing gave back.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct GivenBack {
    /// Segments that were rewritten.
    pub segments: u64,
    /// Changes that went or lost their words.
    pub changes: u64,
    /// Bytes that are free again.
    pub bytes: u64,
}

/// Condenses what is in scope. Nothing else may condense or trim meanwhile.
pub fn condense(reading: &Reading, hands: &mut dyn Hands, scope: Scope) -> Result<GivenBack, StoreError> {
    let mut work = Work { reading, hands, given: GivenBack::default(), freed: 0, taken: 0 };
    work.finish_switch(None)?;
    let unwanted = work.unwanted(scope)?;
    work.seal(&unwanted)?;
    work.condense(scope, &unwanted)?;
    work.forget_unwanted(&unwanted)?;
    Ok(GivenBack { bytes: work.freed.saturating_sub(work.taken), ..work.given })
}

/// A stretch of the journal with unwanted words, and what the index says of it.
type Unwanted = (u64, Value);

struct Work<'a> {
    reading: &'a Reading,
    hands: &'a mut dyn Hands,
    given: GivenBack,
    /// Bytes of files that were removed and of those written in their place.
    freed: u64,
    taken: u64,
}

impl Work<'_> {
    fn journal(&self) -> &Reader {
        &self.reading.journal
    }

    fn unwanted(&self, scope: Scope) -> Result<Vec<Unwanted>, StoreError> {
        let from = keys::all_erasable();
        let found = self.reading.scan(&from, &end_of(&from), SCAN_ENTRIES_MAX)?;
        let now = self.reading.clock().now().wall_ms;
        let mut unwanted = Vec::new();
        for (key, value) in found {
            let Some(stretch) = keys::erasable_stretch(&key) else { continue };
            let since = Erasable::decode(&value)?.since;
            // A time that is yet to come was told by a clock that ran ahead.
            if scope == Scope::All || matches!(scope, Scope::Unwanted(upto) if since <= upto || since > now) {
                unwanted.push((stretch, value));
            }
        }
        Ok(unwanted)
    }

    /// Where unwanted words lie in the newest segment, a new one is begun.
    fn seal(&mut self, unwanted: &[Unwanted]) -> Result<(), StoreError> {
        let Some(newest) = self.journal().segments().pop() else { return Ok(()) };
        if !unwanted.iter().any(|(stretch, _)| overlaps(&newest, *stretch)) {
            return Ok(());
        }
        self.hands.job(Box::new(|node| {
            node.seal_segment();
            Ok(())
        }))?;
        // A group of its own, for the job above was still part of one that had its place.
        self.hands.job(Box::new(Node::begin_segment))
    }

    fn condense(&mut self, scope: Scope, unwanted: &[Unwanted]) -> Result<(), StoreError> {
        // What the index has not followed on the disk, it could not follow again in a rewritten segment.
        let checkpoint = self.reading.settled.checkpoint()?;
        let (as_of, now) = (checkpoint.seq, self.reading.clock().now().wall_ms);
        let mut segments = self.journal().segments();
        segments.pop();
        segments.retain(|segment| segment.to <= checkpoint.end);
        let room = self.journal().segment_bytes();
        let (mut clean, mut run, mut kept) = (as_of, Vec::<Survey>::new(), 0);
        let mut last = Pos::default();
        for segment in segments {
            let wanted = scope.takes(&segment, unwanted);
            let survey = if wanted { self.survey(segment, clean, now)? } else { None };
            let Some(survey) = survey else {
                clean = clean.min(Seq(segment.as_of));
                self.rewrite(scope, std::mem::take(&mut run), (as_of, now))?;
                continue;
            };
            let apart = last != segment.from && last.place() != segment.from.place();
            if apart || run.len() >= CONDENSED_RUN_MAX || kept + survey.kept_bytes > room {
                self.rewrite(scope, std::mem::take(&mut run), (as_of, now))?;
                kept = 0;
            }
            (kept, last) = (kept + survey.kept_bytes, segment.to);
            run.push(survey);
        }
        self.rewrite(scope, run, (as_of, now))
    }

    fn survey(&mut self, segment: Segment, clean: Seq, now: WallMs) -> Result<Option<Survey>, StoreError> {
        let mut judge = Judge::new(self.reading, clean, now);
        let hands = &mut self.hands;
        Survey::of(&self.reading.journal, segment, &mut judge, &mut || hands.breathe())
    }

    fn rewrite(
        &mut self,
        scope: Scope,
        run: Vec<Survey>,
        (as_of, now): (Seq, WallMs),
    ) -> Result<(), StoreError> {
        let (Some(first), Some(last)) = (run.first(), run.last()) else { return Ok(()) };
        if !scope.is_met_by(&run) {
            return Ok(());
        }
        let (from, until) = (first.segment.from, last.segment.to);
        self.prepare(&run)?;
        let mut rewrite = self.journal().rewrite(from, until, as_of.0)?;
        let judge = Judge::new(self.reading, as_of, now);
        let hands = &mut self.hands;
        survey::write(&self.reading.journal, &run, &judge, &mut rewrite, &mut || hands.breathe())?;
        self.taken += rewrite.finish()?.bytes;
        self.given.segments += run.len() as u64;
        self.given.changes += run.iter().map(|survey| survey.dead_frames).sum::<u64>();
        self.finish_switch(Some(from))
    }

    /// What the index has to know before frames go, written where the next start finds it.
    fn prepare(&mut self, run: &[Survey]) -> Result<(), StoreError> {
        let marks: BTreeSet<_> = run.iter().flat_map(|survey| survey.marks.iter().cloned()).collect();
        let marks: Vec<_> = marks.into_iter().collect();
        for some in marks.chunks(MARKS_AT_ONCE) {
            let some = some.to_vec();
            self.hands.job_in_turn(Box::new(move |node| node.restate_marks(&some)))?;
        }
        let own_ids: Vec<_> = run.iter().flat_map(|survey| survey.own_ids.iter().cloned()).collect();
        for some in own_ids.chunks(MARKS_AT_ONCE) {
            let some = some.to_vec();
            self.hands.job_in_turn(Box::new(move |node| {
                let mut writes: Vec<Write> = Vec::new();
                for (id, room, seq) in some {
                    // The id may lead to a message that came later.
                    let known = node.own_id(&id).map_err(refuse)?;
                    let leads_here = match known {
                        Some(OwnId::Message(known, at)) => known == room && at == seq,
                        Some(OwnId::Former(_)) => true,
                        None => false,
                    };
                    writes.extend(leads_here.then(|| (keys::own_id(&id), None)));
                }
                node.amend(writes);
                Ok(())
            }))?;
        }
        for room in run.iter().flat_map(|survey| &survey.gone_rooms) {
            self.forget_room(room)?;
        }
        self.hands.finish()
    }

    /// Nothing leads to the history of a room that is gone.
    fn forget_room(&mut self, room: &RoomId) -> Result<(), StoreError> {
        let from = keys::blocks(room);
        loop {
            let blocks = self.reading.scan(&from, &end_of(&from), TRIMMED_BLOCKS_MAX)?;
            let over = blocks.len() < TRIMMED_BLOCKS_MAX;
            let going = blocks.into_iter().map(|(key, _)| key).chain(over.then(|| keys::trimmed(room)));
            let writes: Vec<Write> = going.map(|key| (key, None)).collect();
            self.hands.job(Box::new(move |node| {
                node.amend(writes);
                Ok(())
            }))?;
            if over {
                return Ok(());
            }
        }
    }

    /// Follows to rewritten segments and removes what they replaced: to the one that was rewritten just now, or to all
    /// where nobody knows which the index has followed.
    fn finish_switch(&mut self, only: Option<Pos>) -> Result<(), StoreError> {
        let arrangement = self.journal().arrangement();
        if !is_moved(self.reading, arrangement)? {
            let is_meant = |segment: &Segment| {
                segment.generation > 0 && only.is_none_or(|from| segment.from.place() == from.place())
            };
            for segment in self.journal().segments().into_iter().filter(is_meant) {
                self.follow(segment)?;
            }
            // First the places, then that they are known.
            self.reading.settled.checkpoint()?;
            let moved: Write = (keys::MOVED.into(), Some(arrangement.to_be_bytes()[..].into()));
            self.hands.job(Box::new(move |node| {
                node.amend(vec![moved]);
                Ok(())
            }))?;
        }
        if !self.journal().replaced().is_empty() {
            self.hands.let_readers_finish();
            self.freed += self.journal().remove_replaced()?;
        }
        Ok(())
    }

    fn follow(&mut self, segment: Segment) -> Result<(), StoreError> {
        let mut moving = Moving::to(self.journal(), segment);
        while let Some(step) = moving.step()? {
            self.hands.job_in_turn(Box::new(move |node| {
                let writes = step.writes(node).map_err(refuse)?;
                node.amend(writes);
                Ok(())
            }))?;
            self.hands.breathe()?;
        }
        self.hands.finish()
    }

    fn forget_unwanted(&mut self, unwanted: &[Unwanted]) -> Result<(), StoreError> {
        let segments = self.journal().segments();
        let is_newest = |stretch: u64| segments.last().is_some_and(|newest| overlaps(newest, stretch));
        let going = unwanted.iter().filter(|(stretch, _)| !is_newest(*stretch));
        let going: Vec<_> = going.map(|(stretch, value)| (keys::erasable(*stretch), value.clone())).collect();
        for some in going.chunks(MARKS_AT_ONCE) {
            let some = some.to_vec();
            self.hands.job_in_turn(Box::new(move |node| {
                let mut writes: Vec<Write> = Vec::new();
                for (key, value) in some {
                    // What became unwanted meanwhile is for the next time.
                    if node.get(&key).map_err(refuse)?.as_ref() == Some(&value) {
                        writes.push((key, None));
                    }
                }
                node.amend(writes);
                Ok(())
            }))?;
        }
        self.hands.finish()
    }
}

fn overlaps(segment: &Segment, stretch: u64) -> bool {
    let last = Pos(segment.to.place().saturating_sub(1));
    (stretch_of(segment.from)..=stretch_of(last)).contains(&stretch)
}

fn is_moved(shelf: &(impl Shelf + ?Sized), arrangement: u64) -> Result<bool, StoreError> {
    let known = shelf.get(keys::MOVED)?.unwrap_or_else(|| 0u64.to_be_bytes()[..].into());
    Ok(*known == arrangement.to_be_bytes())
}

/// Finishes at a start what was interrupted: the index follows to the rewritten segments, and what they replaced goes.
pub(super) fn finish(settled: &Settled, journal: &Reader) -> Result<(), StoreError> {
    let arrangement = journal.arrangement();
    if !is_moved(settled, arrangement)? {
        for segment in journal.segments().into_iter().filter(|segment| segment.generation > 0) {
            let mut moving = Moving::to(journal, segment);
            while let Some(step) = moving.step()? {
                lay(settled, step.writes(settled)?);
                if settled.is_due() {
                    settled.checkpoint()?;
                }
            }
        }
        settled.checkpoint()?;
        lay(settled, vec![(keys::MOVED.into(), Some(arrangement.to_be_bytes()[..].into()))]);
        settled.checkpoint()?;
    }
    if let Err(error) = journal.remove_replaced() {
        // They are in nobody's way; the next time they are condensed or the node starts they go.
        tracing::warn!(%error, "replaced segments are left over");
    }
    Ok(())
}

/// Notes that an index which was made from the journal as it is knows its places.
pub(super) fn know(settled: &Settled, journal: &Reader) {
    lay(settled, vec![(keys::MOVED.into(), Some(journal.arrangement().to_be_bytes()[..].into()))]);
}

fn lay(settled: &Settled, writes: Vec<Write>) {
    let mut layer = Layer::default();
    writes.into_iter().for_each(|write| layer.put(write));
    settled.settle(&layer, settled.reached());
}

impl Node {
    /// Says once more how far somebody has read: Changes that it followed from are about to go.
    fn restate_marks(&mut self, marks: &[(UserId, RoomId)]) -> Result<(), Refusal> {
        for (user, room) in marks {
            if self.membership(room, user).map_err(refuse)?.is_some() {
                let mark = self.read_mark(room, user).map_err(refuse)?;
                self.append(What::Read { room: room.clone(), user: user.clone(), mark })?;
            }
        }
        Ok(())
    }

    /// A Change that says nothing: the group it stands in begins the new segment.
    fn begin_segment(&mut self) -> Result<(), Refusal> {
        let (last, at) = (self.next_seq(), self.now().wall_ms);
        let nothing = What::Skipped { room: Room::GENERAL, count: 0, last, at, via: None };
        self.append(nothing).map(drop)
    }
}
