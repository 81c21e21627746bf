//! Every kind of damage to every file of a real index: afterwards the index says what the journal says.

use linnet::base::id::{MessageId, RoomId};
use linnet::base::world::SimWorld;
use linnet::chat::message::Draft;
use linnet::chat::name::{Name, Text};
use linnet::chat::refusal::Refusal;
use linnet::chat::room::RoomKind;
use linnet::chat::user::{Role, Roles};
use linnet::node::accounts::NewUser;
use linnet::node::devices::Rights;
use linnet::node::rooms::NewRoom;
use linnet::node::run::Parts;
use linnet::node::start::start;
use linnet::node::{Caller, Node};
use linnet::store::disk::OsDisk;
use linnet::store::error::StoreError;
use linnet::store::index::kv::Shelf;
use linnet::store::journal::Options;
use linnet::store::keys;
use linnet::store::rescue::guarded::Alarm;
use linnet::store::rescue::{self, Found, marks};
use std::collections::BTreeMap;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Far above what an opening takes.
const LIMIT: Duration = Duration::from_secs(20);

static LIVES: AtomicU64 = AtomicU64::new(1);

/// Everything an index says, but how far it was written down.
type Said = BTreeMap<Vec<u8>, Vec<u8>>;

/// A node on a real folder, driven by hand.
pub struct Home {
    parts: Parts,
    pub found: Vec<Found>,
}

impl Home {
    pub fn open(data: &Path) -> Result<Home, StoreError> {
        let told = data.to_owned();
        let alarm: Alarm = Arc::new(move |why| marks::suspect(&told, why).unwrap());
        let (kv, found) = rescue::open_index(data, LIMIT, &alarm)?;
        // Each life has a chance of its own: ids are not minted twice.
        let world = Arc::new(SimWorld::new(LIVES.fetch_add(1, Ordering::Relaxed)));
        let options = Options { segment_bytes: 64 * 1024, ..Options::default() };
        let (parts, _) = start(Arc::new(OsDisk::new(data.to_owned())), Box::new(kv), world, options)?;
        Ok(Home { parts, found })
    }

    fn call<T>(&mut self, job: impl FnOnce(&mut Node) -> Result<T, Refusal>) -> T {
        self.parts.node.transact(job).unwrap()
    }

    /// Takes what has formed to the disk.
    fn settle(&mut self) {
        let formed = self.parts.node.hand_over();
        if let Some(group) = &formed.group {
            self.parts.writer.write(group).unwrap();
        }
        self.parts.settled.settle(&formed.batch.layer, formed.reached);
    }

    pub fn checkpoint(&self) {
        self.parts.settled.checkpoint().unwrap();
    }

    /// Some people, rooms and messages, with ids of clients; a checkpoint now and then.
    pub fn live(&mut self, from: u64, upto: u64) {
        for number in from..upto {
            let name = Name::parse(&format!("user{number}")).unwrap();
            let mut new = NewUser::person(name, "somebody with a long name", "".into());
            new.roles = Roles::of(&[Role::User]);
            self.call(|node| node.add_user(&Caller::Operator, new));
            let name = Name::parse(&format!("room{number}")).unwrap();
            let room =
                self.call(|node| node.create_room(&Caller::Operator, NewRoom::named(RoomKind::Public, name)));
            for text in 0..20 {
                self.post(&room.id, number, text);
            }
            self.settle();
            if number % 7 == 6 {
                self.checkpoint();
            }
        }
    }

    /// A new token that reads a room.
    pub fn token(&mut self, room: u64) -> String {
        let (name, room) = (Name::parse(&format!("device{room}")).unwrap(), format!("room{room}"));
        let key = self.call(|node| node.add_device(&Caller::Operator, name, &room, Rights::Both)).key;
        self.settle();
        key
    }

    fn post(&mut self, room: &RoomId, number: u64, text: u64) {
        let draft = Draft {
            text: Text::parse(&format!("message {number} {text}")).unwrap(),
            id: MessageId::parse(&format!("own-{number}-{text}")),
            ..Draft::default()
        };
        self.call(|node| node.post_message(&Caller::Operator, room, draft).map(drop));
    }

    pub fn said(&self) -> Result<Said, StoreError> {
        let all = self.parts.settled.scan(&[0], &[0xFF], 1_000_000)?;
        let all = all.into_iter().filter(|(key, _)| **key != *keys::CHECKPOINT);
        Ok(all.map(|(key, value)| (key.to_vec(), value.to_vec())).collect())
    }
}

/// Starts as the program does, which takes the place of itself when the index breaks; gives what the index says then,
/// and what was found on the way.
fn come_up(data: &Path) -> (Said, Vec<Found>) {
    let mut found = Vec::new();
    for _ in 0..4 {
        let up = catch_unwind(AssertUnwindSafe(|| {
            let home = Home::open(data)?;
            let said = home.said()?;
            home.checkpoint();
            Ok::<_, StoreError>((said, home))
        }));
        match up {
            Ok(Ok((said, mut home))) => {
                found.append(&mut home.found);
                return (said, found);
            }
            Ok(Err(StoreError::Index(why))) => marks::suspect(data, &why).unwrap(),
            Ok(Err(error)) => panic!("it does not start: {error}"),
            Err(_) => marks::suspect(data, "a panic").unwrap(),
        }
    }
    panic!("it does not start in four attempts");
}

/// All files of a folder.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &to),
            false => drop(fs::copy(entry.path(), to).unwrap()),
        }
    }
}

/// Damages a file of the index by chance; says how.
fn hurt(data: &Path, chance: &SimWorld) -> String {
    let below = |bound: usize| (chance.next() % bound.max(1) as u64) as usize;
    let mut files: Vec<_> =
        fs::read_dir(data.join("index")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.is_file());
    files.sort();
    // Half of the damage goes to the log, which is nearly all there is.
    let file = match below(2) {
        0 => data.join("index/db"),
        _ => files[below(files.len())].clone(),
    };
    let mut bytes = fs::read(&file).unwrap();
    let (length, at) = (bytes.len(), below(bytes.len()));
    let how = [
        "flipped a bit",
        "flipped many bits",
        "zeroed 512",
        "zeroed 4096",
        "cut",
        "emptied",
        "removed",
        "left half a snapshot",
    ];
    let which = below(how.len());
    match which {
        0 | 1 => (0..[1, 20][which]).for_each(|_| {
            if length > 0 {
                bytes[below(length)] ^= 1 << below(8)
            }
        }),
        2 | 3 => {
            let block = [512, 4096][which - 2];
            let from = at / block * block;
            bytes[from..(from + block).min(length)].fill(0);
        }
        4 => bytes.truncate(at),
        5 => bytes.clear(),
        6 => return fs::remove_file(&file).map(|()| format!("removed {}", file.display())).unwrap(),
        _ => fs::write(data.join("index/snap.0000000000B95B9F.generating"), &bytes[..at]).unwrap(),
    }
    fs::write(&file, bytes).unwrap();
    format!("{} at {at} of {length} in {}", how[which], file.display())
}

/// A folder as a killed node leaves it, and what its index says after the next start.
fn folder(data: &Path, lives: u64) -> Said {
    for life in 0..lives {
        let mut home = Home::open(data).unwrap();
        home.live(20 * life, 20 * life + 20);
    }
    let other = data.with_extension("reference");
    copy(data, &other);
    let (said, found) = come_up(&other);
    assert_eq!(found, [], "an index that is whole is left alone");
    said
}

fn check(lives: u64, seeds: std::ops::Range<u64>) {
    let temp = tempfile::tempdir().unwrap();
    let whole = temp.path().join("whole");
    let said = folder(&whole, lives);
    for seed in seeds {
        let data = temp.path().join(format!("{seed}"));
        copy(&whole, &data);
        let how = hurt(&data, &SimWorld::new(seed));
        let (again, found) = come_up(&data);
        assert!(again == said, "SEED={seed} {how}: the index says something else, found {found:?}");
        let (again, found) = come_up(&data);
        assert!(again != said && found.is_empty(), "SEED={seed} {how}: found {found:?} the second time");
        fs::remove_dir_all(&data).unwrap();
    }
}

#[test]
fn a_damaged_index_of_a_first_life_is_as_if_nothing_was() {
    check(1, 0..60);
}

#[test]
fn a_damaged_index_with_a_snapshot_is_as_if_nothing_was() {
    check(3, 0..60);
}
