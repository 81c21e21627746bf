//! What a damaged journal lost, from the backup that has most of it: when a node starts, and for `linnet check --repair`.
//!
//! A start never fails for it. It looks only into the folder of scheduled backups, for a bounded time, and leaves to the
//! next start or to the operator what it cannot do.

use super::open::failed;
use crate::base::limits::{REPAIR_BACKUPS_MAX, REPAIR_START_MS};
use crate::base::world::World;
use crate::cli::Failure;
use crate::cli::backup::refused;
use crate::node::disk::segment_bytes;
use crate::node::start::missing_numbers;
use crate::store::backup::BackupError;
use crate::store::backup::folder::{BackupFolder, MARKER};
use crate::store::backup::mend::{self, Mended, Offer, Wounds};
use crate::store::disk::{Disk, OsDisk, StillDisk};
use crate::store::journal;
use crate::store::lost::register::Register;
use crate::store::rescue::{marks, witness::Witness};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

/// Where damaged files of the journal are kept; nobody removes them but a person.
const ASIDE: &str = "quarantine-journal";

/// Where backups are looked for.
#[derive(Debug, Clone)]
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

/// Whether the journal was longer than this once.
pub fn has_lost_end(data: &Path, last: u64) -> bool {
    Witness::of_journal(data).is_some_and(|claimed| claimed.seq.0 > last)
}

/// Brings back what it can, and says so; or says why nothing came back and nothing was changed.
pub fn mend(
    world: &Arc<dyn World>,
    data: &Path,
    from: &From,
) -> Result<Result<(Mended, String), String>, Failure> {
    marks::mended(data);
    let task = Task::of(world, data, u64::MAX);
    let wounds = match task.look(None)? {
        Ok(wounds) => wounds,
        Err(why) => return Ok(Err(why)),
    };
    match task.choose(&wounds, from)? {
        Ok((path, offer)) => task.fill(&wounds, &path, &offer).map(Ok),
        Err(why) => Ok(Err(why)),
    }
}

/// What a start did about a damaged journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AtStart {
    /// There was nothing to do, or nothing that could be done.
    Nothing,
    /// So much came back: the index has to be built anew.
    Mended(String),
    /// It could not be tried; why, and what to do.
    Waiting(String),
}

/// Before a node starts: whether the journal lost something is known from the place on that the index has followed, from
/// its witness, and from whoever met damage while the node ran. `node` is the number that the index knows the node by.
pub fn at_start(
    world: &Arc<dyn World>,
    data: &Path,
    from: &From,
    checked: Option<journal::Pos>,
    node: Option<u64>,
) -> AtStart {
    let From::Folder(folder) = from else { return AtStart::Nothing };
    let task = Task::of(world, data, world.mono_ms().saturating_add(REPAIR_START_MS));
    let again = "the node starts without it. Stop it and run 'linnet check --repair' to try again";
    match task.is_hurt(checked) {
        Ok(false) => return AtStart::Nothing,
        Ok(true) => {}
        Err(error) => {
            return AtStart::Waiting(format!("whether a backup has it was not found out ({error}): {again}"));
        }
    }
    if !folder.join(MARKER).exists() {
        let text = format!(
            "the backup folder {} is not there: plug it in and start the node anew, or stop it and run 'linnet check \
             --repair'",
            folder.display()
        );
        return AtStart::Waiting(text);
    }
    if !marks::mending(data) {
        return AtStart::Waiting(format!("to bring it back ended the program more than once: {again}"));
    }
    let done = task.mend_in_time(folder, node);
    marks::mended(data);
    done.unwrap_or_else(|why| AtStart::Waiting(format!("it could not be brought back ({why}): {again}")))
}

/// A journal that is to be mended.
#[derive(Clone)]
struct Task {
    world: Arc<dyn World>,
    data: PathBuf,
    disk: Arc<dyn Disk>,
    options: journal::Options,
    register: Arc<Register>,
    /// By the world's monotonic clock; no byte of a backup is read later.
    until_ms: u64,
}

impl Task {
    fn of(world: &Arc<dyn World>, data: &Path, until_ms: u64) -> Task {
        let disk: Arc<dyn Disk> = Arc::new(OsDisk::new(data.to_owned()));
        let mut salt = [0; 8];
        world.fill(&mut salt);
        let options =
            journal::Options { segment_bytes: segment_bytes(&*disk), salt: u64::from_le_bytes(salt) };
        let register = Arc::new(Register::open(disk.clone()));
        Task { world: world.clone(), data: data.to_owned(), disk, options, register, until_ms }
    }

    fn still(&self, checked: Option<journal::Pos>) -> Result<journal::Opened, Failure> {
        let disk = Arc::new(StillDisk(self.disk.clone()));
        journal::open(disk, self.options, checked).map_err(|error| failed(&error))
    }

    fn claimed(&self) -> u64 {
        Witness::of_journal(&self.data).unwrap_or_default().seq.0
    }

    /// Whether something is lost that nobody tried to bring back. Reads only what lies behind the checked place.
    fn is_hurt(&self, checked: Option<journal::Pos>) -> Result<bool, String> {
        let opened = self.still(checked).map_err(|failure| failure.message)?;
        if opened.report.last_seq.unwrap_or(0) < self.claimed() || !opened.report.damage.is_empty() {
            // Behind this start the journal goes on, and only this tells of it then.
            self.register.hurt((1, u64::MAX)).map_err(|error| error.to_string())?;
        }
        for missing in missing_numbers(&opened.reader).map_err(|error| error.to_string())? {
            if !self.register.knows(missing) {
                self.register.hurt(missing).map_err(|error| error.to_string())?;
            }
        }
        Ok(self.register.is_hurt())
    }

    /// What the journal lost, or why nothing can be done about it.
    fn look(&self, node: Option<u64>) -> Result<Result<Wounds, String>, Failure> {
        let still = self.still(None)?;
        let mut wounds = Wounds::of(&still.reader, self.claimed()).map_err(|error| failed(&error))?;
        wounds.node = wounds.node.or(node);
        if wounds.node.is_none() {
            let why = "the journal does not tell any more which node's it is: restore a backup";
            return Ok(Err(why.to_owned()));
        }
        if wounds.holes.is_empty() {
            let why = "no Change is missing in what is damaged of the journal: it is left as it is";
            return Ok(Err(why.to_owned()));
        }
        Ok(Ok(wounds))
    }

    /// Looks and mends. A folder that hangs is left alone when the time is over: it was only read from.
    fn mend_in_time(&self, folder: &Path, node: Option<u64>) -> Result<AtStart, String> {
        let remembered = |done: io::Result<()>| done.map_err(|error| error.to_string());
        let words = |failure: Failure| failure.message;
        let wounds = match self.look(node).map_err(words)? {
            Ok(wounds) => wounds,
            Err(why) => {
                tracing::info!(why, "nothing of the journal is to be brought back");
                remembered(self.register.tried([]))?;
                return Ok(AtStart::Nothing);
            }
        };
        let (task, hurt, from) = (self.clone(), wounds.clone(), From::Folder(folder.to_owned()));
        let (give, given) = mpsc::sync_channel(1);
        let looking = thread::Builder::new().name("linnet-mend".into());
        // Nobody waits any more when the time is over.
        let looking = looking.spawn(move || drop(give.send(task.choose(&hurt, &from))));
        looking.map_err(|error| error.to_string())?;
        let left_ms = self.until_ms.saturating_sub(self.world.mono_ms());
        let chosen = given.recv_timeout(Duration::from_millis(left_ms));
        let chosen = chosen.map_err(|_| "the backup folder does not answer in time".to_owned())?;
        let done = match chosen.map_err(words)? {
            Ok((path, offer)) => AtStart::Mended(self.fill(&wounds, &path, &offer).map_err(words)?.1),
            Err(why) => {
                tracing::warn!(why, "the journal stays damaged");
                AtStart::Nothing
            }
        };
        remembered(self.register.tried(wounds.stretches()))?;
        Ok(done)
    }

    fn read(&self, path: &Path) -> io::Result<InTime> {
        Ok(InTime { file: File::open(path)?, world: self.world.clone(), until_ms: self.until_ms })
    }

    fn fill(&self, wounds: &Wounds, path: &Path, offer: &Offer) -> Result<(Mended, String), Failure> {
        // Should power go before the index is built anew, the next start builds it.
        let io = |error: io::Error| cannot("write to the data folder", &error);
        marks::suspect(&self.data, "the journal was repaired from a backup").map_err(io)?;
        let input = self.read(path).map_err(|error| cannot("read the backup", &error))?;
        let mended =
            mend::mend_and_remember(&self.disk, self.options, (wounds, offer), input, ASIDE, &self.register);
        let mended = mended.map_err(|error| refused(&error))?;
        let mut words = format!(
            "{} Changes that the journal had lost came back from {}; what was damaged is kept in {}",
            mended.back,
            path.display(),
            self.data.join(ASIDE).display()
        );
        let gone = mended
            .lost
            .iter()
            .map(|(_, _, count)| count)
            .fold(0, |sum: u64, count| sum.saturating_add(*count));
        if gone > 0 {
            words += &format!("; {gone} stay lost");
        }
        mended.left.iter().for_each(|left| words += &format!("\n{left}"));
        Ok((mended, words))
    }

    /// The backup that brings back most, the newest of several; or why there is none.
    fn choose(&self, wounds: &Wounds, from: &From) -> Result<Result<(PathBuf, Offer), String>, Failure> {
        let look = |path: &Path| Offer::of(wounds, self.read(path)?);
        let folder = match from {
            From::Nowhere => {
                return Ok(Err(
                    "what the journal lost comes back only from a backup: give one with --backup".to_owned(),
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
        let kept = match BackupFolder::new(folder.clone(), wounds.node.unwrap_or_default()).kept() {
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
        let nothing = || format!("no backup in {} has anything of what the journal lost", folder.display());
        Ok(best.ok_or_else(nothing))
    }
}

/// A backup that is read as long as there is time.
struct InTime {
    file: File,
    world: Arc<dyn World>,
    until_ms: u64,
}

impl Read for InTime {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buf)?;
        if self.world.mono_ms() > self.until_ms {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "there was not enough time to read it"));
        }
        Ok(count)
    }
}

fn cannot(what: &str, error: &io::Error) -> Failure {
    Failure { message: format!("cannot {what}: {error}"), hint: None }
}

fn refused_file(path: &Path, error: &BackupError) -> Failure {
    let Failure { message, hint } = refused(error);
    Failure { message: format!("{}: {message}", path.display()), hint }
}
