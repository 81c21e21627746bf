//! Who is calling: a token in headers, a Bearer, or the page's cookie.

use crate::chat::refusal::Refusal;
use crate::doors::http::Site;
use crate::doors::http::call::Shown;
use crate::doors::http::guard::is_own_origin;
use crate::node::Caller;
use hyper::header::{AUTHORIZATION, COOKIE, HeaderValue};
use hyper::{HeaderMap, Method};

/// The name of the page's cookie.
pub const COOKIE_NAME: &str = "linnet_session";

/// Who is calling, and how they showed it. An error is the store's, not the caller's.
pub fn caller(site: &Site, method: &Method, headers: &HeaderMap) -> Result<(Option<Caller>, Shown), Refusal> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(token) = text("x-auth-token") {
        let user = text("x-user-id").unwrap_or_default();
        return good(site, token, Some(user), Shown::Header);
    }
    if let Some(token) = headers.get(AUTHORIZATION).and_then(bearer) {
        return good(site, token, None, Shown::Header);
    }
    match cookie(headers).filter(|_| is_from_our_page(method, headers)) {
        Some(token) => good(site, token, None, Shown::Cookie),
        None => Ok((None, Shown::Nothing)),
    }
}

fn good(
    site: &Site,
    token: &str,
    user: Option<&str>,
    shown: Shown,
) -> Result<(Option<Caller>, Shown), Refusal> {
    let caller = Caller::with_token(token);
    match site.node.read(|reading| reading.actor(&caller)) {
        Ok(actor) if user.is_none_or(|user| user == actor.user.id.as_str()) => Ok((Some(caller), shown)),
        Ok(_) | Err(Refusal::TokenUnknown | Refusal::UserInactive) => Ok((None, Shown::Bad)),
        Err(refusal) => Err(refusal),
    }
}

fn bearer(value: &HeaderValue) -> Option<&str> {
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == COOKIE_NAME).map(|(_, token)| token).filter(|token| !token.is_empty())
}

/// Cookies are shared by all ports of a host, so the browser's word for where a request comes from is needed too.
fn is_from_our_page(method: &Method, headers: &HeaderMap) -> bool {
    let site = headers.get("sec-fetch-site").and_then(|value| value.to_str().ok());
    let reads = method == Method::GET || method == Method::HEAD;
    match site {
        Some("same-origin") => true,
        // Typed into the address bar.
        Some("none") => reads,
        Some(_) => false,
        // Browsers say it only where the page is secure; on plain HTTP the Origin must do.
        None if headers.contains_key(hyper::header::ORIGIN) => is_own_origin(headers),
        None => reads && !headers.contains_key(hyper::header::UPGRADE),
    }
}
