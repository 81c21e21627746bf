//! Reads the journal: one frame at a place, or all from a place on. Many threads may read while one writes.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;

use super::files::failed;
use super::frame::{FRAME_HEADER_BYTES, FrameHeader};
use super::segment::{SEGMENT_HEADER_BYTES, read_full};
use super::walk::{FoundGroup, Step, Walk};
use super::{Pos, Shared};
use crate::base::limits::JOURNAL_FRAME_READ_BYTES;
use crate::store::error::StoreError;

/// Reads what is settled; a clone reads the same journal.
#[derive(Clone)]
pub struct Reader {
    pub(super) shared: Arc<Shared>,
}

/// What was pushed: a number and bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// The number it was pushed with.
    pub seq: u64,
    /// The bytes it was pushed with.
    pub payload: Bytes,
}

/// A segment file and the stretch of the journal it stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment {
    /// Its first byte, which also names it.
    pub from: Pos,
    /// The first place after it: the next segment, or the end of the journal.
    pub to: Pos,
}

impl Reader {
    /// The frame at a place that [`push`](super::GroupBuilder::push) or a scan gave.
    pub fn frame(&self, pos: Pos) -> Result<Frame, StoreError> {
        let missing = |why| StoreError::NoFrame { pos, why };
        let (base, next) = self.shared.files.around(pos.0).ok_or_else(|| missing("the journal is empty"))?;
        let limit = next.unwrap_or(u64::MAX).min(self.end().0);
        if pos.0 < base + SEGMENT_HEADER_BYTES || pos.0 >= limit {
            return Err(missing("nothing is kept there"));
        }
        let file = self.shared.files.file(base)?;
        let read = |bytes: &mut [u8], at: u64| {
            read_full(file.as_ref(), bytes, at - base).map_err(failed("read", base))
        };
        let room = usize::try_from(limit - pos.0).unwrap_or(usize::MAX);
        let mut bytes = vec![0; room.min(JOURNAL_FRAME_READ_BYTES)];
        let count = read(&mut bytes, pos.0)?;
        bytes.truncate(count);
        let header = FrameHeader::decode(&bytes).ok_or_else(|| missing("its header is damaged"))?;
        let length = FRAME_HEADER_BYTES + header.payload_bytes;
        let held = bytes.len().min(length);
        bytes.resize(length, 0);
        if length > room || read(&mut bytes[held..], pos.0 + held as u64)? < length - held {
            return Err(missing("it is cut short"));
        }
        if !header.check(&bytes[FRAME_HEADER_BYTES..], self.shared.salt, pos.0) {
            return Err(missing("its checksum does not fit"));
        }
        Ok(Frame { seq: header.seq, payload: Bytes::from(bytes).slice(FRAME_HEADER_BYTES..) })
    }

    /// All frames of the groups from `from` (the end of a group, or anything before the first) to those that end at
    /// `upto` or before it; nothing after is looked at. Damage comes as an error in its place and the scan goes on
    /// behind it; after any other error it is over.
    pub fn scan(&self, from: Pos, upto: Pos) -> Scan {
        let upto = upto.min(self.end());
        let walk = Walk::new(Arc::clone(&self.shared.files), self.shared.salt, from.0, upto.0, None);
        Scan { walk, group: None, at: 0, end: from, over: false }
    }

    /// The end of the last group that is kept.
    pub fn end(&self) -> Pos {
        Pos(self.shared.end.load(Ordering::Acquire))
    }

    /// The segments, oldest first.
    pub fn segments(&self) -> Vec<Segment> {
        let bases = self.shared.files.bases();
        let end = self.end();
        let ends = bases.iter().skip(1).map(|base| Pos(*base)).chain([end]);
        bases.iter().zip(ends).map(|(base, to)| Segment { from: Pos(*base), to }).collect()
    }

    /// How many segments there are, and their bytes up to the end of what is written.
    pub fn size(&self) -> (usize, u64) {
        let segments = self.segments();
        let bytes = segments.iter().map(|segment| segment.to.0.saturating_sub(segment.from.0)).sum();
        (segments.len(), bytes)
    }
}

/// A walk over frames, made by [`Reader::scan`].
pub struct Scan {
    walk: Walk,
    group: Option<FoundGroup>,
    /// The next frame of the group.
    at: u64,
    end: Pos,
    over: bool,
}

impl Scan {
    /// The end of the group whose frame (or damage) came last: once all its frames are dealt with, a place to begin
    /// the next scan from.
    pub fn group_end(&self) -> Pos {
        self.end
    }

    /// True if the frame that came last was the last of its group.
    pub fn at_group_end(&self) -> bool {
        self.group.is_none_or(|group| self.at == group.body_end())
    }

    fn advance(&mut self) -> Result<Option<(Pos, Frame)>, StoreError> {
        while self.at_group_end() {
            self.group = None;
            let step = self.walk.step()?;
            match step {
                Step::End { .. } => return Ok(None),
                Step::Damage(damage) => {
                    self.end = damage.to;
                    return Err(StoreError::Damaged(damage));
                }
                Step::Group(group) => {
                    (self.group, self.at) = (Some(group), group.body());
                    self.end = Pos(group.end);
                }
            }
        }
        self.frame().map(Some)
    }

    /// The next frame of the current group, whose checksum was found right.
    fn frame(&mut self) -> Result<(Pos, Frame), StoreError> {
        let pos = Pos(self.at);
        let cut = || StoreError::NoFrame { pos, why: "it changed while it was read" };
        let header = self.walk.bytes(self.at, FRAME_HEADER_BYTES)?;
        let header = header.and_then(FrameHeader::decode).ok_or_else(cut)?;
        let payload_at = self.at + FRAME_HEADER_BYTES as u64;
        let payload = self.walk.bytes(payload_at, header.payload_bytes)?.ok_or_else(cut)?;
        let payload = Bytes::copy_from_slice(payload);
        self.at = payload_at + header.payload_bytes as u64;
        Ok((pos, Frame { seq: header.seq, payload }))
    }
}

impl Iterator for Scan {
    type Item = Result<(Pos, Frame), StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.over {
            return None;
        }
        let found = self.advance();
        self.over = !matches!(found, Ok(Some(_)) | Err(StoreError::Damaged(_)));
        found.transpose()
    }
}
