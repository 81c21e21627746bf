//! From the format of an older linnet to this one's, a step at a time.
//!
//! A step sets what has to change aside and lets the start make it anew; only when everything was read is the new format
//! written down, in one stroke, and what was set aside removed. A power cut on the way leaves a folder of the old format,
//! and the next start takes the same steps again.

use super::folder::{DataFolder, FORMAT};
use crate::store::rescue::{INDEX, quarantine, witness};
use std::fs::{self, File};
use std::io;
use std::path::Path;

/// One step upwards.
struct Step {
    /// The format it leads away from.
    from: u32,
    /// Sets aside what has to change.
    begin: fn(&Path) -> io::Result<()>,
    /// Removes it, once the new is found good; or keeps it for a person to look at.
    end: fn(&Path, good: bool) -> io::Result<()>,
}

const LADDER: [Step; 1] = [Step { from: 1, begin: set_index_1_aside, end: remove_index_1 }];

/// Where the index of format 1 lies until the new one is found good.
const INDEX_1: &str = "index-of-format-1";

/// Sets aside what this linnet keeps in another way. Says whether the folder was older.
pub fn begin(folder: &DataFolder) -> io::Result<bool> {
    for step in LADDER.iter().filter(|step| step.from >= folder.format) {
        (step.begin)(&folder.path)?;
    }
    Ok(folder.format < FORMAT)
}

/// The node has read everything: from now on the folder is of this format. `good` says that nothing was lost, so that
/// nobody will want the old back.
pub fn end(folder: &DataFolder, good: bool) -> io::Result<()> {
    if folder.format < FORMAT {
        folder.write_format()?;
    }
    LADDER.iter().try_for_each(|step| (step.end)(&folder.path, good))
}

/// Ids led to places of the journal, and now they lead to rooms: the index is built anew.
fn set_index_1_aside(data: &Path) -> io::Result<()> {
    let (index, aside) = (data.join(INDEX), data.join(INDEX_1));
    if !index.exists() {
        return Ok(());
    }
    if aside.exists() {
        // An upgrade that was cut short: what lies there is the new index, as far as it got.
        fs::remove_dir_all(&index)?;
    } else {
        fs::rename(&index, &aside)?;
    }
    witness::forget(data)?;
    File::open(data)?.sync_all()
}

fn remove_index_1(data: &Path, good: bool) -> io::Result<()> {
    let aside = data.join(INDEX_1);
    match (aside.exists(), good) {
        (false, _) => Ok(()),
        (true, true) => fs::remove_dir_all(aside),
        (true, false) => quarantine::keep(data, &aside).map(drop),
    }
}
