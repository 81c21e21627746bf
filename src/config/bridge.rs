//! `[[bridge]]` blocks: from entries of a file to a checked rule.

mod ways;

pub(super) use ways::gather;

use super::file::Entry;
use super::origin::{Origin, Row};
use super::problem::Problem;
use super::settings::{Given, quoted};
use crate::base::limits::{BRIDGE_NAME_CHARS_MAX, MQTT_CLIENT_ID_BYTES_MAX, PASSWORD_BYTES_MAX};
use crate::base::near::nearest;
use crate::base::secret::Secret;
use crate::chat::name::Name;
use crate::doors::mqtt::bridge::broker::{Broker, Certificates, Version};
use crate::doors::mqtt::bridge::rule::{BridgeRule, Password, Qos};
use std::path::{Path, PathBuf};
use ways::Direction;

/// Keys of a block, in the order they are shown.
pub(super) const KEYS: [&str; 19] = [
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
    "template",
    "qos",
    "out_topic",
    "out_template",
    "status_topic",
    "client_id",
];

/// The entries of one block, taken out one by one.
struct Block<'a> {
    entries: &'a [Entry],
    start: &'a Origin,
    rows: Vec<Row>,
    problems: &'a mut Vec<Problem>,
}

/// The rule and its rows, or problems added to `problems`.
pub(super) fn read(
    entries: &[Entry],
    start: &Origin,
    problems: &mut Vec<Problem>,
) -> Option<(BridgeRule, Vec<Row>)> {
    let before = problems.len();
    problems.extend(entries.iter().filter(|entry| !KEYS.contains(&entry.key.as_str())).map(unknown));
    let mut block = Block { entries, start, rows: Vec::new(), problems };
    let rule = block.rule();
    let mut rows = block.rows;
    let name = rule.as_ref().map_or("?", |rule| &rule.name);
    for row in &mut rows {
        row.key = format!("bridge.{name}.{}", row.key);
    }
    (problems.len() == before).then(|| rule.map(|rule| (rule, rows))).flatten()
}

fn unknown(entry: &Entry) -> Problem {
    let meant = nearest(&entry.key, KEYS).map_or(String::new(), |meant| format!("; did you mean '{meant}'?"));
    Problem::at(&entry.origin, format!("unknown setting 'bridge.{}'{meant}", entry.key))
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
        let room = self.needed("room", ROOM, |text| Name::parse_room(text).map_err(|_| ROOM));
        let (direction, room) = direction.zip(room)?;
        let tells = self.tells(direction, &room);
        let hears = self.hears(direction, tells.as_ref());
        let status_topic = self.status_topic();
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
            fellows: Vec::new(),
        })
    }

    fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }

    fn row(&mut self, key: &str, value: String, origin: Origin) {
        self.rows.push(Row { key: key.to_owned(), value, origin });
    }

    fn optional<T>(
        &mut self,
        key: &'static str,
        expected: &str,
        parse: impl Fn(&str) -> Result<T, &'static str>,
    ) -> Option<T> {
        let entry = self.entry(key)?;
        let (given, origin) = (entry.given.clone(), entry.origin.clone());
        let parsed = match &given {
            Given::Text(text) => parse(text).map_err(str::to_owned),
            _ => Err(expected.to_owned()),
        };
        let secret = key == "password";
        let shown = if secret { "***".to_owned() } else { given.described() };
        match parsed {
            Ok(value) => {
                self.row(
                    key,
                    if let (Given::Text(text), false) = (&given, secret) { quoted(text) } else { shown },
                    origin,
                );
                Some(value)
            }
            Err(expected) => {
                self.problems.push(Problem::unfit(&origin, &format!("bridge.{key}"), &shown, &expected));
                None
            }
        }
    }

    fn needed<T>(
        &mut self,
        key: &'static str,
        expected: &str,
        parse: impl Fn(&str) -> Result<T, &'static str>,
    ) -> Option<T> {
        if self.entry(key).is_none() {
            let what = format!("this [[bridge]] needs '{key}': {expected}");
            self.problems.push(Problem::at(self.start, what));
        }
        self.optional(key, expected, parse)
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

    /// A template, the usual one unless written.
    fn said<T>(
        &mut self,
        key: &'static str,
        usual: &str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        let (given, origin) = match self.entry(key) {
            Some(entry) => (entry.given.clone(), entry.origin.clone()),
            None => (Given::Text(usual.to_owned()), Origin::Default),
        };
        let parsed = match &given {
            Given::Text(text) => parse(text),
            _ => Err(format!("is {}; expected a text with fields", given.described())),
        };
        match (parsed, given) {
            (Ok(template), Given::Text(text)) => {
                self.row(key, quoted(&text), origin);
                Some(template)
            }
            (Err(what), _) => {
                self.problems.push(Problem::at(&origin, format!("bridge.{key} {what}")));
                None
            }
            (Ok(_), _) => None,
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

    /// One of a few values, the usual one unless written.
    fn chosen<T>(
        &mut self,
        key: &'static str,
        usual: Given,
        expected: &str,
        choose: impl Fn(&Given) -> Option<T>,
    ) -> Option<T> {
        let (given, origin) = match self.entry(key) {
            Some(entry) => (entry.given.clone(), entry.origin.clone()),
            None => (usual, Origin::Default),
        };
        let Some(chosen) = choose(&given) else {
            self.problems.push(Problem::unfit(
                &origin,
                &format!("bridge.{key}"),
                &given.described(),
                expected,
            ));
            return None;
        };
        let shown = match given {
            Given::Number(number) => number.to_string(),
            given => given.described(),
        };
        self.row(key, shown, origin);
        Some(chosen)
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
const NAME: &str = "1 to 32 small letters, digits, '-' or '_', such as \"sensors\"";
const ROOM: &str = "the name of a room, such as \"garden\"";
const CLIENT_ID: &str = "1 to 64 visible ASCII characters";

fn is_name(text: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte);
    (1..=BRIDGE_NAME_CHARS_MAX).contains(&text.len()) && text.bytes().all(is_letter)
}
