//! Power cuts: seeded lives of one journal against a model.

use std::io;
use std::sync::Arc;

use linnet::store::disk::{Disk, DiskFile, SimDisk};
use linnet::store::journal::{self, Pos};

use super::{Chance, OPTIONS, Said, read_all, write};

const LIVES: u64 = 400;

type Wrap = fn(SimDisk) -> Arc<dyn Disk>;

/// What must be there: every acknowledged group, and perhaps the one that was in flight.
#[derive(Default)]
struct Model {
    acknowledged: Vec<Said>,
    in_flight: Vec<Said>,
    ends: Vec<Pos>,
}

impl Model {
    /// Holds what was found against what must be; the group in flight is settled by it.
    fn check(&mut self, found: Vec<Said>) -> Result<(), String> {
        let in_flight = std::mem::take(&mut self.in_flight);
        if found == self.acknowledged {
            return Ok(());
        }
        self.acknowledged.extend(in_flight);
        if found == self.acknowledged {
            return Ok(());
        }
        Err(format!("{} frames were found and {} expected", found.len(), self.acknowledged.len()))
    }
}

/// One life: a handful of starts, each ended by a power cut at some call, in recovery too, or by a kill.
fn live(seed: u64, wrap: Wrap) -> Result<(), String> {
    let mut chance = Chance(seed);
    let mut disk = SimDisk::new(seed);
    let mut model = Model::default();
    for _ in 0..6 {
        disk.lose_power_at(1 + chance.below(40));
        run(&mut chance, &mut model, wrap(disk.clone()))?;
        disk = disk.crash();
    }
    // The last start has no misfortune.
    run(&mut chance, &mut model, wrap(disk.clone()))?;
    let opened = journal::open(wrap(disk), OPTIONS, None).map_err(|error| error.to_string())?;
    model.check(read_all(&opened.reader).0.into_iter().map(|(_, said)| said).collect())
}

/// From a start to the first error of the disk, or to some quiet moment.
fn run(chance: &mut Chance, model: &mut Model, disk: Arc<dyn Disk>) -> Result<(), String> {
    let checked = match chance.below(2) {
        0 => None,
        _ => model.ends.last().copied(),
    };
    let Ok(mut opened) = journal::open(disk, OPTIONS, checked) else { return Ok(()) };
    if !opened.report.damage.is_empty() {
        return Err(format!("a power cut was taken for damage: {:?}", opened.report));
    }
    let (frames, damage) = read_all(&opened.reader);
    if !damage.is_empty() {
        return Err(format!("the scan met {damage:?}"));
    }
    model.check(frames.into_iter().map(|(_, said)| said).collect())?;
    let mut last = model.acknowledged.last().map(|said| said.0);
    if opened.report.last_seq != last {
        return Err(format!("the last number is {:?} and not {last:?}", opened.report.last_seq));
    }
    for _ in 0..chance.below(20) {
        let (written, result) =
            write(&mut opened.appender, &mut opened.writer, chance.said(last.unwrap_or(0)));
        last = written.said.last().map(|said| said.0);
        if result.is_err() {
            model.in_flight = written.said;
            return Ok(());
        }
        model.acknowledged.extend(written.said);
        model.ends.push(written.end);
    }
    Ok(())
}

#[test]
fn what_was_acknowledged_survives_every_power_cut() {
    for seed in 0..LIVES {
        live(seed, |disk| Arc::new(disk)).unwrap_or_else(|error| panic!("SEED={seed}: {error}"));
    }
}

#[test]
fn the_model_notices_a_writer_that_does_not_sync_its_files() {
    let caught = (0..LIVES).filter(|seed| live(*seed, |disk| Arc::new(Lazy::files(disk))).is_err()).count();
    assert!(caught > 0, "{LIVES} lives without a sync passed");
}

#[test]
fn the_model_notices_a_writer_that_does_not_sync_its_folder() {
    let caught = (0..LIVES).filter(|seed| live(*seed, |disk| Arc::new(Lazy::folders(disk))).is_err()).count();
    assert!(caught > 0, "{LIVES} lives without a folder's sync passed");
}

#[test]
fn the_same_seed_gives_the_same_disk() {
    let found = || {
        let disk = SimDisk::new(11);
        super::fill(&disk, &mut Chance(11), 8);
        let file = disk.open(&super::segment_paths(&disk)[0]).expect("it was made");
        file.write_at(&[7; 5_000], 0).expect("the disk works");
        let crashed = disk.crash();
        let mut bytes = vec![0; 20_000];
        let file = crashed.open(&super::segment_paths(&crashed)[0]).expect("it was synced");
        file.read_at(&mut bytes, 0).expect("the disk works");
        bytes
    };
    assert_eq!(found(), found());
}

/// A disk whose syncs of one kind do nothing: the planted fault.
pub struct Lazy {
    disk: SimDisk,
    syncs_files: bool,
}

impl Lazy {
    pub fn files(disk: SimDisk) -> Lazy {
        Lazy { disk, syncs_files: false }
    }

    fn folders(disk: SimDisk) -> Lazy {
        Lazy { disk, syncs_files: true }
    }

    fn wrap(&self, file: Box<dyn DiskFile>) -> Box<dyn DiskFile> {
        if self.syncs_files { file } else { Box::new(LazyFile(file)) }
    }
}

impl Disk for Lazy {
    fn create_folder(&self, path: &str) -> io::Result<()> {
        self.disk.create_folder(path)
    }
    fn create(&self, path: &str) -> io::Result<Box<dyn DiskFile>> {
        Ok(self.wrap(self.disk.create(path)?))
    }
    fn open(&self, path: &str) -> io::Result<Box<dyn DiskFile>> {
        Ok(self.wrap(self.disk.open(path)?))
    }
    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        self.disk.list(folder)
    }
    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.disk.rename(from, to)
    }
    fn remove(&self, path: &str) -> io::Result<()> {
        self.disk.remove(path)
    }
    fn sync_folder(&self, path: &str) -> io::Result<()> {
        if self.syncs_files { Ok(()) } else { self.disk.sync_folder(path) }
    }
}

struct LazyFile(Box<dyn DiskFile>);

impl DiskFile for LazyFile {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        self.0.read_at(buf, offset)
    }
    fn write_at(&self, buf: &[u8], offset: u64) -> io::Result<()> {
        self.0.write_at(buf, offset)
    }
    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }
    fn len(&self) -> io::Result<u64> {
        self.0.len()
    }
    fn allocate(&self, bytes: u64) -> io::Result<()> {
        self.0.allocate(bytes)
    }
    fn truncate(&self, bytes: u64) -> io::Result<()> {
        self.0.truncate(bytes)
    }
}
