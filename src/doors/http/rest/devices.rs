//! Devices, for administrators: which there are, when they last spoke, what they may, and their keys.

use crate::base::limits::{BODY_BYTES_MAX, DEVICE_FILTERS_MAX};
use crate::chat::device::{DeviceChange, Filters, Rooms, TopicRights};
use crate::chat::name::Name;
use crate::chat::refusal::Refusal;
use crate::chat::topic::Filter;
use crate::doors::http::route::route;
use crate::doors::http::wire::date;
use crate::doors::http::{Call, Problem, Reply, Route};
use crate::node::devices::{Heard, NewDevice, Rights};
use serde::Deserialize;
use serde_json::{Value, json};

/// The rows of this family.
pub const ROUTES: &[Route] = &[
    route!(GET "/api/linnet/v1/devices", LoggedIn, 0, Reading, list),
    route!(POST "/api/linnet/v1/devices", LoggedIn, BODY_BYTES_MAX, Posting, add),
    route!(GET "/api/linnet/v1/devices/:name", LoggedIn, 0, Reading, one),
    route!(PATCH "/api/linnet/v1/devices/:name", LoggedIn, BODY_BYTES_MAX, Posting, change),
    route!(DELETE "/api/linnet/v1/devices/:name", LoggedIn, BODY_BYTES_MAX, Posting, remove),
    route!(POST "/api/linnet/v1/devices/:name/key", LoggedIn, BODY_BYTES_MAX, Posting, key),
];

async fn list(call: Call) -> Result<Reply, Problem> {
    let devices = call.read(|reading, actor| reading.devices_heard(actor))?;
    Ok(Reply::success(json!({ "devices": devices.iter().map(shown).collect::<Vec<_>>() })))
}

async fn one(call: Call) -> Result<Reply, Problem> {
    let device = named(&call, call.params.get("name"))?;
    Ok(Reply::success(json!({ "device": device })))
}

/// A new device; what is not given is as with `linnet device add`, but no room is made up.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    name: String,
    room: Option<String>,
    #[serde(default = "yes")]
    post: bool,
    #[serde(default = "yes")]
    read: bool,
    #[serde(default)]
    publish: Vec<String>,
    #[serde(default)]
    subscribe: Vec<String>,
    #[serde(default)]
    command: Vec<String>,
    #[serde(default)]
    certificate: bool,
}

fn yes() -> bool {
    true
}

async fn add(call: Call) -> Result<Reply, Problem> {
    let new: New = call.json()?;
    let rights = match (new.post, new.read) {
        (true, true) => Rights::Both,
        (true, false) => Rights::Post,
        (false, true) => Rights::Read,
        (false, false) => return Err(Problem::invalid_params("one of post and read must be true")),
    };
    let topics = TopicRights {
        publish: filters(&new.publish)?,
        subscribe: filters(&new.subscribe)?,
        command: filters(&new.command)?,
    };
    let room = new.room.map(|room| (room.into(), rights));
    let new = NewDevice { name: Name::parse(&new.name)?, room, topics, certificate: new.certificate };
    let made = call.node(move |node, caller| node.make_device(caller, new)).await?;
    keyed(&call, made.user.username.as_str(), &made.key)
}

/// What is to change; each list takes the place of what was there.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    publish: Option<Vec<String>>,
    subscribe: Option<Vec<String>>,
    command: Option<Vec<String>>,
    certificate: Option<bool>,
    rooms: Option<Vec<Room>>,
}

/// A room by name or id, and what the device may do there.
#[derive(Deserialize)]
struct Room {
    #[serde(alias = "_id")]
    name: String,
    #[serde(default = "yes")]
    post: bool,
    #[serde(default = "yes")]
    read: bool,
}

async fn change(call: Call) -> Result<Reply, Problem> {
    let change: Change = call.json()?;
    let become_these = |list: Option<Vec<String>>| match list {
        Some(list) => Ok::<_, Refusal>(Filters::Become(filters(&list)?)),
        None => Ok(Filters::Stay),
    };
    let change = DeviceChange {
        publish: become_these(change.publish)?,
        subscribe: become_these(change.subscribe)?,
        command: become_these(change.command)?,
        certificate: change.certificate,
        rooms: change.rooms.map_or(Rooms::Stay, |rooms| {
            Rooms::Become(rooms.into_iter().map(|room| (room.name.into(), room.post, room.read)).collect())
        }),
    };
    let name = call.params.get("name").to_owned();
    call.node(move |node, caller| node.change_device(caller, &name, change)).await?;
    one(call).await
}

async fn remove(call: Call) -> Result<Reply, Problem> {
    let name = call.params.get("name").to_owned();
    call.node(move |node, caller| node.remove_device(caller, &name)).await?;
    Ok(Reply::success(json!({})))
}

async fn key(call: Call) -> Result<Reply, Problem> {
    let name = call.params.get("name").to_owned();
    let (user, key) = call.node(move |node, caller| node.change_key(caller, &name)).await?;
    keyed(&call, user.username.as_str(), &key)
}

/// A device with the key that is told this once.
fn keyed(call: &Call, name: &str, key: &str) -> Result<Reply, Problem> {
    Ok(Reply::success(json!({ "device": named(call, name)?, "token": key })))
}

fn named(call: &Call, name: &str) -> Result<Value, Problem> {
    Ok(shown(&call.read(|reading, actor| reading.device_heard(actor, name))?))
}

fn filters(list: &[String]) -> Result<Vec<Filter>, Refusal> {
    if list.len() > DEVICE_FILTERS_MAX {
        return Err(Refusal::TooMany { what: "filters of one device", max: DEVICE_FILTERS_MAX });
    }
    list.iter().map(|filter| Filter::parse(filter)).collect()
}

fn shown(device: &Heard) -> Value {
    let rooms = device.bindings.iter().map(|(binding, name)| {
        json!({ "_id": binding.room.as_str(), "name": name.as_str(), "post": binding.post, "read": binding.read })
    });
    let words = |filters: &[Filter]| filters.iter().map(|filter| json!(filter.as_str())).collect::<Vec<_>>();
    json!({
        "_id": device.user.id.as_str(),
        "name": device.user.username.as_str(),
        "rooms": rooms.collect::<Vec<_>>(),
        "publish": words(&device.topics.publish),
        "subscribe": words(&device.topics.subscribe),
        "command": words(&device.topics.command),
        "certificate": device.certificate,
        "lastSeen": device.heard.map(date::iso),
    })
}
