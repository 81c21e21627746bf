//! The bytes of groups and frames, and what makes them valid.

use crate::base::limits::{JOURNAL_GROUP_BYTES_MAX, JOURNAL_PAYLOAD_BYTES_MAX};

/// The first bytes of every group.
pub(super) const GROUP_MAGIC: [u8; 4] = [0xa7, b'L', b'g', b'1'];
pub(super) const GROUP_HEADER_BYTES: usize = 28;
/// A group ends with its own length, so that the group before a place can be found from its end.
pub(super) const GROUP_TRAILER_BYTES: usize = 4;
pub(super) const FRAME_HEADER_BYTES: usize = 16;

const CHECKED_HEADER_BYTES: usize = 24;

/// A checksum that holds at one place of one journal.
pub(super) fn checksum(salt: u64, place: u64, parts: &[&[u8]]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&salt.to_le_bytes());
    hasher.update(&place.to_le_bytes());
    parts.iter().for_each(|part| hasher.update(part));
    hasher.finalize()
}

/// The header of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct GroupHeader {
    pub body_bytes: usize,
    pub frames: u32,
    pub body_crc: u32,
    pub first_seq: u64,
}

impl GroupHeader {
    pub fn encode(&self, salt: u64, place: u64) -> [u8; GROUP_HEADER_BYTES] {
        let body_bytes = u32::try_from(self.body_bytes).expect("a group is at most a MiB");
        let mut bytes = [0; GROUP_HEADER_BYTES];
        bytes[0..4].copy_from_slice(&GROUP_MAGIC);
        bytes[4..8].copy_from_slice(&body_bytes.to_le_bytes());
        bytes[8..12].copy_from_slice(&self.frames.to_le_bytes());
        bytes[12..16].copy_from_slice(&self.body_crc.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.first_seq.to_le_bytes());
        let crc = checksum(salt, place, &[&bytes[..CHECKED_HEADER_BYTES]]);
        bytes[24..28].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// The header at this place, if the bytes are one.
    pub fn decode(bytes: &[u8], salt: u64, place: u64) -> Option<GroupHeader> {
        let bytes = bytes.get(..GROUP_HEADER_BYTES)?;
        if bytes[..4] != GROUP_MAGIC
            || u32_at(bytes, 24)? != checksum(salt, place, &[&bytes[..CHECKED_HEADER_BYTES]])
        {
            return None;
        }
        let header = GroupHeader {
            body_bytes: u32_at(bytes, 4)? as usize,
            frames: u32_at(bytes, 8)?,
            body_crc: u32_at(bytes, 12)?,
            first_seq: u64_at(bytes, 16)?,
        };
        let fits = header.body_bytes <= JOURNAL_GROUP_BYTES_MAX - GROUP_HEADER_BYTES - GROUP_TRAILER_BYTES;
        (fits && header.frames > 0).then_some(header)
    }

    /// Bytes of the whole group.
    pub fn group_bytes(&self) -> usize {
        GROUP_HEADER_BYTES + self.body_bytes + GROUP_TRAILER_BYTES
    }

    /// The last sequence number of the body, if it is the one this header was written for.
    pub fn check_body(&self, body: &[u8], salt: u64, place: u64) -> Option<u64> {
        if body.len() != self.body_bytes || checksum(salt, place, &[body]) != self.body_crc {
            return None;
        }
        let (mut at, mut last) = (0, None);
        for _ in 0..self.frames {
            let header = FrameHeader::decode(&body[at..])?;
            let follows = last.map_or(header.seq == self.first_seq, |last| header.seq > last);
            at += FRAME_HEADER_BYTES + header.payload_bytes;
            if !follows || at > body.len() {
                return None;
            }
            last = Some(header.seq);
        }
        last.filter(|_| at == body.len())
    }
}

/// The header of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FrameHeader {
    pub payload_bytes: usize,
    pub crc: u32,
    pub seq: u64,
}

impl FrameHeader {
    /// The header in front of these bytes, if there are enough and the length can be true.
    pub fn decode(bytes: &[u8]) -> Option<FrameHeader> {
        let header = FrameHeader {
            payload_bytes: u32_at(bytes, 0)? as usize,
            crc: u32_at(bytes, 4)?,
            seq: u64_at(bytes, 8)?,
        };
        (header.payload_bytes <= JOURNAL_PAYLOAD_BYTES_MAX).then_some(header)
    }

    /// True if this is the payload that was written at this place.
    pub fn check(&self, payload: &[u8], salt: u64, place: u64) -> bool {
        payload.len() == self.payload_bytes && frame_crc(salt, place, self.seq, payload) == self.crc
    }
}

/// Puts a frame that will lie at `place` behind `bytes`.
pub(super) fn push_frame(bytes: &mut Vec<u8>, salt: u64, place: u64, seq: u64, payload: &[u8]) {
    let length = u32::try_from(payload.len()).expect("the caller keeps payloads under their maximum");
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(&frame_crc(salt, place, seq, payload).to_le_bytes());
    bytes.extend_from_slice(&seq.to_le_bytes());
    bytes.extend_from_slice(payload);
}

fn frame_crc(salt: u64, place: u64, seq: u64, payload: &[u8]) -> u32 {
    checksum(salt, place, &[&seq.to_le_bytes(), payload])
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..at + 4)?;
    Some(u32::from_le_bytes(bytes.try_into().expect("four bytes were taken")))
}

pub(super) fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    let bytes = bytes.get(at..at + 8)?;
    Some(u64::from_le_bytes(bytes.try_into().expect("eight bytes were taken")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SALT: u64 = 7;
    const PLACE: u64 = 1_000;

    fn body() -> Vec<u8> {
        let mut body = Vec::new();
        push_frame(&mut body, SALT, PLACE, 5, b"door open");
        let second = PLACE + body.len() as u64;
        push_frame(&mut body, SALT, second, 9, b"");
        body
    }

    fn header(body: &[u8]) -> GroupHeader {
        let body_crc = checksum(SALT, PLACE, &[body]);
        GroupHeader { body_bytes: body.len(), frames: 2, body_crc, first_seq: 5 }
    }

    #[test]
    fn a_frame_is_read_as_it_was_written_and_only_at_its_place() {
        let body = body();
        let frame = FrameHeader::decode(&body).expect("a frame was written");
        assert_eq!((frame.seq, frame.payload_bytes), (5, 9));
        let payload = &body[FRAME_HEADER_BYTES..][..9];
        assert!(frame.check(payload, SALT, PLACE));
        assert!(!frame.check(payload, SALT, PLACE + 1));
        assert!(!frame.check(payload, SALT + 1, PLACE));
        assert!(!frame.check(b"door shut", SALT, PLACE));
    }

    #[test]
    fn a_group_header_is_read_as_it_was_written_and_only_at_its_place() {
        let header = header(&body());
        let bytes = header.encode(SALT, PLACE);
        assert_eq!(GroupHeader::decode(&bytes, SALT, PLACE), Some(header));
        assert_eq!(GroupHeader::decode(&bytes, SALT, PLACE + 1), None);
        assert_eq!(GroupHeader::decode(&bytes, SALT + 1, PLACE), None);
        assert_eq!(GroupHeader::decode(&bytes[..20], SALT, PLACE), None);
    }

    #[test]
    fn any_flipped_bit_of_a_group_is_noticed() {
        let body = body();
        let header = header(&body);
        let bytes = header.encode(SALT, PLACE);
        assert_eq!(header.check_body(&body, SALT, PLACE), Some(9));
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes;
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(GroupHeader::decode(&flipped, SALT, PLACE), None, "bit {bit} of the header");
        }
        for bit in 0..body.len() * 8 {
            let mut flipped = body.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(header.check_body(&flipped, SALT, PLACE), None, "bit {bit} of the body");
        }
    }

    #[test]
    fn a_body_whose_frames_do_not_add_up_is_refused_whatever_its_checksum() {
        let body = body();
        let whole = header(&body);
        for wrong in [
            GroupHeader { frames: 1, ..whole },
            GroupHeader { frames: 3, ..whole },
            GroupHeader { first_seq: 4, ..whole },
        ] {
            assert_eq!(wrong.check_body(&body, SALT, PLACE), None, "{wrong:?}");
        }
        let mut standing = Vec::new();
        push_frame(&mut standing, SALT, PLACE, 5, b"");
        push_frame(&mut standing, SALT, PLACE, 5, b"");
        assert_eq!(header(&standing).check_body(&standing, SALT, PLACE), None);
    }

    #[test]
    fn a_length_over_the_maximum_is_refused_before_anything_is_allocated() {
        let mut body = body();
        body[..4].copy_from_slice(&u32::MAX.to_le_bytes());
        assert_eq!(FrameHeader::decode(&body), None);
        let huge = GroupHeader { body_bytes: JOURNAL_GROUP_BYTES_MAX, ..header(&body) };
        assert_eq!(GroupHeader::decode(&huge.encode(SALT, PLACE), SALT, PLACE), None);
    }
}
