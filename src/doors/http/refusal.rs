//! The one table from a refusal to Rocket.Chat's words. REST wraps them in its envelopes, realtime in its own.

use crate::chat::refusal::{Refusal, Right};
use hyper::StatusCode;
use serde_json::{Map, Value};
use std::borrow::Cow;

/// Which envelope a refusal goes into.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Envelope {
    /// `{success: false, error, errorType}`.
    Rest,
    /// `{status: "error", error, message}`, as logging in answers.
    Login,
}

/// A refusal in Rocket.Chat's words.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Words {
    /// The HTTP status.
    pub status: StatusCode,
    /// The code clients compare, such as `error-room-not-found`.
    pub code: &'static str,
    /// What a person reads, without the code.
    pub reason: Cow<'static, str>,
}

impl Words {
    /// `<reason> [<code>]`, as a coded error reads in REST and in realtime.
    pub fn text(&self) -> String {
        text(self.code, &self.reason)
    }

    /// The fields of the JSON reply.
    pub fn fields(&self, envelope: Envelope) -> Map<String, Value> {
        if envelope == Envelope::Rest && self.status != StatusCode::UNAUTHORIZED {
            return coded(self.code, &self.reason);
        }
        let mut fields = Map::new();
        fields.insert("status".into(), "error".into());
        if self.code != NOT_LOGGED_IN.1 {
            fields.insert("error".into(), self.code.into());
        }
        fields.insert("message".into(), self.reason.clone().into());
        fields
    }
}

/// The fields of a coded error.
pub fn coded(code: &str, reason: &str) -> Map<String, Value> {
    let mut fields = Map::new();
    fields.insert("success".into(), false.into());
    fields.insert("error".into(), text(code, reason).into());
    fields.insert("errorType".into(), code.into());
    fields
}

fn text(code: &str, reason: &str) -> String {
    if reason.is_empty() { format!("[{code}]") } else { format!("{reason} [{code}]") }
}

const BAD: u16 = 400;
/// Status, code, reason.
type Row = (u16, &'static str, &'static str);

const NOT_LOGGED_IN: Row = (401, "not-logged-in", "You must be logged in to do this.");

/// The words for a refusal.
pub fn words(refusal: &Refusal) -> Words {
    let (status, code, reason) = fixed(refusal);
    let reason = if reason.is_empty() { told(refusal) } else { reason.into() };
    let status = StatusCode::from_u16(status).expect("the table holds real statuses");
    Words { status, code, reason }
}

/// The rows; a reason left empty depends on what was refused and is made by [`told`].
fn fixed(refusal: &Refusal) -> Row {
    use Refusal::*;
    match refusal {
        NotLoggedIn | TokenUnknown => NOT_LOGGED_IN,
        LoginWrong => (401, "Unauthorized", "Unauthorized"),
        LoginBlocked { .. } => (401, "error-login-blocked-for-user", ""),
        UserInactive => (401, "error-user-is-not-activated", "User is not activated"),
        NotAllowed(_) => (403, "error-unauthorized", ""),
        NoSuchRoom => (
            BAD,
            "error-room-not-found",
            "The required \"roomId\" or \"roomName\" param provided does not match any channel",
        ),
        NoSuchUser => (
            BAD,
            "error-invalid-user",
            "The required \"userId\" or \"username\" param provided does not match any users",
        ),
        NoSuchMessage => (BAD, "error-message-not-found", "The provided message does not exist or is gone"),
        NoSuchDevice => (BAD, "error-device-not-found", "No such device: 'linnet device list' names them"),
        NoSuchToken => (BAD, "error-token-does-not-exists", "No token of yours has that name"),
        CodeUnknown => (
            BAD,
            "error-invalid-code",
            "This code is unknown, used up or too old: ask for a new link, or run 'linnet owner' for an owner's",
        ),
        OwnerExists => {
            (BAD, "error-owner-exists", "This node has an owner already: log in, or ask them for a link")
        }
        GuestsNotLetIn => (
            403,
            "error-guests-not-allowed",
            "Guests are let in only from the local network, once the owner allows it: ask for an invitation link",
        ),
        NameInvalid(_) => (BAD, "error-invalid-room-name", ""),
        NameReserved(_) => (BAD, "error-blocked-username", ""),
        RoomNameTaken(_) => (BAD, "error-duplicate-channel-name", ""),
        UsernameTaken(_) => (BAD, "error-field-unavailable", ""),
        RoomReadOnly => (BAD, "error-not-allowed", "You can't send messages because the room is readonly."),
        RoomArchived => (BAD, "error-room-archived", "The room is archived: its owner can open it again"),
        NotMember => (BAD, "error-user-not-in-room", "User is not in this room"),
        LastOwner => (
            BAD,
            "error-you-are-last-owner",
            "You are the last owner. Please set new owner before leaving the room.",
        ),
        TextEmpty => (BAD, "error-message-empty", "There is nothing to post: send a text"),
        TextTooLong { .. } => (BAD, "error-message-size-exceeded", ""),
        TextHasNul => (BAD, "error-invalid-text", "The text has a NUL character: send it without"),
        TooLarge { .. } => (413, "error-too-large", ""),
        TooMany { .. } => (BAD, "error-too-many", ""),
        MessageIdTaken => (BAD, "error-message-id-taken", "Another message has this id: send a fresh one"),
        PasswordInvalid => (
            BAD,
            "error-password-policy-not-met",
            "The password must have 1 to 256 characters, a digest 64 hexadecimal ones",
        ),
        Invalid { .. } => (BAD, "invalid-params", ""),
        Busy => (503, "error-busy", "The node is busy: try again in a moment"),
        StoreFailed => (
            500,
            "error-store-failed",
            "The node cannot store anything now: whoever runs it finds the reason in its log",
        ),
    }
}

/// Reasons that name what was refused.
fn told(refusal: &Refusal) -> Cow<'static, str> {
    match refusal {
        Refusal::LoginBlocked { seconds } => {
            format!("Login has been temporarily blocked. Try again in {seconds} seconds.").into()
        }
        // The fixed sentence first: clients compare it.
        Refusal::NotAllowed(_) => "User does not have the permissions required for this action".into(),
        Refusal::NameInvalid(name) => {
            format!("{name} is not a valid name: use 1 to 64 of 0-9 a-z A-Z - _ .").into()
        }
        Refusal::NameReserved(name) => format!("{name} is blocked and can't be used!").into(),
        Refusal::RoomNameTaken(name) => format!("A channel with name '{name}' exists").into(),
        Refusal::UsernameTaken(name) => format!("{name} is already in use :(").into(),
        Refusal::TextTooLong { max } => {
            format!("Message size exceeds {max} characters: send it in parts").into()
        }
        Refusal::TooLarge { what, max } => format!("{what}: at most {max} bytes are taken").into(),
        Refusal::TooMany { what, max } => format!("{what}: at most {max} are taken").into(),
        Refusal::Invalid { what, want } => format!("{what} must be {want}").into(),
        fixed_elsewhere => format!("{fixed_elsewhere:?}").into(),
    }
}

/// What somebody may not do, for the details of an error.
pub fn right_words(right: Right) -> &'static str {
    match right {
        Right::ReadRoom => "read this room: ask one of its members to invite you",
        Right::Post => "post in this room: join it, or ask its owner",
        Right::EditMessage => "change this message: only its author may",
        Right::DeleteMessage => "remove this message: its author and the room's keepers may",
        Right::CreatePublicRoom | Right::CreatePrivateRoom => "make rooms: guests and devices may not",
        Right::CreateDirectRoom => "start a direct conversation: guests and devices may not",
        Right::ManageRoom => "change this room: its owner may",
        Right::JoinRoom => "join this room: ask for an invitation",
        Right::Invite => "invite into this room: join it, or ask its owner",
        Right::Kick => "remove people from this room: its owner may",
        Right::ManageRoles => "give roles: ask an admin",
        Right::ManageUsers => "manage users: ask an admin",
        Right::ManageDevices => "manage devices: ask an admin, or run 'linnet device' on the node",
        Right::ManageNode => "change the node's settings: ask an admin",
        Right::Impersonate => "speak under another name: bots and admins may",
        Right::CreateTokens => "make tokens: guests and devices may not",
        Right::SeeUsers => "list users: devices may not",
    }
}
