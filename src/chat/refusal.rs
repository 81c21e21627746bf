//! Why a caller does not get what they asked for. Data without prose: each door has one file that words it.

use smol_str::SmolStr;

/// What a caller lacks the right to do.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Right {
    /// See what is said in a room.
    ReadRoom,
    /// Say something in a room.
    Post,
    /// Change a message.
    EditMessage,
    /// Remove a message.
    DeleteMessage,
    /// Make a public room.
    CreatePublicRoom,
    /// Make a private room.
    CreatePrivateRoom,
    /// Start a direct conversation.
    CreateDirectRoom,
    /// Change a room's name, topic, kind.
    ManageRoom,
    /// Enter a room uninvited.
    JoinRoom,
    /// Bring somebody into a room.
    Invite,
    /// Remove somebody from a room.
    Kick,
    /// Give and take roles.
    ManageRoles,
    /// See, add and change users.
    ManageUsers,
    /// Add and change devices.
    ManageDevices,
    /// Change settings, make owner codes.
    ManageNode,
    /// Take a backup or an export.
    BackUp,
    /// Speak under another name or picture.
    Impersonate,
    /// Make tokens for oneself.
    CreateTokens,
    /// See who is there.
    SeeUsers,
    /// Publish to a topic.
    Publish,
    /// Subscribe to a topic filter.
    Subscribe,
}

/// Why not.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// Nobody said who is calling.
    NotLoggedIn,
    /// The token shown is not, or no longer, good.
    TokenUnknown,
    /// Name or password are wrong; which of them is not told.
    LoginWrong,
    /// Too many wrong passwords; seconds until the next try.
    LoginBlocked {
        /// Seconds to wait.
        seconds: u64,
    },
    /// The account was switched off.
    UserInactive,
    /// The caller lacks a right.
    NotAllowed(Right),
    /// No such room, or none that the caller may know of.
    NoSuchRoom,
    /// No such user.
    NoSuchUser,
    /// No such message.
    NoSuchMessage,
    /// No such device.
    NoSuchDevice,
    /// No such token.
    NoSuchToken,
    /// No such session of topics.
    NoSuchSession,
    /// The client's session of topics is somebody else's.
    SessionTaken,
    /// The invitation's code is unknown, used up or has ended.
    CodeUnknown,
    /// The node has an owner already.
    OwnerExists,
    /// The machine knows the time: nobody has to set it.
    ClockKnown,
    /// Guests are not let in on this node, or not from this address.
    GuestsNotLetIn,
    /// The name has characters or a length that names cannot have.
    NameInvalid(SmolStr),
    /// The name is one of the node's own routes.
    NameReserved(SmolStr),
    /// The room's name is taken.
    RoomNameTaken(SmolStr),
    /// The username or device name is taken.
    UsernameTaken(SmolStr),
    /// The room is read-only.
    RoomReadOnly,
    /// The room is archived.
    RoomArchived,
    /// The user is no member of the room.
    NotMember,
    /// The only owner cannot leave or lose the role.
    LastOwner,
    /// There is nothing to post.
    TextEmpty,
    /// The text is too long.
    TextTooLong {
        /// Characters allowed.
        max: usize,
    },
    /// The text has a NUL character.
    TextHasNul,
    /// Something is too large.
    TooLarge {
        /// What.
        what: &'static str,
        /// Bytes allowed.
        max: usize,
    },
    /// There are too many of something.
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many are allowed.
        max: usize,
    },
    /// The client's own id was used for another message.
    MessageIdTaken,
    /// The password is empty or too long.
    PasswordInvalid,
    /// A value has a form that is not allowed; the words say which and what is.
    Invalid {
        /// The name of what was given.
        what: &'static str,
        /// What is allowed.
        want: &'static str,
    },
    /// Too many jobs wait; try again.
    Busy,
    /// The disk is full; what takes away is still done.
    DiskFull,
    /// The store cannot take it; the operator has been told.
    StoreFailed,
}
