//! What a refusal is called in packets, and what a person reads of it.

use super::packet::Reason;
use crate::chat::refusal::{Refusal, Right};

/// The reason code of a refusal, and what to do about it.
pub fn told(refusal: &Refusal, about: &str) -> (Reason, String) {
    let (reason, words) = match refusal {
        Refusal::NotAllowed(Right::Publish) => {
            return (
                Reason::NOT_AUTHORIZED,
                format!(
                    "no right to publish here: ask an admin for 'linnet device allow NAME --publish {about:?}'"
                ),
            );
        }
        Refusal::NotAllowed(Right::Subscribe) => {
            return (
                Reason::NOT_AUTHORIZED,
                format!(
                    "no right to subscribe to this: ask an admin for 'linnet device allow NAME --subscribe {about:?}'"
                ),
            );
        }
        Refusal::NotAllowed(Right::Post)
        | Refusal::RoomReadOnly
        | Refusal::RoomArchived
        | Refusal::NotMember => (
            Reason::NOT_AUTHORIZED,
            "no right to post in this room: 'linnet device list' shows what each may do",
        ),
        Refusal::NotAllowed(_) | Refusal::NotLoggedIn => {
            (Reason::NOT_AUTHORIZED, "no right to this: 'linnet device list' shows what each may do")
        }
        Refusal::TokenUnknown | Refusal::UserInactive => {
            (Reason::NOT_AUTHORIZED, "the key is no longer good")
        }
        Refusal::NoSuchRoom => {
            (Reason::TOPIC_INVALID, "no such room, or none for this key: 'linnet room list' names the rooms")
        }
        Refusal::TooLarge { what, max } => {
            return (Reason::PACKET_TOO_LARGE, format!("{what} is too large: at most {max} bytes"));
        }
        Refusal::TextTooLong { max } => {
            return (Reason::PACKET_TOO_LARGE, format!("the text is too long: at most {max} characters"));
        }
        Refusal::TooMany { what, max } => {
            return (Reason::QUOTA_EXCEEDED, format!("too many {what}: at most {max}"));
        }
        Refusal::Invalid { what, want } => {
            return (Reason::PAYLOAD_FORMAT_INVALID, format!("{what} must be {want}"));
        }
        Refusal::TextEmpty | Refusal::TextHasNul => {
            (Reason::PAYLOAD_FORMAT_INVALID, "what is said in a room is text without NUL")
        }
        Refusal::Busy => (Reason::QUOTA_EXCEEDED, "the node is busy: try again in a moment"),
        Refusal::DiskFull => (Reason::QUOTA_EXCEEDED, "the node's disk is full: nothing more is kept"),
        Refusal::StoreFailed => (Reason::UNSPECIFIED, "the node's store failed: its operator has been told"),
        _ => (Reason::IMPLEMENTATION_SPECIFIC, "this cannot be done here"),
    };
    (reason, words.into())
}

/// Whether the node could not take it: who cannot be told so must not believe that it did.
pub fn is_ours(refusal: &Refusal) -> bool {
    matches!(refusal, Refusal::Busy | Refusal::DiskFull | Refusal::StoreFailed)
}
