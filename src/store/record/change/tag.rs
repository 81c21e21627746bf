//! The numbers of what can happen. Nodes of every age share them: a number is never given to something else, not even
//! after its owner went, and a body changes its layout only together with its version.

use crate::chat::change::What;
use crate::store::record::{
    device, invitation, membership, message, permissions, room, setting, token, user,
};

macro_rules! tags {
    ($($(#[$doc:meta])* $name:ident = $tag:literal, version $version:expr;)+) => {
        $($(#[$doc])* pub const $name: u16 = $tag;)+

        /// Every tag with the version of the layout written today.
        pub const ALL: &[(u16, u8)] = &[$(($name, $version),)+];

        /// The version of the layout written today; `None` for what this program does not know.
        pub fn version(tag: u16) -> Option<u8> {
            match tag {
                $($name => Some($version),)+
                _ => None,
            }
        }
    };
}

tags! {
    /// The node started.
    STARTED = 1, version 1;
    /// A user was added.
    USER_ADDED = 10, version user::VERSION;
    /// Something about a user changed.
    USER_CHANGED = 11, version user::VERSION;
    /// A user is gone.
    USER_REMOVED = 12, version 1;
    /// A room was made.
    ROOM_MADE = 20, version room::VERSION;
    /// Something about a room changed.
    ROOM_CHANGED = 21, version room::VERSION;
    /// A room is gone.
    ROOM_REMOVED = 22, version 1;
    /// Someone became a member.
    JOINED = 30, version membership::VERSION;
    /// A membership changed.
    MEMBERSHIP_CHANGED = 31, version membership::VERSION;
    /// Someone is no longer a member.
    LEFT = 32, version 1;
    /// Someone has read this far.
    READ = 33, version membership::MARK_VERSION;
    /// Something was said.
    POSTED = 40, version message::VERSION;
    /// A message was edited or reacted to.
    REVISED = 41, version message::VERSION;
    /// A message is gone.
    DELETED = 42, version 1;
    /// The words of a message are gone for good.
    ERASED = 43, version 1;
    /// The oldest messages of a room are gone.
    TRIMMED = 44, version 1;
    /// Messages are gone for good with their places.
    SKIPPED = 45, version 1;
    /// A token was given out.
    TOKEN_ADDED = 50, version token::VERSION;
    /// A token is no longer good.
    TOKEN_REVOKED = 51, version 1;
    /// A device was added or its rights changed.
    DEVICE_SET = 60, version device::VERSION;
    /// A code was made or used.
    INVITATION_SET = 70, version invitation::VERSION;
    /// A code is no longer good.
    INVITATION_GONE = 71, version 1;
    /// A setting has a new value.
    SETTING_SET = 80, version setting::VERSION;
    /// What roles may do was changed.
    PERMISSIONS_SET = 81, version permissions::VERSION;
    /// The clock was turned.
    CLOCK_SET = 90, version 1;
    /// Something was published.
    PUBLISHED = 100, version 1;
    /// A packet id stands for something new.
    RECEIPT_RELEASED = 101, version 1;
    /// A packet id was taken with something that is no publication.
    RECEIPT_TAKEN = 102, version 1;
    /// A session of topics was made, taken up or left.
    TOPIC_SESSION_SET = 110, version 1;
    /// A session of topics has heard more.
    TOPIC_SESSION_MOVED = 111, version 1;
    /// A session of topics is gone.
    TOPIC_SESSION_GONE = 112, version 1;
    /// A session hears a filter.
    SUBSCRIPTION_SET = 120, version 1;
    /// A session hears a filter no longer.
    SUBSCRIPTION_GONE = 121, version 1;
    /// Packet ids were given to publications.
    HANDED_OUT = 130, version 1;
    /// A client has come further in taking a publication.
    HAND_OUT_STEP = 131, version 1;
    /// A client has a last will.
    WILL_SET = 140, version 1;
    /// A client has none any more.
    WILL_GONE = 141, version 1;
}

/// The tag and version of what happened.
pub(super) fn of(what: &What) -> (u16, u8) {
    let tag = match what {
        What::Started { .. } => STARTED,
        What::UserAdded(_) => USER_ADDED,
        What::UserChanged(_) => USER_CHANGED,
        What::UserRemoved { .. } => USER_REMOVED,
        What::RoomMade(_) => ROOM_MADE,
        What::RoomChanged { .. } => ROOM_CHANGED,
        What::RoomRemoved { .. } => ROOM_REMOVED,
        What::Joined(_) => JOINED,
        What::MembershipChanged(_) => MEMBERSHIP_CHANGED,
        What::Left { .. } => LEFT,
        What::Read { .. } => READ,
        What::Posted { .. } => POSTED,
        What::Revised { .. } => REVISED,
        What::Deleted { .. } => DELETED,
        What::Erased { .. } => ERASED,
        What::Trimmed { .. } => TRIMMED,
        What::Skipped { .. } => SKIPPED,
        What::TokenAdded(_) => TOKEN_ADDED,
        What::TokenRevoked { .. } => TOKEN_REVOKED,
        What::DeviceSet(_) => DEVICE_SET,
        What::InvitationSet(_) => INVITATION_SET,
        What::InvitationGone { .. } => INVITATION_GONE,
        What::SettingSet { .. } => SETTING_SET,
        What::PermissionsSet(_) => PERMISSIONS_SET,
        What::ClockSet(_) => CLOCK_SET,
        What::Published { .. } => PUBLISHED,
        What::ReceiptTaken { .. } => RECEIPT_TAKEN,
        What::ReceiptReleased { .. } => RECEIPT_RELEASED,
        What::TopicSessionSet(_) => TOPIC_SESSION_SET,
        What::TopicSessionMoved { .. } => TOPIC_SESSION_MOVED,
        What::TopicSessionGone { .. } => TOPIC_SESSION_GONE,
        What::SubscriptionSet { .. } => SUBSCRIPTION_SET,
        What::SubscriptionGone { .. } => SUBSCRIPTION_GONE,
        What::HandedOut { .. } => HANDED_OUT,
        What::HandOutStep { .. } => HAND_OUT_STEP,
        What::WillSet(_) => WILL_SET,
        What::WillGone { .. } => WILL_GONE,
        What::Unknown { tag, version, .. } => return (*tag, *version),
    };
    (tag, version(tag).expect("every tag of this table has a version"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tag_stands_for_one_thing() {
        assert!(ALL.is_sorted_by(|one, next| one.0 < next.0), "{ALL:?}");
        assert!(ALL.iter().all(|(tag, known)| version(*tag) == Some(*known) && *known > 0));
    }
}
