//! Real TLS clients that trust one certificate, and certificates of any kind.

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned, crypto};
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;

/// A client's side of TLS over a plain socket.
pub type Secured = StreamOwned<ClientConnection, TcpStream>;

/// A certificate with its key.
pub struct Paper {
    pub der: CertificateDer<'static>,
    pub certificate: String,
    pub key: String,
}

/// Somebody who vouches for others.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub certificate: String,
}

impl Authority {
    pub fn new(name: &str) -> Authority {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap().pem();
        Authority { issuer: Issuer::new(params, key), certificate }
    }

    /// A client's certificate that ends with this year.
    pub fn client(&self, name: &str, year: i32) -> Paper {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.not_after = rcgen::date_time_ymd(year, 12, 31);
        let key = KeyPair::generate().unwrap();
        let made = params.signed_by(&key, &self.issuer).unwrap();
        Paper { der: made.der().clone(), certificate: made.pem(), key: key.serialize_pem() }
    }
}

/// A certificate of a server on this machine that vouches for itself.
pub fn own_paper() -> Paper {
    let key = KeyPair::generate().unwrap();
    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    let made = CertificateParams::new(names).unwrap().self_signed(&key).unwrap();
    Paper { der: made.der().clone(), certificate: made.pem(), key: key.serialize_pem() }
}

/// The first certificate of a PEM file.
pub fn certificate_of(path: &Path) -> CertificateDer<'static> {
    CertificateDer::from_pem_file(path).unwrap()
}

/// A client that takes this certificate and no other, and shows its own if it has one.
pub fn trusting(server: &CertificateDer<'static>, shown: Option<&Paper>) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(server.clone()).unwrap();
    let builder = ClientConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    Arc::new(match shown {
        None => builder.with_no_client_auth(),
        Some(paper) => {
            let key = PrivateKeyDer::from_pem_slice(paper.key.as_bytes()).unwrap();
            builder.with_client_auth_cert(vec![paper.der.clone()], key).unwrap()
        }
    })
}

/// A connection past its handshake, or why there is none.
pub fn secured(address: SocketAddr, config: &Arc<ClientConfig>) -> io::Result<Secured> {
    let name = ServerName::IpAddress(address.ip().into());
    let client = ClientConnection::new(config.clone(), name).map_err(io::Error::other)?;
    let mut stream = StreamOwned::new(client, super::ask::connect(address));
    while stream.conn.is_handshaking() {
        stream.conn.complete_io(&mut stream.sock)?;
    }
    Ok(stream)
}

/// The whole answer to a GET.
pub fn get(address: SocketAddr, config: &Arc<ClientConfig>, path: &str) -> io::Result<String> {
    let mut stream = secured(address, config)?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    // An end without a goodbye is an error, which is right.
    stream.read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}
