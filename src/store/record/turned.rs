//! A stretch of Changes whose times are shown otherwise than they were written, because the clock was turned later.
//! What was written stays as it is: readers ask here.

use crate::base::id::Seq;
use crate::base::limits::CLOCK_UPTIME_MAX_MS;
use crate::base::time::WallMs;
use crate::store::record::RecordError;

/// The layout written today.
const VERSION: u8 = 1;
/// Version, four numbers, and whether somebody speaks for the new times.
const BYTES: usize = 1 + 4 * 8 + 1;

/// One stretch: the Changes from `since` up to the one its key names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Turned {
    /// Its first Change.
    pub since: Seq,
    /// Wall time without the monotonic time, as it was believed then.
    pub was_ms: i64,
    /// The same, as it is known now.
    pub is_ms: i64,
    /// The newest time before the stretch. Times up to it come from there and stay as they are; no other is shown
    /// before it, so that time in a room never runs backwards.
    pub floor_ms: WallMs,
    /// Whether somebody speaks for the new times.
    pub trusted: bool,
}

impl Turned {
    /// What is shown of a time that was written in this stretch. One that its clock cannot have told was a room's, whose
    /// times must not run backwards, and stays.
    pub fn shown(&self, at: WallMs) -> WallMs {
        let by_another = (at as i64).saturating_sub(self.was_ms) > CLOCK_UPTIME_MAX_MS as i64;
        if at <= self.floor_ms || by_another {
            return at;
        }
        at.saturating_add_signed(self.is_ms.saturating_sub(self.was_ms)).max(self.floor_ms)
    }
}

/// The stretch as bytes.
pub fn encode(turned: &Turned) -> [u8; BYTES] {
    let mut bytes = [0; BYTES];
    bytes[0] = VERSION;
    bytes[1..9].copy_from_slice(&turned.since.0.to_le_bytes());
    bytes[9..17].copy_from_slice(&turned.was_ms.to_le_bytes());
    bytes[17..25].copy_from_slice(&turned.is_ms.to_le_bytes());
    bytes[25..33].copy_from_slice(&turned.floor_ms.to_le_bytes());
    bytes[33] = turned.trusted.into();
    bytes
}

/// The stretch in these bytes.
pub fn decode(bytes: &[u8]) -> Result<Turned, RecordError> {
    match bytes.first() {
        None => return Err(RecordError::Short),
        Some(&VERSION) => {}
        Some(0) => return Err(RecordError::Damaged { part: "version" }),
        Some(&version) => return Err(RecordError::Version { version }),
    }
    let bytes: &[u8; BYTES] = match bytes.len() {
        0..BYTES => return Err(RecordError::Short),
        BYTES => bytes.try_into().expect("the length was looked at"),
        longer => return Err(RecordError::Trailing { bytes: longer - BYTES }),
    };
    let number = |at: usize| *bytes[at..].first_chunk::<8>().expect("the record is long enough");
    Ok(Turned {
        since: Seq(u64::from_le_bytes(number(1))),
        was_ms: i64::from_le_bytes(number(9)),
        is_ms: i64::from_le_bytes(number(17)),
        floor_ms: u64::from_le_bytes(number(25)),
        trusted: match bytes[33] {
            0 => false,
            1 => true,
            _ => return Err(RecordError::Damaged { part: "trust" }),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_nothing_else() {
        let turned = Turned { since: Seq(7), was_ms: -3, is_ms: 1 << 40, floor_ms: 9, trusted: true };
        let bytes = encode(&turned);
        assert_eq!(decode(&bytes), Ok(turned));
        assert!((0..BYTES).all(|short| decode(&bytes[..short]).is_err()));
        assert_eq!(decode(&[&bytes[..], &[0]].concat()), Err(RecordError::Trailing { bytes: 1 }));
        assert_eq!(decode(&[&[2], &bytes[1..]].concat()), Err(RecordError::Version { version: 2 }));
    }

    #[test]
    fn times_of_a_stretch_keep_their_order_and_never_pass_what_was_before() {
        for shift in [-2_000_i64, -150, 0, 150, 2_000] {
            let turned =
                Turned { since: Seq(1), was_ms: 10, is_ms: 10 + shift, floor_ms: 1_000, trusted: true };
            let shown: Vec<_> = (900..1_500).map(|at| turned.shown(at)).collect();
            assert!(shown.is_sorted(), "{shift}");
            assert_eq!(turned.shown(1_000), 1_000, "what was before stays");
            assert_eq!(turned.shown(1_400), 1_400_u64.saturating_add_signed(shift).max(1_000));
        }
    }
}
