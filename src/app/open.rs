//! Opens the store of a data folder, and rebuilds the index when it does not fit the journal.

use super::folder::{DataFolder, FORMAT};
use super::{mend, upgrade};
use crate::base::budget::Budget;
use crate::base::limits::INDEX_OPEN_SECONDS;
use crate::base::world::World;
use crate::cli::Failure;
use crate::node::disk::{make_room_to_open, segment_bytes};
use crate::node::health::{Trouble, TroubleKind};
use crate::node::run::Parts;
use crate::node::start::{StartReport, start_behind};
use crate::store::disk::OsDisk;
use crate::store::error::StoreError;
use crate::store::index::kv::Kv;
use crate::store::index::settled::Checkpoint;
use crate::store::journal;
use crate::store::keys;
use crate::store::rescue::compact::Given;
use crate::store::rescue::guarded::Alarm;
use crate::store::rescue::witness::{self, Witness};
use crate::store::rescue::{self, Found, Opening};
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// The parts of a node on this folder, and the bytes that the index gave back. Says in the log what it found. `alarm`
/// hears when the index breaks later. What the journal lost comes back first, if `backups` is a folder that has it.
pub fn open(
    world: Arc<dyn World>,
    folder: &DataFolder,
    alarm: &Alarm,
    backups: &mend::From,
    budget: Budget,
) -> Result<(Parts, u64), Failure> {
    // A full disk keeps the index from opening, which is no fault of the index.
    match make_room_to_open(&OsDisk::new(folder.path.clone())) {
        Ok(true) => tracing::warn!("the disk is full: the ballast was given up to start"),
        Ok(false) => {}
        Err(error) => tracing::warn!(%error, "the ballast cannot be given up"),
    }
    super::restore::is_finished(&folder.path)?;
    let before = Before::look(folder);
    let is_older = upgrade::begin(folder).map_err(|error| cannot_upgrade(&error))?;
    let mut heard = Heard::default();
    let (parts, report) = match attempt(world.clone(), folder, (alarm, budget), &before, backups, &mut heard)
    {
        Err(StoreError::Index(why)) => {
            rescue::set_aside(&folder.path, &why, &mut heard.found).map_err(|error| failed(&error))?;
            attempt(world, folder, (alarm, budget), &before, &mend::From::Nowhere, &mut heard)
        }
        other => other,
    }
    .map_err(|error| failed(&error))?;
    upgrade::end(folder, report.journal.damage.is_empty()).map_err(|error| cannot_upgrade(&error))?;
    if is_older {
        let text = format!("The data folder was brought from format {} to {FORMAT}.", folder.format);
        parts.health.note(Trouble { kind: TroubleKind::Repaired, text });
    }
    let Heard { found, told } = heard;
    let told = found.iter().filter_map(trouble).chain(before.gone(&report)).chain(told);
    told.for_each(|trouble| parts.health.note(trouble));
    tell(&report);
    let given = found.iter().filter_map(|found| match found {
        Found::Compacted(given) => Some(given.before.saturating_sub(given.after)),
        _ => None,
    });
    Ok((parts, given.sum()))
}

fn cannot_upgrade(error: &io::Error) -> Failure {
    Failure {
        message: format!("the data folder cannot be brought to format {FORMAT}: {error}"),
        hint: Some("free some space or look at the disk, then start again: nothing is lost".into()),
    }
}

/// What a start has to tell.
#[derive(Default)]
struct Heard {
    found: Vec<Found>,
    told: Vec<Trouble>,
}

/// What the folder said before anything was opened: a node never begins anew without a word about what was there.
struct Before {
    /// How far the journal reached.
    claimed: Option<Checkpoint>,
    /// Whether the folder was a node's before.
    is_known: bool,
}

impl Before {
    fn look(folder: &DataFolder) -> Before {
        Before { claimed: Witness::of_journal(&folder.path), is_known: folder.is_known }
    }

    /// What is gone of what was there.
    fn gone(&self, report: &StartReport) -> Option<Trouble> {
        let text = match report.journal.lost_end {
            Some((1, last)) => format!(
                "The journal is gone: {last} Changes are lost, with them all messages. Stop the node and run \
                 'linnet check --repair --backup FILE' to bring back what a backup has of them."
            ),
            Some((first, last)) => format!(
                "The end of the journal is gone: Changes {first} to {last} are lost. Stop the node and run 'linnet \
                 check --repair' to bring back what a backup has of them."
            ),
            None if report.journal.last_seq.is_none() && self.is_known => {
                "The data folder was used before, but it holds no journal: the node begins empty.".to_owned()
            }
            None => return None,
        };
        Some(Trouble { kind: TroubleKind::JournalMissing, text })
    }
}

/// Brings back what the journal lost, before the index is built from what is left. Whether it did: the index is then not
/// to be trusted any more.
fn mend_first(
    world: &Arc<dyn World>,
    folder: &DataFolder,
    index: &dyn Kv,
    backups: &mend::From,
    told: &mut Vec<Trouble>,
) -> Result<bool, StoreError> {
    let checked = index.get(keys::CHECKPOINT)?.map(|value| Checkpoint::decode(&value)).transpose()?;
    let node = index.get(keys::NODE)?;
    let node = node.map(|value| value.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)));
    let done = mend::at_start(world, &folder.path, backups, checked.map(|checked| checked.end), node);
    let is_mended = matches!(done, mend::AtStart::Mended(_));
    told.extend(match done {
        mend::AtStart::Nothing => None,
        mend::AtStart::Mended(words) => {
            Some(Trouble { kind: TroubleKind::JournalMended, text: format!("{words}.") })
        }
        mend::AtStart::Waiting(why) => {
            let text = format!("Something that was said may be lost from the journal, and {why}.");
            Some(Trouble { kind: TroubleKind::JournalMissing, text })
        }
    });
    Ok(is_mended)
}

fn attempt(
    world: Arc<dyn World>,
    folder: &DataFolder,
    (alarm, budget): (&Alarm, Budget),
    before: &Before,
    backups: &mend::From,
    heard: &mut Heard,
) -> Result<(Parts, StartReport), StoreError> {
    let mut kv = open_index(folder, (alarm, budget), &mut heard.found)?;
    if mend_first(&world, folder, &*kv, backups, &mut heard.told)? {
        drop(kv);
        kv = open_index(folder, (alarm, budget), &mut heard.found)?;
    }
    let mut salt = [0u8; 8];
    world.fill(&mut salt);
    let disk = OsDisk::new(folder.path.clone());
    let options = journal::Options { segment_bytes: segment_bytes(&disk), salt: u64::from_le_bytes(salt) };
    #[cfg(feature = "plant")]
    let options = journal::Options {
        segment_bytes: crate::base::plant::segment_bytes(options.segment_bytes),
        ..options
    };
    let reached = before.claimed.unwrap_or_default();
    let started = start_behind(Arc::new(disk), kv, world, options, Some(reached), budget)?;
    if started.1.journal.lost_end.is_none() {
        // Should this fail, the next start tries again.
        let _ = witness::settled(&folder.path);
    }
    Ok(started)
}

/// The index; where the disk has no room to open it, a copy that stands in for it.
fn open_index(
    folder: &DataFolder,
    (alarm, budget): (&Alarm, Budget),
    found: &mut Vec<Found>,
) -> Result<Box<dyn Kv>, StoreError> {
    let limit = Duration::from_secs(INDEX_OPEN_SECONDS);
    match rescue::open_index(&folder.path, Opening { limit, cache_bytes: budget.index_cache }, alarm) {
        Ok((kv, more)) => {
            found.extend(more);
            Ok(Box::new(kv))
        }
        Err(full) if full.is_no_room() => {
            let makeshift = rescue::makeshift::open(&folder.path, limit);
            let kv = makeshift.map_err(|error| {
                tracing::error!(%error, "the index cannot stand in for itself in memory either");
                full
            })?;
            tracing::warn!(
                "the disk is so full that the index cannot be opened: a copy in memory stands in for it until there is room"
            );
            Ok(Box::new(kv))
        }
        Err(error) => Err(error),
    }
}

/// What of it the operator must be told.
fn trouble(found: &Found) -> Option<Trouble> {
    let (kind, text) = match found {
        Found::IndexAside { why, kept } => (
            TroubleKind::IndexRebuilt,
            format!(
                "The index was built anew from the journal ({why}). The old one is kept in {}.",
                kept.display()
            ),
        ),
        Found::PartsAside { kept } => (
            TroubleKind::Repaired,
            format!(
                "Broken parts of the index were set aside in {}: it does without, nothing is lost.",
                kept.display()
            ),
        ),
        Found::IndexGone => {
            (TroubleKind::IndexRebuilt, "The index was gone and was built anew from the journal.".to_owned())
        }
        Found::Compacted(Given { before, after }) => {
            tracing::info!(before, after, "the index was compacted: the difference in bytes is free again");
            return None;
        }
        Found::Removed { was } => {
            tracing::warn!(was = %was.display(), "the oldest of what was set aside was removed");
            return None;
        }
    };
    Some(Trouble { kind, text })
}

fn tell(report: &StartReport) {
    tracing::info!(
        boot = report.identity.boot,
        replayed = report.replayed,
        groups = report.journal.groups,
        "the store is open"
    );
}

/// A failure of the store for the person who started the node.
pub fn failed(error: &StoreError) -> Failure {
    Failure { message: error.to_string(), hint: None }
}

/// A failure of the operating system to give what a start needs.
pub fn no_thread(error: io::Error) -> Failure {
    Failure { message: format!("cannot start: {error}"), hint: Some("free some memory or threads".into()) }
}
