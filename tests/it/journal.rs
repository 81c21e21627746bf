//! The journal on a disk that forgets, tears, fails and rots: what was acknowledged is there, in order, and nothing
//! else is.

mod condense;
pub mod crash;
mod damage;
mod failing;
mod plain;

use std::sync::Arc;

use linnet::store::disk::{Disk, SimDisk};
use linnet::store::error::StoreError;
use linnet::store::journal::{self, Appender, Opened, Options, Pos, Reader, Writer};

/// Small, so that a short life fills several segments.
const SEGMENT_BYTES: u64 = 16 * 1024;
const OPTIONS: Options = Options { segment_bytes: SEGMENT_BYTES, salt: 0x5eed };

/// A frame as the test remembers it.
type Said = (u64, Vec<u8>);

fn open(disk: &SimDisk, checked: Option<Pos>) -> Result<Opened, StoreError> {
    journal::open(Arc::new(disk.clone()), OPTIONS, checked)
}

/// A group remembered: its frames, where they lie, and where it ends.
#[derive(Clone, Debug)]
struct Written {
    said: Vec<Said>,
    places: Vec<Pos>,
    end: Pos,
}

/// Forms a group and writes it; the error, if any, comes beside what was to be written.
fn write(appender: &mut Appender, writer: &mut Writer, said: Vec<Said>) -> (Written, Result<(), StoreError>) {
    let mut builder = appender.begin();
    let places = said.iter().map(|(seq, payload)| builder.push(*seq, payload)).collect();
    let end = builder.end();
    let group = appender.finish(builder);
    assert_eq!(group.end(), end, "the end is known while the group is formed");
    (Written { said, places, end }, writer.write(&group))
}

/// Everything that can be read, and the damage met on the way.
fn read_all(reader: &Reader) -> (Vec<(Pos, Said)>, Vec<journal::Damage>) {
    let (mut frames, mut damage) = (Vec::new(), Vec::new());
    for item in reader.scan(Pos(0), reader.end()) {
        match item {
            Ok((pos, frame)) => frames.push((pos, (frame.seq, frame.payload.to_vec()))),
            Err(StoreError::Damaged(found)) => damage.push(found),
            Err(error) => panic!("a scan met {error}"),
        }
    }
    (frames, damage)
}

/// A small source of chance for the tests themselves.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }

    fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.below(256) as u8).collect()
    }

    /// One to five frames: mostly short, some empty, some long.
    fn said(&mut self, after: u64) -> Vec<Said> {
        let mut seq = after;
        let frames = 1 + self.below(5);
        let mut frame = || {
            seq += 1 + self.below(2);
            let count = [0, 20, 200, 200, 3_000][self.below(5) as usize];
            let count = self.below(count + 1) as usize;
            (seq, self.bytes(count))
        };
        (0..frames).map(|_| frame()).collect()
    }
}

/// Writes groups until the journal has this many.
fn fill(disk: &SimDisk, chance: &mut Chance, groups: usize) -> Vec<Written> {
    let mut opened = open(disk, None).expect("a new disk works");
    let mut all: Vec<Written> = Vec::new();
    for _ in 0..groups {
        let after = all.last().map_or(0, |group| group.said[group.said.len() - 1].0);
        let (written, result) = write(&mut opened.appender, &mut opened.writer, chance.said(after));
        result.expect("the disk works");
        all.push(written);
    }
    all
}

fn segment_paths(disk: &SimDisk) -> Vec<String> {
    let mut names = disk.list(journal::FOLDER).expect("the folder is there");
    names.sort();
    names.into_iter().map(|name| format!("{}/{name}", journal::FOLDER)).collect()
}
