//! `linnet device`: things that post, publish and read with a token of their own.

mod show;
mod words;

#[cfg(test)]
pub(super) use show::DIALECTS;
pub(super) use show::{Dialect, print_block};
pub(super) use words::{show_added, show_list, show_one, show_removed};

use super::Action;
use super::args::{Given, Opt, Spec, Usage};
use crate::chat::device::TopicRights;
use crate::chat::refusal::Refusal;
use crate::chat::topic::Filter;
use crate::doors::control::wire::{Request, Rights, TopicFilters};
use std::collections::BTreeMap;

const JSON: Opt = Opt::switch("--json");

/// These options, and one for each kind of block to paste.
macro_rules! and_blocks {
    ($($option:expr),*) => {
        &[
            $($option,)*
            Opt::switch("--esphome"),
            Opt::switch("--tasmota"),
            Opt::switch("--arduino"),
            Opt::switch("--micropython"),
            Opt::switch("--node-red"),
            Opt::switch("--home-assistant"),
            Opt::switch("--mosquitto"),
            JSON,
        ]
    };
}

pub(super) const ADD: Spec = Spec {
    words: "device add",
    operands: &["NAME"],
    options: and_blocks![
        Opt::valued("--room", "ROOM"),
        Opt::switch("--read"),
        Opt::switch("--post"),
        Opt::repeated("--publish", "FILTER"),
        Opt::repeated("--subscribe", "FILTER"),
        Opt::repeated("--command", "DEVICE")
    ],
    help: HELP,
    build: |given, _| add(&given),
};

pub(super) const ALLOW: Spec = Spec {
    words: "device allow",
    operands: &["NAME"],
    options: &[
        Opt::repeated("--room", "ROOM"),
        Opt::repeated("--not-room", "ROOM"),
        Opt::switch("--read"),
        Opt::switch("--post"),
        Opt::repeated("--publish", "FILTER"),
        Opt::repeated("--subscribe", "FILTER"),
        Opt::repeated("--command", "DEVICE"),
        Opt::repeated("--no-publish", "FILTER"),
        Opt::repeated("--no-subscribe", "FILTER"),
        Opt::repeated("--no-command", "DEVICE"),
        Opt::switch("--certificate"),
        Opt::switch("--no-certificate"),
        JSON,
    ],
    help: HELP,
    build: |given, _| allow(&given),
};

pub(super) const KEY: Spec = Spec {
    words: "device key",
    operands: &["NAME"],
    options: and_blocks![],
    help: HELP,
    build: |given, _| ask(&given, Request::DeviceKey { name: given.operand() }),
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
    options: and_blocks![],
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
linnet device: things that post, publish and read with a token of their own

usage: linnet device add NAME [--room ROOM [--read|--post]] [--publish FILTER]... [--subscribe FILTER]...
                              [--command DEVICE]... [BLOCK|--json]
       linnet device allow NAME [--room ROOM [--read|--post]]... [--not-room ROOM]...
                                [--publish FILTER]... [--no-publish FILTER]... [--json]
       linnet device key NAME [BLOCK|--json]
       linnet device list [--json]
       linnet device show NAME [BLOCK|--json]
       linnet device remove NAME [--json]

  --room ROOM      the room its token is good for (general, unless topics are named); 'allow' adds one more,
                   or changes what it may there
  --not-room ROOM  take a room away, at once
  --post           it may post there, not read
  --read           it may read there, not post
  --publish FILTER, --subscribe FILTER
                   the topics of MQTT it may have, beside its own linnet/device/NAME/#; as often as needed.
                   Without any: NAME/#, all topics that begin with its name
  --command DEVICE a device it may command, '+' for all; as often as needed
  --no-publish FILTER, --no-subscribe FILTER, --no-command DEVICE
                   take such a right away, at once
  --certificate, --no-certificate
                   whether a client certificate with its name logs it in without the token
  --json           for scripts; of 'add' and 'key': {\"name\",\"token\",\"room\"}
  --data DIR       the node's data folder (./linnet-data)
  --config FILE    settings to read (./linnet.toml, else /etc/linnet/linnet.toml)

BLOCK prints what to paste into the device: --esphome, --tasmota, --arduino, --micropython, --node-red,
--home-assistant or --mosquitto. 'add' gives the topics such a device needs, unless some are named.

'add' and 'key' show a token once: the node keeps only its hash. A removed device's token, and the one before a
new one, end at once. The token is the device's password for MQTT; the user name is its name.

examples:
  linnet device add porch --room garden
  linnet device add display --room garden --read
  linnet device add plug --tasmota
  linnet device add boiler --esphome >> boiler.yaml
  linnet device allow panel --command boiler --subscribe 'tele/+/SENSOR'
  linnet device allow display --room workshop --read --not-room garden
  TOKEN=$(linnet device add door --json | jq -r .token)
";

fn rights(given: &Given) -> Result<Rights, Usage> {
    match (given.has("--post"), given.has("--read")) {
        (true, true) => Err(given.usage("--read and --post exclude each other: without them it may do both")),
        (post, read) => Ok(Rights::of(post, read)),
    }
}

/// A room's name as people write it.
fn room_name(room: &str) -> String {
    room.trim_start_matches('#').to_owned()
}

fn add(given: &Given) -> Result<Action, Usage> {
    let rights = rights(given)?;
    let name = given.operand();
    let mut topics = filters(given, ["--publish", "--subscribe", "--command"])?;
    if let Some(dialect) = block(given)?.filter(|_| topics.names_no_topic()) {
        (topics.publish, topics.subscribe) = dialect.needs(&name);
    }
    let room = given.value("--room").map(room_name);
    if room.is_none() && !topics.names_no_topic() && rights != Rights::PostAndRead {
        return Err(given.usage("--read and --post are for a room: add --room ROOM"));
    }
    ask(given, Request::DeviceAdd { name, room, rights, topics })
}

fn allow(given: &Given) -> Result<Action, Usage> {
    let certificate = match (given.has("--certificate"), given.has("--no-certificate")) {
        (true, true) => return Err(given.usage("--certificate and --no-certificate exclude each other")),
        (false, false) => None,
        (certificate, _) => Some(certificate),
    };
    let give = filters(given, ["--publish", "--subscribe", "--command"])?;
    let take = filters(given, ["--no-publish", "--no-subscribe", "--no-command"])?;
    let rights = rights(given)?;
    let rooms: BTreeMap<_, _> = given.values("--room").iter().map(|room| (room_name(room), rights)).collect();
    let not_rooms: Vec<_> = given.values("--not-room").iter().map(|room| room_name(room)).collect();
    if rooms.is_empty() && rights != Rights::PostAndRead {
        return Err(given.usage("--read and --post are for a room: add --room ROOM"));
    }
    if give.is_empty() && take.is_empty() && rooms.is_empty() && not_rooms.is_empty() && certificate.is_none()
    {
        return Err(given
            .usage("say what it may: --room ROOM, --publish FILTER, --subscribe FILTER, --command DEVICE"));
    }
    ask(given, Request::DeviceAllow { name: given.operand(), give, take, rooms, not_rooms, certificate })
}

/// The filters of three options, each one that a device can be given.
fn filters(given: &Given, [publish, subscribe, command]: [&'static str; 3]) -> Result<TopicFilters, Usage> {
    let lists = |texts: &[&str], rights: fn(Vec<Filter>) -> TopicRights| {
        for text in texts {
            let fits = Filter::parse(text).and_then(|filter| rights(vec![filter]).check());
            fits.map_err(|refusal| given.usage(wrong(text, &refusal)))?;
        }
        Ok::<_, Usage>(texts.iter().map(|text| (*text).to_owned()).collect())
    };
    Ok(TopicFilters {
        publish: lists(&given.values(publish), |publish| TopicRights { publish, ..TopicRights::default() })?,
        subscribe: lists(&given.values(subscribe), |subscribe| TopicRights {
            subscribe,
            ..TopicRights::default()
        })?,
        command: lists(&given.values(command), |command| TopicRights { command, ..TopicRights::default() })?,
    })
}

fn wrong(text: &str, refusal: &Refusal) -> String {
    let text = text.escape_debug();
    match refusal {
        Refusal::Invalid { what, want } => format!("'{text}' is no {what}: give {want}"),
        other => format!("'{text}' is no topic filter: {other:?}"),
    }
}

/// The block that is asked for.
fn block(given: &Given) -> Result<Option<&'static Dialect>, Usage> {
    let mut asked = show::DIALECTS.iter().filter(|dialect| given.has(dialect.option));
    let first = asked.next();
    let second = asked.next().map(|dialect| dialect.option).or(given.has("--json").then_some("--json"));
    match (first, second) {
        (Some(first), Some(second)) => {
            Err(given.usage(format!("{} and {second} exclude each other", first.option)))
        }
        _ => Ok(first),
    }
}

fn ask(given: &Given, request: Request) -> Result<Action, Usage> {
    let sources = given.sources();
    Ok(match block(given)? {
        Some(dialect) => Action::Block { sources, request, dialect },
        None => Action::Ask { sources, request, json: given.has("--json") },
    })
}
