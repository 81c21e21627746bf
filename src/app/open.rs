//! Opens the store of a data folder, and rebuilds the index when it does not fit the journal.

use super::folder::DataFolder;
use crate::base::world::World;
use crate::cli::Failure;
use crate::node::health::{Trouble, TroubleKind};
use crate::node::run::Parts;
use crate::node::start::{StartReport, start};
use crate::store::disk::OsDisk;
use crate::store::error::StoreError;
use crate::store::{journal, rescue};
use std::io;
use std::sync::Arc;

/// The parts of a node on this folder. Says in the log what it found.
pub fn open(world: Arc<dyn World>, folder: &DataFolder) -> Result<Parts, Failure> {
    let mut found = None;
    super::restore::is_finished(&folder.path)?;
    let (parts, report) = match attempt(world.clone(), folder) {
        Err(error @ (StoreError::Index(_) | StoreError::Record(_))) => {
            let aside = rescue::quarantine(&folder.path).map_err(|inner| {
                let message = format!("{error}, and the index cannot be set aside: {inner}");
                Failure { message, hint: Some("look at the disk or card".into()) }
            })?;
            let kept = aside.display();
            let text = format!(
                "The index was built anew from the journal ({error}). The old one is kept in {kept}."
            );
            found = Some(Trouble { kind: TroubleKind::IndexRebuilt, text });
            attempt(world, folder)
        }
        other => other,
    }
    .map_err(|error| failed(&error))?;
    found.into_iter().for_each(|trouble| parts.health.note(trouble));
    tell(&report);
    Ok(parts)
}

fn attempt(world: Arc<dyn World>, folder: &DataFolder) -> Result<(Parts, StartReport), StoreError> {
    let kv = rescue::open_index(&folder.path)?;
    let mut salt = [0u8; 8];
    world.fill(&mut salt);
    let options = journal::Options { salt: u64::from_le_bytes(salt), ..journal::Options::default() };
    #[cfg(feature = "plant")]
    let options = journal::Options {
        segment_bytes: crate::base::plant::segment_bytes(options.segment_bytes),
        ..options
    };
    start(Arc::new(OsDisk::new(folder.path.clone())), Box::new(kv), world, options)
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
