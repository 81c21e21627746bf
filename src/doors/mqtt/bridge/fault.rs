//! What ends a connection to a broker, in words that say what to do.

use super::rule::BridgeRule;
use crate::base::limits::MQTT_PACKET_BYTES_MAX;
use rumqttc::mqttbytes::Error as CodecError;
use rumqttc::{ConnectReturnCode, ConnectionError, StateError};
use std::io;

/// Why there is no connection any more, or none came about.
#[derive(Debug)]
pub(super) enum Fault {
    /// The password's file cannot be read.
    PasswordFile(io::Error),
    /// Nothing answers at that address.
    Unreachable(io::Error),
    /// Something answers, or answered, but not in time.
    Silent,
    /// The broker refuses the login.
    TurnedAway(ConnectReturnCode),
    /// The broker refuses the subscription.
    NotGranted,
    /// A publication is larger than what may be read.
    TooLarge,
    /// The broker closed the connection, or it broke.
    Closed,
    /// What arrived could not be posted for so long that the broker must have given up.
    Stalled,
    /// The disk is full; nothing was acknowledged, the broker keeps it.
    DiskFull,
    /// The store failed; nothing was acknowledged.
    StoreFailed,
    /// It does not speak MQTT 3.1.1 as this client does.
    Strange(String),
}

impl From<ConnectionError> for Fault {
    fn from(error: ConnectionError) -> Self {
        match error {
            ConnectionError::Io(error) => Fault::Unreachable(error),
            ConnectionError::NetworkTimeout | ConnectionError::FlushTimeout => Fault::Silent,
            ConnectionError::ConnectionRefused(code) => Fault::TurnedAway(code),
            ConnectionError::MqttState(state) => match state {
                StateError::AwaitPingResp => Fault::Silent,
                StateError::ConnectionAborted | StateError::Io(_) => Fault::Closed,
                StateError::Deserialization(CodecError::PayloadSizeLimitExceeded(_)) => Fault::TooLarge,
                StateError::Deserialization(CodecError::Io(_)) => Fault::Closed,
                other => Fault::Strange(other.to_string()),
            },
            other => Fault::Strange(other.to_string()),
        }
    }
}

impl Fault {
    /// What happened and what to do about it.
    pub fn words(&self, rule: &BridgeRule) -> String {
        let at = format!("{}:{}", rule.broker.host, rule.broker.port);
        match self {
            Fault::PasswordFile(error) => format!("password_file cannot be read: {error}"),
            Fault::Unreachable(error) => {
                format!("no broker at {at}: {error}; is it running, and does it listen on that address?")
            }
            Fault::Silent => format!("the broker at {at} does not answer in time"),
            Fault::TurnedAway(ConnectReturnCode::BadUserNamePassword | ConnectReturnCode::NotAuthorized) => {
                match &rule.user {
                    Some(user) => {
                        format!(
                            "the broker at {at} refuses user '{user}': check the bridge's user and password"
                        )
                    }
                    None => {
                        format!("the broker at {at} wants a login: give the bridge a user and a password")
                    }
                }
            }
            Fault::TurnedAway(code) => format!("the broker at {at} refuses the connection: {code:?}"),
            Fault::NotGranted => {
                let topic = rule.topic.as_str();
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
            Fault::Stalled => "what arrives cannot be posted: the node is too busy".to_owned(),
            Fault::DiskFull => {
                "what arrives cannot be stored, the disk is full: free some space, the broker keeps it"
                    .to_owned()
            }
            Fault::StoreFailed => "what arrives cannot be stored".to_owned(),
            Fault::Strange(what) => format!("what answers at {at} is no MQTT 3.1.1 broker: {what}"),
        }
    }
}
