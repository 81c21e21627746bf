//! Makes a backup, a piece at a time: whoever wants one takes the pieces and puts them where they belong, as fast or as
//! slow as that place takes them. The node goes on meanwhile.

use super::form::{self, SHA_BYTES};
use super::{Head, Kind, Tally};
use crate::base::limits::{BACKUP_CHUNK_BYTES, BACKUP_DAMAGE_LISTED_MAX};
use crate::store::error::StoreError;
use crate::store::journal::{Frame, Pin, Pos, Reader, Scan};
use sha2::{Digest, Sha256};

/// A backup that is being made.
pub struct Writing {
    head: Head,
    /// Nothing is written anew while it is read.
    _pin: Pin,
    scan: Scan,
    /// A Change that had no room in the piece before.
    kept: Option<Frame>,
    next: Next,
    number: u64,
    sha: Sha256,
    tally: Tally,
}

/// What the next piece is.
enum Next {
    Heads,
    Changes,
    End,
    Nothing,
}

impl Writing {
    /// Begins a backup of everything in the journal up to `end`, where the head's last sequence is. The pin was taken
    /// before that place was asked for.
    pub fn begin(journal: &Reader, pin: Pin, end: Pos, head: Head) -> Writing {
        Writing {
            head,
            _pin: pin,
            scan: journal.scan(Pos(0), end),
            kept: None,
            next: Next::Heads,
            number: 0,
            sha: Sha256::new(),
            tally: Tally::default(),
        }
    }

    /// The next bytes of the backup, some [`BACKUP_CHUNK_BYTES`]; `None` when it is whole. After an error it never will be.
    pub fn next_piece(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        match self.next {
            Next::Heads => {
                self.next = Next::Changes;
                let body = form::head_body(&self.head);
                let mut piece = self.frame(Kind::Head, &body);
                piece.extend(self.frame(Kind::Head, &body));
                Ok(Some(piece))
            }
            Next::Changes => match self.changes()? {
                Some(body) => Ok(Some(self.frame(Kind::Changes, &body))),
                None => {
                    self.next = Next::End;
                    self.next_piece()
                }
            },
            Next::End => {
                self.next = Next::Nothing;
                let sha: [u8; SHA_BYTES] = std::mem::take(&mut self.sha).finalize().into();
                Ok(Some(self.frame(Kind::End, &form::end_body(&self.tally, &sha))))
            }
            Next::Nothing => Ok(None),
        }
    }

    /// What is in it so far.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// What its beginning says.
    pub fn head(&self) -> &Head {
        &self.head
    }

    fn frame(&mut self, kind: Kind, body: &[u8]) -> Vec<u8> {
        let bytes = form::frame(kind, self.number, self.head.salt, body);
        self.number += 1;
        self.sha.update(&bytes);
        bytes
    }

    /// The body of the next chunk; `None` when there are no more Changes.
    fn changes(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        let mut body = Vec::with_capacity(BACKUP_CHUNK_BYTES);
        body.extend_from_slice(&self.tally.changes.to_le_bytes());
        let empty = body.len();
        while let Some(frame) = self.next_frame()? {
            if body.len() > empty && body.len() + form::change_bytes(&frame.payload) > BACKUP_CHUNK_BYTES {
                self.kept = Some(frame);
                break;
            }
            form::push_change(&mut body, frame.seq, &frame.payload);
            self.tally.changes += 1;
            self.tally.bytes += frame.payload.len() as u64;
            self.tally.last_seq = frame.seq;
        }
        Ok((body.len() > empty).then_some(body))
    }

    /// The next Change that can be read. What cannot be is passed over and counted: a backup of the rest is better than
    /// none, and says so.
    fn next_frame(&mut self) -> Result<Option<Frame>, StoreError> {
        if let Some(frame) = self.kept.take() {
            return Ok(Some(frame));
        }
        loop {
            match self.scan.next().transpose() {
                Ok(found) => return Ok(found.map(|(_, frame)| frame)),
                Err(StoreError::Damaged(damage)) => {
                    self.tally.damaged += 1;
                    if self.tally.damage.len() < BACKUP_DAMAGE_LISTED_MAX {
                        self.tally.damage.push(damage);
                    }
                }
                Err(error) => return Err(error),
            }
        }
    }
}
