//! `[[bridge]]` blocks: from entries of a file to a checked rule.

mod ways;

pub(super) use ways::gather;

use super::binding::FORMER_TEMPLATE;
use super::block::Block;
use super::file::Entry;
use super::origin::{Origin, Row};
use super::problem::Problem;
use super::settings::{Given, quoted};
use crate::base::limits::{BRIDGE_NAME_CHARS_MAX, MQTT_CLIENT_ID_BYTES_MAX, PASSWORD_BYTES_MAX};
use crate::base::secret::Secret;
use crate::doors::mqtt::bridge::broker::{Broker, Certificates, Version};
use crate::doors::mqtt::bridge::rule::{BridgeRule, Password, Qos};
use std::path::{Path, PathBuf};
use ways::Direction;

/// Keys of a block, in the order they are shown.
pub(super) const KEYS: [&str; 27] = [
    "name",
    "url",
    "version",
    "tls",
    "ca",
    "certificate",
    "key",
    "user",
    "password",
    "password_file",
    "direction",
    "room",
    "topic",
    "text",
    "value",
    "unit",
    "deadband",
    "every",
    "on",
    "above",
    "below",
    "qos",
    "out_topic",
    "out_template",
    "status_topic",
    "home_assistant",
    "client_id",
];

/// The rule and its rows, or problems added to `problems`.
pub(super) fn read(
    entries: &[Entry],
    start: &Origin,
    problems: &mut Vec<Problem>,
) -> Option<(BridgeRule, Vec<Row>)> {
    let before = problems.len();
    let mut block = Block::of("bridge", entries, start, problems);
    block.refuse_unknown(&[&KEYS, &[FORMER_TEMPLATE]]);
    let rule = block.rule();
    let mut rows = block.rows;
    let name = rule.as_ref().map_or("?", |rule| &rule.name);
    for row in &mut rows {
        row.key = format!("bridge.{name}.{}", row.key);
    }
    (problems.len() == before).then(|| rule.map(|rule| (rule, rows))).flatten()
}

impl Block<'_> {
    fn rule(&mut self) -> Option<BridgeRule> {
        let name = self.needed("name", NAME, |text| is_name(text).then(|| text.to_owned()).ok_or(NAME));
        let tls = self.chosen("tls", Given::Other("false".into()), "true or false", word)?;
        let address = self.needed("url", "mqtt://HOST:PORT", |text| Broker::parse(text, tls));
        let (broker, user_there) = address.map_or((None, None), |(broker, user)| (Some(broker), user));
        let version = self.chosen("version", Given::Number(4), "4 or 5", |given| match given {
            Given::Number(4) => Some(Version::V4),
            Given::Number(5) => Some(Version::V5),
            _ => None,
        });
        let secured = broker.as_ref().is_none_or(|broker| broker.carrier.is_secured());
        let certificates = self.certificates(secured);
        let user = self.optional("user", "a text", |text| Ok(text.to_owned())).or(user_there);
        let password = self.password(user.is_some());
        let direction = self.chosen("direction", Given::Text("in".into()), DIRECTION, Direction::parse);
        let room = self.room();
        let (direction, room) = direction.zip(room)?;
        let tells = self.tells(direction, &room);
        let hears = self.hears(direction, tells.as_ref());
        let status_topic = self.status_topic();
        let found = self.found();
        let client_id = self.client_id(name.as_deref());
        Some(BridgeRule {
            name: name?,
            broker: broker?,
            version: version?,
            certificates,
            user,
            password,
            client_id: client_id?,
            room,
            hears: hears?,
            tells: tells?,
            status_topic,
            found,
            fellows: Vec::new(),
        })
    }

    fn password(&mut self, has_user: bool) -> Password {
        let inline = self.optional("password", "a text", |text| {
            let fits = text.len() <= PASSWORD_BYTES_MAX;
            fits.then(|| Secret::new(text)).ok_or("at most 1024 bytes")
        });
        let file =
            self.optional("password_file", "the path of a file", |text| Ok(Path::new(text).to_owned()));
        let written = |key| self.entries.iter().find(|entry| entry.key == key).map(|entry| &entry.origin);
        if let (Some(_), Some(origin)) = (&inline, written("password_file")) {
            self.problems
                .push(Problem::at(origin, "bridge has password and password_file: keep one of them"));
        } else if let (false, Some(origin)) = (has_user, written("password").or(written("password_file"))) {
            self.problems.push(Problem::at(origin, "bridge has a password but no user: MQTT asks for both"));
        }
        match (inline, file) {
            (Some(secret), _) => Password::Inline(secret),
            (None, Some(path)) => Password::File(self.beside(&path)),
            (None, None) => Password::None,
        }
    }

    /// A path as the file means it: from its own folder.
    fn beside(&self, path: &Path) -> std::path::PathBuf {
        match self.start {
            Origin::File { path: file, .. } => file.parent().unwrap_or(Path::new("")).join(path),
            _ => path.to_owned(),
        }
    }

    fn certificates(&mut self, secured: bool) -> Certificates {
        let path = |text: &str| Ok(PathBuf::from(text));
        let [ca, certificate, key] =
            ["ca", "certificate", "key"].map(|key| self.optional(key, "the path of a file", path));
        let written = |key| self.entry(key).map(|entry| entry.origin.clone());
        let first = written("ca").or(written("certificate")).or(written("key"));
        if let (false, Some(origin)) = (secured, first) {
            let what = "bridge has certificates but no TLS: write 'tls = true', or mqtts:// or wss://";
            self.problems.push(Problem::at(&origin, what));
        } else if let (true, Some(origin)) =
            (certificate.is_some() != key.is_some(), written("certificate").or(written("key")))
        {
            self.problems.push(Problem::at(
                &origin,
                "a bridge's certificate needs its key, and a key its certificate",
            ));
        }
        let own =
            certificate.zip(key).map(|(certificate, key)| (self.beside(&certificate), self.beside(&key)));
        Certificates { ca: ca.map(|ca| self.beside(&ca)), own }
    }

    fn qos(&mut self) -> Option<Qos> {
        self.chosen("qos", Given::Number(1), "0 or 1", |given| match given {
            Given::Number(0) => Some(Qos::AtMostOnce),
            Given::Number(1) => Some(Qos::AtLeastOnce),
            _ => None,
        })
    }

    fn client_id(&mut self, name: Option<&str>) -> Option<String> {
        if self.entry("client_id").is_some() {
            let fits = |text: &str| {
                (1..=MQTT_CLIENT_ID_BYTES_MAX).contains(&text.len())
                    && text.bytes().all(|byte| byte.is_ascii_graphic())
            };
            return self.optional("client_id", CLIENT_ID, |text| {
                fits(text).then(|| text.to_owned()).ok_or(CLIENT_ID)
            });
        }
        let id = format!("linnet-{}", name?);
        self.row("client_id", quoted(&id), Origin::Default);
        Some(id)
    }
}

fn word(given: &Given) -> Option<bool> {
    match given {
        Given::Other(word) => word.parse().ok(),
        _ => None,
    }
}

const DIRECTION: &str = "\"in\", \"out\" or \"both\"";
pub(super) const NAME: &str = "1 to 32 small letters, digits, '-' or '_', such as \"sensors\"";
const CLIENT_ID: &str = "1 to 64 visible ASCII characters";

pub(super) fn is_name(text: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte);
    (1..=BRIDGE_NAME_CHARS_MAX).contains(&text.len()) && text.bytes().all(is_letter)
}
