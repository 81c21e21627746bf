//! What to paste into a device: a text for each kind, beside this file, with the name, the key and the way to the node
//! filled in. The text alone goes to standard output, so that it can go into a file; hints go beside it.

use super::words::may;
use crate::chat::topic::Filter;
use crate::cli::table::plain;
use crate::cli::talk::{failed, reply_to};
use crate::cli::{Backend, Failure, Streams, machine, print_failure};
use crate::config::Config;
use crate::doors::control::client::ClientError;
use crate::doors::control::wire::{DeviceAdded, DeviceLine, Reply, Request};
use std::io;
use std::net::{IpAddr, SocketAddr};

/// The port devices know MQTT by.
const MQTT_PORT: u16 = 1883;
/// What stands for a key that nobody knows any more.
const KEY_MISSING: &str = "PASTE-THE-KEY-HERE";

/// A kind of device or program, by what is pasted into it.
#[derive(Debug)]
pub struct Dialect {
    /// The option that asks for it.
    pub option: &'static str,
    /// The text.
    template: &'static str,
    /// What it publishes; `@NAME@` stands for the device.
    publish: &'static [&'static str],
    /// What it subscribes to.
    subscribe: &'static [&'static str],
}

/// The topics that begin with the device's name.
const OWN: &[&str] = &["@NAME@/#"];

/// All kinds.
pub const DIALECTS: [Dialect; 7] = [
    Dialect {
        option: "--esphome",
        template: include_str!("show/esphome.yaml"),
        publish: &["@NAME@/#", "homeassistant/+/@NAME@/#"],
        subscribe: &["@NAME@/#", "homeassistant/status"],
    },
    Dialect {
        option: "--tasmota",
        template: include_str!("show/tasmota.txt"),
        publish: &["tele/@NAME@/#", "stat/@NAME@/#"],
        subscribe: &["cmnd/@NAME@/#"],
    },
    Dialect { option: "--arduino", template: include_str!("show/arduino.ino"), publish: OWN, subscribe: OWN },
    Dialect {
        option: "--micropython",
        template: include_str!("show/micropython.py"),
        publish: OWN,
        subscribe: OWN,
    },
    Dialect {
        option: "--node-red",
        template: include_str!("show/node-red.json"),
        publish: OWN,
        subscribe: OWN,
    },
    Dialect {
        option: "--home-assistant",
        template: include_str!("show/home-assistant.yaml"),
        publish: &["@NAME@/#", "homeassistant/#"],
        subscribe: &["@NAME@/#", "homeassistant/#", "linnet/status/#", "linnet/device/#"],
    },
    Dialect {
        option: "--mosquitto",
        template: include_str!("show/mosquitto.sh"),
        publish: OWN,
        subscribe: OWN,
    },
];

impl Dialect {
    /// What such a device publishes and subscribes to.
    pub fn needs(&self, name: &str) -> (Vec<String>, Vec<String>) {
        let of = |filters: &[&str]| filters.iter().map(|filter| filter.replace("@NAME@", name)).collect();
        (of(self.publish), of(self.subscribe))
    }

    fn fill(&self, name: &str, key: &str, place: SocketAddr) -> String {
        let marks = [
            ("@NAME@", name),
            ("@KEY@", key),
            ("@HOST@", &place.ip().to_string()),
            ("@PORT@", &place.port().to_string()),
        ];
        marks.iter().fold(self.template.to_owned(), |text, (mark, value)| text.replace(mark, value))
    }

    /// The rights such a device lacks, as the options that give them.
    fn lacks(&self, device: &DeviceLine) -> Vec<String> {
        let (publish, subscribe) = self.needs(&device.name);
        let lacking = |option: &str, wanted: Vec<String>, rights: &[String]| {
            let parse = |text: &String| Filter::parse(text).ok();
            let rights: Vec<Filter> = rights.iter().filter_map(parse).collect();
            let covered = |wanted: &Filter| rights.iter().any(|right| right.covers(wanted));
            let open = wanted.iter().filter(|text| !parse(text).is_some_and(|filter| covered(&filter)));
            open.map(|filter| format!("{option} '{filter}'")).collect::<Vec<_>>()
        };
        let mut all = lacking("--publish", publish, &device.topics.publish);
        all.extend(lacking("--subscribe", subscribe, &device.topics.subscribe));
        all
    }
}

/// Asks for a device, or for a new one or its new key, and prints what to paste into it.
pub fn print_block(
    config: &Config,
    request: &Request,
    dialect: &Dialect,
    backend: &dyn Backend,
    streams: &mut Streams<'_>,
) -> io::Result<u8> {
    let value = match reply_to(config, request, backend, |_| true) {
        Reply::Refused { message, hint } => return print_failure(&Failure { message, hint }, streams),
        Reply::Ok { value } | Reply::Item { value } => value,
    };
    let told = match request {
        Request::DeviceShow { .. } => serde_json::from_value(value).map(|device| (device, None)),
        _ => serde_json::from_value(value).map(|added: DeviceAdded| (added.device, Some(added.token))),
    };
    let (device, key): (DeviceLine, Option<String>) = match told {
        Ok(told) => told,
        Err(error) => return print_failure(&failed(&ClientError::Garbled(error.to_string())), streams),
    };
    let place = place(&device, config);
    let name = plain(&device.name);
    let key_text = plain(key.as_deref().unwrap_or(KEY_MISSING));
    streams.out.write_all(dialect.fill(&name, &key_text, place.address).as_bytes())?;
    streams.out.flush()?;
    writeln!(streams.err, "{name}   {}", may(&device))?;
    if key.is_none() {
        writeln!(
            streams.err,
            "its key was shown once: put it in place of {KEY_MISSING}, or take a new one by 'linnet device key {name} {}'",
            dialect.option
        )?;
    }
    let lacks = dialect.lacks(&device);
    if !lacks.is_empty() {
        writeln!(streams.err, "it needs more: linnet device allow {name} {}", plain(&lacks.join(" ")))?;
    }
    if let Some(hint) = place.hint {
        writeln!(streams.err, "{hint}")?;
    }
    Ok(0)
}

/// Where a device finds the node.
struct Place {
    address: SocketAddr,
    hint: Option<&'static str>,
}

/// As the node says when it runs, else as the settings do.
fn place(device: &DeviceLine, config: &Config) -> Place {
    let bound = device
        .mqtt
        .as_deref()
        .and_then(|bound| bound.parse().ok())
        .or(config.mqtt.address.beside(config.http.address));
    let host = |bound: SocketAddr| -> IpAddr { machine::reach(bound) };
    match bound {
        None => Place {
            address: SocketAddr::new(host(config.http.address), MQTT_PORT),
            hint: Some("MQTT is off on this node: set [mqtt] address = \"0.0.0.0:1883\" in linnet.toml"),
        },
        Some(bound) => Place {
            address: SocketAddr::new(host(bound), bound.port()),
            hint: bound.ip().is_loopback().then_some(
                "only this machine reaches it: set [mqtt] address = \"0.0.0.0:1883\" in linnet.toml",
            ),
        },
    }
}
