//! The bytes of one simulated file: as the program sees them, as the medium keeps them, and what lies between.

/// Writes tear at these boundaries; a sector is old or new, never half.
const SECTOR_BYTES: u64 = 512;

#[derive(Default)]
pub(super) struct FileState {
    pub live: Vec<u8>,
    pub kept: Vec<u8>,
    pub unsynced: Vec<FileChange>,
}

#[derive(Clone)]
pub(super) enum FileChange {
    Write(u64, Vec<u8>),
    Allocate(u64),
    Truncate(u64),
}

impl FileState {
    pub fn change(&mut self, change: FileChange) {
        change.apply(&mut self.live);
        self.unsynced.push(change);
    }
}

impl FileChange {
    pub fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            FileChange::Write(offset, data) => put(bytes, *offset, data),
            FileChange::Allocate(length) if *length as usize > bytes.len() => {
                bytes.resize(*length as usize, 0)
            }
            FileChange::Allocate(_) => {}
            FileChange::Truncate(length) => bytes.resize(*length as usize, 0),
        }
    }

    /// Kept, dropped, or torn: each sector of a torn write is decided alone.
    pub fn apply_by_chance(&self, bytes: &mut Vec<u8>, chance: &mut Chance) {
        match (chance.below(3), self) {
            (0, _) => {}
            (1, FileChange::Write(offset, data)) => {
                for (at, part) in sectors(*offset, data) {
                    if chance.coin() {
                        put(bytes, at, part);
                    }
                }
            }
            _ => self.apply(bytes),
        }
    }
}

fn put(bytes: &mut Vec<u8>, offset: u64, data: &[u8]) {
    let (start, end) = (offset as usize, offset as usize + data.len());
    if bytes.len() < end {
        bytes.resize(end, 0);
    }
    bytes[start..end].copy_from_slice(data);
}

/// The parts of a write that lie in one sector each.
fn sectors(offset: u64, data: &[u8]) -> Vec<(u64, &[u8])> {
    let (mut parts, mut at, mut rest) = (Vec::new(), offset, data);
    while !rest.is_empty() {
        let room = (SECTOR_BYTES - at % SECTOR_BYTES) as usize;
        let (part, after) = rest.split_at(room.min(rest.len()));
        parts.push((at, part));
        at += part.len() as u64;
        rest = after;
    }
    parts
}

/// Splitmix64: small, even and the same everywhere.
pub(super) struct Chance(pub u64);

impl Chance {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    pub fn coin(&mut self) -> bool {
        self.below(2) == 0
    }
}
