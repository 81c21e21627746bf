//! What every request must show before anything else is looked at: a Host that is ours, an Origin that is ours.

use crate::doors::http::Site;
use crate::doors::http::reply::Problem;
use hyper::header::{HOST, HeaderName, HeaderValue, ORIGIN, UPGRADE};
use hyper::http::request::Parts;
use hyper::http::uri::Authority;
use hyper::{HeaderMap, Method, StatusCode};
use std::net::{IpAddr, SocketAddr};

/// Turns away what is not addressed to this node, and what another site's page would have done here.
pub fn check(site: &Site, (local, secure): (SocketAddr, bool), parts: &Parts) -> Result<(), Problem> {
    let mut hosts = parts.headers.get_all(HOST).iter();
    let host =
        hosts.next().and_then(|host| host.to_str().ok()).and_then(|host| host.parse::<Authority>().ok());
    // A page elsewhere could reach this node by a name of its own making; its Host header gives it away.
    let ours =
        host.as_ref().is_some_and(|host| !host.as_str().contains('@') && is_ours(site, local, host.host()));
    let named = parts.uri.authority();
    let consistent = hosts.next().is_none() && named.is_none_or(|named| host.as_ref() == Some(named));
    if !ours || !consistent {
        return Err(Problem::error(
            "The Host header is no address or name of this node: open it by its address, or add the name to \
             http.hosts in linnet.toml",
        ));
    }
    let acts = !is_read(&parts.method) || parts.headers.contains_key(UPGRADE);
    if acts && parts.headers.contains_key(ORIGIN) && !is_own_origin(site, secure, &parts.headers) {
        return Err(Problem::status(
            StatusCode::FORBIDDEN,
            "The Origin header names another site: pages may act here only when they come from this node; behind a \
             proxy, add its host name to http.hosts in linnet.toml",
        ));
    }
    Ok(())
}

/// Whether a method changes nothing.
pub fn is_read(method: &Method) -> bool {
    method == Method::GET || method == Method::HEAD
}

fn is_ours(site: &Site, local: SocketAddr, host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    if let Ok(address) = bare.parse::<IpAddr>() {
        let (address, local) = (address.to_canonical(), local.ip().to_canonical());
        return address == local
            || (address.is_loopback() && local.is_loopback())
            || site.extra_hosts.iter().any(|known| known == bare);
    }
    let name = host.strip_suffix('.').unwrap_or(host);
    site.hosts.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// Whether the Origin is the very host this request is addressed to, or one the operator named: a proxy in front
/// may speak TLS on the usual port and address us otherwise. Who comes over TLS comes from a page that did.
pub fn is_own_origin(site: &Site, secure: bool, headers: &HeaderMap) -> bool {
    let text = |name: HeaderName| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let (Some(origin), Some(host)) = (text(ORIGIN), text(HOST)) else { return false };
    let Some((scheme, from)) = origin.split_once("://") else { return false };
    let named = || site.extra_hosts.iter().any(|known| known.eq_ignore_ascii_case(from));
    (scheme == "https" || (scheme == "http" && !secure)) && (from.eq_ignore_ascii_case(host) || named())
}
