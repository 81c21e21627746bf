//! Fills a data folder with a long history: the node itself, driven by hand in large groups, on the real disk.

use crate::stats::{median, now};
use crate::{Outcome, publish, wrong};
use linnet::base::id::RoomId;
use linnet::base::limits::INDEX_OPEN_SECONDS;
use linnet::base::world::{Keeper, OsWorld, SimWorld, World};
use linnet::chat::message::Draft;
use linnet::chat::name::{Name, Text};
use linnet::chat::refusal::Refusal;
use linnet::chat::room::{Room, RoomKind};
use linnet::node::accounts::NewUser;
use linnet::node::rooms::NewRoom;
use linnet::node::run::Parts;
use linnet::node::start::start;
use linnet::node::{Caller, Node};
use linnet::store::disk::OsDisk;
use linnet::store::error::StoreError;
use linnet::store::journal::Options;
use linnet::store::rescue;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Messages in the room that pages are read from.
pub const GENERAL_MESSAGES: usize = 100_000;
/// Rooms beside the large ones, with a few messages each.
const SMALL_ROOMS: [&str; 3] = ["garden", "workshop", "porch"];
const SMALL_MESSAGES: usize = 1_000;
/// The room with everything else.
pub const ARCHIVE: &str = "archive";
/// Who writes.
const AUTHORS: [&str; 8] = ["ada", "ben", "cleo", "dan", "eve", "finn", "gus", "hana"];
/// Milliseconds between two messages.
pub const STEP_MS: u64 = 1_000;
/// Bytes of a group: fewer syncs than the writer needs when it waits for nobody.
const GROUP_BYTES: usize = 256 * 1024;

/// A world in which time passes when it is told to: by both clocks, for a node goes by the monotonic one.
struct Past {
    machine: OsWorld,
    began_ms: u64,
    passed_ms: AtomicU64,
}

impl World for Past {
    fn wall_ms(&self) -> u64 {
        self.began_ms + self.passed_ms.load(Ordering::Relaxed)
    }

    fn mono_ms(&self) -> u64 {
        self.passed_ms.load(Ordering::Relaxed)
    }

    fn keeper(&self) -> Keeper {
        Keeper::Battery
    }

    fn fill(&self, bytes: &mut [u8]) {
        self.machine.fill(bytes);
    }
}

fn store(error: StoreError) -> std::io::Error {
    wrong(format!("the store: {error}"))
}

fn refused(refusal: Refusal) -> std::io::Error {
    wrong(format!("the node refused: {refusal:?}"))
}

/// A node on a folder, driven by hand.
struct Filler {
    world: Arc<Past>,
    parts: Parts,
}

impl Filler {
    fn open(folder: &Path, wall_ms: u64) -> Outcome<Filler> {
        let world = Arc::new(Past { machine: OsWorld::new(), began_ms: wall_ms, passed_ms: 0.into() });
        let alarm: rescue::guarded::Alarm = Arc::new(|why| panic!("the index broke: {why}"));
        let limit = Duration::from_secs(INDEX_OPEN_SECONDS);
        let (index, _) = rescue::open_index(folder, limit, &alarm).map_err(store)?;
        let disk = Arc::new(OsDisk::new(folder.to_owned()));
        let (parts, _) = start(disk, Box::new(index), world.clone(), Options::default()).map_err(store)?;
        Ok(Filler { world, parts })
    }

    fn call<T>(&mut self, job: impl FnOnce(&mut Node) -> Result<T, Refusal>) -> Outcome<T> {
        self.parts.node.transact(job).map_err(refused)
    }

    /// Takes what has formed to the disk. How many bytes that were.
    fn settle(&mut self) -> Outcome<usize> {
        let formed = self.parts.node.hand_over();
        let Some(group) = &formed.group else { return Ok(0) };
        self.parts.writer.write(group).map_err(store)?;
        self.parts.settled.settle(&formed.batch.layer, formed.reached);
        if self.parts.settled.is_due() {
            self.parts.settled.checkpoint().map_err(store)?;
        }
        Ok(group.len_bytes())
    }

    fn authors(&mut self) -> Outcome<Vec<Caller>> {
        AUTHORS
            .iter()
            .map(|name| {
                let new = NewUser::person(Name::fixed(name), name, "".into());
                let token = self.call(|node| {
                    let user = node.add_user(&Caller::Operator, new)?;
                    node.open_session(&user.id)
                })?;
                Ok(Caller::with_token(&token.0))
            })
            .collect()
    }

    fn room(&mut self, name: &'static str) -> Outcome<RoomId> {
        let new = NewRoom::named(RoomKind::Public, Name::fixed(name));
        Ok(self.call(|node| node.create_room(&Caller::Operator, new))?.id.clone())
    }
}

/// Fills the folder of a stopped node. Says how it went.
pub fn fill(folder: &Path, messages: usize) -> Outcome<String> {
    let began = now();
    let span_ms = (messages + SMALL_ROOMS.len() * SMALL_MESSAGES) as u64 * STEP_MS;
    let mut filler = Filler::open(folder, OsWorld::new().wall_ms() - span_ms)?;
    let authors = filler.authors()?;
    let mut left = vec![(Room::GENERAL, GENERAL_MESSAGES.min(messages))];
    if messages > GENERAL_MESSAGES {
        left.push((filler.room(ARCHIVE)?, messages - GENERAL_MESSAGES));
    }
    for name in SMALL_ROOMS {
        left.push((filler.room(name)?, SMALL_MESSAGES));
    }
    let total: usize = left.iter().map(|(_, count)| count).sum();
    let (chance, mut groups) = (SimWorld::new(messages as u64), Vec::new());
    for number in 0..total {
        filler.world.passed_ms.fetch_add(STEP_MS, Ordering::Relaxed);
        let room = pick(&mut left, &chance);
        let author = &authors[chance.next() as usize % authors.len()];
        let text = Text::parse(&publish::text(0, number)).map_err(refused)?;
        let draft = Draft { text, ..Draft::default() };
        filler.call(|node| node.post_message(author, &room, draft))?;
        if filler.parts.node.forming_bytes() >= GROUP_BYTES {
            let settling = now();
            filler.settle()?;
            groups.push((now() - settling).as_secs_f64());
        }
    }
    filler.settle()?;
    let last = now();
    filler.parts.settled.checkpoint().map_err(store)?;
    let checkpoint = now() - last;
    Ok(told(now() - began, total, checkpoint, groups))
}

/// A room, by chance, so that all are full at the end.
fn pick(left: &mut [(RoomId, usize)], chance: &SimWorld) -> RoomId {
    let all: usize = left.iter().map(|(_, count)| count).sum();
    let mut at = chance.next() as usize % all.max(1);
    for (room, count) in left.iter_mut() {
        if at < *count {
            *count -= 1;
            return room.clone();
        }
        at -= *count;
    }
    unreachable!("a place below the sum lies in one of the rooms")
}

fn told(took: Duration, total: usize, checkpoint: Duration, groups: Vec<f64>) -> String {
    format!(
        "{:.1} s, {:.0} a second, a group {:.1} ms, the last checkpoint {:.0} ms",
        took.as_secs_f64(),
        total as f64 / took.as_secs_f64(),
        median(groups) * 1e3,
        checkpoint.as_secs_f64() * 1e3,
    )
}

/// Bytes of the journal's group of so many posts, as a benchmark makes them.
pub fn group_bytes(posts: usize) -> Outcome<usize> {
    let temp = tempfile::tempdir()?;
    let mut filler = Filler::open(temp.path(), OsWorld::new().wall_ms())?;
    let authors = filler.authors()?;
    for round in 0..2 {
        filler.settle()?;
        for number in 0..posts {
            let text = Text::parse(&publish::text(round, number)).map_err(refused)?;
            let draft = Draft { text, ..Draft::default() };
            filler.call(|node| node.post_message(&authors[0], &Room::GENERAL, draft))?;
        }
    }
    // The first round also brought its author into the room.
    filler.settle()
}
