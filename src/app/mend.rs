//! What a damaged journal lost, from the backup that has most of it.

use super::open::failed;
use crate::base::id::Seq;
use crate::base::limits::REPAIR_BACKUPS_MAX;
use crate::cli::Failure;
use crate::cli::backup::refused;
use crate::node::disk::segment_bytes;
use crate::store::backup::BackupError;
use crate::store::backup::folder::BackupFolder;
use crate::store::backup::mend::{self, Mended, Offer, Wounds};
use crate::store::disk::{Disk, OsDisk, StillDisk};
use crate::store::journal;
use crate::store::rescue::{marks, witness::Witness};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where damaged files of the journal are kept; nobody removes them but a person.
const ASIDE: &str = "quarantine-journal";

/// Where backups are looked for.
pub enum From {
    /// In this one only.
    File(PathBuf),
    /// In a folder of scheduled ones.
    Folder(PathBuf),
    /// Nobody said.
    Nowhere,
}

impl From {
    /// The file that was given, else the folder that is set.
    pub fn of(file: Option<String>, folder: Option<PathBuf>) -> From {
        let file = file.map(|file| From::File(file.into()));
        file.or(folder.map(From::Folder)).unwrap_or(From::Nowhere)
    }
}

/// Whether the index had followed a journal that was longer than this.
pub fn has_lost_end(data: &Path, last: Seq) -> bool {
    Witness::claim(data).is_some_and(|claimed| claimed > last)
}

/// Brings back what it can, and says so; or says why nothing came back and nothing was changed.
pub fn mend(data: &Path, from: &From) -> Result<Result<(Mended, String), String>, Failure> {
    let disk: Arc<dyn Disk> = Arc::new(OsDisk::new(data.to_owned()));
    let options = journal::Options { segment_bytes: segment_bytes(&*disk), ..journal::Options::default() };
    let still =
        journal::open(Arc::new(StillDisk(disk.clone())), options, None).map_err(|error| failed(&error))?;
    let claimed = Witness::claim(data).unwrap_or_default().0;
    let wounds = Wounds::of(&still.reader, claimed).map_err(|error| failed(&error))?;
    drop(still);
    let Some(node) = wounds.node else {
        return Ok(Err("the journal does not tell any more which node's it is: restore a backup".to_owned()));
    };
    if wounds.holes.is_empty() {
        return Ok(Err(
            "no Change is missing in what is damaged of the journal: it is left as it is".to_owned()
        ));
    }
    let (path, offer) = match choose(&wounds, node, from)? {
        Ok(chosen) => chosen,
        Err(why) => return Ok(Err(why)),
    };
    // Should power go before the index is built anew, the next start builds it.
    let io = |error: io::Error| cannot("write to the data folder", &error);
    marks::suspect(data, "the journal was repaired from a backup").map_err(io)?;
    let input = File::open(&path).map_err(|error| cannot("read the backup", &error))?;
    let mended =
        mend::mend(&disk, options, &wounds, &offer, input, ASIDE).map_err(|error| refused(&error))?;
    let mut words = format!(
        "{} Changes that the journal had lost came back from {}; what was damaged is kept in {}",
        mended.back,
        path.display(),
        data.join(ASIDE).display()
    );
    mended.left.iter().for_each(|left| words += &format!("\n{left}"));
    Ok(Ok((mended, words)))
}

fn cannot(what: &str, error: &io::Error) -> Failure {
    Failure { message: format!("cannot {what}: {error}"), hint: None }
}

/// The backup that brings back most, the newest of several; or why there is none.
fn choose(wounds: &Wounds, node: u64, from: &From) -> Result<Result<(PathBuf, Offer), String>, Failure> {
    let look = |path: &Path| Offer::of(wounds, File::open(path)?);
    let folder = match from {
        From::Nowhere => {
            return Ok(Err(
                "what the journal lost comes back only from a backup: give one with --backup".to_owned()
            ));
        }
        From::File(path) => {
            let offer = look(path).map_err(|error| refused_file(path, &error))?;
            let has_some = offer.count() > 0;
            let nothing = || format!("nothing of what the journal lost is in {}", path.display());
            return Ok(has_some.then(|| (path.clone(), offer)).ok_or_else(nothing));
        }
        From::Folder(folder) => folder,
    };
    let kept = match BackupFolder::new(folder.clone(), node).kept() {
        Ok(kept) => kept,
        Err(error) => {
            return Ok(Err(format!("the backup folder {} cannot be read: {error}", folder.display())));
        }
    };
    let mut best: Option<(PathBuf, Offer)> = None;
    for kept in kept.into_iter().take(REPAIR_BACKUPS_MAX) {
        let offer = match look(&kept.path) {
            Ok(offer) => offer,
            Err(error) => {
                tracing::warn!(path = %kept.path.display(), %error, "a backup is passed over");
                continue;
            }
        };
        let is_all = offer.is_all(wounds);
        if offer.count() > best.as_ref().map_or(0, |(_, best)| best.count()) {
            best = Some((kept.path, offer));
        }
        if is_all {
            break;
        }
    }
    Ok(best.ok_or_else(|| format!("no backup in {} has anything of what the journal lost", folder.display())))
}

fn refused_file(path: &Path, error: &BackupError) -> Failure {
    let Failure { message, hint } = refused(error);
    Failure { message: format!("{}: {message}", path.display()), hint }
}
