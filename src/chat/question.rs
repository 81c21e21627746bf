//! What people say to a device, and the two topics between it and them: `linnet/device/<device>/in` and `.../out`.

use crate::base::id::{MessageId, UserId};
use crate::base::limits::COMMAND_SECONDS_MAX;
use crate::chat::message::Message;
use crate::chat::name::Name;
use crate::chat::publication::Publication;
use crate::chat::refusal::Refusal;
use crate::chat::topic::Topic;

/// What the topics of a device begin with; its name follows.
pub const DEVICE_TOPICS: &str = "linnet/device/";

/// Something that was said to a device in a room.
pub struct Question<'a> {
    /// To whom.
    pub device: &'a Name,
    /// The room's name.
    pub room: &'a str,
    /// The words that are for the device: without its name.
    pub text: &'a str,
    /// The message as it stands in the room.
    pub message: &'a Message,
}

/// The question a device answers unless it names another.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Asked {
    /// The message.
    pub message: MessageId,
    /// Whether the device was there to hear this one, or one before it: then it is one that listens.
    pub listens: bool,
}

/// What a device says back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answers {
    /// The question it was handed last.
    Newest,
    /// This message.
    Message(MessageId),
    /// Nothing that was said in a room: another client asked by a topic, and named what comes back.
    Elsewhere,
}

/// The name of the device that hears by this topic what it is to do.
pub fn tells(topic: &str) -> Option<&str> {
    device_of(topic, "/in")
}

/// The name of the device that answers by this topic.
pub fn answers(topic: &str) -> Option<&str> {
    device_of(topic, "/out")
}

/// Whether a topic, or a filter, is between one device, or any, and those who speak with it.
pub fn is_between(topic: &str) -> bool {
    tells(topic).is_some() || answers(topic).is_some()
}

fn device_of<'a>(topic: &'a str, end: &str) -> Option<&'a str> {
    let name = topic.strip_prefix(DEVICE_TOPICS)?.strip_suffix(end)?;
    (!name.contains('/')).then_some(name)
}

/// The topic by which a device hears what it is to do.
pub fn topic_in(device: &Name) -> Result<Topic, Refusal> {
    Topic::parse(&format!("{DEVICE_TOPICS}{device}/in"))
}

/// The topic by which a device answers.
pub fn topic_out(device: &Name) -> String {
    format!("{DEVICE_TOPICS}{device}/out")
}

/// The name that a text begins with, as `@pump on` does, and what follows it.
pub fn addressed(text: &str) -> Option<(&str, &str)> {
    let (name, rest) = match text.trim_start().strip_prefix('@')?.split_once(char::is_whitespace) {
        Some((name, rest)) => (name, rest.trim()),
        None => (text.trim().trim_start_matches('@'), ""),
    };
    let name = name.trim_end_matches([':', ',']);
    (!name.is_empty()).then_some((name, rest))
}

/// What is between a device and those who speak with it is never the state of its topic: a relay would switch at every
/// restart. And what it is to do is not worth telling when it is old.
pub fn never_kept(mut publication: Publication) -> Publication {
    if is_between(publication.topic.as_str()) {
        publication.retain = false;
    }
    if tells(publication.topic.as_str()).is_some() {
        let expiry_s = publication.expiry_s.unwrap_or(COMMAND_SECONDS_MAX);
        publication.expiry_s = Some(expiry_s.min(COMMAND_SECONDS_MAX));
    }
    publication
}

impl Asked {
    /// As text, for the setting that holds it.
    pub fn words(&self) -> String {
        format!("{} {}", self.message, u8::from(self.listens))
    }

    /// The text read again.
    pub fn parse(words: &str) -> Option<Self> {
        let (message, listens) = words.split_once(' ')?;
        Some(Self { message: MessageId::parse(message)?, listens: listens == "1" })
    }
}

/// The name of the setting that holds what a device was asked last.
pub fn asked_of(device: &UserId) -> String {
    format!("asked.{device}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_for_the_name_it_begins_with() {
        for (text, meant) in [
            ("@pump on", Some(("pump", "on"))),
            (" @pump:  on for 10m ", Some(("pump", "on for 10m"))),
            ("@pump, off", Some(("pump", "off"))),
            ("@pump", Some(("pump", ""))),
            ("@pump\non", Some(("pump", "on"))),
            ("the @pump is on", None),
            ("@ pump", None),
            ("@: pump", None),
            ("", None),
        ] {
            assert_eq!(addressed(text), meant, "{text:?}");
        }
    }

    #[test]
    fn the_two_topics_are_those_of_one_device() {
        assert_eq!(tells("linnet/device/pump/in"), Some("pump"));
        assert_eq!(answers("linnet/device/pump/out"), Some("pump"));
        assert!(is_between("linnet/device/+/in"));
        for topic in ["linnet/device/pump/state", "linnet/device/a/b/in", "linnet/device/in", "a/in"] {
            assert!(!is_between(topic), "{topic}");
        }
    }

    #[test]
    fn what_was_asked_is_written_and_read() {
        let asked = Asked { message: MessageId::parse("q1").unwrap(), listens: true };
        assert_eq!(Asked::parse(&asked.words()), Some(asked));
        assert_eq!(Asked::parse("q1"), None);
    }
}
