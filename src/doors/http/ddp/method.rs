//! Methods: a row each with who may call it and how it works, and how a call finds its row.
//!
//! REST's `method.call` and a session call the same rows.

mod account;
mod history;
mod message;
mod room;
mod rooms;
mod small;

use super::flight::Given;
use super::message::MethodError;
use super::signal;
use crate::base::id::RoomId;
use crate::chat::message::Message;
use crate::chat::policy::Actor;
use crate::chat::refusal::Refusal;
use crate::chat::room::Room;
use crate::doors::http::refusal::words;
use crate::doors::http::wire::{self, Dates};
use crate::doors::http::{Problem, Site};
use crate::node::reading::Granted;
use crate::node::{Caller, Catalog, Node, Reading, refuse};
use serde_json::{Value, json};
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

/// One call.
pub struct MethodCall {
    /// The door's whole.
    pub site: Arc<Site>,
    /// Who is calling.
    pub caller: Option<Caller>,
    /// Where from.
    pub peer: SocketAddr,
    /// With what.
    pub params: Vec<Value>,
}

type Later = Pin<Box<dyn Future<Output = Given> + Send>>;

/// How a method works.
#[derive(Clone, Copy)]
enum Work {
    /// At once, from what is settled.
    Read(fn(&MethodCall) -> Given),
    /// Through the writer.
    Write(fn(MethodCall) -> Later),
    /// In its own time, and nothing of the same client beside it.
    Alone(fn(MethodCall) -> Later),
}

struct Row {
    name: &'static str,
    needs_login: bool,
    work: Work,
}

macro_rules! rows {
    ($($name:literal $login:ident $kind:ident $run:expr;)*) => {
        &[$(Row { name: $name, needs_login: rows!(@$login), work: rows!(#$kind $run) }),*]
    };
    (@Open) => { false };
    (@LoggedIn) => { true };
    (#Read $run:expr) => { Work::Read($run) };
    (#Write $run:expr) => { Work::Write(|call| Box::pin($run(call))) };
    (#Alone $run:expr) => { Work::Alone(|call| Box::pin($run(call))) };
}

/// Every method there is.
const ROWS: &[Row] = rows! {
    "login" Open Alone account::login;
    "logout" LoggedIn Alone account::logout;
    "getUserRoles" LoggedIn Read account::user_roles;
    "setUserStatus" LoggedIn Write account::set_status;
    "UserPresence:setDefaultStatus" LoggedIn Write account::set_default_status;
    "UserPresence:online" Open Read small::nothing;
    "UserPresence:away" Open Read small::nothing;
    "UserPresence:ping" Open Read small::nothing;

    "sendMessage" LoggedIn Write message::send;
    "updateMessage" LoggedIn Write message::update;
    "deleteMessage" LoggedIn Write message::delete;
    "setReaction" LoggedIn Write message::react;
    "getSingleMessage" LoggedIn Read message::single;
    "getMessages" LoggedIn Read message::several;
    "readMessages" LoggedIn Write message::read;

    "loadHistory" LoggedIn Read history::load;
    "loadMissedMessages" LoggedIn Read history::missed;
    "loadNextMessages" LoggedIn Read history::next;
    "loadSurroundingMessages" LoggedIn Read history::surrounding;

    "getRoomIdByNameOrId" LoggedIn Read room::id;
    "getRoomNameById" LoggedIn Read room::name;
    "getRoomByTypeAndName" LoggedIn Read room::by_type_and_name;
    "getUsersOfRoom" LoggedIn Read room::users;
    "joinRoom" LoggedIn Write room::join;
    "leaveRoom" LoggedIn Write room::leave;
    "hideRoom" LoggedIn Write room::hide;
    "openRoom" LoggedIn Write room::open;
    "toggleFavorite" LoggedIn Write room::favourite;
    "addUsersToRoom" LoggedIn Write room::add_users;
    "addUserToRoom" LoggedIn Write room::add_user;
    "removeUserFromRoom" LoggedIn Write room::remove_user;

    "rooms/get" LoggedIn Read rooms::rooms;
    "subscriptions/get" LoggedIn Read rooms::subscriptions;
    "createDirectMessage" LoggedIn Write rooms::create_direct;
    "createChannel" LoggedIn Write rooms::create_channel;
    "createPrivateGroup" LoggedIn Write rooms::create_group;
    "archiveRoom" LoggedIn Write room::archive;
    "unarchiveRoom" LoggedIn Write room::unarchive;
    "eraseRoom" LoggedIn Write room::erase;
    "spotlight" LoggedIn Read rooms::spotlight;

    "public-settings/get" Open Read small::public_settings;
    "private-settings/get" LoggedIn Read small::empty_list;
    "permissions/get" LoggedIn Read small::permissions;
    "license:getModules" Open Read small::empty_list;
    "license:isEnterprise" Open Read small::no;
    "listCustomUserStatus" LoggedIn Read small::empty_list;
    "listCustomSounds" LoggedIn Read small::empty_list;
    "listEmojiCustom" LoggedIn Read small::empty_list;
    "stream-notify-room" LoggedIn Read typing;
};

fn row(name: &str) -> Option<&'static Row> {
    ROWS.iter().find(|row| row.name == name)
}

/// Whether calls of this method by one client may overlap with each other.
pub(super) fn is_write(name: &str) -> bool {
    row(name).is_some_and(|row| matches!(row.work, Work::Write(_)))
}

/// Calls a method.
pub async fn call(call: MethodCall, name: String) -> Given {
    let Some(row) = row(&name) else {
        return Err(MethodError::numbered(
            404,
            format!("Method '{}' not found", crate::chat::name::line(&name)),
        ));
    };
    if row.needs_login {
        call.caller()?;
    }
    match row.work {
        Work::Read(read) => read(&call),
        Work::Write(work) | Work::Alone(work) => work(call).await,
    }
}

fn typing(call: &MethodCall) -> Given {
    signal::relay(&call.site.node, call.caller()?, &call.params)
}

impl From<Refusal> for MethodError {
    fn from(refusal: Refusal) -> Self {
        let words = words(&refusal);
        let details = match &refusal {
            Refusal::LoginBlocked { seconds } => Some(json!({ "timeToReset": seconds * 1_000 })),
            _ => None,
        };
        match refusal {
            // Clients compare this code with a number.
            Refusal::LoginWrong => MethodError::numbered(403, "User not found or incorrect password"),
            Refusal::NotLoggedIn => MethodError::new("error-invalid-user", "Invalid user"),
            // A token that is no good any more: clients forget it and ask for a password.
            Refusal::TokenUnknown => {
                MethodError::numbered(403, "You've been logged out by the server. Please log in again.")
            }
            _ => MethodError { error: words.code.into(), reason: words.reason.into_owned(), details },
        }
    }
}

impl From<Problem> for MethodError {
    fn from(problem: Problem) -> Self {
        let fields = match problem {
            Problem::Refused(refusal) => return refusal.into(),
            Problem::Fields(_, fields) => fields,
        };
        let text = |key: &str| fields.get(key).and_then(Value::as_str).unwrap_or_default();
        let code = [text("errorType"), text("error")].into_iter().find(|code| !code.is_empty());
        let code = code.unwrap_or("error-invalid-params");
        let reason = [text("message"), text("error")].into_iter().find(|reason| !reason.is_empty());
        let reason = reason.unwrap_or_default();
        MethodError::new(code, reason.strip_suffix(&format!(" [{code}]")).unwrap_or(reason))
    }
}

/// A parameter that is missing or has another form.
fn wants(what: &'static str, want: &'static str) -> MethodError {
    Refusal::Invalid { what, want }.into()
}

impl MethodCall {
    /// Who is calling.
    fn caller(&self) -> Result<&Caller, MethodError> {
        self.caller.as_ref().ok_or_else(|| Refusal::NotLoggedIn.into())
    }

    /// A parameter, null where there is none.
    fn param(&self, at: usize) -> &Value {
        self.params.get(at).unwrap_or(&Value::Null)
    }

    /// A parameter that is a text.
    fn text(&self, at: usize, what: &'static str) -> Result<&str, MethodError> {
        self.param(at).as_str().ok_or_else(|| wants(what, "a text"))
    }

    /// A parameter that is a room's id.
    fn room_id(&self, at: usize) -> Result<RoomId, MethodError> {
        RoomId::parse(self.text(at, "rid")?).ok_or_else(|| Refusal::NoSuchRoom.into())
    }

    /// Reads in the caller's name.
    fn read<T>(&self, read: impl FnOnce(&Reading, &Actor) -> Result<T, Refusal>) -> Result<T, MethodError> {
        let caller = self.caller()?;
        Ok(self.site.node.read(|reading| read(reading, &reading.actor(caller)?))?)
    }

    /// Has the node do one thing in the caller's name.
    async fn node<T, F>(&self, job: F) -> Result<T, MethodError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Node, &Caller) -> Result<T, Refusal> + Send + 'static,
    {
        let caller = self.caller()?.clone();
        let name = caller.clone();
        Ok(self.site.node.call(&caller, move |node| job(node, &name)).await?)
    }

    /// A message in the form this door sends.
    fn shown(&self, message: &Message) -> Value {
        let shown =
            self.site.node.read(|reading| Ok(json!(wire::message::shown(message, Dates::Ejson, reading))));
        shown.unwrap_or_default()
    }
}

/// A room the actor may read, by its id.
fn readable(reading: &Reading, actor: &Actor, room: &RoomId) -> Result<(Arc<Room>, Granted), Refusal> {
    let room = reading.room(room).map_err(refuse)?.ok_or(Refusal::NoSuchRoom)?;
    let granted = reading.may_read(actor, &room)?;
    Ok((room, granted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_method_has_one_row() {
        for row in ROWS {
            assert_eq!(ROWS.iter().filter(|other| other.name == row.name).count(), 1, "{}", row.name);
        }
    }
}
