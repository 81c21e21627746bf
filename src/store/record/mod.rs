//! The nouns of chat as bytes, a file per noun. The only folder that names postcard; no other knows a layout.
//!
//! A value is a version byte and a postcard body, with nothing after it. What [`encode`](user::encode) takes,
//! [`decode`](user::decode) gives back; ids, names and texts are parsed again, because a disk is an outsider too.
//!
//! To change a layout: give the file's `VERSION` the next number, keep the old form beside the new one and choose by
//! the version byte. The bytes of every version there ever was stay in `tests/golden/records`.

pub mod block;
pub mod change;
pub mod delivery;
pub mod device;
pub mod invitation;
pub mod membership;
pub mod own_id;
pub mod permissions;
pub mod room;
pub mod setting;
pub mod token;
pub mod topics;
pub mod trimmed;
pub mod turned;
pub mod user;

mod codes;
mod form;
mod message;
mod varint;

use std::fmt;

/// Why bytes are no record, or a noun cannot become one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RecordError {
    /// The bytes end before the record does.
    Short,
    /// Bytes follow after the record's end.
    Trailing {
        /// How many.
        bytes: usize,
    },
    /// The record was written in a layout this program does not know: a newer linnet was here.
    Version {
        /// The version it has.
        version: u8,
    },
    /// A part of it is not what was written there.
    Damaged {
        /// Which part.
        part: &'static str,
    },
    /// It is larger than a record may be.
    TooLarge {
        /// Bytes allowed.
        max: usize,
    },
    /// A posted message names another place in the order than its Change: a bug.
    OtherSeq,
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RecordError::Short => f.write_str("record ends too early; run 'linnet check'"),
            RecordError::Trailing { bytes } => {
                write!(f, "record has {bytes} bytes too many; run 'linnet check'")
            }
            RecordError::Version { version } => {
                write!(f, "record has layout {version}, which a newer linnet wrote: update linnet")
            }
            RecordError::Damaged { part } => {
                write!(f, "record is damaged at its {part}; run 'linnet check'")
            }
            RecordError::TooLarge { max } => write!(f, "record is larger than {max} bytes"),
            RecordError::OtherSeq => {
                f.write_str("message and Change name different places in the order: report this bug")
            }
        }
    }
}

impl std::error::Error for RecordError {}
