//! The door for devices that speak MQTT: where it stands, and that it is opened and closed with the others.

use super::{secure, serve};
use crate::cli::Failure;
use crate::config::{Anonymous, Config, MqttAddress};
use crate::doors::mqtt::server::{self, Bindings, Broker};
use crate::doors::reach::{Take, Tls};
use crate::doors::trial::Trier;
use crate::node::NodeHandle;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use tokio::net::TcpListener;

/// The door, not yet open.
pub struct Door {
    listener: Option<TcpListener>,
    secure: Option<(TcpListener, Arc<Tls>)>,
    broker: Option<Arc<Broker>>,
    sockets: usize,
}

impl Door {
    /// Takes the port. One that everybody knows and somebody else has is no reason to stop; one that was asked for is.
    pub async fn bind(
        config: &Config,
        data: &Path,
        node: &NodeHandle,
        sockets: usize,
    ) -> Result<Door, Failure> {
        let Some(address) = config.mqtt.address.beside(config.http.address) else {
            return Ok(Door { listener: None, secure: None, broker: None, sockets: 0 });
        };
        let listener = match TcpListener::bind(address).await {
            Ok(listener) => Some(listener),
            Err(error) if config.mqtt.address != MqttAddress::Auto => return Err(busy(address, &error)),
            Err(error) => {
                let Failure { message, hint } = busy(address, &error);
                tracing::warn!("no MQTT but by WebSocket: {message}; {}", hint.unwrap_or_default());
                None
            }
        };
        let secure = match config.mqtt.tls_address {
            Some(address) => {
                let tls = secure::tls(config, data, node)?;
                let (listener, bound) = serve::listen(address, "mqtt.tls_address").await?;
                tracing::info!(%bound, fingerprint = %tls.fingerprint(), "mqtt over tls");
                Some((listener, tls))
            }
            None => None,
        };
        // Half of the open files: neither door can take the other's.
        let sockets = sockets / 2;
        let settings = server::Settings {
            anonymous: config.mqtt.anonymous == Anonymous::Loopback,
            sys_interval_s: config.mqtt.sys_interval_s,
            keep_alive_max_s: config.mqtt.keep_alive_max_s,
            version: env!("CARGO_PKG_VERSION"),
            sockets_max: sockets,
        };
        let speak_here = config.bridges.iter().filter(|bridge| bridge.tells.is_some());
        let own = speak_here.map(|bridge| bridge.client_id.clone()).collect();
        let bindings = Bindings::new(config.binds.clone(), own, node);
        let broker = Broker::new(node.clone(), settings).with(bindings);
        let broker = match &config.mqtt.home_assistant {
            Some(prefix) => broker.found_under(prefix, &config.name),
            None => broker,
        };
        let broker = Some(Arc::new(broker));
        Ok(Door { listener, secure, broker, sockets })
    }

    /// Where it listens.
    pub fn address(&self) -> Option<SocketAddr> {
        self.listener.as_ref().and_then(|listener| listener.local_addr().ok())
    }

    /// How many sockets it may hold.
    pub fn sockets(&self) -> usize {
        self.sockets
    }

    /// What serves MQTT that comes through another door.
    pub fn take(&self) -> Option<Take> {
        self.broker.clone().map(server::take)
    }

    /// What looks at its topics.
    pub fn trier(&self) -> Option<Trier> {
        self.broker.clone().map(server::trier)
    }

    /// Opens it until `ended`.
    pub async fn open(self, ended: impl Future<Output = ()> + Send) {
        if let Some(broker) = self.broker {
            let plain = self.listener.map(|listener| (listener, None));
            let secure = self.secure.map(|(listener, tls)| (listener, Some(tls)));
            server::serve(plain.into_iter().chain(secure).collect(), broker, ended).await;
        }
    }
}

fn busy(address: SocketAddr, error: &io::Error) -> Failure {
    let hint = match error.kind() {
        io::ErrorKind::AddrInUse => {
            "stop what listens there (Mosquitto? 'systemctl stop mosquitto'), or choose another port with --mqtt \
             ADDR:PORT, or --mqtt off"
        }
        _ => "choose an address of this machine with --mqtt ADDR:PORT, or --mqtt off",
    };
    Failure { message: format!("cannot listen on {address}: {error}"), hint: Some(hint.into()) }
}
