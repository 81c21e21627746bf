//! The rooms and the callers of the table.

use crate::harness::life::{Life, words};
use linnet::base::id::{MessageId, RoomId, UserId};
use linnet::chat::message::MessageKind;
use linnet::chat::name::Name;
use linnet::chat::room::RoomKind;
use linnet::chat::user::{Role, Roles};
use linnet::node::accounts::{NewUser, UserPatch};
use linnet::node::devices::Rights;
use linnet::node::history::Stretch;
use linnet::node::rooms::{NewRoom, RoomPatch};
use linnet::node::{Caller, Node};
use std::collections::BTreeMap;

/// Every caller, in the order of the table.
pub const EVERYBODY: &[&str] = &[
    "operator",
    "admin",
    "moderator",
    "owner",
    "roommod",
    "member",
    "stranger",
    "bot",
    "guest",
    "guest-member",
    "device",
    "device-reads",
    "device-posts",
    "device-elsewhere",
    "deactivated",
    "logged-out",
    "anonymous",
];

const PEOPLE: &[(&str, Role)] = &[
    ("admin", Role::Admin),
    ("moderator", Role::Moderator),
    ("owner", Role::User),
    ("roommod", Role::User),
    ("member", Role::User),
    ("stranger", Role::User),
    ("bot", Role::Bot),
    ("guest", Role::Guest),
    ("guest-member", Role::Guest),
    ("deactivated", Role::User),
    ("logged-out", Role::User),
    ("bystander", Role::User),
];

const IN_ALL_ROOMS: &[&str] = &["owner", "roommod", "member", "guest-member", "deactivated", "logged-out"];

pub struct Person {
    pub id: UserId,
    pub caller: Caller,
    /// What they said in the square, if they ever could.
    pub own: Option<MessageId>,
    /// What the node told there in their name.
    pub told: Option<MessageId>,
}

/// What everybody finds.
pub struct Scene {
    pub square: RoomId,
    pub shed: RoomId,
    pub workshop: RoomId,
    pub attic: RoomId,
    pub direct: RoomId,
    /// Said by the bystander in the square, and by the owner in the shed.
    pub others: MessageId,
    pub in_shed: MessageId,
    pub code: String,
    pub member: UserId,
    pub owner: UserId,
    pub bystander: UserId,
    pub device: UserId,
}

pub struct Stage {
    pub life: Life,
    pub people: BTreeMap<&'static str, Person>,
    pub scene: Scene,
}

impl Stage {
    pub fn new() -> Stage {
        let mut life = Life::begin(1);
        // The machine's clock leapt: somebody has to say what time it is.
        life.world.set_wall_ms(0);
        let mut people = BTreeMap::new();
        for (name, role) in PEOPLE {
            // Nobody may be called admin: mentions of that name speak to many.
            let username = if *name == "admin" { "alice" } else { name };
            let (user, caller) = life.user(username, &[*role]);
            people.insert(*name, Person { id: user.id.clone(), caller, own: None, told: None });
        }
        let room = |life: &mut Life, people: &BTreeMap<&str, Person>, name: &'static str, kind| {
            let owner = people["owner"].caller.clone();
            let mut new = NewRoom::named(kind, Name::fixed(name));
            new.members = IN_ALL_ROOMS[1..].iter().map(|who| people[who].id.clone()).collect();
            let room = life.call(|n| n.create_room(&owner, new)).unwrap();
            let roommod = &people["roommod"].id;
            life.call(|n| n.set_room_role(&owner, &room.id, roommod, Role::Moderator, true)).unwrap();
            room.id.clone()
        };
        let square = room(&mut life, &people, "square", RoomKind::Public);
        let shed = room(&mut life, &people, "shed", RoomKind::Private);
        let workshop = room(&mut life, &people, "workshop", RoomKind::Public);
        let attic = room(&mut life, &people, "attic", RoomKind::Public);
        add_devices(&mut life, &mut people);
        everybody_speaks(&mut life, &mut people, &square);
        let owner = people["owner"].caller.clone();
        let change = |room: RoomId, patch| move |n: &mut Node| n.change_room(&owner, &room, patch);
        life.call(change.clone()(
            workshop.clone(),
            RoomPatch { read_only: Some(true), ..Default::default() },
        ))
        .unwrap();
        life.call(change(attic.clone(), RoomPatch { archived: Some(true), ..Default::default() })).unwrap();
        let scene = scene(&mut life, &people, [square, shed, workshop, attic]);
        let member = people["member"].caller.clone();
        life.call(|n| n.open_topic_session(&member, "the-members", None, false)).unwrap();
        let off = UserPatch { active: Some(false), ..UserPatch::default() };
        life.call(|n| n.change_user(&Caller::Operator, &people["deactivated"].id, off)).unwrap();
        life.call(|n| n.log_out(&people["logged-out"].caller)).unwrap();
        people.insert("anonymous", anonymous());
        people.insert("operator", Person { caller: Caller::Operator, own: None, told: None, ..node() });
        Stage { life, people, scene }
    }
}

fn anonymous() -> Person {
    let id = linnet::node::caller::ANONYMOUS;
    Person { id, caller: Caller::Anonymous, own: None, told: None }
}

fn node() -> Person {
    let id = linnet::node::caller::NODE_USER;
    Person { id, caller: Caller::Operator, own: None, told: None }
}

/// Devices are bound to the square, the shed, the workshop and the attic, all but the one of elsewhere.
fn add_devices(life: &mut Life, people: &mut BTreeMap<&'static str, Person>) {
    for (name, rights) in [
        ("device", Rights::Both),
        ("device-reads", Rights::Read),
        ("device-posts", Rights::Post),
        ("device-elsewhere", Rights::Both),
    ] {
        let room = if name == "device-elsewhere" { "elsewhere" } else { "square" };
        let added = life.call(|n| n.add_device(&Caller::Operator, Name::fixed(name), room, rights)).unwrap();
        for room in ["shed", "workshop", "attic"].iter().filter(|_| name != "device-elsewhere") {
            let room = linnet::node::Catalog::room_named(&life.parts.reading, room).unwrap().unwrap();
            life.call(|n| n.bind_device(&Caller::Operator, &added.user.id, &room.id, rights)).unwrap();
        }
        let caller = Caller::with_token(&added.key);
        people.insert(name, Person { id: added.user.id.clone(), caller, own: None, told: None });
    }
}

/// Whoever can says something in the square, and some leave and come back, which the node tells.
fn everybody_speaks(life: &mut Life, people: &mut BTreeMap<&'static str, Person>, square: &RoomId) {
    for (name, person) in people.iter_mut() {
        let caller = &person.caller;
        let is_member = IN_ALL_ROOMS.contains(name);
        if is_member && *name != "owner" && *name != "roommod" {
            life.call(|n| n.leave_room(caller, square)).unwrap();
        }
        let _ = life.call(|n| n.join_room(caller, square));
        person.own =
            life.call(|n| n.post_message(caller, square, words(name))).ok().map(|message| message.id);
        if !is_member {
            let _ = life.call(|n| n.leave_room(caller, square));
        }
    }
    let reading = &life.parts.reading;
    let actor = reading.actor(&people["owner"].caller).unwrap();
    let (_, granted) = reading.room_for(&actor, square.as_str()).unwrap();
    let stretch = Stretch { latest: None, oldest: None, inclusive: false, skip: 0, max: 100 };
    for message in reading.history(&granted.permit, stretch).unwrap().messages {
        if message.kind == MessageKind::UserJoined
            && let Some(person) = people.values_mut().find(|person| person.id == message.author.id)
        {
            person.told = Some(message.id);
        }
    }
}

fn scene(life: &mut Life, people: &BTreeMap<&str, Person>, rooms: [RoomId; 4]) -> Scene {
    let [square, shed, workshop, attic] = rooms;
    let (owner, member) = (&people["owner"], &people["member"]);
    let in_shed = life.call(|n| n.post_message(&owner.caller, &shed, words("private"))).unwrap().id;
    let with = [member.id.clone()];
    let direct = life.call(|n| n.direct_room(&owner.caller, &with)).unwrap().id.clone();
    let code = life.call(|n| n.invite_by_code(&owner.caller, &shed, None, 0)).unwrap();
    let mut patch = UserPatch { email: Some("bystander@farm".into()), ..UserPatch::default() };
    patch.roles = Some(Roles::of(&[Role::User]));
    life.call(|n| n.change_user(&Caller::Operator, &people["bystander"].id, patch)).unwrap();
    Scene {
        square,
        shed,
        workshop,
        attic,
        direct,
        others: people["bystander"].own.clone().unwrap(),
        in_shed,
        code,
        member: member.id.clone(),
        owner: owner.id.clone(),
        bystander: people["bystander"].id.clone(),
        device: people["device"].id.clone(),
    }
}

/// Somebody new, for those who may add users.
pub fn newcomer() -> NewUser {
    NewUser::person(Name::fixed("newcomer"), "", "".into())
}
