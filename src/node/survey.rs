//! What a segment holds that nobody needs any more, found out before anything is written.

use crate::base::id::{MessageId, RoomId, Seq, UserId};
use crate::base::time::WallMs;
use crate::chat::change::{Change, What};
use crate::store::error::StoreError;
use crate::store::index::live::{Judge, Verdict};
use crate::store::journal::{Frame, Reader, Rewrite, Scan, Segment};
use crate::store::record;
use std::collections::{BTreeMap, BTreeSet};

/// Bytes of a frame around its payload.
const FRAME_BYTES: u64 = 16;

/// Messages of a room that are skipped within a run of segments.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Skips {
    count: u64,
    last: Seq,
    at: WallMs,
}

impl Skips {
    fn add(&mut self, other: Skips) {
        self.count += other.count;
        if other.last >= self.last {
            (self.last, self.at) = (other.last, other.at);
        }
    }
}

/// What is to become of the frames of one segment, and what follows for the index.
pub(super) struct Survey {
    pub segment: Segment,
    verdicts: Vec<Verdict>,
    skips: BTreeMap<RoomId, Skips>,
    /// Whose read marks have to be written down again.
    pub marks: BTreeSet<(UserId, RoomId)>,
    /// Clients' own ids that lead to nothing from now on.
    pub own_ids: Vec<(MessageId, RoomId, Seq)>,
    /// Rooms that are gone and of which something was left.
    pub gone_rooms: BTreeSet<RoomId>,
    /// Bytes that stay, about.
    pub kept_bytes: u64,
    /// Frames that go or shrink.
    pub dead_frames: u64,
}

impl Survey {
    /// Judges all frames of a segment; `None` when it is damaged, for its bytes may still be of use to a repair.
    pub fn of(
        journal: &Reader,
        segment: Segment,
        judge: &mut Judge<'_>,
        breathe: &mut dyn FnMut() -> Result<(), StoreError>,
    ) -> Result<Option<Survey>, StoreError> {
        let mut survey = Survey {
            segment,
            verdicts: Vec::new(),
            skips: BTreeMap::new(),
            marks: BTreeSet::new(),
            own_ids: Vec::new(),
            gone_rooms: BTreeSet::new(),
            kept_bytes: 0,
            dead_frames: 0,
        };
        let mut scan = journal.scan(segment.from, segment.to);
        while let Some(found) = scan.next() {
            let (pos, frame) = match found {
                Ok(found) => found,
                Err(StoreError::Damaged(_)) => return Ok(None),
                Err(error) => return Err(error),
            };
            let Ok(change) = record::change::decode(Seq(frame.seq), &frame.payload) else { return Ok(None) };
            let (verdict, effects) = judge.judge(&change, pos)?;
            survey.marks.extend(effects.marks);
            survey.own_ids.extend(effects.own_id);
            survey.gone_rooms.extend(effects.gone_room);
            survey.count(&frame, &change, verdict);
            if scan.at_group_end() {
                breathe()?;
            }
        }
        Ok(Some(survey))
    }

    fn count(&mut self, frame: &Frame, change: &Change, verdict: Verdict) {
        self.verdicts.push(verdict);
        match verdict {
            Verdict::Keep => self.kept_bytes += FRAME_BYTES + frame.payload.len() as u64,
            Verdict::Erase => {
                self.kept_bytes += 4 * FRAME_BYTES;
                self.dead_frames += 1;
            }
            Verdict::Strip => {
                self.kept_bytes += FRAME_BYTES + frame.payload.len() as u64;
                self.dead_frames += 1;
            }
            Verdict::Drop => self.dead_frames += 1,
            Verdict::Skip => {
                let Some((room, skips)) = skips_of(change) else { return };
                // Where nothing but what was skipped before is found, nothing is won by writing it again.
                let said_before = match &change.what {
                    What::Skipped { count, .. } => *count == 0 || !self.skips.contains_key(room),
                    _ => false,
                };
                if !said_before {
                    self.dead_frames += 1;
                }
                self.skips.entry(room.clone()).or_default().add(skips);
            }
        }
    }
}

/// What a frame that is skipped counts for.
fn skips_of(change: &Change) -> Option<(&RoomId, Skips)> {
    match &change.what {
        What::Posted { message, .. } => {
            Some((&message.room, Skips { count: 1, last: message.seq, at: message.at }))
        }
        What::Erased { room, at, .. } => Some((room, Skips { count: 1, last: change.seq, at: *at })),
        What::Skipped { room, count, last, at, .. } => {
            Some((room, Skips { count: *count, last: *last, at: *at }))
        }
        _ => None,
    }
}

/// Writes what was decided for a run of segments into one.
pub(super) fn write(
    journal: &Reader,
    run: &[Survey],
    judge: &Judge<'_>,
    rewrite: &mut Rewrite,
    breathe: &mut dyn FnMut() -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    // What is skipped of a room is said once, where the first of it stood.
    let mut skips: BTreeMap<RoomId, Skips> = BTreeMap::new();
    for (room, more) in run.iter().flat_map(|survey| &survey.skips) {
        skips.entry(room.clone()).or_default().add(*more);
    }
    for survey in run {
        let mut scan = journal.scan(survey.segment.from, survey.segment.to);
        let mut verdicts = survey.verdicts.iter();
        while let Some((frame, verdict)) = next(&mut scan, &mut verdicts)? {
            let instead = match verdict {
                Verdict::Keep => {
                    rewrite.push(frame.seq, &frame.payload)?;
                    None
                }
                Verdict::Drop => {
                    rewrite.leave_out(frame.seq);
                    None
                }
                Verdict::Erase | Verdict::Skip | Verdict::Strip => {
                    let change = record::change::decode(Seq(frame.seq), &frame.payload)?;
                    let what = match verdict {
                        Verdict::Erase => erased(&change, judge)?,
                        Verdict::Strip => judge.stripped(&change)?,
                        _ => skipped(&change, &mut skips, judge)?,
                    };
                    Some(what.map(|what| Change { what, ..change }))
                }
            };
            match instead {
                Some(Some(change)) => {
                    let mut payload = Vec::new();
                    record::change::encode(&change, &mut payload)?;
                    rewrite.push(frame.seq, &payload)?;
                }
                Some(None) => rewrite.leave_out(frame.seq),
                None => {}
            }
            if scan.at_group_end() {
                rewrite.group_end()?;
                breathe()?;
            }
        }
    }
    Ok(())
}

/// The next frame with what was decided for it.
fn next(
    scan: &mut Scan,
    verdicts: &mut std::slice::Iter<'_, Verdict>,
) -> Result<Option<(Frame, Verdict)>, StoreError> {
    let frame = scan.next().transpose()?.map(|(_, frame)| frame);
    match (frame, verdicts.next()) {
        (Some(frame), Some(verdict)) => Ok(Some((frame, *verdict))),
        (None, None) => Ok(None),
        _ => Err(StoreError::CannotCondense { why: "a segment is not what it was a moment ago" }),
    }
}

/// What stays of a message whose words go.
fn erased(change: &Change, judge: &Judge<'_>) -> Result<Option<What>, StoreError> {
    let What::Posted { message, own_id, via } = &change.what else { return Ok(None) };
    let via = match via {
        Some(via) if judge.remembers(via)? => Some(via.clone()),
        _ => None,
    };
    let own_id = own_id.then(|| message.id.clone());
    Ok(Some(What::Erased { room: message.room.clone(), at: message.at, own_id, via }))
}

/// What stays of a message that goes with its place: for all of its room the first says it, and a delivery that is
/// remembered is kept.
fn skipped(
    change: &Change,
    skips: &mut BTreeMap<RoomId, Skips>,
    judge: &Judge<'_>,
) -> Result<Option<What>, StoreError> {
    let Some((room, own)) = skips_of(change) else { return Ok(None) };
    let via = match &change.what {
        What::Posted { via: Some(via), .. }
        | What::Erased { via: Some(via), .. }
        | What::Skipped { via: Some(via), .. }
            if judge.remembers(via)? =>
        {
            Some(via.clone())
        }
        _ => None,
    };
    let all = skips.get_mut(room).map(std::mem::take).unwrap_or_default();
    if all.count == 0 && via.is_none() {
        return Ok(None);
    }
    let Skips { count, last, at } = if all.count > 0 { all } else { Skips { count: 0, ..own } };
    Ok(Some(What::Skipped { room: room.clone(), count, last, at, via }))
}
