//! One `[[bridge]]` of the settings, checked: where the broker is, what to listen for, and what to say where.

use super::broker::{Broker, Certificates, Version};
use super::saying::Saying;
use super::template::Template;
use crate::base::limits::{MQTT_TOPIC_BYTES_MAX, PASSWORD_BYTES_MAX};
use crate::base::secret::Secret;
use crate::chat::name::Name;
use std::io::{self, Read};
use std::path::PathBuf;

/// A bridge: messages at a broker become messages of a room, and what people say there goes to the broker.
#[derive(Debug, Clone, PartialEq)]
pub struct BridgeRule {
    /// Unique among the bridges of this node.
    pub name: String,
    /// Where to connect.
    pub broker: Broker,
    /// The dialect to speak there.
    pub version: Version,
    /// Whom to trust and what to show, where the address asks for TLS.
    pub certificates: Certificates,
    /// The name to log in with, when the broker asks for one.
    pub user: Option<String>,
    /// The password to log in with.
    pub password: Password,
    /// Names the session at the broker; two connections with one id throw each other out.
    pub client_id: String,
    /// The room that hears of it and is heard, by name.
    pub room: Name,
    /// What to listen for, of a bridge that brings something in.
    pub hears: Option<Hears>,
    /// Where to say what people say, of a bridge that takes something out.
    pub tells: Option<Tells>,
    /// Where to say that the bridge is there, and to have the broker say that it is gone.
    pub status_topic: Option<String>,
    /// Bridges of this node at the same broker: what they bring it has already.
    pub fellows: Vec<String>,
}

/// The way in.
#[derive(Debug, Clone, PartialEq)]
pub struct Hears {
    /// What to listen for.
    pub topic: TopicFilter,
    /// How a publication reads as a message.
    pub template: Template,
    /// What the broker promises.
    pub qos: Qos,
}

/// The way out.
#[derive(Debug, Clone, PartialEq)]
pub struct Tells {
    /// Where to publish; without wildcards.
    pub topic: String,
    /// How a message reads there.
    pub saying: Saying,
}

/// Where a bridge's password is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Password {
    /// The broker asks for none.
    None,
    /// In the settings themselves.
    Inline(Secret),
    /// Alone in a file, which is read at each connection so that it can be changed.
    File(PathBuf),
}

/// MQTT's quality of service for a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Qos {
    /// 0: what happens while the bridge is away is lost.
    AtMostOnce,
    /// 1: the broker keeps it until linnet has it on disk.
    AtLeastOnce,
}

/// A topic filter that a broker will accept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicFilter(String);

impl TopicFilter {
    /// Checks the rules of MQTT 3.1.1 section 4.7; the error says what to write.
    pub fn parse(filter: &str) -> Result<TopicFilter, &'static str> {
        if filter.is_empty() || filter.len() > MQTT_TOPIC_BYTES_MAX || filter.chars().any(char::is_control) {
            return Err("a topic filter such as tele/+/SENSOR, at most 1024 bytes");
        }
        let mut levels = filter.split('/').peekable();
        while let Some(level) = levels.next() {
            if level.contains('#') && (level != "#" || levels.peek().is_some()) {
                return Err(
                    "a topic filter where '#' is the last level and stands alone, such as zigbee2mqtt/#",
                );
            }
            if level.contains('+') && level != "+" {
                return Err("a topic filter where '+' is a whole level, such as tele/+/SENSOR");
            }
        }
        Ok(TopicFilter(filter.to_owned()))
    }

    /// Checks a topic to publish to; the error says what to write.
    pub fn parse_topic(topic: &str) -> Result<String, &'static str> {
        const WANTED: &str = "a topic without '+' and '#' such as linnet/room/garden/msg, at most 1024 bytes";
        let is_topic = !topic.contains(['+', '#']) && !topic.starts_with('$');
        TopicFilter::parse(topic).ok().filter(|_| is_topic).map(|topic| topic.0).ok_or(WANTED)
    }

    /// Whether a topic is one of those the filter asks for. A wildcard at the beginning asks for none of the broker's own,
    /// which begin with `$`.
    pub fn matches(&self, topic: &str) -> bool {
        // A shared subscription asks for the filter behind the name of its group.
        let shared = self.0.strip_prefix("$share/").and_then(|rest| rest.split_once('/'));
        let filter = shared.map_or(self.0.as_str(), |(_, filter)| filter);
        if topic.starts_with('$') && filter.starts_with(['#', '+']) {
            return false;
        }
        let mut levels = topic.split('/');
        for asked in filter.split('/') {
            match (asked, levels.next()) {
                ("#", _) => return true,
                (_, None) => return false,
                (asked, Some(level)) if asked != "+" && asked != level => return false,
                _ => {}
            }
        }
        levels.next().is_none()
    }

    /// The filter as a broker takes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Password {
    /// The password, read from its file when it has one; a line break at the end is not part of it.
    pub fn read(&self) -> io::Result<Option<Secret>> {
        let path = match self {
            Password::None => return Ok(None),
            Password::Inline(secret) => return Ok(Some(secret.clone())),
            Password::File(path) => path,
        };
        let mut text = String::new();
        std::fs::File::open(path)?.take(PASSWORD_BYTES_MAX as u64 + 1).read_to_string(&mut text)?;
        if text.len() > PASSWORD_BYTES_MAX {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "longer than a password may be"));
        }
        Ok(Some(Secret::new(text.trim_end_matches(['\r', '\n']))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_keeps_the_rules_of_mqtt() {
        for filter in ["#", "+", "tele/+/SENSOR", "zigbee2mqtt/#", "/a//b", "$SYS/#"] {
            assert_eq!(TopicFilter::parse(filter).expect(filter).as_str(), filter);
        }
        for filter in ["", "a/#/b", "a#", "a/b+", "a\0b", &"x".repeat(MQTT_TOPIC_BYTES_MAX + 1)] {
            assert!(TopicFilter::parse(filter).is_err(), "{filter:?}");
        }
    }

    #[test]
    fn a_filter_asks_for_topics_as_mqtt_says() {
        for (filter, topic, asked) in [
            ("tele/+/SENSOR", "tele/porch/SENSOR", true),
            ("tele/+/SENSOR", "tele/porch/STATE", false),
            ("tele/+/SENSOR", "tele/porch/SENSOR/1", false),
            ("tele/+/SENSOR", "tele//SENSOR", true),
            ("zigbee2mqtt/#", "zigbee2mqtt/garden/door", true),
            ("zigbee2mqtt/#", "zigbee2mqtt", true),
            ("zigbee2mqtt/#", "zigbee", false),
            ("#", "ä/ö", true),
            ("+", "ä", true),
            ("#", "$SYS/uptime", false),
            ("+/uptime", "$SYS/uptime", false),
            ("$SYS/#", "$SYS/uptime", true),
            ("$share/nodes/tele/#", "tele/porch", true),
        ] {
            assert_eq!(TopicFilter::parse(filter).expect(filter).matches(topic), asked, "{filter} {topic}");
        }
    }

    #[test]
    fn a_password_file_gives_its_line() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("password");
        std::fs::write(&path, "swordfish \r\n").expect("written");
        let read = Password::File(path).read().expect("readable");
        assert_eq!(read, Some(Secret::new("swordfish ")));
        assert_eq!(format!("{read:?}"), "Some(***)");
        assert!(Password::File(folder.path().join("absent")).read().is_err());
    }
}
