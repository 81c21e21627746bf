//! One port for people and devices: REST, realtime, device posts and the page.
//!
//! A request goes `server` -> `guard` -> `route` row -> `auth` -> `rate` -> `body` -> the row's function -> `reply`.
//! To add a route, add one row to the ROUTES of a family in `rest/` and a plain async function.

pub mod arrival;
pub mod auth;
pub mod body;
pub mod call;
pub mod ddp;
pub mod guard;
pub mod health;
pub mod here;
pub mod login;
pub mod metrics;
pub mod page;
pub mod pieces;
pub mod places;
pub mod query;
pub mod rate;
pub mod realtime;
pub mod refusal;
pub mod reply;
pub mod rest;
pub mod route;
pub mod server;
pub mod simple;
pub mod upgrade;
pub mod web;
pub mod wire;

pub use call::Call;
pub use reply::{Problem, Reply};
pub use route::{Access, RateClass, Route};
pub use server::{serve, serve_tls};
pub use upgrade::Upgraded;

use crate::base::limits::CARRYING_MAX;
use crate::doors::reach::Take;
use crate::doors::trial::Trier;
use crate::node::NodeHandle;
use crate::node::backup::Exporter;
use crate::node::import::Importer;
use metrics::Process;
use places::{Places, Sockets};
use rate::{Buckets, Logins};
use route::Routes;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// What a site is made of.
pub struct SiteSettings {
    /// The way to the node.
    pub node: NodeHandle,
    /// The node's name as people see it.
    pub name: String,
    /// linnet's version.
    pub version: String,
    /// Extra host names this node answers to: the setting `http.hosts`.
    pub hosts: Vec<String>,
    /// The machine's own name, without a domain.
    pub machine: String,
    /// Addresses to show to people, as `http://...`.
    pub addresses: Vec<String>,
    /// Whether limits of rate are lifted for a black-box suite.
    pub test_mode: bool,
    /// Sockets that clients may hold together.
    pub sockets_max: usize,
    /// What the operating system says of this process.
    pub process: fn() -> Process,
    /// What serves clients that speak MQTT over WebSocket; none where MQTT is off.
    pub mqtt: Option<Take>,
    /// What looks at the topics of the node's own broker; none where MQTT is off.
    pub trier: Option<Trier>,
    /// What writes exports.
    pub export: Exporter,
    /// What reads them.
    pub import: Importer,
}

/// What every request of this door can reach.
pub struct Site {
    /// The way to the node.
    pub node: NodeHandle,
    /// The node's name as people see it.
    pub name: String,
    /// linnet's version.
    pub version: String,
    /// Host names this node answers to, lower case.
    pub hosts: Vec<String>,
    /// Addresses to show to people, as `http://...`.
    pub addresses: Vec<String>,
    /// Whether limits of rate are lifted for a black-box suite.
    pub test_mode: bool,
    /// Host names the operator added, which may be reached through a proxy that speaks TLS.
    extra_hosts: Vec<String>,
    /// Room for what leaves the node as a file or comes as one, one at a time.
    carrying: Arc<Semaphore>,
    /// Places for realtime sessions.
    sessions: Arc<Semaphore>,
    /// Places for connections, in clear and over TLS together.
    places: Places,
    sockets: Sockets,
    process: fn() -> Process,
    mqtt: Option<Take>,
    trier: Option<Trier>,
    export: Exporter,
    import: Importer,
    logins: Logins,
    buckets: Buckets,
    routes: Routes,
}

impl Site {
    /// A site over a running node.
    pub fn new(settings: SiteSettings) -> Self {
        let SiteSettings {
            node,
            name,
            version,
            hosts,
            machine,
            addresses,
            test_mode,
            sockets_max,
            process,
            mqtt,
            trier,
            export,
            import,
        } = settings;
        let lower = |host: String| host.to_ascii_lowercase();
        let extra_hosts: Vec<String> = hosts.into_iter().map(lower).collect();
        let own = ["localhost".into(), "linnet.local".into(), machine.clone(), format!("{machine}.local")];
        let mut hosts: Vec<String> = own.into_iter().map(lower).chain(extra_hosts.clone()).collect();
        hosts.retain(|host| !host.is_empty() && host != ".local");
        let places = Places::new(&node.budget);
        let sessions = Arc::new(Semaphore::new(node.budget.sessions));
        Self {
            node,
            name,
            version,
            hosts,
            addresses,
            test_mode,
            extra_hosts,
            carrying: Arc::new(Semaphore::new(CARRYING_MAX)),
            sessions,
            places,
            sockets: Sockets::new(sockets_max),
            process,
            mqtt,
            trier,
            export,
            import,
            logins: Logins::default(),
            buckets: Buckets::default(),
            routes: Routes::join(rest::FAMILIES),
        }
    }
}
