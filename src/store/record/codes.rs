//! The fixed numbers of what a noun can be. A number is never given to something else, not even after its owner went.

use crate::chat::message::MessageKind;
use crate::chat::publication::Qos;
use crate::chat::room::RoomKind;
use crate::chat::token::TokenKind;
use crate::store::record::RecordError;

macro_rules! codes {
    ($table:ident, $noun:ident, $part:literal, { $($variant:ident = $code:literal,)+ }) => {
        #[doc = concat!("The numbers of a ", $part, ".")]
        pub(super) mod $table {
            use super::{$noun, RecordError};

            /// The number of this one.
            pub(crate) fn code(of: $noun) -> u8 {
                match of {
                    $($noun::$variant => $code,)+
                }
            }

            /// What the number stands for.
            pub(crate) fn parse(code: u8) -> Result<$noun, RecordError> {
                match code {
                    $($code => Ok($noun::$variant),)+
                    _ => Err(RecordError::Damaged { part: $part }),
                }
            }

            #[cfg(test)]
            pub(crate) const ALL: &[($noun, u8)] = &[$(($noun::$variant, $code),)+];
        }
    };
}

codes!(room_kind, RoomKind, "room kind", {
    Public = 1,
    Private = 2,
    Direct = 3,
});

codes!(token_kind, TokenKind, "token kind", {
    Session = 1,
    Personal = 2,
    Device = 3,
});

codes!(message_kind, MessageKind, "message kind", {
    Said = 0,
    UserJoined = 1,
    UserLeft = 2,
    UserAdded = 3,
    UserRemoved = 4,
    RoomRenamed = 5,
    TopicChanged = 6,
    DescriptionChanged = 7,
    AnnouncementChanged = 8,
    PrivacyChanged = 9,
    ReadOnlyChanged = 10,
    ArchivedChanged = 11,
    RoleGiven = 12,
    RoleTaken = 13,
});

codes!(qos, Qos, "quality of service", {
    Most = 0,
    Least = 1,
    Exactly = 2,
});

/// An invitation that makes an owner.
pub(super) const INVITATION_OWNER: u8 = 1;
/// An invitation that makes a user of a room.
pub(super) const INVITATION_JOIN: u8 = 2;

/// A message's text changed.
pub(super) const REVISION_EDITED: u8 = 1;
/// A reaction came or went.
pub(super) const REVISION_REACTED: u8 = 2;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::user::{Role, Roles};
    use std::collections::BTreeSet;

    fn are_unique(codes: &[u8]) -> bool {
        codes.iter().collect::<BTreeSet<_>>().len() == codes.len()
    }

    #[test]
    fn every_number_stands_for_one_thing() {
        macro_rules! check {
            ($table:ident) => {
                assert!(are_unique(&$table::ALL.iter().map(|(_, code)| *code).collect::<Vec<_>>()));
                for (noun, code) in $table::ALL {
                    assert_eq!($table::code(*noun), *code);
                    assert_eq!($table::parse(*code), Ok(*noun));
                }
                assert!($table::parse(255).is_err());
            };
        }
        check!(room_kind);
        check!(token_kind);
        check!(message_kind);
        check!(qos);
        assert!(are_unique(&[INVITATION_OWNER, INVITATION_JOIN]));
        assert!(are_unique(&[REVISION_EDITED, REVISION_REACTED]));
    }

    #[test]
    fn the_bits_of_roles_stay_where_they_are() {
        let bits = [
            (Role::Admin, 0),
            (Role::Moderator, 1),
            (Role::Owner, 2),
            (Role::User, 3),
            (Role::Bot, 4),
            (Role::Guest, 5),
            (Role::Device, 6),
            (Role::Leader, 7),
        ];
        assert_eq!(bits.map(|(role, _)| role), Role::ALL);
        for (role, bit) in bits {
            assert_eq!(Roles::of(&[role]).bits(), 1 << bit, "{role:?}");
        }
    }
}
