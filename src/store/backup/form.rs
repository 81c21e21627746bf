//! The bytes of a backup's frames and of what is in them.

use super::{FORMAT, Head, Kind, Tally};
use crate::base::limits::{BACKUP_DAMAGE_LISTED_MAX, BACKUP_FRAME_BYTES_MAX, JOURNAL_PAYLOAD_BYTES_MAX};
use crate::store::journal::{Damage, Pos, Why};

/// The first bytes of every frame: none of them is text.
pub(super) const MARK: [u8; 4] = [0xb7, 0x4c, 0x62, 0x01];
/// The first bytes of a head's body.
pub(super) const MAGIC: [u8; 8] = *b"linnetB\n";
pub(super) const FRAME_HEADER_BYTES: usize = 28;
/// A head with its frame: one bad block of a card does not take both.
pub(super) const HEAD_FRAME_BYTES: usize = 4096;
pub(super) const SHA_BYTES: usize = 32;

const CHECKED_BYTES: usize = 24;
const VERSION_BYTES_MAX: usize = 64;
const CHANGE_HEADER_BYTES: usize = 12;
const WHYS: [Why; 5] = [Why::BadGroup, Why::Missing, Why::BadHeader, Why::OldSequence, Why::CutShort];

/// The header of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FrameHeader {
    pub kind: Kind,
    pub number: u64,
    pub body_bytes: usize,
    pub body_crc: u32,
}

/// The salt a kind's checksums cover: a head is read before its salt is known.
fn salt_of(kind: Kind, salt: u64) -> u64 {
    if kind == Kind::Head { 0 } else { salt }
}

fn checksum(salt: u64, bytes: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&salt.to_le_bytes());
    hasher.update(bytes);
    hasher.finalize()
}

impl FrameHeader {
    /// The header in front of these bytes, if they are one of this backup.
    pub fn decode(bytes: &[u8], salt: u64) -> Option<FrameHeader> {
        let bytes = bytes.get(..FRAME_HEADER_BYTES)?;
        let kind = Kind::of(bytes[4])?;
        let crc = checksum(salt_of(kind, salt), &bytes[..CHECKED_BYTES]);
        if bytes[..4] != MARK || bytes[5..8] != [0; 3] || u32_at(bytes, 24)? != crc {
            return None;
        }
        let body_bytes = u32_at(bytes, 16)? as usize;
        let header =
            FrameHeader { kind, number: u64_at(bytes, 8)?, body_bytes, body_crc: u32_at(bytes, 20)? };
        (body_bytes <= BACKUP_FRAME_BYTES_MAX).then_some(header)
    }

    /// Whether this is the body that was written behind it.
    pub fn check(&self, body: &[u8], salt: u64) -> bool {
        body.len() == self.body_bytes && checksum(salt_of(self.kind, salt), body) == self.body_crc
    }
}

/// A whole frame.
pub(super) fn frame(kind: Kind, number: u64, salt: u64, body: &[u8]) -> Vec<u8> {
    let salt = salt_of(kind, salt);
    let length = u32::try_from(body.len()).expect("writers keep bodies under their maximum");
    let mut bytes = Vec::with_capacity(FRAME_HEADER_BYTES + body.len());
    bytes.extend_from_slice(&MARK);
    bytes.extend_from_slice(&[kind.code(), 0, 0, 0]);
    bytes.extend_from_slice(&number.to_le_bytes());
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(&checksum(salt, body).to_le_bytes());
    bytes.extend_from_slice(&checksum(salt, &bytes).to_le_bytes());
    bytes.extend_from_slice(body);
    bytes
}

/// The body of a head.
pub(super) fn head_body(head: &Head) -> Vec<u8> {
    let mut body = Vec::with_capacity(HEAD_FRAME_BYTES);
    body.extend_from_slice(&MAGIC);
    body.extend_from_slice(&FORMAT.to_le_bytes());
    for number in [head.salt, head.node, head.created, head.last_seq] {
        body.extend_from_slice(&number.to_le_bytes());
    }
    body.push(u8::from(head.trusted) | u8::from(head.test_mode) << 1);
    let version = &head.version.as_bytes()[..head.version.len().min(VERSION_BYTES_MAX)];
    body.push(version.len() as u8);
    body.extend_from_slice(version);
    body.resize(HEAD_FRAME_BYTES - FRAME_HEADER_BYTES, 0);
    body
}

/// What a head's body says; the number of its format when that is not ours.
pub(super) fn head(body: &[u8]) -> Option<Result<Head, u32>> {
    let format = u32_at(body, 8).filter(|_| body.starts_with(&MAGIC))?;
    if format != FORMAT {
        return Some(Err(format));
    }
    let flags = *body.get(44)?;
    let version = body.get(46..46 + usize::from(*body.get(45)?))?;
    Some(Ok(Head {
        salt: u64_at(body, 12)?,
        node: u64_at(body, 20)?,
        created: u64_at(body, 28)?,
        last_seq: u64_at(body, 36)?,
        trusted: flags & 1 != 0,
        test_mode: flags & 2 != 0,
        version: String::from_utf8_lossy(version).into_owned(),
    }))
}

/// Puts a Change behind those of a chunk.
pub(super) fn push_change(body: &mut Vec<u8>, seq: u64, payload: &[u8]) {
    let length = u32::try_from(payload.len()).expect("the journal keeps payloads under their maximum");
    body.extend_from_slice(&seq.to_le_bytes());
    body.extend_from_slice(&length.to_le_bytes());
    body.extend_from_slice(payload);
}

/// Bytes a Change takes in a chunk.
pub(super) fn change_bytes(payload: &[u8]) -> usize {
    CHANGE_HEADER_BYTES + payload.len()
}

/// Changes as they lie in a chunk.
pub(super) struct Chunk<'a> {
    /// Changes in the chunks before.
    pub before: u64,
    /// Each with its sequence.
    pub changes: Vec<(u64, &'a [u8])>,
}

/// The Changes of a chunk's body; `None` if they do not add up.
pub(super) fn changes(body: &[u8]) -> Option<Chunk<'_>> {
    let before = u64_at(body, 0)?;
    let (mut at, mut found) = (8, Vec::new());
    while at < body.len() {
        let (seq, length) = (u64_at(body, at)?, u32_at(body, at + 8)? as usize);
        let start = at + CHANGE_HEADER_BYTES;
        let payload = body.get(start..start + length).filter(|_| length <= JOURNAL_PAYLOAD_BYTES_MAX)?;
        found.push((seq, payload));
        at = start + length;
    }
    Some(Chunk { before, changes: found })
}

/// The body of the end record.
pub(super) fn end_body(tally: &Tally, sha: &[u8; SHA_BYTES]) -> Vec<u8> {
    let mut body = Vec::new();
    for number in [tally.changes, tally.bytes, tally.last_seq, tally.blobs, tally.damaged] {
        body.extend_from_slice(&number.to_le_bytes());
    }
    for damage in tally.damage.iter().take(BACKUP_DAMAGE_LISTED_MAX) {
        body.extend_from_slice(&damage.from.0.to_le_bytes());
        body.extend_from_slice(&damage.to.0.to_le_bytes());
        body.push(WHYS.iter().position(|why| *why == damage.why).unwrap_or(0) as u8);
    }
    body.extend_from_slice(sha);
    body
}

/// What the end record says, and the checksum of everything before it.
pub(super) fn end(body: &[u8]) -> Option<(Tally, [u8; SHA_BYTES])> {
    let numbers = (0..5).map(|at| u64_at(body, at * 8)).collect::<Option<Vec<_>>>()?;
    let (list, sha) = body.get(40..)?.split_last_chunk::<SHA_BYTES>()?;
    let stretches = list.chunks(17).map(|bytes| {
        let why = *WHYS.get(usize::from(*bytes.get(16)?))?;
        Some(Damage { from: Pos(u64_at(bytes, 0)?), to: Pos(u64_at(bytes, 8)?), why })
    });
    let damage = stretches.collect::<Option<Vec<_>>>()?;
    let [changes, bytes, last_seq, blobs, damaged] = numbers[..] else { return None };
    Some((Tally { changes, bytes, last_seq, blobs, damaged, damage }, *sha))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}
