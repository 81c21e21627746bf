//! A data folder from a backup: it becomes one in the last step, or not at all.

use super::folder::DataFolder;
use crate::base::world::World;
use crate::cli::Failure;
use crate::cli::backup::refused;
use crate::store::backup::{self, Mode, Outcome, Source};
use crate::store::disk::OsDisk;
use crate::store::journal::{FOLDER, Options};
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

/// Where a restore writes until it is whole.
const UNFINISHED: &str = "restoring";
/// What may lie in a folder that counts as empty: what a start that came to nothing, or a disk's own check, leaves.
const NOTHING: [&str; 5] = ["format", "lock", "lost+found", UNFINISHED, "test-mode"];

/// Makes this folder the data folder that the backup holds.
pub fn restore(world: &dyn World, data: &Path, input: &mut dyn Read, mode: Mode) -> Result<Outcome, Failure> {
    let was_there = data.exists();
    is_empty(data)?;
    let source = Source::open(input, mode).map_err(|error| refused(&error))?;
    let test_mode = source.head().test_mode;
    let folder = DataFolder::take(data, test_mode)?;
    let restored = fill(world, data, source);
    if restored.is_err() {
        let _ = fs::remove_dir_all(data.join(UNFINISHED));
        if !was_there {
            // Only what taking the folder made: it is still ours alone.
            NOTHING.iter().for_each(|name| drop(fs::remove_file(data.join(name))));
            let _ = fs::remove_dir(data);
        }
    }
    drop(folder);
    restored
}

/// Refuses to start on a folder whose restore was cut short; clears up after one that was not.
pub fn is_finished(data: &Path) -> Result<(), Failure> {
    let unfinished = data.join(UNFINISHED);
    if !unfinished.exists() {
        return Ok(());
    }
    if data.join(FOLDER).exists() {
        return fs::remove_dir_all(&unfinished).map_err(|error| failed(data, &error));
    }
    Err(Failure {
        message: format!("a restore into {} was cut short", data.display()),
        hint: Some(format!("run 'linnet restore' again, or remove {} to begin empty", unfinished.display())),
    })
}

fn is_empty(data: &Path) -> Result<(), Failure> {
    let entries = match fs::read_dir(data) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(data, &error)),
    };
    for entry in entries {
        let name = entry.map_err(|error| failed(data, &error))?.file_name();
        if !NOTHING.iter().any(|nothing| name == *nothing) {
            return Err(Failure {
                message: format!("{} is not empty: {} is in it", data.display(), name.to_string_lossy()),
                hint: Some(
                    "a restore fills an empty folder only: give another --data, or move this one away".into(),
                ),
            });
        }
    }
    Ok(())
}

fn fill<R: Read>(world: &dyn World, data: &Path, source: Source<R>) -> Result<Outcome, Failure> {
    let unfinished = data.join(UNFINISHED);
    let cleared = match fs::remove_dir_all(&unfinished) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => fs::create_dir(&unfinished),
    };
    cleared.map_err(|error| failed(data, &error))?;
    let mut salt = [0u8; 8];
    world.fill(&mut salt);
    let options = Options { salt: u64::from_le_bytes(salt), ..Options::default() };
    let disk = Arc::new(OsDisk::new(unfinished.clone()));
    let outcome = backup::restore(source, disk, options).map_err(|error| refused(&error))?;
    let renamed = || -> io::Result<()> {
        fs::rename(unfinished.join(FOLDER), data.join(FOLDER))?;
        File::open(data)?.sync_all()?;
        fs::remove_dir(&unfinished)
    };
    renamed().map_err(|error| failed(data, &error))?;
    Ok(outcome)
}

fn failed(data: &Path, error: &io::Error) -> Failure {
    let hint = match error.kind() {
        io::ErrorKind::StorageFull => "free some space, then try again",
        io::ErrorKind::PermissionDenied => "run this as the user of the node, or give another --data",
        _ => "look at the disk, or give another --data",
    };
    Failure { message: format!("cannot restore into {}: {error}", data.display()), hint: Some(hint.into()) }
}
