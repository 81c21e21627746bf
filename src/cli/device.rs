//! `linnet device`: things that post and read with a token of their own.

use super::args::{Given, Opt, Spec, Usage};
use super::table::{plain, table, utc};
use super::{Action, machine};
use crate::config::Config;
use crate::doors::control::wire::{DeviceAdded, DeviceLine, Request, Rights};
use serde_json::json;

const JSON: Opt = Opt::switch("--json");

pub(super) const ADD: Spec = Spec {
    words: "device add",
    operands: &["NAME"],
    options: &[Opt::valued("--room", "ROOM"), Opt::switch("--read"), Opt::switch("--post"), JSON],
    help: HELP,
    build: |given, _| {
        let rights = match (given.has("--post"), given.has("--read")) {
            (true, true) => {
                return Err(given.usage("--read and --post exclude each other: without them it may do both"));
            }
            (true, false) => Rights::Post,
            (false, true) => Rights::Read,
            (false, false) => Rights::PostAndRead,
        };
        let room = given.value("--room").map(|room| room.trim_start_matches('#').to_owned());
        ask(&given, Request::DeviceAdd { name: given.operand(), room, rights })
    },
};

pub(super) const LIST: Spec = Spec {
    words: "device list",
    operands: &[],
    options: &[JSON],
    help: HELP,
    build: |given, _| ask(&given, Request::DeviceList),
};

pub(super) const SHOW: Spec = Spec {
    words: "device show",
    operands: &["NAME"],
    options: &[JSON],
    help: HELP,
    build: |given, _| ask(&given, Request::DeviceShow { name: given.operand() }),
};

pub(super) const REMOVE: Spec = Spec {
    words: "device remove",
    operands: &["NAME"],
    options: &[JSON],
    help: HELP,
    build: |given, _| ask(&given, Request::DeviceRemove { name: given.operand() }),
};

const HELP: &str = "\
linnet device: things that post and read with a token of their own

usage: linnet device add NAME [--room ROOM] [--read|--post] [--json]
       linnet device list [--json]
       linnet device show NAME [--json]
       linnet device remove NAME [--json]

  --room ROOM      the only room its token is good for (general)
  --post           it may post there, not read
  --read           it may read there, not post
  --json           for scripts; of 'add': {\"name\",\"token\",\"room\"}
  --data DIR       the node's data folder (./linnet-data)
  --config FILE    settings to read (./linnet.toml, else /etc/linnet/linnet.toml)

'add' shows the token once: the node keeps only its hash. A removed device's token ends at once.

examples:
  linnet device add porch --room garden
  linnet device add display --room garden --read
  TOKEN=$(linnet device add door --json | jq -r .token)
";

/// A new device: its token and the lines to use it with.
pub(super) fn show_added(added: &DeviceAdded, json: bool, config: &Config) -> String {
    if json {
        return format!("{}\n", json!({ "name": added.name, "token": added.token, "room": added.room }));
    }
    let url = plain(&machine::url_or_own(added.url.as_deref(), config.http.address));
    let (token, room) = (plain(&added.token), plain(&added.room));
    let header = format!("-H \"Authorization: Bearer {token}\"");
    let mut text = format!("token {token}   {}; nothing else\n", may(added.rights, &room));
    if added.rights != Rights::Read {
        text.push_str(&format!("curl {header} -d \"door open\" {url}/{room}\n"));
    }
    if added.rights != Rights::Post {
        text.push_str(&format!("curl -N {header} {url}/{room}/json\n"));
    }
    text + &format!("next: linnet tail {room}\n")
}

/// All devices.
pub(super) fn show_list(devices: Vec<DeviceLine>) -> String {
    if devices.is_empty() {
        return "no devices yet\nnext: linnet device add porch --room general\n".to_owned();
    }
    let row = |device: &DeviceLine| {
        let rights = match device.rights {
            Rights::PostAndRead => "post, read",
            Rights::Post => "post",
            Rights::Read => "read",
        };
        vec![plain(&device.name), plain(&device.room), rights.to_owned(), seen(device)]
    };
    table(&["name", "room", "may", "heard"], devices.iter().map(row))
}

/// One device.
pub(super) fn show_one(device: &DeviceLine) -> String {
    let (name, room) = (plain(&device.name), plain(&device.room));
    let next = "for a new token: linnet device remove, then linnet device add";
    format!("{name}   {}; nothing else\nheard {}\n{next}\n", may(device.rights, &room), seen(device))
}

/// A device that is gone.
pub(super) fn show_removed(device: &DeviceLine) -> String {
    format!("removed {}; its token is no longer good\n", plain(&device.name))
}

fn may(rights: Rights, room: &str) -> String {
    match rights {
        Rights::PostAndRead => format!("may post in #{room} and read it"),
        Rights::Post => format!("may post in #{room}"),
        Rights::Read => format!("may read #{room}"),
    }
}

fn seen(device: &DeviceLine) -> String {
    device.last_seen_ms.map_or("never".to_owned(), utc)
}

fn ask(given: &Given, request: Request) -> Result<Action, Usage> {
    Ok(Action::Ask { sources: given.sources(), request, json: given.has("--json") })
}
