//! The name and the header of a segment file.

use std::io;

use super::frame::{checksum, u32_at, u64_at};
use super::{FOLDER, PLACE_BITS};
use crate::store::disk::DiskFile;

const MAGIC: [u8; 8] = *b"linnetJ\n";
/// Of a segment that takes groups one after the other.
const PLAIN_VERSION: u32 = 1;
/// Of one that was written anew.
const CONDENSED_VERSION: u32 = 2;
/// The second copy of the header lies here: one bad block of a card does not take both.
const COPY_OFFSET: usize = 4096;
const PLAIN_BYTES: usize = 32;
const CONDENSED_BYTES: usize = 80;
/// Names of segments above this are none of ours; it keeps sums of places below the generation's bits.
const BASE_MAX: u64 = 1 << (PLACE_BITS - 1);
/// The ending of a file that is being written anew and is not kept yet.
const UNFINISHED: &str = ".tmp";

/// The offset of the first group in a segment.
pub(super) const SEGMENT_HEADER_BYTES: u64 = 4096 + 512;

/// The path of the segment whose first byte is at `base`.
pub(super) fn path(base: u64, generation: u16) -> String {
    match generation {
        0 => format!("{FOLDER}/{base:020}.seg"),
        _ => format!("{FOLDER}/{base:020}.{generation:05}.seg"),
    }
}

/// The path of such a file while it is written.
pub(super) fn unfinished_path(base: u64, generation: u16) -> String {
    path(base, generation) + UNFINISHED
}

/// True for a file that was being written when the power went.
pub(super) fn is_unfinished(name: &str) -> bool {
    name.strip_suffix(UNFINISHED).is_some_and(|name| named(name).is_some())
}

/// The base and the generation that a file name stands for, if it is a segment's.
pub(super) fn named(name: &str) -> Option<(u64, u16)> {
    let number = |digits: &str, count| {
        let plain = digits.len() == count && digits.bytes().all(|byte| byte.is_ascii_digit());
        plain.then(|| digits.parse::<u64>().ok()).flatten()
    };
    let name = name.strip_suffix(".seg")?;
    let (base, generation) = match name.split_once('.') {
        None => (number(name, 20)?, 0),
        Some((base, generation)) => {
            let generation = u16::try_from(number(generation, 5)?).ok().filter(|one| *one > 0)?;
            (number(base, 20)?, generation)
        }
    };
    (base <= BASE_MAX).then_some((base, generation))
}

/// What a segment's header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SegmentHeader {
    pub base: u64,
    pub salt: u64,
    pub condensed: Option<Condensed>,
}

/// What a segment that was written anew says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Condensed {
    pub generation: u16,
    /// The end of its last group.
    pub end: u64,
    /// The end of the stretch it stands for.
    pub until: u64,
    /// The first and the last number of the frames it stands for, those left out included; 0 where there were none.
    pub first_seq: u64,
    pub last_seq: u64,
    /// The newest number that was known when it was decided what to leave out.
    pub as_of: u64,
}

impl SegmentHeader {
    /// Both copies and the zeros between them.
    pub fn encode(&self) -> Vec<u8> {
        let mut copy = Vec::with_capacity(CONDENSED_BYTES);
        copy.extend_from_slice(&MAGIC);
        let version = if self.condensed.is_some() { CONDENSED_VERSION } else { PLAIN_VERSION };
        copy.extend_from_slice(&version.to_le_bytes());
        copy.extend_from_slice(&self.base.to_le_bytes());
        copy.extend_from_slice(&self.salt.to_le_bytes());
        if let Some(Condensed { generation, end, until, first_seq, last_seq, as_of }) = self.condensed {
            for number in [u64::from(generation), end, until, first_seq, last_seq, as_of] {
                copy.extend_from_slice(&number.to_le_bytes());
            }
        }
        copy.extend_from_slice(&checksum(0, 0, &[&copy]).to_le_bytes());
        let mut bytes = vec![0; SEGMENT_HEADER_BYTES as usize];
        bytes[..copy.len()].copy_from_slice(&copy);
        bytes[COPY_OFFSET..][..copy.len()].copy_from_slice(&copy);
        bytes
    }

    /// The header of a segment file, from either copy; `None` if neither can be read.
    pub fn read(file: &dyn DiskFile) -> io::Result<Option<SegmentHeader>> {
        for offset in [0, COPY_OFFSET] {
            let mut copy = [0; CONDENSED_BYTES];
            let count = read_full(file, &mut copy, offset as u64)?;
            if let Some(header) = SegmentHeader::decode(&copy[..count]) {
                return Ok(Some(header));
            }
        }
        Ok(None)
    }

    fn decode(copy: &[u8]) -> Option<SegmentHeader> {
        let length = match u32_at(copy, 8)? {
            PLAIN_VERSION => PLAIN_BYTES,
            CONDENSED_VERSION => CONDENSED_BYTES,
            _ => return None,
        };
        let checked = length - size_of::<u32>();
        let crc = u32_at(copy, checked)?;
        if copy[..8] != MAGIC || crc != checksum(0, 0, &[&copy[..checked]]) {
            return None;
        }
        let condensed = (length == CONDENSED_BYTES).then(|| Condensed::decode(&copy[28..])).flatten();
        if length == CONDENSED_BYTES && condensed.is_none() {
            return None;
        }
        Some(SegmentHeader { base: u64_at(copy, 12)?, salt: u64_at(copy, 20)?, condensed })
    }
}

impl Condensed {
    fn decode(bytes: &[u8]) -> Option<Condensed> {
        let number = |index: usize| u64_at(bytes, index * size_of::<u64>());
        Some(Condensed {
            generation: u16::try_from(number(0)?).ok()?,
            end: number(1)?,
            until: number(2)?,
            first_seq: number(3)?,
            last_seq: number(4)?,
            as_of: number(5)?,
        })
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

/// Where the first byte lies that is not zero. What is reserved of a segment is gone through at every start, and byte by
/// byte that took most of one.
pub(super) fn first_nonzero(bytes: &[u8]) -> Option<usize> {
    let (wide, _) = bytes.as_chunks::<16>();
    let clear = 16 * wide.iter().take_while(|chunk| u128::from_ne_bytes(**chunk) == 0).count();
    bytes[clear..].iter().position(|byte| *byte != 0).map(|further| clear + further)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_is_named_by_the_place_of_its_first_byte() {
        assert_eq!(path(8_388_700, 0), "journal/00000000000008388700.seg");
        assert_eq!(path(8_388_700, 2), "journal/00000000000008388700.00002.seg");
        assert_eq!(named("00000000000008388700.seg"), Some((8_388_700, 0)));
        assert_eq!(named("00000000000008388700.00002.seg"), Some((8_388_700, 2)));
        assert!(is_unfinished("00000000000008388700.00002.seg.tmp"));
        for foreign in [
            "8388700.seg",
            "0000000000000838870x.seg",
            "99999999999999999999.seg",
            "00000000000008388700.00000.seg",
            "00000000000008388700.99999.seg",
            "00000000000008388700.2.seg",
            "lost+found",
            "",
        ] {
            assert_eq!(named(foreign), None, "{foreign}");
        }
        assert!(!is_unfinished("notes.tmp"));
    }

    #[test]
    fn a_header_survives_the_loss_of_either_copy() {
        let condensed =
            Condensed { generation: 3, end: 9_000, until: 9_900, first_seq: 5, last_seq: 80, as_of: 99 };
        for condensed in [None, Some(condensed)] {
            let header = SegmentHeader { base: 4711, salt: 99, condensed };
            let bytes = header.encode();
            assert_eq!(SegmentHeader::decode(&bytes[..CONDENSED_BYTES]), Some(header));
            assert_eq!(SegmentHeader::decode(&bytes[COPY_OFFSET..][..CONDENSED_BYTES]), Some(header));
            assert_eq!(SegmentHeader::decode(&[0; CONDENSED_BYTES]), None);
        }
    }

    #[test]
    fn the_first_byte_that_is_not_zero_is_found_at_every_place() {
        for length in 0..50 {
            let mut bytes = vec![0; length];
            assert_eq!(first_nonzero(&bytes), None);
            for place in (0..length).rev() {
                bytes[place] = 0x80;
                assert_eq!(first_nonzero(&bytes), Some(place), "of {length}");
            }
        }
    }
}
