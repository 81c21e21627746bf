//! How far the oldest messages of a room are gone, as bytes.

use crate::base::id::Seq;
use crate::base::time::WallMs;
use crate::store::record::{RecordError, form};

const VERSION: u8 = 1;

/// How far the oldest messages of a room are gone.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Trimmed {
    /// Messages that have no place in the history any more, counted from the room's first.
    pub first: u64,
    /// The last of those.
    pub seq: Seq,
    /// The time that one showed.
    pub at: WallMs,
    /// Up to this message all have lost their words.
    pub upto: Seq,
}

/// Appends a value.
pub fn encode(trimmed: &Trimmed, out: &mut Vec<u8>) -> Result<(), RecordError> {
    form::encode(VERSION, &(trimmed.first, trimmed.seq.0, trimmed.at, trimmed.upto.0), out)
}

/// What a value says.
pub fn decode(bytes: &[u8]) -> Result<Trimmed, RecordError> {
    let (first, seq, at, upto) = form::decode(VERSION, bytes)?;
    Ok(Trimmed { first, seq: Seq(seq), at, upto: Seq(upto) })
}
