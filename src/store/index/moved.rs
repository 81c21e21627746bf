//! Follows frames to the segments they were rewritten into: the index learns their new places. It may be done again and
//! does no harm, so a start can finish what a power cut interrupted.

use crate::base::id::{MessageId, RoomId, Seq};
use crate::base::limits::{MOVED_AT_ONCE, WAYMARK_CHANGES};
use crate::chat::change::What;
use crate::chat::topic::Topic;
use crate::store::error::StoreError;
use crate::store::index::catalog::Catalog;
use crate::store::index::kv::{Shelf, Write};
use crate::store::index::topics::Topics;
use crate::store::journal::{Pos, Reader, Scan, Segment};
use crate::store::keys;
use crate::store::record;
use crate::store::record::block::{Block, Entry};
use crate::store::record::own_id::OwnId;
use crate::store::record::topics::Retained;

/// A frame of a rewritten segment, as far as the index cares.
enum Moved {
    /// The newest form of a message.
    Message { room: RoomId, seq: Seq, pos: u64 },
    /// A message posted under its client's own id.
    Own { id: MessageId, room: RoomId, seq: Seq },
    /// What may be the state of its topic.
    Retained { topic: Topic, seq: Seq, pos: u64 },
    /// A waymark; without a place, its Change is gone.
    Waymark { seq: Seq, group: Option<Pos> },
}

/// The move to one rewritten segment.
pub struct Moving {
    segment: Segment,
    scan: Scan,
    /// The number before the next frame's.
    last: u64,
    over: bool,
}

/// Some of what moves.
pub struct Step {
    segment: Segment,
    moved: Vec<Moved>,
}

impl Moving {
    /// The move to this segment, which was rewritten.
    pub fn to(journal: &Reader, segment: Segment) -> Moving {
        let last = segment.seqs.map_or(0, |(first, _)| first.saturating_sub(1));
        Moving { segment, scan: journal.scan(segment.from, segment.to), last, over: false }
    }

    /// The next frames that have moved; `None` at the end.
    pub fn step(&mut self) -> Result<Option<Step>, StoreError> {
        let mut moved = Vec::new();
        while !self.over && moved.len() < MOVED_AT_ONCE {
            let (pos, frame) = match self.scan.next() {
                Some(Ok(found)) => found,
                Some(Err(StoreError::Damaged(_))) => continue,
                Some(Err(error)) => return Err(error),
                None => {
                    let last = self.segment.seqs.map_or(0, |(_, last)| last);
                    self.waymarks(last.saturating_add(1), &mut moved);
                    self.over = true;
                    break;
                }
            };
            self.waymarks(frame.seq, &mut moved);
            if frame.seq.is_multiple_of(WAYMARK_CHANGES) {
                moved.push(Moved::Waymark { seq: Seq(frame.seq), group: Some(self.scan.group_start()) });
            }
            self.last = frame.seq;
            // One that makes no sense is named by a check.
            let Ok(change) = record::change::decode(Seq(frame.seq), &frame.payload) else { continue };
            match change.what {
                What::Posted { message, own_id, .. } => {
                    let (room, seq) = (message.room, message.seq);
                    if own_id {
                        moved.push(Moved::Own { id: message.id, room: room.clone(), seq });
                    }
                    moved.push(Moved::Message { room, seq, pos: pos.0 });
                }
                What::Revised { message, .. } => {
                    moved.push(Moved::Message { room: message.room, seq: message.seq, pos: pos.0 });
                }
                // Its newest form, if it has one, is another frame's affair.
                What::Erased { room, own_id, .. } => {
                    moved.extend(own_id.map(|id| Moved::Own { id, room, seq: change.seq }));
                }
                What::Published { publication, .. } if publication.retain => {
                    let topic = publication.topic.clone();
                    moved.push(Moved::Retained { topic, seq: Seq(frame.seq), pos: pos.0 });
                }
                _ => {}
            }
        }
        let segment = self.segment;
        Ok((!moved.is_empty()).then_some(Step { segment, moved }))
    }

    /// Waymarks between the last frame and this number have lost their Changes.
    fn waymarks(&self, upto: u64, moved: &mut Vec<Moved>) {
        let first = (self.last / WAYMARK_CHANGES + 1) * WAYMARK_CHANGES;
        let gone = (first..upto).step_by(WAYMARK_CHANGES as usize);
        moved.extend(gone.map(|seq| Moved::Waymark { seq: Seq(seq), group: None }));
    }
}

impl Step {
    /// What the index has to write, as it stands on this shelf now.
    pub fn writes(&self, shelf: &dyn Shelf) -> Result<Vec<Write>, StoreError> {
        let mut writes = Vec::new();
        // Messages of one block change it together.
        let mut blocks: Vec<(RoomId, u64, Block)> = Vec::new();
        for moved in &self.moved {
            match moved {
                Moved::Message { room, seq, pos } => self.message(shelf, room, *seq, *pos, &mut blocks)?,
                Moved::Own { id, room, seq } => {
                    if let Some(OwnId::Former(_)) = shelf.own_id(id)? {
                        let mut value = Vec::new();
                        record::own_id::encode((room, *seq), &mut value)?;
                        writes.push((keys::own_id(id), Some(value[..].into())));
                    }
                }
                Moved::Retained { topic, seq, pos } => {
                    if shelf.retained_at(topic)?.is_some_and(|retained| retained.seq == *seq) {
                        let mut value = Vec::new();
                        record::topics::encode_retained(&Retained { seq: *seq, pos: *pos }, &mut value)?;
                        writes.push((keys::retained(topic), Some(value[..].into())));
                    }
                }
                Moved::Waymark { seq, group } => {
                    let key = keys::waymark(*seq);
                    if shelf.get(&key)?.is_some() {
                        writes.push((key, group.map(|group| group.0.to_be_bytes()[..].into())));
                    }
                }
            }
        }
        for (room, first, block) in blocks {
            let mut value = Vec::new();
            block.encode(&mut value);
            writes.push((keys::block(&room, first), Some(value[..].into())));
        }
        Ok(writes)
    }

    fn message(
        &self,
        shelf: &dyn Shelf,
        room: &RoomId,
        seq: Seq,
        pos: u64,
        blocks: &mut Vec<(RoomId, u64, Block)>,
    ) -> Result<(), StoreError> {
        let here = |(other, _, block): &(RoomId, u64, Block)| other == room && block.find(seq).is_some();
        let index = match blocks.iter().rposition(here) {
            Some(index) => index,
            None => {
                let number = shelf.first_number(room, &|entry: &Entry| entry.seq >= seq)?;
                let Some((first, block)) = shelf.block_at(room, number)? else { return Ok(()) };
                if block.find(seq).is_none() {
                    return Ok(());
                }
                blocks.push((room.clone(), first, block));
                blocks.len() - 1
            }
        };
        let block = &mut blocks[index].2;
        // A form that came later lies behind the segment and stays; one that went is gone.
        if block.find(seq).is_some_and(|entry| entry.pos != 0 && self.is_former(Pos(entry.pos))) {
            block.set_pos(seq, pos);
        }
        Ok(())
    }

    fn is_former(&self, pos: Pos) -> bool {
        let (from, to) = (self.segment.from.place(), self.segment.to.place());
        (from..to).contains(&pos.place()) && pos.generation() < self.segment.generation
    }
}
