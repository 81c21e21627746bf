//! The newest deliveries of a bridge: which packets were posted already.

use super::RecordError;
use crate::base::limits::DELIVERIES_REMEMBERED;
use crate::chat::change::Via;
use heapless::Deque;

const VERSION: u8 = 1;
const ENTRY_BYTES: usize = 2 + 8;

/// Packet ids and digests, oldest first.
type Ring = Deque<(u16, u64), DELIVERIES_REMEMBERED>;

fn decode(bytes: Option<&[u8]>) -> Result<Ring, RecordError> {
    let mut ring = Ring::new();
    let Some((version, entries)) = bytes.and_then(|bytes| bytes.split_first()) else { return Ok(ring) };
    if *version != VERSION {
        return Err(RecordError::Version { version: *version });
    }
    if !entries.len().is_multiple_of(ENTRY_BYTES) {
        return Err(RecordError::Short);
    }
    for entry in entries.chunks_exact(ENTRY_BYTES) {
        let (packet, digest) = entry.split_at(2);
        let packet = u16::from_le_bytes(packet.try_into().expect("it was split after two bytes"));
        let digest = u64::from_le_bytes(digest.try_into().expect("eight bytes follow"));
        ring.push_back((packet, digest)).map_err(|_| RecordError::Damaged { part: "deliveries" })?;
    }
    Ok(ring)
}

/// Whether the delivery is among them.
pub fn has(bytes: Option<&[u8]>, via: &Via) -> Result<bool, RecordError> {
    Ok(decode(bytes)?.iter().any(|known| *known == (via.packet, via.digest)))
}

/// The deliveries with this one as the newest; the oldest goes when there are too many.
pub fn with(bytes: Option<&[u8]>, via: &Via) -> Result<Vec<u8>, RecordError> {
    let mut ring = decode(bytes)?;
    // A packet id that comes again stands for the newer delivery.
    let mut kept = Ring::new();
    while let Some(known) = ring.pop_front() {
        if known.0 != via.packet {
            kept.push_back(known).expect("as many fit as were there");
        }
    }
    if kept.is_full() {
        kept.pop_front();
    }
    kept.push_back((via.packet, via.digest)).expect("the oldest made room");
    let mut out = Vec::with_capacity(1 + kept.len() * ENTRY_BYTES);
    out.push(VERSION);
    for (packet, digest) in &kept {
        out.extend_from_slice(&packet.to_le_bytes());
        out.extend_from_slice(&digest.to_le_bytes());
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn via(packet: u16, digest: u64) -> Via {
        Via { bridge: "b".into(), packet, digest }
    }

    #[test]
    fn the_newest_deliveries_are_known_and_the_oldest_forgotten() {
        let mut bytes = None;
        for packet in 0..300 {
            bytes = Some(with(bytes.as_deref(), &via(packet, 7)).expect("it decodes what it encoded"));
        }
        let known =
            |packet, digest| has(bytes.as_deref(), &via(packet, digest)).expect("it decodes what it encoded");
        assert!(known(299, 7) && known(300 - DELIVERIES_REMEMBERED as u16, 7));
        assert!(!known(299, 8) && !known(0, 7));
        assert!(has(Some(&[9]), &via(1, 1)).is_err() && has(Some(&[1, 2]), &via(1, 1)).is_err());
    }

    #[test]
    fn a_packet_id_that_comes_again_stands_for_the_newer_bytes() {
        let first = with(None, &via(5, 1)).expect("nothing to decode");
        let second = with(Some(&first), &via(5, 2)).expect("it decodes what it encoded");
        assert!(!has(Some(&second), &via(5, 1)).expect("it decodes what it encoded"));
        assert!(has(Some(&second), &via(5, 2)).expect("it decodes what it encoded"));
    }
}
