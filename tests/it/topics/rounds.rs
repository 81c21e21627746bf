//! What the care for the disk does for sessions.

use super::{heard, publication, publish, rebuilt, session};
use crate::harness::life::Life;
use linnet::base::id::Seq;
use linnet::chat::publication::{Publication, Qos, TopicSession};
use linnet::chat::user::Role;
use linnet::node::rounds::Rounds;
use linnet::node::topics::Lag;
use linnet::node::trim::Retention;

fn known(life: &Life, client: &str) -> Option<TopicSession> {
    life.parts.reading.topic_session(client).unwrap()
}

fn rounds(lag: Lag) -> Rounds {
    Rounds::new(Retention::default()).allowing(lag)
}

#[test]
fn a_session_too_far_behind_is_moved_up_and_told_what_it_missed() {
    let mut life = Life::begin(1);
    let (_, alice) = life.user("alice", &[Role::Admin]);
    session(&mut life, &alice, "slow", &["a/#"]);
    session(&mut life, &alice, "quick", &["a/#"]);
    let mut wanted = Vec::new();
    for number in 0..300 {
        let about = ["a/x", "b"][number % 2];
        wanted.push((publish(&mut life, &alice, publication(about, "x")), about));
        // Nobody promised this one to anybody.
        let unsure = Publication { qos: Qos::Most, ..publication("a/x", "y") };
        publish(&mut life, &alice, unsure);
    }
    let newest = life.parts.reading.newest();
    life.call(|n| n.move_topic_session(&alice, "quick", newest, 0)).unwrap();
    let quick = known(&life, "quick");
    let missed =
        |upto: Seq| wanted.iter().filter(|(seq, about)| *seq <= upto && *about == "a/x").count() as u64;

    let newest = life.parts.reading.newest().0;
    life.look(&mut rounds(Lag { changes: 400, bytes: u64::MAX })).unwrap();
    let slow = known(&life, "slow").unwrap();
    assert_eq!((slow.heard, slow.dropped), (Seq(newest - 300), missed(Seq(newest - 300))));
    assert!(slow.dropped > 50);
    life.look(&mut rounds(Lag { changes: 400, bytes: u64::MAX })).unwrap();
    assert_eq!(known(&life, "slow").as_ref(), Some(&slow), "it is near enough now");

    life.look(&mut rounds(Lag { changes: u64::MAX, bytes: 5_000 })).unwrap();
    let further = known(&life, "slow").unwrap();
    assert!(further.heard > slow.heard && further.heard.0 < newest, "{further:?}");
    assert_eq!(further.dropped, missed(further.heard));
    assert_eq!(known(&life, "quick"), quick);
    let rest = heard(&life, further.heard).len();
    let life = rebuilt(life);
    assert_eq!(heard(&life, further.heard).len(), rest);
}

#[test]
fn a_session_whose_time_is_over_ends_by_itself() {
    let mut life = Life::begin(2);
    let (_, alice) = life.user("alice", &[Role::Admin]);
    let (bob, as_bob) = life.user("bob", &[Role::User]);
    let mut rounds = rounds(Lag::default());
    for client in ["left", "stays"] {
        life.call(|n| n.open_topic_session(&alice, client, Some(60), false)).unwrap();
    }
    session(&mut life, &as_bob, "bobs", &[]);
    life.call(|n| n.close_topic_session(&alice, "left", Some(60))).unwrap();
    life.world.pass_ms(59_000);
    life.look(&mut rounds).unwrap();
    assert!(known(&life, "left").is_some());
    life.call(|n| n.remove_user(&alice, &bob.id)).unwrap();
    life.world.pass_ms(1_000);
    life.look(&mut rounds).unwrap();
    assert_eq!((known(&life, "left"), known(&life, "bobs")), (None, None));
    assert!(known(&life, "stays").is_some_and(|session| !session.left));

    // Who was connected when the node went down is gone from its next start on.
    life.world.restart();
    let mut life = Life::open(life.world, life.disk.crash(), life.index.crash(0)).unwrap();
    life.look(&mut rounds).unwrap();
    assert!(known(&life, "stays").is_some_and(|session| session.left));
    life.world.pass_ms(60_000);
    life.look(&mut rounds).unwrap();
    assert_eq!(known(&life, "stays"), None);
    rebuilt(life);
}
