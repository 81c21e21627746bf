//! A disk that is fed with a recording and can say, at any moment, what a power cut would leave: what was synced, and of
//! the rest as much as chance wants, torn and out of order. A name is kept once its folder was synced.

use crate::Outcome;
use crate::chance::Chance;
use crate::record::{Did, Recording};
use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// What a disk writes in one piece.
const SECTOR: usize = 512;

/// What becomes of everything that was not synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// None of it is kept.
    Dropped,
    /// All of it is: a kill, and no power cut.
    Kept,
    /// It was on its way in order; the last of it is torn.
    Torn,
    /// Each piece is kept or not, whole or in part, whatever came before it.
    Shuffled,
}

pub const FATES: [Fate; 4] = [Fate::Dropped, Fate::Torn, Fate::Shuffled, Fate::Kept];

#[derive(Debug, Clone)]
enum Pending {
    Write { at: u64, offset: u64, data: Range<usize>, size: u64 },
    Size { at: u64, size: u64 },
}

impl Pending {
    fn at(&self) -> u64 {
        match self {
            Pending::Write { at, .. } | Pending::Size { at, .. } => *at,
        }
    }
}

#[derive(Debug, Clone, Default)]
struct File {
    durable: Vec<u8>,
    pending: Vec<Pending>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Entry {
    Folder,
    File(usize),
}

#[derive(Debug, Clone)]
enum Naming {
    Made(PathBuf, Entry),
    Moved(PathBuf, PathBuf),
    Gone(PathBuf),
}

impl Naming {
    fn is_in(&self, folder: &Path) -> bool {
        let inside = |path: &PathBuf| path.parent() == Some(folder);
        match self {
            Naming::Made(path, _) | Naming::Gone(path) => inside(path),
            Naming::Moved(from, to) => inside(from) || inside(to),
        }
    }
}

type Names = BTreeMap<PathBuf, Entry>;

/// The disk.
pub struct Disk<'a> {
    recording: &'a Recording,
    /// Records taken so far.
    taken: usize,
    files: Vec<File>,
    /// Which file an inode's number means now.
    inodes: HashMap<u64, usize>,
    names: Names,
    /// Names not kept yet, and when they were made.
    namings: Vec<(u64, Naming)>,
}

impl<'a> Disk<'a> {
    pub fn new(recording: &'a Recording) -> Disk<'a> {
        let names = Names::from([(PathBuf::new(), Entry::Folder)]);
        Disk { recording, taken: 0, files: Vec::new(), inodes: HashMap::new(), names, namings: Vec::new() }
    }

    /// Feeds it with all that was recorded up to this length of the log.
    pub fn advance(&mut self, upto: u64) {
        while let Some(record) = self.recording.records.get(self.taken).filter(|record| record.end <= upto) {
            self.take(&record.did, record.end);
            self.taken += 1;
        }
    }

    fn take(&mut self, did: &Did, at: u64) {
        match did {
            Did::Create { path, inode } => {
                self.files.push(File::default());
                self.inodes.insert(*inode, self.files.len() - 1);
                self.namings.push((at, Naming::Made(path.clone(), Entry::File(self.files.len() - 1))));
            }
            Did::MakeFolder { path } => {
                self.namings.push((at, Naming::Made(path.clone(), Entry::Folder)));
            }
            Did::Write { inode, offset, data, size } => {
                let (offset, data, size) = (*offset, data.clone(), *size);
                self.pend(*inode, Pending::Write { at, offset, data, size });
            }
            Did::Truncate { inode, size } => self.pend(*inode, Pending::Size { at, size: *size }),
            Did::Sync { inode, size, begun } => self.sync(*inode, *size, *begun),
            Did::SyncFolder { path, begun } => self.sync_folder(path, *begun),
            Did::Rename { from, to } => self.namings.push((at, Naming::Moved(from.clone(), to.clone()))),
            Did::Remove { path } => self.namings.push((at, Naming::Gone(path.clone()))),
            Did::SyncFailed { inode } => {
                if let Some(file) = self.inodes.get(inode) {
                    self.files[*file].pending.clear();
                }
            }
        }
    }

    fn pend(&mut self, inode: u64, pending: Pending) {
        if let Some(file) = self.inodes.get(&inode) {
            self.files[*file].pending.push(pending);
        }
    }

    fn sync(&mut self, inode: u64, size: u64, begun: u64) {
        let Some(file) = self.inodes.get(&inode) else { return };
        let File { durable, pending } = &mut self.files[*file];
        let synced = pending.partition_point(|pending| pending.at() <= begun);
        for pending in pending.drain(..synced) {
            match pending {
                Pending::Write { offset, data, .. } => put(durable, offset, &self.recording.bytes[data]),
                Pending::Size { size, .. } => durable.resize(size as usize, 0),
            }
        }
        if pending.is_empty() {
            durable.resize(size as usize, 0);
        }
    }

    fn sync_folder(&mut self, folder: &Path, begun: u64) {
        let mut kept = Vec::new();
        for (at, naming) in std::mem::take(&mut self.namings) {
            if at > begun || !naming.is_in(folder) {
                kept.push((at, naming));
                continue;
            }
            if let Naming::Moved(from, to) = &naming {
                // What waits inside a folder that moved waits at its new place.
                kept.iter_mut().for_each(|(_, earlier)| follow(earlier, from, to));
            }
            name(&mut self.names, &naming);
        }
        self.namings = kept;
    }

    /// Writes into an empty folder what a power cut now would leave.
    pub fn leave(&self, fate: Fate, chance: &mut Chance, into: &Path) -> Outcome<()> {
        let mut names = self.names.clone();
        let kept = match fate {
            Fate::Dropped => 0,
            Fate::Kept => self.namings.len(),
            Fate::Torn | Fate::Shuffled => chance.below(self.namings.len() as u64 + 1) as usize,
        };
        self.namings[..kept].iter().for_each(|(_, naming)| name(&mut names, naming));
        for (path, entry) in &names {
            let reached = path.ancestors().skip(1).all(|above| names.get(above) == Some(&Entry::Folder));
            match entry {
                _ if !reached => {}
                Entry::Folder => fs::create_dir_all(into.join(path))?,
                Entry::File(file) => write(&into.join(path), &self.content(*file, fate, chance))?,
            }
        }
        Ok(())
    }

    fn content(&self, file: usize, fate: Fate, chance: &mut Chance) -> Vec<u8> {
        let File { durable, pending } = &self.files[file];
        let mut content = durable.clone();
        let whole = match fate {
            Fate::Dropped => return content,
            Fate::Kept | Fate::Shuffled => pending.len(),
            Fate::Torn => chance.below(pending.len() as u64 + 1) as usize,
        };
        for pending in &pending[..whole] {
            if fate == Fate::Shuffled && chance.coin() {
                continue;
            }
            let torn = fate == Fate::Shuffled && chance.below(4) == 0;
            self.apply(&mut content, pending, if torn { Some(&mut *chance) } else { None });
        }
        if fate == Fate::Torn
            && let Some(Pending::Write { offset, data, .. }) = pending.get(whole)
        {
            let sectors = data.len().div_ceil(SECTOR) as u64;
            let bytes = data.len().min(chance.below(sectors + 1) as usize * SECTOR);
            put(&mut content, *offset, &self.recording.bytes[data.start..data.start + bytes]);
        }
        content
    }

    /// Does to the content what was waiting; with chance only some sectors of it.
    fn apply(&self, content: &mut Vec<u8>, pending: &Pending, torn: Option<&mut Chance>) {
        match (pending, torn) {
            (Pending::Size { size, .. }, _) => content.resize(*size as usize, 0),
            (Pending::Write { offset, data, size, .. }, None) => {
                put(content, *offset, &self.recording.bytes[data.clone()]);
                content.resize((*size as usize).max(content.len()), 0);
            }
            (Pending::Write { offset, data, .. }, Some(chance)) => {
                for (sector, bytes) in self.recording.bytes[data.clone()].chunks(SECTOR).enumerate() {
                    if chance.coin() {
                        put(content, offset + (sector * SECTOR) as u64, bytes);
                    }
                }
            }
        }
    }
}

fn put(content: &mut Vec<u8>, offset: u64, bytes: &[u8]) {
    let (from, to) = (offset as usize, offset as usize + bytes.len());
    if content.len() < to {
        content.resize(to, 0);
    }
    content[from..to].copy_from_slice(bytes);
}

fn name(names: &mut Names, naming: &Naming) {
    match naming {
        Naming::Made(path, entry) => drop(names.insert(path.clone(), *entry)),
        Naming::Gone(path) => drop(names.remove(path)),
        Naming::Moved(from, to) => {
            let inside: Vec<PathBuf> = names.keys().filter(|path| path.starts_with(from)).cloned().collect();
            for path in inside {
                if let (Some(entry), Ok(rest)) = (names.remove(&path), path.strip_prefix(from)) {
                    names.insert(if rest.as_os_str().is_empty() { to.clone() } else { to.join(rest) }, entry);
                }
            }
        }
    }
}

fn follow(naming: &mut Naming, from: &Path, to: &Path) {
    let moved = |path: &mut PathBuf| {
        if let Ok(rest) = path.strip_prefix(from).map(Path::to_owned)
            && !rest.as_os_str().is_empty()
        {
            *path = to.join(rest);
        }
    };
    match naming {
        Naming::Made(path, _) | Naming::Gone(path) => moved(path),
        Naming::Moved(a, b) => {
            moved(a);
            moved(b);
        }
    }
}

/// Writes a file without the zeros it ends with, which cost nothing on a file system with holes.
fn write(path: &Path, content: &[u8]) -> Outcome<()> {
    let file = fs::File::create(path)?;
    let used = content.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    file.write_all_at(&content[..used], 0)?;
    file.set_len(content.len() as u64)
}
