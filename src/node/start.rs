//! How a node starts: the index catches up with the journal, and a first start makes what every node has.

use crate::base::budget::Budget;
use crate::base::id::Seq;
use crate::base::limits::LOSSES_KNOWN_MAX;
use crate::base::world::World;
use crate::chat::change::What;
use crate::chat::name::Name;
use crate::chat::refusal::Refusal;
use crate::chat::room::{Room, RoomKind};
use crate::chat::user::{Role, Roles};
use crate::delivery::{Bounds, Hub};
use crate::node::accounts::NewUser;
use crate::node::caller::NODE_USER;
use crate::node::clock::Clock;
use crate::node::condense;
use crate::node::disk::DiskCare;
use crate::node::health::{Health, Trouble, TroubleKind};
use crate::node::reading::Reading;
use crate::node::run::Parts;
use crate::node::view::{Batch, View};
use crate::node::{Identity, Node};
use crate::store::disk::Disk;
use crate::store::error::StoreError;
use crate::store::index::apply::{Follower, Place};
use crate::store::index::catalog::Catalog;
use crate::store::index::kv::{Kv, Shelf};
use crate::store::index::layer::Layer;
use crate::store::index::settled::{Checkpoint, Settled};
use crate::store::journal::{self, Damage, OpenReport, Pos, Why};
use crate::store::keys;
use crate::store::lost::register::Register;
use crate::store::lost::{Losses, Lost};
use crate::store::record;
use smol_str::SmolStr;
use std::sync::Arc;

/// What a start found, for the operator.
#[derive(Clone, Debug)]
pub struct StartReport {
    /// What opening the journal found.
    pub journal: OpenReport,
    /// Changes the index had not followed yet.
    pub replayed: u64,
    /// What lies around the stretches that cannot be read, of those behind the index.
    pub lost: Vec<Lost>,
    /// Where the journal begins: anywhere but at its first byte, a part of it is missing.
    pub begins: Pos,
    /// Who this node is and how often it has started.
    pub identity: Identity,
}

/// Opens the store and makes a node of it, which may use as much as any. Returns when everything acknowledged before can
/// be read again.
pub fn start(
    disk: Arc<dyn Disk>,
    kv: Box<dyn Kv>,
    world: Arc<dyn World>,
    options: journal::Options,
) -> Result<(Parts, StartReport), StoreError> {
    start_behind(disk, kv, world, options, None, Budget::default())
}

/// As [`start`], where it is known how far the journal reached once. If it does not any more, the node goes on behind
/// what is lost: no number is given twice, and what an index that is whole knows of that time stays known.
pub fn start_behind(
    disk: Arc<dyn Disk>,
    kv: Box<dyn Kv>,
    world: Arc<dyn World>,
    options: journal::Options,
    reached: Option<Checkpoint>,
    budget: Budget,
) -> Result<(Parts, StartReport), StoreError> {
    let health = Arc::new(Health::default());
    let room = Arc::new(DiskCare::new(disk.clone(), world.clone(), health.clone()));
    let (settled, checkpoint) = Settled::open_within(kv, (budget.layer_writes, budget.layer_bytes))?;
    let register = Arc::new(Register::open(disk.clone()));
    let opened = journal::open_behind(
        disk,
        options,
        checkpoint.map(|checkpoint| checkpoint.end),
        furthest(reached, checkpoint),
    )?;
    let has_room = |bytes| room.has_room_for_index(bytes);
    let (replayed, losses) = catch_up(&settled, checkpoint, &opened, &has_room)?;
    let begins = opened.reader.segments().first().map_or(Pos::default(), |first| first.from);
    let identity = identity(&settled, &*world)?;
    let settled = Arc::new(settled);
    // A number is never given again, although its Change was left out of a segment that was rewritten.
    let last = settled.reached().seq.max(Seq(opened.report.last_seq.unwrap_or(0)));
    let newest = settled.newest_time()?;
    let clock = Clock::start(world.clone(), health.clone(), identity.boot, newest, last.next());
    let clock = Arc::new(clock);
    let mut node = Node {
        world: world.clone(),
        clock: clock.clone(),
        identity,
        view: view(&settled),
        follower: Follower::default(),
        journal: opened.reader.clone(),
        appender: opened.appender,
        group: None,
        last,
        flown_from: None,
        flown: last,
        woken: None,
        disk: room.clone(),
        asking: Arc::default(),
        uses_reserve: false,
    };
    let mut writer = opened.writer;
    announce(&mut node, &mut writer, &settled)?;
    let reading = Reading {
        world: world.clone(),
        clock,
        settled: settled.clone(),
        journal: opened.reader,
        health: health.clone(),
        register: register.clone(),
    };
    let (hub, lost) = (Hub::new(settled.reached().seq, Bounds::of(&budget)), losses.list().to_vec());
    let report = StartReport { journal: opened.report, replayed, lost, begins, identity };
    note(&reading, &report);
    Ok((Parts { node, writer, settled, reading, hub, health, disk: room, world, budget }, report))
}

/// What the writer sees when nothing is under way.
fn view(settled: &Arc<Settled>) -> View {
    let settled = settled.clone();
    View { job: Layer::default(), forming: Batch::default(), flying: Arc::default(), settled }
}

/// How far the journal reached: an index that followed it further than its witness says knows better.
fn furthest(reached: Option<Checkpoint>, checkpoint: Option<Checkpoint>) -> Option<(u64, Pos)> {
    let known = reached.map(|reached| checkpoint.filter(|index| index.seq >= reached.seq).unwrap_or(reached));
    known.map(|known| (known.seq.0, known.end))
}

/// Writes down that the node started, and what a first start makes.
fn announce(node: &mut Node, writer: &mut journal::Writer, settled: &Settled) -> Result<(), StoreError> {
    let is_first = settled.user(&NODE_USER)?.is_none();
    node.transact(|_| Ok(())).map_err(|refusal| {
        // Not the index's fault: it must not be set aside for it.
        tracing::error!(?refusal, "the node cannot say that it starts");
        StoreError::Broken
    })?;
    let formed = node.hand_over();
    match formed.group.as_ref().map_or(Ok(()), |group| writer.write(group)) {
        Ok(()) => settled.settle(&formed.batch.layer, formed.reached),
        // Readers are served all the same; the first job that finds room tells of this start.
        Err(StoreError::NoRoom) if !is_first => {
            node.take_back_flight();
            node.disk.hit_wall();
        }
        Err(error) => return Err(error),
    }
    Ok(())
}

/// An index cannot have followed what the journal does not hold.
fn is_within(from: Checkpoint, end: Pos) -> Result<(), StoreError> {
    if from.end <= end {
        return Ok(());
    }
    let what = format!("it has followed the journal to {} but the journal ends at {end}", from.end);
    Err(StoreError::Index(what))
}

/// Who this node is, and which of its starts this is.
fn identity(settled: &Settled, world: &dyn World) -> Result<Identity, StoreError> {
    let number = |key: &[u8]| -> Result<Option<u64>, StoreError> {
        let value = settled.get(key)?;
        Ok(value.map(|value| value.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))))
    };
    let mut chance = [0u8; 8];
    world.fill(&mut chance);
    Ok(Identity {
        node: number(keys::NODE)?.unwrap_or(u64::from_be_bytes(chance)),
        boot: number(keys::BOOT)?.unwrap_or(0) as u32 + 1,
    })
}

/// A stretch of the journal that cannot be read, among the troubles; unless it is known already.
pub(super) fn tell_loss(reading: &Reading, damage: &Damage, lost: Option<&Lost>) {
    let numbers = lost.map(Lost::numbers);
    if numbers.is_some_and(|numbers| reading.register.knows(numbers)) {
        return;
    }
    remember_hurt(reading, numbers.unwrap_or((1, u64::MAX)));
    let what = lost.map_or_else(|| damage.to_string(), Lost::to_string);
    let kind = match damage.why {
        Why::Missing | Why::CutShort => TroubleKind::JournalMissing,
        Why::BadGroup | Why::BadHeader | Why::OldSequence => TroubleKind::JournalDamaged,
    };
    let text = format!("A part of the journal cannot be read, what was said there is lost: {what}.");
    reading.health.note(Trouble { kind, text });
}

/// The next start looks whether backups have it.
fn remember_hurt(reading: &Reading, numbers: (u64, u64)) {
    if let Err(error) = reading.register.hurt(numbers) {
        tracing::warn!(%error, "the next start cannot be told of a loss");
    }
}

/// What is lost for good and nobody said that they know.
fn tell_gone(reading: &Reading) {
    let gone = reading.register.list();
    let news: Vec<_> = gone.iter().filter(|gone| !gone.accepted).collect();
    let Some(first) = news.first() else { return };
    let count = news.iter().map(|gone| gone.count).fold(0, u64::saturating_add);
    let text = format!(
        "{count} Changes are lost for good, the first of them between {} and {}: 'linnet check' names them all, and \
         'linnet check --accept' says that you know.",
        first.first, first.last
    );
    reading.health.note(Trouble { kind: TroubleKind::JournalMissing, text });
}

/// What a start found, among the troubles of the node that runs on it.
fn note(reading: &Reading, report: &StartReport) {
    if let Err(error) = reading.register.date(reading.now().wall_ms) {
        tracing::warn!(%error, "it cannot be noted since when a loss is known");
    }
    let health = &reading.health;
    // Of a lost end, whoever knew of it tells.
    let is_told = |damage: &&Damage| report.journal.lost_end.is_some() && damage.why == Why::CutShort;
    for damage in report.journal.damage.iter().filter(|damage| !is_told(damage)) {
        tell_loss(reading, damage, report.lost.iter().find(|lost| lost.damage == *damage));
    }
    if let Some(numbers) = report.journal.lost_end {
        remember_hurt(reading, numbers);
    }
    tell_gone(reading);
    let missing = missing_beginning(&reading.journal);
    if let Some(missing) = missing.filter(|missing| !reading.register.knows(*missing)) {
        remember_hurt(reading, missing);
        let text = format!(
            "The beginning of the journal is missing, up to {}: what was said there is lost.",
            report.begins
        );
        health.note(Trouble { kind: TroubleKind::JournalMissing, text });
    }
    if report.replayed > 0 {
        let text =
            format!("The node was not stopped before: {} Changes were followed anew.", report.replayed);
        health.note(Trouble { kind: TroubleKind::Unclean, text });
    }
    if report.journal.torn_bytes > 0 {
        let torn = report.journal.torn_bytes;
        let text =
            format!("The last write was cut short, {torn} bytes of it were removed: nobody was told of it.");
        health.note(Trouble { kind: TroubleKind::Unclean, text });
    }
}

/// The numbers that lay before where the journal begins, if it does not begin at its first byte.
pub fn missing_beginning(journal: &journal::Reader) -> Option<(u64, u64)> {
    let begins = journal.segments().first().map(|first| first.from).filter(|from| from.place() > 0)?;
    let first = journal.scan(begins, journal.end()).flatten().next().map(|(_, frame)| frame.seq);
    Some((1, first.map_or(u64::MAX, |first| first.saturating_sub(1))))
}

/// The numbers that lay in segments that are not there, as far as a look at the files tells.
pub fn missing_numbers(journal: &journal::Reader) -> Result<Vec<(u64, u64)>, StoreError> {
    let mut missing: Vec<_> = missing_beginning(journal).into_iter().collect();
    for (before, behind) in journal.gaps()?.into_iter().take(LOSSES_KNOWN_MAX) {
        let last = journal.scan(before, behind).flatten().last().map_or(0, |(_, frame)| frame.seq);
        let next = journal.scan(behind, journal.end()).flatten().next();
        missing.push((last + 1, next.map_or(u64::MAX, |(_, frame)| frame.seq.saturating_sub(1))));
    }
    Ok(missing)
}

/// Brings the index up to where the journal ends. Gives the Changes it had not followed.
fn catch_up(
    settled: &Settled,
    checkpoint: Option<Checkpoint>,
    opened: &journal::Opened,
    has_room: &dyn Fn(usize) -> bool,
) -> Result<(u64, Losses), StoreError> {
    let from = checkpoint.unwrap_or_default();
    is_within(from, opened.report.end)?;
    if !opened.reader.goes_on_at(from.end) {
        return Err(StoreError::Index(format!(
            "it stands at {}, where the journal was condensed since",
            from.end
        )));
    }
    let followed = replay(settled, &opened.reader, from, opened.report.end, has_room)?;
    if checkpoint.is_none() {
        condense::know(settled, &opened.reader);
    }
    condense::finish(settled, &opened.reader)?;
    Ok(followed)
}

/// Applies what lies in the journal after a checkpoint. Damage was reported when the journal was opened and is
/// passed over here. `has_room` says whether the disk has so many bytes for the index.
pub(super) fn replay(
    settled: &Settled,
    journal: &journal::Reader,
    from: Checkpoint,
    end: Pos,
    has_room: &dyn Fn(usize) -> bool,
) -> Result<(u64, Losses), StoreError> {
    let mut losses = Losses::behind(from.seq);
    let mut follower = Follower::default();
    let mut replayed = 0;
    let mut scan = journal.scan(from.end, end);
    let mut group = from.end;
    while let Some(found) = scan.next() {
        let (pos, frame) = match found {
            Ok(found) => found,
            Err(StoreError::Damaged(damage)) => {
                losses.damaged(damage);
                group = scan.group_end();
                continue;
            }
            Err(error) => return Err(error),
        };
        let seq = Seq(frame.seq);
        let change = match record::change::decode(seq, &frame.payload) {
            Ok(change) => change,
            // One that makes no sense must not keep the others from being read; a check names it.
            Err(error) => {
                tracing::error!(%seq, %error, "a Change cannot be read");
                continue;
            }
        };
        losses.read(&change);
        let mut layer = Layer::default();
        // In a rewritten segment a waymark leads to the group itself, as the move to that segment has it.
        let beginning = if pos.generation() > 0 { scan.group_start() } else { group };
        for write in follower.follow(settled, &change, Place { pos, group: beginning })? {
            layer.put(write);
        }
        let done = scan.at_group_end();
        // Inside a group the place reached is still its beginning: a checkpoint there repeats the group.
        settled.settle(&layer, Checkpoint { end: if done { scan.group_end() } else { group }, seq });
        replayed += 1;
        if done {
            group = scan.group_end();
            // Without room the index waits in memory, unless it becomes too much.
            let waiting = settled.waiting_bytes();
            if settled.is_due() && (has_room(waiting) || settled.is_full()) {
                settled.checkpoint()?;
            }
        }
    }
    Ok((replayed, losses))
}

impl Node {
    /// Notes this start, and makes what every node has if it is the first.
    pub(super) fn wake(&mut self) -> Result<(), Refusal> {
        let started = What::Started { version: SmolStr::new_static(env!("CARGO_PKG_VERSION")) };
        self.woken = Some(self.append(started)?);
        if self.user(&NODE_USER).map_err(super::refuse)?.is_none() {
            self.make_user(NewUser {
                id: Some(NODE_USER),
                roles: Roles::of(&[Role::Admin, Role::Bot]),
                ..NewUser::without_password(Name::fixed("linnet"), Role::Bot)
            })?;
        }
        if self.room(&Room::GENERAL).map_err(super::refuse)?.is_none() {
            self.append(What::RoomMade(general(self.now().wall_ms)))?;
        }
        self.forget_future()?;
        self.date_sessions()
    }
}

/// The room everyone is in from the start.
fn general(created: u64) -> Room {
    Room {
        id: Room::GENERAL,
        kind: RoomKind::Public,
        name: Some(Name::fixed("general")),
        creator: NODE_USER,
        created,
        topic: SmolStr::default(),
        description: SmolStr::default(),
        announcement: SmolStr::default(),
        read_only: false,
        joined_by_default: true,
        archived: false,
        people: Vec::new(),
        extra: None,
    }
}
