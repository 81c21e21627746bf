//! `linnet mqtt connect`: listens at a broker, lists what is there, and writes the bridges that would bring it in.

pub(super) mod look;

use super::args::{Given, Opt, Spec, Usage};
use super::table::{plain, table};
use super::{Action, Failure, Streams, print_failure};
use crate::base::id::random_text;
use crate::base::limits::{BRIDGES_MAX, SEARCH_FILES_MAX, SEARCH_SECONDS_MAX};
use crate::base::world::{OsWorld, World};
use crate::chat::name::Name;
use crate::config::{Config, Sources};
use crate::doors::mqtt::bridge::broker::{Broker, Certificates, Version};
use crate::doors::mqtt::bridge::rule::Password;
use crate::doors::mqtt::bridge::search::Search;
use crate::doors::mqtt::dialects::{Device, Finds, Proposal};
use serde_json::{Value, json};
use std::fs::{self, OpenOptions};
use std::io::{self, BufRead, BufReader, IsTerminal, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// What was asked for.
#[derive(Debug)]
pub(crate) struct Job {
    search: Search,
    room: Option<Name>,
    yes: bool,
    json: bool,
}

pub(super) const CONNECT: Spec = Spec {
    words: "mqtt connect",
    operands: &["URL"],
    options: &[
        Opt::valued("--user", "NAME"),
        Opt::valued("--password-file", "FILE"),
        Opt::valued("--ca", "FILE"),
        Opt::valued("--certificate", "FILE"),
        Opt::valued("--key", "FILE"),
        Opt::switch("--mqtt5"),
        Opt::valued("--room", "ROOM"),
        Opt::valued("--seconds", "N"),
        Opt::switch("--yes"),
        Opt::switch("--json"),
    ],
    help: HELP,
    build: |given, _| Ok(Action::Connect { sources: given.sources(), job: job(&given)? }),
};

const HELP: &str = "\
linnet mqtt: what devices publish, at the node's own broker and at others

usage: linnet mqtt connect URL [--user NAME] [--password-file FILE] [--ca FILE] [--certificate FILE --key FILE]
                               [--mqtt5] [--room ROOM] [--seconds N] [--yes] [--json]
       linnet mqtt try FILTER [--value PATH] [--text TEMPLATE] [--room ROOM] [--bridge NAME] [--for TIME] [--json]

  URL                   mqtt://HOST:PORT, mqtts:// with TLS, ws:// or wss:// with WebSocket; USER@ before the host
  --user NAME           who logs in at the broker
  --password-file FILE  a file with the password alone
  --ca FILE             who vouches for the broker's certificate, unless whom this machine trusts does
  --certificate FILE, --key FILE
                        what to show to a broker that asks for a certificate
  --mqtt5               speak MQTT 5.0, not 3.1.1; the bridges will too
  --room ROOM           the room that hears everything; else a room for each kind of device
  --seconds N           how long to listen (10); devices that report seldom need longer
  --yes                 write the bridges without asking
  FILTER                topics, such as 'tele/+/SENSOR' or 'zigbee2mqtt/#'
  --value PATH          where the value is in a payload that is JSON, such as DS18B20.Temperature
  --text TEMPLATE       how it is to read, such as '{device}: {value} {unit}'
  --bridge NAME         a bridge of the settings, or the URL of a broker, in place of the node's own
  --for TIME            how long to listen (10s)
  --json                for scripts, which are not asked: 'connect' gives {\"broker\",\"messages\",\"devices\",
                        \"bridges\",\"written\"}
  --data DIR            the node's data folder (./linnet-data)
  --config FILE         settings to read (./linnet.toml, else /etc/linnet/linnet.toml)

'try' shows what is retained and what comes, how each would read in the room and what would be withheld, and prints the
block that binds it; what is not given is guessed. Nothing is said and nothing is changed.

'connect' listens, lists the devices it knows by Home Assistant's discovery, Zigbee2MQTT, Tasmota, ESPHome, Homie and
Meshtastic, and prints the [[bridge]] blocks that would bring them in. After a yes these go into a new file in conf.d
beside the settings; nothing is overwritten. The node reads it when it is started again.

examples:
  linnet mqtt try 'tele/#' --for 5m
  linnet mqtt try zigbee2mqtt/+ --value temperature --bridge mqtt://192.168.1.10
  linnet mqtt connect mqtt://192.168.1.10
  linnet mqtt connect mqtts://linnet@broker.lan --password-file broker.password --seconds 60 --room garden
";

fn job(given: &Given) -> Result<Job, Usage> {
    let wrong = |what: &str| given.usage(what.to_owned());
    let parsed = Broker::parse(&given.operand(), false);
    let (broker, user) = parsed.map_err(|want| given.usage(format!("URL is {want}")))?;
    let user = given.value("--user").map(str::to_owned).or(user);
    let path = |name: &'static str| {
        let path = given.value(name).map(std::path::absolute).transpose();
        path.map_err(|_| given.usage(format!("'{name}' takes the path of a file")))
    };
    let (ca, password_file) = (path("--ca")?, path("--password-file")?);
    let own = match (path("--certificate")?, path("--key")?) {
        (Some(certificate), Some(key)) => Some((certificate, key)),
        (None, None) => None,
        _ => return Err(wrong("'--certificate' and '--key' belong together")),
    };
    if password_file.is_some() && user.is_none() {
        return Err(wrong("a password needs a '--user'"));
    }
    if (ca.is_some() || own.is_some()) && !broker.carrier.is_secured() {
        return Err(wrong("certificates are for mqtts:// and wss://"));
    }
    let seconds = given.value("--seconds").unwrap_or("10").parse().ok();
    let seconds = seconds.filter(|seconds| (1..=SEARCH_SECONDS_MAX).contains(seconds));
    let seconds =
        seconds.ok_or_else(|| given.usage(format!("'--seconds' takes 1 to {SEARCH_SECONDS_MAX}")))?;
    let room = given.value("--room").map(|room| Name::parse_room(room.trim_start_matches('#'))).transpose();
    let room = room.map_err(|_| wrong("'--room' takes the name of a room"))?;
    let password = password_file.map_or(Password::None, Password::File);
    let certificates = Certificates { ca, own };
    let version = if given.has("--mqtt5") { Version::V5 } else { Version::V4 };
    let search = Search { broker, version, certificates, user, password, seconds };
    Ok(Job { search, room, yes: given.has("--yes"), json: given.has("--json") })
}

/// Does it; the number is the exit code.
pub(super) fn connect(
    job: &Job,
    sources: &Sources,
    config: &Config,
    streams: &mut Streams<'_>,
) -> io::Result<u8> {
    let (broker, seconds) = (&job.search.broker, job.search.seconds);
    writeln!(streams.err, "listening to {broker} for {seconds} s ...")?;
    let (world, mut finds) = (OsWorld::new(), Finds::default());
    let messages = match listen(job, &world, &mut finds) {
        Ok(messages) => messages,
        Err(failure) => return print_failure(&failure, streams),
    };
    if finds.devices().next().is_none() {
        let message = format!("{messages} messages, and none of a kind of device that is known");
        let hint = "listen longer with --seconds 300, or write a [[bridge]]: 'linnet config' shows one";
        return print_failure(&Failure { message, hint: Some(hint.to_owned()) }, streams);
    }
    let blocks = blocks(job, finds.proposals(), config, &world);
    let folder = sources.main_file().with_file_name("conf.d");
    let write = || write_new(&folder, &broker.host, &blocks).map_err(|error| unwritten(&folder, &error));
    if job.json {
        let written = if job.yes && !blocks.is_empty() { write().map(Some) } else { Ok(None) };
        return match written {
            Ok(path) => writeln!(streams.out, "{}", found(job, messages, &finds, &blocks, path)).map(|()| 0),
            Err(failure) => print_failure(&failure, streams),
        };
    }
    streams.out.write_all(devices(&finds).as_bytes())?;
    if blocks.is_empty() {
        writeln!(streams.out, "\nnothing to add: there is a bridge for all that can be heard")?;
        return Ok(0);
    }
    writeln!(streams.out, "\n{}", blocks.trim_end())?;
    if !job.yes && !asked(&folder, streams)? {
        return Ok(0);
    }
    match write() {
        Ok(path) => {
            let path = plain(&path.to_string_lossy());
            writeln!(streams.out, "\nwrote {path}; start the node again to use it").map(|()| 0)
        }
        Err(failure) => print_failure(&failure, streams),
    }
}

fn unwritten(folder: &Path, error: &io::Error) -> Failure {
    let message = format!("cannot write into {}: {error}", folder.display());
    Failure { message, hint: Some("name settings you may write beside with --config FILE".to_owned()) }
}

/// All of it for scripts.
fn found(job: &Job, messages: u64, finds: &Finds, blocks: &str, written: Option<PathBuf>) -> Value {
    let device = |(dialect, name, device): (&str, &str, &Device)| json!({ "kind": dialect, "device": name, "values": device.values });
    json!({
        "broker": job.search.broker.to_string(),
        "messages": messages,
        "devices": finds.devices().map(device).collect::<Vec<_>>(),
        "bridges": blocks,
        "written": written.map(|path| path.to_string_lossy().into_owned()),
    })
}

fn listen(job: &Job, world: &dyn World, finds: &mut Finds) -> Result<u64, Failure> {
    in_runtime(job.search.clone().run(world, finds))
}

/// Waits for what is done at a broker.
fn in_runtime<T>(work: impl Future<Output = Result<T, String>>) -> Result<T, Failure> {
    let failed = |message: String| Failure { message, hint: None };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| failed(format!("cannot listen: {error}")))?;
    runtime.block_on(work).map_err(failed)
}

fn devices(finds: &Finds) -> String {
    let row = |(dialect, name, device): (&str, &str, &Device)| {
        let value = |(name, unit): (&String, &String)| match unit.is_empty() {
            true => name.clone(),
            false => format!("{name} ({unit})"),
        };
        let values: Vec<String> = device.values.iter().map(value).collect();
        vec![dialect.to_owned(), plain(name), plain(&values.join(", "))]
    };
    table(&["kind", "device", "values"], finds.devices().map(row))
}

/// The bridges that are not there yet, as TOML.
fn blocks(job: &Job, proposals: Vec<Proposal>, config: &Config, world: &dyn World) -> String {
    let place = job.search.broker.place();
    let mut names: Vec<String> = config.bridges.iter().map(|bridge| bridge.name.clone()).collect();
    let mut text = String::new();
    for proposal in proposals {
        let is_there = config.bridges.iter().any(|bridge| {
            let topic = bridge.hears.as_ref().map(|hears| &hears.binding.topic);
            bridge.broker.place() == place && topic == Some(&proposal.filter)
        });
        if is_there || names.len() >= BRIDGES_MAX {
            continue;
        }
        let kind = proposal.dialect.to_lowercase().replace(' ', "-");
        let numbered = (2..).map(|number| format!("{kind}-{number}"));
        let mut free = std::iter::once(kind.clone()).chain(numbered).filter(|name| !names.contains(name));
        let name = free.next().expect("numbers do not end");
        let client_id = format!("linnet-{name}-{}", random_text(world, 4));
        text += &block(job, &proposal, &[("name", &name), ("client_id", &client_id)], &kind);
        names.push(name);
    }
    text
}

fn block(job: &Job, proposal: &Proposal, named: &[(&str, &str)], kind: &str) -> String {
    let path = |path: &PathBuf| path.to_string_lossy().into_owned();
    let search = &job.search;
    let password_file = match &search.password {
        Password::File(file) => Some(path(file)),
        Password::None | Password::Inline(_) => None,
    };
    let own = search.certificates.own.as_ref();
    let shared = [
        ("url", Some(search.broker.to_string())),
        ("ca", search.certificates.ca.as_ref().map(path)),
        ("certificate", own.map(|(certificate, _)| path(certificate))),
        ("key", own.map(|(_, key)| path(key))),
        ("user", search.user.clone()),
        ("password_file", password_file),
        ("topic", Some(proposal.filter.as_str().to_owned())),
        ("room", Some(job.room.as_ref().map_or(kind, |room| room.as_str()).to_owned())),
        ("text", Some(proposal.template.clone())),
    ];
    let named = named.iter().map(|(key, value)| (*key, (*value).to_owned()));
    let rows = named.chain(shared.into_iter().filter_map(|(key, value)| Some((key, value?))));
    let lines: String = rows.map(|(key, value)| format!("{key} = {}\n", quoted(&value))).collect();
    let version = if search.version == Version::V5 { "version = 5\n" } else { "" };
    format!("[[bridge]]\n{lines}{version}\n")
}

/// Text as TOML takes it: JSON's escapes are among TOML's.
fn quoted(text: &str) -> String {
    let text: String = text.chars().filter(|letter| *letter != '\u{7f}').collect();
    Value::String(text).to_string()
}

/// Whether somebody at a terminal says yes.
fn asked(folder: &Path, streams: &mut Streams<'_>) -> io::Result<bool> {
    let folder = plain(&folder.to_string_lossy());
    if !io::stdin().is_terminal() {
        writeln!(streams.err, "nothing was written: with --yes this goes into {folder}")?;
        return Ok(false);
    }
    write!(streams.out, "\nwrite this into {folder}? [y/N] ")?;
    streams.out.flush()?;
    let mut line = String::new();
    BufReader::new((&mut *streams.input).take(16)).read_line(&mut line)?;
    Ok(matches!(line.trim().to_lowercase().as_str(), "y" | "yes"))
}

/// A new file; none that is there is touched. It says where a password is and holds none, so that a node that runs as
/// somebody else can read it.
fn write_new(folder: &Path, host: &str, text: &str) -> io::Result<PathBuf> {
    fs::create_dir_all(folder)?;
    let host = host.replace([':', '%'], "-");
    for number in 1..=SEARCH_FILES_MAX {
        let number = if number == 1 { String::new() } else { format!("-{number}") };
        let path = folder.join(format!("mqtt-{host}{number}.toml"));
        match OpenOptions::new().write(true).create_new(true).mode(0o644).open(&path) {
            Ok(mut file) => {
                file.write_all(text.as_bytes())?;
                file.sync_all()?;
                return Ok(path);
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::new(io::ErrorKind::AlreadyExists, "too many files of this broker"))
}
