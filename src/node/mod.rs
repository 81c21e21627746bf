//! Floor 3: everything a node can do. A plain synchronous struct behind one writer; it has never heard of a
//! protocol, a socket or a runtime.
//!
//! A method checks, then does: it asks `policy` for a permit and appends Changes. What it appended is seen by the
//! next job at once, by everybody else after the disk has it.

pub mod accounts;
pub mod backup;
pub mod books;
pub mod bridges;
pub mod caller;
pub mod care;
pub mod check;
pub mod clock;
pub mod condense;
pub mod counts;
pub mod devices;
pub mod disk;
pub mod health;
pub mod history;
pub mod import;
mod indexer;
pub mod invitations;
pub mod listing;
pub mod members;
pub mod passwords;
mod permissions;
pub mod post;
pub mod queue;
pub mod reading;
pub mod reply;
pub mod rooms;
pub mod rounds;
pub mod run;
mod scrub;
mod settler;
pub mod start;
pub mod survey;
pub mod system;
pub mod topics;
pub mod trim;
pub mod turning;
pub mod view;

pub use crate::store::index::catalog::Catalog;
pub use books::Books;
pub use caller::Caller;
pub use clock::Clock;
pub use reading::Reading;
pub use run::NodeHandle;

use crate::base::id::Seq;
use crate::base::limits::JOURNAL_GROUP_BYTES_MAX;
use crate::base::time::Moment;
use crate::base::world::World;
use crate::chat::change::{Change, Origin, What};
use crate::chat::policy::Actor;
use crate::chat::refusal::Refusal;
use crate::node::disk::DiskCare;
use crate::node::view::{Batch, View};
use crate::store::error::StoreError;
use crate::store::index::apply::{Follower, Place};
use crate::store::index::kv::{Shelf, Value, Write};
use crate::store::index::settled::Checkpoint;
use crate::store::journal::{self, Appender, AppenderMark, Group, GroupBuilder};
use crate::store::keys::Key;
use crate::store::record::{self, RecordError};
use std::sync::Arc;

/// Words a failure of the store for the caller; the operator reads the rest in the log.
pub fn refuse(error: StoreError) -> Refusal {
    tracing::error!(%error, "the store failed");
    Refusal::StoreFailed
}

/// Who this node is and how often it has started.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Identity {
    /// The node's own number, made at its first start.
    pub node: u64,
    /// This start, counted from 1.
    pub boot: u32,
}

/// A group that has formed, ready for the disk.
pub struct Formed {
    /// The bytes for the journal; `None` when its jobs changed nothing.
    pub group: Option<Group>,
    /// The Changes and what the index has to take.
    pub batch: Arc<Batch>,
    /// How far the journal reaches with it.
    pub reached: Checkpoint,
}

/// The node, as the writer's thread knows it.
pub struct Node {
    world: Arc<dyn World>,
    clock: Arc<Clock>,
    identity: Identity,
    view: View,
    follower: Follower,
    journal: journal::Reader,
    appender: Appender,
    group: Option<GroupBuilder>,
    last: Seq,
    /// Where everything stood before the group that is on its way.
    flown_from: Option<(AppenderMark, Seq)>,
    /// The last Change of the group that is on its way, or was.
    flown: Seq,
    /// The Change that told of this start, once it is appended.
    woken: Option<Seq>,
    disk: Arc<DiskCare>,
    asking: Arc<topics::Asking>,
    /// What the node itself has to do may use the room that is kept free.
    uses_reserve: bool,
}

/// Where the group stood before a job, to take it back.
struct Mark {
    group: journal::GroupMark,
    changes: usize,
    last: Seq,
    clock: clock::State,
}

impl Node {
    /// What time it is.
    pub fn now(&self) -> Moment {
        self.clock.now()
    }

    /// The node's clock.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Time and chance.
    pub fn world(&self) -> &dyn World {
        &*self.world
    }

    /// Who the caller is at this place in the order.
    pub fn actor(&self, caller: &Caller) -> Result<Actor, Refusal> {
        caller::actor(&self.view, caller, self.now())
    }

    /// The place the next Change will have.
    fn next_seq(&self) -> Seq {
        self.last.next()
    }

    /// Puts a Change at the end of the order. Callers hold the permit for it: see the methods of this folder.
    fn append(&mut self, what: What) -> Result<Seq, Refusal> {
        let taken = if self.uses_reserve { !self.disk.is_shut() } else { self.disk.takes(&what) };
        if !taken {
            return Err(Refusal::DiskFull);
        }
        let seq = self.next_seq();
        let origin = Origin { node: self.identity.node, seq, moment: self.now() };
        let change = Change { seq, origin, what };
        let mut bytes = Vec::with_capacity(256);
        record::change::encode(&change, &mut bytes).map_err(|error| match error {
            RecordError::TooLarge { max } => Refusal::TooLarge { what: "what would be stored", max },
            error => refuse(error.into()),
        })?;
        let before = self.appender.end();
        let group = self.group.as_mut().expect("transact begins the group before the job");
        if !group.fits(bytes.len()) {
            return Err(Refusal::TooLarge { what: "one request's changes", max: JOURNAL_GROUP_BYTES_MAX });
        }
        let place = Place { pos: group.push(seq.0, &bytes), group: before };
        let writes = self.follower.follow(&self.view, &change, place).map_err(refuse)?;
        self.view.lay(writes);
        self.clock.note_made(&change.what);
        self.view.forming.changes.push((place.pos, Arc::new(change)));
        self.last = seq;
        Ok(seq)
    }

    /// Writes to the index without a Change. Only for what the next start would find out and write again by itself: no
    /// replay of the journal repeats it.
    pub fn amend(&mut self, writes: Vec<Write>) {
        self.view.lay(writes);
    }

    /// Runs a job: all of its Changes stay, or none when it is refused. The clock is looked at first.
    /// Has a new segment begin with the next group.
    pub fn seal_segment(&mut self) {
        self.appender.seal();
    }

    /// Runs a job: all of its Changes stay, or none when it is refused.
    pub fn transact<T>(&mut self, job: impl FnOnce(&mut Node) -> Result<T, Refusal>) -> Result<T, Refusal> {
        self.look_at_clock();
        self.run_job(job)
    }

    fn run_job<T>(&mut self, job: impl FnOnce(&mut Node) -> Result<T, Refusal>) -> Result<T, Refusal> {
        let appender = &mut self.appender;
        let mark = Mark {
            group: self.group.get_or_insert_with(|| appender.begin()).mark(),
            changes: self.view.forming.changes.len(),
            last: self.last,
            clock: self.clock.state(),
        };
        let answer = self.rouse().and_then(|()| job(self));
        match &answer {
            Ok(_) => self.view.keep(),
            Err(_) => self.take_back(mark),
        }
        answer
    }

    fn take_back(&mut self, mark: Mark) {
        self.view.job = Default::default();
        self.clock.take_back(mark.clock);
        if self.last == mark.last {
            return;
        }
        self.view.forming.changes.truncate(mark.changes);
        self.last = mark.last;
        self.follower.forget();
        if let Some(group) = &mut self.group {
            group.truncate(mark.group);
        }
    }

    /// Does something with the room that is kept free.
    fn with_reserve<T>(&mut self, job: impl FnOnce(&mut Node) -> Result<T, Refusal>) -> Result<T, Refusal> {
        let before = std::mem::replace(&mut self.uses_reserve, true);
        let answer = job(self);
        self.uses_reserve = before;
        answer
    }

    /// Tells of this start, unless that was done: a start on a full disk serves readers before it can.
    fn rouse(&mut self) -> Result<(), Refusal> {
        match self.woken.is_some_and(|woken| woken <= self.last) {
            true => Ok(()),
            false => self.with_reserve(Node::wake),
        }
    }

    /// The group on its way found no room: it, and what formed on top of it, never was.
    pub fn take_back_flight(&mut self) {
        let Some((mark, last)) = self.flown_from.take() else { return };
        self.group = None;
        self.view.job = Default::default();
        self.view.forming = Batch::default();
        self.view.flying = Arc::default();
        self.appender.rewind(mark);
        (self.last, self.flown) = (last, last);
        self.follower.forget();
    }

    /// Bytes of the group that is forming.
    pub fn forming_bytes(&self) -> usize {
        self.group.as_ref().map_or(0, GroupBuilder::len_bytes)
    }

    /// Hands over the group that has formed; from now on it is on its way.
    pub fn hand_over(&mut self) -> Formed {
        let batch = Arc::new(std::mem::take(&mut self.view.forming));
        self.flown_from = Some((self.appender.mark(), std::mem::replace(&mut self.flown, self.last)));
        let group = match self.group.take() {
            Some(group) if group.frames() > 0 => Some(self.appender.finish(group)),
            Some(_) | None => None,
        };
        self.view.flying = batch.clone();
        let end = self.appender.end();
        Formed { group, batch, reached: Checkpoint { end, seq: self.last } }
    }
}

impl Shelf for Node {
    fn get(&self, key: &[u8]) -> Result<Option<Value>, StoreError> {
        self.view.get(key)
    }

    fn scan(&self, from: &[u8], to: &[u8], max: usize) -> Result<Vec<(Key, Value)>, StoreError> {
        self.view.scan(from, to, max)
    }
}
