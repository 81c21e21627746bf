//! Every ability of the node, as a caller tries it.

use super::stage::{Person, Scene, newcomer};
use crate::harness::life::words;
use linnet::base::id::{MessageId, RoomId};
use linnet::chat::device::DeviceChange;
use linnet::chat::message::{Draft, Guise};
use linnet::chat::name::{Name, Text};
use linnet::chat::permission::Permission;
use linnet::chat::policy;
use linnet::chat::publication::{Publication, Qos};
use linnet::chat::question::Answers;
use linnet::chat::refusal::Refusal;
use linnet::chat::room::RoomKind;
use linnet::chat::topic::{Filter, Topic};
use linnet::chat::user::{Role, Roles};
use linnet::node::accounts::UserPatch;
use linnet::node::caller::NODE_USER;
use linnet::node::devices::Rights;
use linnet::node::health::News;
use linnet::node::rooms::{NewRoom, RoomPatch};
use linnet::node::topics::Bound;
use linnet::node::{Node, Reading};

type Done = Result<(), Refusal>;
/// One try of one caller.
pub type Try = fn(&Scene, &Reading, &mut Node, &Person) -> Done;

/// What is published to a topic that the settings bind to a room; what the room refuses is a refusal here.
fn bound(n: &mut Node, who: &Person, room: &str) -> Done {
    let (topic, text) = (Topic::parse("garden/soil")?, Text::parse("dry")?);
    let says = vec![Bound { room: Name::parse(room)?, bot: Name::fixed("mqtt"), text, id: None }];
    n.publish_bound(&who.caller, &topic, says, None, None)?.map_or(Ok(()), Err)
}

fn publish(n: &mut Node, who: &Person, topic: &str) -> Done {
    let publication = Publication {
        topic: Topic::parse(topic)?,
        payload: b"1"[..].into(),
        qos: Qos::Least,
        retain: true,
        expiry_s: None,
        properties: None,
        by: who.id.clone(),
        client: "a-client".into(),
    };
    n.publish(&who.caller, publication, None).map(drop)
}

fn answer(n: &mut Node, who: &Person, topic: &str) -> Done {
    let publication = Publication {
        topic: Topic::parse(topic)?,
        payload: b"done"[..].into(),
        qos: Qos::Least,
        retain: false,
        expiry_s: None,
        properties: None,
        by: who.id.clone(),
        client: "a-client".into(),
    };
    n.answer(&who.caller, publication, (words("done"), Answers::Newest), None)
}

fn subscribe(reading: &Reading, who: &Person, filter: &str) -> Done {
    policy::may_subscribe(&reading.actor(&who.caller)?, &Filter::parse(filter)?).map(drop)
}

fn read(reading: &Reading, who: &Person, room: &RoomId) -> Done {
    reading.room_for(&reading.actor(&who.caller)?, room.as_str()).map(drop)
}

fn post(n: &mut Node, who: &Person, room: &RoomId) -> Done {
    n.post_message(&who.caller, room, words("hello")).map(drop)
}

fn change(n: &mut Node, who: &Person, room: &RoomId, patch: RoomPatch) -> Done {
    n.change_room(&who.caller, room, patch).map(drop)
}

fn topic() -> RoomPatch {
    RoomPatch { topic: Some("soil".into()), ..RoomPatch::default() }
}

fn edit(n: &mut Node, who: &Person, id: &MessageId) -> Done {
    n.edit_message(&who.caller, id, words("other words").text).map(drop)
}

fn delete(n: &mut Node, who: &Person, id: &MessageId) -> Done {
    n.delete_message(&who.caller, id).map(drop)
}

/// A message of the caller's own; who never had one is refused as for one that is not there.
fn own(id: &Option<MessageId>) -> Result<MessageId, Refusal> {
    id.clone().ok_or(Refusal::NoSuchMessage)
}

fn create(n: &mut Node, who: &Person, kind: RoomKind) -> Done {
    n.create_room(&who.caller, NewRoom::named(kind, Name::fixed("new-room"))).map(drop)
}

fn patch_user(n: &mut Node, who: &Person, id: &linnet::base::id::UserId, patch: UserPatch) -> Done {
    n.change_user(&who.caller, id, patch).map(drop)
}

/// What is tried, in the order of the table.
pub const ABILITIES: &[(&str, Try)] = &[
    ("read in the square", |s, r, _, who| read(r, who, &s.square)),
    ("read in the shed", |s, r, _, who| read(r, who, &s.shed)),
    ("read in the attic", |s, r, _, who| read(r, who, &s.attic)),
    ("read in the direct room", |s, r, _, who| read(r, who, &s.direct)),
    ("see who has an account", |_, r, _, who| policy::may_see_users(&r.actor(&who.caller)?)),
    ("post in the square", |s, _, n, who| post(n, who, &s.square)),
    ("post in the shed", |s, _, n, who| post(n, who, &s.shed)),
    ("post in the workshop", |s, _, n, who| post(n, who, &s.workshop)),
    ("post in the attic", |s, _, n, who| post(n, who, &s.attic)),
    ("post in the direct room", |s, _, n, who| post(n, who, &s.direct)),
    ("post in the square in another's guise", |s, _, n, who| {
        let guise = Some(Box::new(Guise { alias: "the mayor".into(), ..Guise::default() }));
        n.post_message(&who.caller, &s.square, Draft { guise, ..words("hello") }).map(drop)
    }),
    ("edit one's own message in the square", |_, _, n, who| edit(n, who, &own(&who.own)?)),
    ("edit another's message in the square", |s, _, n, who| edit(n, who, &s.others)),
    ("edit another's message in the shed", |s, _, n, who| edit(n, who, &s.in_shed)),
    ("edit what the node told of one in the square", |_, _, n, who| edit(n, who, &own(&who.told)?)),
    ("delete one's own message in the square", |_, _, n, who| delete(n, who, &own(&who.own)?)),
    ("delete another's message in the square", |s, _, n, who| delete(n, who, &s.others)),
    ("delete another's message in the shed", |s, _, n, who| delete(n, who, &s.in_shed)),
    ("delete what the node told of one in the square", |_, _, n, who| delete(n, who, &own(&who.told)?)),
    ("react in the square", |s, _, n, who| n.react(&who.caller, &s.others, "ok", None).map(drop)),
    ("react in the shed", |s, _, n, who| n.react(&who.caller, &s.in_shed, "ok", None).map(drop)),
    ("mark the square as read", |s, _, n, who| n.mark_read(&who.caller, &s.square, None).map(drop)),
    ("join the square", |s, _, n, who| n.join_room(&who.caller, &s.square).map(drop)),
    ("join the shed", |s, _, n, who| n.join_room(&who.caller, &s.shed).map(drop)),
    ("join the direct room", |s, _, n, who| n.join_room(&who.caller, &s.direct).map(drop)),
    ("leave the square", |s, _, n, who| n.leave_room(&who.caller, &s.square).map(drop)),
    ("invite into the square", |s, _, n, who| {
        n.invite(&who.caller, &s.square, std::slice::from_ref(&s.bystander)).map(drop)
    }),
    ("invite into the shed", |s, _, n, who| {
        n.invite(&who.caller, &s.shed, std::slice::from_ref(&s.bystander)).map(drop)
    }),
    ("invite into the direct room", |s, _, n, who| {
        n.invite(&who.caller, &s.direct, std::slice::from_ref(&s.bystander)).map(drop)
    }),
    ("make a code into the square", |s, _, n, who| {
        n.invite_by_code(&who.caller, &s.square, None, 1).map(drop)
    }),
    ("make a code into the shed", |s, _, n, who| n.invite_by_code(&who.caller, &s.shed, None, 1).map(drop)),
    ("enter the shed by a code", |s, _, n, who| n.enter_by_code(&who.caller, &s.code).map(drop)),
    ("remove a member from the square", |s, _, n, who| n.kick(&who.caller, &s.square, &s.member).map(drop)),
    ("remove a member from the shed", |s, _, n, who| n.kick(&who.caller, &s.shed, &s.member).map(drop)),
    ("remove one of two owners from the square", |s, _, n, who| {
        n.set_room_role(&linnet::node::Caller::Operator, &s.square, &s.member, Role::Owner, true)?;
        n.kick(&who.caller, &s.square, &s.owner).map(drop)
    }),
    ("give a role in the square", |s, _, n, who| {
        n.set_room_role(&who.caller, &s.square, &s.member, Role::Moderator, true)
    }),
    ("give a role in the shed", |s, _, n, who| {
        n.set_room_role(&who.caller, &s.shed, &s.member, Role::Moderator, true)
    }),
    ("set the topic of the square", |s, _, n, who| change(n, who, &s.square, topic())),
    ("set the topic of the shed", |s, _, n, who| change(n, who, &s.shed, topic())),
    ("set the topic of the direct room", |s, _, n, who| change(n, who, &s.direct, topic())),
    ("rename the square", |s, _, n, who| {
        change(n, who, &s.square, RoomPatch { name: Some(Name::fixed("plaza")), ..RoomPatch::default() })
    }),
    ("make the shed public", |s, _, n, who| {
        change(n, who, &s.shed, RoomPatch { kind: Some(RoomKind::Public), ..RoomPatch::default() })
    }),
    ("let newcomers join the square by default", |s, _, n, who| {
        change(n, who, &s.square, RoomPatch { joined_by_default: Some(true), ..RoomPatch::default() })
    }),
    ("remove the square", |s, _, n, who| n.remove_room(&who.caller, &s.square)),
    ("remove the shed", |s, _, n, who| n.remove_room(&who.caller, &s.shed)),
    ("create a public room", |_, _, n, who| create(n, who, RoomKind::Public)),
    ("create a private room", |_, _, n, who| create(n, who, RoomKind::Private)),
    ("start a direct room", |s, _, n, who| {
        n.direct_room(&who.caller, std::slice::from_ref(&s.bystander)).map(drop)
    }),
    ("take a backup", |_, r, _, who| r.back_up(&r.may_back_up(&who.caller)?, false).map(drop)),
    ("export the square", |s, r, _, who| r.exported_room(&who.caller, s.square.as_str()).map(drop)),
    ("export the shed", |s, r, _, who| r.exported_room(&who.caller, s.shed.as_str()).map(drop)),
    ("import into the square", |s, _, n, who| {
        let (author, shown) = ((None, "anna".into()), "anna".into());
        let text = linnet::chat::name::Text::parse("long ago")?;
        let arriving = linnet::node::import::Arriving {
            id: None,
            place: 1,
            at: 1,
            trusted: true,
            author,
            shown,
            kind: linnet::chat::message::MessageKind::Said,
            text,
            thread: None,
            edited: None,
            reactions: Vec::new(),
            notice: None,
            extra: None,
        };
        n.import_message(&who.caller, &s.square, arriving).map(drop)
    }),
    ("add a user", |_, _, n, who| n.add_user(&who.caller, newcomer()).map(drop)),
    ("change one's own name", |_, _, n, who| {
        patch_user(n, who, &who.id, UserPatch { name: Some("Me".into()), ..UserPatch::default() })
    }),
    ("take another's e-mail address", |_, _, n, who| {
        let email = Some("Bystander@farm".into());
        patch_user(n, who, &who.id, UserPatch { email, ..UserPatch::default() })
    }),
    ("make oneself an administrator", |_, _, n, who| {
        let roles = Some(Roles::of(&[Role::Admin, Role::User]));
        patch_user(n, who, &who.id, UserPatch { roles, ..UserPatch::default() })
    }),
    ("change another's password", |s, _, n, who| {
        patch_user(n, who, &s.bystander, UserPatch { password: Some("x".into()), ..UserPatch::default() })
    }),
    ("switch another user off", |s, _, n, who| {
        patch_user(n, who, &s.bystander, UserPatch { active: Some(false), ..UserPatch::default() })
    }),
    ("remove another user", |s, _, n, who| n.remove_user(&who.caller, &s.bystander)),
    ("remove oneself", |_, _, n, who| n.remove_user(&who.caller, &who.id)),
    ("remove the node's own user", |_, _, n, who| n.remove_user(&who.caller, &NODE_USER)),
    ("add a device to the square", |_, _, n, who| {
        n.add_device(&who.caller, Name::fixed("lamp"), "square", Rights::Both).map(drop)
    }),
    ("add a device to the shed", |_, _, n, who| {
        n.add_device(&who.caller, Name::fixed("lamp"), "shed", Rights::Read).map(drop)
    }),
    ("bind a device to the direct room", |s, _, n, who| {
        n.bind_device(&who.caller, &s.device, &s.direct, Rights::Read).map(drop)
    }),
    ("change what a device may", |_, _, n, who| {
        n.change_device(&who.caller, "device", DeviceChange::default()).map(drop)
    }),
    ("give a device a new key", |_, _, n, who| n.change_key(&who.caller, "device").map(drop)),
    ("remove a device", |_, _, n, who| n.remove_device(&who.caller, "device")),
    ("have a binding say in a private room", |_, _, n, who| bound(n, who, "shed")),
    ("have a binding say in an archived room", |_, _, n, who| bound(n, who, "attic")),
    ("publish to a topic of nobody's", |_, _, n, who| publish(n, who, "garden/soil")),
    ("publish as the device", |_, _, n, who| publish(n, who, "linnet/device/device/state")),
    ("tell the device something", |_, _, n, who| publish(n, who, "linnet/device/device/in")),
    ("answer as the device", |_, _, n, who| answer(n, who, "linnet/device/device/out")),
    ("publish to the node's own topics", |_, _, n, who| publish(n, who, "linnet/status")),
    ("publish the node's figures", |_, _, n, who| publish(n, who, "$SYS/uptime")),
    ("hear topics of nobody's", |_, r, _, who| subscribe(r, who, "garden/#")),
    ("hear all topics", |_, r, _, who| subscribe(r, who, "#")),
    ("hear what the device is told", |_, r, _, who| subscribe(r, who, "linnet/device/device/in")),
    ("hear what the device answers", |_, r, _, who| subscribe(r, who, "linnet/device/device/out")),
    ("hear whether the node is there", |_, r, _, who| subscribe(r, who, "linnet/status")),
    ("hear the node's figures", |_, r, _, who| subscribe(r, who, "$SYS/#")),
    ("have a session of topics", |_, _, n, who| {
        n.open_topic_session(&who.caller, "a-client", None, false).map(drop)
    }),
    ("end a session of topics of the member's", |_, _, n, who| {
        n.end_topic_session(&who.caller, "the-members")
    }),
    ("say what roles may do", |_, _, n, who| {
        n.set_permissions(&who.caller, &[(Permission::CREATE_C, Roles::NONE)]).map(drop)
    }),
    ("change a setting", |_, _, n, who| n.change_setting(&who.caller, "access", "open")),
    ("tell a trouble of the node", |_, _, n, who| n.tell_troubles(&who.caller, &News::default())),
    ("set the clock", |_, _, n, who| n.set_clock(&who.caller, 1_780_000_000_000).map(drop)),
    ("make an owner code", |_, _, n, who| n.make_owner_code(&who.caller).map(drop)),
    ("make a token for oneself", |_, _, n, who| n.create_token(&who.caller, &who.id).map(drop)),
    ("make a token for another", |s, _, n, who| n.create_token(&who.caller, &s.bystander).map(drop)),
    ("make a personal token", |_, _, n, who| n.add_personal_token(&who.caller, "garden").map(drop)),
    ("end one's other sessions", |_, _, n, who| n.end_other_sessions(&who.caller)),
    ("log out", |_, _, n, who| n.log_out(&who.caller)),
];
