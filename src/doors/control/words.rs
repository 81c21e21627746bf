//! A refusal in the words of the command line: what is wrong, and the command to type next.

use super::wire::Reply;
use crate::chat::refusal::Refusal;

/// The refusal for a person at a terminal.
pub fn refused(refusal: &Refusal) -> Reply {
    let (message, hint) = match refusal {
        Refusal::NoSuchRoom => ("no such room".to_owned(), "'linnet room list' shows the rooms".to_owned()),
        Refusal::NoSuchUser => ("no such user".to_owned(), "'linnet user list' shows the users".to_owned()),
        Refusal::NoSuchDevice => {
            ("no such device".to_owned(), "'linnet device list' shows the devices".to_owned())
        }
        Refusal::OwnerExists => (
            "this node has an owner".to_owned(),
            "set a new password with 'linnet user passwd NAME', or add an admin with 'linnet user add NAME --role admin'"
                .to_owned(),
        ),
        Refusal::ClockKnown => (
            "this machine knows the time".to_owned(),
            "if it is wrong, set the clock of the machine itself: linnet follows it".to_owned(),
        ),
        Refusal::NotAllowed(_) => (
            "not allowed, also not from the command line: a private room is for those who are in it".to_owned(),
            "do it on the page, as one of them".to_owned(),
        ),
        Refusal::UsernameTaken(name) => {
            (format!("the name {name} is taken"), "choose another name".to_owned())
        }
        Refusal::RoomNameTaken(name) => {
            (format!("a room named {name} is there already"), "choose another name".to_owned())
        }
        Refusal::NameInvalid(name) => (
            format!("'{name}' is no name"),
            "use letters, digits, '-', '_' and '.', at most 64 of them".to_owned(),
        ),
        Refusal::NameReserved(name) => {
            (format!("'{name}' is one of the node's own addresses"), "choose another name".to_owned())
        }
        Refusal::PasswordInvalid => {
            ("the password is empty or too long".to_owned(), "give 1 to 256 characters".to_owned())
        }
        Refusal::TextEmpty => ("there is nothing to post".to_owned(), "give a text".to_owned()),
        Refusal::TextTooLong { max } => {
            ("the text is too long".to_owned(), format!("give at most {max} characters"))
        }
        Refusal::TextHasNul => ("the text has a NUL character".to_owned(), "leave it out".to_owned()),
        Refusal::RoomArchived => ("the room is archived".to_owned(), "open it again on the page".to_owned()),
        Refusal::TooMany { what, max } => {
            (format!("there are too many {what}"), format!("at most {max} are kept: remove some first"))
        }
        Refusal::Invalid { what, want } => (format!("that is no {what}"), format!("give {want}")),
        Refusal::Busy => ("the node has too much to do".to_owned(), "try again in a moment".to_owned()),
        Refusal::DiskFull => (
            "the disk is full: nothing new is taken".to_owned(),
            "free some space on the disk of the data folder, or remove rooms and messages".to_owned(),
        ),
        Refusal::StoreFailed => (
            "the store failed".to_owned(),
            "the node's log says what happened; look at the disk, then restart linnet".to_owned(),
        ),
        other => (format!("refused: {other:?}"), "the node's log may say more".to_owned()),
    };
    Reply::Refused { message, hint: Some(hint) }
}
