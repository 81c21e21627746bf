//! A delivery that a bridge has posted: which packet it was and what it said.

use super::RecordError;
use crate::chat::change::Via;

const VERSION: u8 = 1;
const BYTES: usize = 1 + 2 + 8;

/// The packet and its digest.
pub fn encode(via: &Via) -> [u8; BYTES] {
    let mut out = [VERSION; BYTES];
    out[1..3].copy_from_slice(&via.packet.to_le_bytes());
    out[3..].copy_from_slice(&via.digest.to_le_bytes());
    out
}

/// Whether it is this delivery that lies there: a packet id that came again stands for the newer bytes.
pub fn is(bytes: &[u8], via: &Via) -> Result<bool, RecordError> {
    match bytes {
        [VERSION, rest @ ..] if rest.len() == BYTES - 1 => Ok(bytes == encode(via)),
        [VERSION, rest @ ..] if rest.len() >= BYTES => {
            Err(RecordError::Trailing { bytes: bytes.len() - BYTES })
        }
        [] | [VERSION, ..] => Err(RecordError::Short),
        [version, ..] => Err(RecordError::Version { version: *version }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delivery_is_known_by_its_packet_and_its_bytes() {
        let via = |packet, digest| Via { bridge: "b".into(), packet, digest };
        let bytes = encode(&via(513, 7));
        assert_eq!(is(&bytes, &via(513, 7)), Ok(true));
        assert_eq!((is(&bytes, &via(1, 7)), is(&bytes, &via(513, 8))), (Ok(false), Ok(false)));
        assert_eq!(is(&[9], &via(1, 1)), Err(RecordError::Version { version: 9 }));
        assert_eq!(is(&bytes[..10], &via(1, 1)), Err(RecordError::Short));
        assert_eq!(is(&[&bytes[..], &[0]].concat(), &via(1, 1)), Err(RecordError::Trailing { bytes: 1 }));
    }
}
