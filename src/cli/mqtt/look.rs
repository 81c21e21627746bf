//! `linnet mqtt try`: what topics say, and how that would read in a room, before anything is bound.

use super::super::args::{Given, Opt, Spec, Usage};
use super::super::table::plain;
use super::super::{Action, Failure, Streams, print_failure};
use super::in_runtime;
use crate::base::limits::TRY_SECONDS_MAX;
use crate::base::world::OsWorld;
use crate::chat::name::Name;
use crate::config::Config;
use crate::doors::control::wire::Request;
use crate::doors::mqtt::binding::{Trial, span};
use crate::doors::mqtt::bridge::broker::{Broker, Certificates, Version};
use crate::doors::mqtt::bridge::rule::Password;
use crate::doors::mqtt::bridge::search::Search;
use crate::doors::trial::{Order, Tried};
use std::io;

/// A look at a broker that is not the node's own.
#[derive(Debug)]
pub(crate) struct Job {
    order: Order,
    bridge: String,
    json: bool,
}

pub(crate) const TRY: Spec = Spec {
    words: "mqtt try",
    operands: &["FILTER"],
    options: &[
        Opt::valued("--value", "PATH"),
        Opt::valued("--text", "TEMPLATE"),
        Opt::valued("--room", "ROOM"),
        Opt::valued("--bridge", "NAME"),
        Opt::valued("--for", "TIME"),
        Opt::switch("--json"),
    ],
    help: super::HELP,
    build: |given, _| {
        let (order, json) = (order(&given)?, given.has("--json"));
        Ok(match given.value("--bridge").map(str::to_owned) {
            None => Action::Ask { sources: given.sources(), request: Request::MqttTry(order), json },
            Some(bridge) => Action::Try { sources: given.sources(), job: Job { order, bridge, json } },
        })
    },
};

fn order(given: &Given) -> Result<Order, Usage> {
    let seconds = span(given.value("--for").unwrap_or("10s")).map(|span| span.as_secs());
    let seconds = seconds.filter(|seconds| *seconds <= TRY_SECONDS_MAX);
    let seconds = seconds.ok_or_else(|| {
        given.usage(format!("'--for' takes a time such as 30s or 5m, at most {TRY_SECONDS_MAX}s"))
    })?;
    let room = given.value("--room").unwrap_or("general").trim_start_matches('#');
    let room = Name::parse_room(room).map_err(|_| given.usage("'--room' takes the name of a room"))?;
    let text = |name| given.value(name).map(str::to_owned);
    let (value, text) = (text("--value"), text("--text"));
    let order = Order { filter: given.operand(), value, text, room: room.as_str().to_owned(), seconds };
    Trial::of(&order).map_err(|wrong| given.usage(wrong))?;
    Ok(order)
}

/// Listens at the broker of a bridge, or at any; the number is the exit code.
pub(crate) fn try_elsewhere(job: &Job, config: &Config, streams: &mut Streams<'_>) -> io::Result<u8> {
    let Job { order, bridge, json } = job;
    let (search, head) = match search(bridge, order.seconds, config) {
        Ok(found) => found,
        Err(failure) => return print_failure(&failure, streams),
    };
    writeln!(streams.err, "listening to {} for {} s ...", search.broker, order.seconds)?;
    let mut trial = Trial::of(order).expect("the command line was read");
    let (filter, world) = (trial.filter().clone(), OsWorld::new());
    let mut hear = |topic: &str, payload: &[u8], retained: bool| trial.hear(topic, payload, retained);
    if let Err(failure) = in_runtime(search.look(&world, &filter, &mut hear)) {
        return print_failure(&failure, streams);
    }
    let mut tried = trial.finish();
    tried.keys.insert_str(0, &head);
    let text = match json {
        true => format!("{}\n", serde_json::to_value(&tried).map_err(io::Error::other)?),
        false => shown(&tried, "[[bridge]]"),
    };
    streams.out.write_all(text.as_bytes()).map(|()| 0)
}

/// Where to listen, and what a block has before the keys of its binding.
fn search(bridge: &str, seconds: u64, config: &Config) -> Result<(Search, String), Failure> {
    if let Some(rule) = config.bridges.iter().find(|rule| rule.name == bridge) {
        let (broker, certificates) = (rule.broker.clone(), rule.certificates.clone());
        let (user, password) = (rule.user.clone(), rule.password.clone());
        let head = format!("# of the bridge '{bridge}', beside its other keys\n");
        let version = rule.version;
        return Ok((Search { broker, version, certificates, user, password, seconds }, head));
    }
    let (broker, user) = Broker::parse(bridge, false).map_err(|want| Failure {
        message: format!("no bridge is named '{bridge}'"),
        hint: Some(format!("'--bridge' takes the name of a [[bridge]], or {want}")),
    })?;
    let head = format!("name = \"tried\"\nurl = \"{broker}\"\n");
    let (certificates, password) = (Certificates::default(), Password::None);
    Ok((Search { broker, version: Version::V4, certificates, user, password, seconds }, head))
}

/// What the node found.
pub(crate) fn show(tried: &Tried) -> String {
    shown(tried, "[[bind]]")
}

fn shown(tried: &Tried, block: &str) -> String {
    let mut text = String::new();
    for message in &tried.messages {
        let retained = if message.retained { " (retained)" } else { "" };
        text += &format!("{}{retained}\n  says   {}\n", plain(&message.topic), plain(&message.payload));
        match (&message.withheld, &message.text) {
            (None, Some(said)) => text += &format!("  reads  {}\n", plain(said)),
            (Some(why), Some(said)) => text += &format!("  silent {why}: {}\n", plain(said)),
            (why, None) => text += &format!("  silent {}\n", why.as_deref().unwrap_or_default()),
        }
    }
    if tried.messages.is_empty() {
        text +=
            "nothing was published there: listen longer with --for 5m, or try another filter such as '#'\n";
    }
    if tried.more {
        text += "... and more\n";
    }
    text + &format!(
        "\nTo bind it, put this into linnet.toml and start the node again:\n\n{block}\n{}",
        tried.keys
    )
}
