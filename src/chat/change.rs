//! What can happen: the one vocabulary of journal, delivery and sync.

use crate::base::id::{MessageId, RoomId, Seq, UserId};
use crate::base::time::{Moment, WallMs};
use crate::chat::device::Device;
use crate::chat::invitation::Invitation;
use crate::chat::membership::{Membership, ReadMark};
use crate::chat::message::Message;
use crate::chat::name::Name;
use crate::chat::permission::Permissions;
use crate::chat::publication::{LastWill, Publication, Subscription, TopicSession};
use crate::chat::room::Room;
use crate::chat::token::{Token, TokenHash};
use crate::chat::topic::Filter;
use crate::chat::user::User;
use smol_str::SmolStr;
use std::sync::Arc;

/// Where and when a Change was first decided. It cannot be added afterwards, and nodes that meet later need it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Origin {
    /// The node that decided it.
    pub node: u64,
    /// Its sequence there.
    pub seq: Seq,
    /// What that node's clocks said.
    pub moment: Moment,
}

/// One thing that happened, at its place in the order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Change {
    /// Its place in this node's journal.
    pub seq: Seq,
    /// Where it comes from.
    pub origin: Origin,
    /// What happened.
    pub what: What,
}

/// Where a bridge took a message from, so that a redelivery is recognised.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Via {
    /// The bridge's name.
    pub bridge: SmolStr,
    /// The broker's packet id.
    pub packet: u16,
    /// The first 8 bytes of SHA-256 over topic and payload.
    pub digest: u64,
}

/// How a message was revised.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Revision {
    /// The text changed.
    Edited {
        /// Who changed it.
        by: UserId,
    },
    /// A reaction came or went.
    Reacted {
        /// Who reacted.
        by: UserId,
        /// The emoji's name, without colons.
        emoji: SmolStr,
        /// Whether it came.
        on: bool,
    },
}

/// The clock was turned. Of the Changes from `since` on up to this one, in this start, the times after `floor_ms` are
/// the monotonic time and `offset_ms`; and from here on all are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClockSet {
    /// The start it happened in.
    pub boot: u32,
    /// The first Change whose time it corrects; its own place for none.
    pub since: Seq,
    /// The wall time without the monotonic time, as it was believed before.
    pub was_ms: i64,
    /// The same from here on.
    pub offset_ms: i64,
    /// The newest time of all Changes before `since`: no corrected time is before it.
    pub floor_ms: WallMs,
    /// The person who set it; `None` when the machine did.
    pub by: Option<UserId>,
}

/// What happened. Every variant carries what the index needs to follow without reading anything older.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum What {
    /// The node started; its clocks and version from here on.
    Started {
        /// The program's version.
        version: SmolStr,
    },
    /// A user was added.
    UserAdded(User),
    /// Something about a user changed: all of it as it is now.
    UserChanged(User),
    /// A user is gone, with tokens, memberships and device record.
    UserRemoved {
        /// Who.
        user: UserId,
        /// The username that is free again.
        username: Name,
    },
    /// A room was made.
    RoomMade(Room),
    /// Something about a room changed: all of it as it is now.
    RoomChanged {
        /// The room as it is now.
        room: Room,
        /// The name that is free again, when it was renamed.
        former_name: Option<Name>,
    },
    /// A room is gone, with what was said in it.
    RoomRemoved {
        /// Which.
        room: RoomId,
        /// The name that is free again.
        name: Option<Name>,
    },
    /// Someone became a member.
    Joined(Membership),
    /// A membership changed: roles, open, favourite.
    MembershipChanged(Membership),
    /// Someone is no longer a member, by their own will or another's.
    Left {
        /// Where.
        room: RoomId,
        /// Who.
        user: UserId,
        /// Who removed them; `None` when they left.
        by: Option<UserId>,
    },
    /// Something was said.
    Posted {
        /// The message.
        message: Message,
        /// Whether its id is the client's own and needs a key.
        own_id: bool,
        /// The bridge delivery it came by.
        via: Option<Via>,
    },
    /// A message was edited or reacted to: all of it as it is now, with its old place in the order.
    Revised {
        /// The message as it is now.
        message: Message,
        /// What was done to it.
        how: Revision,
    },
    /// A message is gone.
    Deleted {
        /// Where.
        room: RoomId,
        /// Its place in the order.
        target: Seq,
        /// Its id, for those who show it.
        id: MessageId,
        /// Who removed it.
        by: UserId,
    },
    /// A message whose words are gone for good; it keeps its place among the others of its room.
    Erased {
        /// Where.
        room: RoomId,
        /// The time it showed.
        at: WallMs,
        /// Its id, where the client had chosen it: a retry must not post it again.
        own_id: Option<MessageId>,
        /// The bridge delivery it came by, while a redelivery is expected.
        via: Option<Via>,
    },
    /// Messages of a room, one after the other, that are gone for good with their places in its history.
    Skipped {
        /// Where.
        room: RoomId,
        /// How many.
        count: u64,
        /// The last of them.
        last: Seq,
        /// The time that one showed.
        at: WallMs,
        /// The bridge delivery one of them came by, while a redelivery is expected.
        via: Option<Via>,
    },
    /// The oldest messages of a room are gone.
    Trimmed {
        /// Where.
        room: RoomId,
        /// Messages whose places in the history went too, counted from the room's first.
        first: u64,
        /// The last of those.
        seq: Seq,
        /// The time that one showed.
        at: WallMs,
        /// All messages up to this one have lost their words.
        upto: Seq,
    },
    /// Someone has read this far.
    Read {
        /// Where.
        room: RoomId,
        /// Who.
        user: UserId,
        /// How far.
        mark: ReadMark,
    },
    /// A token was given out.
    TokenAdded(Token),
    /// A token is no longer good.
    TokenRevoked {
        /// Which.
        hash: TokenHash,
        /// Whose it was.
        user: UserId,
    },
    /// A device was added or its rights changed: all of them as they are now.
    DeviceSet(Device),
    /// A code was made or used: as it is now.
    InvitationSet(Invitation),
    /// A code is no longer good.
    InvitationGone {
        /// Which.
        hash: TokenHash,
    },
    /// A setting of the node has a new value; JSON text.
    SettingSet {
        /// Its name.
        name: SmolStr,
        /// Its value.
        value: SmolStr,
    },
    /// What roles may do was changed: all changed rows as they are now.
    PermissionsSet(Permissions),
    /// The clock was turned.
    ClockSet(ClockSet),
    /// Something was published to a topic.
    Published {
        /// What.
        publication: Arc<Publication>,
        /// The packet id of a delivery that is to be taken exactly once, kept in its client's session until released.
        receipt: Option<u16>,
    },
    /// What a session's client sent with this packet id became something else than a publication, in one group with this.
    ReceiptTaken {
        /// The client.
        client: SmolStr,
        /// The packet id.
        packet: u16,
    },
    /// A packet id of a session's client stands for something new from now on.
    ReceiptReleased {
        /// The client.
        client: SmolStr,
        /// The packet id.
        packet: u16,
    },
    /// A client that has come has a last will, or has gone and it waits: all of it as it is now.
    WillSet(Arc<LastWill>),
    /// The last will of a client was published, or is not to be.
    WillGone {
        /// The client.
        client: SmolStr,
    },
    /// A session was made, taken up or left: all of it as it is now, without its subscriptions.
    TopicSessionSet(TopicSession),
    /// A session has heard more.
    TopicSessionMoved {
        /// Whose session.
        client: SmolStr,
        /// Everything up to this place was heard, or dropped.
        heard: Seq,
        /// Publications it was too far behind for, ever.
        dropped: u64,
    },
    /// A session is gone, with its subscriptions and packet ids.
    TopicSessionGone {
        /// Whose session.
        client: SmolStr,
    },
    /// A session hears a filter from here on, or hears it otherwise.
    SubscriptionSet {
        /// Whose session.
        client: SmolStr,
        /// The subscription; it was made at this Change's own place, or at that of the one it replaces.
        subscription: Subscription,
    },
    /// A session hears a filter no longer.
    SubscriptionGone {
        /// Whose session.
        client: SmolStr,
        /// Which topics.
        filter: Filter,
        /// The group that shared it.
        share: Option<SmolStr>,
    },
    /// Packet ids were given to publications that a session's client takes exactly once.
    HandedOut {
        /// Whose session.
        client: SmolStr,
        /// Packet ids and the publications they stand for; at most
        /// [`HAND_OUTS_MAX`](crate::base::limits::HAND_OUTS_MAX).
        deliveries: Vec<(u16, Seq)>,
    },
    /// A client has come further in taking a publication exactly once.
    HandOutStep {
        /// Whose session.
        client: SmolStr,
        /// The packet id.
        packet: u16,
        /// Whether it is over; else the client has it and only has to let go of the packet id.
        done: bool,
    },
    /// A kind of Change this version does not know: kept and passed on as it came.
    Unknown {
        /// Its numeric tag.
        tag: u16,
        /// Its version.
        version: u8,
        /// Its bytes.
        bytes: Box<[u8]>,
    },
}

/// Who should hear of a Change.
#[derive(Clone, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub enum Audience {
    /// Those who follow a room.
    Room(RoomId),
    /// One user, wherever they listen.
    User(UserId),
    /// Everyone who listens.
    All,
    /// Those who subscribed to topics.
    Topics,
}

impl Change {
    /// Who should hear of it; at most two audiences.
    pub fn audiences(&self) -> heapless::Vec<Audience, 2> {
        let mut audiences = heapless::Vec::new();
        let mut add = |audience| audiences.push(audience).expect("no Change has more than two audiences");
        match &self.what {
            What::Started { .. } | What::Unknown { .. } => {}
            What::InvitationSet(_) | What::InvitationGone { .. } => {}
            What::SettingSet { .. } | What::PermissionsSet(_) | What::ClockSet(_) => add(Audience::All),
            What::UserAdded(user) | What::UserChanged(user) => add(Audience::User(user.id.clone())),
            What::UserRemoved { user, .. } | What::TokenRevoked { user, .. } => {
                add(Audience::User(user.clone()))
            }
            What::TokenAdded(token) => add(Audience::User(token.user.clone())),
            What::DeviceSet(device) => add(Audience::User(device.user.clone())),
            What::RoomMade(room) | What::RoomChanged { room, .. } => add(Audience::Room(room.id.clone())),
            // Nobody hears what only the store needs to know.
            What::Erased { .. } | What::Skipped { .. } => {}
            What::Trimmed { room, .. } => add(Audience::Room(room.clone())),
            What::RoomRemoved { room, .. } | What::Deleted { room, .. } => add(Audience::Room(room.clone())),
            What::Posted { message, .. } | What::Revised { message, .. } => {
                add(Audience::Room(message.room.clone()));
            }
            What::Joined(membership) => {
                add(Audience::Room(membership.room.clone()));
                add(Audience::User(membership.user.clone()));
            }
            What::Left { room, user, .. } => {
                add(Audience::Room(room.clone()));
                add(Audience::User(user.clone()));
            }
            What::MembershipChanged(membership) => add(Audience::User(membership.user.clone())),
            What::Read { user, .. } => add(Audience::User(user.clone())),
            What::Published { .. } => add(Audience::Topics),
            // Only the session's own connection needs to know, and it does.
            What::ReceiptTaken { .. } | What::ReceiptReleased { .. } | What::HandedOut { .. } => {}
            What::HandOutStep { .. } | What::WillSet(_) | What::WillGone { .. } => {}
            What::TopicSessionSet(_) | What::TopicSessionMoved { .. } | What::TopicSessionGone { .. } => {}
            What::SubscriptionSet { .. } | What::SubscriptionGone { .. } => {}
        }
        audiences
    }
}
