//! What happens when the index will not open, breaks or does not match the journal: it is set aside, never thrown away
//! at once, and a new one is built from the journal.
//!
//! Files in the data folder, all small:
//!
//! | name | says |
//! |---|---|
//! | `index-suspect` | the index broke while the node ran: the next start sets it aside |
//! | `index-opening` | how many openings in a row did not return: a process that is killed by its own index says nothing else |
//! | `index-reached` | how far the index had followed the journal when it was last synced, see [`witness`] |
//! | `journal-reached` | how far the journal had reached before an index was set aside; gone once it reaches as far again |
//! | `journal-mending` | how many repairs at a start in a row did not return: a stick that hangs must not keep a node down |
//! | `index-compacted` | how small the index can be, see [`compact`], which also explains `index.new` and `index.old` |
//! | `quarantine-N/` | an index, or only broken parts of it, that was set aside |

pub mod compact;
pub mod guarded;
pub mod makeshift;
pub mod marks;
pub mod quarantine;
pub mod witness;

use crate::base::limits::{INDEX_CACHE_BYTES_MIN, INDEX_COMPACT_SECONDS};
use crate::store::error::StoreError;
use crate::store::index::kv::{Kv, Shelf};
use crate::store::index::sled::SledKv;
use compact::{Given, Looked};
use guarded::{Alarm, Guarded};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};
use std::time::Duration;
use witness::Witness;

/// The folder of the index in the data folder.
pub const INDEX: &str = "index";

/// What opening the index found and did, for the operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// The index could not be used and was set aside.
    IndexAside {
        /// What was wrong with it.
        why: String,
        /// Where it lies now.
        kept: PathBuf,
    },
    /// Parts of it that were broken and that it can do without were set aside.
    PartsAside {
        /// Where they lie now.
        kept: PathBuf,
    },
    /// The index took much more room than it needs, and was copied into a fresh one.
    Compacted(Given),
    /// There was an index once, and now there is none.
    IndexGone,
    /// An older folder of set-aside things was removed.
    Removed {
        /// Where it lay.
        was: PathBuf,
    },
}

/// How an index is opened.
#[derive(Clone, Copy, Debug)]
pub struct Opening {
    /// How long it may take.
    pub limit: Duration,
    /// Bytes of its page cache.
    pub cache_bytes: usize,
}

impl From<Duration> for Opening {
    /// With the least of a cache.
    fn from(limit: Duration) -> Opening {
        Opening { limit, cache_bytes: INDEX_CACHE_BYTES_MIN }
    }
}

/// Opens the index of a data folder, come what may: what cannot be opened is set aside. Fails only when the machine
/// does not let us: no space, no right, no memory. `alarm` hears of an index that breaks later.
pub fn open_index(
    data: &Path,
    how: impl Into<Opening>,
    alarm: &Alarm,
) -> Result<(Guarded, Vec<Found>), StoreError> {
    let how = how.into();
    let mut found = Vec::new();
    // One that was cut short may have ended the program: the node starts first.
    let is_cut = compact::tidy(data).map_err(|error| no_room(data, error))?;
    if let Some(why) = marks::suspicion(data) {
        set_aside(data, &why, &mut found)?;
    }
    let broken = quarantine::set_broken_parts_aside(data).map_err(|error| no_room(data, error))?;
    found.extend(broken.map(|kept| Found::PartsAside { kept }));
    let opened = attempt(data, how, alarm);
    let opened =
        if is_cut { opened } else { opened.and_then(|it| compacted(data, how, alarm, it, &mut found)) };
    let first = match opened {
        Err(StoreError::Index(why)) => why,
        opened => return finish(data, opened, found),
    };
    set_aside(data, &first, &mut found)?;
    finish(data, attempt(data, how, alarm), found)
}

/// Gives back what the index does not need, if that is much.
fn compacted(
    data: &Path,
    how: Opening,
    alarm: &Alarm,
    (kv, is_gone): (Guarded, bool),
    found: &mut Vec<Found>,
) -> Result<(Guarded, bool), StoreError> {
    if !compact::is_due(data, kv.bytes_on_disk()) {
        return Ok((kv, is_gone));
    }
    marks::opened(data);
    let (folder, (kv, witness)) = (data.to_owned(), kv.into_parts());
    match within(Duration::from_secs(INDEX_COMPACT_SECONDS), alarm, move || compact::compact(&folder, kv))? {
        Looked::Kept(kv) => Ok((Guarded::new(kv, witness, alarm.clone()), is_gone)),
        Looked::Closed(given) => {
            found.extend(given.map(Found::Compacted));
            attempt(data, how, alarm)
        }
    }
}

/// Sets the index aside and forgets what was noted about it.
pub fn set_aside(data: &Path, why: &str, found: &mut Vec<Found>) -> Result<(), StoreError> {
    compact::tidy(data).map_err(|error| no_room(data, error))?;
    let kept = quarantine::set_index_aside(data).map_err(|error| no_room(data, error))?;
    let forgot = witness::forget(data).and_then(|()| compact::forget(data));
    forgot.and_then(|()| marks::clear(data)).map_err(|error| no_room(data, error))?;
    if let Some(kept) = kept {
        found.push(Found::IndexAside { why: why.to_owned(), kept });
    }
    let removed = quarantine::remove_oldest(data).map_err(|error| no_room(data, error))?;
    found.extend(removed.into_iter().map(|was| Found::Removed { was }));
    Ok(())
}

fn no_room(data: &Path, error: io::Error) -> StoreError {
    StoreError::disk("set the index aside in", &data.display().to_string(), error)
}

fn finish(
    data: &Path,
    opened: Result<(Guarded, bool), StoreError>,
    mut found: Vec<Found>,
) -> Result<(Guarded, Vec<Found>), StoreError> {
    // What the machine lacks is no opening that ended the program.
    let (kv, is_gone) = opened.inspect_err(|error| {
        if matches!(error, StoreError::Disk { .. }) {
            marks::opened(data);
        }
    })?;
    if is_gone && !found.iter().any(|found| matches!(found, Found::IndexAside { .. })) {
        found.push(Found::IndexGone);
    }
    marks::opened(data);
    Ok((kv, found))
}

/// One opening; also says whether there should have been an index and was none.
fn attempt(data: &Path, how: Opening, alarm: &Alarm) -> Result<(Guarded, bool), StoreError> {
    if !marks::opening(data) {
        return Err(StoreError::Index("opening it ended the program twice".into()));
    }
    let (folder, hears) = (data.to_owned(), alarm.clone());
    within(how.limit, alarm, move || {
        let kv = SledKv::open_with(&folder.join(INDEX), how.cache_bytes)?;
        let reached = guarded::reached(&kv)?;
        let (mut witness, claimed) = Witness::open(&folder)?;
        let is_gone = claimed.is_some() && reached.is_none();
        if is_gone && kv.scan(&[0], &[0xFF], 1)?.is_empty() {
            // An empty index is no danger: all of it is built from the journal, and what was claimed is void.
            witness::forget(&folder).map_err(|error| StoreError::disk("remove", "index-reached", error))?;
            (witness, _) = Witness::open(&folder)?;
        } else if reached < claimed {
            let [reached, claimed] = [reached, claimed].map(Option::unwrap_or_default);
            return Err(StoreError::Index(format!(
                "it has lost what it knew: it had followed the journal to {claimed}, now to {reached}"
            )));
        }
        Ok((Guarded::new(kv, witness, hears), is_gone))
    })
}

/// Opens an index that is nobody's, such as a copy, without word to anybody: what is wrong with it is an error.
pub fn open_alone(folder: &Path, limit: Duration) -> Result<SledKv, StoreError> {
    let (folder, nobody): (_, Alarm) = (folder.to_owned(), Arc::new(|_| {}));
    within(limit, &nobody, move || SledKv::open(&folder))
}

/// Runs it on a thread of its own: a panic there, and an opening that does not return, are errors here.
fn within<T: Send + 'static>(
    limit: Duration,
    alarm: &Alarm,
    open: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    let (give, given) = mpsc::sync_channel(1);
    let guarded = move || {
        let opened = catch_unwind(AssertUnwindSafe(|| guarded::marked(open)));
        let panicked = || StoreError::Index("the database panicked when it was opened".into());
        // Nobody waits any more when the limit has passed.
        let _ = give.send(opened.unwrap_or_else(|_| Err(panicked())));
    };
    let thread = std::thread::Builder::new().name("linnet-open".into()).spawn(guarded);
    let thread = thread.map_err(|error| StoreError::disk("start a thread for", INDEX, error))?;
    match given.recv_timeout(limit) {
        Ok(opened) => {
            // It has nothing left to do but to end.
            let _ = thread.join();
            opened
        }
        Err(_) => {
            // The thread cannot be ended and may spin for ever: only a new process is rid of it.
            let why = format!("opening it took more than {} s", limit.as_secs());
            alarm(&why);
            Err(StoreError::Index(why))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    #[test]
    fn an_opening_that_hangs_or_panics_is_an_error() {
        let (soon, late) = (Duration::from_millis(20), Duration::from_secs(20));
        let heard = Arc::new(Mutex::new(Vec::new()));
        let hears = heard.clone();
        let alarm: Alarm = Arc::new(move |why| hears.lock().expect("nobody panics").push(why.to_owned()));
        let (never, wait) = mpsc::channel::<()>();
        let hangs = within(soon, &alarm, move || {
            let _ = wait.recv();
            Ok(())
        });
        drop(never);
        assert!(matches!(hangs, Err(StoreError::Index(why)) if why.contains("more than")));
        assert_eq!(heard.lock().expect("nobody panics").len(), 1);
        let panics = within(late, &alarm, || -> Result<(), StoreError> { panic!("as sled does") });
        assert!(matches!(panics, Err(StoreError::Index(why)) if why.contains("panicked")));
        assert!(matches!(within(late, &alarm, || Ok(7)), Ok(7)));
    }
}
