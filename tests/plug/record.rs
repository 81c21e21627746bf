//! The recording of a node: the shim that makes it (`shim.c`) and what it wrote down.

use crate::node::Launch;
use crate::{Outcome, wrong};
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// The shim's source; compiled when the rig runs.
const SHIM: &str = include_str!("shim.c");
/// Bytes of a record before its paths and data: `struct record` of the shim.
const HEAD_BYTES: usize = 48;

/// What a node did to its files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Did {
    /// A name for a new file.
    Create {
        path: PathBuf,
        inode: u64,
    },
    /// A name for a new folder.
    MakeFolder {
        path: PathBuf,
    },
    /// Bytes, of which the log holds a copy here.
    Write {
        inode: u64,
        offset: u64,
        data: Range<usize>,
        size: u64,
    },
    /// The file has this size now.
    Truncate {
        inode: u64,
        size: u64,
    },
    /// What was written before `begun` is on the disk, and the file has this size there.
    Sync {
        inode: u64,
        size: u64,
        begun: u64,
    },
    /// The names in this folder are on the disk.
    SyncFolder {
        path: PathBuf,
        begun: u64,
    },
    Rename {
        from: PathBuf,
        to: PathBuf,
    },
    /// A file's or an empty folder's name goes.
    Remove {
        path: PathBuf,
    },
    /// What was written before never reaches the disk: the kernel has forgotten that it had to.
    SyncFailed {
        inode: u64,
    },
}

/// A deed and the length of the log with it: a power cut at that length or later comes after it.
#[derive(Debug, Clone)]
pub struct Record {
    pub did: Did,
    pub end: u64,
}

/// A recording.
pub struct Recording {
    pub bytes: Vec<u8>,
    pub records: Vec<Record>,
}

/// Where recordings of nodes under one folder are made.
#[derive(Debug, Clone)]
pub struct Recorder {
    shim: PathBuf,
    root: PathBuf,
    pub log: PathBuf,
    /// How long a sync takes at least.
    pub slow: Duration,
}

impl Recorder {
    /// Compiles the shim into this folder; it records what happens under `root`.
    pub fn new(desk: &Path, root: &Path) -> Outcome<Recorder> {
        let (source, shim) = (desk.join("shim.c"), desk.join("shim.so"));
        fs::write(&source, SHIM)?;
        let mut compiler = Command::new("cc");
        compiler.args(["-O2", "-shared", "-fPIC", "-o"]).arg(&shim).arg(&source);
        let done =
            compiler.output().map_err(|error| wrong(format!("no C compiler 'cc', needed here: {error}")))?;
        if !done.status.success() {
            return Err(wrong(format!("the shim: {}", String::from_utf8_lossy(&done.stderr))));
        }
        Ok(Recorder { shim, root: root.to_owned(), log: desk.join("record"), slow: Duration::ZERO })
    }

    /// Syncs take their time, as those of a memory card do.
    pub fn slow(self, slow: Duration) -> Recorder {
        Recorder { slow, ..self }
    }

    /// The same shim for another root, with a log beside it.
    pub fn elsewhere(&self, desk: &Path, root: &Path) -> Recorder {
        Recorder { root: root.to_owned(), log: desk.join("record"), ..self.clone() }
    }

    /// Nodes started like this are recorded.
    pub fn launch(&self, launch: &Launch) -> Launch {
        let mut launch = launch.clone();
        let mut set =
            |name: &str, path: &Path| launch.variables.push((name.into(), path.display().to_string()));
        set("LD_PRELOAD", &self.shim);
        set("PLUG_ROOT", &self.root);
        set("PLUG_LOG", &self.log);
        launch.variables.push(("PLUG_SLOW".into(), self.slow.as_micros().to_string()));
        launch
    }

    /// How much is recorded: the witness's clock.
    pub fn clock(&self) -> impl Fn() -> u64 + Send + Sync + 'static {
        let log = self.log.clone();
        move || fs::metadata(&log).map_or(0, |meta| meta.len())
    }

    /// What was recorded, with paths from the root.
    pub fn read(&self) -> Outcome<Recording> {
        let bytes = fs::read(&self.log)?;
        let mut records = Vec::new();
        let mut at = 0;
        while at < bytes.len() {
            let record = self.record(&bytes, at)?;
            at = record.end as usize;
            records.push(record);
        }
        Ok(Recording { bytes, records })
    }

    fn record(&self, bytes: &[u8], at: usize) -> Outcome<Record> {
        let cut = || wrong("the recording is cut short");
        let head = bytes.get(at..at + HEAD_BYTES).ok_or_else(cut)?;
        let short = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        let long = |at: usize| u64::from(short(at)) | u64::from(short(at + 4)) << 32;
        let [path_bytes, other_bytes, data_bytes] = [4, 8, 12].map(|at| short(at) as usize);
        let (inode, offset, size, begun) = (long(16), long(24), long(32), long(40));
        let paths = at + HEAD_BYTES;
        let others = paths + path_bytes;
        let data = others + other_bytes..others + other_bytes + data_bytes;
        let end = data.end;
        if end > bytes.len() {
            return Err(cut());
        }
        let path = self.relative(&bytes[paths..others])?;
        let did = match short(0) {
            1 => Did::Create { path, inode },
            2 => Did::MakeFolder { path },
            3 => Did::Write { inode, offset, data, size },
            4 => Did::Truncate { inode, size },
            5 => Did::Sync { inode, size, begun },
            6 => Did::SyncFolder { path, begun },
            7 => Did::Rename { from: path, to: self.relative(&bytes[others..others + other_bytes])? },
            8 | 9 => Did::Remove { path },
            10 => Did::SyncFailed { inode },
            11 => return Err(wrong("the recording is longer than it may be: a shorter load")),
            kind => return Err(wrong(format!("a record of the unknown kind {kind}"))),
        };
        Ok(Record { did, end: end as u64 })
    }

    fn relative(&self, path: &[u8]) -> Outcome<PathBuf> {
        let path = PathBuf::from(String::from_utf8_lossy(path).into_owned());
        let inside =
            path.strip_prefix(&self.root).map_err(|_| wrong(format!("{} is not ours", path.display())))?;
        Ok(inside.to_owned())
    }
}
