//! Every key of the index: one tree, a table byte first, numbers big-endian, ids ended by a zero byte where
//! something follows them.
//!
//! What is looked for from its newest end has its numbers counting down ([`down`]), so that the newest comes first.
//!
//! A table byte is never used again once it was retired. Retired so far: 0x40 and 0x42, blocks and waymarks whose numbers
//! counted up; 0x90, the deliveries of a bridge in one value.

use crate::base::id::{MessageId, RoomId, Seq, UserId};
use crate::base::limits::DELIVERIES_REMEMBERED;
use crate::chat::token::TokenHash;

mod topics;

pub use topics::{
    hand_out, hand_outs, packet_of, receipt, receipts, retained, retained_from, retained_topic, subscription,
    subscriptions, topic_heard, topic_session, topic_sessions, will, wills,
};

/// A key of the index.
pub type Key = Box<[u8]>;

const META: u8 = 0x01;
const USER: u8 = 0x10;
const USERNAME: u8 = 0x11;
const EMAIL: u8 = 0x12;
const ROOM: u8 = 0x20;
const ROOM_NAME: u8 = 0x21;
const MEMBERSHIP: u8 = 0x30;
const MEMBER: u8 = 0x31;
const READ_MARK: u8 = 0x32;
const OWN_ID: u8 = 0x41;
const TRIMMED: u8 = 0x43;
const BLOCK: u8 = 0x44;
const WAYMARK: u8 = 0x45;
const TOKEN: u8 = 0x50;
const TOKEN_OF: u8 = 0x51;
const DEVICE: u8 = 0x60;
const INVITATION: u8 = 0x70;
const SETTING: u8 = 0x80;
const PERMISSION: u8 = 0x81;
const DELIVERY: u8 = 0x91;
const TOPIC_SESSION: u8 = 0x92;
const TOPIC_HEARD: u8 = 0x93;
const SUBSCRIPTION: u8 = 0x94;
const RECEIPT: u8 = 0x95;
const HAND_OUT: u8 = 0x96;
const RETAINED: u8 = 0x97;
const WILL: u8 = 0x98;
const TURNED: u8 = 0xA0;

/// Where the index has followed the journal to: written last in every checkpoint.
pub const CHECKPOINT: &[u8] = &[META, b'c'];
/// The node's own number.
pub const NODE: &[u8] = &[META, b'n'];
/// The newest time of all Changes.
pub const NEWEST: &[u8] = &[META, b't'];
/// How often the node has started.
pub const BOOT: &[u8] = &[META, b'b'];
/// The rewritten segments whose places the index knows.
pub const MOVED: &[u8] = &[META, b'm'];
/// What roles may do, where it was changed.
pub const PERMISSIONS: &[u8] = &[PERMISSION];
/// The first bytes of the keys that count what can be erased in a stretch of the journal.
const ERASABLE: &[u8] = &[META, b'e'];
/// The first bytes of the keys that say when devices were last heard: what a replay finds of it depends on what is left.
const HEARD: &[u8] = &[META, b'h'];

/// The beginning and the end of everything that a replay of the journal writes, and nothing else writes.
pub const FOLLOWING: (&[u8], &[u8]) = (&[USER], &[0xA0]);

/// What a key leads to, in words for the operator.
pub fn words(key: &[u8]) -> &'static str {
    match key.first().copied().unwrap_or_default() {
        USER => "a user",
        USERNAME => "a user's name",
        EMAIL => "a user's e-mail address",
        ROOM => "a room",
        ROOM_NAME => "a room's name",
        MEMBERSHIP => "a membership",
        MEMBER => "a room's list of members",
        READ_MARK => "how far somebody has read",
        BLOCK => "where a room's messages lie",
        OWN_ID => "where a client's own id leads",
        WAYMARK => "a waymark",
        TOKEN | TOKEN_OF => "a token",
        DEVICE => "a device",
        INVITATION => "an invitation",
        SETTING => "a setting",
        PERMISSION => "what roles may do",
        DELIVERY => "a bridge's deliveries",
        TOPIC_SESSION | TOPIC_HEARD => "a session of topics",
        SUBSCRIPTION => "a subscription",
        RECEIPT | HAND_OUT => "a packet id",
        RETAINED => "a topic's retained publication",
        WILL => "a client's last will",
        _ => "an entry",
    }
}

fn key(table: u8, parts: &[&[u8]]) -> Key {
    let mut bytes = Vec::with_capacity(1 + parts.iter().map(|part| part.len()).sum::<usize>());
    bytes.push(table);
    for part in parts {
        bytes.extend_from_slice(part);
    }
    bytes.into_boxed_slice()
}

/// The end of the range of all keys that start with this prefix.
pub fn end_of(prefix: &[u8]) -> Key {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if last < 0xFF {
            end.push(last + 1);
            break;
        }
    }
    end.into_boxed_slice()
}

/// The smallest key behind this one.
pub fn after(key: &[u8]) -> Key {
    [key, &[0]].concat().into()
}

/// A number in a key, the largest first: whoever looks from here on finds the nearest one that is not larger.
fn down(number: u64) -> [u8; 8] {
    (!number).to_be_bytes()
}

/// The number at the end of a key where they count down.
fn up(tail: &[u8]) -> Option<u64> {
    Some(!u64::from_be_bytes(tail.try_into().ok()?))
}

/// A user's record.
pub fn user(id: &UserId) -> Key {
    key(USER, &[id.as_str().as_bytes()])
}

/// All users.
pub fn users() -> Key {
    key(USER, &[])
}

/// The id of the user of a folded name.
pub fn username(folded: &str) -> Key {
    key(USERNAME, &[folded.as_bytes()])
}

/// The names of all users.
pub fn usernames() -> Key {
    key(USERNAME, &[])
}

/// The id of the user of a lower-case e-mail address.
pub fn email(folded: &str) -> Key {
    key(EMAIL, &[folded.as_bytes()])
}

/// A room's record.
pub fn room(id: &RoomId) -> Key {
    key(ROOM, &[id.as_str().as_bytes()])
}

/// All rooms.
pub fn rooms() -> Key {
    key(ROOM, &[])
}

/// The id of the room of a folded name.
pub fn room_name(folded: &str) -> Key {
    key(ROOM_NAME, &[folded.as_bytes()])
}

/// The names of all rooms.
pub fn room_names() -> Key {
    key(ROOM_NAME, &[])
}

/// A user's place in a room.
pub fn membership(user: &UserId, room: &RoomId) -> Key {
    key(MEMBERSHIP, &[user.as_str().as_bytes(), &[0], room.as_str().as_bytes()])
}

/// All places of a user.
pub fn memberships(user: &UserId) -> Key {
    key(MEMBERSHIP, &[user.as_str().as_bytes(), &[0]])
}

/// That a user is in a room, found by the room.
pub fn member(room: &RoomId, user: &UserId) -> Key {
    key(MEMBER, &[room.as_str().as_bytes(), &[0], user.as_str().as_bytes()])
}

/// All members of a room.
pub fn members(room: &RoomId) -> Key {
    key(MEMBER, &[room.as_str().as_bytes(), &[0]])
}

/// How far a user has read in a room.
pub fn read_mark(user: &UserId, room: &RoomId) -> Key {
    key(READ_MARK, &[user.as_str().as_bytes(), &[0], room.as_str().as_bytes()])
}

/// All read marks of a user.
pub fn read_marks(user: &UserId) -> Key {
    key(READ_MARK, &[user.as_str().as_bytes(), &[0]])
}

/// The block of a room's history whose first message has this number in the room, counted from 0.
pub fn block(room: &RoomId, first: u64) -> Key {
    key(BLOCK, &[room.as_str().as_bytes(), &[0], &down(first)])
}

/// All blocks of a room, the newest first.
pub fn blocks(room: &RoomId) -> Key {
    key(BLOCK, &[room.as_str().as_bytes(), &[0]])
}

/// The number in the room of the first message of the block with this key.
pub fn block_first(key: &[u8]) -> Option<u64> {
    up(&key[key.len().checked_sub(8)?..])
}

/// Where the message of a client's own id lies.
pub fn own_id(id: &MessageId) -> Key {
    key(OWN_ID, &[id.as_str().as_bytes()])
}

/// How far a room's oldest messages are gone.
pub fn trimmed(room: &RoomId) -> Key {
    key(TRIMMED, &[room.as_str().as_bytes()])
}

/// True for a key that says how far a room is trimmed.
pub fn is_trimmed(key: &[u8]) -> bool {
    key.first() == Some(&TRIMMED)
}

/// What can be erased in this stretch of the journal.
pub fn erasable(stretch: u64) -> Key {
    [ERASABLE, &stretch.to_be_bytes()].concat().into_boxed_slice()
}

/// All stretches in which something can be erased.
pub fn all_erasable() -> Key {
    ERASABLE.into()
}

/// The stretch in the key of what can be erased there.
pub fn erasable_stretch(key: &[u8]) -> Option<u64> {
    Some(u64::from_be_bytes(key.strip_prefix(ERASABLE)?.try_into().ok()?))
}

/// Where in the journal the group with this sequence begins.
pub fn waymark(seq: Seq) -> Key {
    key(WAYMARK, &[&down(seq.0)])
}

/// All waymarks, the newest first.
pub fn waymarks() -> Key {
    key(WAYMARK, &[])
}

/// The sequence in the key of a waymark.
pub fn waymark_seq(key: &[u8]) -> Option<Seq> {
    up(key.get(1..)?).map(Seq)
}

/// A token's record.
pub fn token(hash: &TokenHash) -> Key {
    key(TOKEN, &[&hash.0])
}

/// All tokens.
pub fn tokens() -> Key {
    key(TOKEN, &[])
}

/// That a token is a user's.
pub fn token_of(user: &UserId, hash: &TokenHash) -> Key {
    key(TOKEN_OF, &[user.as_str().as_bytes(), &[0], &hash.0])
}

/// All tokens of a user.
pub fn tokens_of(user: &UserId) -> Key {
    key(TOKEN_OF, &[user.as_str().as_bytes(), &[0]])
}

/// A device's record.
pub fn device(user: &UserId) -> Key {
    key(DEVICE, &[user.as_str().as_bytes()])
}

/// All devices.
pub fn devices() -> Key {
    key(DEVICE, &[])
}

/// When a device was last heard.
pub fn heard(user: &UserId) -> Key {
    [HEARD, user.as_str().as_bytes()].concat().into_boxed_slice()
}

/// When devices were last heard.
pub fn all_heard() -> Key {
    HEARD.into()
}

/// An invitation's record.
pub fn invitation(hash: &TokenHash) -> Key {
    key(INVITATION, &[&hash.0])
}

/// All invitations.
pub fn invitations() -> Key {
    key(INVITATION, &[])
}

/// A setting's value.
pub fn setting(name: &str) -> Key {
    key(SETTING, &[name.as_bytes()])
}

/// The name of the setting that says how much of this room is kept.
pub fn room_retention(room: &RoomId) -> String {
    format!("retention.room.{room}")
}

/// The name of the setting that says how far a bridge's broker has taken what was said.
pub fn bridge_mark(bridge: &str) -> String {
    format!("bridge.{bridge}.mark")
}

/// The newest delivery of a bridge among those whose packet ids share a place. Brokers count on, so that a place is taken
/// again when the delivery in it is old.
pub fn delivery(bridge: &str, packet: u16) -> Key {
    key(DELIVERY, &[bridge.as_bytes(), &[0], &(packet % DELIVERIES_REMEMBERED).to_be_bytes()])
}

/// The stretch of Changes up to this one whose times are shown otherwise than they were written.
pub fn turned(upto: Seq) -> Key {
    key(TURNED, &[&upto.0.to_be_bytes()])
}

/// All such stretches.
pub fn all_turned() -> Key {
    key(TURNED, &[])
}

/// The last Change of the stretch with this key.
pub fn turned_upto(key: &[u8]) -> Option<Seq> {
    Some(Seq(u64::from_be_bytes(key.get(1..)?.try_into().ok()?)))
}

/// What follows the prefix in a key, as text: the id in it.
pub fn text_after<'a>(prefix: &[u8], key: &'a [u8]) -> Option<&'a str> {
    std::str::from_utf8(key.strip_prefix(prefix)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_prefix_is_after_all_its_keys() {
        let room = RoomId::fixed("r");
        let end = end_of(&blocks(&room));
        assert!(block(&room, u64::MAX) < block(&room, 7) && block(&room, 7) < block(&room, 0));
        assert!(blocks(&room) < block(&room, u64::MAX) && block(&room, 0) < end);
        assert!(end < blocks(&RoomId::fixed("r2")) || end < blocks(&RoomId::fixed("s")));
        assert_eq!(&*end_of(&[1, 0xFF, 0xFF]), &[2]);
    }

    #[test]
    fn one_users_keys_never_lie_among_anothers() {
        let (al, alice) = (UserId::fixed("al"), UserId::fixed("alice"));
        let room = RoomId::fixed("ice");
        assert!(!membership(&alice, &room).starts_with(&memberships(&al)));
        assert_eq!(block_first(&block(&room, 77)), Some(77));
        assert_eq!(waymark_seq(&waymark(Seq(9))), Some(Seq(9)));
    }
}
