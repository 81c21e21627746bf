//! Why a client is not let in, in words that say what to do.

use super::packet::{Reason, Wrong};
use crate::chat::refusal::Refusal;

/// Nothing was shown by which it could be known.
pub const NO_KEY: Wrong = Wrong {
    reason: Reason::NOT_AUTHORIZED,
    words: "a key is missing: 'linnet device add NAME' prints one; the name is the user name, the key the password",
};
/// What was shown belongs to nobody.
pub const KEY_UNKNOWN: Wrong = Wrong {
    reason: Reason::LOGIN_WRONG,
    words: "user name or key unknown: create a device with 'linnet device add NAME'; a person's password is a token of \
            theirs",
};
/// The certificate names nobody.
pub const CERTIFICATE_UNKNOWN: Wrong = Wrong {
    reason: Reason::NOT_AUTHORIZED,
    words: "the certificate names no device that comes by one: 'linnet device' adds and allows them",
};
/// It wants to say who it is in a way that is not known here.
pub const NO_METHOD: Wrong = Wrong {
    reason: Reason::AUTHENTICATION_METHOD,
    words: "no extended authentication is spoken here: send a user name and a password",
};
/// Its session could not be found again.
pub const CLIENT_NEEDED: Wrong =
    Wrong { reason: Reason::CLIENT_ID_INVALID, words: "a session that is to be kept needs a client id" };
/// Its id does not fit.
pub const CLIENT_TOO_LONG: Wrong =
    Wrong { reason: Reason::CLIENT_ID_INVALID, words: "the client id is too long: at most 256 bytes" };
/// Its id is that of a group.
pub const CLIENT_OF_GROUP: Wrong = Wrong {
    reason: Reason::CLIENT_ID_INVALID,
    words: "client ids that begin with $share/ are the broker's own",
};
/// Its id is another's.
pub const CLIENT_TAKEN: Wrong = Wrong {
    reason: Reason::NOT_AUTHORIZED,
    words: "this client id belongs to a session of another user: choose another id",
};
/// There is no place.
pub const FULL: Wrong =
    Wrong { reason: Reason::SERVER_BUSY, words: "all places are taken: try again in a while" };
/// Its session cannot be kept beside those that are.
pub const TOO_MANY_SESSIONS: Wrong = Wrong {
    reason: Reason::QUOTA_EXCEEDED,
    words: "too many sessions are kept: connect with a clean one, or end one that nobody needs by connecting with its id \
            and a clean session",
};
/// Nobody is let in any more.
pub const STOPPING: Wrong = Wrong { reason: Reason::SERVER_UNAVAILABLE, words: "the node stops" };
/// There is too much to do.
pub const BUSY: Wrong =
    Wrong { reason: Reason::SERVER_BUSY, words: "the node is busy: try again in a moment" };

/// Why the node does not let it in.
pub fn wrong_of(refusal: &Refusal) -> Wrong {
    match refusal {
        Refusal::SessionTaken => CLIENT_TAKEN,
        Refusal::TokenUnknown | Refusal::UserInactive | Refusal::LoginWrong => KEY_UNKNOWN,
        Refusal::Busy => BUSY,
        Refusal::TooMany { .. } => TOO_MANY_SESSIONS,
        _ => Wrong { reason: Reason::SERVER_UNAVAILABLE, words: "the node cannot keep this session now" },
    }
}
