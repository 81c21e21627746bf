//! Goes through the journal group by group, over damage and from segment to segment. The one reader of groups: opening
//! and scanning are both walks.

use std::io;
use std::sync::Arc;

use super::files::{Files, Part};
use super::frame::{GROUP_HEADER_BYTES, GROUP_MAGIC, GROUP_TRAILER_BYTES, GroupHeader};
use super::segment::first_nonzero;
use super::{Damage, Pos, Why};
use crate::base::limits::JOURNAL_READ_BYTES;
use crate::store::disk::DiskFile;
use crate::store::error::StoreError;

/// Places in a walk are offsets; the part they lie in knows their generation.
pub(super) struct Walk {
    files: Arc<Files>,
    /// The switches there had been when the walk began: a later one takes the ground from under it.
    version: u64,
    salt: u64,
    at: u64,
    upto: u64,
    last_seq: Option<u64>,
    window: Option<Window>,
}

/// What came next.
#[derive(Debug, Clone, Copy)]
pub(super) enum Step {
    Group(FoundGroup),
    Damage(Damage),
    /// Nothing valid follows; so many bytes from here on are not zero.
    End {
        torn_bytes: u64,
    },
}

/// A whole group.
#[derive(Debug, Clone, Copy)]
pub(super) struct FoundGroup {
    pub part: Part,
    pub start: u64,
    pub end: u64,
    pub frames: u32,
    pub last_seq: u64,
    first_seq: u64,
}

impl FoundGroup {
    /// Where its first frame lies.
    pub fn body(&self) -> u64 {
        self.start + GROUP_HEADER_BYTES as u64
    }

    /// The end of its last frame.
    pub fn body_end(&self) -> u64 {
        self.end - GROUP_TRAILER_BYTES as u64
    }
}

enum Parsed {
    Whole(FoundGroup),
    /// The header is good and says where the group ends; the rest is not, or is out of reach.
    HeaderOnly {
        end: u64,
    },
    Bad,
}

/// Where a walk stands.
enum Ground {
    In(Part),
    /// Between two segments, where one is missing.
    Gap {
        to: u64,
    },
    /// Behind the last.
    Over,
}

impl Walk {
    /// A walk from the group at `from` over those that end at or before `upto`, after `last_seq`. Where `from` lies in a
    /// segment that was rewritten since, the walk begins with that segment.
    pub fn new(files: Arc<Files>, salt: u64, from: Pos, upto: Pos, last_seq: Option<u64>) -> Walk {
        let version = files.version();
        let at = match files.around(from.place()) {
            Some(part) if part.generation != from.generation() && from.place() > part.base => {
                // Behind a segment's end it is no longer that segment's affair.
                if part.until.is_some_and(|until| from.place() >= until) { from.place() } else { part.base }
            }
            _ => from.place(),
        };
        Walk { files, version, salt, at, upto: upto.place(), last_seq, window: None }
    }

    /// Where the walk stands: at the end of what the last step gave.
    pub fn at(&self) -> u64 {
        self.at
    }

    /// The next group or damage.
    pub fn step(&mut self) -> Result<Step, StoreError> {
        if self.files.version() != self.version {
            return Err(StoreError::Condensed);
        }
        let part = match self.enter() {
            Ground::In(part) => part,
            Ground::Over => return Ok(Step::End { torn_bytes: 0 }),
            Ground::Gap { to } if to > self.upto => return Ok(Step::End { torn_bytes: 0 }),
            Ground::Gap { to } => {
                let from = std::mem::replace(&mut self.at, to);
                return Ok(Step::Damage(Damage::new(Pos(from), Pos(to), Why::Missing)));
            }
        };
        if self.upto.saturating_sub(self.at) < GROUP_HEADER_BYTES as u64 {
            return Ok(Step::End { torn_bytes: 0 });
        }
        let bound = part.end().unwrap_or(Pos::FAR.place()).min(self.upto);
        let limit = self.open(part)?.min(bound);
        match self.parse(self.at, limit)? {
            Parsed::Whole(group) => Ok(self.pass(group)),
            Parsed::HeaderOnly { end } if end > self.upto => Ok(Step::End { torn_bytes: 0 }),
            Parsed::HeaderOnly { end } => self.pass_bad(part, end, limit, bound),
            Parsed::Bad => self.pass_bad(part, self.at, limit, bound),
        }
    }

    /// Bytes that lie in the group that was found last.
    pub fn bytes(&mut self, at: u64, count: usize) -> Result<Option<&[u8]>, StoreError> {
        let upto = self.upto;
        match &mut self.window {
            Some(window) => window.get(at, count, upto),
            None => Ok(None),
        }
    }

    /// Moves over the header of a segment, and behind one that was rewritten to where the next begins.
    fn enter(&mut self) -> Ground {
        loop {
            let Some(part) = self.files.around(self.at) else { return Ground::Over };
            self.at = self.at.max(part.first());
            match (part.end(), part.until) {
                (Some(end), Some(until)) if self.at >= end => {
                    self.at = self.at.max(until);
                    match self.files.next_base(part.base) {
                        None => return Ground::Over,
                        Some(next) if next > self.at => return Ground::Gap { to: next },
                        Some(_) => {}
                    }
                }
                _ => return Ground::In(part),
            }
        }
    }

    /// Looks into a segment from now on; says where its file ends.
    fn open(&mut self, part: Part) -> Result<u64, StoreError> {
        if self.window.as_ref().is_none_or(|window| window.part.base != part.base) {
            let file = self.files.file(&part)?;
            self.window = Some(Window { file, part, start: 0, bytes: Vec::new(), held: 0 });
        }
        let window = self.window.as_mut().expect("it was just set");
        window.part = part;
        Ok(part.base + window.file.len().map_err(part.failed("measure"))?)
    }

    fn pass(&mut self, group: FoundGroup) -> Step {
        self.at = group.end;
        if self.last_seq.is_some_and(|last| group.first_seq <= last) {
            let (from, to) = (group.part.pos(group.start), group.part.pos(group.end));
            return Step::Damage(Damage::new(from, to, Why::OldSequence));
        }
        self.last_seq = Some(group.last_seq);
        Step::Group(group)
    }

    /// Passes over what is no group, up to the next that is. `bound` is where groups ought to reach.
    fn pass_bad(&mut self, part: Part, search_from: u64, limit: u64, bound: u64) -> Result<Step, StoreError> {
        let from = self.at;
        let gap = self.search(search_from, limit)?;
        let first_nonzero = if search_from > from { Some(from) } else { gap.first_nonzero };
        let to = match gap.group {
            Some(group) => group,
            None if bound < Pos::FAR.place() => bound,
            None => {
                let torn_end = gap.nonzero_end.min(limit).max(from);
                return Ok(Step::End { torn_bytes: torn_end - from });
            }
        };
        let why = if first_nonzero.is_some_and(|first| first < to) { Why::BadGroup } else { Why::Missing };
        self.at = to;
        Ok(Step::Damage(Damage::new(part.pos(from), part.pos(to), why)))
    }

    fn parse(&mut self, at: u64, limit: u64) -> Result<Parsed, StoreError> {
        let salt = self.salt;
        let Some(window) = &mut self.window else { return Ok(Parsed::Bad) };
        let (part, place) = (window.part, Pos::of(window.part.generation, at).0);
        let header = window.get(at, GROUP_HEADER_BYTES, limit)?;
        let Some(header) = header.and_then(|bytes| GroupHeader::decode(bytes, salt, place)) else {
            return Ok(Parsed::Bad);
        };
        let end = at + header.group_bytes() as u64;
        let group = window.get(at, header.group_bytes(), limit)?;
        let body = group.map(|bytes| &bytes[GROUP_HEADER_BYTES..][..header.body_bytes]);
        let Some(last_seq) = body.and_then(|body| header.check_body(body, salt, place)) else {
            return Ok(Parsed::HeaderOnly { end });
        };
        let (frames, first_seq) = (header.frames, header.first_seq);
        Ok(Parsed::Whole(FoundGroup { part, start: at, end, frames, last_seq, first_seq }))
    }

    /// Looks for the next whole group.
    fn search(&mut self, from: u64, limit: u64) -> Result<Gap, StoreError> {
        let mut gap = Gap { group: None, first_nonzero: None, nonzero_end: from };
        let mut at = from;
        while at < limit {
            let count = (limit - at).min(JOURNAL_READ_BYTES as u64) as usize;
            let Some(window) = &mut self.window else { break };
            let Some(chunk) = window.get(at, count, limit)? else { break };
            if let Some(first) = first_nonzero(chunk) {
                let last = chunk.iter().rposition(|byte| *byte != 0).unwrap_or(first);
                gap.first_nonzero.get_or_insert(at + first as u64);
                gap.nonzero_end = at + last as u64 + 1;
                for candidate in magics(&chunk[first..=last], at + first as u64) {
                    if let Parsed::Whole(_) = self.parse(candidate, limit)? {
                        gap.group = Some(candidate);
                        return Ok(gap);
                    }
                }
            }
            // The next chunk takes in what may be the beginning of a magic.
            let overlap = GROUP_MAGIC.len() - 1;
            at += if count > overlap && at + (count as u64) < limit { count - overlap } else { count } as u64;
        }
        Ok(gap)
    }
}

struct Gap {
    group: Option<u64>,
    first_nonzero: Option<u64>,
    nonzero_end: u64,
}

/// Places where a group might begin.
fn magics(bytes: &[u8], place: u64) -> Vec<u64> {
    let found = bytes.windows(GROUP_MAGIC.len()).enumerate().filter(|(_, window)| *window == GROUP_MAGIC);
    found.map(|(offset, _)| place + offset as u64).collect()
}

/// A stretch of one segment in memory: what was read last, at most a group and a chunk.
struct Window {
    file: Arc<dyn DiskFile>,
    part: Part,
    /// The place of the first byte held.
    start: u64,
    /// Grows and never shrinks: what was read is its first `held` bytes. Making room anew for each chunk would write all
    /// that is read twice, and byte by byte where programs are made small.
    bytes: Vec<u8>,
    held: usize,
}

impl Window {
    /// `count` bytes at a place, all before `limit`; `None` if there are not as many.
    fn get(&mut self, at: u64, count: usize, limit: u64) -> Result<Option<&[u8]>, StoreError> {
        if at < self.part.base || limit.saturating_sub(at) < count as u64 {
            return Ok(None);
        }
        let held_end = self.start + self.held as u64;
        if at < self.start || at > held_end {
            self.start = at;
            self.held = 0;
        } else if at + count as u64 > held_end {
            let passed = (at - self.start) as usize;
            self.bytes.copy_within(passed..self.held, 0);
            self.held -= passed;
            self.start = at;
        }
        let skip = (at - self.start) as usize;
        while self.held < skip + count {
            if self.read_on(limit).map_err(self.part.failed("read"))? == 0 {
                return Ok(None);
            }
        }
        Ok(Some(&self.bytes[skip..skip + count]))
    }

    fn read_on(&mut self, limit: u64) -> io::Result<usize> {
        let at = self.start + self.held as u64;
        let want = (limit - at).min(JOURNAL_READ_BYTES as u64) as usize;
        if self.bytes.len() < self.held + want {
            self.bytes.resize(self.held + want, 0);
        }
        let room = &mut self.bytes[self.held..][..want];
        let count = self.file.read_at(room, at - self.part.base)?;
        self.held += count;
        Ok(count)
    }
}
