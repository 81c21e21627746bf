//! What was trimmed is nothing that anybody has still to read.

use super::{kept, talk};
use crate::harness::life::Life;
use linnet::base::id::UserId;
use linnet::chat::room::Room;
use linnet::chat::user::Role;

#[test]
fn messages_that_are_gone_are_not_unread() {
    let mut life = Life::begin(31);
    let (_, bob) = life.user("bob", &[Role::User]);
    let (carol, _) = life.user("carol", &[Role::User]);
    let (dave, as_dave) = life.user("dave", &[Role::User]);
    talk(&mut life, &bob, &[&Room::GENERAL], 300);
    life.call(|n| n.mark_read(&as_dave, &Room::GENERAL, Some(200))).unwrap();
    let unread = |life: &Life, user: &UserId| {
        life.parts.reading.place_of(&Room::GENERAL, user).unwrap().unwrap().unread()
    };
    let (_, count) = kept(&life, &Room::GENERAL);
    assert!(unread(&life, &carol.id) >= 300);
    assert_eq!(unread(&life, &dave.id), count - 200);
    // In the middle of a block, at the end of one, behind a mark, and all.
    for (first, of_dave) in [(90, count - 200), (128, count - 200), (250, count - 250), (count, 0)] {
        while life.call(|n| n.trim_room(&Room::GENERAL, first)).unwrap() {}
        assert_eq!(unread(&life, &carol.id), count - first, "{first}");
        assert_eq!(unread(&life, &carol.id), kept(&life, &Room::GENERAL).0, "{first}");
        assert_eq!(unread(&life, &dave.id), of_dave, "{first}");
        life = life.restart();
    }
    talk(&mut life, &bob, &[&Room::GENERAL], 1);
    assert_eq!((unread(&life, &carol.id), unread(&life, &dave.id)), (1, 1));
}
