//! Plans where groups will lie and forms their bytes. No I/O here: the next group grows while the disk is busy with
//! the one before.

use super::Pos;
use super::frame::{
    FRAME_HEADER_BYTES, GROUP_HEADER_BYTES, GROUP_TRAILER_BYTES, GroupHeader, checksum, push_frame,
};
use super::segment::SEGMENT_HEADER_BYTES;
use crate::base::limits::{JOURNAL_GROUP_BYTES_MAX, JOURNAL_PAYLOAD_BYTES_MAX};

/// The planner of one journal: knows where the next group begins.
pub struct Appender {
    pub(super) end: u64,
    /// The segment that takes the next group, unless it is full; `None` if a new one must be begun.
    pub(super) segment: Option<u64>,
    /// The next group begins a segment.
    pub(super) sealed: bool,
    pub(super) last_seq: Option<u64>,
    pub(super) segment_bytes: u64,
    pub(super) salt: u64,
}

impl Appender {
    /// Begins a group. It must be finished before the next one begins.
    pub fn begin(&mut self) -> GroupBuilder {
        if std::mem::take(&mut self.sealed) {
            self.segment = None;
        }
        let current = self.segment.filter(|base| self.end - base < self.segment_bytes);
        let base = current.unwrap_or(self.end);
        let start = if current.is_some() { self.end } else { base + SEGMENT_HEADER_BYTES };
        let place = Place { after: self.end, segment: base, new_segment: current.is_none(), start };
        GroupBuilder { last_seq: self.last_seq, ..GroupBuilder::begin(place, self.salt) }
    }

    /// Closes a group, so that it can be written. An empty one takes no place and writing it does nothing.
    pub fn finish(&mut self, builder: GroupBuilder) -> Group {
        assert_eq!(builder.place.after, self.end, "groups are finished in the order they begin");
        let last_seq = builder.last_seq;
        let group = builder.into_group();
        if !group.bytes.is_empty() {
            self.end = group.end().0;
            self.segment = Some(group.place.segment);
            self.last_seq = last_seq;
        }
        group
    }

    /// Where it stands.
    pub fn mark(&self) -> AppenderMark {
        AppenderMark { end: self.end, segment: self.segment, last_seq: self.last_seq }
    }

    /// Goes back to where it stood: the groups finished since were not written, and their places are free again.
    pub fn rewind(&mut self, mark: AppenderMark) {
        (self.end, self.segment, self.last_seq) = (mark.end, mark.segment, mark.last_seq);
    }

    /// Lets the next group that begins have a segment of its own, so that the one there is can be rewritten.
    pub fn seal(&mut self) {
        self.sealed = true;
    }

    /// Where the last finished group ends.
    pub fn end(&self) -> Pos {
        Pos(self.end)
    }
}

/// A point to which an [`Appender`] can go back.
#[derive(Debug, Clone, Copy)]
pub struct AppenderMark {
    end: u64,
    segment: Option<u64>,
    last_seq: Option<u64>,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// The end of the group before.
    pub after: u64,
    pub segment: u64,
    pub new_segment: bool,
    /// Where the group itself begins.
    pub start: u64,
}

/// A group that is being formed. The place of a frame is final as soon as it is pushed.
pub struct GroupBuilder {
    place: Place,
    salt: u64,
    bytes: Vec<u8>,
    frames: u32,
    first_seq: u64,
    last_seq: Option<u64>,
}

/// A point of a group to which it can be taken back.
#[derive(Debug, Clone, Copy)]
pub struct GroupMark {
    bytes: usize,
    frames: u32,
    last_seq: Option<u64>,
}

impl GroupBuilder {
    pub(super) fn begin(place: Place, salt: u64) -> GroupBuilder {
        let bytes = vec![0; GROUP_HEADER_BYTES];
        GroupBuilder { place, salt, bytes, frames: 0, first_seq: 0, last_seq: None }
    }

    /// Adds a frame and says where it will lie.
    ///
    /// # Panics
    /// If `seq` is not after the one before, or the payload does not fit (see [`GroupBuilder::fits`]): a journal that
    /// took it could not be read.
    pub fn push(&mut self, seq: u64, payload: &[u8]) -> Pos {
        assert!(self.last_seq.is_none_or(|last| seq > last), "sequence numbers rise");
        assert!(self.fits(payload.len()), "callers ask before they push");
        if self.frames == 0 {
            self.first_seq = seq;
        }
        let place = self.place.start + self.bytes.len() as u64;
        push_frame(&mut self.bytes, self.salt, place, seq, payload);
        self.frames += 1;
        self.last_seq = Some(seq);
        Pos(place)
    }

    /// True if a payload of this length can be pushed.
    pub fn fits(&self, payload_bytes: usize) -> bool {
        payload_bytes <= JOURNAL_PAYLOAD_BYTES_MAX
            && self.len_bytes() + FRAME_HEADER_BYTES + payload_bytes <= JOURNAL_GROUP_BYTES_MAX
    }

    /// Bytes the group takes on disk as it stands.
    pub fn len_bytes(&self) -> usize {
        self.bytes.len() + GROUP_TRAILER_BYTES
    }

    /// Frames in it.
    pub fn frames(&self) -> usize {
        self.frames as usize
    }

    /// Where the group ends as it stands; an empty one takes no place.
    pub fn end(&self) -> Pos {
        match self.frames {
            0 => Pos(self.place.after),
            _ => Pos(self.place.start + self.len_bytes() as u64),
        }
    }

    /// The group as it stands, to come back to.
    pub fn mark(&self) -> GroupMark {
        GroupMark { bytes: self.bytes.len(), frames: self.frames, last_seq: self.last_seq }
    }

    /// Takes back the frames pushed since the mark; their places and numbers are free again.
    pub fn truncate(&mut self, mark: GroupMark) {
        self.bytes.truncate(mark.bytes);
        self.frames = mark.frames;
        self.last_seq = mark.last_seq;
    }

    pub(super) fn into_group(mut self) -> Group {
        if self.frames == 0 {
            return Group { place: self.place, bytes: Vec::new(), frames: 0 };
        }
        let body = &self.bytes[GROUP_HEADER_BYTES..];
        let header = GroupHeader {
            body_bytes: body.len(),
            frames: self.frames,
            body_crc: checksum(self.salt, self.place.start, &[body]),
            first_seq: self.first_seq,
        };
        self.bytes[..GROUP_HEADER_BYTES].copy_from_slice(&header.encode(self.salt, self.place.start));
        let length = u32::try_from(header.group_bytes()).expect("a group is at most a MiB");
        self.bytes.extend_from_slice(&length.to_le_bytes());
        Group { place: self.place, bytes: self.bytes, frames: self.frames }
    }
}

/// A finished group, ready to be written.
pub struct Group {
    pub(super) place: Place,
    pub(super) bytes: Vec<u8>,
    pub(super) frames: u32,
}

impl Group {
    /// Where the group ends, and the journal with it once this is written.
    pub fn end(&self) -> Pos {
        match self.bytes.len() {
            0 => Pos(self.place.after),
            length => Pos(self.place.start + length as u64),
        }
    }

    /// Bytes on disk.
    pub fn len_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Frames in it.
    pub fn frames(&self) -> usize {
        self.frames as usize
    }
}
