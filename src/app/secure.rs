//! HTTPS, and the certificate for whichever door speaks TLS: given by the settings, or made for this machine.

use super::serve;
use crate::cli::{Failure, machine};
use crate::config::Config;
use crate::doors::http::{self, Site};
use crate::doors::reach::Tls;
use crate::doors::reach::identity::{Files, TlsError};
use crate::node::NodeHandle;
use std::future::Future;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use tokio::net::TcpListener;

/// The folder of a certificate of the node's own, in the data folder.
const OWN_FOLDER: &str = "tls";

/// A listener for HTTPS that nobody serves yet.
pub struct Secure {
    listener: TcpListener,
    shown: Shown,
    tls: Arc<Tls>,
}

/// What people are told of it.
#[derive(Clone)]
pub struct Shown {
    /// Where it really listens.
    pub bound: SocketAddr,
    /// The SHA-256 of the certificate.
    pub fingerprint: String,
}

impl Secure {
    /// Reads or makes the certificate and listens; nothing where HTTPS is off.
    pub async fn open(config: &Config, data: &Path, node: &NodeHandle) -> Result<Option<Secure>, Failure> {
        let Some(address) = config.http.tls_address else { return Ok(None) };
        let tls = tls(config, data, node)?;
        let (listener, bound) = serve::listen(address, "http.tls_address").await?;
        let fingerprint = tls.fingerprint();
        tracing::info!(%bound, %fingerprint, "https");
        Ok(Some(Secure { listener, shown: Shown { bound, fingerprint }, tls }))
    }

    /// What people are told.
    pub fn shown(&self) -> Shown {
        self.shown.clone()
    }

    /// Serves until `ended` is done.
    pub async fn serve(self, site: Arc<Site>, ended: impl Future<Output = ()>) {
        http::serve_tls(self.listener, self.tls, site, ended).await;
    }
}

/// The node's side of TLS.
pub fn tls(config: &Config, data: &Path, node: &NodeHandle) -> Result<Arc<Tls>, Failure> {
    let given = &config.tls;
    let files = match (&given.certificate, &given.key) {
        (Some(certificate), Some(key)) => {
            Files { certificate: certificate.clone(), key: key.clone(), client_ca: None }
        }
        (None, None) => {
            Files::own(&data.join(OWN_FOLDER), &names(config)).map_err(|error| failure(&error))?
        }
        (Some(_), None) | (None, Some(_)) => {
            return Err(Failure {
                message: "tls.certificate and tls.key belong together: one of them is not set".into(),
                hint: Some("set both, or neither for a certificate of the node's own".into()),
            });
        }
    };
    let files = Files { client_ca: given.client_ca.clone(), ..files };
    let node = node.clone();
    let now = move || node.read(|reading| Ok(reading.now().wall_ms)).unwrap_or_default();
    Ok(Arc::new(Tls::open(files, Arc::new(now)).map_err(|error| failure(&error))?))
}

fn failure(error: &TlsError) -> Failure {
    Failure {
        message: format!("no TLS with {error}"),
        hint: Some("give tls.certificate and tls.key as PEM files that linnet may read".into()),
    }
}

/// What others may call this machine.
fn names(config: &Config) -> Vec<String> {
    let machine = machine::host_name().filter(|name| name.is_ascii()).into_iter();
    let machine = machine.flat_map(|name| [format!("{name}.local"), name]);
    let fixed = ["linnet.local", "localhost", "127.0.0.1", "::1"].map(str::to_owned);
    let addresses = machine::addresses().into_iter().map(|address| address.to_string());
    let mut names: Vec<String> =
        config.http.hosts.iter().cloned().chain(machine).chain(fixed).chain(addresses).collect();
    let mut seen = std::collections::HashSet::new();
    names.retain(|name| seen.insert(name.clone()));
    names
}
