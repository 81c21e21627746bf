//! Who is calling: a token in headers, a Bearer, or the page's cookie.

use crate::base::id::UserId;
use crate::base::limits::SESSION_LIFE_MS;
use crate::chat::refusal::Refusal;
use crate::doors::http::Site;
use crate::doors::http::call::Shown;
use crate::doors::http::guard::{is_own_origin, is_read};
use crate::node::Caller;
use hyper::header::{AUTHORIZATION, COOKIE, HeaderValue, ORIGIN, UPGRADE};
use hyper::{HeaderMap, Method};

/// The name of the page's cookie. Over TLS it has one of its own, which a browser takes from nobody in clear and tells
/// nobody in clear; so the same browser may use both ways.
fn cookie_name(secure: bool) -> &'static str {
    if secure { "__Host-linnet_session" } else { "linnet_session" }
}

/// `Set-Cookie` for the page: scripts cannot read it, other sites cannot make the browser send it.
pub fn set_cookie(token: &str, secure: bool) -> String {
    cookie_with(token, SESSION_LIFE_MS / 1_000, secure)
}

/// `Set-Cookie` that takes the page's cookie away.
pub fn clear_cookie(secure: bool) -> String {
    cookie_with("", 0, secure)
}

fn cookie_with(token: &str, seconds: u64, secure: bool) -> String {
    let (name, word) = (cookie_name(secure), if secure { "; Secure" } else { "" });
    format!("{name}={token}; Path=/; HttpOnly; SameSite=Strict; Max-Age={seconds}{word}")
}

/// Somebody who showed a good token.
pub struct Known {
    /// For the node.
    pub caller: Caller,
    /// Who it is.
    pub user: UserId,
}

/// Who is calling, and how they showed it. An error is the store's, not the caller's.
pub fn known(
    site: &Site,
    secure: bool,
    method: &Method,
    headers: &HeaderMap,
) -> Result<(Option<Known>, Shown), Refusal> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(token) = text("x-auth-token") {
        let user = text("x-user-id").unwrap_or_default();
        return good(site, token, Some(user), Shown::Header);
    }
    if let Some(token) = headers.get(AUTHORIZATION).and_then(bearer) {
        return good(site, token, None, Shown::Header);
    }
    match cookie(headers, secure).filter(|_| is_from_our_page(site, secure, method, headers)) {
        Some(token) => good(site, token, None, Shown::Cookie),
        None => Ok((None, Shown::Nothing)),
    }
}

fn good(
    site: &Site,
    token: &str,
    user: Option<&str>,
    shown: Shown,
) -> Result<(Option<Known>, Shown), Refusal> {
    let caller = Caller::with_token(token);
    match site.node.read(|reading| reading.actor(&caller)) {
        Ok(actor) if user.is_none_or(|user| user == actor.user.id.as_str()) => {
            Ok((Some(Known { caller, user: actor.user.id.clone() }), shown))
        }
        Ok(_) | Err(Refusal::TokenUnknown | Refusal::UserInactive) => Ok((None, Shown::Bad)),
        Err(refusal) => Err(refusal),
    }
}

fn bearer(value: &HeaderValue) -> Option<&str> {
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn cookie(headers: &HeaderMap, secure: bool) -> Option<&str> {
    let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs
        .find(|(name, _)| *name == cookie_name(secure))
        .map(|(_, token)| token)
        .filter(|token| !token.is_empty())
}

/// Cookies are shared by all ports of a host, so the browser's word for where a request comes from is needed too.
fn is_from_our_page(site: &Site, secure: bool, method: &Method, headers: &HeaderMap) -> bool {
    let reads = is_read(method) && !headers.contains_key(UPGRADE);
    match headers.get("sec-fetch-site").and_then(|value| value.to_str().ok()) {
        Some("same-origin") => true,
        // Typed into the address bar.
        Some("none") => reads,
        // A page elsewhere, or a header that is no text.
        _ if headers.contains_key("sec-fetch-site") => false,
        // Browsers say it only where the page is secure; on plain HTTP the Origin must do.
        _ if headers.contains_key(ORIGIN) => is_own_origin(site, secure, headers),
        _ => reads,
    }
}
