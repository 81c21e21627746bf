//! Puts groups on disk, one at a time, and returns when they are kept.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::files::Part;
use super::segment::SegmentHeader;
use super::{FOLDER, Group, Pos, Shared};
use crate::base::limits::JOURNAL_AHEAD_BYTES;
use crate::store::disk::DiskFile;
use crate::store::error::StoreError;

/// The one hand that writes the journal. After any error it writes nothing more: what the kernel does with bytes it
/// could not write is unknown, so only a restart, which reads what is really there, can go on.
pub struct Writer {
    pub(super) shared: Arc<Shared>,
    pub(super) current: Option<(u64, Box<dyn DiskFile>)>,
    pub(super) segment_bytes: u64,
    /// Up to here the current segment's blocks have been written once, with zeros if with nothing else.
    pub(super) prepared: u64,
    pub(super) stopped: bool,
}

/// What was written since the start, for the operator's eyes.
#[derive(Debug, Default)]
pub struct WriteCounts {
    groups: AtomicU64,
    frames: AtomicU64,
    pub(super) bytes: AtomicU64,
    pub(super) syncs: AtomicU64,
    segments: AtomicU64,
}

impl WriteCounts {
    /// Groups written and synced.
    pub fn groups(&self) -> u64 {
        self.groups.load(Ordering::Relaxed)
    }

    /// Frames in them.
    pub fn frames(&self) -> u64 {
        self.frames.load(Ordering::Relaxed)
    }

    /// Bytes given to the disk, segment headers included.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Syncs of files and folders.
    pub fn syncs(&self) -> u64 {
        self.syncs.load(Ordering::Relaxed)
    }

    /// Segments created.
    pub fn segments(&self) -> u64 {
        self.segments.load(Ordering::Relaxed)
    }

    pub(super) fn add(counter: &AtomicU64, count: u64) {
        counter.fetch_add(count, Ordering::Relaxed);
    }
}

impl Writer {
    /// Writes a group after the one before it. When this returns `Ok`, the group survives a power cut. After
    /// [`StoreError::NoRoom`] nothing of it is left, and another may be written at its place.
    pub fn write(&mut self, group: &Group) -> Result<(), StoreError> {
        if self.stopped {
            return Err(StoreError::Stopped);
        }
        let written = match self.write_and_sync(group) {
            // The kernel said at once that it did not take it: unlike after a failed sync, what is there is known.
            Err(error) if error.is_no_room() => {
                tracing::warn!(%error, "a group is taken back");
                self.take_back(group).and(Err(StoreError::NoRoom))
            }
            other => other,
        };
        self.stopped = written.as_ref().is_err_and(|error| !matches!(error, StoreError::NoRoom));
        written
    }

    /// Removes what a group left that found no room. What a power cut would bring back is a torn tail.
    fn take_back(&mut self, group: &Group) -> Result<(), StoreError> {
        let (base, part) = (group.place.segment, Part::plain(group.place.segment));
        self.prepared = self.prepared.min(group.place.start);
        if group.place.new_segment {
            self.current = None;
            self.shared.files.forget(&part);
            return match self.shared.files.disk.remove(&part.path()) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    Err(part.failed("remove")(error))
                }
                _ => Ok(()),
            };
        }
        let (_, file) = self.current.as_ref().expect("the group was for the current segment");
        file.truncate(group.place.start - base).map_err(part.failed("cut"))
    }

    /// The counts, shared with whoever shows them.
    pub fn counts(&self) -> Arc<WriteCounts> {
        Arc::clone(&self.shared.counts)
    }

    fn write_and_sync(&mut self, group: &Group) -> Result<(), StoreError> {
        if group.bytes.is_empty() {
            return Ok(());
        }
        let base = group.place.segment;
        if group.place.after != self.shared.end.load(Ordering::Acquire) {
            return Err(self.out_of_order(group));
        }
        if group.place.new_segment {
            self.current = Some((base, self.create_segment(base)?));
        }
        let file = match &self.current {
            Some((current, file)) if *current == base => file,
            _ => return Err(self.out_of_order(group)),
        };
        let (counts, part) = (&self.shared.counts, Part::plain(base));
        let ahead = bytes_ahead(group, self.prepared.max(group.place.start), base + self.segment_bytes);
        let written = match ahead {
            0 => file.write_at(&group.bytes, group.place.start - base),
            ahead => {
                let mut bytes = group.bytes.clone();
                bytes.resize(bytes.len() + ahead, 0);
                file.write_at(&bytes, group.place.start - base)
            }
        };
        written.map_err(part.failed("write"))?;
        self.prepared = self.prepared.max(group.end().0 + ahead as u64);
        WriteCounts::add(&counts.bytes, (group.bytes.len() + ahead) as u64);
        file.sync_data().map_err(part.failed("sync"))?;
        WriteCounts::add(&counts.syncs, 1);
        WriteCounts::add(&counts.groups, 1);
        WriteCounts::add(&counts.frames, u64::from(group.frames));
        self.shared.end.store(group.end().0, Ordering::Release);
        Ok(())
    }

    /// The header is kept before any group is written behind it: a segment whose header cannot be read and whose rest
    /// is not empty is thereby known to be damaged and not half created.
    fn create_segment(&self, base: u64) -> Result<Box<dyn DiskFile>, StoreError> {
        let (disk, part) = (&self.shared.files.disk, Part::plain(base));
        let file = disk.create(&part.path()).map_err(part.failed("create"))?;
        file.allocate(self.segment_bytes).map_err(part.failed("reserve space for"))?;
        let header = SegmentHeader { base, salt: self.shared.salt, condensed: None }.encode();
        file.write_at(&header, 0).map_err(part.failed("write"))?;
        file.sync_data().map_err(part.failed("sync"))?;
        disk.sync_folder(FOLDER).map_err(|error| StoreError::disk("sync", FOLDER, error))?;
        let counts = &self.shared.counts;
        WriteCounts::add(&counts.bytes, header.len() as u64);
        WriteCounts::add(&counts.syncs, 2);
        WriteCounts::add(&counts.segments, 1);
        self.shared.files.add(base);
        Ok(file)
    }

    fn out_of_order(&self, group: &Group) -> StoreError {
        let end = Pos(self.shared.end.load(Ordering::Acquire));
        StoreError::OutOfOrder { end, group: Pos(group.place.start) }
    }
}

/// How many zeros to write behind a small group that leaves what is prepared. The first write to a reserved block makes
/// the file system write about its extents too, twice the bytes of a small group; to a block that holds zeros it does
/// not. A large group carries that by itself.
fn bytes_ahead(group: &Group, prepared: u64, segment_end: u64) -> usize {
    let end = group.end().0;
    if end <= prepared || group.bytes.len() >= JOURNAL_AHEAD_BYTES / 8 {
        return 0;
    }
    JOURNAL_AHEAD_BYTES.min(segment_end.saturating_sub(end) as usize)
}
