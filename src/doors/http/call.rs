//! One request as a row's function sees it: who, from where, with what.

use crate::chat::policy::Actor;
use crate::chat::refusal::Refusal;
use crate::doors::http::Site;
use crate::doors::http::arrival::Arrival;
use crate::doors::http::body;
use crate::doors::http::login::nobody;
use crate::doors::http::places::Socket;
use crate::doors::http::query::Query;
use crate::doors::http::reply::Problem;
use crate::node::{Caller, Node, Reading};
use bytes::Bytes;
use hyper::header::HeaderName;
use hyper::upgrade::OnUpgrade;
use hyper::{HeaderMap, Method};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

/// What the `:names` of a path stand for, decoded.
#[derive(Clone, Debug, Default)]
pub struct Params(pub(super) Vec<(&'static str, String)>);

impl Params {
    /// What a name stands for; empty when the path has no such name.
    pub fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value)
    }
}

/// How the caller showed who they are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shown {
    /// Not at all.
    Nothing,
    /// With a token that is not good.
    Bad,
    /// With `X-Auth-Token` and `X-User-Id`, or a `Bearer`.
    Header,
    /// With the page's cookie, from the page itself.
    Cookie,
}

/// One request.
pub struct Call {
    /// The door's whole.
    pub site: Arc<Site>,
    /// Its socket's share of the open files: an upgraded socket keeps it.
    pub socket: Arc<Socket>,
    /// The method.
    pub method: Method,
    /// Where it comes from.
    pub peer: SocketAddr,
    /// Where it arrived.
    pub local: SocketAddr,
    /// Whether it came over TLS of ours.
    pub secure: bool,
    /// Who is calling; always there in rows that are `LoggedIn`.
    pub caller: Option<Caller>,
    /// How they showed it.
    pub shown: Shown,
    /// What follows the `?`.
    pub query: Query,
    /// What the path's names stand for.
    pub params: Params,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, within the row's limit.
    pub body: Bytes,
    /// The body of a row that lets it flow.
    pub arrival: Option<Arrival>,
    pub(super) upgrade: Option<OnUpgrade>,
}

impl Call {
    /// Who is calling.
    pub fn caller(&self) -> Result<&Caller, Problem> {
        self.caller.as_ref().ok_or(Problem::Refused(Refusal::NotLoggedIn))
    }

    /// Has the node do one thing in the caller's name; returns when it is on the disk.
    pub async fn node<T, F>(&self, job: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: FnOnce(&mut Node, &Caller) -> Result<T, Refusal> + Send + 'static,
    {
        let caller = self.caller()?.clone();
        let name = caller.clone();
        Ok(self.site.node.call(&caller, move |node| job(node, &name)).await?)
    }

    /// Has the node do one thing for somebody without an account: what their code or address allows.
    pub async fn node_for_nobody<T, F>(&self, job: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: FnOnce(&mut Node) -> Result<T, Refusal> + Send + 'static,
    {
        Ok(self.site.node.call(&nobody(self.peer_ip()), job).await?)
    }

    /// Reads what is settled in the caller's name.
    pub fn read<T>(&self, read: impl FnOnce(&Reading, &Actor) -> Result<T, Refusal>) -> Result<T, Problem> {
        let caller = self.caller()?;
        Ok(self.site.node.read(|reading| read(reading, &reading.actor(caller)?))?)
    }

    /// A header's text.
    pub fn header(&self, name: impl Into<HeaderKey>) -> Option<&str> {
        let value = match name.into() {
            HeaderKey::Known(name) => self.headers.get(name),
            HeaderKey::Text(name) => self.headers.get(name),
        };
        value?.to_str().ok()
    }

    /// The body as a JSON object: JSON itself, a form, or either inside the one key `payload`. No body is `{}`.
    pub fn object(&self) -> Result<Map<String, Value>, Problem> {
        body::object(&self.headers, &self.body)
    }

    /// The body as this type.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        let object = Value::Object(self.object()?);
        serde_json::from_value(object).map_err(|error| Problem::invalid_params(&error.to_string()))
    }

    /// The address it comes from, IPv4 where it is one.
    pub fn peer_ip(&self) -> IpAddr {
        self.peer.ip().to_canonical()
    }

    /// This node as the caller reaches it: `http://<Host>` or `https://<Host>`, without a slash at its end.
    pub fn base(&self) -> String {
        // A proxy that the operator named, in front of us, speaks TLS.
        let through_tls = self.secure || self.header("x-forwarded-proto") == Some("https");
        format!("{}://{}", if through_tls { "https" } else { "http" }, self.host())
    }

    /// The Host header: what the caller knows this node as.
    pub fn host(&self) -> &str {
        self.header(hyper::header::HOST).unwrap_or("localhost")
    }
}

/// A header's name, known to hyper or in lower case.
pub enum HeaderKey {
    /// One of hyper's constants.
    Known(HeaderName),
    /// Text.
    Text(&'static str),
}

impl From<HeaderName> for HeaderKey {
    fn from(name: HeaderName) -> Self {
        HeaderKey::Known(name)
    }
}

impl From<&'static str> for HeaderKey {
    fn from(name: &'static str) -> Self {
        HeaderKey::Text(name)
    }
}
