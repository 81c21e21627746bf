//! Where a broker is and how it is reached, as its address says: TCP, TLS, or WebSocket over either.

use crate::base::limits::{HOST_NAME_BYTES_MAX, MQTT_PATH_BYTES_MAX};
use std::fmt;
use std::path::PathBuf;

/// What carries the packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carrier {
    /// `mqtt://`
    Tcp,
    /// `mqtts://`
    Tls,
    /// `ws://`
    WebSocket,
    /// `wss://`
    WebSocketTls,
}

/// The dialect of MQTT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// MQTT 3.1.1, which calls itself 4.
    V4,
    /// MQTT 5.0.
    V5,
}

/// A broker's address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broker {
    /// What carries the packets.
    pub carrier: Carrier,
    /// A name or an address, without brackets.
    pub host: String,
    /// The carrier's usual one unless written.
    pub port: u16,
    /// Where a web server serves MQTT; empty without WebSocket.
    pub path: String,
}

/// Certificates of a bridge, as files in PEM form that are read at each connection.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Certificates {
    /// Who vouches for the broker; without it, whom the machine trusts.
    pub ca: Option<PathBuf>,
    /// The bridge's own certificate and its key.
    pub own: Option<(PathBuf, PathBuf)>,
}

impl Carrier {
    fn parse(scheme: &str) -> Option<Carrier> {
        match scheme {
            "mqtt" | "tcp" => Some(Carrier::Tcp),
            "mqtts" | "ssl" => Some(Carrier::Tls),
            "ws" => Some(Carrier::WebSocket),
            "wss" => Some(Carrier::WebSocketTls),
            _ => None,
        }
    }

    /// The same with TLS.
    pub fn secured(self) -> Carrier {
        match self {
            Carrier::Tcp | Carrier::Tls => Carrier::Tls,
            Carrier::WebSocket | Carrier::WebSocketTls => Carrier::WebSocketTls,
        }
    }

    /// Whether what it carries is encrypted.
    pub fn is_secured(self) -> bool {
        self == self.secured()
    }

    fn is_websocket(self) -> bool {
        matches!(self, Carrier::WebSocket | Carrier::WebSocketTls)
    }

    fn port(self) -> u16 {
        match self {
            Carrier::Tcp => 1883,
            Carrier::Tls => 8883,
            Carrier::WebSocket => 80,
            Carrier::WebSocketTls => 443,
        }
    }
}

const FORMS: &str = "mqtt://HOST:PORT such as mqtt://192.168.1.10:1883; also mqtts://, ws:// and wss://";

impl Broker {
    /// Reads `mqtt://[USER@]HOST[:PORT]` and the forms of the other carriers, which gives the user too. The error says what
    /// to write; `secured` says that TLS was asked for beside the address.
    pub fn parse(url: &str, secured: bool) -> Result<(Broker, Option<String>), &'static str> {
        let (scheme, rest) = url.split_once("://").ok_or(FORMS)?;
        let carrier = Carrier::parse(scheme).ok_or(FORMS)?;
        let carrier = if secured { carrier.secured() } else { carrier };
        let (authority, path) = match rest.find('/') {
            Some(at) => rest.split_at(at),
            None => (rest, ""),
        };
        let (user, authority) = match authority.rsplit_once('@') {
            Some((user, authority)) => (Some(user_of(user)?), authority),
            None => (None, authority),
        };
        let (host, port) = host_and_port(authority, carrier)?;
        Ok((Broker { carrier, host, port, path: path_of(path, carrier)? }, user))
    }

    /// Host and port, as people write them.
    pub fn place(&self) -> String {
        let (host, port) = (&self.host, self.port);
        if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
    }
}

impl fmt::Display for Broker {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.carrier {
            Carrier::Tcp => "mqtt",
            Carrier::Tls => "mqtts",
            Carrier::WebSocket => "ws",
            Carrier::WebSocketTls => "wss",
        };
        write!(out, "{scheme}://{}{}", self.place(), self.path)
    }
}

fn user_of(text: &str) -> Result<String, &'static str> {
    const ALONE: &str = "mqtt://USER@HOST:PORT; write the password as a setting of its own";
    match text.is_empty() || text.contains(':') {
        true => Err(ALONE),
        false => Ok(text.to_owned()),
    }
}

fn host_and_port(authority: &str, carrier: Carrier) -> Result<(String, u16), &'static str> {
    let (host, port) = match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, "")) => (host, None),
        Some((host, port)) => (host, Some(port.strip_prefix(':').unwrap_or("?"))),
        None => authority.split_once(':').map_or((authority, None), |(host, port)| (host, Some(port))),
    };
    let port = match port {
        None => carrier.port(),
        Some(port) => port
            .parse()
            .ok()
            .filter(|port| *port > 0)
            .ok_or("mqtt://HOST:PORT with a port from 1 to 65535")?,
    };
    let is_host = |letter: char| letter.is_ascii_alphanumeric() || "-._:%".contains(letter);
    if host.is_empty() || host.len() > HOST_NAME_BYTES_MAX || !host.chars().all(is_host) {
        return Err("mqtt://HOST:PORT with a host name or an address and nothing behind the port");
    }
    Ok((host.to_owned(), port))
}

fn path_of(path: &str, carrier: Carrier) -> Result<String, &'static str> {
    let is_short = path.len() <= MQTT_PATH_BYTES_MAX && path.bytes().all(|byte| byte.is_ascii_graphic());
    match (carrier.is_websocket(), path) {
        (false, "" | "/") => Ok(String::new()),
        (false, _) => Err("mqtt://HOST:PORT with nothing behind the port"),
        (true, "") => Ok("/mqtt".to_owned()),
        (true, path) if is_short => Ok(path.to_owned()),
        (true, _) => Err("ws://HOST:PORT/PATH with a path of at most 256 visible ASCII characters"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(url: &str) -> (Broker, Option<String>) {
        Broker::parse(url, false).expect(url)
    }

    #[test]
    fn a_broker_is_a_carrier_a_host_a_port_and_a_path() {
        for (url, carrier, host, port, path) in [
            ("mqtt://192.168.1.10:1884", Carrier::Tcp, "192.168.1.10", 1884, ""),
            ("mqtt://broker.local", Carrier::Tcp, "broker.local", 1883, ""),
            ("mqtt://broker.local/", Carrier::Tcp, "broker.local", 1883, ""),
            ("tcp://[fe80::1]:1883", Carrier::Tcp, "fe80::1", 1883, ""),
            ("mqtt://[::1]", Carrier::Tcp, "::1", 1883, ""),
            ("mqtts://broker.local", Carrier::Tls, "broker.local", 8883, ""),
            ("ws://broker.local:9001", Carrier::WebSocket, "broker.local", 9001, "/mqtt"),
            ("wss://broker.local/a/b?c", Carrier::WebSocketTls, "broker.local", 443, "/a/b?c"),
        ] {
            let (host, path) = (host.to_owned(), path.to_owned());
            assert_eq!(parsed(url), (Broker { carrier, host, port, path }, None), "{url}");
        }
        assert_eq!(parsed("mqtt://me@host").1.as_deref(), Some("me"));
        assert_eq!(Broker::parse("mqtt://host", true).map(|(broker, _)| broker.port), Ok(8883));
        assert_eq!(parsed("wss://[::1]/x").0.to_string(), "wss://[::1]:443/x");
    }

    #[test]
    fn what_is_no_address_says_what_to_write() {
        for (url, says) in [
            ("192.168.1.10", "such as"),
            ("http://host", "such as"),
            ("mqtt://me:pw@host", "password as a setting"),
            ("mqtt://@host", "password as a setting"),
            ("mqtt://host:0", "1 to 65535"),
            ("mqtt://host:18830000", "1 to 65535"),
            ("mqtt://[::1]x", "1 to 65535"),
            ("mqtt://host/path", "nothing behind"),
            ("ws://host/a b", "visible ASCII"),
            ("mqtt://", "host name"),
        ] {
            assert!(Broker::parse(url, false).expect_err(url).contains(says), "{url}");
        }
    }
}
