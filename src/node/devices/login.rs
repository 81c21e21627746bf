//! How a device comes in by a protocol that asks for name and password, or by a client certificate.
//!
//! Neither waits for the hashing of passwords: a key has 256 bits of chance, so its SHA-256 is all that is kept of it, and
//! a hundred devices that come back at once do not queue.

use crate::chat::policy::Actor;
use crate::chat::refusal::Refusal;
use crate::chat::user::User;
use crate::node::{Caller, Catalog, Reading, refuse};
use smol_str::SmolStr;
use std::sync::Arc;

impl Reading {
    /// Who comes in under this name with a key: a device with its own, or a person with a session's or personal token.
    /// What is wrong of the pair is not told.
    pub fn device_login(&self, username: &str, key: &str) -> Result<(Caller, Arc<User>), Refusal> {
        let caller = Caller::with_token(key);
        let actor = self.actor(&caller);
        let named =
            |actor: &Actor| actor.user.username.folded() == SmolStr::new(username.to_ascii_lowercase());
        come_in(caller, actor, named)
    }

    /// The device that comes in by a certificate with this common name, which a trusted authority has signed. Only one
    /// that was let do so.
    pub fn login_by_certificate(&self, name: &str) -> Result<(Caller, Arc<User>), Refusal> {
        let user = self.user_named(name).map_err(refuse)?.ok_or(Refusal::LoginWrong)?;
        let caller = Caller::Certificate(user.id.clone());
        let actor = self.actor(&caller);
        come_in(caller, actor, |_| true)
    }
}

fn come_in(
    caller: Caller,
    actor: Result<Actor, Refusal>,
    fits: impl Fn(&Actor) -> bool,
) -> Result<(Caller, Arc<User>), Refusal> {
    match actor {
        Ok(actor) if fits(&actor) => Ok((caller, actor.user)),
        Ok(_) | Err(Refusal::TokenUnknown | Refusal::UserInactive) => Err(Refusal::LoginWrong),
        Err(refusal) => Err(refusal),
    }
}
