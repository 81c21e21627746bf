//! Finds the segment files of a journal, and which of them stand for what others stood for before.

use std::cmp::Reverse;
use std::sync::Arc;

use super::FOLDER;
use super::files::{Files, Part};
use super::segment::{self, SegmentHeader};
use crate::store::disk::Disk;
use crate::store::error::StoreError;

/// The files there are, and those that were written anew and cannot tell what they stand for although what they
/// replaced is still there.
///
/// The names that are there are kept from now on: a process that was killed may have left them unsynced.
pub(super) fn find_segments(disk: Arc<dyn Disk>) -> Result<(Files, Vec<Part>), StoreError> {
    let names = (|| {
        disk.create_folder(FOLDER)?;
        disk.sync_folder("")?;
        disk.sync_folder(FOLDER)?;
        let names = disk.list(FOLDER)?;
        for name in names.iter().filter(|name| segment::is_unfinished(name)) {
            disk.remove(&format!("{FOLDER}/{name}"))?;
        }
        Ok(names)
    })()
    .map_err(|error| StoreError::disk("open", FOLDER, error))?;
    let named = names.iter().filter_map(|name| segment::named(name));
    let mut parts: Vec<Part> =
        named.map(|(base, generation)| Part { generation, ..Part::plain(base) }).collect();
    // The newest generation first: it takes the place of whatever else begins in its stretch.
    parts.sort_unstable_by_key(|part| (Reverse(part.generation), part.base));
    let files = Files::new(Arc::clone(&disk), Vec::new(), Vec::new());
    for part in parts.iter_mut().filter(|part| part.generation > 0) {
        part.condensed = header(&files, part)?.and_then(|header| header.condensed);
        part.until = part.condensed.map(|condensed| condensed.until);
    }
    let (current, replaced, unreadable) = sort_out(&parts);
    Ok((Files::new(disk, current, replaced), unreadable))
}

fn sort_out(parts: &[Part]) -> (Vec<Part>, Vec<Part>, Vec<Part>) {
    let (mut current, mut replaced, mut unreadable) = (Vec::<Part>::new(), Vec::new(), Vec::new());
    for part in parts {
        let covers =
            |newer: &&Part| newer.base <= part.base && newer.until.is_some_and(|until| part.base < until);
        let has_former = |former: &Part| former.base == part.base && former.generation < part.generation;
        if let Some(newer) = current.iter().find(covers) {
            let until = part.until.or_else(|| end_of(part, newer, parts));
            replaced.push(Part { until, ..*part });
        } else if part.generation > 0 && part.condensed.is_none() && parts.iter().any(has_former) {
            unreadable.push(*part);
        } else {
            current.push(*part);
        }
    }
    current.sort_unstable_by_key(|part| part.base);
    (current, replaced, unreadable)
}

/// Where a plain segment ended that a newer one has replaced: where the next plain one begins, or the newer one ends.
fn end_of(part: &Part, newer: &Part, parts: &[Part]) -> Option<u64> {
    let plain = parts.iter().filter(|other| other.generation == 0 && other.base > part.base);
    plain.map(|other| other.base).chain(newer.until).min()
}

/// A segment's header, if it can be read and is this segment's.
pub(super) fn header(files: &Files, part: &Part) -> Result<Option<SegmentHeader>, StoreError> {
    let header = SegmentHeader::read(files.file(part)?.as_ref()).map_err(part.failed("read"))?;
    Ok(header.filter(|header| {
        let generation = header.condensed.map_or(0, |condensed| condensed.generation);
        (header.base, generation) == (part.base, part.generation)
    }))
}
