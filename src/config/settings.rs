//! One row for each setting: its key, what it takes, how it is set and shown.

use super::{Access, Anonymous, Config, MqttAddress};
use crate::base::board::Board;
use crate::base::limits::LISTENERS_MAX;
use crate::base::limits::{BACKUP_EVERY_MS_MAX, BACKUP_EVERY_MS_MIN, BACKUPS_KEPT_MAX};
use crate::base::limits::{HOST_NAME_BYTES_MAX, HTTP_HOSTS_MAX, SITE_NAME_CHARS_MAX};
use crate::doors::mqtt::home_assistant::is_prefix;
use std::net::SocketAddr;
use std::path::PathBuf;

/// A value as it was given, whatever the place.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Given {
    /// Text of a file, a variable or a flag.
    Text(String),
    /// A list of texts.
    Texts(Vec<String>),
    /// A whole number.
    Number(i64),
    /// A number with a fraction.
    Float(f64),
    /// Anything else, described for an error.
    Other(String),
}

/// One setting.
pub(super) struct Setting {
    /// With a dot between section and name.
    pub key: &'static str,
    /// What it takes, for an error.
    pub expected: &'static str,
    /// Takes the value over; `None` when it does not fit.
    pub set: fn(&mut Config, &Given) -> Option<()>,
    /// The value as TOML.
    pub show: fn(&Config) -> String,
}

const ADDRESS: &str = "an address with a port such as 0.0.0.0:3000, 127.0.0.1:0 or [::]:3000";

/// Every setting, in the order of `config.default.toml`.
pub(super) const SETTINGS: &[Setting] = &[
    Setting {
        key: "data",
        expected: "the path of a folder",
        set: |config, given| put(&mut config.data, text(given).filter(|t| !t.is_empty()).map(PathBuf::from)),
        show: |config| quoted(&config.data.to_string_lossy()),
    },
    Setting {
        key: "name",
        expected: "a text of 1 to 64 characters without line breaks",
        set: |config, given| put(&mut config.name, text(given).and_then(site_name)),
        show: |config| quoted(&config.name),
    },
    Setting {
        key: "access",
        expected: "\"invite\" or \"lan-guests\"",
        set: |config, given| put(&mut config.access, text(given).and_then(Access::parse)),
        show: |config| quoted(config.access.as_str()),
    },
    Setting {
        key: "log",
        expected: "\"error\", \"warn\", \"info\", \"debug\" or \"trace\"",
        set: |config, given| put(&mut config.log, text(given).and_then(level)),
        show: |config| quoted(&config.log.to_string().to_lowercase()),
    },
    Setting {
        key: "board",
        expected: "\"auto\" or the name of a board such as \"pi-zero-w\"; 'linnet config' names them all",
        set: |config, given| put(&mut config.board, text(given).and_then(board_or_auto)),
        show: |config| quoted(config.board.as_deref().unwrap_or("auto")),
    },
    Setting {
        key: "budget.memory",
        expected: "\"auto\" or a size such as \"64 MB\" or \"1 GB\"",
        set: |config, given| put(&mut config.budget.memory, text(given).and_then(size_or_auto)),
        show: |config| quoted(&config.budget.memory.map_or("auto".to_owned(), size_words)),
    },
    Setting {
        key: "budget.cache",
        expected: "\"auto\" or a size such as \"4 MB\"",
        set: |config, given| put(&mut config.budget.cache, text(given).and_then(size_or_auto)),
        show: |config| quoted(&config.budget.cache.map_or("auto".to_owned(), size_words)),
    },
    Setting {
        key: "budget.sessions",
        expected: "\"auto\" or a whole number of 1 to 20000",
        set: |config, given| put(&mut config.budget.sessions, count_or_auto(given, LISTENERS_MAX)),
        show: |config| config.budget.sessions.map_or(quoted("auto"), |sessions| sessions.to_string()),
    },
    Setting {
        key: "owner.code_file",
        expected: "the path of a file, or \"\" for a code of the node's own",
        set: |config, given| put(&mut config.owner.code_file, path_or_none(given)),
        show: |config| quoted(&shown(config.owner.code_file.as_ref())),
    },
    Setting {
        key: "http.address",
        expected: ADDRESS,
        set: |config, given| put(&mut config.http.address, text(given).and_then(|text| text.parse().ok())),
        show: |config| quoted(&config.http.address.to_string()),
    },
    Setting {
        key: "http.also_port",
        expected: "the number of a port, 0 for none",
        set: |config, given| {
            put(&mut config.http.also_port, number(given).and_then(|port| u16::try_from(port).ok()))
        },
        show: |config| config.http.also_port.to_string(),
    },
    Setting {
        key: "http.hosts",
        expected: "a list of at most 32 host names such as [\"chat.example.org\"], without http:// and without a port",
        set: |config, given| put(&mut config.http.hosts, hosts(given)),
        show: |config| {
            format!("[{}]", config.http.hosts.iter().map(|h| quoted(h)).collect::<Vec<_>>().join(", "))
        },
    },
    Setting {
        key: "http.tls_address",
        expected: "\"off\" or an address with a port such as 0.0.0.0:443",
        set: |config, given| put(&mut config.http.tls_address, text(given).and_then(address_or_off)),
        show: |config| shown_or_off(config.http.tls_address),
    },
    Setting {
        key: "tls.certificate",
        expected: "the path of a file in PEM, or \"\" for a certificate of the node's own",
        set: |config, given| put(&mut config.tls.certificate, path_or_none(given)),
        show: |config| quoted(&shown(config.tls.certificate.as_ref())),
    },
    Setting {
        key: "tls.key",
        expected: "the path of a file in PEM, or \"\" for a key of the node's own",
        set: |config, given| put(&mut config.tls.key, path_or_none(given)),
        show: |config| quoted(&shown(config.tls.key.as_ref())),
    },
    Setting {
        key: "tls.client_ca",
        expected: "the path of a file in PEM, or \"\" for none",
        set: |config, given| put(&mut config.tls.client_ca, path_or_none(given)),
        show: |config| quoted(&shown(config.tls.client_ca.as_ref())),
    },
    Setting {
        key: "mqtt.address",
        expected: "\"auto\", \"off\" or an address with a port such as 0.0.0.0:1883",
        set: |config, given| put(&mut config.mqtt.address, text(given).and_then(MqttAddress::parse)),
        show: |config| quoted(&config.mqtt.address.words()),
    },
    Setting {
        key: "mqtt.tls_address",
        expected: "\"off\" or an address with a port such as 0.0.0.0:8883",
        set: |config, given| put(&mut config.mqtt.tls_address, text(given).and_then(address_or_off)),
        show: |config| shown_or_off(config.mqtt.tls_address),
    },
    Setting {
        key: "mqtt.anonymous",
        expected: "\"off\" or \"loopback\"",
        set: |config, given| put(&mut config.mqtt.anonymous, text(given).and_then(Anonymous::parse)),
        show: |config| quoted(config.mqtt.anonymous.as_str()),
    },
    Setting {
        key: "mqtt.sys_interval",
        expected: "a whole number of seconds, 0 for never",
        set: |config, given| put(&mut config.mqtt.sys_interval_s, number(given)),
        show: |config| config.mqtt.sys_interval_s.to_string(),
    },
    Setting {
        key: "mqtt.keep_alive_max",
        expected: "a whole number of seconds up to 65535, 0 for any",
        set: |config, given| {
            let seconds = number(given).and_then(|seconds| u16::try_from(seconds).ok());
            put(&mut config.mqtt.keep_alive_max_s, seconds)
        },
        show: |config| config.mqtt.keep_alive_max_s.to_string(),
    },
    Setting {
        key: "mqtt.home_assistant",
        expected: "\"off\" or Home Assistant's discovery prefix such as \"homeassistant\", not under linnet/",
        set: |config, given| put(&mut config.mqtt.home_assistant, text(given).and_then(prefix_or_off)),
        show: |config| quoted(config.mqtt.home_assistant.as_deref().unwrap_or("off")),
    },
    Setting {
        key: "disk.floor",
        expected: "\"auto\" or a size such as \"64 MB\" or \"1 GB\"",
        set: |config, given| put(&mut config.disk.floor, text(given).and_then(size_or_auto)),
        show: |config| quoted(&config.disk.floor.map_or("auto".to_owned(), size_words)),
    },
    Setting {
        key: "backup.folder",
        expected: "the path of a folder that is there, or \"\" for no backups",
        set: |config, given| put(&mut config.backup.folder, path_or_none(given)),
        show: |config| quoted(&shown(config.backup.folder.as_ref())),
    },
    Setting {
        key: "backup.every",
        expected: "a time of 10m to 366d such as \"12h\" or \"7d\"",
        set: |config, given| put(&mut config.backup.every_ms, text(given).and_then(duration_ms)),
        show: |config| quoted(&duration_words(config.backup.every_ms)),
    },
    Setting {
        key: "backup.keep",
        expected: "a whole number of 1 to 1000",
        set: |config, given| put(&mut config.backup.keep, count(given, BACKUPS_KEPT_MAX)),
        show: |config| config.backup.keep.to_string(),
    },
    Setting {
        key: "retention.days",
        expected: "a whole number of days, 0 for ever",
        set: |config, given| put(&mut config.retention.days, number(given)),
        show: |config| config.retention.days.to_string(),
    },
    Setting {
        key: "retention.megabytes",
        expected: "a whole number of megabytes, 0 for any size",
        set: |config, given| put(&mut config.retention.megabytes, number(given)),
        show: |config| config.retention.megabytes.to_string(),
    },
];

/// A path, or none for the empty text.
fn path_or_none(given: &Given) -> Option<Option<PathBuf>> {
    text(given).map(|text| Some(PathBuf::from(text)).filter(|_| !text.is_empty()))
}

fn shown(path: Option<&PathBuf>) -> String {
    path.map_or(String::new(), |path| path.to_string_lossy().into())
}

/// The setting of that key.
pub(super) fn setting(key: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.key == key)
}

impl Given {
    /// The value as an error shows it: short, and never with a line break.
    pub(super) fn described(&self) -> String {
        let whole = match self {
            Given::Text(text) => quoted(text),
            Given::Texts(texts) => {
                format!("[{}]", texts.iter().map(|t| quoted(t)).collect::<Vec<_>>().join(", "))
            }
            Given::Number(number) => format!("the number {number}"),
            Given::Float(number) => format!("the number {number}"),
            Given::Other(described) => described.clone(),
        };
        match whole.char_indices().nth(60) {
            Some((cut, _)) => format!("{}...", &whole[..cut]),
            None => whole,
        }
    }
}

impl Access {
    /// Reads the word of the settings.
    pub fn parse(word: &str) -> Option<Access> {
        [Access::Invite, Access::LanGuests].into_iter().find(|access| access.as_str() == word)
    }

    /// The word of the settings.
    pub fn as_str(self) -> &'static str {
        match self {
            Access::Invite => "invite",
            Access::LanGuests => "lan-guests",
        }
    }
}

/// Text as TOML writes it.
pub(super) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.escape_debug().to_string().replace("\\'", "'"))
}

fn text(given: &Given) -> Option<&str> {
    match given {
        Given::Text(text) => Some(text),
        _ => None,
    }
}

/// A whole number, as a file writes it or a variable has to.
fn number(given: &Given) -> Option<u32> {
    match given {
        Given::Number(number) => u32::try_from(*number).ok(),
        Given::Text(text) => text.trim().parse().ok(),
        _ => None,
    }
}

fn put<T>(place: &mut T, value: Option<T>) -> Option<()> {
    *place = value?;
    Some(())
}

fn site_name(text: &str) -> Option<String> {
    let name = text.trim();
    let fits =
        (1..=SITE_NAME_CHARS_MAX).contains(&name.chars().count()) && !name.chars().any(char::is_control);
    fits.then(|| name.to_owned())
}

fn level(word: &str) -> Option<tracing::Level> {
    use tracing::Level;
    let levels = [Level::ERROR, Level::WARN, Level::INFO, Level::DEBUG, Level::TRACE];
    levels.into_iter().find(|level| level.as_str().to_lowercase() == word)
}

fn shown_or_off(address: Option<SocketAddr>) -> String {
    quoted(&address.map_or("off".to_owned(), |address| address.to_string()))
}

fn address_or_off(text: &str) -> Option<Option<SocketAddr>> {
    if text == "off" { Some(None) } else { text.parse().ok().map(Some) }
}

fn prefix_or_off(text: &str) -> Option<Option<String>> {
    let is_off = text == "off";
    (is_off || is_prefix(text)).then(|| (!is_off).then(|| text.to_owned()))
}

const UNITS: [(&str, u64); 4] = [("GB", 1 << 30), ("MB", 1 << 20), ("KB", 1 << 10), ("B", 1)];

fn size_or_auto(text: &str) -> Option<Option<u64>> {
    if text == "auto" { Some(None) } else { size(text).map(Some) }
}

/// A whole number with its unit: units are those of memory, 1024 each.
fn size(text: &str) -> Option<u64> {
    let (unit, bytes) = UNITS.into_iter().find(|(unit, _)| text.ends_with(unit))?;
    text.strip_suffix(unit)?.trim().parse::<u64>().ok()?.checked_mul(bytes)
}

fn size_words(bytes: u64) -> String {
    let (unit, of) =
        UNITS.into_iter().find(|(_, of)| bytes >= *of && bytes.is_multiple_of(*of)).unwrap_or(("B", 1));
    format!("{} {unit}", bytes / of)
}

const UNITS_MS: [(char, u64); 3] = [('d', 86_400_000), ('h', 3_600_000), ('m', 60_000)];

/// `30m`, `12h`, `7d`.
fn duration_ms(text: &str) -> Option<u64> {
    let (_, unit) = UNITS_MS.iter().find(|(letter, _)| text.ends_with(*letter))?;
    let digits = &text[..text.len() - 1];
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let ms = digits.parse::<u64>().ok().filter(|_| plain)?.checked_mul(*unit)?;
    (BACKUP_EVERY_MS_MIN..=BACKUP_EVERY_MS_MAX).contains(&ms).then_some(ms)
}

fn duration_words(ms: u64) -> String {
    let fits =
        UNITS_MS.iter().find(|(letter, unit)| ms.is_multiple_of(*unit) && (*letter != 'd' || ms > *unit));
    fits.map_or(String::new(), |(letter, unit)| format!("{}{letter}", ms / unit))
}

/// A number of 1 to so many; a variable has to write it as text.
fn count(given: &Given, max: usize) -> Option<usize> {
    let number = match given {
        Given::Number(number) => usize::try_from(*number).ok()?,
        Given::Text(text) => text.parse().ok()?,
        _ => return None,
    };
    (1..=max).contains(&number).then_some(number)
}

fn count_or_auto(given: &Given, max: usize) -> Option<Option<usize>> {
    if text(given) == Some("auto") { Some(None) } else { count(given, max).map(Some) }
}

fn board_or_auto(text: &str) -> Option<Option<String>> {
    let known = text == "auto" || Board::names().any(|name| name == text);
    known.then(|| (text != "auto").then(|| text.to_owned()))
}

/// A list, or one text with commas as a variable has to write it.
fn hosts(given: &Given) -> Option<Vec<String>> {
    let names: Vec<&str> = match given {
        Given::Texts(texts) => texts.iter().map(|text| text.trim()).collect(),
        Given::Text(text) => text.split(',').map(str::trim).filter(|name| !name.is_empty()).collect(),
        _ => return None,
    };
    let fits = names.len() <= HTTP_HOSTS_MAX && names.iter().all(|name| is_host(name));
    fits.then(|| names.iter().map(|name| name.to_lowercase()).collect())
}

fn is_host(name: &str) -> bool {
    let is_address = name.parse::<std::net::IpAddr>().is_ok();
    let is_letter = |letter: char| letter.is_ascii_alphanumeric() || "-._".contains(letter);
    is_address || (!name.is_empty() && name.len() <= HOST_NAME_BYTES_MAX && name.chars().all(is_letter))
}
