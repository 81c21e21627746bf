//! A node on a simulated disk, driven by hand: no thread, no runtime, so that a seed gives the same life again.

use linnet::base::world::{SimWorld, World};
use linnet::chat::message::Draft;
use linnet::chat::name::{Name, Text};
use linnet::chat::refusal::Refusal;
use linnet::chat::user::{Role, Roles, User};
use linnet::node::accounts::NewUser;
use linnet::node::condense::{GivenBack, Hands, Job, Scope, condense};
use linnet::node::rounds::Rounds;
use linnet::node::start::{StartReport, start};
use linnet::node::{Caller, Node, run::Parts};
use linnet::store::disk::{Disk, SimDisk};
use linnet::store::error::StoreError;
use linnet::store::index::kv::Kv;
use linnet::store::index::memory::MemoryKv;
use linnet::store::journal::Options;
use std::sync::Arc;

/// A node and what it stands on.
pub struct Life {
    pub world: Arc<SimWorld>,
    pub disk: SimDisk,
    pub index: MemoryKv,
    pub parts: Parts,
    pub report: StartReport,
}

impl Life {
    /// A node on an empty disk.
    pub fn begin(seed: u64) -> Life {
        let world = Arc::new(SimWorld::new(seed));
        Life::open(world, SimDisk::new(seed), MemoryKv::default()).unwrap()
    }

    /// A node on what this disk and index hold.
    pub fn open(world: Arc<SimWorld>, disk: SimDisk, index: MemoryKv) -> Result<Life, StoreError> {
        let on: Arc<dyn Disk> = Arc::new(disk.clone());
        let kv = Box::new(index.clone());
        Life::open_on(world, disk, index, on, kv)
    }

    /// A node on what this disk and index hold, reached through `on` and `kv`, which may fail or count.
    pub fn open_on(
        world: Arc<SimWorld>,
        disk: SimDisk,
        index: MemoryKv,
        on: Arc<dyn Disk>,
        kv: Box<dyn Kv>,
    ) -> Result<Life, StoreError> {
        let options = Options { segment_bytes: 16 * 1024, ..Options::default() };
        let shared: Arc<dyn World> = world.clone();
        let (parts, report) = start(on, kv, shared, options)?;
        Ok(Life { world, disk, index, parts, report })
    }

    /// Runs one job, and its group to the disk. An error of the store is a refusal, as for a caller.
    pub fn call<T>(&mut self, job: impl FnOnce(&mut Node) -> Result<T, Refusal>) -> Result<T, Refusal> {
        let answer = self.parts.node.transact(job)?;
        self.settle().map_err(|_| Refusal::StoreFailed)?;
        Ok(answer)
    }

    /// Takes the group that has formed to the disk.
    pub fn settle(&mut self) -> Result<(), StoreError> {
        settle(&mut self.parts)
    }

    /// Condenses in this one thread.
    pub fn condense(&mut self, scope: Scope) -> Result<GivenBack, StoreError> {
        let reading = self.parts.reading.clone();
        condense(&reading, &mut Own(&mut self.parts), scope)
    }

    /// One look of the care for the disk, in this one thread.
    pub fn look(&mut self, rounds: &mut Rounds) -> Result<GivenBack, StoreError> {
        let reading = self.parts.reading.clone();
        rounds.look(&reading, &mut Own(&mut self.parts))
    }

    /// A user of the cast, with a session.
    pub fn user(&mut self, name: &'static str, roles: &[Role]) -> (Arc<User>, Caller) {
        let mut new = NewUser::person(Name::fixed(name), name, "".into());
        new.roles = Roles::of(roles);
        self.call(|node| {
            let user = node.add_user(&Caller::Operator, new)?;
            let (token, _) = node.open_session(&user.id)?;
            Ok((user, Caller::with_token(&token)))
        })
        .unwrap()
    }

    /// Stops cleanly and starts again.
    pub fn restart(self) -> Life {
        self.parts.settled.checkpoint().unwrap();
        Life::open(self.world, self.disk, self.index).unwrap()
    }
}

/// Takes the group that has formed to the disk.
fn settle(parts: &mut Parts) -> Result<(), StoreError> {
    let formed = parts.node.hand_over();
    match &formed.group {
        Some(group) => parts.writer.write(group)?,
        None if formed.batch.layer.is_empty() => return Ok(()),
        None => {}
    }
    parts.settled.settle(&formed.batch.layer, formed.reached);
    let changes: Vec<_> = formed.batch.changes.iter().map(|(_, change)| change.clone()).collect();
    parts.hub.settle(&changes);
    Ok(())
}

/// Does what condensing asks in the one thread there is.
struct Own<'a>(&'a mut Parts);

impl Hands for Own<'_> {
    fn job(&mut self, job: Job) -> Result<(), StoreError> {
        self.0.node.transact(job).map_err(|_| StoreError::Broken)?;
        settle(self.0)
    }

    fn breathe(&mut self) -> Result<(), StoreError> {
        Ok(())
    }

    fn let_readers_finish(&mut self) {}
}

/// A message of these words.
pub fn words(text: &str) -> Draft {
    Draft { text: Text::parse(text).unwrap(), ..Draft::default() }
}
