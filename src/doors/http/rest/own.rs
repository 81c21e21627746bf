//! linnet's own few questions, asked by its page: who is this node, let me in, may guests come, give me a link.

use crate::base::id::RoomId;
use crate::base::limits::{BODY_BYTES_MAX, GUEST_NAMES_TRIED_MAX, INVITATION_LIFE_MS, NAME_CHARS_MAX};
use crate::chat::name::Name;
use crate::chat::refusal::Refusal;
use crate::chat::room::Room;
use crate::doors::http::auth::{clear_cookie, set_cookie};
use crate::doors::http::login;
use crate::doors::http::rest::session::turned_away;
use crate::doors::http::route::route;
use crate::doors::http::wire::user::roles;
use crate::doors::http::{Call, Problem, Reply, Route};
use crate::node::accounts::{ACCESS, LAN_GUESTS, NewUser};
use crate::node::passwords::Digested;
use crate::node::{Catalog, refuse};
use hyper::header::SET_COOKIE;
use serde::Deserialize;
use serde_json::json;
use std::net::IpAddr;

/// The rows of this family.
pub const ROUTES: &[Route] = &[
    route!(GET "/api/linnet/hello", Open, BODY_BYTES_MAX, Reading, hello),
    route!(POST "/api/linnet/claim", Open, BODY_BYTES_MAX, Entering, claim),
    route!(POST "/api/linnet/join", Open, BODY_BYTES_MAX, Entering, join),
    route!(POST "/api/linnet/login", Open, BODY_BYTES_MAX, Entering, log_in),
    route!(POST "/api/linnet/guest", Open, BODY_BYTES_MAX, Entering, guest),
    route!(POST "/api/linnet/logout", Open, BODY_BYTES_MAX, Posting, log_out),
    route!(GET "/api/linnet/settings", LoggedIn, BODY_BYTES_MAX, Reading, settings),
    route!(POST "/api/linnet/settings", LoggedIn, BODY_BYTES_MAX, Posting, change_settings),
    route!(POST "/api/linnet/invite", LoggedIn, BODY_BYTES_MAX, Posting, invite),
];

/// The value of the setting `access` when only those with a link come in.
const INVITE: &str = "invite";

async fn hello(call: Call) -> Result<Reply, Problem> {
    let (owner_exists, access) = call
        .site
        .node
        .read(|reading| Ok((reading.has_owner()?, reading.setting(ACCESS).map_err(refuse)?)))?;
    let me = call.caller.as_ref().map(|_| call.read(|_, actor| Ok(actor.user.clone()))).transpose()?;
    let me = me.map(|me| {
        let (id, username) = (me.id.as_str(), me.username.as_str());
        json!({"_id": id, "username": username, "name": me.name.as_str(), "roles": roles(me.roles)})
    });
    Ok(Reply::success(json!({
        "name": call.site.name,
        "version": call.site.version,
        "ownerExists": owner_exists,
        "guests": is_near(&call) && access.as_deref() == Some(LAN_GUESTS),
        "secure": call.peer_ip().is_loopback() && !came_through_a_proxy(&call),
        "me": me,
        "addresses": call.site.addresses,
    })))
}

#[derive(Deserialize)]
struct Newcomer {
    code: String,
    username: String,
    #[serde(default)]
    name: String,
    password: String,
}

impl Newcomer {
    /// The account to be. The code is looked at before the password is hashed, which takes long.
    async fn account(&self, call: &Call) -> Result<NewUser, Problem> {
        let username = Name::parse(&self.username)?;
        let password = Digested::of_plain(&self.password)?;
        call.site.node.read(|reading| reading.code_is_good(&self.code))?;
        let hash = call.site.node.passwords().hash(password).await?;
        Ok(NewUser::person(username, &self.name, hash))
    }
}

async fn claim(call: Call) -> Result<Reply, Problem> {
    let newcomer: Newcomer = call.json()?;
    if call.site.node.read(|reading| reading.has_owner())? {
        return Err(Refusal::OwnerExists.into());
    }
    let new = newcomer.account(&call).await?;
    let from = call.peer_ip().to_string();
    let claiming = call.node_for_nobody(move |node| {
        let user = node.claim(&newcomer.code, new, &from)?;
        node.open_session(&user.id)
    });
    come_in(&call, claiming.await?.0)
}

async fn join(call: Call) -> Result<Reply, Problem> {
    let newcomer: Newcomer = call.json()?;
    let new = newcomer.account(&call).await?;
    let joining = call.node_for_nobody(move |node| {
        let user = node.join_by_code(&newcomer.code, new)?;
        node.open_session(&user.id)
    });
    come_in(&call, joining.await?.0)
}

#[derive(Deserialize)]
struct Login {
    user: String,
    password: String,
}

async fn log_in(call: Call) -> Result<Reply, Problem> {
    let Login { user, password } = call.json()?;
    let wrong = |refused| match refused {
        Refusal::LoginWrong | Refusal::PasswordInvalid => Problem::status(
            hyper::StatusCode::UNAUTHORIZED,
            "Name or password are wrong. Whoever runs the node can set a new one: linnet user passwd NAME",
        ),
        refused => turned_away(refused),
    };
    let password = Digested::of_plain(&password).map_err(wrong)?;
    let session =
        login::with_password(&call.site, call.peer_ip(), user.trim(), password).await.map_err(wrong)?;
    come_in(&call, session.token)
}

#[derive(Deserialize)]
struct Guest {
    name: String,
}

async fn guest(call: Call) -> Result<Reply, Problem> {
    let Guest { name } = call.json()?;
    if !is_near(&call) {
        return Err(Refusal::GuestsNotLetIn.into());
    }
    let base = address_name(&name);
    for number in 1..=GUEST_NAMES_TRIED_MAX {
        let text = if number == 1 { base.clone() } else { format!("{base}{number}") };
        let username = Name::parse(&text)?;
        if call.site.node.read(|reading| reading.user_named(&text).map_err(refuse))?.is_some() {
            continue;
        }
        let shown = name.clone();
        let entering = call.node_for_nobody(move |node| {
            let user = node.add_guest(username, &shown)?;
            node.open_session(&user.id)
        });
        match entering.await {
            Ok((token, _)) => return come_in(&call, token),
            // Somebody was quicker, or the name speaks to many.
            Err(Problem::Refused(Refusal::UsernameTaken(_))) => {}
            Err(problem) => return Err(problem),
        }
    }
    Err(Refusal::UsernameTaken(base.into()).into())
}

/// A name for addresses out of a name for people; leaves room for a number behind it.
fn address_name(name: &str) -> String {
    let spaced = name.split_whitespace().collect::<Vec<_>>().join(".");
    let allowed = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    let kept: String = spaced.chars().filter(allowed).take(NAME_CHARS_MAX - 4).collect();
    let kept = kept.trim_matches('.');
    if kept.is_empty() { "guest".into() } else { kept.into() }
}

fn come_in(call: &Call, token: String) -> Result<Reply, Problem> {
    Ok(Reply::success(()).with(SET_COOKIE, &set_cookie(&token, call.secure)))
}

async fn log_out(call: Call) -> Result<Reply, Problem> {
    // Without a good session there is nothing to end, and the cookie goes all the same.
    if call.caller.is_some() {
        call.node(|node, caller| node.log_out(caller)).await?;
    }
    Ok(Reply::success(()).with(SET_COOKIE, &clear_cookie(call.secure)))
}

async fn settings(call: Call) -> Result<Reply, Problem> {
    let access = call.read(|reading, _| reading.setting(ACCESS).map_err(refuse))?;
    let access = if access.as_deref() == Some(LAN_GUESTS) { LAN_GUESTS } else { INVITE };
    Ok(Reply::success(json!({"access": access})))
}

#[derive(Deserialize)]
struct Settings {
    access: String,
}

async fn change_settings(call: Call) -> Result<Reply, Problem> {
    let Settings { access } = call.json()?;
    if ![INVITE, LAN_GUESTS].contains(&access.as_str()) {
        return Err(Refusal::Invalid { what: "access", want: "\"invite\" or \"lan-guests\"" }.into());
    }
    call.node(move |node, caller| node.change_setting(caller, ACCESS, &access)).await?;
    Ok(Reply::success(()))
}

#[derive(Deserialize)]
struct Invite {
    room: Option<String>,
}

async fn invite(call: Call) -> Result<Reply, Problem> {
    let room = match call.json::<Invite>()?.room {
        Some(text) => RoomId::parse(&text).ok_or(Refusal::NoSuchRoom)?,
        None => Room::GENERAL,
    };
    let code = call
        .node(move |node, caller| {
            let ends = node.now().wall_ms + INVITATION_LIFE_MS;
            node.invite_by_code(caller, &room, Some(ends), 0)
        })
        .await?;
    let here = call.base();
    let is_here_only = here.contains("//localhost") || here.contains("//127.") || here.contains("//[::1]");
    // A link to "localhost" would lead everybody else to themselves.
    let base = call.site.addresses.first().filter(|_| is_here_only).cloned().unwrap_or(here);
    Ok(Reply::success(json!({"link": format!("{base}/#inv-{code}")})))
}

/// Whether the visitor is on our own network, as far as the socket can tell.
fn is_near(call: &Call) -> bool {
    is_private(call.peer_ip()) && !came_through_a_proxy(call)
}

/// Behind a proxy everybody seems to be near.
fn came_through_a_proxy(call: &Call) -> bool {
    ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip", "via"]
        .iter()
        .any(|name| call.headers.contains_key(*name))
}

fn is_private(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => address.is_private() || address.is_link_local() || address.is_loopback(),
        IpAddr::V6(address) => {
            address.is_unique_local() || address.is_unicast_link_local() || address.is_loopback()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guests_name_becomes_one_for_addresses() {
        for (name, becomes) in [
            ("Anna", "Anna"),
            (" Anna  Lisa ", "Anna.Lisa"),
            ("Ölaf", "laf"),
            ("🐦", "guest"),
            ("../..", "guest"),
        ] {
            assert_eq!(address_name(name), becomes, "{name}");
        }
        assert!(Name::parse(&format!("{}100", address_name(&"x".repeat(300)))).is_ok());
    }

    #[test]
    fn only_local_networks_are_near() {
        let near = [
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.4",
            "169.254.3.4",
            "127.0.0.1",
            "::1",
            "fe80::1",
            "fd00::1",
        ];
        let far = ["8.8.8.8", "172.32.0.1", "2001:db8::1", "100.64.0.1", "::ffff:8.8.8.8"];
        assert!(near.iter().all(|text| is_private(text.parse().unwrap())));
        assert!(!far.iter().any(|text| is_private(text.parse().unwrap())));
    }
}
