//! One `[[bridge]]` of the settings, checked: where the broker is, what to listen for, and what to say where.

use super::broker::{Broker, Certificates, Version};
use super::saying::Saying;
use crate::base::limits::PASSWORD_BYTES_MAX;
use crate::base::secret::Secret;
use crate::chat::name::Name;
use crate::doors::mqtt::binding::Binding;
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
    /// How Home Assistant at the broker finds the node, if it does.
    pub found: Option<Found>,
    /// Bridges of this node at the same broker: what they bring it has already.
    pub fellows: Vec<String>,
}

/// The way in.
#[derive(Debug, Clone, PartialEq)]
pub struct Hears {
    /// What to listen for, and how a publication reads as a message.
    pub binding: Binding,
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

/// Home Assistant at a broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// What the topics of its discovery begin with.
    pub prefix: String,
    /// What the topics of the node begin with there.
    pub base: String,
    /// How the node is called there.
    pub name: String,
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
