//! The certificate the node shows, and those that clients may show.

use crate::harness::tls::{Authority, Paper, own_paper, secured, trusting};
use crate::harness::wait::within;
use linnet::base::limits::{TLS_HANDSHAKE_SECONDS_MAX, TLS_HANDSHAKES_MAX, TLS_LOOK_SECONDS};
use linnet::doors::reach::identity::Files;
use linnet::doors::reach::{Clients, Stream, Tls};
use rustls::ClientConfig;
use rustls::pki_types::CertificateDer;
use std::fs;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;

const IN_2030: u64 = 1_900_000_000_000;

/// A server that shows what lies in a folder.
struct Door {
    folder: TempDir,
    files: Files,
    tls: Tls,
    listener: TcpListener,
}

impl Door {
    async fn open(paper: &Paper, client_ca: Option<&Authority>) -> Door {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        put(folder.path(), paper);
        let client_ca = client_ca.map(|authority| {
            fs::write(at("ca.pem"), &authority.certificate).unwrap();
            at("ca.pem")
        });
        let files = Files { certificate: at("c.pem"), key: at("k.pem"), client_ca };
        let tls = Tls::open(files.clone(), Arc::new(|| IN_2030)).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Door { folder, files, tls, listener }
    }

    fn address(&self) -> SocketAddr {
        self.listener.local_addr().unwrap()
    }

    /// What both sides make of one connection.
    async fn meet(
        &self,
        client: Arc<ClientConfig>,
        clients: Clients,
    ) -> (io::Result<Stream>, io::Result<()>) {
        let address = self.address();
        let calling = tokio::task::spawn_blocking(move || {
            let mut stream = secured(address, &client)?;
            // With TLS 1.3 a client hears only now that its certificate was not taken.
            stream.write_all(b"hello")?;
            io::Read::read(&mut stream, &mut [0]).map(drop)
        });
        let (stream, peer) = self.listener.accept().await.unwrap();
        let mut met = within("a handshake", self.tls.accept(stream, peer, clients)).await;
        if let Ok(stream) = &mut met {
            let mut heard = [0; 5];
            stream.read_exact(&mut heard).await.unwrap();
            assert_eq!(&heard, b"hello");
            assert!(stream.is_encrypted() && stream.is_loopback() && stream.peer() == peer);
            tokio::io::AsyncWriteExt::shutdown(stream).await.unwrap();
        }
        (met, calling.await.unwrap())
    }

    /// Whether a client that trusts this certificate alone gets in.
    async fn shows(&self, certificate: &CertificateDer<'static>) -> bool {
        let (met, called) = self.meet(trusting(certificate, None), Clients::Unasked).await;
        assert_eq!(met.is_ok(), called.is_ok());
        met.is_ok()
    }
}

fn put(folder: &Path, paper: &Paper) {
    fs::write(folder.join("c.pem"), &paper.certificate).unwrap();
    fs::write(folder.join("k.pem"), &paper.key).unwrap();
}

/// Lets the time between two looks pass.
async fn next_look() {
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(TLS_LOOK_SECONDS)).await;
    tokio::time::resume();
}

#[tokio::test]
async fn changed_files_are_shown_without_a_restart_and_broken_ones_are_not() {
    let (old, new) = (own_paper(), own_paper());
    let door = Door::open(&old, None).await;
    assert!(door.shows(&old.der).await);
    let first = door.tls.fingerprint();
    put(door.folder.path(), &new);
    next_look().await;
    assert!(door.shows(&new.der).await);
    assert!(!door.shows(&old.der).await);
    assert_ne!(door.tls.fingerprint(), first);
    // Half of a change, as a program that writes one file after the other makes it.
    fs::write(&door.files.certificate, &old.certificate).unwrap();
    next_look().await;
    assert!(door.shows(&new.der).await);
    fs::remove_file(&door.files.certificate).unwrap();
    next_look().await;
    assert!(door.shows(&new.der).await);
    put(door.folder.path(), &old);
    next_look().await;
    assert!(door.shows(&old.der).await);
    assert_eq!(door.tls.fingerprint(), first);
}

#[tokio::test]
async fn a_verified_client_has_a_name_and_others_have_none_or_stay_out() {
    let (paper, ours, theirs) = (own_paper(), Authority::new("garden"), Authority::new("elsewhere"));
    let door = Door::open(&paper, Some(&ours)).await;
    let sensor = ours.client("sensor", 2035);
    let cases = [
        ("a device of ours", Some(sensor), Clients::MayShow, Some(Some("sensor"))),
        ("nobody in particular", None, Clients::MayShow, Some(None)),
        ("a device that is not asked", Some(ours.client("sensor", 2035)), Clients::Unasked, Some(None)),
        ("a device of others", Some(theirs.client("sensor", 2035)), Clients::MayShow, None),
        ("a device of ours, long ago", Some(ours.client("sensor", 2029)), Clients::MayShow, None),
        ("one that vouches for itself", Some(own_paper()), Clients::MayShow, None),
    ];
    for (who, shown, clients, expected) in cases {
        let (met, called) = door.meet(trusting(&paper.der, shown.as_ref()), clients).await;
        assert_eq!(met.as_ref().ok().map(Stream::client_name), expected, "{who}");
        assert_eq!(called.is_ok(), expected.is_some(), "{who}");
    }
}

#[tokio::test]
async fn a_handshake_ends_when_it_takes_too_long_or_too_many_begin() {
    let paper = own_paper();
    let door = Arc::new(Door::open(&paper, None).await);
    let mut silent = Vec::new();
    let mut waiting = Vec::new();
    for _ in 0..=TLS_HANDSHAKES_MAX {
        silent.push(std::net::TcpStream::connect(door.address()).unwrap());
        let (stream, peer) = door.listener.accept().await.unwrap();
        let door = door.clone();
        waiting
            .push(tokio::spawn(async move { door.tls.accept(stream, peer, Clients::Unasked).await.err() }));
        tokio::task::yield_now().await;
    }
    let mut waiting = waiting.into_iter();
    let first = within("the first to make room", waiting.next().unwrap()).await.unwrap().unwrap();
    assert_eq!(first.kind(), io::ErrorKind::Other, "{first}");
    let last = waiting.last().unwrap();
    assert!(!last.is_finished());
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(TLS_HANDSHAKE_SECONDS_MAX)).await;
    tokio::time::resume();
    let late = within("a limit of time", last).await.unwrap().unwrap();
    assert_eq!(late.kind(), io::ErrorKind::TimedOut, "{late}");
    assert!(door.shows(&paper.der).await);
}
