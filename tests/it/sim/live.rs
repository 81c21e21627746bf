//! One simulated life: starts, each ended by a misfortune or a clean stop, and between them whatever people do.

use super::act::{Crowd, Told};
use super::chance::Chance;
use super::check;
use super::clocks::TRUTH_BEGINS_MS;
use super::ear::{Ear, Slip};
use super::listen::relay;
use super::model::Model;
use crate::harness::kv::{Watch, WatchedKv};
use crate::harness::life::Life;
use crate::journal::crash::Lazy;
use linnet::base::id::MessageId;
use linnet::base::world::SimWorld;
use linnet::chat::change::{Change, What};
use linnet::chat::message::Message;
use linnet::chat::name::Name;
use linnet::chat::user::{Role, Roles};
use linnet::delivery::{Bounds, Hub};
use linnet::node::accounts::NewUser;
use linnet::node::reading::Granted;
use linnet::node::run::Parts;
use linnet::node::{Caller, Node};
use linnet::store::disk::{Disk, SimDisk};
use linnet::store::index::memory::MemoryKv;
use linnet::store::index::settled::Settled;
use linnet::store::journal::Writer;
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

/// What is wrong with the node of this life; the model must notice every one but the first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    None,
    /// The disk's syncs do nothing.
    NoSync,
    /// Callers are told before the group is written.
    EarlyReply,
    /// A listener's cursor leaves an event out.
    SkippedEvent,
    /// A listener's cursor gives an event twice.
    RepeatedEvent,
    /// Whoever was shut out follows again by the permit they had.
    KeptGrant,
}

/// What a group passes through.
pub(super) struct Stage<'a> {
    pub node: &'a mut Node,
    pub writer: &'a mut Writer,
    pub settled: &'a Settled,
    pub hub: &'a Hub,
}

/// Starts of one life.
const STARTS: u64 = 3;

pub struct Sim {
    pub(super) chance: Chance,
    pub(super) fault: Fault,
    pub(super) world: Arc<SimWorld>,
    /// The time it really is.
    pub(super) truth_ms: u64,
    disk: SimDisk,
    index: MemoryKv,
    watch: Arc<Watch>,
    pub(super) model: Model,
    pub(super) crowd: Crowd,
    /// What callers were told, and must find for ever.
    promised: BTreeMap<MessageId, Option<Message>>,
    /// A group that was written without an answer, with what its callers would have been told.
    in_flight: (Vec<Arc<Change>>, Vec<Told>),
    /// A misfortune was planned and may still come.
    awaited: bool,
    pub(super) ears: Vec<Ear>,
    pub(super) granted: Vec<(usize, Granted)>,
    pub(super) trace: DefaultHasher,
}

/// Lives one life. Gives the hash of everything that happened, or what was wrong.
pub fn live(seed: u64, fault: Fault) -> Result<u64, String> {
    let mut sim = Sim {
        chance: Chance::new(seed),
        fault,
        world: Arc::new(SimWorld::new(seed)),
        truth_ms: TRUTH_BEGINS_MS,
        disk: SimDisk::new(seed),
        index: MemoryKv::default(),
        watch: Arc::default(),
        model: Model::default(),
        crowd: Crowd::default(),
        promised: BTreeMap::new(),
        in_flight: Default::default(),
        awaited: false,
        ears: Vec::new(),
        granted: Vec::new(),
        trace: DefaultHasher::new(),
    };
    for _ in 0..STARTS {
        sim.one_start()?;
    }
    sim.go_down(0);
    sim.last_day()?;
    Ok(sim.trace.finish())
}

impl Sim {
    /// From a start to its end. An error of the store ends it as a power cut or a kill would.
    fn one_start(&mut self) -> Result<(), String> {
        let misfortune = self.chance.below(6);
        let moment = 1 + self.chance.below(60);
        match misfortune {
            0 => self.disk.lose_power_at(moment),
            1 => self.disk.fail_write_at(moment),
            2 => self.disk.fail_sync_at(moment),
            3 => self.watch.fail_at(1 + self.chance.below(6)),
            _ => {}
        }
        // One that did not come waits for the next start, unless a power cut takes it along.
        self.awaited |= misfortune < 4;
        let expected = self.awaited;
        self.machine_starts();
        match self.open() {
            Ok(mut life) => {
                let steps = self.chance.below(108);
                let mut survived = self.born(&mut life);
                for _ in 0..steps {
                    survived = survived.and_then(|()| self.step(&mut life));
                }
                match survived {
                    Ok(()) if self.chance.coin() => drop(life.parts.settled.checkpoint()),
                    Ok(()) => {}
                    Err(End::Store) if expected => {}
                    Err(End::Store) => return Err("the store failed without a reason".into()),
                    Err(End::Wrong(what)) => return Err(what),
                }
            }
            Err(_) if expected => {}
            Err(error) => return Err(format!("the node does not start: {error}")),
        }
        self.go_down(misfortune);
        Ok(())
    }

    pub(super) fn open(&mut self) -> Result<Life, linnet::store::error::StoreError> {
        let on: Arc<dyn Disk> = match self.fault {
            Fault::NoSync => Arc::new(Lazy::files(self.disk.clone())),
            _ => Arc::new(self.disk.clone()),
        };
        let kv = Box::new(WatchedKv { index: self.index.clone(), watch: self.watch.clone() });
        let mut life = Life::open_on(self.world.clone(), self.disk.clone(), self.index.clone(), on, kv)?;
        // A small tail, so that there are laggards.
        let bounds = Bounds { tail_changes: 24, ..Bounds::default() };
        life.parts.hub = Hub::new(life.parts.settled.reached().seq, bounds);
        Ok(life)
    }

    /// What a start finds is held against the model, and the cast is made if it is not there.
    fn born(&mut self, life: &mut Life) -> Result<(), End> {
        let (changes, told) = std::mem::take(&mut self.in_flight);
        if check::journal(&self.disk, &mut self.model, &changes).map_err(End::Wrong)? {
            self.promise(&told);
        }
        self.ears.clear();
        self.granted.clear();
        if self.chance.coin() {
            check::state(life, &self.model, &self.crowd).map_err(End::Wrong)?;
        }
        for (name, role) in [
            ("alice", Role::Admin),
            ("bob", Role::User),
            ("carol", Role::User),
            ("mallory", Role::User),
            ("guest", Role::Guest),
        ] {
            if !self.model.users.values().any(|user| user.id.as_str() == name) {
                let mut new = NewUser::person(Name::fixed(name), name, "".into());
                new.id = linnet::base::id::UserId::parse(name);
                new.roles = Roles::of(&[role]);
                let made = life.parts.node.transact(|n| {
                    let user = n.add_user(&Caller::Operator, new)?;
                    let (token, _) = n.open_session(&user.id)?;
                    Ok(Told::Token(user.id.clone(), token))
                });
                // Somebody else may have taken the name.
                self.settle(life, made.into_iter().collect())?;
            }
        }
        Ok(())
    }

    /// Some jobs and their group, or something a listener or the node's own threads do.
    fn step(&mut self, life: &mut Life) -> Result<(), End> {
        let passes = self.chance.below(2_000);
        self.world.pass_ms(passes);
        self.truth_ms += passes;
        if self.chance.below(20) == 0
            && let Some(told) = self.clock_happens(life)
        {
            self.settle(life, vec![told])?;
        }
        match self.chance.below(10) {
            0 if self.chance.below(3) == 0 => self.condense(life)?,
            0 if self.chance.below(6) == 0 => self.trim(life)?,
            0 => drop(life.parts.settled.checkpoint().map_err(|_| End::Store)?),
            1..5 => self.listen(life).map_err(End::Wrong)?,
            _ if self.crowd.callers.is_empty() => {}
            _ => {
                let mut told = Vec::new();
                for _ in 0..1 + self.chance.below(4) {
                    let answer = self.crowd.act(&mut life.parts.node, &self.model, &mut self.chance);
                    format!("{answer:?}").hash(&mut self.trace);
                    told.extend(answer);
                }
                self.settle(life, told)?;
            }
        }
        Ok(())
    }

    /// Takes the group to the disk; what its jobs answered is a promise from then on.
    fn settle(&mut self, life: &mut Life, told: Vec<Told>) -> Result<(), End> {
        self.settle_parts(&mut life.parts, told)
    }

    pub(super) fn settle_parts(&mut self, parts: &mut Parts, told: Vec<Told>) -> Result<(), End> {
        self.settle_by(
            &mut Stage {
                node: &mut parts.node,
                writer: &mut parts.writer,
                settled: &parts.settled,
                hub: &parts.hub,
            },
            told,
        )
    }

    pub(super) fn settle_by(&mut self, stage: &mut Stage<'_>, told: Vec<Told>) -> Result<(), End> {
        let formed = stage.node.hand_over();
        let Some(group) = &formed.group else {
            stage.settled.settle(&formed.batch.layer, formed.reached);
            return Ok(());
        };
        let changes: Vec<_> = formed.batch.changes.iter().map(|(_, change)| change.clone()).collect();
        if self.fault == Fault::EarlyReply {
            self.acknowledge(&changes, &told);
        }
        if stage.writer.write(group).is_err() {
            if self.fault != Fault::EarlyReply {
                self.in_flight = (changes, told);
            }
            return Err(End::Store);
        }
        if self.fault != Fault::EarlyReply {
            self.acknowledge(&changes, &told);
        }
        stage.settled.settle(&formed.batch.layer, formed.reached);
        stage.hub.settle(&changes);
        Ok(())
    }

    fn acknowledge(&mut self, changes: &[Arc<Change>], told: &[Told]) {
        for change in changes {
            self.model.take(change.clone());
            self.model.journal.last().unwrap().1.hash(&mut self.trace);
        }
        self.promise(told);
    }

    fn promise(&mut self, told: &[Told]) {
        for told in told {
            match told.clone() {
                Told::Said(message) => drop(self.promised.insert(message.id.clone(), Some(*message))),
                Told::Removed(id) => drop(self.promised.insert(id, None)),
                Told::RoomRemoved(room) => {
                    self.promised.retain(|_, kept| kept.as_ref().is_none_or(|kept| kept.room != room));
                }
                Told::Token(user, token) => {
                    let hash = linnet::node::caller::hash_token(&token);
                    self.crowd.callers.push((user, Caller::with_token(&token), hash));
                }
                Told::Code(code) => self.crowd.codes.push(code),
                Told::Done => {}
            }
        }
    }

    /// The end of a start: a power cut, a kill, or a clean stop.
    fn go_down(&mut self, misfortune: u64) {
        self.ears.clear();
        self.watch.fails_from.store(0, Relaxed);
        if misfortune == 0 || self.chance.coin() {
            self.awaited = false;
            self.disk = self.disk.crash();
            self.index = self.index.crash(self.chance.below(self.index.unsynced() as u64 + 1) as usize);
        }
    }

    /// Nothing bad happens any more: everything promised is there, and the index is what the journal says.
    fn last_day(&mut self) -> Result<(), String> {
        self.machine_starts();
        let mut life = self.open().map_err(|error| format!("the node does not start: {error}"))?;
        let mut survived = self.born(&mut life);
        for _ in 0..20 {
            survived = survived.and_then(|()| self.step(&mut life));
        }
        survived.map_err(|end| match end {
            End::Wrong(what) => what,
            End::Store => "the store failed without a reason".into(),
        })?;
        relay(&life.parts.hub);
        for ear in &mut self.ears {
            while ear.drain(&self.model, &life.parts.hub, 8, Slip::None)? {}
        }
        check::state(&life, &self.model, &self.crowd)?;
        check::promises(&self.model, &self.promised)?;
        check::index(&life, &self.world)?;
        let restored = crate::backup::through_a_backup(&life, self.world.clone())?;
        check::state(&restored, &self.model, &self.crowd)
            .map_err(|what| format!("after a restore: {what}"))?;
        check::index(&restored, &self.world).map_err(|what| format!("after a restore: {what}"))?;
        self.disk = self.disk.crash();
        check::journal(&self.disk, &mut self.model, &[]).map(drop)
    }
}

/// Why a start does not go on.
pub enum End {
    Store,
    Wrong(String),
}

/// Whether a start makes this Change by itself.
pub fn is_of_a_start(change: &Change) -> bool {
    match &change.what {
        What::Started { .. } => true,
        What::UserAdded(user) => user.id == linnet::node::caller::NODE_USER,
        What::RoomMade(room) => room.id == linnet::chat::room::Room::GENERAL,
        // Sessions that had no end while nobody knew the time.
        What::TokenAdded(token) => token.expires.is_some() && change.origin.moment.mono_ms == 0,
        _ => false,
    }
}
