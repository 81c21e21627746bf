//! Writes what a backup has of what a journal lost into the journal.

use super::super::{BackupError, Mode, Source};
use super::{Hole, Offer, Wounds};
use crate::base::limits::{BACKUP_GROUP_BYTES, JOURNAL_READ_BYTES};
use crate::store::disk::{Disk, DiskFile};
use crate::store::error::StoreError;
use crate::store::journal::{self, Opened, Options, Pos, Reader, Segment};
use crate::store::lost::register::Register;
use bytes::Bytes;
use std::collections::VecDeque;
use std::io::{self, Read};
use std::sync::Arc;

/// What came back, and what did not.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Mended {
    /// Changes that are in the journal again.
    pub back: u64,
    /// Of which numbers how many stay lost, where the journal has no damage any more that tells: first, last, count.
    pub lost: Vec<(u64, u64, u64)>,
    /// Why a part was left as it was.
    pub left: Vec<String>,
}

/// As [`mend`]; what stays lost for good is remembered before anything is changed, for a journal that was mended tells no
/// more of it. Holes of which the backup has nothing go on telling of themselves.
pub fn mend_and_remember<R: Read>(
    disk: &Arc<dyn Disk>,
    options: Options,
    (wounds, offer): (&Wounds, &Offer),
    input: R,
    aside: &str,
    register: &Register,
) -> Result<Mended, BackupError> {
    let is_filled = |(at, _): &(usize, (u64, u64))| offer.has[*at] > 0;
    let filled: Vec<_> =
        wounds.stretches().into_iter().enumerate().filter(is_filled).map(|(_, it)| it).collect();
    register.replace(&filled, &offer.leaves(wounds))?;
    mend(disk, options, wounds, offer, input, aside)
}

/// Fills the holes with what the backup was found to have. `aside` is the folder on the disk where the damaged files are
/// kept, each under its own name.
pub fn mend<R: Read>(
    disk: &Arc<dyn Disk>,
    options: Options,
    wounds: &Wounds,
    offer: &Offer,
    input: R,
    aside: &str,
) -> Result<Mended, BackupError> {
    let source = Source::open(input, Mode::Salvage)?;
    let mut coming = Coming { source, wounds, offer, waiting: VecDeque::new() };
    if has_lost_end(wounds, offer) {
        // To open it takes away what is left of a last group that was cut short.
        let still = Arc::new(crate::store::disk::StillDisk(disk.clone()));
        let newest = journal::open(still, options, None)?.reader.segments().pop();
        newest.map_or(Ok(()), |newest| keep(&**disk, &newest, aside))?;
    }
    let reader = journal::open(disk.clone(), options, None)?.reader;
    let mut mended = Mended::default();
    let mut at = 0;
    while let Some(Hole { stretch: Some(stretch), .. }) = wounds.holes.get(at) {
        let (mut until, first) = (stretch.1, at);
        // Holes in the same segments are filled at one stroke.
        while let Some((from, end)) = wounds.holes.get(at).and_then(|hole| hole.stretch)
            && (at == first || from < until)
        {
            until = until.max(end);
            at += 1;
        }
        let holes = first..at;
        let count = offer.has[holes.clone()].iter().sum::<u64>();
        if count == 0 {
            continue;
        }
        match fill(&**disk, &reader, &mut coming, holes.clone(), (stretch.0, until), aside) {
            Ok(()) => {
                mended.back += count;
                mended.tell(wounds, offer, holes);
            }
            Err(StoreError::CannotCondense { why }) => {
                let text = format!("the journal from {} to {until} is left as it was: {why}", stretch.0);
                mended.left.push(text);
            }
            Err(error) => return Err(error.into()),
        }
    }
    if at < wounds.holes.len() && offer.has[at] > 0 {
        mended.back += append(disk, options, &mut coming, &wounds.holes[at])?;
        mended.tell(wounds, offer, at..at + 1);
    }
    Ok(mended)
}

fn has_lost_end(wounds: &Wounds, offer: &Offer) -> bool {
    wounds.holes.last().is_some_and(|hole| hole.stretch.is_none()) && offer.has.last() > Some(&0)
}

impl Mended {
    fn tell(&mut self, wounds: &Wounds, offer: &Offer, holes: std::ops::Range<usize>) {
        for at in holes {
            let hole = &wounds.holes[at];
            let count = offer.lost(at, hole);
            self.lost.extend((count > 0).then_some((hole.first, hole.last, count)));
        }
    }
}

/// Writes a stretch anew: what it still says, and what comes back.
fn fill<R: Read>(
    disk: &dyn Disk,
    reader: &Reader,
    coming: &mut Coming<'_, R>,
    holes: std::ops::Range<usize>,
    (from, until): (Pos, Pos),
    aside: &str,
) -> Result<(), StoreError> {
    let inside = |segment: &&Segment| (from..until).contains(&segment.from);
    for segment in reader.segments().iter().filter(inside) {
        keep(disk, segment, aside)?;
    }
    let known = &coming.wounds.holes;
    let (first, last) = (known[holes.start].first, known[holes.end - 1].last);
    coming.skip_to(first)?;
    let readable = reader.scan(from, until).filter(|found| !matches!(found, Err(StoreError::Damaged(_))));
    let mut readable = readable.peekable();
    let mut newest = 0;
    let frames = std::iter::from_fn(|| {
        loop {
            let here = match readable.peek() {
                Some(Ok((_, frame))) => Some(frame.seq),
                // The error comes next.
                Some(Err(_)) => Some(0),
                None => None,
            };
            let there = match coming.peek() {
                Ok(there) => there.filter(|seq| *seq <= last),
                Err(error) => return Some(Err(error)),
            };
            let next = match (here, there) {
                (None, None) => return None,
                (Some(here), Some(there)) if there < here => coming.take(),
                (None, Some(_)) => coming.take(),
                _ => readable.next().map(|found| found.map(|(_, frame)| (frame.seq, frame.payload))),
            };
            match next {
                // A group out of sequence is no part of the journal; the file that was kept has it.
                Some(Ok((seq, _))) if seq <= newest => {}
                Some(Ok((seq, payload))) => {
                    newest = seq;
                    return Some(Ok((seq, payload)));
                }
                other => return other,
            }
        }
    });
    reader.rewrite_with(from, until, frames)?;
    reader.remove_replaced().map(drop)
}

/// Writes what the end of the journal lost behind it.
fn append<R: Read>(
    disk: &Arc<dyn Disk>,
    options: Options,
    coming: &mut Coming<'_, R>,
    hole: &Hole,
) -> Result<u64, StoreError> {
    let Opened { mut appender, mut writer, .. } = journal::open(disk.clone(), options, None)?;
    coming.skip_to(hole.first)?;
    let (mut group, mut count) = (appender.begin(), 0);
    while coming.peek()?.is_some_and(|seq| seq <= hole.last) {
        let Some(next) = coming.take() else { break };
        let (seq, payload) = next?;
        if !group.fits(payload.len()) || group.len_bytes() >= BACKUP_GROUP_BYTES {
            writer.write(&appender.finish(group))?;
            group = appender.begin();
        }
        group.push(seq, &payload);
        count += 1;
    }
    if count > 0 {
        writer.write(&appender.finish(group))?;
    }
    Ok(count)
}

/// Copies a file of the journal aside, and returns when the copy is kept.
fn keep(disk: &dyn Disk, segment: &Segment, aside: &str) -> Result<(), StoreError> {
    let path = segment.path();
    let copied = || -> io::Result<()> {
        disk.create_folder(aside)?;
        let name = path.rsplit('/').next().unwrap_or(&path);
        let to = format!("{aside}/{name}");
        // What a repair that was cut short left.
        if disk.list(aside)?.iter().any(|other| other == name) {
            disk.remove(&to)?;
        }
        let (from, to) = (disk.open(&path)?, disk.create(&to)?);
        copy(&*from, &*to)?;
        to.sync_data()?;
        disk.sync_folder(aside)?;
        disk.sync_folder("")
    };
    copied().map_err(|error| StoreError::disk("keep a copy of", &path, error))
}

fn copy(from: &dyn DiskFile, to: &dyn DiskFile) -> io::Result<()> {
    let (mut chunk, mut at) = (vec![0; JOURNAL_READ_BYTES], 0);
    loop {
        match from.read_at(&mut chunk, at)? {
            0 => return Ok(()),
            count => {
                to.write_at(&chunk[..count], at)?;
                at += count as u64;
            }
        }
    }
}

/// The Changes of a backup that are missing in the journal, in order.
struct Coming<'a, R> {
    source: Source<R>,
    wounds: &'a Wounds,
    offer: &'a Offer,
    waiting: VecDeque<(u64, Bytes)>,
}

impl<R: Read> Coming<'_, R> {
    /// The number of the next one.
    fn peek(&mut self) -> Result<Option<u64>, StoreError> {
        while self.waiting.is_empty() {
            let (wounds, offer, waiting) = (self.wounds, self.offer, &mut self.waiting);
            let more = self.source.next_changes(|seq, payload| {
                let wanted = wounds.hole(seq).is_some_and(|at| offer.may_fill(&wounds.holes[at]));
                waiting.extend(wanted.then(|| (seq, Bytes::copy_from_slice(payload))));
                Ok(())
            });
            if !more.map_err(|error| StoreError::disk("read", FROM, io::Error::other(error.to_string())))? {
                break;
            }
        }
        Ok(self.waiting.front().map(|(seq, _)| *seq))
    }

    fn take(&mut self) -> Option<Result<(u64, Bytes), StoreError>> {
        self.waiting.pop_front().map(Ok)
    }

    fn skip_to(&mut self, first: u64) -> Result<(), StoreError> {
        while self.peek()?.is_some_and(|seq| seq < first) {
            self.waiting.pop_front();
        }
        Ok(())
    }
}

/// What a backup is called in an error.
const FROM: &str = "the backup";
