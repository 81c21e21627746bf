//! Reads the journal: one frame at a place, or all from a place on. Many threads may read while one writes.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;

use super::files::Part;
use super::frame::{FRAME_HEADER_BYTES, FrameHeader};
use super::segment::read_full;
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
    /// How often it was written anew.
    pub generation: u16,
    /// The newest number that was known when it was last decided what to leave out of it; 0 if it never was.
    pub as_of: u64,
    /// The first and the last number it stands for, those left out included; known once it was written anew.
    pub seqs: Option<(u64, u64)>,
    /// Bytes of its groups and its header.
    pub bytes: u64,
}

impl Segment {
    /// Its file.
    pub fn path(&self) -> String {
        super::segment::path(self.from.place(), self.generation)
    }
}

/// Keeps the segments as they are while somebody reads all of them. Held briefly or by a backup, never for ever:
/// nothing is erased meanwhile.
pub struct Pin(Arc<Shared>);

impl Drop for Pin {
    fn drop(&mut self) {
        self.0.files.unpin();
    }
}

impl Reader {
    /// The frame at a place that [`push`](super::GroupBuilder::push) or a scan gave.
    pub fn frame(&self, pos: Pos) -> Result<Frame, StoreError> {
        let missing = |why| StoreError::NoFrame { pos, why };
        let part = self.shared.files.holding(pos).ok_or_else(|| missing("nothing is kept there"))?;
        let (place, limit) = (pos.place(), part.end().unwrap_or(u64::MAX).min(self.end().place()));
        if place >= limit {
            return Err(missing("nothing is kept there"));
        }
        let file = self.shared.files.file(&part)?;
        let read = |bytes: &mut [u8], at: u64| {
            read_full(file.as_ref(), bytes, at - part.base).map_err(part.failed("read"))
        };
        let room = usize::try_from(limit - place).unwrap_or(usize::MAX);
        let mut bytes = vec![0; room.min(JOURNAL_FRAME_READ_BYTES)];
        let count = read(&mut bytes, place)?;
        bytes.truncate(count);
        let header = FrameHeader::decode(&bytes).ok_or_else(|| missing("its header is damaged"))?;
        let length = FRAME_HEADER_BYTES + header.payload_bytes;
        let held = bytes.len().min(length);
        bytes.resize(length, 0);
        if length > room || read(&mut bytes[held..], place + held as u64)? < length - held {
            return Err(missing("it is cut short"));
        }
        if !header.check(&bytes[FRAME_HEADER_BYTES..], self.shared.salt, pos.0) {
            return Err(missing("its checksum does not fit"));
        }
        Ok(Frame { seq: header.seq, payload: Bytes::from(bytes).slice(FRAME_HEADER_BYTES..) })
    }

    /// All frames of the groups from `from` (the end of a group, or anything before the first) to those that end at
    /// `upto` or before it; nothing after is looked at. Damage comes as an error in its place and the scan goes on
    /// behind it; after any other error it is over. [`StoreError::Condensed`] is one: segments were rewritten meanwhile,
    /// and the scan has to begin again, unless a [`Pin`] keeps them.
    pub fn scan(&self, from: Pos, upto: Pos) -> Scan {
        let upto = upto.min(self.end());
        let walk = Walk::new(Arc::clone(&self.shared.files), self.shared.salt, from, upto, None);
        Scan { walk, group: None, at: 0, end: from, over: false }
    }

    /// The end of the last group that is kept.
    pub fn end(&self) -> Pos {
        Pos(self.shared.end.load(Ordering::Acquire))
    }

    /// The segments, oldest first.
    pub fn segments(&self) -> Vec<Segment> {
        self.shared.files.parts().iter().map(|part| self.segment(part)).collect()
    }

    /// The files that others have taken the place of and that still answer for places of their own.
    pub fn replaced(&self) -> Vec<Segment> {
        self.shared.files.replaced().iter().map(|part| self.segment(part)).collect()
    }

    fn segment(&self, part: &Part) -> Segment {
        let end = self.end();
        Segment {
            from: part.pos(part.base),
            to: part.until.map_or(end, Pos),
            generation: part.generation,
            as_of: part.condensed.map_or(0, |condensed| condensed.as_of),
            seqs: part.condensed.map(|condensed| (condensed.first_seq, condensed.last_seq)),
            bytes: part.end().unwrap_or(end.place()).saturating_sub(part.base),
        }
    }

    /// Where segments are missing between others, as far as names and lengths tell: the beginning of the one before, and
    /// of the one behind. Reads no groups.
    pub fn gaps(&self) -> Result<Vec<(Pos, Pos)>, StoreError> {
        let (files, mut gaps) = (&self.shared.files, Vec::new());
        let parts = files.parts();
        for (part, next) in parts.iter().zip(parts.iter().skip(1)) {
            let end = match part.condensed {
                Some(condensed) => condensed.until,
                None => part.base + files.file(part)?.len().map_err(part.failed("measure"))?,
            };
            if end < next.base {
                gaps.push((part.pos(part.base), Pos(next.base)));
            }
        }
        Ok(gaps)
    }

    /// Bytes after which a segment takes no further group.
    pub fn segment_bytes(&self) -> u64 {
        self.shared.segment_bytes
    }

    /// A number for the segments as they are: the same again only while none is rewritten.
    pub fn arrangement(&self) -> u64 {
        let mut hasher = crc32fast::Hasher::new();
        for part in self.shared.files.parts().iter().filter(|part| part.generation > 0) {
            hasher.update(&part.pos(part.base).0.to_le_bytes());
        }
        u64::from(hasher.finalize())
    }

    /// Keeps the segments as they are as long as it is held. Waits for a switch that is under way.
    pub fn pin(&self) -> Pin {
        self.shared.files.pin();
        Pin(Arc::clone(&self.shared))
    }

    /// True if a scan can go on at this place, which was the end of a group once: false in a segment that was rewritten
    /// since.
    pub fn goes_on_at(&self, pos: Pos) -> bool {
        let part = self.shared.files.around(pos.place());
        part.is_none_or(|part| {
            let inside = part.base < pos.place() && part.until.is_none_or(|until| pos.place() < until);
            !inside || part.generation == pos.generation()
        })
    }

    /// How many segments there are, and the bytes of their files up to the end of what is written.
    pub fn size(&self) -> (usize, u64) {
        let segments = self.segments();
        (segments.len(), segments.iter().map(|segment| segment.bytes).sum())
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

    /// A place from which a scan begins with the group of the frame that came last.
    pub fn group_start(&self) -> Pos {
        self.group.map_or(self.end, |group| group.part.pos(group.start))
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
                    self.end = group.part.pos(group.end);
                }
            }
        }
        self.frame().map(Some)
    }

    /// The next frame of the current group, whose checksum was found right.
    fn frame(&mut self) -> Result<(Pos, Frame), StoreError> {
        let generation = self.group.map_or(0, |group| group.part.generation);
        let pos = Pos::of(generation, self.at);
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
