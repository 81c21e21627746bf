//! Telling the service manager that the node serves (`Type=notify`), without a library: one datagram.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

/// Says `READY=1` to whoever started us and asked for it. Does nothing when nobody did.
///
/// A manager that cannot be reached is logged and no more: people are served all the same.
pub fn ready() {
    if let Err(error) = tell(std::env::var_os("NOTIFY_SOCKET"), b"READY=1") {
        tracing::warn!(%error, "the service manager did not hear that the node is ready");
    }
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
    fn nobody_asked_is_no_error_and_a_bad_socket_is_one() {
        assert!(!tell(None, b"READY=1").expect("nothing to do"));
        assert!(!tell(Some("".into()), b"READY=1").expect("nothing to do"));
        assert!(tell(Some("vsock:2:1".into()), b"READY=1").is_err());
        assert!(tell(Some("/nonexistent/notify".into()), b"READY=1").is_err());
    }
}
