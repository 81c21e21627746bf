//! A backup of everything, taken while the node goes on; and what it shares with other things that leave the node as a
//! file: they come in pieces, and whoever takes them sets the pace.

use crate::chat::policy::{self, MayBackUp};
use crate::chat::refusal::Refusal;
use crate::node::caller::Caller;
use crate::node::{Reading, refuse};
use crate::store::backup::{Head, Tally, Writing};

/// Something that leaves the node piece by piece.
pub trait Pieces: Send {
    /// The next bytes, some tens of KiB; `None` at the end. A refusal ends it: what came so far is not whole.
    fn next_piece(&mut self) -> Result<Option<Vec<u8>>, Refusal>;
}

/// A backup on its way.
pub struct Backup(Writing);

impl Backup {
    /// What its beginning says.
    pub fn head(&self) -> &Head {
        self.0.head()
    }

    /// What is in it so far.
    pub fn tally(&self) -> &Tally {
        self.0.tally()
    }
}

impl Pieces for Backup {
    fn next_piece(&mut self) -> Result<Option<Vec<u8>>, Refusal> {
        self.0.next_piece().map_err(refuse)
    }
}

impl Reading {
    /// The caller's right to take everything along. Asked again while a backup goes out, it ends with the right.
    pub fn may_back_up(&self, caller: &Caller) -> Result<MayBackUp, Refusal> {
        policy::may_back_up(&self.actor(caller)?)
    }

    /// Begins a backup: everything that was acknowledged before this is in it. `test_mode` says that the accounts have
    /// passwords that everybody knows.
    pub fn back_up(&self, _permit: &MayBackUp, test_mode: bool) -> Result<Backup, Refusal> {
        let reached = self.settled.reached();
        let mut salt = [0u8; 8];
        self.world.fill(&mut salt);
        let head = Head {
            salt: u64::from_le_bytes(salt),
            node: self.node_number()?,
            created: self.world.wall_ms(),
            trusted: self.world.wall_trusted(),
            last_seq: reached.seq.0,
            test_mode,
            version: env!("CARGO_PKG_VERSION").into(),
        };
        Ok(Backup(Writing::begin(&self.journal, reached.end, head)))
    }
}
