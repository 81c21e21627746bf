//! Settings: what they are, where they come from, and what is said when one is wrong.
//!
//! Order, the later wins: the embedded defaults, the file, `conf.d` beside it, the environment, flags. A setting is one
//! row in [`settings`], one entry in `config.default.toml` and one field here; a test holds the three together.

mod binding;
mod block;
mod bridge;
mod file;
mod layers;
mod mqtt;
mod origin;
mod problem;
mod settings;

pub use layers::{Flag, Sources};
pub use mqtt::{Anonymous, Mqtt, MqttAddress};
pub use origin::{Origin, Row};
pub use problem::{ConfigError, Problem};

use crate::base::budget::Wish;
use crate::doors::mqtt::binding::BindRule;
use crate::doors::mqtt::bridge::rule::BridgeRule;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Every setting with its default, as a file to read and to copy from.
pub const DEFAULTS: &str = include_str!("config.default.toml");

/// The file of a node that runs as a service.
pub const SYSTEM_FILE: &str = "/etc/linnet/linnet.toml";

/// Checked settings.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// The folder that holds everything linnet keeps.
    pub data: PathBuf,
    /// The site's name as people see it.
    pub name: String,
    /// Who gets in besides those who have an account.
    pub access: Access,
    /// The least important event that is logged.
    pub log: tracing::Level,
    /// The board's name, where it is not to be found by its model.
    pub board: Option<String>,
    /// What linnet may use of the machine, where the board is not to say it.
    pub budget: Wish,
    /// How somebody becomes the owner.
    pub owner: Owner,
    /// The door for people, clients and devices.
    pub http: Http,
    /// What is shown where the doors speak TLS.
    pub tls: TlsFiles,
    /// The door for devices that speak MQTT.
    pub mqtt: Mqtt,
    /// The disk of the data folder.
    pub disk: Disk,
    /// Backups that are made by the clock.
    pub backup: ScheduledBackups,
    /// How long messages are kept.
    pub retention: Retention,
    /// Brokers to listen at, in the order of the files.
    pub bridges: Vec<BridgeRule>,
    /// What devices publish here that is said in rooms, in the order of the files.
    pub binds: Vec<BindRule>,
}

/// How somebody becomes the owner.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Owner {
    /// The file with the code; without it the node makes one at each start.
    pub code_file: Option<PathBuf>,
}

/// Settings of the HTTP door.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Http {
    /// Where it listens; port 0 takes any free port.
    pub address: SocketAddr,
    /// Another port of the same address, where it is free; 0 for none.
    pub also_port: u16,
    /// Host names answered to besides the machine's own, in small letters.
    pub hosts: Vec<String>,
    /// Where it listens for HTTPS, unless it is off.
    pub tls_address: Option<SocketAddr>,
}

/// What the node shows of itself over TLS.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TlsFiles {
    /// The certificate, and those between it and its root; without it the node makes its own.
    pub certificate: Option<PathBuf>,
    /// Its key.
    pub key: Option<PathBuf>,
    /// Those who vouch for clients.
    pub client_ca: Option<PathBuf>,
}

/// Backups that are made by the clock.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ScheduledBackups {
    /// Where they go; none are made without.
    pub folder: Option<PathBuf>,
    /// Milliseconds between two of them.
    pub every_ms: u64,
    /// How many are kept.
    pub keep: usize,
}

/// Settings of the disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disk {
    /// Bytes that are kept free; `None` decides by the disk.
    pub floor: Option<u64>,
}

/// How long messages are kept; 0 is without a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Retention {
    /// Days for which a message is kept.
    pub days: u32,
    /// Megabytes that the messages of one room may take, about.
    pub megabytes: u32,
}

/// Who gets in besides those who have an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Whoever holds an invitation.
    Invite,
    /// Also visitors from a private address, as guests.
    LanGuests,
}

/// Settings together with where each came from.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The settings themselves.
    pub config: Config,
    /// One row for each setting, in the order of the defaults; secrets are hidden.
    pub rows: Vec<Row>,
    /// What is odd but no reason to stop.
    pub warnings: Vec<String>,
}

impl Config {
    /// Reads and checks everything; the error lists what is wrong, where, and what to write instead.
    pub fn load(sources: &Sources) -> Result<Loaded, ConfigError> {
        layers::load(sources)
    }

    /// Before the defaults are read; no value of it is ever seen.
    fn blank() -> Config {
        Config {
            data: PathBuf::new(),
            name: String::new(),
            access: Access::Invite,
            log: tracing::Level::ERROR,
            board: None,
            budget: Wish::default(),
            owner: Owner::default(),
            http: Http {
                address: SocketAddr::from(([0, 0, 0, 0], 0)),
                also_port: 0,
                hosts: Vec::new(),
                tls_address: None,
            },
            tls: TlsFiles::default(),
            mqtt: Mqtt {
                address: MqttAddress::Off,
                tls_address: None,
                anonymous: Anonymous::Off,
                sys_interval_s: 0,
                keep_alive_max_s: 0,
                home_assistant: None,
            },
            disk: Disk { floor: None },
            backup: ScheduledBackups::default(),
            retention: Retention::default(),
            bridges: Vec::new(),
            binds: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests;
