//! Who may publish and subscribe to what. Rooms are not among it: their topics are read and written by the rights of the
//! room ([`may_read`](super::may_read), [`may_post`](super::may_post)).

use super::{Actor, MayPost};
use crate::base::id::UserId;
use crate::chat::question::{self, DEVICE_TOPICS};
use crate::chat::refusal::{Refusal, Right};
use crate::chat::room::{Room, RoomKind};
use crate::chat::topic::{Filter, Topic};
use crate::chat::user::Role;
use smol_str::SmolStr;

/// What the topics of the node itself begin with.
pub const OWN_TOPICS: &str = "linnet/";
/// What the topics of rooms begin with.
const ROOM_TOPICS: &str = "linnet/room/";
/// What everyone may know: whether the node is there.
const STATUS: &str = "linnet/status";

permit!(
    /// May publish to this topic.
    MayPublish { topic: Topic, user: UserId }
);
permit!(
    /// May hear what is published to the topics of this filter.
    MaySubscribe { filter: Filter, user: UserId }
);

/// May the actor publish to this topic?
///
/// A device may to its own `linnet/device/<name>/...` (but not what others tell it, `in`), to what its filters say, and
/// to the `in` of devices that it may command. One that only reads may not at all: its key may be in an address.
/// Administrators may command all devices and publish to all topics that are not the node's own. Other people speak in
/// rooms.
pub fn may_publish(actor: &Actor, topic: &Topic) -> Result<MayPublish, Refusal> {
    let text = topic.as_str();
    let allowed = match own_part(text) {
        _ if text.starts_with('$') || actor.device.as_ref().is_some_and(|device| device.only_reads()) => {
            false
        }
        Own::Device(name, "in") => may_command(actor, name),
        Own::Device(name, rest) => !rest.is_empty() && is_device(actor, name),
        Own::Node => false,
        Own::Others => match &actor.device {
            Some(device) => device.topics.publish.iter().any(|filter| filter.matches(topic)),
            None => actor.is(Role::Admin),
        },
    };
    if !allowed {
        return Err(Refusal::NotAllowed(Right::Publish));
    }
    Ok(MayPublish { topic: topic.clone(), user: actor.user.id.clone() })
}

/// May the node itself say this? Only what no client may publish: about itself, and its figures under `$SYS/`. And what
/// it is, to those who find it by that.
pub fn may_tell(node: &UserId, topic: &Topic) -> Result<MayPublish, Refusal> {
    match own_part(topic.as_str()) {
        Own::Node => {}
        _ if topic.as_str().starts_with("$SYS/") => {}
        _ if is_discovery(topic.as_str()) => {}
        _ => return Err(Refusal::NotAllowed(Right::Publish)),
    }
    Ok(MayPublish { topic: topic.clone(), user: node.clone() })
}

/// May what is published there be said in this room? The owner's settings bind the topic to the room: whoever may publish
/// to the topic is heard, and needs no place in the room.
pub fn may_say_bound(publish: &MayPublish, room: &Room) -> Result<MayPost, Refusal> {
    if room.kind == RoomKind::Direct {
        return Err(Refusal::NoSuchRoom);
    }
    if room.archived {
        return Err(Refusal::RoomArchived);
    }
    Ok(MayPost { room: room.id.clone(), user: publish.user().clone() })
}

/// `<prefix>/device/linnet_<more>/config`.
fn is_discovery(topic: &str) -> bool {
    let mut levels = topic.rsplit('/');
    let ends = [levels.next(), levels.next(), levels.next()];
    matches!(ends, [Some("config"), Some(id), Some("device")] if id.starts_with("linnet_"))
}

/// May the actor hear what is published to all topics of this filter?
///
/// One right has to cover the whole filter: a filter is never cut down to what is allowed of it, but for what is between
/// devices and those who speak with them, which [`may_hear`] keeps from those whose right does not name it.
pub fn may_subscribe(actor: &Actor, filter: &Filter) -> Result<MaySubscribe, Refusal> {
    let text = filter.as_str();
    let own = matches!(own_part(text), Own::Device(name, _) if is_device(actor, name));
    let allowed = own
        || text == STATUS
        // Nobody can publish there: what is said in a room is heard by the right to read it.
        || text.starts_with(ROOM_TOPICS)
        || match &actor.device {
            Some(device) => {
                let names = question::is_between(text);
                let mut rights = device.topics.subscribe.iter().filter(|right| !names || names_devices(right));
                rights.any(|right| right.covers(filter))
            }
            None => actor.is(Role::Admin),
        };
    if !allowed {
        return Err(Refusal::NotAllowed(Right::Subscribe));
    }
    Ok(MaySubscribe { filter: filter.clone(), user: actor.user.id.clone() })
}

/// May the actor, who may hear a filter, hear this topic by it? All of them, but what is between another device and those
/// who speak with it: that is heard by a right that begins with `linnet/device/`, not by `#`.
pub fn may_hear(actor: &Actor, topic: &Topic) -> bool {
    let text = topic.as_str();
    if !question::is_between(text) {
        return true;
    }
    let own = matches!(own_part(text), Own::Device(name, _) if is_device(actor, name));
    own || match &actor.device {
        Some(device) => {
            device.topics.subscribe.iter().any(|right| names_devices(right) && right.matches(topic))
        }
        None => actor.is(Role::Admin),
    }
}

/// May what the actor says in a room be told to this device? People who may post there speak to the devices that read
/// it; another device only to those that it may command.
pub fn may_ask(actor: &Actor, post: &MayPost, device: &Actor) -> Result<MayPublish, Refusal> {
    let name = &device.user.username;
    let is_there = device.user.active
        && device.device.as_ref().is_some_and(|device| {
            device.bindings.iter().any(|binding| binding.room == *post.room() && binding.read)
        });
    let allowed = actor.user.id == *post.user()
        && actor.user.id != device.user.id
        && (actor.device.is_none() || may_command(actor, name.as_str()));
    if !is_there || !allowed {
        return Err(Refusal::NotAllowed(Right::Publish));
    }
    Ok(MayPublish { topic: question::topic_in(name)?, user: actor.user.id.clone() })
}

/// May the node say beside a message what became of it? Where its author was let post.
pub fn may_note(post: &MayPost, node: &UserId) -> MayPost {
    MayPost { room: post.room().clone(), user: node.clone() }
}

/// May the actor have a session that is kept while nobody is connected? Whoever has an account may.
pub fn may_hold_session(actor: &Actor) -> bool {
    actor.device.is_some() || actor.is_resident()
}

/// To whom a topic or filter of the node's own part belongs.
enum Own<'a> {
    /// To this device, with what follows its name.
    Device(&'a str, &'a str),
    /// To the node.
    Node,
    /// To nobody: it is not in that part.
    Others,
}

fn own_part(text: &str) -> Own<'_> {
    match text.strip_prefix(DEVICE_TOPICS) {
        Some(rest) => {
            let (name, rest) = rest.split_once('/').unwrap_or((rest, ""));
            Own::Device(name, rest)
        }
        None if text.starts_with(OWN_TOPICS) || text == OWN_TOPICS.trim_end_matches('/') => Own::Node,
        None => Own::Others,
    }
}

/// Whether whoever gave this right had the topics of devices in mind.
fn names_devices(right: &Filter) -> bool {
    right.as_str().starts_with(DEVICE_TOPICS)
}

/// Names of devices have no `+` and `#`, so a filter is one device's own only when it names it.
fn is_device(actor: &Actor, name: &str) -> bool {
    actor.device.is_some() && actor.user.username.folded() == SmolStr::new(name.to_ascii_lowercase())
}

fn may_command(actor: &Actor, name: &str) -> bool {
    match &actor.device {
        Some(device) => Topic::parse(name)
            .is_ok_and(|name| device.topics.command.iter().any(|filter| filter.matches(&name))),
        None => actor.is(Role::Admin),
    }
}
