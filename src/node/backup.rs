//! A backup of everything, taken while the node goes on; and what it shares with other things that leave the node as a
//! file: they come in pieces, and whoever takes them sets the pace.

use crate::base::time::WallMs;
use crate::chat::policy::{self, MayBackUp, MayRead};
use crate::chat::refusal::Refusal;
use crate::chat::room::Room;
use crate::node::caller::Caller;
use crate::node::{Catalog, NodeHandle, Reading, refuse};
use crate::store::backup::{Head, Tally, Writing};
use std::sync::Arc;

/// Something that leaves the node piece by piece.
pub trait Pieces: Send {
    /// The next bytes, some tens of KiB; `None` at the end. A refusal ends it: what came so far is not whole.
    fn next_piece(&mut self) -> Result<Option<Vec<u8>>, Refusal>;

    /// What is in it so far.
    fn carried(&self) -> Carried;
}

/// What left the node, counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Carried {
    /// Changes of a backup, messages of an export.
    pub entries: u64,
    /// The last sequence in it.
    pub last_seq: u64,
    /// Stretches of the journal that could not be read.
    pub damaged: u64,
    /// The first few of them, in words.
    pub damage: Vec<String>,
}

/// Which rooms are to leave, how and from when.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExportOrder {
    /// Names or ids; all that have a name when empty.
    pub rooms: Vec<String>,
    /// The word of a format, which only doors know.
    pub format: String,
    /// Only messages of this time or later.
    pub since: Option<WallMs>,
    /// Only messages of this time or before.
    pub until: Option<WallMs>,
}

/// Begins an export in somebody's name. Doors do not know each other, so whoever wires them hands this one around.
pub type Exporter = fn(&NodeHandle, &Caller, &ExportOrder) -> Result<Box<dyn Pieces>, Refusal>;

/// A backup on its way.
pub struct Backup(Writing);

impl Backup {
    /// What its beginning says.
    pub fn head(&self) -> &Head {
        self.0.head()
    }
}

impl Pieces for Backup {
    fn next_piece(&mut self) -> Result<Option<Vec<u8>>, Refusal> {
        self.0.next_piece().map_err(refuse)
    }

    fn carried(&self) -> Carried {
        let Tally { changes, last_seq, damaged, damage, .. } = self.0.tally();
        let damage = damage.iter().map(ToString::to_string).collect();
        Carried { entries: *changes, last_seq: *last_seq, damaged: *damaged, damage }
    }
}

impl Reading {
    /// The caller's right to take everything along. Asked again while a backup goes out, it ends with the right.
    pub fn may_back_up(&self, caller: &Caller) -> Result<MayBackUp, Refusal> {
        policy::may_back_up(&self.actor(caller)?)
    }

    /// The caller's right to take what was said in a room along.
    pub fn may_export(&self, caller: &Caller, room: &Room) -> Result<MayRead, Refusal> {
        let actor = self.actor(caller)?;
        let membership = self.membership(&room.id, &actor.user.id).map_err(refuse)?;
        policy::may_export(&actor, room, membership.as_ref(), *caller == Caller::Operator)
    }

    /// A room by id or name, if the caller may take it along.
    pub fn exported_room(&self, caller: &Caller, name: &str) -> Result<(Arc<Room>, MayRead), Refusal> {
        let room = self.room_by(name)?;
        let permit = self.may_export(caller, &room)?;
        Ok((room, permit))
    }

    /// A room by id or name, if the caller may bring messages into it that were said elsewhere.
    pub fn imported_room(&self, caller: &Caller, name: &str) -> Result<Arc<Room>, Refusal> {
        let room = self.room_by(name)?;
        let actor = self.actor(caller)?;
        let membership = self.membership(&room.id, &actor.user.id).map_err(refuse)?;
        let is_operator = *caller == Caller::Operator;
        policy::may_import(&actor, &room, membership.as_ref(), is_operator).map(|_| room)
    }

    /// Bytes of the journal: a backup takes no more.
    pub fn journal_bytes(&self) -> u64 {
        self.journal.segments().iter().map(|segment| segment.bytes).sum()
    }

    /// Begins a backup: everything that was acknowledged before this is in it. `test_mode` says that the accounts have
    /// passwords that everybody knows.
    pub fn back_up(&self, _permit: &MayBackUp, test_mode: bool) -> Result<Backup, Refusal> {
        let pin = self.journal.pin();
        let (reached, now) = (self.settled.reached(), self.now());
        let mut salt = [0u8; 8];
        self.world.fill(&mut salt);
        let head = Head {
            salt: u64::from_le_bytes(salt),
            node: self.node_number()?,
            created: now.wall_ms,
            trusted: now.trusted,
            last_seq: reached.seq.0,
            test_mode,
            version: env!("CARGO_PKG_VERSION").into(),
        };
        Ok(Backup(Writing::begin(&self.journal, pin, reached.end, head)))
    }
}
