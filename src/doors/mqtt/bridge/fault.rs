//! What ends a connection to a broker, in words that say what to do.

use super::broker::Version;
use super::rule::BridgeRule;
use crate::base::limits::MQTT_PACKET_BYTES_MAX;
use std::io;

/// Why there is no connection any more, or none came about.
#[derive(Debug)]
pub(super) enum Fault {
    /// The password's file cannot be read.
    PasswordFile(io::Error),
    /// A certificate's file cannot be used.
    Certificates(String),
    /// Nothing answers at that address.
    Unreachable(io::Error),
    /// TLS did not come about: one of the two does not trust the other, or it is no TLS.
    NotTrusted(io::Error),
    /// A web server answers, but not with a WebSocket for MQTT.
    NoWebSocket(String),
    /// Something answers, or answered, but not in time.
    Silent,
    /// The broker refuses the login.
    TurnedAway(TurnedAway),
    /// The broker refuses the subscription.
    NotGranted,
    /// A publication is larger than what may be read.
    TooLarge,
    /// The broker closed the connection, or it broke.
    Closed,
    /// The broker closed the connection and said why.
    SentAway(String),
    /// What arrived could not be posted for so long that the broker must have given up.
    Stalled,
    /// The node serves as many listeners as it can: what is said cannot be followed.
    NoSeat,
    /// The disk is full; nothing was acknowledged, the broker keeps it.
    DiskFull,
    /// The store failed; nothing was acknowledged.
    StoreFailed,
    /// It does not speak MQTT as this client does.
    Strange(String),
}

/// Why a broker does not let the bridge in.
#[derive(Debug)]
pub(super) enum TurnedAway {
    /// The user, the password, or that there is none.
    Login,
    /// It speaks another MQTT.
    Version,
    /// Something else, in its words.
    Else(String),
}

impl Fault {
    /// What happened and what to do about it.
    pub fn words(&self, rule: &BridgeRule) -> String {
        let at = rule.broker.place();
        match self {
            Fault::PasswordFile(error) => format!("password_file cannot be read: {error}"),
            Fault::Certificates(what) => what.clone(),
            Fault::Unreachable(error) => {
                format!("no broker at {at}: {error}; is it running, and does it listen on that address?")
            }
            Fault::NotTrusted(error) => format!(
                "no TLS with the broker at {at}: {error}; does 'ca' name who signed its certificate, and is this \
                 machine's clock right?"
            ),
            Fault::NoWebSocket(what) => format!("what answers at {at} gives {what}"),
            Fault::Silent => format!("the broker at {at} does not answer in time"),
            Fault::TurnedAway(why) => turned_away(rule, why, &at),
            Fault::NotGranted => {
                let topic = rule.hears.as_ref().map_or("", |hears| hears.binding.topic.as_str());
                format!("the broker at {at} does not let this user read {topic}: check its access list")
            }
            Fault::TooLarge => format!(
                "the broker at {at} sends a publication of more than {MQTT_PACKET_BYTES_MAX} bytes; narrow the \
                 bridge's topic and give it another client_id, or limit what devices may publish"
            ),
            Fault::Closed => {
                let id = &rule.client_id;
                format!("the broker at {at} closed the connection; does another client use the id '{id}'?")
            }
            Fault::SentAway(code) => format!("the broker at {at} closed the connection: {code}"),
            Fault::Stalled => "what arrives cannot be posted: the node is too busy".to_owned(),
            Fault::NoSeat => "too many listen at this node for the bridge to hear the room".to_owned(),
            Fault::DiskFull => {
                "what arrives cannot be stored, the disk is full: free some space, the broker keeps it"
                    .to_owned()
            }
            Fault::StoreFailed => "what arrives cannot be stored".to_owned(),
            Fault::Strange(what) => {
                let (spoken, other) = match rule.version {
                    Version::V4 => ("3.1.1", 5),
                    Version::V5 => ("5.0", 4),
                };
                format!("what answers at {at} is no MQTT {spoken} broker: {what}; try 'version = {other}'")
            }
        }
    }
}

fn turned_away(rule: &BridgeRule, why: &TurnedAway, at: &str) -> String {
    match (why, &rule.user) {
        (TurnedAway::Login, Some(user)) => {
            format!("the broker at {at} refuses user '{user}': check the bridge's user and password")
        }
        (TurnedAway::Login, None) => {
            format!("the broker at {at} wants a login: give the bridge a user and a password")
        }
        (TurnedAway::Version, _) => {
            format!("the broker at {at} does not speak MQTT 5.0: write 'version = 4'")
        }
        (TurnedAway::Else(code), _) => format!("the broker at {at} refuses the connection: {code}"),
    }
}
