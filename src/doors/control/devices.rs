//! Devices, for the command line.

use super::answer::{OPERATOR, Surroundings};
use super::wire::{DeviceAdded, DeviceLine, Reply, Rights, TopicFilters};
use crate::base::limits::DEVICE_FILTERS_MAX;
use crate::chat::device::{Binding, DeviceChange, Filters, Rooms, TopicRights};
use crate::chat::name::Name;
use crate::chat::refusal::Refusal;
use crate::chat::topic::Filter;
use crate::node::devices::{self, Heard, NewDevice};
use crate::node::{NodeHandle, Reading};
use std::collections::BTreeMap;

/// The room of a device for which nobody named a room or a topic.
const FIRST_ROOM: &str = "general";

/// Adds a device: bound to its room, to its topics, or to both.
pub async fn add(
    node: &NodeHandle,
    around: &Surroundings,
    name: &str,
    (room, rights): (Option<String>, Rights),
    topics: TopicFilters,
) -> Result<Reply, Refusal> {
    let granted = match rights {
        Rights::PostAndRead => devices::Rights::Both,
        Rights::Post => devices::Rights::Post,
        Rights::Read => devices::Rights::Read,
    };
    let room = room.or_else(|| topics.names_no_topic().then(|| FIRST_ROOM.to_owned()));
    let new = NewDevice {
        name: Name::parse(name)?,
        room: room.map(|room| (room.into(), granted)),
        topics: topic_rights(&topics)?,
        certificate: false,
    };
    let made = node.call(&OPERATOR, move |node| node.make_device(&OPERATOR, new)).await?;
    added(node, around, made.user.username.as_str(), made.key)
}

/// Gives a device a new token and ends the old one.
pub async fn key(node: &NodeHandle, around: &Surroundings, name: String) -> Result<Reply, Refusal> {
    let (user, key) = node.call(&OPERATOR, move |node| node.change_key(&OPERATOR, &name)).await?;
    added(node, around, user.username.as_str(), key)
}

fn added(node: &NodeHandle, around: &Surroundings, name: &str, token: String) -> Result<Reply, Refusal> {
    let device = node.read(|reading| shown(reading, around, name))?;
    Ok(Reply::ok(&DeviceAdded { token, url: around.url.clone(), device }))
}

/// Changes what a device may.
pub async fn allow(
    node: &NodeHandle,
    name: String,
    (give, take): (TopicFilters, TopicFilters),
    (rooms, not_rooms): (BTreeMap<String, Rights>, Vec<String>),
    certificate: Option<bool>,
) -> Result<Reply, Refusal> {
    let given = rooms.into_iter().map(|(room, rights)| {
        let (post, read) = rights.allow();
        (room.into(), post, read)
    });
    let given = given.collect();
    let change = |give: &[String], take: &[String]| {
        Ok::<_, Refusal>(Filters::Change { take: filters(take)?, give: filters(give)? })
    };
    let change = DeviceChange {
        publish: change(&give.publish, &take.publish)?,
        subscribe: change(&give.subscribe, &take.subscribe)?,
        command: change(&give.command, &take.command)?,
        certificate,
        rooms: Rooms::Change { take: not_rooms.into_iter().map(Into::into).collect(), give: given },
    };
    let meant = name.clone();
    node.call(&OPERATOR, move |node| node.change_device(&OPERATOR, &meant, change)).await?;
    Ok(Reply::ok(&node.read(|reading| named(reading, &name))?))
}

/// Removes a device; the reply is what it was.
pub async fn remove(node: &NodeHandle, name: String) -> Result<Reply, Refusal> {
    let line = node.read(|reading| named(reading, &name))?;
    node.call(&OPERATOR, move |node| node.remove_device(&OPERATOR, &name)).await?;
    Ok(Reply::ok(&line))
}

/// All devices.
pub fn lines(reading: &Reading) -> Result<Vec<DeviceLine>, Refusal> {
    Ok(reading.devices_heard(&reading.actor(&OPERATOR)?)?.iter().map(line).collect())
}

/// One device, with where it reaches MQTT.
pub fn shown(reading: &Reading, around: &Surroundings, name: &str) -> Result<DeviceLine, Refusal> {
    Ok(DeviceLine { mqtt: around.status.mqtt.clone(), ..named(reading, name)? })
}

fn named(reading: &Reading, name: &str) -> Result<DeviceLine, Refusal> {
    Ok(line(&reading.device_heard(&reading.actor(&OPERATOR)?, name)?))
}

fn line(device: &Heard) -> DeviceLine {
    let binding = device.bindings.first();
    let rights = |binding: &Binding| Rights::of(binding.post, binding.read);
    let words = |filters: &[Filter]| filters.iter().map(|filter| filter.as_str().to_owned()).collect();
    DeviceLine {
        name: device.user.username.to_string(),
        room: binding.map(|(_, room)| room.to_string()),
        rights: binding.map_or(Rights::default(), |(binding, _)| rights(binding)),
        rooms: device.bindings.iter().map(|(binding, room)| (room.to_string(), rights(binding))).collect(),
        topics: TopicFilters {
            publish: words(&device.topics.publish),
            subscribe: words(&device.topics.subscribe),
            command: words(&device.topics.command),
        },
        certificate: device.certificate,
        last_seen_ms: device.heard,
        mqtt: None,
    }
}

fn topic_rights(typed: &TopicFilters) -> Result<TopicRights, Refusal> {
    Ok(TopicRights {
        publish: filters(&typed.publish)?,
        subscribe: filters(&typed.subscribe)?,
        command: filters(&typed.command)?,
    })
}

fn filters(typed: &[String]) -> Result<Vec<Filter>, Refusal> {
    if typed.len() > DEVICE_FILTERS_MAX {
        return Err(Refusal::TooMany { what: "filters of one device", max: DEVICE_FILTERS_MAX });
    }
    typed.iter().map(|filter| Filter::parse(filter)).collect()
}
