//! What the index keeps of topics and their sessions, as bytes. Each says which Change it comes from: so it is known
//! which Changes an index rebuilt from the journal would still need.

use crate::base::id::{Seq, UserId};
use crate::base::time::Moment;
use crate::chat::publication::Subscription;
use crate::store::record::codes::qos;
use crate::store::record::{RecordError, form};
use smol_str::SmolStr;

const VERSION: u8 = 1;

/// A session, without how far it has heard.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Kept {
    /// Whose it is.
    pub user: UserId,
    /// Seconds it is kept after its connection ended.
    pub expiry_s: Option<u32>,
    /// Whether its connection has ended.
    pub left: bool,
    /// The Change that says so.
    pub set: Seq,
    /// When that was.
    pub at: Moment,
}

/// How far a session has heard.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Heard {
    /// Everything up to this place was heard, or dropped.
    pub upto: Seq,
    /// Publications it was too far behind for, ever.
    pub dropped: u64,
    /// The Change that says so.
    pub by: Seq,
}

/// A publication on its way to a client that takes it exactly once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HandOut {
    /// Which.
    pub publication: Seq,
    /// The Change that gave it its packet id.
    pub by: Seq,
    /// The Change that says that the client has it.
    pub received: Option<Seq>,
}

/// The publication that is the state of its topic.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Retained {
    /// Its place in the order.
    pub seq: Seq,
    /// Where it lies in the journal.
    pub pos: u64,
}

/// Appends a session's value.
pub fn encode_kept(kept: &Kept, out: &mut Vec<u8>) -> Result<(), RecordError> {
    let Moment { boot, mono_ms, wall_ms, trusted } = kept.at;
    let at = (boot, mono_ms, wall_ms, trusted);
    form::encode(VERSION, &(kept.user.as_str(), kept.expiry_s, kept.left, kept.set.0, at), out)
}

/// The session in a value.
pub fn decode_kept(bytes: &[u8]) -> Result<Kept, RecordError> {
    let (user, expiry_s, left, set, at): (&str, _, _, _, _) = form::decode(VERSION, bytes)?;
    let (boot, mono_ms, wall_ms, trusted) = at;
    let at = Moment { boot, mono_ms, wall_ms, trusted };
    Ok(Kept { user: form::user_id(user)?, expiry_s, left, set: Seq(set), at })
}

/// Appends the value that says how far a session has heard.
pub fn encode_heard(heard: &Heard, out: &mut Vec<u8>) -> Result<(), RecordError> {
    form::encode(VERSION, &(heard.upto.0, heard.dropped, heard.by.0), out)
}

/// How far a session has heard, in a value.
pub fn decode_heard(bytes: &[u8]) -> Result<Heard, RecordError> {
    let (upto, dropped, by) = form::decode(VERSION, bytes)?;
    Ok(Heard { upto: Seq(upto), dropped, by: Seq(by) })
}

/// Appends a subscription's value with the Change that says so; its filter and group stand in the key.
pub fn encode_subscription(
    (subscription, by): &(&Subscription, Seq),
    out: &mut Vec<u8>,
) -> Result<(), RecordError> {
    let Subscription { qos, no_local, retain_as_published, id, made, .. } = subscription;
    form::encode(VERSION, &(qos::code(*qos), no_local, retain_as_published, id, made.0, by.0), out)
}

/// The subscription of this filter and group in a value, and the Change that says so.
pub fn decode_subscription(
    filter: &str,
    share: Option<&str>,
    bytes: &[u8],
) -> Result<(Subscription, Seq), RecordError> {
    let (qos, no_local, retain_as_published, id, made, by) = form::decode(VERSION, bytes)?;
    let (filter, share) = (form::filter(filter)?, share.map(SmolStr::new));
    let (qos, made) = (qos::parse(qos)?, Seq(made));
    Ok((Subscription { filter, share, qos, no_local, retain_as_published, id, made }, Seq(by)))
}

/// Appends a hand-out's value.
pub fn encode_hand_out(hand_out: &HandOut, out: &mut Vec<u8>) -> Result<(), RecordError> {
    let received = hand_out.received.map(|seq| seq.0);
    form::encode(VERSION, &(hand_out.publication.0, hand_out.by.0, received), out)
}

/// The hand-out in a value.
pub fn decode_hand_out(bytes: &[u8]) -> Result<HandOut, RecordError> {
    let (publication, by, received): (_, _, Option<u64>) = form::decode(VERSION, bytes)?;
    Ok(HandOut { publication: Seq(publication), by: Seq(by), received: received.map(Seq) })
}

/// Appends a retained publication's value.
pub fn encode_retained(retained: &Retained, out: &mut Vec<u8>) -> Result<(), RecordError> {
    form::encode(VERSION, &(retained.seq.0, retained.pos), out)
}

/// The retained publication in a value.
pub fn decode_retained(bytes: &[u8]) -> Result<Retained, RecordError> {
    let (seq, pos) = form::decode(VERSION, bytes)?;
    Ok(Retained { seq: Seq(seq), pos })
}

/// Appends a receipt's value: the publication it came with.
pub fn encode_receipt(seq: &Seq, out: &mut Vec<u8>) -> Result<(), RecordError> {
    form::encode(VERSION, &seq.0, out)
}

/// The publication of a receipt's value.
pub fn decode_receipt(bytes: &[u8]) -> Result<Seq, RecordError> {
    form::decode(VERSION, bytes).map(Seq)
}
