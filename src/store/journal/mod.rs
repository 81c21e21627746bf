//! The journal: what was said, in order, on disk. Append-only segment files of checked groups of frames; the
//! payloads are bytes to it and nothing more.
//!
//! A place is a [`Pos`]: a byte offset in the journal as a whole, segment headers included. A segment file is named
//! by the place of its first byte, so the end of one segment is the name of the next and a missing one leaves a gap
//! that shows.
//!
//! ```text
//! segment  header (twice, 4 KiB apart), groups, zeros up to the allocated end
//! group    magic, body length, frames, body crc, first seq, header crc; frames; length of the whole group
//! frame    payload length, crc of seq and payload, seq, payload
//! ```
//!
//! All numbers are little endian. Every checksum also covers the journal's salt and the place itself. A reader that
//! looks for the next good group after a damaged one therefore cannot be fooled: not by old bytes that lie at another
//! place, and not by somebody who sends a message that looks like a group, because nobody outside knows the salt.
//!
//! # The tail
//!
//! Groups are written one at a time, each after the sync of the one before. So:
//!
//! * An invalid group with no valid one after it is a **torn tail**: it was in flight when power went and nobody was
//!   told. [`open()`] overwrites it with zeros and syncs, so that its bytes can never be taken for a later group.
//! * An invalid group with a valid one, or a later segment, after it is **damage**: it was acknowledged. It is
//!   reported and passed over, its bytes stay, and everything after it can be read.
//! * A newest segment without a readable header and with nothing but zeros after it was being created and nothing in
//!   it was acknowledged: it is removed, and made again when it is needed.
//!
//! The journal begins where its oldest segment does; that older ones are gone on purpose, and not by accident, only
//! the index can know.
//!
//! # Condensed segments
//!
//! A run of neighbouring segments, never the newest, can be written anew as one file with the frames that still matter:
//! `<base>.<generation>.seg`. It keeps their numbers, stands for the same stretch and is never longer than it. A place
//! in it carries the generation in its upper bits, and the checksums cover them, so a place of former days can never be
//! read as something else.
//!
//! Such a file gets its name when all of it is kept, so it is whole or not there. From then on a reader of the journal
//! sees it alone; the files it replaces go on answering for places of their own until [`Reader::remove_replaced`], which
//! is called once nobody knows such places any more. A start that finds both knows that a switch was cut short.
//!
//! What is found whole at the tail may so far lie only in the kernel's memory, and after a failed sync the kernel may
//! believe it is on disk. Before [`open()`] returns, the newest group is written again where it lies, and synced.

mod appender;
mod files;
mod find;
mod frame;
mod open;
mod reader;
mod repair;
mod rewrite;
mod segment;
mod walk;
mod writer;

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

pub use appender::{Appender, AppenderMark, Group, GroupBuilder, GroupMark};
pub use open::{open, open_behind};
pub use reader::{Frame, Pin, Reader, Scan, Segment};
pub use rewrite::{Rewrite, Rewritten};
pub use writer::{WriteCounts, Writer};

use crate::base::limits::JOURNAL_SEGMENT_BYTES;

/// The folder of the segments.
pub const FOLDER: &str = "journal";

/// A place in the journal: a byte offset counted over all segments that ever were, and the generation of the segment it
/// lies in. Places are ordered by their offsets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Pos(pub u64);

/// Bits of a [`Pos`] that hold its offset; the upper ones hold the generation.
const PLACE_BITS: u32 = 48;

impl Pos {
    /// Behind everything.
    const FAR: Pos = Pos((1 << PLACE_BITS) - 1);

    fn of(generation: u16, place: u64) -> Pos {
        Pos(u64::from(generation) << PLACE_BITS | place)
    }

    /// The byte offset.
    pub fn place(self) -> u64 {
        self.0 & ((1 << PLACE_BITS) - 1)
    }

    /// How often the segment had been rewritten.
    pub fn generation(self) -> u16 {
        (self.0 >> PLACE_BITS) as u16
    }
}

impl Ord for Pos {
    fn cmp(&self, other: &Pos) -> Ordering {
        (self.place(), self.generation()).cmp(&(other.place(), other.generation()))
    }
}

impl PartialOrd for Pos {
    fn partial_cmp(&self, other: &Pos) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Pos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.generation() {
            0 => write!(f, "{}", self.place()),
            generation => write!(f, "{}.{generation}", self.place()),
        }
    }
}

/// How a journal is kept.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// A segment that has reached this many bytes takes no further group. It may be longer by one group.
    pub segment_bytes: u64,
    /// By chance, from the World, and secret: covered by every checksum of a new journal. An existing journal keeps
    /// the salt it has.
    pub salt: u64,
}

impl Default for Options {
    fn default() -> Options {
        Options { segment_bytes: JOURNAL_SEGMENT_BYTES, salt: 0 }
    }
}

/// An open journal: the planner, the hand that writes, the eyes that read.
pub struct Opened {
    /// Forms groups; for the writer thread.
    pub appender: Appender,
    /// Writes and syncs groups; for the sync thread.
    pub writer: Writer,
    /// Reads; clone it freely.
    pub reader: Reader,
    /// What was found.
    pub report: OpenReport,
}

/// What opening the journal found, from the checked place (or the first segment) on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OpenReport {
    /// The end of the last whole group.
    pub end: Pos,
    /// The sequence number of the last frame, or of the last that is known to be lost; `None` where there was none.
    pub last_seq: Option<u64>,
    /// The first and the last number that are lost at the end, where it is known that they were kept.
    pub lost_end: Option<(u64, u64)>,
    /// Bytes of a torn group that were cut from the tail.
    pub torn_bytes: u64,
    /// Stretches that were acknowledged once and cannot be read now; the first few dozen.
    pub damage: Vec<Damage>,
    /// Whole groups passed over.
    pub groups: u64,
    /// Frames in them.
    pub frames: u64,
}

/// A stretch of the journal that is not what was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Damage {
    /// The first damaged place.
    pub from: Pos,
    /// The first place after the damage.
    pub to: Pos,
    /// What is wrong with it.
    pub why: Why,
}

impl Damage {
    fn new(from: Pos, to: Pos, why: Why) -> Damage {
        Damage { from, to, why }
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} from {} to {}", self.why, self.from, self.to)
    }
}

/// The kinds of damage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// Bytes lie there that are no group.
    BadGroup,
    /// Nothing lies there: a missing segment, or one cut short or zeroed.
    Missing,
    /// A segment's header cannot be read or is another segment's; its groups may be fine.
    BadHeader,
    /// A whole group whose numbers are not after the ones before it.
    OldSequence,
    /// The caller has seen the journal up to a place that it no longer reaches.
    CutShort,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Why::BadGroup => "unreadable bytes",
            Why::Missing => "missing bytes",
            Why::BadHeader => "an unreadable segment header",
            Why::OldSequence => "a group out of sequence",
            Why::CutShort => "the end is missing",
        })
    }
}

/// What the parts of one open journal share.
struct Shared {
    files: Arc<files::Files>,
    salt: u64,
    segment_bytes: u64,
    /// The end of the last group known to be on disk; readers see nothing after it.
    end: AtomicU64,
    counts: Arc<WriteCounts>,
}
