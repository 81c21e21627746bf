//! How a session stands with the node: logged in or not, alive or not.

use super::flight::{Kind, Landed};
use super::message;
use super::session::{Member, Session};
use super::socket::End;
use crate::base::limits::{DDP_SILENT_LOOKS_MAX, DDP_STRANGER_LOOKS_MAX, STALE_RETRIES_MAX};
use crate::chat::refusal::Refusal;
use crate::delivery::{Refused, Who};
use crate::doors::reach::frame::Goodbye;
use crate::node::Caller;
use serde_json::{Value, json};

const LATE: Goodbye = Goodbye { code: 1008, reason: "log in sooner" };
const SILENT: Goodbye = Goodbye { code: 1001, reason: "no sign of life" };
/// The token is no longer good, or its user is gone.
pub(super) const LOGGED_OUT: Goodbye = Goodbye { code: 1008, reason: "logged out" };

impl Session {
    /// Begins to listen in the caller's name.
    pub(super) fn enter(&mut self, caller: Caller) -> Result<(), Refusal> {
        if self.member.as_ref().is_some_and(|member| member.caller == caller) {
            return Ok(());
        }
        self.leave();
        for _ in 0..STALE_RETRIES_MAX {
            let (as_of, actor) = self.node.read(|reading| Ok((reading.newest(), reading.actor(&caller)?)))?;
            let token = match &caller {
                Caller::Token(hash) => Some(*hash),
                Caller::Certificate(_) | Caller::Bridge(_) | Caller::Operator | Caller::Anonymous => None,
            };
            let who = Who { user: actor.user.id.clone(), roles: actor.user.roles, token };
            match self.node.hub.attach(who, as_of) {
                Ok(listener) => {
                    self.member = Some(Member { caller, user: actor.user, listener });
                    return Ok(());
                }
                Err(Refused::Stale) => {}
                Err(_) => return Err(Refusal::Busy),
            }
        }
        Err(Refusal::Busy)
    }

    /// Listens no more, and ends every subscription.
    pub(super) fn leave(&mut self) {
        let Some(member) = self.member.take() else { return };
        for id in self.subscriptions.clear() {
            self.socket.put(&message::nosub(&id, None));
        }
        self.socket.put(&message::removed("users", member.user.id.as_str()));
        self.looks = 0;
    }

    /// Shows the client its own user.
    pub(super) fn show_user(&mut self) {
        let Some(member) = &self.member else { return };
        let user = &member.user;
        let fields = json!({
            "username": user.username.as_str(),
            "name": user.name.as_str(),
            "status": "online",
            "roles": crate::doors::http::wire::user::roles(user.roles),
            "settings": { "preferences": crate::doors::http::wire::user::preferences(user) },
        });
        self.socket.put(&message::added("users", user.id.as_str(), fields));
    }

    /// A method is done: the client hears what it gave, and that it can be seen.
    pub(super) fn answer(&mut self, landed: Landed) -> Result<(), End> {
        let Landed { id, kind, mut result } = landed;
        if kind == Kind::Login {
            let token = result.as_ref().ok().and_then(|given| given.get("token")).and_then(Value::as_str);
            if let Some(caller) = token.map(Caller::with_token) {
                match self.enter(caller) {
                    Ok(()) => self.show_user(),
                    Err(refusal) => result = Err(refusal.into()),
                }
            }
        }
        self.socket.put(&message::result(&id, &result));
        self.socket.put(&message::updated(&id));
        Ok(())
    }

    /// Looks after the session every so often: is it alive, is its token still good.
    pub(super) fn look(&mut self) -> Result<(), End> {
        self.looks = self.looks.saturating_add(1);
        match &self.member {
            Some(member) => {
                let good = self.node.read(|reading| reading.actor(&member.caller));
                if matches!(good, Err(Refusal::TokenUnknown | Refusal::UserInactive)) {
                    return Err(LOGGED_OUT.into());
                }
            }
            None if self.looks >= DDP_STRANGER_LOOKS_MAX => return Err(LATE.into()),
            None => {}
        }
        if self.silent_looks >= DDP_SILENT_LOOKS_MAX {
            return Err(SILENT.into());
        }
        if self.silent_looks > 0 && self.connected {
            self.socket.put(&message::ping());
        }
        self.silent_looks += 1;
        Ok(())
    }
}
