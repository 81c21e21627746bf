//! Where the message of a client's own id stands, as bytes.

use crate::base::id::{RoomId, Seq};
use crate::store::journal::Pos;
use crate::store::record::{RecordError, form};

/// The layout written today. The first one was a place in the journal and had no version byte.
const VERSION: u8 = 2;
const FORMER_BYTES: usize = 8;

/// What is known of a client's own id.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum OwnId {
    /// The message's room and its place in the order.
    Message(RoomId, Seq),
    /// As former versions wrote it: where its Change lies.
    Former(Pos),
}

/// Appends where the message stands.
pub fn encode((room, seq): (&RoomId, Seq), out: &mut Vec<u8>) -> Result<(), RecordError> {
    form::encode(VERSION, &(room.as_str(), seq.0), out)
}

/// What a value says.
pub fn decode(bytes: &[u8]) -> Result<OwnId, RecordError> {
    if let Ok(place) = <[u8; FORMER_BYTES]>::try_from(bytes) {
        return Ok(OwnId::Former(Pos(u64::from_be_bytes(place))));
    }
    let (room, seq): (&str, u64) = form::decode(VERSION, bytes)?;
    Ok(OwnId::Message(form::room_id(room)?, Seq(seq)))
}
