//! The name and the header of a segment file.

use std::io;

use super::FOLDER;
use super::frame::{checksum, u32_at, u64_at};
use crate::store::disk::DiskFile;

const MAGIC: [u8; 8] = *b"linnetJ\n";
const FORMAT_VERSION: u32 = 1;
/// The second copy of the header lies here: one bad block of a card does not take both.
const COPY_OFFSET: usize = 4096;
const COPY_BYTES: usize = 32;
const CHECKED_BYTES: usize = 28;
/// Names of segments above this are none of ours; it keeps sums of places from running over.
const BASE_MAX: u64 = 1 << 62;

/// The offset of the first group in a segment.
pub(super) const SEGMENT_HEADER_BYTES: u64 = 4096 + 512;

/// The path of the segment whose first byte is at `base`.
pub(super) fn path(base: u64) -> String {
    format!("{FOLDER}/{base:020}.seg")
}

/// The base that a file name stands for, if it is a segment's.
pub(super) fn base_of(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(".seg").filter(|digits| digits.len() == 20)?;
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|base| plain && *base <= BASE_MAX)
}

/// What a segment's header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SegmentHeader {
    pub base: u64,
    pub salt: u64,
}

impl SegmentHeader {
    /// Both copies and the zeros between them.
    pub fn encode(&self) -> Vec<u8> {
        let mut copy = [0; COPY_BYTES];
        copy[0..8].copy_from_slice(&MAGIC);
        copy[8..12].copy_from_slice(&FORMAT_VERSION.to_le_bytes());
        copy[12..20].copy_from_slice(&self.base.to_le_bytes());
        copy[20..28].copy_from_slice(&self.salt.to_le_bytes());
        let crc = checksum(0, 0, &[&copy[..CHECKED_BYTES]]);
        copy[28..32].copy_from_slice(&crc.to_le_bytes());
        let mut bytes = vec![0; SEGMENT_HEADER_BYTES as usize];
        bytes[..COPY_BYTES].copy_from_slice(&copy);
        bytes[COPY_OFFSET..][..COPY_BYTES].copy_from_slice(&copy);
        bytes
    }

    /// The header of a segment file, from either copy; `None` if neither can be read.
    pub fn read(file: &dyn DiskFile) -> io::Result<Option<SegmentHeader>> {
        for offset in [0, COPY_OFFSET] {
            let mut copy = [0; COPY_BYTES];
            let count = read_full(file, &mut copy, offset as u64)?;
            if let Some(header) = SegmentHeader::decode(&copy[..count]) {
                return Ok(Some(header));
            }
        }
        Ok(None)
    }

    fn decode(copy: &[u8]) -> Option<SegmentHeader> {
        let sound = copy.len() == COPY_BYTES
            && copy[..8] == MAGIC
            && u32_at(copy, 8)? == FORMAT_VERSION
            && u32_at(copy, 28)? == checksum(0, 0, &[&copy[..CHECKED_BYTES]]);
        if !sound {
            return None;
        }
        Some(SegmentHeader { base: u64_at(copy, 12)?, salt: u64_at(copy, 20)? })
    }
}

/// Reads until the buffer is full or the file ends.
pub(super) fn read_full(file: &dyn DiskFile, buf: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buf.len() {
        match file.read_at(&mut buf[filled..], offset + filled as u64)? {
            0 => break,
            count => filled += count,
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_is_named_by_the_place_of_its_first_byte() {
        assert_eq!(path(8_388_700), "journal/00000000000008388700.seg");
        assert_eq!(base_of("00000000000008388700.seg"), Some(8_388_700));
        for foreign in
            ["8388700.seg", "0000000000000838870x.seg", "99999999999999999999.seg", "lost+found", ""]
        {
            assert_eq!(base_of(foreign), None, "{foreign}");
        }
    }

    #[test]
    fn a_header_survives_the_loss_of_either_copy() {
        let header = SegmentHeader { base: 4711, salt: 99 };
        let bytes = header.encode();
        assert_eq!(SegmentHeader::decode(&bytes[..COPY_BYTES]), Some(header));
        assert_eq!(SegmentHeader::decode(&bytes[COPY_OFFSET..][..COPY_BYTES]), Some(header));
        assert_eq!(SegmentHeader::decode(&[0; COPY_BYTES]), None);
    }
}
