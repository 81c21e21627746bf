//! Whole numbers in as few bytes as they need, seven bits a byte, lowest first: postcard's own form, read strictly.

use crate::store::record::RecordError;

/// Bytes of the largest number.
const BYTES_MAX: usize = 10;

/// Appends a number.
pub(super) fn put(number: u64, out: &mut Vec<u8>) {
    let mut rest = number;
    while rest >= 0x80 {
        out.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

/// Takes a number off the front. Refuses every form but the shortest, so that equal numbers are equal bytes.
pub(super) fn take(bytes: &mut &[u8]) -> Result<u64, RecordError> {
    let mut number = 0u64;
    for at in 0..BYTES_MAX {
        let byte = *bytes.get(at).ok_or(RecordError::Short)?;
        let overlong = byte == 0 && at > 0;
        let overflows = at == BYTES_MAX - 1 && byte > 1;
        if overlong || overflows {
            break;
        }
        number |= u64::from(byte & 0x7f) << (7 * at);
        if byte < 0x80 {
            *bytes = &bytes[at + 1..];
            return Ok(number);
        }
    }
    Err(RecordError::Damaged { part: "number" })
}

/// The difference of two numbers as a small number when they are close, in either direction.
pub(super) fn delta(from: u64, to: u64) -> u64 {
    let signed = to.wrapping_sub(from) as i64;
    ((signed << 1) ^ (signed >> 63)) as u64
}

/// The number that lies this [`delta`] from another.
pub(super) fn undelta(from: u64, delta: u64) -> u64 {
    let signed = (delta >> 1) as i64 ^ -((delta & 1) as i64);
    from.wrapping_add(signed as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NUMBERS: [u64; 9] = [0, 1, 127, 128, 300, 1 << 35, i64::MAX as u64, 1 << 63, u64::MAX];

    #[test]
    fn every_number_has_one_form_and_it_is_postcards() {
        for number in NUMBERS {
            let mut bytes = Vec::new();
            put(number, &mut bytes);
            assert_eq!(bytes, postcard::to_allocvec(&number).unwrap());
            for short in 0..bytes.len() {
                assert_eq!(take(&mut &bytes[..short]), Err(RecordError::Short), "{number} cut at {short}");
            }
            let mut rest = &bytes[..];
            assert_eq!((take(&mut rest), rest.len()), (Ok(number), 0));
        }
    }

    #[test]
    fn longer_forms_are_damage() {
        let eleven = [0xff; 11];
        let overflowing = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02];
        for bad in [&[0x80, 0x00][..], &[0xff, 0x80, 0x00], &eleven, &overflowing] {
            assert_eq!(take(&mut &bad[..]), Err(RecordError::Damaged { part: "number" }), "{bad:02x?}");
        }
    }

    #[test]
    fn a_delta_leads_back_and_is_small_for_neighbours() {
        for from in NUMBERS {
            for to in NUMBERS {
                assert_eq!(undelta(from, delta(from, to)), to, "{from} -> {to}");
            }
        }
        assert_eq!((delta(7, 7), delta(7, 6), delta(7, 8)), (0, 1, 2));
    }
}
