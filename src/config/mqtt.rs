//! Settings of the door for devices that speak MQTT.

use std::net::SocketAddr;

/// The port everybody knows.
const MQTT_PORT: u16 = 1883;

/// Settings of the MQTT door.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mqtt {
    /// Where it listens.
    pub address: MqttAddress,
    /// Where it listens for MQTT over TLS, unless that is off.
    pub tls_address: Option<SocketAddr>,
    /// Who may connect without a key.
    pub anonymous: Anonymous,
    /// Seconds between two tellings of the figures under `$SYS`; 0 tells none.
    pub sys_interval_s: u32,
    /// Seconds of the longest keep-alive that a client of MQTT 5.0 may have; 0 for any.
    pub keep_alive_max_s: u16,
    /// What the topics begin with under which Home Assistant finds the node; nowhere, without.
    pub home_assistant: Option<String>,
}

/// Where devices connect by MQTT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MqttAddress {
    /// Beside the HTTP door, on the port everybody knows; a port that is taken is no reason to stop.
    Auto,
    /// Nowhere.
    Off,
    /// Here.
    At(SocketAddr),
}

/// Who may connect by MQTT without a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anonymous {
    /// Nobody.
    Off,
    /// Who comes from this machine.
    Loopback,
}

impl MqttAddress {
    /// Reads the value of the settings.
    pub fn parse(text: &str) -> Option<MqttAddress> {
        match text {
            "auto" => Some(MqttAddress::Auto),
            "off" => Some(MqttAddress::Off),
            text => text.parse().ok().map(MqttAddress::At),
        }
    }

    /// Where that is, beside the HTTP door: any free port where that takes any free one.
    pub fn beside(&self, http: SocketAddr) -> Option<SocketAddr> {
        match self {
            MqttAddress::Auto => {
                Some(SocketAddr::new(http.ip(), if http.port() == 0 { 0 } else { MQTT_PORT }))
            }
            MqttAddress::Off => None,
            MqttAddress::At(address) => Some(*address),
        }
    }

    /// The value of the settings.
    pub fn words(&self) -> String {
        match self {
            MqttAddress::Auto => "auto".into(),
            MqttAddress::Off => "off".into(),
            MqttAddress::At(address) => address.to_string(),
        }
    }
}

impl Anonymous {
    /// Reads the word of the settings.
    pub fn parse(word: &str) -> Option<Anonymous> {
        [Anonymous::Off, Anonymous::Loopback].into_iter().find(|known| known.as_str() == word)
    }

    /// The word of the settings.
    pub fn as_str(self) -> &'static str {
        match self {
            Anonymous::Off => "off",
            Anonymous::Loopback => "loopback",
        }
    }
}
