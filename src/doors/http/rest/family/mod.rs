//! What channels, groups and direct rooms have in common: one set of functions, told apart by a [`Family`].

pub mod make;
pub mod people;
pub mod settings;
pub mod talk;

use crate::chat::policy::Actor;
use crate::chat::refusal::Refusal;
use crate::chat::room::{Room, RoomKind};
use crate::doors::http::rest::done;
use crate::doors::http::rest::given::Given;
use crate::doors::http::wire::{Dates, room};
use crate::doors::http::{Call, Problem, Reply};
use crate::node::Reading;
use crate::node::reading::Granted;
use std::sync::Arc;

/// A family of endpoints over one kind of room.
#[derive(Debug)]
pub struct Family {
    /// The rooms it is about.
    pub kind: RoomKind,
    /// The key of one room in its answers.
    pub one: &'static str,
    /// The key of a list of rooms.
    pub many: &'static str,
    /// What a person reads.
    pub noun: &'static str,
}

/// Public rooms.
pub const CHANNEL: &Family =
    &Family { kind: RoomKind::Public, one: "channel", many: "channels", noun: "channel" };
/// Private rooms.
pub const GROUP: &Family =
    &Family { kind: RoomKind::Private, one: "group", many: "groups", noun: "private group" };
/// Direct rooms.
pub const DIRECT: &Family =
    &Family { kind: RoomKind::Direct, one: "room", many: "ims", noun: "direct message room" };

/// A row for every `METHOD "name" Rate function` under a prefix; the functions take the call and the family.
macro_rules! family {
    ($prefix:literal, $of:expr, [$($method:ident $name:literal $rate:ident $run:path;)*]) => {
        &[$($crate::doors::http::Route {
            method: hyper::Method::$method,
            path: concat!("/api/v1/", $prefix, ".", $name),
            access: $crate::doors::http::Access::LoggedIn,
            body_max: $crate::base::limits::BODY_BYTES_MAX,
            flows: false,
            rate: $crate::doors::http::RateClass::$rate,
            run: |call| Box::pin($run(call, $of)),
        }),*]
    };
}
pub(crate) use family;

/// The rows channels and groups share.
macro_rules! shared {
    ($prefix:literal, $of:expr) => {
        $crate::doors::http::rest::family::family!($prefix, $of, [
            POST "create" Posting make::create;
            GET "info" Reading make::info;
            POST "delete" Posting make::delete;
            POST "archive" Posting make::archive;
            POST "unarchive" Posting make::unarchive;
            POST "open" Posting make::open;
            POST "close" Posting make::close;
            POST "invite" Posting people::invite;
            POST "kick" Posting people::kick;
            POST "leave" Posting people::leave;
            GET "members" Reading people::members;
            GET "online" Reading people::online;
            GET "roles" Reading people::roles;
            GET "moderators" Reading people::moderators;
            POST "addOwner" Posting people::add_owner;
            POST "removeOwner" Posting people::remove_owner;
            POST "addModerator" Posting people::add_moderator;
            POST "removeModerator" Posting people::remove_moderator;
            POST "addLeader" Posting people::add_leader;
            POST "removeLeader" Posting people::remove_leader;
            POST "rename" Posting settings::rename;
            POST "setTopic" Posting settings::set_topic;
            POST "setDescription" Posting settings::set_description;
            POST "setPurpose" Posting settings::set_purpose;
            POST "setAnnouncement" Posting settings::set_announcement;
            POST "setReadOnly" Posting settings::set_read_only;
            POST "setType" Posting settings::set_type;
            POST "setDefault" Posting settings::set_default;
            POST "setCustomFields" Posting settings::set_custom_fields;
            GET "history" Reading talk::history;
            GET "messages" Reading talk::messages;
            GET "counters" Reading talk::counters;
        ])
    };
}
pub(crate) use shared;

/// The room that is meant, as far as the caller may know of it.
pub fn room_meant(call: &Call, given: &Given, of: &Family) -> Result<Arc<Room>, Problem> {
    if of.kind == RoomKind::Direct && given.word("roomId").is_none() && given.word("username").is_some() {
        return direct_with(call, given);
    }
    let meant = given.room()?;
    call.read(|reading, actor| {
        Some(reading.room_known(actor, meant)?).filter(|room| room.kind == of.kind).ok_or(Refusal::NoSuchRoom)
    })
}

/// The caller's direct room with the one person named.
fn direct_with(call: &Call, given: &Given) -> Result<Arc<Room>, Problem> {
    let who = given.user()?;
    call.read(|reading, actor| {
        let peer = reading.user_seen(actor, &who)?;
        let mut people = vec![actor.user.id.clone(), peer.id.clone()];
        people.sort();
        people.dedup();
        let places = reading.places(actor)?;
        let found = places.into_iter().find(|place| place.room.people == people);
        found.map(|place| place.room).ok_or(Refusal::NoSuchRoom)
    })
}

/// Reads the room that is meant, if the caller may.
pub fn reading_room(
    call: &Call,
    given: &Given,
    of: &Family,
    read: impl FnOnce(&Reading, &Actor, &Room, &Granted) -> Result<Reply, Refusal>,
) -> Result<Reply, Problem> {
    let room = room_meant(call, given, of)?;
    call.read(|reading, actor| {
        let granted = reading.may_read(actor, &room)?;
        read(reading, actor, &room, &granted)
    })
}

/// The answer that shows one room.
pub fn show(call: &Call, key: &'static str, room: &Room) -> Result<Reply, Problem> {
    call.read(|reading, actor| {
        let permit = reading.may_read(actor, room).ok().map(|granted| granted.permit);
        let mut counting = room::Counting::default();
        Ok(done::one(key, room::shown(reading, room, permit.as_ref(), &mut counting, Dates::Iso)?))
    })
}
