//! Data folders: empty ones that go after use, and filled ones that are kept.

use crate::args::Args;
use crate::server::Server;
use crate::{Outcome, fill};
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A folder for a new node, on the disk that is measured; it goes when it is dropped.
pub struct Fresh {
    temp: TempDir,
}

impl Fresh {
    pub fn new(args: &Args) -> Outcome<Fresh> {
        fs::create_dir_all(&args.data)?;
        Ok(Fresh { temp: TempDir::new_in(&args.data)? })
    }

    /// The node's data folder.
    pub fn path(&self) -> PathBuf {
        self.temp.path().join("data")
    }

    /// The folder it lies in.
    pub fn folder(&self) -> &Path {
        self.temp.path()
    }
}

/// A stored history.
pub struct Filled {
    pub path: PathBuf,
    /// Messages in it when it was filled.
    pub messages: usize,
}

/// The folder with so many messages, filled now or by an earlier benchmark.
pub fn filled(args: &Args, messages: usize) -> Outcome<Filled> {
    let path = args.data.join(format!("filled-{messages}"));
    let done = args.data.join(format!("filled-{messages}.done"));
    if !done.exists() {
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&args.data)?;
        // The node itself makes the folder and the accounts, so that it takes it as its own later.
        Server::start(args, &path)?.stop()?;
        let told = fill::fill(&path, messages)?;
        eprintln!("  filled with {messages} messages: {told}");
        fs::write(&done, format!("{told}\n"))?;
    }
    Ok(Filled { path, messages })
}

/// Bytes of the files in a folder.
pub fn bytes_in(folder: &Path) -> Outcome<u64> {
    let mut sum = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        sum += if kind.is_dir() { bytes_in(&entry.path())? } else { entry.metadata()?.len() };
    }
    Ok(sum)
}
