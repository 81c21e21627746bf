//! What is said in a room.

use crate::base::id::{MessageId, RoomId, Seq, UserId};
use crate::base::time::WallMs;
use crate::chat::name::{Name, Opaque, Text};
use smol_str::SmolStr;

/// Whether somebody spoke, or the node tells what happened in the room.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum MessageKind {
    /// Somebody spoke.
    Said,
    /// The author joined.
    UserJoined,
    /// The author left.
    UserLeft,
    /// Somebody was added; the text is the username.
    UserAdded,
    /// Somebody was removed; the text is the username.
    UserRemoved,
    /// The room has a new name, the text.
    RoomRenamed,
    /// The topic changed to the text.
    TopicChanged,
    /// The description changed to the text.
    DescriptionChanged,
    /// The announcement changed to the text.
    AnnouncementChanged,
    /// The room became public or private; the text says which.
    PrivacyChanged,
    /// Nobody but its keepers may post any more, or everyone again; the text is `true` or `false`.
    ReadOnlyChanged,
    /// The room was archived or opened again; the text is `true` or `false`.
    ArchivedChanged,
    /// A role in the room was given; the text is the username, a space and the role.
    RoleGiven,
    /// A role in the room was taken; the text is the username, a space and the role.
    RoleTaken,
}

/// What a device adds to its post, as ntfy's users know it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Notice {
    /// A title line; empty for none.
    pub title: SmolStr,
    /// 1 (lowest) to 5 (highest); 3 is ordinary.
    pub priority: u8,
    /// Tags or emoji names.
    pub tags: Vec<SmolStr>,
}

/// How a message wants its author drawn, for bots and bridges that speak for others.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Guise {
    /// A name to show beside the author's.
    pub alias: SmolStr,
    /// An emoji to show as the picture.
    pub emoji: SmolStr,
    /// The address of a picture.
    pub avatar: SmolStr,
}

/// One reaction and who gave it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reaction {
    /// The emoji's name, without colons.
    pub emoji: SmolStr,
    /// Who, in the order they reacted.
    pub by: Vec<(UserId, Name)>,
}

/// An author as they were called when they spoke.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Author {
    /// Who.
    pub id: UserId,
    /// Their username then.
    pub username: Name,
    /// Their shown name then.
    pub name: SmolStr,
}

/// Something said in a room.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Message {
    /// The id: the client's own, or minted with the sequence inside.
    pub id: MessageId,
    /// The place of its posting in the journal, which is the order of the room. Stays when it is edited.
    pub seq: Seq,
    /// Where.
    pub room: RoomId,
    /// Who.
    pub author: Author,
    /// The time shown; never before the room's message before it.
    pub at: WallMs,
    /// Whether the clock was trusted when it was posted.
    pub trusted: bool,
    /// Spoken or told.
    pub kind: MessageKind,
    /// The text.
    pub text: Text,
    /// The message it answers in a thread.
    pub thread: Option<MessageId>,
    /// When and by whom it was last edited.
    pub edited: Option<(WallMs, UserId, Name)>,
    /// When anything about it last changed (edit, reaction); the posting's time at first.
    pub touched: WallMs,
    /// Reactions, oldest first.
    pub reactions: Vec<Reaction>,
    /// What a device added.
    pub notice: Option<Box<Notice>>,
    /// How it wants to be drawn.
    pub guise: Option<Box<Guise>>,
    /// What the client attached: attachments, custom fields, bot marks.
    pub extra: Option<Opaque>,
}

/// What a caller wants to say, parsed by a door.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Draft {
    /// The client's own id for it; a repeat with the same room, author and text gets the first answer.
    pub id: Option<MessageId>,
    /// The text.
    pub text: Text,
    /// The message it answers.
    pub thread: Option<MessageId>,
    /// What a device adds.
    pub notice: Option<Box<Notice>>,
    /// How it wants to be drawn.
    pub guise: Option<Box<Guise>>,
    /// What the client attaches.
    pub extra: Option<Opaque>,
}
