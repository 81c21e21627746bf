//! What of topics leaves the journal, and what an index rebuilt from the rest still knows.

use super::{heard, payloads, publication, publish, rebuilt, retained, session, state_of};
use crate::harness::life::Life;
use linnet::base::id::Seq;
use linnet::chat::publication::{Publication, Qos};
use linnet::chat::user::Role;
use linnet::node::Caller;
use linnet::node::condense::Scope;
use linnet::node::rounds::Rounds;
use linnet::node::trim::Retention;

/// Tags of what is left in the journal, with how often.
fn left(life: &Life, tag: u16) -> usize {
    let journal = life.parts.reading.journal();
    let scan = journal.scan(Default::default(), journal.end());
    let tags = scan.map(|found| {
        let payload = found.unwrap().1.payload;
        u16::from_le_bytes([payload[0], payload[1]])
    });
    tags.filter(|found| *found == tag).count()
}

const PUBLISHED: u16 = 100;

fn bytes(life: &Life) -> u64 {
    life.parts.reading.journal().size().1
}

/// Fills the newest segment, so that all before can be condensed.
fn turn_the_page(life: &mut Life) {
    life.call(|n| {
        n.seal_segment();
        Ok(())
    })
    .unwrap();
    life.call(|n| n.open_topic_session(&Caller::Anonymous, "page", None, true)).unwrap();
    life.call(|n| n.end_topic_session(&Caller::Anonymous, "page")).unwrap();
}

#[test]
fn a_session_that_keeps_up_leaves_a_small_journal() {
    let mut life = Life::begin(1);
    let (_, alice) = life.user("alice", &[Role::Admin]);
    session(&mut life, &alice, "lamp", &["a/#"]);
    let mut rounds = Rounds::new(Retention::default());
    let mut largest = [0; 2];
    for number in 0..20_000 {
        life.call(|n| {
            let seq = n.publish(&alice, publication("a/b", "21.5 degrees"), None)?;
            if number % 10 == 0 { n.move_topic_session(&alice, "lamp", seq, 0) } else { Ok(()) }
        })
        .unwrap();
        if number % 50 == 0 {
            life.look(&mut rounds).unwrap();
        }
        let half = &mut largest[number / 10_000];
        *half = bytes(&life).max(*half);
    }
    assert!(left(&life, PUBLISHED) < 4_000, "{}", left(&life, PUBLISHED));
    assert!(largest[1] < largest[0] + largest[0] / 4, "it grows on: {largest:?}");
    let before = left(&life, PUBLISHED);
    let life = rebuilt(life);
    assert_eq!(left(&life, PUBLISHED), before);
}

#[test]
fn what_a_session_has_not_heard_stays() {
    let mut life = Life::begin(2);
    let (_, alice) = life.user("alice", &[Role::Admin]);
    publish(&mut life, &alice, publication("a", "before anybody heard"));
    let slow = session(&mut life, &alice, "slow", &["a"]);
    session(&mut life, &alice, "quick", &["a"]);
    let seqs: Vec<Seq> =
        (0..50).map(|at| publish(&mut life, &alice, publication("a", &format!("{at}")))).collect();
    publish(&mut life, &alice, retained("state", "on"));
    publish(&mut life, &alice, retained("state", "off"));
    life.call(|n| n.move_topic_session(&alice, "quick", seqs[49], 0)).unwrap();
    turn_the_page(&mut life);
    life.condense(Scope::All).unwrap();
    assert_eq!(payloads(&life, slow).len(), 52, "all that the slow one has not heard");
    assert_eq!(heard(&life, Seq(0)).len(), 52);
    life.call(|n| n.move_topic_session(&alice, "slow", seqs[30], 0)).unwrap();
    turn_the_page(&mut life);
    life.condense(Scope::All).unwrap();
    let mut life = rebuilt(life);
    assert_eq!(payloads(&life, Seq(0)).len(), 21);
    assert_eq!(heard(&life, Seq(0))[0].0, seqs[31]);
    // Nobody is there any more: only the state of the topic is left.
    for client in ["slow", "quick"] {
        life.call(|n| n.end_topic_session(&alice, client)).unwrap();
    }
    for _ in 0..2 {
        turn_the_page(&mut life);
        life.condense(Scope::All).unwrap();
    }
    assert_eq!(payloads(&life, Seq(0)), ["off"]);
    for tag in [110, 111, 120] {
        assert_eq!(left(&life, tag), if tag == 110 { 1 } else { 0 }, "{tag}");
    }
    let mut life = rebuilt(life);
    assert_eq!(state_of(&life, "state").as_deref(), Some("off"));
    publish(&mut life, &alice, retained("state", ""));
    for _ in 0..2 {
        turn_the_page(&mut life);
        life.condense(Scope::All).unwrap();
    }
    assert_eq!(left(&life, PUBLISHED), 0, "what took it away went after it");
    let life = rebuilt(life);
    assert_eq!(state_of(&life, "state"), None);
}

#[test]
fn a_packet_id_that_was_released_is_not_raised_from_the_dead() {
    let mut life = Life::begin(3);
    let (_, alice) = life.user("alice", &[Role::Admin]);
    session(&mut life, &alice, "pump", &["a"]);
    let exactly = |payload: &str| Publication { qos: Qos::Exactly, ..retained("a", payload) };
    let released = life.call(|n| n.publish(&alice, exactly("first"), Some(1))).unwrap();
    life.call(|n| n.publish(&alice, Publication { topic: super::topic("b"), ..exactly("b") }, Some(2)))
        .unwrap();
    life.call(|n| n.release_receipt(&alice, "pump", 1)).unwrap();
    let out = vec![(1, released), (2, released), (3, released)];
    life.call(|n| n.hand_out(&alice, "pump", out)).unwrap();
    life.call(|n| n.step_hand_out(&alice, "pump", 1, true)).unwrap();
    life.call(|n| n.step_hand_out(&alice, "pump", 2, false)).unwrap();
    let newest = life.parts.reading.newest();
    life.call(|n| n.move_topic_session(&alice, "pump", newest, 0)).unwrap();
    for _ in 0..2 {
        turn_the_page(&mut life);
        life.condense(Scope::All).unwrap();
    }
    assert_eq!((left(&life, 101), left(&life, 131)), (0, 1), "only what is still to be known");
    let mut life = rebuilt(life);
    assert_eq!(state_of(&life, "a").as_deref(), Some("first"));
    let opened = life.call(|n| n.open_topic_session(&alice, "pump", None, false)).unwrap();
    assert_eq!(opened.receipts, [2]);
    assert_eq!(opened.hand_outs, [(2, released, true), (3, released, false)]);
    let next = life.call(|n| n.publish(&alice, exactly("second"), Some(1))).unwrap();
    assert!(next > released, "it stands for something new");
}

#[test]
fn what_is_on_its_way_stays_although_it_was_heard() {
    let mut life = Life::begin(4);
    let (_, alice) = life.user("alice", &[Role::Admin]);
    session(&mut life, &alice, "lamp", &["a"]);
    let seqs: Vec<Seq> =
        (0..9).map(|at| publish(&mut life, &alice, publication("a", &format!("{at}")))).collect();
    life.call(|n| n.hand_out(&alice, "lamp", vec![(1, seqs[3])])).unwrap();
    life.call(|n| n.move_topic_session(&alice, "lamp", seqs[8], 0)).unwrap();
    turn_the_page(&mut life);
    life.condense(Scope::All).unwrap();
    let life = rebuilt(life);
    assert_eq!(heard(&life, Seq(0)), [(seqs[3], "3".to_owned())]);
}
