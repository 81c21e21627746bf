//! Writes a run of segments anew: the frames that still matter, under their numbers, in one file that takes the place
//! of all of them at one stroke.
//!
//! The file is written under another name and synced; then it gets its own name and the folder is synced. Only then do
//! readers see it, and only the caller, who knows which places are still remembered, removes what it replaced.

use std::sync::Arc;

use super::appender::{GroupBuilder, Place};
use super::files::Part;
use super::segment::{self, Condensed, SegmentHeader};
use super::{FOLDER, Pos, Reader, Shared, WriteCounts};
use crate::base::limits::CONDENSED_GROUP_BYTES;
use crate::store::disk::DiskFile;
use crate::store::error::StoreError;

/// A run of segments that is being written anew. Dropping it leaves everything as it was.
pub struct Rewrite {
    shared: Arc<Shared>,
    file: Option<Box<dyn DiskFile>>,
    part: Part,
    until: u64,
    /// The end of the last group in the file.
    end: u64,
    group: Option<GroupBuilder>,
    first_seq: Option<u64>,
    last_seq: Option<u64>,
    as_of: u64,
}

/// What was written anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rewritten {
    /// The first place of the new file.
    pub from: Pos,
    /// The end of the stretch it stands for.
    pub until: Pos,
    /// Bytes of the files it replaces.
    pub bytes_before: u64,
    /// Bytes of the new one.
    pub bytes: u64,
}

impl Reader {
    /// Begins to write the segments from the one that begins at `from` to the one that ends at `until` anew. `as_of` is
    /// the newest number that is known to whoever decides what to leave out; 0 for who leaves out nothing.
    pub fn rewrite(&self, from: Pos, until: Pos, as_of: u64) -> Result<Rewrite, StoreError> {
        let parts = self.parts_within(from, until);
        let whole = parts.first().is_some_and(|part| part.base == from.place())
            && parts.last().is_some_and(|part| part.until == Some(until.place()));
        if !whole {
            let why = "only whole segments behind which others begin can be written anew";
            return Err(StoreError::CannotCondense { why });
        }
        self.begin_rewrite(from, until, as_of, &parts)
    }

    /// The segments that begin in a stretch.
    pub(super) fn parts_within(&self, from: Pos, until: Pos) -> Vec<Part> {
        let parts = self.shared.files.parts().into_iter();
        parts.filter(|part| (from.place()..until.place()).contains(&part.base)).collect()
    }

    /// Begins a file for a stretch whose segments these are.
    pub(super) fn begin_rewrite(
        &self,
        from: Pos,
        until: Pos,
        as_of: u64,
        parts: &[Part],
    ) -> Result<Rewrite, StoreError> {
        let (first, until) = (from.place(), until.place());
        let refused = |why| StoreError::CannotCondense { why };
        let newest = parts.iter().map(|part| part.generation).max().unwrap_or(0);
        let generation = newest.checked_add(1).ok_or_else(|| refused("it was written anew too often"))?;
        let known = |seq: u64| Some(seq).filter(|seq| *seq > 0);
        let stands_for = |part: &Part| part.condensed;
        let part = Part { generation, ..Part::plain(first) };
        let path = segment::unfinished_path(first, generation);
        let disk = &self.shared.files.disk;
        let failed = |doing| move |error| StoreError::disk(doing, FOLDER, error);
        // An attempt that failed may have left it.
        if disk.list(FOLDER).map_err(failed("list"))?.iter().any(|name| path.ends_with(name.as_str())) {
            disk.remove(&path).map_err(part.failed("remove"))?;
        }
        Ok(Rewrite {
            file: Some(disk.create(&path).map_err(part.failed("create"))?),
            shared: Arc::clone(&self.shared),
            part,
            until,
            end: part.first(),
            group: None,
            first_seq: parts.iter().filter_map(stands_for).find_map(|known_of| known(known_of.first_seq)),
            last_seq: parts
                .iter()
                .filter_map(stands_for)
                .filter_map(|known_of| known(known_of.last_seq))
                .max(),
            as_of,
        })
    }

    /// Removes the files that others have taken the place of; the caller knows that nobody remembers a place in them.
    /// Gives the bytes that are free again.
    pub fn remove_replaced(&self) -> Result<u64, StoreError> {
        let files = &self.shared.files;
        let replaced = files.replaced();
        if replaced.is_empty() {
            return Ok(0);
        }
        files.unpinned(|| {
            let mut bytes = 0;
            for part in &replaced {
                bytes += files.file(part)?.len().map_err(part.failed("measure"))?;
                files.disk.remove(&part.path()).map_err(part.failed("remove"))?;
                files.forget(part);
            }
            files.disk.sync_folder(FOLDER).map_err(|error| StoreError::disk("sync", FOLDER, error))?;
            WriteCounts::add(&self.shared.counts.syncs, 1);
            Ok(bytes)
        })
    }
}

impl Rewrite {
    /// Counts a frame of the old segments that is left out, so that its number is not given again.
    pub fn leave_out(&mut self, seq: u64) {
        self.first_seq = Some(self.first_seq.map_or(seq, |first| first.min(seq)));
        self.last_seq = Some(self.last_seq.map_or(seq, |last| last.max(seq)));
    }

    /// Adds a frame, after those with smaller numbers, and says where it will lie.
    pub fn push(&mut self, seq: u64, payload: &[u8]) -> Result<Pos, StoreError> {
        if self.group.as_ref().is_some_and(|group| !group.fits(payload.len())) {
            self.flush()?;
        }
        self.leave_out(seq);
        let group = self.group.get_or_insert_with(|| {
            let start = Pos::of(self.part.generation, self.end).0;
            let place = Place { after: start, segment: self.part.base, new_segment: false, start };
            GroupBuilder::begin(place, self.shared.salt)
        });
        Ok(group.push(seq, payload))
    }

    /// The group of the frame that is pushed next.
    pub fn group_start(&self) -> Pos {
        Pos::of(self.part.generation, self.end)
    }

    /// Says that a group of the old segments ended here: a good place to end one of the new file. As groups end nowhere
    /// else, there are never more of them than before, and the file cannot become longer than what it replaces.
    pub fn group_end(&mut self) -> Result<(), StoreError> {
        match &self.group {
            Some(group) if group.len_bytes() >= CONDENSED_GROUP_BYTES => self.flush(),
            _ => Ok(()),
        }
    }

    fn flush(&mut self) -> Result<(), StoreError> {
        let Some(group) = self.group.take() else { return Ok(()) };
        let group = group.into_group();
        let end = self.end + group.bytes.len() as u64;
        if end > self.until {
            return Err(StoreError::CannotCondense { why: "it would become longer than it was" });
        }
        let file = self.file.as_ref().expect("it is there until the end");
        file.write_at(&group.bytes, self.end - self.part.base).map_err(self.part.failed("write"))?;
        WriteCounts::add(&self.shared.counts.bytes, group.bytes.len() as u64);
        self.end = end;
        Ok(())
    }

    /// Puts the new file in the place of the old ones. When this returns `Ok`, it survives a power cut.
    pub fn finish(mut self) -> Result<Rewritten, StoreError> {
        self.flush()?;
        let condensed = Condensed {
            generation: self.part.generation,
            end: self.end,
            until: self.until,
            first_seq: self.first_seq.unwrap_or(0),
            last_seq: self.last_seq.unwrap_or(0),
            as_of: self.as_of,
        };
        let part = Part { condensed: Some(condensed), until: Some(self.until), ..self.part };
        let salt = self.shared.salt;
        let header = SegmentHeader { base: part.base, salt, condensed: Some(condensed) }.encode();
        let file = self.file.as_ref().expect("it is there until the end");
        file.write_at(&header, 0).map_err(part.failed("write"))?;
        file.sync_data().map_err(part.failed("sync"))?;
        let files = &self.shared.files;
        files.unpinned(|| {
            let path = segment::unfinished_path(part.base, part.generation);
            files.disk.rename(&path, &part.path()).map_err(part.failed("rename"))?;
            self.file = None;
            files.disk.sync_folder(FOLDER).map_err(|error| StoreError::disk("sync", FOLDER, error))?;
            files.switch(part);
            Ok(())
        })?;
        WriteCounts::add(&self.shared.counts.bytes, header.len() as u64);
        WriteCounts::add(&self.shared.counts.syncs, 2);
        Ok(Rewritten {
            from: part.pos(part.base),
            until: Pos(self.until),
            bytes_before: self.until - part.base,
            bytes: self.end - part.base,
        })
    }
}

impl Drop for Rewrite {
    fn drop(&mut self) {
        if self.file.take().is_some() {
            let path = segment::unfinished_path(self.part.base, self.part.generation);
            // A start removes what is left here.
            let _ = self.shared.files.disk.remove(&path);
        }
    }
}
