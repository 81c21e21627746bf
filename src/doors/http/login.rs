//! Coming in: a password or a token becomes a session. Shared by REST, realtime and the page.

use crate::base::id::UserId;
use crate::base::time::WallMs;
use crate::chat::refusal::Refusal;
use crate::doors::http::Site;
use crate::node::passwords::Digested;
use crate::node::{Caller, Catalog, refuse};
use std::net::IpAddr;

/// A session, with the token's text that is told once.
pub struct Session {
    /// Whose.
    pub user: UserId,
    /// The text of the token.
    pub token: String,
    /// When it ends; `None` for never.
    pub expires: Option<WallMs>,
}

/// A session for a username or e-mail address and its password.
pub async fn with_password(
    site: &Site,
    from: IpAddr,
    account: &str,
    password: Digested,
) -> Result<Session, Refusal> {
    let now_ms = site.node.read(|reading| Ok(reading.world().mono_ms()))?;
    if !site.test_mode {
        site.logins.begin(account, from, now_ms).map_err(|seconds| Refusal::LoginBlocked { seconds })?;
    }
    let user = site.node.read(|reading| {
        let named = reading.user_named(account).map_err(refuse)?;
        Ok(if named.is_none() { reading.user_of_email(account).map_err(refuse)? } else { named })
    })?;
    let kept = user.as_ref().and_then(|user| user.password.clone());
    let fits = site.node.passwords().fits(password, kept.clone()).await?;
    let user = user.filter(|_| fits).ok_or(Refusal::LoginWrong)?;
    site.logins.succeeded(account, from);
    let id = user.id.clone();
    let (token, kept) = site
        .node
        .call(&nobody(from), move |node| {
            // The password may have been changed while it was compared.
            let now = node.user(&id).map_err(refuse)?.ok_or(Refusal::LoginWrong)?;
            if now.password != kept {
                return Err(Refusal::LoginWrong);
            }
            node.open_session(&id)
        })
        .await?;
    Ok(Session { user: kept.user, token, expires: kept.expires })
}

/// Makes sure that whoever shows this token knows their password too.
pub async fn confirm(site: &Site, from: IpAddr, caller: &Caller, password: Digested) -> Result<(), Refusal> {
    let (user, now_ms) =
        site.node.read(|reading| Ok((reading.actor(caller)?.user, reading.world().mono_ms())))?;
    let account = user.username.as_str();
    if !site.test_mode {
        site.logins.begin(account, from, now_ms).map_err(|seconds| Refusal::LoginBlocked { seconds })?;
    }
    if !site.node.passwords().fits(password, user.password.clone()).await? {
        return Err(Refusal::LoginWrong);
    }
    site.logins.succeeded(account, from);
    Ok(())
}

/// The session that a token is, or an error when it is no longer good.
pub fn resume(site: &Site, token: &str) -> Result<Session, Refusal> {
    let caller = Caller::with_token(token);
    site.node.read(|reading| {
        let actor = reading.actor(&caller)?;
        let Caller::Token(hash) = &caller else { return Err(Refusal::TokenUnknown) };
        let expires = reading.token(hash).map_err(refuse)?.and_then(|token| token.expires);
        Ok(Session { user: actor.user.id.clone(), token: token.to_owned(), expires })
    })
}

/// A caller without rights, who has a place of their own in the writer's queue.
pub fn nobody(from: IpAddr) -> Caller {
    Caller::with_token(&from.to_string())
}
