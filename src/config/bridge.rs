//! `[[bridge]]` blocks: from entries of a file to a checked rule.

use super::file::Entry;
use super::origin::{Origin, Row};
use super::problem::Problem;
use super::settings::{Given, quoted};
use crate::base::limits::{BRIDGE_NAME_CHARS_MAX, MQTT_CLIENT_ID_BYTES_MAX, PASSWORD_BYTES_MAX};
use crate::base::near::nearest;
use crate::base::secret::Secret;
use crate::chat::name::Name;
use crate::doors::mqtt::bridge::rule::{BridgeRule, Broker, Password, Qos, TopicFilter};
use crate::doors::mqtt::bridge::template::Template;
use std::path::Path;

/// Keys of a block, in the order they are shown.
pub(super) const KEYS: [&str; 10] =
    ["name", "url", "user", "password", "password_file", "topic", "room", "template", "qos", "client_id"];

const TEMPLATE: &str = "{topic}: {payload}";

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
        let broker = self.needed("url", "mqtt://HOST:PORT", Broker::parse);
        let user = self.optional("user", "a text", |text| Ok(text.to_owned()));
        let password = self.password(user.is_some());
        let topic = self.needed("topic", "a topic filter such as tele/+/SENSOR", TopicFilter::parse);
        let room = self.needed("room", ROOM, |text| Name::parse_room(text).map_err(|_| ROOM));
        let template = self.template();
        let qos = self.qos();
        let client_id = self.client_id(name.as_deref());
        Some(BridgeRule {
            name: name?,
            broker: broker?,
            user,
            password,
            client_id: client_id?,
            topic: topic?,
            room: room?,
            template: template?,
            qos: qos?,
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

    fn template(&mut self) -> Option<Template> {
        let Some(entry) = self.entry("template") else {
            self.row("template", quoted(TEMPLATE), Origin::Default);
            return Some(Template::parse(TEMPLATE).expect("the default template is a template"));
        };
        let (given, origin) = (entry.given.clone(), entry.origin.clone());
        let parsed = match &given {
            Given::Text(text) => Template::parse(text).map_err(|error| error.to_string()),
            _ => Err(format!("is {}; expected a text such as \"{TEMPLATE}\"", given.described())),
        };
        match parsed {
            Ok(template) => {
                self.row("template", quoted(template.source()), origin);
                Some(template)
            }
            Err(what) => {
                self.problems.push(Problem::at(&origin, format!("bridge.template {what}")));
                None
            }
        }
    }

    fn qos(&mut self) -> Option<Qos> {
        let (given, origin) = match self.entry("qos") {
            Some(entry) => (entry.given.clone(), entry.origin.clone()),
            None => (Given::Number(1), Origin::Default),
        };
        let qos = match given {
            Given::Number(0) => Qos::AtMostOnce,
            Given::Number(1) => Qos::AtLeastOnce,
            _ => {
                self.problems.push(Problem::unfit(&origin, "bridge.qos", &given.described(), "0 or 1"));
                return None;
            }
        };
        self.row("qos", (qos as u8).to_string(), origin);
        Some(qos)
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

const NAME: &str = "1 to 32 small letters, digits, '-' or '_', such as \"sensors\"";
const ROOM: &str = "the name of a room, such as \"garden\"";
const CLIENT_ID: &str = "1 to 64 visible ASCII characters";

fn is_name(text: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte);
    (1..=BRIDGE_NAME_CHARS_MAX).contains(&text.len()) && text.bytes().all(is_letter)
}
