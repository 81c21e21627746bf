//! Reaching a broker: a socket, TLS and WebSocket on top of it where its address says so.

use super::broker::{Broker, Carrier, Certificates};
use super::fault::Fault;
use super::websocket;
use rustls::pki_types::pem::{Error as PemError, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, crypto};
use std::io;
use std::path::Path;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// Bytes to and from a broker, whatever carries them.
pub(super) trait Pipe: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Pipe for T {}

/// Where systems keep whom they trust: Debian and Raspberry Pi OS, Fedora.
const MACHINES_ROOTS: [&str; 2] = ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"];

/// Connects; `chance` is what a WebSocket masks with.
pub(super) async fn dial(
    broker: &Broker,
    certificates: &Certificates,
    chance: [u8; 32],
) -> Result<Box<dyn Pipe>, Fault> {
    let socket = TcpStream::connect((broker.host.as_str(), broker.port)).await.map_err(Fault::Unreachable)?;
    socket.set_nodelay(true).map_err(Fault::Unreachable)?;
    let secured = broker.carrier.is_secured();
    match broker.carrier {
        Carrier::Tcp => Ok(Box::new(socket)),
        Carrier::Tls => Ok(Box::new(secure(socket, broker, certificates).await?)),
        Carrier::WebSocket => Ok(Box::new(websocket::open(socket, broker, secured, chance).await?)),
        Carrier::WebSocketTls => {
            let secret = secure(socket, broker, certificates).await?;
            Ok(Box::new(websocket::open(secret, broker, secured, chance).await?))
        }
    }
}

async fn secure(
    socket: TcpStream,
    broker: &Broker,
    certificates: &Certificates,
) -> Result<tokio_rustls::client::TlsStream<TcpStream>, Fault> {
    let name = ServerName::try_from(broker.host.clone())
        .map_err(|_| Fault::Certificates(format!("'{}' is no name a certificate can have", broker.host)))?;
    let connector = TlsConnector::from(Arc::new(config(certificates)?));
    connector.connect(name, socket).await.map_err(Fault::NotTrusted)
}

fn config(certificates: &Certificates) -> Result<ClientConfig, Fault> {
    let provider = Arc::new(crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring has what TLS 1.2 and 1.3 need")
        .with_root_certificates(roots(certificates.ca.as_deref())?);
    let Some((certificate, key)) = &certificates.own else { return Ok(builder.with_no_client_auth()) };
    let chain = certificates_in(certificate)?;
    let secret = PrivateKeyDer::from_pem_file(key).map_err(|error| unreadable(key, &error))?;
    builder.with_client_auth_cert(chain, secret).map_err(|error| {
        let (certificate, key) = (certificate.display(), key.display());
        Fault::Certificates(format!("{certificate} and {key} do not belong together: {error}"))
    })
}

fn roots(ca: Option<&Path>) -> Result<RootCertStore, Fault> {
    let machines = || MACHINES_ROOTS.iter().map(Path::new).find(|path| path.exists());
    let Some(path) = ca.or_else(machines) else {
        let words = "this machine trusts nobody: install ca-certificates, or give the bridge a 'ca'";
        return Err(Fault::Certificates(words.to_owned()));
    };
    let mut roots = RootCertStore::empty();
    // A machine's list may hold what nobody can use any more.
    let (usable, _) = roots.add_parsable_certificates(certificates_in(path)?);
    match usable {
        0 => Err(Fault::Certificates(format!("{} holds no certificate", path.display()))),
        _ => Ok(roots),
    }
}

fn certificates_in(path: &Path) -> Result<Vec<CertificateDer<'static>>, Fault> {
    let all = CertificateDer::pem_file_iter(path).and_then(|all| all.collect::<Result<Vec<_>, _>>());
    all.map_err(|error| unreadable(path, &error))
}

fn unreadable(path: &Path, error: &PemError) -> Fault {
    let why = match error {
        PemError::Io(error) if error.kind() == io::ErrorKind::NotFound => "there is no such file".to_owned(),
        error => error.to_string(),
    };
    Fault::Certificates(format!("{} cannot be read: {why}", path.display()))
}
