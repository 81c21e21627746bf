//! Finds out what is in a journal, and leaves its tail so that the next group can follow. The rules stand in the
//! [module's](super) own words.

use std::io;
use std::sync::Arc;

use super::files::{Files, Part};
use super::find::{find_segments, header};
use super::frame::u32_at;
use super::segment::{SEGMENT_HEADER_BYTES, SegmentHeader, first_nonzero, read_full};
use super::walk::{FoundGroup, Step, Walk};
use super::{Appender, Damage, OpenReport, Opened, Options, Pos, Reader, Shared, Why, WriteCounts, Writer};
use crate::base::limits::{
    JOURNAL_DAMAGE_LISTED_MAX, JOURNAL_GROUP_BYTES_MAX, JOURNAL_LOST_CHANGE_BYTES, JOURNAL_READ_BYTES,
};
use crate::store::disk::{Disk, DiskFile};
use crate::store::error::StoreError;

/// Opens the journal, making it if there is none.
///
/// `checked` is the end of a group that the caller has dealt with: the look at what is there begins behind it, and
/// `None` looks at everything. If no group ends there any more, the look begins at the start of that segment, and an
/// end before `checked` is damage.
pub fn open(disk: Arc<dyn Disk>, options: Options, checked: Option<Pos>) -> Result<Opened, StoreError> {
    open_behind(disk, options, checked, None)
}

/// As [`open()`], where somebody knows how far the journal reached once: the number of a frame that was kept, and where
/// its group ended, or 0. If it does not reach as far any more its end is lost. What is left stays as it is, and the
/// next group goes behind the lost stretch and gets a later number: so it shows that something is missing and what, and
/// there is room for it should it come back.
pub fn open_behind(
    disk: Arc<dyn Disk>,
    options: Options,
    checked: Option<Pos>,
    reached: Option<(u64, Pos)>,
) -> Result<Opened, StoreError> {
    let (files, unreadable) = find_segments(disk)?;
    let files = Arc::new(files);
    remove_half_created(&files)?;
    let salt = known_salt(&files)?;
    let mut look = Look::begin(&files, salt.unwrap_or(options.salt), checked)?;
    look.finish(&files)?;
    look.check_headers(&files)?;
    unreadable.iter().for_each(|part| look.note_header(part));
    // Only what the caller has dealt with goes on purpose: where the journal begins behind that, a segment is lost.
    let first = files.around(0).map(|part| Pos(part.base));
    if let (Some(checked), Some(first)) = (checked, first)
        && checked.place() < first.place()
    {
        look.note(Damage::new(checked, first, Why::Missing));
    }
    let lost = reached.and_then(|(seq, end)| Some((look.lost_end(seq)?, end)));
    let tail = match files.newest() {
        newest if let Some((lost, end)) = lost => look.go_on_behind_lost(&files, newest, lost, end)?,
        None => None,
        // Nothing can be told about a journal whose every header is lost: it is left as it is, for a person to look at.
        Some(newest) if salt.is_none() && look.report.groups == 0 => look.abandon(&files, &newest)?,
        // Where the newest segment is lost, those before it may have been rewritten: what follows begins behind them.
        Some(newest) if newest.generation > 0 => look.go_on_behind(&files, &newest, checked)?,
        Some(newest) => look.settle_tail(&files, &newest, options.segment_bytes)?,
    };
    if let Some(checked) = checked.filter(|checked| look.report.end < *checked) {
        look.note(Damage::new(look.report.end, checked, Why::CutShort));
    }
    Ok(assemble(files, look, tail, options.segment_bytes))
}

type Tail = Option<(u64, Box<dyn DiskFile>)>;

fn assemble(files: Arc<Files>, look: Look, tail: Tail, segment_bytes: u64) -> Opened {
    let (report, salt, end) = (look.report, look.salt, look.report_end);
    let shared = Arc::new(Shared {
        files,
        salt,
        segment_bytes,
        end: end.into(),
        counts: Arc::new(WriteCounts::default()),
    });
    let segment = tail.as_ref().map(|(base, _)| *base);
    Opened {
        appender: Appender { end, segment, sealed: false, last_seq: report.last_seq, segment_bytes, salt },
        writer: Writer {
            shared: Arc::clone(&shared),
            current: tail,
            segment_bytes,
            prepared: 0,
            stopped: false,
        },
        reader: Reader { shared },
        report,
    }
}

/// The salt of the newest segment that still tells it.
fn known_salt(files: &Files) -> Result<Option<u64>, StoreError> {
    for part in files.parts().into_iter().rev() {
        if let Some(header) = header(files, &part)? {
            return Ok(Some(header.salt));
        }
    }
    Ok(None)
}

/// A newest segment without a header never held a group, for the header is synced first; unless bytes behind it say
/// otherwise. Should its name come back after a power cut, the next start removes it again: no segment is created
/// after it without a sync of the folder.
fn remove_half_created(files: &Files) -> Result<(), StoreError> {
    let Some(part) = files.newest().filter(|part| part.generation == 0) else { return Ok(()) };
    if header(files, &part)?.is_some() {
        return Ok(());
    }
    let file = files.file(&part)?;
    if !zeros_from(file.as_ref(), SEGMENT_HEADER_BYTES).map_err(part.failed("read"))? {
        return Ok(());
    }
    files.forget(&part);
    files.disk.remove(&part.path()).map_err(part.failed("remove"))
}

fn zeros_from(file: &dyn DiskFile, mut at: u64) -> io::Result<bool> {
    let mut chunk = vec![0; JOURNAL_READ_BYTES];
    loop {
        let count = read_full(file, &mut chunk, at)?;
        if first_nonzero(&chunk[..count]).is_some() {
            return Ok(false);
        }
        if count < chunk.len() {
            return Ok(true);
        }
        at += count as u64;
    }
}

/// The look at what is there, and what it has found so far.
struct Look {
    salt: u64,
    walk: Walk,
    /// The segment in which the look began.
    first_segment: u64,
    newest: Option<FoundGroup>,
    report: OpenReport,
    report_end: u64,
}

impl Look {
    fn begin(files: &Arc<Files>, salt: u64, checked: Option<Pos>) -> Result<Look, StoreError> {
        let checked = checked.unwrap_or_default();
        let before = match checked.place() {
            0 => None,
            place => files.around(place - 1),
        };
        let (mut from, mut last_seq) = (Pos(before.map_or(0, |part| part.base)), None);
        if let Some(part) = before.filter(|part| checked.place() > part.base) {
            if let Some(condensed) = part.condensed.filter(|condensed| condensed.until == checked.place()) {
                (from, last_seq) = (checked, Some(condensed.last_seq).filter(|seq| *seq > 0));
            } else if part.generation == checked.generation()
                && let Some(group) = group_before(files, salt, &part, checked)?
            {
                (from, last_seq) = (checked, Some(group.last_seq));
            }
        }
        let walk = Walk::new(Arc::clone(files), salt, from, Pos::FAR, last_seq);
        let report = OpenReport { last_seq, ..OpenReport::default() };
        let first_segment = files.around(from.place()).map_or(0, |part| part.base);
        Ok(Look { salt, walk, first_segment, newest: None, report, report_end: 0 })
    }

    fn finish(&mut self, files: &Files) -> Result<(), StoreError> {
        loop {
            match self.walk.step()? {
                Step::Group(group) => {
                    self.report.groups += 1;
                    self.report.frames += u64::from(group.frames);
                    self.report.last_seq = Some(group.last_seq);
                    self.newest = Some(group);
                }
                Step::Damage(damage) => self.note(damage),
                Step::End { torn_bytes } => {
                    self.report.torn_bytes = torn_bytes;
                    break;
                }
            }
        }
        let empty = files.newest().is_none();
        self.set_end(if empty { 0 } else { self.walk.at() });
        self.count_left_out(files);
        Ok(())
    }

    /// A number is never given again, although its frame was left out of a segment that was rewritten.
    fn count_left_out(&mut self, files: &Files) {
        let parts = files.parts().into_iter().filter(|part| part.base >= self.first_segment);
        let last = parts.filter_map(|part| part.condensed).map(|condensed| condensed.last_seq).max();
        self.report.last_seq = self.report.last_seq.max(last.filter(|seq| *seq > 0));
    }

    fn check_headers(&mut self, files: &Files) -> Result<(), StoreError> {
        let first = self.first_segment;
        for part in files.parts().into_iter().filter(|part| part.base >= first) {
            if header(files, &part)?.is_none() {
                self.note_header(&part);
            }
        }
        Ok(())
    }

    fn note_header(&mut self, part: &Part) {
        self.note(Damage::new(part.pos(part.base), part.pos(part.first()), Why::BadHeader));
    }

    fn note(&mut self, damage: Damage) {
        if self.report.damage.len() < JOURNAL_DAMAGE_LISTED_MAX {
            self.report.damage.push(damage);
            self.report.damage.sort_by_key(|damage| damage.from);
        }
    }

    fn set_end(&mut self, end: u64) {
        self.report_end = end;
        self.report.end = Pos(end);
    }

    /// Goes on in a new segment behind the file.
    fn abandon(&mut self, files: &Files, part: &Part) -> Result<Tail, StoreError> {
        let length = files.file(part)?.len().map_err(part.failed("measure"))?;
        let end = part.base + length.max(SEGMENT_HEADER_BYTES);
        self.note(Damage::new(Pos(self.report_end), Pos(end), Why::BadGroup));
        self.report.torn_bytes = 0;
        self.set_end(end);
        Ok(None)
    }

    /// Goes on in a new segment behind one that takes no groups.
    fn go_on_behind(&mut self, files: &Files, part: &Part, checked: Option<Pos>) -> Result<Tail, StoreError> {
        let length = files.file(part)?.len().map_err(part.failed("measure"))?;
        let known = part.until.unwrap_or(part.base + length).max(self.report_end);
        self.report.torn_bytes = 0;
        // What was behind it is lost; no place of it is used again as far as anybody can tell.
        self.set_end(known.max(checked.map_or(0, Pos::place)));
        Ok(None)
    }

    /// The numbers at the end that are lost, if this one was kept once.
    fn lost_end(&self, reached: u64) -> Option<(u64, u64)> {
        let last = self.report.last_seq.unwrap_or(0);
        (last < reached).then_some((last + 1, reached))
    }

    /// Goes on behind what is lost of the end, and leaves what is left of it.
    fn go_on_behind_lost(
        &mut self,
        files: &Files,
        newest: Option<Part>,
        (first, last): (u64, u64),
        end: Pos,
    ) -> Result<Tail, StoreError> {
        let mut known = self.report_end + (last - first + 1).saturating_mul(JOURNAL_LOST_CHANGE_BYTES);
        if end.place() > 0 {
            known = end.place();
        }
        if let Some(newest) = newest {
            let length = files.file(&newest)?.len().map_err(newest.failed("measure"))?;
            // A file that was reserved is longer than what lies in it, and the next one must not begin inside it.
            let in_use = newest.until.unwrap_or(newest.base + length);
            known = known.max(in_use);
            self.keep_newest(files, newest.base)?;
        }
        let end = known.max(self.report_end + SEGMENT_HEADER_BYTES);
        self.note(Damage::new(Pos(self.report_end), Pos(end), Why::CutShort));
        (self.report.torn_bytes, self.report.lost_end) = (0, Some((first, last)));
        self.report.last_seq = Some(last);
        self.set_end(end);
        Ok(None)
    }

    /// Makes sure of the newest group, which may so far lie only in the kernel's memory.
    fn keep_newest(&self, files: &Files, base: u64) -> Result<(), StoreError> {
        let Some(group) = self.newest.filter(|group| group.part.base == base) else { return Ok(()) };
        let part = group.part;
        let file = files.disk.open(&part.path()).map_err(part.failed("open"))?;
        write_again(file.as_ref(), &group).map_err(part.failed("write"))?;
        file.sync_data().map_err(part.failed("sync"))
    }

    /// Leaves the newest segment with a header, whole groups and zeros, all of it kept.
    fn settle_tail(&mut self, files: &Files, part: &Part, segment_bytes: u64) -> Result<Tail, StoreError> {
        let file = files.disk.open(&part.path()).map_err(part.failed("open"))?;
        let base = part.base;
        let end = self.report_end - base;
        overwrite_with_zeros(file.as_ref(), end, self.report.torn_bytes).map_err(part.failed("cut"))?;
        // On a full disk a journal without reserved space is better than none.
        let length = file.len().map_err(part.failed("measure"))?;
        if length < segment_bytes {
            file.allocate(segment_bytes).or_else(unless_full).map_err(part.failed("reserve space for"))?;
        }
        if let Some(group) = self.newest.filter(|group| group.part.base == base) {
            write_again(file.as_ref(), &group).map_err(part.failed("write"))?;
        }
        if end == SEGMENT_HEADER_BYTES || header(files, part)?.is_none() {
            let header = SegmentHeader { base, salt: self.salt, condensed: None };
            file.write_at(&header.encode(), 0).map_err(part.failed("write"))?;
        }
        file.sync_data().map_err(part.failed("sync"))?;
        Ok(Some((base, file)))
    }
}

/// The whole group that ends at this place, found by the length behind it.
fn group_before(
    files: &Arc<Files>,
    salt: u64,
    part: &Part,
    end: Pos,
) -> Result<Option<FoundGroup>, StoreError> {
    let mut trailer = [0; 4];
    let inside = end.place() - part.base;
    let at = inside.saturating_sub(trailer.len() as u64);
    read_full(files.file(part)?.as_ref(), &mut trailer, at).map_err(part.failed("read"))?;
    let length = u64::from(u32_at(&trailer, 0).expect("four bytes were read into it"));
    if length > JOURNAL_GROUP_BYTES_MAX as u64 || length + SEGMENT_HEADER_BYTES > inside {
        return Ok(None);
    }
    let start = Pos::of(part.generation, end.place() - length);
    let step = Walk::new(Arc::clone(files), salt, start, end, None).step()?;
    Ok(match step {
        Step::Group(group) if group.end == end.place() => Some(group),
        _ => None,
    })
}

fn overwrite_with_zeros(file: &dyn DiskFile, from: u64, count: u64) -> io::Result<()> {
    let zeros = vec![0; JOURNAL_READ_BYTES.min(count as usize)];
    let mut done = 0;
    while done < count {
        let part = (count - done).min(zeros.len() as u64);
        file.write_at(&zeros[..part as usize], from + done)?;
        done += part;
    }
    Ok(())
}

fn write_again(file: &dyn DiskFile, group: &FoundGroup) -> io::Result<()> {
    let mut bytes = vec![0; (group.end - group.start) as usize];
    let count = read_full(file, &mut bytes, group.start - group.part.base)?;
    if count < bytes.len() {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    file.write_at(&bytes, group.start - group.part.base)
}

fn unless_full(error: io::Error) -> io::Result<()> {
    match error.kind() {
        io::ErrorKind::StorageFull => Ok(()),
        _ => Err(error),
    }
}
