//! Telling the service manager that the node serves (`Type=notify`) and is alive (`WatchdogSec=`), without a library:
//! one datagram each. The words are those of sd_notify(3), the variables those of sd_watchdog_enabled(3).

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

/// Says `READY=1` to whoever started us and asked for it. Does nothing when nobody did.
///
/// A manager that cannot be reached is logged and no more: people are served all the same.
pub fn ready() {
    say(b"READY=1", "that the node is ready");
}

/// Says `WATCHDOG=1`: still alive.
pub fn alive() {
    say(b"WATCHDOG=1", "that the node is alive");
}

/// Says `STOPPING=1`: what is under way is being finished.
pub fn stopping() {
    say(b"STOPPING=1", "that the node is stopping");
}

fn say(words: &[u8], what: &str) {
    if let Err(error) = tell(std::env::var_os("NOTIFY_SOCKET"), words) {
        tracing::warn!(%error, "the service manager did not hear {what}");
    }
}

/// Within what time [`alive`] must be said again, or the manager ends this process and starts it anew. None when
/// nobody watches this process.
pub fn watched() -> Option<Duration> {
    let said = |name| std::env::var(name).ok();
    watched_within(said("WATCHDOG_USEC").as_deref(), said("WATCHDOG_PID").as_deref(), std::process::id())
}

fn watched_within(within_us: Option<&str>, whom: Option<&str>, us: u32) -> Option<Duration> {
    // Without a process id it is for whoever reads it; with another's, we only inherited it.
    let is_ours = whom.is_none_or(|whom| whom.parse() == Ok(us));
    let within_us = within_us?.parse().ok().filter(|&within_us| within_us > 0 && is_ours)?;
    Some(Duration::from_micros(within_us))
}

/// Sends the words to the socket; `false` when there is nobody to tell.
fn tell(socket: Option<OsString>, words: &[u8]) -> io::Result<bool> {
    let Some(name) = socket.filter(|name| !name.is_empty()) else { return Ok(false) };
    UnixDatagram::unbound()?.send_to_addr(words, &address(&name)?)?;
    Ok(true)
}

/// A path, or after `@` a name in the abstract namespace, as sd_notify(3) defines them.
fn address(name: &OsStr) -> io::Result<SocketAddr> {
    match name.as_bytes() {
        [b'@', name @ ..] => SocketAddr::from_abstract_name(name),
        [b'/', ..] => SocketAddr::from_pathname(name),
        _ => Err(io::Error::new(io::ErrorKind::InvalidInput, "NOTIFY_SOCKET is neither a path nor an @name")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(manager: &UnixDatagram) -> String {
        let mut words = [0; 64];
        let bytes = manager.recv(&mut words).expect("the words were sent before");
        String::from_utf8_lossy(&words[..bytes]).into_owned()
    }

    #[test]
    fn a_manager_at_a_path_hears_the_words() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("notify");
        let manager = UnixDatagram::bind(&path).expect("a socket in our own folder");
        assert!(tell(Some(path.into()), b"READY=1").expect("the manager listens"));
        assert_eq!(heard(&manager), "READY=1");
    }

    #[test]
    fn a_manager_in_the_abstract_namespace_hears_the_words() {
        let name = format!("linnet-notify-{}", std::process::id());
        let here = SocketAddr::from_abstract_name(&name).expect("a short name");
        let manager = UnixDatagram::bind_addr(&here).expect("a name nobody else has");
        assert!(tell(Some(format!("@{name}").into()), b"READY=1").expect("the manager listens"));
        assert_eq!(heard(&manager), "READY=1");
    }

    #[test]
    fn only_a_watch_over_this_very_process_counts() {
        let within = |time, whom| watched_within(time, whom, 7).map(|within| within.as_millis());
        assert_eq!(within(Some("30000000"), Some("7")), Some(30_000));
        assert_eq!(within(Some("30000000"), None), Some(30_000));
        assert_eq!(within(Some("30000000"), Some("8")), None, "inherited from another process");
        assert_eq!(within(None, Some("7")), None);
        assert_eq!(within(Some("0"), None), None);
        assert_eq!(within(Some("soon"), None), None);
    }

    #[test]
    fn nobody_asked_is_no_error_and_a_bad_socket_is_one() {
        assert!(!tell(None, b"READY=1").expect("nothing to do"));
        assert!(!tell(Some("".into()), b"READY=1").expect("nothing to do"));
        assert!(tell(Some("vsock:2:1".into()), b"READY=1").is_err());
        assert!(tell(Some("/nonexistent/notify".into()), b"READY=1").is_err());
    }
}
