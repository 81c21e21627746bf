//! Reads a backup from front to back and holds every byte of it against its checksums.

use super::form::{self, Chunk, FRAME_HEADER_BYTES, FrameHeader, HEAD_FRAME_BYTES, MAGIC, MARK};
use super::{BackupError, Head, Kind, Tally};
use crate::base::limits::{BACKUP_DAMAGE_LISTED_MAX, BACKUP_FRAME_BYTES_MAX, BACKUP_READ_BYTES};
use sha2::{Digest, Sha256};
use std::io::{self, Read};

/// What is done about damage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Anything that is not as it was written is an error.
    Whole,
    /// What can be read is taken; the rest is passed over and named.
    Salvage,
}

/// A stretch of a backup that was passed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    /// Its first byte.
    pub from: u64,
    /// The first byte after it.
    pub to: u64,
}

/// What reading a backup to its end found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outcome {
    /// What its beginning says.
    pub head: Head,
    /// What was read from it; the damage is what its maker named.
    pub read: Tally,
    /// Changes that were in it once and cannot be read; `None` when its end is missing too and nobody can tell.
    pub missing: Option<u64>,
    /// Stretches that were passed over.
    pub gaps: u64,
    /// The first few of them.
    pub listed: Vec<Gap>,
}

impl Outcome {
    /// Whether everything that was ever in it was read.
    pub fn is_whole(&self) -> bool {
        self.gaps == 0 && self.missing == Some(0)
    }
}

/// A frame whose checksums fit.
struct Found {
    header: FrameHeader,
    at: u64,
    /// Where its body lies in the buffer.
    body: std::ops::Range<usize>,
}

/// A backup that is being read.
pub struct Source<R> {
    input: R,
    mode: Mode,
    /// What was read and not yet dealt with lies from `start` on.
    bytes: Vec<u8>,
    start: usize,
    /// The place of `start` in the backup.
    at: u64,
    sha: Sha256,
    frames: u64,
    ended: bool,
    outcome: Outcome,
}

impl<R: Read> Source<R> {
    /// Reads the beginning of a backup.
    pub fn open(input: R, mode: Mode) -> Result<Source<R>, BackupError> {
        let mut source = Source {
            input,
            mode,
            bytes: Vec::new(),
            start: 0,
            at: 0,
            sha: Sha256::new(),
            frames: 0,
            ended: false,
            outcome: Outcome::default(),
        };
        source.read_head()?;
        Ok(source)
    }

    /// What its beginning says.
    pub fn head(&self) -> &Head {
        &self.outcome.head
    }

    /// Gives the next Changes, each with its sequence, in order; false when there are no more.
    pub fn next_changes(
        &mut self,
        mut take: impl FnMut(u64, &[u8]) -> Result<(), BackupError>,
    ) -> Result<bool, BackupError> {
        while let Some(found) = self.next_frame()? {
            match found.header.kind {
                Kind::Head => self.is_the_second_head(&found)?,
                // Nothing writes them yet, so none of this format has any.
                Kind::Blob if self.mode == Mode::Salvage => self.pass(&found),
                Kind::Blob => {
                    return Err(self.damaged(found.at, "it holds uploads, which this version has not"));
                }
                Kind::End => self.end(&found)?,
                Kind::Changes => {
                    let body = self.bytes[found.body.clone()].to_vec();
                    self.pass(&found);
                    self.give(found.at, &body, &mut take)?;
                    return Ok(true);
                }
            }
        }
        if !self.ended {
            if self.mode == Mode::Whole {
                return Err(BackupError::Cut { at: self.at });
            }
            self.outcome.missing = None;
        }
        Ok(false)
    }

    /// What reading it found, once [`Source::next_changes`] has said that there is no more.
    pub fn finish(self) -> Outcome {
        self.outcome
    }

    /// The first head; the second one when the first is damaged and that is no reason to stop.
    fn read_head(&mut self) -> Result<(), BackupError> {
        let Some(found) = self.next_frame()? else { return Err(BackupError::NotABackup) };
        match form::head(&self.bytes[found.body.clone()]) {
            Some(Ok(head)) if found.header.kind == Kind::Head => self.outcome.head = head,
            Some(Err(format)) => return Err(BackupError::Newer { format }),
            _ => return Err(BackupError::NotABackup),
        }
        self.pass(&found);
        Ok(())
    }

    fn is_the_second_head(&mut self, found: &Found) -> Result<(), BackupError> {
        let head = form::head(&self.bytes[found.body.clone()]);
        let same =
            head.is_some_and(|head| head.as_ref() == Ok(&self.outcome.head)) && found.header.number == 1;
        if !same {
            return Err(self.damaged(found.at, "a second beginning is in it"));
        }
        self.pass(found);
        Ok(())
    }

    fn give(
        &mut self,
        at: u64,
        body: &[u8],
        take: &mut impl FnMut(u64, &[u8]) -> Result<(), BackupError>,
    ) -> Result<(), BackupError> {
        let Some(Chunk { before, changes }) = form::changes(body) else {
            return Err(self.damaged(at, "its Changes do not add up"));
        };
        let read = &mut self.outcome.read;
        let known = read.changes + self.outcome.missing.unwrap_or(0);
        if before < known || (self.mode == Mode::Whole && before != known) {
            return Err(self.damaged(at, "its Changes are not counted on from those before"));
        }
        self.outcome.missing = Some(before - read.changes);
        for (seq, payload) in changes {
            if seq <= read.last_seq {
                return Err(self.damaged(at, "its sequence does not rise"));
            }
            take(seq, payload)?;
            read.last_seq = seq;
            read.changes += 1;
            read.bytes += payload.len() as u64;
        }
        Ok(())
    }

    fn end(&mut self, found: &Found) -> Result<(), BackupError> {
        let Some((said, sha)) = form::end(&self.bytes[found.body.clone()]) else {
            return Err(self.damaged(found.at, "its end record does not add up"));
        };
        let whole: [u8; 32] = self.sha.clone().finalize().into();
        let read = &self.outcome.read;
        if self.mode == Mode::Whole {
            let counted =
                (read.changes, read.bytes, read.last_seq) == (said.changes, said.bytes, said.last_seq);
            if !counted || said.last_seq > self.outcome.head.last_seq {
                return Err(self.damaged(found.at, "it counts other Changes than are in it"));
            }
            if whole != sha {
                return Err(self.damaged(found.at, "the checksum of the whole does not fit"));
            }
        }
        self.outcome.missing = Some(said.changes.saturating_sub(read.changes));
        self.outcome.read = Tally {
            damaged: said.damaged,
            damage: said.damage,
            blobs: said.blobs,
            ..self.outcome.read.clone()
        };
        self.pass(found);
        self.ended = true;
        Ok(())
    }

    fn damaged(&self, at: u64, what: &'static str) -> BackupError {
        BackupError::Damaged { at, what }
    }

    /// The next frame whose checksums fit; `None` at the end of the input.
    fn next_frame(&mut self) -> Result<Option<Found>, BackupError> {
        let mut gap: Option<u64> = None;
        loop {
            let held = self.fill(FRAME_HEADER_BYTES)?;
            if self.ended && held > 0 {
                return self.after_the_end();
            }
            if held == 0 {
                self.note(gap);
                return Ok(None);
            }
            if let Some(found) = self.frame_here(held, gap.is_some())? {
                self.note(gap);
                return Ok(Some(found));
            }
            if self.mode == Mode::Whole {
                return Err(self.why_no_frame()?);
            }
            gap.get_or_insert(self.at);
            self.skip_to_mark()?;
        }
    }

    /// The frame that begins here, if one does.
    fn frame_here(&mut self, held: usize, after_gap: bool) -> Result<Option<Found>, BackupError> {
        let salt = self.outcome.head.salt;
        let here = &self.bytes[self.start..self.start + held];
        let Some(header) = FrameHeader::decode(here, salt) else { return Ok(None) };
        // A head's checksum has no salt, so anybody could write one into a message: it counts only in its place.
        if header.kind == Kind::Head && header.number.checked_mul(HEAD_FRAME_BYTES as u64) != Some(self.at) {
            return Ok(None);
        }
        let follows = header.number == self.frames;
        let later = header.number > self.frames && (after_gap || self.mode == Mode::Salvage);
        let length = FRAME_HEADER_BYTES + header.body_bytes;
        if !(follows || later) || self.fill(length)? < length {
            return Ok(None);
        }
        let body = self.start + FRAME_HEADER_BYTES..self.start + length;
        let fits = header.check(&self.bytes[body.clone()], salt);
        Ok(fits.then_some(Found { header, at: self.at, body }))
    }

    /// Why a whole backup goes no further here.
    fn why_no_frame(&mut self) -> Result<BackupError, BackupError> {
        if self.frames == 0 {
            let held = self.fill(HEAD_FRAME_BYTES)?;
            let magic = self.bytes[self.start..].get(FRAME_HEADER_BYTES..FRAME_HEADER_BYTES + MAGIC.len());
            return Ok(match magic {
                Some(magic) if *magic == MAGIC && held < HEAD_FRAME_BYTES => BackupError::Cut { at: 0 },
                Some(magic) if *magic == MAGIC => {
                    BackupError::Damaged { at: 0, what: "a checksum of its beginning does not fit" }
                }
                _ => BackupError::NotABackup,
            });
        }
        let salt = self.outcome.head.salt;
        let header = FrameHeader::decode(&self.bytes[self.start..], salt);
        let wanted = FRAME_HEADER_BYTES + header.map_or(0, |header| header.body_bytes);
        if self.fill(wanted)? < wanted {
            return Ok(BackupError::Cut { at: self.at });
        }
        Ok(BackupError::Damaged { at: self.at, what: "a checksum does not fit" })
    }

    fn after_the_end<T>(&mut self) -> Result<Option<T>, BackupError> {
        if self.mode == Mode::Whole {
            return Err(BackupError::Followed { at: self.at });
        }
        Ok(None)
    }

    /// Notes what was passed over up to here.
    fn note(&mut self, gap: Option<u64>) {
        let Some(from) = gap else { return };
        self.outcome.gaps += 1;
        if self.outcome.listed.len() < BACKUP_DAMAGE_LISTED_MAX {
            self.outcome.listed.push(Gap { from, to: self.at });
        }
    }

    /// Goes on to the next bytes that may begin a frame.
    fn skip_to_mark(&mut self) -> Result<(), BackupError> {
        self.skip(1);
        loop {
            let held = self.fill(MARK.len())?;
            if held < MARK.len() {
                self.skip(held);
                return Ok(());
            }
            let ahead = &self.bytes[self.start..];
            match ahead.windows(MARK.len()).position(|window| window == MARK) {
                Some(place) => {
                    self.skip(place);
                    return Ok(());
                }
                // The last bytes may be the beginning of one.
                None => self.skip(ahead.len() - (MARK.len() - 1)),
            }
        }
    }

    fn skip(&mut self, count: usize) {
        self.start += count;
        self.at += count as u64;
    }

    fn pass(&mut self, found: &Found) {
        let length = FRAME_HEADER_BYTES + found.header.body_bytes;
        self.sha.update(&self.bytes[self.start..self.start + length]);
        self.frames = found.header.number + 1;
        self.skip(length);
    }

    /// Has at least so many bytes ready, fewer only at the end of the input. Says how many are.
    fn fill(&mut self, count: usize) -> io::Result<usize> {
        debug_assert!(count <= FRAME_HEADER_BYTES + BACKUP_FRAME_BYTES_MAX, "frames are bounded");
        if self.start > BACKUP_READ_BYTES {
            self.bytes.drain(..self.start);
            self.start = 0;
        }
        while self.bytes.len() - self.start < count {
            let held = self.bytes.len();
            self.bytes.resize(held + BACKUP_READ_BYTES, 0);
            let read = self.input.read(&mut self.bytes[held..]);
            self.bytes.truncate(held + *read.as_ref().unwrap_or(&0));
            match read {
                Ok(0) => break,
                Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
                _ => {}
            }
        }
        Ok((self.bytes.len() - self.start).min(count))
    }
}
