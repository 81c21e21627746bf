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
    /// What to do next, where clients expect a fixed reason that does not say it.
    pub next: Option<&'static str>,
}

impl Words {
    /// `<reason> [<code>]`, as a coded error reads in REST and in realtime.
    pub fn text(&self) -> String {
        text(self.code, &self.reason)
    }

    /// The fields of the JSON reply.
    pub fn fields(&self, envelope: Envelope) -> Map<String, Value> {
        let mut fields = if envelope == Envelope::Rest && self.status != StatusCode::UNAUTHORIZED {
            coded(self.code, &self.reason)
        } else {
            self.login_fields()
        };
        if let Some(next) = self.next {
            fields.insert("details".into(), serde_json::json!({ "next": next }));
        }
        fields
    }

    fn login_fields(&self) -> Map<String, Value> {
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
    let next = match refusal {
        Refusal::TokenUnknown => Some(
            "The token is not, or no longer, good: log in again, or run 'linnet device add NAME' for a device",
        ),
        Refusal::NotAllowed(right) => Some(what_next(*right)),
        _ => None,
    };
    Words { status, code, reason, next }
}

/// The rows of coming in and of rights.
fn turned_away(refusal: &Refusal) -> Row {
    use Refusal::*;
    match refusal {
        LoginWrong => (401, "Unauthorized", "Unauthorized"),
        LoginBlocked { .. } => (401, "error-login-blocked-for-user", ""),
        UserInactive => (401, "error-user-is-not-activated", "User is not activated"),
        NotAllowed(_) => (403, "error-unauthorized", ""),
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
        NoSuchSession => {
            (BAD, "error-session-not-found", "This client has no session that is kept: connect first")
        }
        SessionTaken => (
            403,
            "error-session-taken",
            "A client of this id has a session of somebody else's: choose another id",
        ),
        // Nobody, or nobody we know.
        _ => NOT_LOGGED_IN,
    }
}

/// The rows of what another time may bring.
fn not_now(refusal: &Refusal) -> Row {
    match refusal {
        Refusal::Busy => (503, "error-busy", "The node is busy: try again in a moment"),
        Refusal::DiskFull => (
            507,
            "error-disk-full",
            "The disk of this node is full, nothing new is taken: whoever runs it has to free some space, or to remove \
             rooms or messages",
        ),
        _ => (
            500,
            "error-store-failed",
            "The node cannot store anything now: whoever runs it finds the reason in its log",
        ),
    }
}

/// The rows; a reason left empty depends on what was refused and is made by [`told`].
fn fixed(refusal: &Refusal) -> Row {
    use Refusal::*;
    match refusal {
        NotLoggedIn
        | TokenUnknown
        | LoginWrong
        | LoginBlocked { .. }
        | UserInactive
        | NotAllowed(_)
        | CodeUnknown
        | OwnerExists
        | NoSuchSession
        | SessionTaken
        | GuestsNotLetIn => turned_away(refusal),
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
        ClockKnown => (BAD, "error-clock-known", "This machine knows the time: nobody has to set it"),
        NoSuchToken => (BAD, "error-token-does-not-exists", "No token of yours has that name"),
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
        Busy | DiskFull | StoreFailed => not_now(refusal),
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

/// Who may, for somebody who may not.
fn what_next(right: Right) -> &'static str {
    match right {
        Right::ReadRoom => "You may not read this room: ask one of its members to invite you",
        Right::Post => "You may not post in this room: join it, or ask its owner",
        Right::EditMessage => "Only its author may change a message",
        Right::DeleteMessage => "Only its author and the room's keepers may remove a message",
        Right::CreatePublicRoom | Right::CreatePrivateRoom => {
            "Guests and devices may not make rooms: ask an admin"
        }
        Right::CreateDirectRoom => "Guests and devices may not start direct conversations: write in a room",
        Right::ManageRoom => "Only its owner may change a room: ask them",
        Right::JoinRoom => "You may not join this room: ask for an invitation",
        Right::Invite => "You may not invite into this room: join it, or ask its owner",
        Right::Kick => "Only its owner and moderators may remove people from a room",
        Right::ManageRoles => "Only admins may give roles: ask one",
        Right::ManageUsers => "Only admins may manage users: ask one, or run 'linnet user' on the node",
        Right::ManageDevices => "Only admins may manage devices: ask one, or run 'linnet device' on the node",
        Right::ManageNode => "Only admins may change the node's settings: ask one",
        Right::BackUp => {
            "Only admins may take backups and exports, and import: ask one, or run 'linnet' on the node"
        }
        Right::Impersonate => "Only bots, devices and admins may speak under another name",
        Right::CreateTokens => "Guests and devices may not make tokens: ask an admin for an account",
        Right::SeeUsers => "Devices may not list users",
        Right::Publish => "You may not publish to this topic: an admin gives devices their topics",
        Right::Subscribe => "You may not subscribe to this: an admin gives devices their topics",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(refusal: Refusal, status: u16, fields: Value) {
        let words = words(&refusal);
        assert_eq!(words.status.as_u16(), status, "{refusal:?}");
        assert_eq!(Value::Object(words.fields(Envelope::Rest)), fields, "{refusal:?}");
    }

    #[test]
    fn clients_get_the_words_they_compare() {
        let coded = |text: &str, code: &str| json!({"success": false, "error": text, "errorType": code});
        let strangers = json!({"status": "error", "message": "You must be logged in to do this."});
        check(Refusal::NotLoggedIn, 401, strangers);
        check(
            Refusal::LoginWrong,
            401,
            json!({"status": "error", "error": "Unauthorized", "message": "Unauthorized"}),
        );
        check(
            Refusal::UsernameTaken("bob".into()),
            400,
            coded("bob is already in use :( [error-field-unavailable]", "error-field-unavailable"),
        );
        check(
            Refusal::RoomNameTaken("garden".into()),
            400,
            coded(
                "A channel with name 'garden' exists [error-duplicate-channel-name]",
                "error-duplicate-channel-name",
            ),
        );
        check(
            Refusal::RoomReadOnly,
            400,
            coded(
                "You can't send messages because the room is readonly. [error-not-allowed]",
                "error-not-allowed",
            ),
        );
        let blocked = words(&Refusal::LoginBlocked { seconds: 40 }).fields(Envelope::Login);
        assert_eq!(blocked["error"], "error-login-blocked-for-user");
        assert!(blocked["message"].as_str().is_some_and(|text| text.contains("40 seconds")));
    }

    #[test]
    fn whoever_lacks_a_right_hears_who_has_it() {
        let fields = words(&Refusal::NotAllowed(Right::ManageUsers)).fields(Envelope::Rest);
        let fixed = "User does not have the permissions required for this action [error-unauthorized]";
        assert_eq!(fields["error"], fixed);
        assert!(fields["details"]["next"].as_str().is_some_and(|next| next.contains("admins")));
    }

    #[test]
    fn every_refusal_has_words_of_its_own() {
        let told = [
            Refusal::NameInvalid("a/b".into()),
            Refusal::NameReserved("api".into()),
            Refusal::TextTooLong { max: 5 },
            Refusal::TooLarge { what: "a file", max: 7 },
            Refusal::TooMany { what: "guests", max: 8 },
            Refusal::Invalid { what: "emoji", want: "a name" },
        ];
        for refusal in told {
            let words = words(&refusal);
            let debug = format!("{refusal:?}");
            assert!(!words.reason.is_empty() && words.reason != debug, "{debug} has no words");
        }
    }
}
