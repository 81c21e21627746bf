//! Whether the journal can be read and the index says what the journal says. The journal is read from front to back, an
//! index is built from it beside the node's own, and the two are compared entry by entry: users, rooms, memberships, ids,
//! waymarks, and for every room where each of its messages lies. Memory stays bounded; the node goes on meanwhile.

use crate::base::id::Seq;
use crate::base::limits::{CHECK_FINDINGS_MAX, CHECK_PAGE_ENTRIES, CHECK_ROUNDS, INDEX_OPEN_SECONDS};
use crate::base::time::WallMs;
use crate::chat::change::Change;
use crate::chat::refusal::Refusal;
use crate::node::health::TroubleKind;
use crate::node::reading::Reading;
use crate::node::refuse;
use crate::node::start::replay;
use crate::store::disk::{OsDisk, StillDisk};
use crate::store::error::StoreError;
use crate::store::index::kv::{Kv, Shelf, Value};
use crate::store::index::settled::{Checkpoint, Settled};
use crate::store::index::sled::SledKv;
use crate::store::journal::{self, Damage, Pos, Why};
use crate::store::keys::{self, Key};
use crate::store::lost::register::{Gone, Register};
use crate::store::lost::{Losses, Lost};
use crate::store::record;
use crate::store::rescue::{self, witness::Witness};
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// The folder in the data folder where a check builds what it compares with; gone afterwards.
const SCRATCH: &str = "checking";

/// What a check found.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Report {
    /// Changes that can be read.
    pub changes: u64,
    /// The newest of them.
    pub last: Seq,
    /// Entries of the index that were compared.
    pub entries: u64,
    /// Stretches of the journal that cannot be read; the first few dozen.
    pub lost: Vec<Lost>,
    /// How many there are.
    pub lost_count: u64,
    /// What was known to be lost before: of this nothing is among the stretches.
    pub earlier: Vec<Gone>,
    /// What is wrong with the index; the first few dozen.
    pub findings: Vec<String>,
    /// How many there are.
    pub findings_count: u64,
}

impl Report {
    /// Whether nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.is_index_sound() && self.lost_count == 0
    }

    /// Whether the index says what the journal says.
    pub fn is_index_sound(&self) -> bool {
        self.findings_count == 0
    }

    /// Takes out what was known before.
    fn know(mut self, register: &Register) -> Report {
        let listed = self.lost.len();
        self.lost.retain(|lost| !register.knows(lost.numbers()));
        self.lost_count -= (listed - self.lost.len()) as u64;
        self.earlier = register.list();
        self
    }

    /// What somebody accepts who has read this. Where more is lost than is listed it is all between the ends.
    fn accepted(&self) -> Vec<Gone> {
        let mut gone: Vec<Gone> = self.lost.iter().filter_map(Lost::gone).collect();
        if self.lost_count > self.lost.len() as u64
            && let Some(last) = gone.last_mut()
        {
            (last.last, last.until) = (self.last.0, None);
        }
        gone
    }

    fn find(&mut self, what: String) {
        self.findings_count += 1;
        if self.findings.len() < CHECK_FINDINGS_MAX {
            self.findings.push(what);
        }
    }
}

/// One check at a time: it needs room on the disk.
static CHECKING: AtomicBool = AtomicBool::new(false);

struct Alone;

impl Alone {
    fn begin() -> Option<Alone> {
        (!CHECKING.swap(true, Ordering::SeqCst)).then_some(Alone)
    }
}

impl Drop for Alone {
    fn drop(&mut self) {
        CHECKING.store(false, Ordering::SeqCst);
    }
}

impl Reading {
    /// Checks the store of this node, which goes on meanwhile. Takes as long as reading everything takes.
    pub fn check(&self, data: &Path) -> Result<Report, Refusal> {
        let _alone = Alone::begin().ok_or(Refusal::Busy)?;
        // The segments stay as they are until it is done.
        let _pin = self.journal.pin();
        let scratch = Scratch::make(data).map_err(|error| refuse(failed(error)))?;
        let checked = check(&self.journal, &*self.settled, &|| self.settled.reached(), &scratch);
        checked.map(|report| report.know(&self.register)).map_err(refuse)
    }

    /// Whoever runs the node knows of what this report says is lost: it is no trouble any more.
    pub fn accept_losses(&self, report: &Report) -> Result<Report, Refusal> {
        let now = Some(self.now().wall_ms);
        let report = accept(&self.register, report, now).map_err(refuse)?;
        if report.lost_count == 0 {
            for kind in [TroubleKind::JournalDamaged, TroubleKind::JournalMissing] {
                self.health.clear(kind);
            }
        }
        Ok(report)
    }
}

fn accept(register: &Register, report: &Report, now: Option<WallMs>) -> Result<Report, StoreError> {
    let gone: Vec<Gone> = report.accepted().into_iter().map(|gone| Gone { since: now, ..gone }).collect();
    register
        .accept(&gone)
        .map_err(|error| StoreError::disk("remember what is lost in", "journal-losses", error))?;
    Ok(report.clone().know(register))
}

/// Whoever runs the node of this folder knows of what this report says is lost.
pub fn accept_in_folder(data: &Path, report: &Report) -> Result<Report, StoreError> {
    accept(&Register::open(Arc::new(OsDisk::new(data.to_owned()))), report, None)
}

/// Checks the store of a data folder that no node runs on, and changes nothing in it.
pub fn check_folder(data: &Path) -> Result<Report, StoreError> {
    let disk = StillDisk(Arc::new(OsDisk::new(data.to_owned())));
    Ok(check_all_in(data)?.know(&Register::open(Arc::new(disk))))
}

fn check_all_in(data: &Path) -> Result<Report, StoreError> {
    let scratch = Scratch::make(data).map_err(failed)?;
    let disk = StillDisk(Arc::new(OsDisk::new(data.to_owned())));
    let journal = journal::open(Arc::new(disk), journal::Options::default(), None)?.reader;
    // The database cannot open a folder without writing to it.
    let copied = copy(&rescue::compact::place(data), &scratch.0.join("copy")).map_err(failed)?;
    let kv = match copied {
        true => rescue::open_alone(&scratch.0.join("copy"), Duration::from_secs(INDEX_OPEN_SECONDS)),
        false => Err(StoreError::Index("there is none".into())),
    };
    let opened = kv.and_then(|kv| Settled::open(Box::new(kv)));
    let (settled, checkpoint) = match opened {
        Ok((settled, checkpoint)) => (settled, checkpoint.unwrap_or_default()),
        Err(StoreError::Index(why)) => {
            let mut report = read_journal(&journal, journal.end())?;
            report.find(format!("the index does not open: {why}"));
            return Ok(report);
        }
        Err(error) => return Err(error),
    };
    // A checkpoint that was cut short leaves keys that are newer than itself: the next start follows the same Changes
    // over them again, and only then they are to be compared.
    let followed = match checkpoint.end.place() <= journal.end().place() {
        true => replay(&settled, &journal, checkpoint, journal.end(), &|_| true).map(|_| ()),
        false => Ok(()),
    };
    let mut report = match followed.and_then(|()| check(&journal, &settled, &|| settled.reached(), &scratch))
    {
        Err(StoreError::Index(why)) => {
            let mut report = read_journal(&journal, journal.end())?;
            report.find(format!("the index breaks when it is read: {why}"));
            report
        }
        checked => checked?,
    };
    if let Some(claimed) = Witness::claim(data).filter(|claimed| *claimed > checkpoint.seq) {
        report.find(format!("it had followed the journal to {claimed}, now only to {}", checkpoint.seq));
    }
    Ok(report)
}

fn failed(error: io::Error) -> StoreError {
    StoreError::disk("build an index to compare with in", SCRATCH, error)
}

/// The folder a check works in, gone with it.
struct Scratch(std::path::PathBuf);

impl Scratch {
    fn make(data: &Path) -> io::Result<Scratch> {
        let path = data.join(SCRATCH);
        if path.exists() {
            fs::remove_dir_all(&path)?;
        }
        fs::create_dir(&path)?;
        Ok(Scratch(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Copies the files of a folder; false if there is none.
fn copy(from: &Path, to: &Path) -> io::Result<bool> {
    let entries = match fs::read_dir(from) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        entries => entries?,
    };
    fs::create_dir(to)?;
    for entry in entries {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            fs::copy(entry.path(), to.join(entry.file_name()))?;
        }
    }
    Ok(true)
}

fn check(
    journal: &journal::Reader,
    index: &dyn Shelf,
    reached: &dyn Fn() -> Checkpoint,
    scratch: &Scratch,
) -> Result<Report, StoreError> {
    let from = reached();
    let mut report = read_journal(journal, journal.end())?;
    if from.end.place() > journal.end().place() {
        report.find(format!("it has followed the journal to {}, which ends at {}", from.end, journal.end()));
        return Ok(report);
    }
    let kv: Box<dyn Kv> = Box::new(SledKv::open(&scratch.0.join("expected"))?);
    let (expected, _) = Settled::open(kv)?;
    replay(&expected, journal, Checkpoint::default(), from.end, &|_| true)?;
    let mut differing = compare(index, &expected, &mut report)?;
    // What was written meanwhile differs as well: it is looked at again when the comparison has caught up.
    for _ in 0..CHECK_ROUNDS {
        differing = still_differing(index, &expected, journal, reached, differing)?;
    }
    // Where a part of the journal is lost, the index may well know more.
    let counts = report.lost_count == 0;
    for key in differing.into_iter().filter(|_| counts) {
        report.find(format!("{} is not what the journal says", keys::words(&key)));
    }
    Ok(report)
}

/// Reads the whole journal: every group, every frame, every Change.
fn read_journal(journal: &journal::Reader, upto: Pos) -> Result<Report, StoreError> {
    let mut report = Report::default();
    let losses = read_all(journal, upto, &mut |change, _| {
        report.changes += 1;
        report.last = change.seq;
        true
    })?;
    report.lost = losses.list().to_vec();
    report.lost_count = losses.count();
    Ok(report)
}

/// Reads every Change up to a place, and gives what cannot be read. `each` hears of every one, with the bytes it takes,
/// and says whether to go on.
pub(super) fn read_all(
    journal: &journal::Reader,
    upto: Pos,
    each: &mut dyn FnMut(&Change, usize) -> bool,
) -> Result<Losses, StoreError> {
    let mut losses = Losses::default();
    if let Some(first) = journal.segments().first().filter(|first| first.from.place() > 0) {
        losses.damaged(Damage { from: Pos::default(), to: first.from, why: Why::Missing });
    }
    for found in journal.scan(Pos::default(), upto) {
        let (pos, frame) = match found {
            Ok(found) => found,
            Err(StoreError::Damaged(damage)) => {
                losses.damaged(damage);
                continue;
            }
            Err(error) => return Err(error),
        };
        match record::change::decode(Seq(frame.seq), &frame.payload) {
            Ok(change) => {
                losses.read(&change);
                if !each(&change, frame.payload.len()) {
                    break;
                }
            }
            Err(_) => losses.damaged(Damage { from: pos, to: pos, why: Why::BadGroup }),
        }
    }
    Ok(losses)
}

/// The keys whose values differ; the first few dozen.
fn compare(index: &dyn Shelf, expected: &dyn Shelf, report: &mut Report) -> Result<Vec<Key>, StoreError> {
    let (mut left, mut right) = (Pages::of(index), Pages::of(expected));
    let mut differing = Vec::new();
    loop {
        let (one, other) = (left.peek()?, right.peek()?);
        let (key, same) = match (one, other) {
            (None, None) => return Ok(differing),
            (Some((key, _)), None) | (None, Some((key, _))) => (key.clone(), false),
            (Some((one, value)), Some((other, expected))) => {
                (one.min(other).clone(), one == other && value == expected)
            }
        };
        left.pass(&key);
        right.pass(&key);
        report.entries += 1;
        if !same {
            if differing.len() >= CHECK_FINDINGS_MAX {
                return Ok(differing);
            }
            differing.push(key);
        }
    }
}

fn still_differing(
    index: &dyn Shelf,
    expected: &Settled,
    journal: &journal::Reader,
    reached: &dyn Fn() -> Checkpoint,
    keys: Vec<Key>,
) -> Result<Vec<Key>, StoreError> {
    let mut differing = Vec::new();
    for key in keys {
        let before = index.get(&key)?;
        let upto = reached();
        if upto.seq > expected.reached().seq {
            replay(expected, journal, expected.reached(), upto.end, &|_| true)?;
        }
        let wanted = expected.get(&key)?;
        if before != wanted && index.get(&key)? != wanted {
            differing.push(key);
        }
    }
    Ok(differing)
}

/// All entries of a shelf that follow the journal, read a page at a time.
struct Pages<'a> {
    shelf: &'a dyn Shelf,
    from: Key,
    page: std::collections::VecDeque<(Key, Value)>,
    over: bool,
}

impl Pages<'_> {
    fn of(shelf: &dyn Shelf) -> Pages<'_> {
        Pages { shelf, from: keys::FOLLOWING.0.into(), page: Default::default(), over: false }
    }

    fn peek(&mut self) -> Result<Option<&(Key, Value)>, StoreError> {
        if self.page.is_empty() && !self.over {
            let page = self.shelf.scan(&self.from, keys::FOLLOWING.1, CHECK_PAGE_ENTRIES)?;
            self.over = page.len() < CHECK_PAGE_ENTRIES;
            if let Some((last, _)) = page.last() {
                self.from = keys::after(last);
            }
            self.page = page.into();
        }
        Ok(self.page.front())
    }

    /// Goes past this key, if it comes next.
    fn pass(&mut self, key: &Key) {
        if self.page.front().is_some_and(|(next, _)| next == key) {
            self.page.pop_front();
        }
    }
}
