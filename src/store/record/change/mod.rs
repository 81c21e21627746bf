//! A Change as bytes: tag, version, marks and origin, then what happened.
//!
//! The head is the same for every tag and version there will ever be, so that what this program does not know can be
//! kept and passed on to the very byte. The sequence is not in these bytes: the journal's frame carries it, and they
//! mean what they say only together with it.

mod body;
pub mod tag;
mod topics;

use crate::base::id::Seq;
use crate::base::limits::{CHANGE_BYTES_MAX, OTHER_CHANGE_BYTES_MAX};
use crate::base::time::Moment;
use crate::chat::change::{Change, Origin, What};
use crate::store::record::RecordError;
use crate::store::record::form::{Reader, Writer};

/// The origin has a sequence of its own: the Change came from another node.
const OTHER_SEQ: u8 = 1;
/// The origin's wall clock was trusted.
const TRUSTED: u8 = 1 << 1;

/// Appends a Change without its sequence, at most [`CHANGE_BYTES_MAX`] bytes of a publication, or of what may be one, and
/// [`OTHER_CHANGE_BYTES_MAX`] of anything else.
pub fn encode(change: &Change, out: &mut Vec<u8>) -> Result<(), RecordError> {
    let max = match &change.what {
        What::Published { .. } | What::Unknown { .. } => CHANGE_BYTES_MAX,
        _ => OTHER_CHANGE_BYTES_MAX,
    };
    Writer::within(out, max, |writer| {
        let (tag, version) = tag::of(&change.what);
        writer.raw(&tag.to_le_bytes())?;
        writer.raw(&[version])?;
        write_origin(change, writer)?;
        body::write(change, writer)
    })
}

/// The Change in the bytes of the frame with this sequence.
pub fn decode(seq: Seq, bytes: &[u8]) -> Result<Change, RecordError> {
    let mut reader = Reader::new(bytes, CHANGE_BYTES_MAX)?;
    let tag = u16::from_le_bytes(reader.array()?);
    let version = reader.byte()?;
    let origin = read_origin(seq, &mut reader)?;
    let what = match tag::version(tag) {
        Some(_) if version == 0 => return Err(RecordError::Damaged { part: "version" }),
        Some(known) if version <= known => body::read((tag, version), seq, &origin, &mut reader)?,
        _ => What::Unknown { tag, version, bytes: reader.take_rest().into() },
    };
    reader.finish()?;
    Ok(Change { seq, origin, what })
}

/// Whether these are the bytes of something that was published, without reading them all.
pub fn is_published(bytes: &[u8]) -> bool {
    bytes.starts_with(&tag::PUBLISHED.to_le_bytes())
}

fn write_origin(change: &Change, out: &mut Writer<'_>) -> Result<(), RecordError> {
    let Origin { node, seq, moment } = change.origin;
    let other_seq = if seq == change.seq { 0 } else { OTHER_SEQ };
    let trusted = if moment.trusted { TRUSTED } else { 0 };
    out.raw(&[other_seq | trusted])?;
    // A node's number is random in all its bits: eight bytes are its shortest form.
    out.raw(&node.to_le_bytes())?;
    if seq != change.seq {
        out.number(seq.0)?;
    }
    out.number(moment.boot.into())?;
    out.number(moment.mono_ms)?;
    out.number(moment.wall_ms)
}

fn read_origin(own: Seq, from: &mut Reader<'_>) -> Result<Origin, RecordError> {
    let marks = from.byte()?;
    let node = u64::from_le_bytes(from.array()?);
    let seq = if marks & OTHER_SEQ != 0 { Seq(from.number()?) } else { own };
    let said_twice = marks & OTHER_SEQ != 0 && seq == own;
    if marks & !(OTHER_SEQ | TRUSTED) != 0 || said_twice {
        return Err(RecordError::Damaged { part: "origin" });
    }
    let boot = from.number()?.try_into().map_err(|_| RecordError::Damaged { part: "origin" })?;
    let (mono_ms, wall_ms) = (from.number()?, from.number()?);
    Ok(Origin { node, seq, moment: Moment { boot, mono_ms, wall_ms, trusted: marks & TRUSTED != 0 } })
}
