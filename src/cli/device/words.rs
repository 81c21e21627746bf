//! Devices in words, for a person at a terminal.

use crate::cli::machine;
use crate::cli::table::{plain, table, utc};
use crate::config::Config;
use crate::doors::control::wire::{DeviceAdded, DeviceLine, Rights};
use serde_json::json;

/// A new device or a new token: the token and the lines to use it with.
pub fn show_added(added: &DeviceAdded, json: bool, config: &Config) -> String {
    let device = &added.device;
    if json {
        return format!("{}\n", json!({ "name": device.name, "token": added.token, "room": device.room }));
    }
    let url = plain(&machine::url_or_own(added.url.as_deref(), config.http.address));
    let (name, token) = (plain(&device.name), plain(&added.token));
    let header = format!("-H \"Authorization: Bearer {token}\"");
    let mut text = format!("token {token}   {}\n", may(device));
    let Some(room) = device.room.as_deref().map(plain) else {
        return text
            + &format!(
                "next: linnet device show {name} --mosquitto   (or --esphome, --tasmota, --arduino, ...)\n"
            );
    };
    if device.rights != Rights::Read {
        text.push_str(&format!("curl {header} -d \"door open\" {url}/{room}\n"));
    }
    if device.rights != Rights::Post {
        text.push_str(&format!("curl -N {header} {url}/{room}/json\n"));
    }
    text + &format!("next: linnet tail {room}\n")
}

/// All devices.
pub fn show_list(devices: Vec<DeviceLine>) -> String {
    if devices.is_empty() {
        return "no devices yet\nnext: linnet device add porch --room general\n".to_owned();
    }
    let row = |device: &DeviceLine| {
        let rights = match device.rights {
            _ if device.room.is_none() => "",
            Rights::PostAndRead => "post, read",
            Rights::Post => "post",
            Rights::Read => "read",
        };
        let list = |filters: &[String]| plain(&filters.join(", "));
        let topics = &device.topics;
        let more = match device.rooms.len() {
            0 | 1 => String::new(),
            rooms => format!(" +{}", rooms - 1),
        };
        vec![
            plain(&device.name),
            device.room.as_deref().map(plain).unwrap_or_default() + &more,
            rights.to_owned(),
            list(&topics.publish),
            list(&topics.subscribe),
            list(&topics.command),
            if device.certificate { "yes".to_owned() } else { String::new() },
            seen(device),
        ]
    };
    let heads = ["name", "room", "may", "publishes", "subscribes", "commands", "certificate", "heard"];
    table(&heads, devices.iter().map(row))
}

/// One device.
pub fn show_one(device: &DeviceLine) -> String {
    let name = plain(&device.name);
    let certificate = if device.certificate { "a client certificate with its name logs it in\n" } else { "" };
    format!(
        "{name}   {}\n{certificate}heard {}\nfor a new token: linnet device key {name}\n",
        may(device),
        seen(device)
    )
}

/// A device that is gone.
pub fn show_removed(device: &DeviceLine) -> String {
    format!("removed {}; its token is no longer good\n", plain(&device.name))
}

/// All that it may, in one line.
pub(super) fn may(device: &DeviceLine) -> String {
    let mut rights = Vec::new();
    // A node of a former version names only the first.
    let first = device.room.as_deref().filter(|_| device.rooms.is_empty()).map(|room| (room, device.rights));
    let all = device.rooms.iter().map(|(room, may)| (room.as_str(), *may));
    for (room, may) in all.chain(first).map(|(room, may)| (plain(room), may)) {
        rights.push(match may {
            Rights::PostAndRead => format!("post in #{room} and read it"),
            Rights::Post => format!("post in #{room}"),
            Rights::Read => format!("read #{room}"),
        });
    }
    let topics = &device.topics;
    for (verb, filters) in
        [("publish", &topics.publish), ("subscribe to", &topics.subscribe), ("command", &topics.command)]
    {
        if !filters.is_empty() {
            rights.push(format!("{verb} {}", plain(&filters.join(", "))));
        }
    }
    let own = format!("nothing else but its own linnet/device/{}/#", plain(&device.name));
    if rights.is_empty() { format!("may do {own}") } else { format!("may {}; {own}", rights.join(", ")) }
}

fn seen(device: &DeviceLine) -> String {
    device.last_seen_ms.map_or("never".to_owned(), utc)
}
