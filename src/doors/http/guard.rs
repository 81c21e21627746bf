//! What every request must show before anything else is looked at: a Host that is ours, an Origin that is ours.

use crate::doors::http::Site;
use crate::doors::http::reply::Problem;
use hyper::header::{HOST, ORIGIN, UPGRADE};
use hyper::http::request::Parts;
use hyper::http::uri::Authority;
use hyper::{HeaderMap, StatusCode};
use std::net::{IpAddr, SocketAddr};

/// Turns away what is not addressed to this node: a page elsewhere could reach us by a name of its own.
pub fn check(site: &Site, local: SocketAddr, parts: &Parts) -> Result<(), Problem> {
    let mut hosts = parts.headers.get_all(HOST).iter();
    let host =
        hosts.next().and_then(|host| host.to_str().ok()).and_then(|host| host.parse::<Authority>().ok());
    let named = parts.uri.authority();
    let ours = host.as_ref().is_some_and(|host| is_ours(site, local, host.host()));
    let consistent = hosts.next().is_none() && named.is_none_or(|named| host.as_ref() == Some(named));
    if !ours || !consistent {
        return Err(Problem::error(
            "The Host header is no address or name of this node: open it by its address, or add the name to \
             http.hosts in linnet.toml",
        ));
    }
    if parts.headers.contains_key(UPGRADE)
        && parts.headers.contains_key(ORIGIN)
        && !is_own_origin(&parts.headers)
    {
        return Err(Problem::status(
            StatusCode::FORBIDDEN,
            "The Origin header names another site: a WebSocket of a page must come from this node's own page",
        ));
    }
    Ok(())
}

fn is_ours(site: &Site, local: SocketAddr, host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    if let Ok(address) = bare.parse::<IpAddr>() {
        let address = address.to_canonical();
        return address == local.ip().to_canonical()
            || address.is_loopback() && local.ip().to_canonical().is_loopback();
    }
    let name = host.strip_suffix('.').unwrap_or(host);
    site.hosts.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// Whether the Origin is the very host this request is addressed to.
pub fn is_own_origin(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value: &hyper::header::HeaderValue| value.to_str().ok());
    let (Some(origin), Some(host)) = (text(ORIGIN), text(HOST)) else { return false };
    let from = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
    from.is_some_and(|from| from.eq_ignore_ascii_case(host))
}
