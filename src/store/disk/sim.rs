//! A disk in memory that is as unkind as a real one: a power cut keeps, drops or tears what was not synced, in any
//! order; a failed sync forgets. The same seed forgets the same things.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use self::content::{Chance, FileChange, FileState};
use super::{Disk, DiskFile};

mod content;

/// A simulated disk; a clone is the same disk.
#[derive(Clone)]
pub struct SimDisk {
    shared: Arc<Mutex<State>>,
}

/// What a simulated disk was asked to do so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SimCounts {
    /// Calls of `write_at`.
    pub writes: u64,
    /// Calls of `sync_data` and `sync_folder`.
    pub syncs: u64,
    /// Bytes given to `write_at`.
    pub bytes: u64,
    /// Calls that change something, syncs included: the moments at which power can go.
    pub changes: u64,
}

struct State {
    chance: Chance,
    files: BTreeMap<u64, FileState>,
    next_file: u64,
    live: Names,
    kept: Names,
    /// Changes of names since the folder's last sync, each with the folder whose sync keeps it.
    unsynced: Vec<(String, NameChange)>,
    counts: SimCounts,
    failing_write: Option<u64>,
    failing_sync: Option<u64>,
    power_ends: Option<u64>,
}

#[derive(Clone, Default)]
struct Names {
    files: BTreeMap<String, u64>,
    folders: BTreeSet<String>,
}

#[derive(Clone)]
enum NameChange {
    Folder(String),
    Create(String, u64),
    Rename(String, String, u64),
    Remove(String),
}

impl SimDisk {
    /// An empty disk whose misfortunes follow from `seed`.
    pub fn new(seed: u64) -> SimDisk {
        SimDisk::with(State {
            chance: Chance(seed),
            files: BTreeMap::new(),
            next_file: 0,
            live: Names::default(),
            kept: Names::default(),
            unsynced: Vec::new(),
            counts: SimCounts::default(),
            failing_write: None,
            failing_sync: None,
            power_ends: None,
        })
    }

    fn with(state: State) -> SimDisk {
        SimDisk { shared: Arc::new(Mutex::new(state)) }
    }

    /// The disk as found after a power cut now: everything synced, and some of the rest.
    pub fn crash(&self) -> SimDisk {
        let state = &mut *self.state();
        let mut names = state.kept.clone();
        for (_, change) in &state.unsynced {
            if state.chance.coin() {
                names.apply(change);
            }
        }
        // A name in a folder that was not kept is gone with it.
        let folders = names.folders.clone();
        names.files.retain(|path, _| folder_of(path).is_empty() || folders.contains(folder_of(path)));
        let mut files = BTreeMap::new();
        for id in names.files.values() {
            let file = &state.files[id];
            let mut found = file.kept.clone();
            for change in &file.unsynced {
                change.apply_by_chance(&mut found, &mut state.chance);
            }
            files.insert(*id, FileState { live: found.clone(), kept: found, unsynced: Vec::new() });
        }
        SimDisk::with(State {
            chance: Chance(state.chance.next()),
            files,
            next_file: state.next_file,
            live: names.clone(),
            kept: names,
            unsynced: Vec::new(),
            counts: SimCounts::default(),
            failing_write: None,
            failing_sync: None,
            power_ends: None,
        })
    }

    /// The `n`-th write from now (1 is the next) fails; part of it may have been written.
    pub fn fail_write_at(&self, n: u64) {
        let state = &mut *self.state();
        state.failing_write = Some(state.counts.writes + n);
    }

    /// The `n`-th sync from now (1 is the next) fails; what it should have kept is kept in part, and a later sync
    /// does not try again.
    pub fn fail_sync_at(&self, n: u64) {
        let state = &mut *self.state();
        state.failing_sync = Some(state.counts.syncs + n);
    }

    /// Power goes during the `n`-th changing call from now: that call and all later ones fail. What is found
    /// afterwards is up to [`SimDisk::crash`].
    pub fn lose_power_at(&self, n: u64) {
        let state = &mut *self.state();
        state.power_ends = Some(state.counts.changes + n);
    }

    /// What was asked of this disk since it was made.
    pub fn counts(&self) -> SimCounts {
        self.state().counts
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn file(&self, id: u64) -> Box<dyn DiskFile> {
        Box::new(SimFile { disk: self.clone(), id })
    }
}

impl State {
    /// Counts a changing call. `Ok(true)` means power goes during it: it may begin, but never returns well.
    fn begin_change(&mut self) -> io::Result<bool> {
        self.counts.changes += 1;
        match self.power_ends {
            Some(end) if self.counts.changes > end => Err(eio()),
            Some(end) => Ok(self.counts.changes == end),
            None => Ok(false),
        }
    }

    fn change_names(&mut self, change: NameChange, folder: &str) -> io::Result<()> {
        let power_goes = self.begin_change()?;
        self.live.apply(&change);
        self.unsynced.push((folder.to_owned(), change));
        if power_goes { Err(eio()) } else { Ok(()) }
    }

    /// Counts a sync and says whether it works.
    fn begin_sync(&mut self) -> io::Result<SyncEnd> {
        let power_goes = self.begin_change()?;
        self.counts.syncs += 1;
        Ok(match (power_goes, self.failing_sync == Some(self.counts.syncs)) {
            (true, _) => SyncEnd::PowerGoes,
            (false, true) => SyncEnd::Fails,
            (false, false) => SyncEnd::Works,
        })
    }

    fn live_file(&self, path: &str) -> io::Result<u64> {
        self.live.files.get(path).copied().ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
    }
}

enum SyncEnd {
    Works,
    Fails,
    PowerGoes,
}

impl Disk for SimDisk {
    fn create_folder(&self, path: &str) -> io::Result<()> {
        let state = &mut *self.state();
        if path.is_empty() || state.live.folders.contains(path) {
            return Ok(());
        }
        state.change_names(NameChange::Folder(path.to_owned()), folder_of(path))
    }

    fn create(&self, path: &str) -> io::Result<Box<dyn DiskFile>> {
        let state = &mut *self.state();
        if state.live.files.contains_key(path) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        if !folder_of(path).is_empty() && !state.live.folders.contains(folder_of(path)) {
            return Err(io::ErrorKind::NotFound.into());
        }
        let id = state.next_file;
        state.next_file += 1;
        state.files.insert(id, FileState::default());
        state.change_names(NameChange::Create(path.to_owned(), id), folder_of(path))?;
        Ok(self.file(id))
    }

    fn open(&self, path: &str) -> io::Result<Box<dyn DiskFile>> {
        let id = self.state().live_file(path)?;
        Ok(self.file(id))
    }

    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        let state = &*self.state();
        if !folder.is_empty() && !state.live.folders.contains(folder) {
            return Err(io::ErrorKind::NotFound.into());
        }
        let names = state.live.files.keys().chain(&state.live.folders);
        let inside = names.filter(|path| folder_of(path) == folder);
        Ok(inside.map(|path| path.rsplit('/').next().unwrap_or(path).to_owned()).collect())
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let state = &mut *self.state();
        let id = state.live_file(from)?;
        state.change_names(NameChange::Rename(from.to_owned(), to.to_owned(), id), folder_of(to))
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        let state = &mut *self.state();
        state.live_file(path)?;
        state.change_names(NameChange::Remove(path.to_owned()), folder_of(path))
    }

    fn sync_folder(&self, path: &str) -> io::Result<()> {
        let state = &mut *self.state();
        match state.begin_sync()? {
            SyncEnd::PowerGoes => return Err(eio()),
            SyncEnd::Fails => return Err(eio()),
            SyncEnd::Works => {}
        }
        for (folder, change) in std::mem::take(&mut state.unsynced) {
            if folder == path {
                state.kept.apply(&change);
            } else {
                state.unsynced.push((folder, change));
            }
        }
        Ok(())
    }
}

impl Names {
    fn apply(&mut self, change: &NameChange) {
        match change {
            NameChange::Folder(path) => {
                self.folders.insert(path.clone());
            }
            NameChange::Create(path, id) => {
                self.files.insert(path.clone(), *id);
            }
            NameChange::Rename(from, to, id) => {
                self.files.remove(from);
                self.files.insert(to.clone(), *id);
            }
            NameChange::Remove(path) => {
                self.files.remove(path);
            }
        }
    }
}

struct SimFile {
    disk: SimDisk,
    id: u64,
}

impl SimFile {
    fn change(&self, change: FileChange) -> io::Result<()> {
        let state = &mut *self.disk.state();
        let power_goes = state.begin_change()?;
        state.file(self.id).change(change);
        if power_goes { Err(eio()) } else { Ok(()) }
    }
}

impl State {
    fn file(&mut self, id: u64) -> &mut FileState {
        self.files.get_mut(&id).expect("files stay as long as somebody may hold them open")
    }
}

impl DiskFile for SimFile {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        let state = &mut *self.disk.state();
        let bytes = &state.file(self.id).live;
        let start = bytes.len().min(usize::try_from(offset).unwrap_or(usize::MAX));
        let count = buf.len().min(bytes.len() - start);
        buf[..count].copy_from_slice(&bytes[start..start + count]);
        Ok(count)
    }

    fn write_at(&self, buf: &[u8], offset: u64) -> io::Result<()> {
        {
            let state = &mut *self.disk.state();
            state.counts.writes += 1;
            state.counts.bytes += buf.len() as u64;
            if state.failing_write == Some(state.counts.writes) {
                let part = state.chance.below(buf.len() as u64 + 1) as usize;
                state.file(self.id).change(FileChange::Write(offset, buf[..part].to_vec()));
                return Err(eio());
            }
        }
        self.change(FileChange::Write(offset, buf.to_vec()))
    }

    fn sync_data(&self) -> io::Result<()> {
        let state = &mut *self.disk.state();
        let outcome = state.begin_sync()?;
        if matches!(outcome, SyncEnd::PowerGoes) {
            return Err(eio());
        }
        let mut chance = Chance(state.chance.next());
        let file = state.file(self.id);
        let unsynced = std::mem::take(&mut file.unsynced);
        if matches!(outcome, SyncEnd::Fails) {
            unsynced.iter().for_each(|change| change.apply_by_chance(&mut file.kept, &mut chance));
            return Err(eio());
        }
        unsynced.iter().for_each(|change| change.apply(&mut file.kept));
        Ok(())
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.disk.state().file(self.id).live.len() as u64)
    }

    fn allocate(&self, bytes: u64) -> io::Result<()> {
        self.change(FileChange::Allocate(bytes))
    }

    fn truncate(&self, bytes: u64) -> io::Result<()> {
        self.change(FileChange::Truncate(bytes))
    }
}

fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

fn eio() -> io::Error {
    io::Error::from_raw_os_error(rustix::io::Errno::IO.raw_os_error())
}
