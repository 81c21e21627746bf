//! TLS for whoever serves: one certificate for all doors, read anew when its files change.

use super::handshakes::Handshakes;
use super::identity::{Files, Identity, TlsError};
use super::{Stream, common_name};
use crate::base::limits::{TLS_HANDSHAKE_SECONDS_MAX, TLS_LOOK_SECONDS, TLS_SESSIONS_KEPT_MAX};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::UnixTime;
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoClientAuth, ServerSessionMemoryCache, WebPkiClientVerifier};
use rustls::time_provider::TimeProvider;
use rustls::{RootCertStore, ServerConfig, crypto};
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsAcceptor;

/// Whether clients are asked for certificates of theirs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Clients {
    /// They are not: a browser would bother people with it.
    Unasked,
    /// They may show one, where authorities are set; one that does not hold ends the handshake.
    MayShow,
}

/// Gives the time as Unix milliseconds: certificates of clients are judged by it.
pub type Now = Arc<dyn Fn() -> u64 + Send + Sync>;

/// The node's side of TLS.
pub struct Tls {
    files: Files,
    provider: Arc<CryptoProvider>,
    now: Arc<Clock>,
    standing: Mutex<Standing>,
    handshakes: Handshakes,
}

/// What is shown now.
struct Standing {
    fingerprint: String,
    /// For clients that are not asked, and for those that may show a certificate.
    configs: [Arc<ServerConfig>; 2],
    looked: Instant,
    /// How the files stood when they were last read, well or not.
    marks: Vec<Option<Mark>>,
}

/// What tells a file from the one that was read: when and how large it was.
pub(super) type Mark = (std::time::SystemTime, u64);

struct Clock(Now);

impl std::fmt::Debug for Clock {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Clock")
    }
}

impl TimeProvider for Clock {
    fn current_time(&self) -> Option<UnixTime> {
        Some(UnixTime::since_unix_epoch(Duration::from_millis((self.0)())))
    }
}

impl Tls {
    /// Reads the files. An error says which of them is wrong, and how.
    pub fn open(files: Files, now: Now) -> Result<Tls, TlsError> {
        let (provider, now) = (Arc::new(crypto::ring::default_provider()), Arc::new(Clock(now)));
        let marks = files.marks();
        let (fingerprint, configs) = configs(&files, &provider, &now)?;
        let standing = Standing { fingerprint, configs, looked: Instant::now(), marks };
        Ok(Tls { files, provider, now, standing: Mutex::new(standing), handshakes: Handshakes::default() })
    }

    /// The SHA-256 of the certificate that is shown, as browsers write it.
    pub fn fingerprint(&self) -> String {
        self.standing.lock().expect("no holder of this lock panics").fingerprint.clone()
    }

    /// Does the handshake on a connection that was accepted. It ends early when it takes too long, or when too many
    /// others want to begin one.
    pub async fn accept(&self, stream: TcpStream, peer: SocketAddr, clients: Clients) -> io::Result<Stream> {
        let mut place = self.handshakes.take(peer.ip());
        let acceptor = TlsAcceptor::from(self.config(clients));
        let within = Duration::from_secs(TLS_HANDSHAKE_SECONDS_MAX);
        let stream = tokio::select! {
            done = timeout(within, acceptor.accept(stream)) => done.map_err(|_| ErrorKind::TimedOut)??,
            () = place.lost() => return Err(io::Error::other("too many handshakes at once")),
        };
        let shown = stream.get_ref().1.peer_certificates().and_then(|chain| chain.first());
        let client_name = shown.and_then(|certificate| common_name::of(certificate));
        Ok(Stream::tls(stream, peer, client_name))
    }

    /// What holds for the next client: the files are looked at again every few seconds.
    fn config(&self, clients: Clients) -> Arc<ServerConfig> {
        let mut standing = self.standing.lock().expect("no holder of this lock panics");
        if standing.looked.elapsed() >= Duration::from_secs(TLS_LOOK_SECONDS) {
            standing.looked = Instant::now();
            self.look(&mut standing);
        }
        standing.configs[usize::from(clients == Clients::MayShow)].clone()
    }

    fn look(&self, standing: &mut Standing) {
        let marks = self.files.marks();
        if marks == standing.marks {
            return;
        }
        standing.marks = marks;
        match configs(&self.files, &self.provider, &self.now) {
            Ok((fingerprint, configs)) => {
                tracing::info!(%fingerprint, "the certificate was read anew");
                (standing.fingerprint, standing.configs) = (fingerprint, configs);
            }
            Err(error) => {
                tracing::warn!(%error, "the changed files of the certificate are not used: the old ones hold");
            }
        }
    }
}

type Configs = [Arc<ServerConfig>; 2];

fn configs(
    files: &Files,
    provider: &Arc<CryptoProvider>,
    now: &Arc<Clock>,
) -> Result<(String, Configs), TlsError> {
    let identity = Identity::read(files)?;
    let verifier = |roots: RootCertStore| {
        let builder = WebPkiClientVerifier::builder_with_provider(roots.into(), provider.clone());
        builder.allow_unauthenticated().build().map_err(|error| TlsError::authorities(files, &error))
    };
    let nobody: Arc<dyn ClientCertVerifier> = Arc::new(NoClientAuth);
    let asking = identity.authorities(files)?.map(verifier).transpose()?;
    let config = |clients: Arc<dyn ClientCertVerifier>| {
        let builder = ServerConfig::builder_with_details(provider.clone(), now.clone())
            .with_safe_default_protocol_versions()
            .expect("ring has what TLS 1.2 and 1.3 need");
        let mut config = builder
            .with_client_cert_verifier(clients)
            .with_single_cert(identity.chain.clone(), identity.key.clone_key())
            .map_err(|error| TlsError::pair(files, &error))?;
        config.session_storage = ServerSessionMemoryCache::new(TLS_SESSIONS_KEPT_MAX);
        config.send_tls13_tickets = 1;
        Ok(Arc::new(config))
    };
    let unasked = config(nobody)?;
    let asked = asking.map(config).transpose()?.unwrap_or_else(|| unasked.clone());
    Ok((identity.fingerprint(), [unasked, asked]))
}
