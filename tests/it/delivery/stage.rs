//! A stage for delivery: who exists and may read what, and a hub that hears of every Change in groups.

use linnet::base::id::{MessageId, RoomId, Seq, UserId};
use linnet::chat::change::{Change, Origin, What};
use linnet::chat::device::{Binding, Device};
use linnet::chat::membership::Membership;
use linnet::chat::message::{Author, Message, MessageKind};
use linnet::chat::name::{Name, Text};
use linnet::chat::permission::Permissions;
use linnet::chat::policy::{self, Actor, MayPost, MayRead};
use linnet::chat::refusal::Refusal;
use linnet::chat::room::{Room, RoomKind};
use linnet::chat::token::TokenHash;
use linnet::chat::user::{Role, Roles, User};
use linnet::delivery::{Bounds, Hub, Listener, Refused, Who};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Waker};

pub struct Stage {
    pub hub: Arc<Hub>,
    relay: Pin<Box<dyn Future<Output = ()>>>,
    /// Everything that happened; the Change at `seq` is at `seq - 1`.
    pub log: Vec<Arc<Change>>,
    /// Who may read what after each Change of the log, by the policy.
    pub readers: Vec<BTreeSet<(UserId, RoomId)>>,
    /// How often what was seen, to know that a random life was no idle one.
    pub seen: RefCell<BTreeMap<&'static str, u64>>,
    settled: usize,
    pub users: BTreeMap<UserId, User>,
    pub rooms: BTreeMap<RoomId, Room>,
    devices: BTreeMap<UserId, Device>,
    members: BTreeMap<(RoomId, UserId), Membership>,
    permissions: Arc<Permissions>,
}

pub fn user_id(name: &str) -> UserId {
    UserId::parse(name).expect("a test's id is one")
}

pub fn room_id(name: &str) -> RoomId {
    RoomId::parse(name).expect("a test's id is one")
}

/// One of a user's tokens: nobody else has it.
pub fn token(user: &UserId, number: u8) -> TokenHash {
    let mut hash = [number; 32];
    hash[..user.as_str().len()].copy_from_slice(user.as_str().as_bytes());
    TokenHash(hash)
}

pub fn device(user: &UserId, reads: &[RoomId]) -> What {
    let binding = |room: &RoomId| Binding { room: room.clone(), post: true, read: true };
    let bindings = reads.iter().map(binding).collect();
    What::DeviceSet(Device {
        user: user.clone(),
        bindings,
        topics: Default::default(),
        certificate: false,
        added_by: None,
        created: 0,
    })
}

pub fn joined(room: &RoomId, user: &UserId) -> What {
    let roles = Roles::NONE;
    let (room, user) = (room.clone(), user.clone());
    What::Joined(Membership { room, user, roles, joined: 0, open: true, favourite: false })
}

pub fn left(room: &RoomId, user: &UserId) -> What {
    What::Left { room: room.clone(), user: user.clone(), by: Some(user_id("alice")) }
}

impl Stage {
    /// alice (admin), bob and mallory (users), sensor (a device); greenhouse (public) and workshop (private).
    pub fn new(bounds: Bounds) -> Self {
        let hub = Hub::new(Seq(0), bounds);
        let relaying = Arc::clone(&hub);
        let mut stage = Self {
            hub,
            relay: Box::pin(async move { relaying.relay().await }),
            log: Vec::new(),
            readers: Vec::new(),
            seen: RefCell::default(),
            settled: 0,
            users: BTreeMap::new(),
            rooms: BTreeMap::new(),
            devices: BTreeMap::new(),
            members: BTreeMap::new(),
            permissions: Arc::default(),
        };
        for (name, role) in [("alice", Role::Admin), ("bob", Role::User), ("mallory", Role::User)] {
            stage.happens(What::UserAdded(user(name, role)));
        }
        stage.happens(What::UserAdded(user("sensor", Role::Device)));
        stage.make_room("greenhouse", RoomKind::Public);
        stage.make_room("workshop", RoomKind::Private);
        stage.happens(device(&user_id("sensor"), &[room_id("greenhouse")]));
        stage.settle();
        stage.relay();
        stage
    }

    pub fn make_room(&mut self, id: &str, kind: RoomKind) {
        self.happens(What::RoomMade(room(id, kind)));
    }

    pub fn post(&mut self, room: &RoomId) -> Seq {
        let author = Author { id: user_id("alice"), username: Name::fixed("alice"), name: "".into() };
        let seq = Seq(self.log.len() as u64 + 1);
        let message = Message {
            id: MessageId::fixed("m"),
            seq,
            room: room.clone(),
            author,
            at: 0,
            trusted: true,
            kind: MessageKind::Said,
            text: Text::parse("21.5").expect("it is short"),
            thread: None,
            edited: None,
            touched: 0,
            reactions: Vec::new(),
            notice: None,
            guise: None,
            extra: None,
        };
        self.happens(What::Posted { message, own_id: false, via: None })
    }

    /// Something happens; the hub hears of it with the next [`settle`](Self::settle).
    pub fn happens(&mut self, what: What) -> Seq {
        match &what {
            What::UserAdded(user) | What::UserChanged(user) => {
                self.users.insert(user.id.clone(), user.clone());
            }
            What::UserRemoved { user, .. } => {
                self.users.remove(user);
                self.devices.remove(user);
                self.members.retain(|(_, member), _| member != user);
            }
            What::RoomMade(room) | What::RoomChanged { room, .. } => {
                self.rooms.insert(room.id.clone(), room.clone());
            }
            What::RoomRemoved { room, .. } => {
                self.rooms.remove(room);
                self.members.retain(|(of, _), _| of != room);
            }
            What::Joined(member) => {
                self.members.insert((member.room.clone(), member.user.clone()), member.clone());
            }
            What::Left { room, user, .. } => {
                self.members.remove(&(room.clone(), user.clone()));
            }
            What::DeviceSet(device) => {
                self.devices.insert(device.user.clone(), device.clone());
            }
            What::PermissionsSet(table) => self.permissions = Arc::new(table.clone()),
            _ => {}
        }
        let seq = Seq(self.log.len() as u64 + 1);
        self.log.push(Arc::new(Change { seq, origin: Origin::default(), what }));
        let pairs = self.users.keys().flat_map(|user| self.rooms.keys().map(move |room| (user, room)));
        let may = pairs.filter(|(user, room)| self.may_read(user, room).is_ok());
        self.readers.push(may.map(|(user, room)| (user.clone(), room.clone())).collect());
        seq
    }

    /// Counts one more of something.
    pub fn saw(&self, what: &'static str) {
        *self.seen.borrow_mut().entry(what).or_default() += 1;
    }

    /// What happened since the last time becomes one settled group.
    pub fn settle(&mut self) {
        self.hub.settle(&self.log[self.settled..]);
        self.settled = self.log.len();
    }

    /// The relay runs until it waits again.
    pub fn relay(&mut self) {
        let waits = self.relay.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(waits.is_pending(), "the relay never ends");
    }

    /// The relay itself, for a runtime to run; the stage relays no more.
    pub fn take_relay(&mut self) -> impl Future<Output = ()> + use<> {
        std::mem::replace(&mut self.relay, Box::pin(std::future::pending()))
    }

    pub fn settle_and_relay(&mut self) {
        self.settle();
        self.relay();
    }

    /// The place up to which everything is settled: permits are as of it.
    pub fn as_of(&self) -> Seq {
        assert_eq!(self.settled, self.log.len(), "permits come from what is settled");
        Seq(self.settled as u64)
    }

    pub fn may_read(&self, user: &UserId, room: &RoomId) -> Result<MayRead, Refusal> {
        let room = self.rooms.get(room).ok_or(Refusal::NoSuchRoom)?;
        let member = self.members.get(&(room.id.clone(), user.clone()));
        policy::may_read(&self.actor(user), room, member)
    }

    pub fn may_post(&self, user: &UserId, room: &RoomId) -> Result<MayPost, Refusal> {
        let room = self.rooms.get(room).ok_or(Refusal::NoSuchRoom)?;
        let member = self.members.get(&(room.id.clone(), user.clone()));
        policy::may_post(&self.actor(user), room, member)
    }

    /// Permits for all rooms a user is a member of, where they may read.
    pub fn permits_of(&self, user: &UserId) -> Vec<MayRead> {
        let own = self.members.keys().filter(|(_, member)| member == user);
        own.filter_map(|(room, _)| self.may_read(user, room).ok()).collect()
    }

    pub fn is_member(&self, user: &UserId, room: &RoomId) -> bool {
        self.members.contains_key(&(room.clone(), user.clone()))
    }

    pub fn is_device(&self, user: &UserId) -> bool {
        self.devices.contains_key(user)
    }

    pub fn who(&self, user: &UserId, token: Option<TokenHash>) -> Who {
        Who { user: user.clone(), roles: self.users[user].roles, token }
    }

    pub fn attach(&self, user: &str) -> Listener {
        self.try_attach(user).unwrap_or_else(|refused| panic!("{user} may listen: {refused:?}"))
    }

    pub fn try_attach(&self, user: &str) -> Result<Listener, Refused> {
        let user = user_id(user);
        self.hub.attach(self.who(&user, Some(token(&user, 1))), self.as_of())
    }

    /// A listener of a user who follows one room.
    pub fn follower(&self, user: &str, room: &RoomId) -> Listener {
        let listener = self.attach(user);
        let permit = self.may_read(&user_id(user), room).expect("the test lets them read");
        listener.follow_room(permit, self.as_of()).expect("the permit is of now");
        listener
    }

    pub fn actor(&self, user: &UserId) -> Actor {
        let device = self.devices.get(user).cloned().map(Arc::new);
        let permissions = Arc::clone(&self.permissions);
        Actor { user: Arc::new(self.users[user].clone()), device, permissions }
    }
}

fn user(name: &str, role: Role) -> User {
    User {
        id: user_id(name),
        username: Name::parse(name).expect("a test's name is one"),
        name: name.into(),
        roles: Roles::of(&[role]),
        active: true,
        password: None,
        email: None,
        created: 0,
        extra: None,
    }
}

fn room(id: &str, kind: RoomKind) -> Room {
    Room {
        id: room_id(id),
        kind,
        name: Name::parse(id).ok(),
        creator: user_id("alice"),
        created: 0,
        topic: "".into(),
        description: "".into(),
        announcement: "".into(),
        read_only: false,
        joined_by_default: false,
        archived: false,
        people: Vec::new(),
        extra: None,
    }
}
