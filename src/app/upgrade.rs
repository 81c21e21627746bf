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

/// A format whose index this linnet keeps in another way, and where such an index lies until the new one is found good.
struct Step {
    from: u32,
    aside: &'static str,
}

/// From 1: ids led to places of the journal, and now they lead to rooms. From 2: numbers counted up in keys where they
/// count down now.
const LADDER: [Step; 2] =
    [Step { from: 1, aside: "index-of-format-1" }, Step { from: 2, aside: "index-of-format-2" }];

/// Sets aside what this linnet keeps in another way. Says whether the folder was older.
pub fn begin(folder: &DataFolder) -> io::Result<bool> {
    for step in LADDER.iter().filter(|step| step.from >= folder.format) {
        set_index_aside(&folder.path, step.aside)?;
    }
    Ok(folder.format < FORMAT)
}

/// The node has read everything: from now on the folder is of this format. `good` says that nothing was lost, so that
/// nobody will want the old back.
pub fn end(folder: &DataFolder, good: bool) -> io::Result<()> {
    if folder.format < FORMAT {
        folder.write_format()?;
    }
    LADDER.iter().try_for_each(|step| remove_index(&folder.path, step.aside, good))
}

/// The index is built anew.
fn set_index_aside(data: &Path, aside: &str) -> io::Result<()> {
    let (index, aside) = (data.join(INDEX), data.join(aside));
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

fn remove_index(data: &Path, aside: &str, good: bool) -> io::Result<()> {
    let aside = data.join(aside);
    match (aside.exists(), good) {
        (false, _) => Ok(()),
        (true, true) => fs::remove_dir_all(aside),
        (true, false) => quarantine::keep(data, &aside).map(drop),
    }
}
