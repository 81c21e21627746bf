//! Sessions that outlive their connections.

use super::{check_refused, heard, payloads, publication, publish, rebuilt, session, to};
use crate::harness::life::Life;
use linnet::base::id::Seq;
use linnet::base::limits::{
    HAND_OUTS_MAX, RECEIPTS_MAX, SUBSCRIPTIONS_MAX, TOPIC_SESSIONS_MAX, TOPIC_SESSIONS_PER_USER_MAX,
};
use linnet::base::world::Keeper;
use linnet::chat::publication::{Qos, Subscription};
use linnet::chat::refusal::{Refusal, Right};
use linnet::chat::user::Role;
use linnet::node::Caller;

/// Power goes; only what was acknowledged is there.
fn cut(life: Life) -> Life {
    Life::open(life.world, life.disk.crash(), life.index.crash(0)).unwrap()
}

#[test]
fn a_session_is_taken_up_where_it_was() {
    let mut life = Life::begin(1);
    let (_, alice) = life.user("alice", &[Role::Admin]);
    publish(&mut life, &alice, publication("a", "before"));
    let made = session(&mut life, &alice, "lamp", &["a", "b/#"]);
    for payload in ["one", "two", "three"] {
        publish(&mut life, &alice, publication("a", payload));
        life.user(payload, &[Role::User]);
    }
    let all = heard(&life, made);
    assert_eq!(payloads(&life, made), ["one", "two", "three"]);
    life.call(|n| n.move_topic_session(&alice, "lamp", all[0].0, 4)).unwrap();
    life.call(|n| n.close_topic_session(&alice, "lamp", Some(60))).unwrap();
    let mut life = cut(life);
    let opened = life.call(|n| n.open_topic_session(&alice, "lamp", None, false)).unwrap();
    assert!(opened.was_there);
    assert_eq!((opened.session.heard, opened.session.dropped), (all[0].0, 4));
    assert_eq!(payloads(&life, opened.session.heard), ["two", "three"]);
    let filters: Vec<_> =
        opened.subscriptions.iter().map(|one| (one.filter.as_str(), one.made > made)).collect();
    assert_eq!(filters, [("a", true), ("b/#", true)]);

    // It never goes back, and not beyond what there is.
    life.call(|n| n.move_topic_session(&alice, "lamp", Seq(1), 0)).unwrap();
    life.call(|n| n.move_topic_session(&alice, "lamp", Seq(u64::MAX), 4)).unwrap();
    let moved = life.parts.reading.topic_session("lamp").unwrap().unwrap();
    assert!(moved.heard > all[2].0 && moved.heard < Seq(1_000) && moved.dropped == 4, "{moved:?}");

    let clean = life.call(|n| n.open_topic_session(&alice, "lamp", None, true)).unwrap();
    assert!(!clean.was_there && clean.subscriptions.is_empty() && clean.session.dropped == 0);
    assert!(clean.session.heard > moved.heard);
    rebuilt(life);
}

#[test]
fn what_came_once_is_taken_once() {
    let mut life = Life::begin(2);
    let (_, alice) = life.user("alice", &[Role::Admin]);
    let exactly = |payload: &str| linnet::chat::publication::Publication {
        qos: Qos::Exactly,
        ..publication("a", payload)
    };
    check_refused(life.call(|n| n.publish(&alice, exactly("x"), Some(7))), Refusal::NoSuchSession);
    let made = session(&mut life, &alice, "pump", &[]);
    let first = life.call(|n| n.publish(&alice, exactly("open"), Some(7))).unwrap();
    assert_eq!(life.call(|n| n.publish(&alice, exactly("open"), Some(7))), Ok(first));
    let mut life = cut(life);
    assert_eq!(
        life.call(|n| n.publish(&alice, exactly("open"), Some(7))),
        Ok(first),
        "after a power cut too"
    );
    let opened = life.call(|n| n.open_topic_session(&alice, "pump", None, false)).unwrap();
    assert_eq!(opened.receipts, [7]);
    assert_eq!(life.call(|n| n.release_receipt(&alice, "pump", 7)), Ok(true));
    assert_eq!(life.call(|n| n.release_receipt(&alice, "pump", 7)), Ok(false));
    let second = life.call(|n| n.publish(&alice, exactly("close"), Some(7))).unwrap();
    assert!(second > first);
    assert_eq!(payloads(&life, made), ["open", "close"]);
    for packet in 100..100 + RECEIPTS_MAX as u16 - 1 {
        life.call(|n| n.publish(&alice, exactly("more"), Some(packet))).unwrap();
    }
    let refusal = Refusal::TooMany { what: "packet ids that were not released", max: RECEIPTS_MAX };
    check_refused(life.call(|n| n.publish(&alice, exactly("more"), Some(9))), refusal);
    rebuilt(life);
}

#[test]
fn what_is_on_its_way_once_is_known_after_a_power_cut() {
    let mut life = Life::begin(3);
    let (_, alice) = life.user("alice", &[Role::Admin]);
    session(&mut life, &alice, "lamp", &["a"]);
    let seqs: Vec<Seq> = (0..3).map(|_| publish(&mut life, &alice, publication("a", "x"))).collect();
    let out = vec![(5, seqs[0]), (3, seqs[1]), (9, seqs[2])];
    life.call(|n| n.hand_out(&alice, "lamp", out)).unwrap();
    assert!(life.call(|n| n.hand_out(&alice, "lamp", vec![(3, seqs[0])])).is_err(), "it is under way");
    assert_eq!(life.call(|n| n.step_hand_out(&alice, "lamp", 5, false)), Ok(true));
    assert_eq!(life.call(|n| n.step_hand_out(&alice, "lamp", 5, false)), Ok(false));
    assert_eq!(life.call(|n| n.step_hand_out(&alice, "lamp", 3, true)), Ok(true));
    assert_eq!(life.call(|n| n.step_hand_out(&alice, "lamp", 77, true)), Ok(false));
    let mut life = cut(life);
    let opened = life.call(|n| n.open_topic_session(&alice, "lamp", None, false)).unwrap();
    assert_eq!(opened.hand_outs, [(5, seqs[0], true), (9, seqs[2], false)]);
    let many = (100..).zip(std::iter::repeat_n(seqs[0], HAND_OUTS_MAX - 1)).collect();
    let refusal = Refusal::TooMany { what: "publications on their way to a client", max: HAND_OUTS_MAX };
    check_refused(life.call(|n| n.hand_out(&alice, "lamp", many)), refusal);
    rebuilt(life);
}

#[test]
fn nobody_has_anything_to_do_with_somebody_elses_session() {
    let mut life = Life::begin(4);
    let (_, alice) = life.user("alice", &[Role::Admin]);
    let (bob, as_bob) = life.user("bob", &[Role::Admin]);
    session(&mut life, &as_bob, "lamp", &["a"]);
    let taken = Refusal::SessionTaken;
    check_refused(life.call(|n| n.open_topic_session(&alice, "lamp", None, true)), taken.clone());
    check_refused(life.call(|n| n.open_topic_session(&Caller::Anonymous, "lamp", None, true)), taken.clone());
    check_refused(life.call(|n| n.subscribe_topics(&alice, "lamp", vec![to("b")])), taken.clone());
    check_refused(life.call(|n| n.unsubscribe_topics(&alice, "lamp", Vec::new())), taken.clone());
    check_refused(life.call(|n| n.move_topic_session(&alice, "lamp", Seq(9), 0)), taken.clone());
    check_refused(life.call(|n| n.hand_out(&alice, "lamp", vec![(1, Seq(1))])), taken.clone());
    check_refused(life.call(|n| n.step_hand_out(&alice, "lamp", 1, true)), taken.clone());
    check_refused(life.call(|n| n.release_receipt(&alice, "lamp", 1)), taken.clone());
    check_refused(life.call(|n| n.close_topic_session(&alice, "lamp", None)), taken.clone());
    check_refused(life.call(|n| n.end_topic_session(&alice, "lamp")), taken);
    // A guest has none, and what was a removed user's is anybody's, but empty.
    let (_, guest) = life.user("guest", &[Role::Guest]);
    let refusal = Refusal::NotAllowed(Right::Subscribe);
    check_refused(life.call(|n| n.open_topic_session(&guest, "g", None, false)), refusal);
    life.call(|n| n.remove_user(&alice, &bob.id)).unwrap();
    let opened = life.call(|n| n.open_topic_session(&alice, "lamp", None, false)).unwrap();
    assert!(!opened.was_there && opened.subscriptions.is_empty());
    life.call(|n| n.end_topic_session(&Caller::Operator, "lamp")).unwrap();
    assert_eq!(life.parts.reading.topic_session("lamp").unwrap(), None);
    rebuilt(life);
}

#[test]
fn each_filter_is_answered_for_itself_and_replaced_without_a_gap() {
    let mut life = Life::begin(5);
    let (_, bob) = life.user("bob", &[Role::User]);
    let (_, alice) = life.user("alice", &[Role::Admin]);
    session(&mut life, &bob, "bobs", &[]);
    let answers =
        life.call(|n| n.subscribe_topics(&bob, "bobs", vec![to("a"), to("linnet/status")])).unwrap();
    assert_eq!(answers[0], Err(Refusal::NotAllowed(Right::Subscribe)));
    assert!(answers[1].is_ok());
    session(&mut life, &alice, "lamp", &["a"]);
    let made = life.parts.reading.topic_subscriptions("lamp").unwrap()[0].made;
    publish(&mut life, &alice, publication("a", "between"));
    let again = Subscription { qos: Qos::Exactly, id: Some(3), ..to("a") };
    let shared = Subscription { share: Some("group".into()), ..to("a") };
    let wanted = vec![again.clone(), shared.clone()];
    let newest = |life: &Life| life.parts.reading.newest();
    life.call(|n| n.subscribe_topics(&alice, "lamp", wanted.clone())).unwrap();
    let known = life.parts.reading.topic_subscriptions("lamp").unwrap();
    assert_eq!(known[0], Subscription { made, ..again }, "nothing between is missed");
    assert!(known[1].share.is_some() && known[1].made > made);
    let before = newest(&life);
    life.call(|n| n.subscribe_topics(&alice, "lamp", wanted)).unwrap();
    assert_eq!(newest(&life), before, "what is there already costs nothing");
    let (filter, share) = (shared.filter.clone(), shared.share.clone());
    let unwanted = vec![(filter.clone(), share.clone()), (filter, share)];
    assert_eq!(life.call(|n| n.unsubscribe_topics(&alice, "lamp", unwanted)), Ok(vec![true, false]));
    let many = (0..=SUBSCRIPTIONS_MAX).map(|number| to(&format!("x/{number}")));
    let answers = life.call(|n| n.subscribe_topics(&alice, "lamp", many.skip(1).collect())).unwrap();
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), SUBSCRIPTIONS_MAX - 1);
    rebuilt(life);
}

#[test]
fn a_session_ends_in_its_time_and_only_when_the_time_is_known() {
    let mut life = Life::begin(6);
    let (_, alice) = life.user("alice", &[Role::Admin]);
    let was_there = |life: &mut Life| {
        let opened = life.call(|n| n.open_topic_session(&alice, "lamp", Some(60), false)).unwrap();
        life.call(|n| n.close_topic_session(&alice, "lamp", Some(60))).unwrap();
        opened.was_there
    };
    assert!(!was_there(&mut life));
    life.world.pass_ms(59_000);
    assert!(was_there(&mut life), "its time began anew with each connection");
    life.world.pass_ms(60_000);
    assert!(!was_there(&mut life));
    // Connected, it has no end.
    life.call(|n| n.open_topic_session(&alice, "lamp", Some(60), false)).unwrap();
    life.world.pass_ms(1_000_000);
    assert!(was_there(&mut life));

    let start_anew = |life: Life, keeper: Keeper, passed_ms: u64| {
        life.world.pass_ms(passed_ms);
        life.world.restart();
        life.world.set_keeper(keeper);
        life.restart()
    };
    let mut life = start_anew(life, Keeper::Nobody, 100_000);
    assert!(was_there(&mut life), "nobody knows how long the node was away");
    life.world.pass_ms(60_000);
    assert!(!was_there(&mut life), "within a start it is known");
    life.call(|n| n.close_topic_session(&alice, "lamp", Some(0))).unwrap();
    assert_eq!(life.parts.reading.topic_session("lamp").unwrap(), None);
}

#[test]
fn there_are_so_many_sessions_and_those_go_first_whose_time_is_over() {
    let mut life = Life::begin(7);
    let (_, alice) = life.user("alice", &[Role::Admin]);
    let (_, bob) = life.user("bob", &[Role::User]);
    let (_, carol) = life.user("carol", &[Role::User]);
    for number in 0..TOPIC_SESSIONS_MAX {
        let client = format!("client-{number}");
        let user = if number < TOPIC_SESSIONS_PER_USER_MAX { &alice } else { &bob };
        if number == TOPIC_SESSIONS_PER_USER_MAX {
            let refusal = Refusal::TooMany { what: "sessions of one user", max: number };
            check_refused(life.call(|n| n.open_topic_session(&alice, "more", None, false)), refusal);
            // Its own time is over, so it makes room for itself.
            life.call(|n| n.close_topic_session(&alice, "client-3", Some(1))).unwrap();
            life.world.pass_ms(1_000);
            life.call(|n| n.open_topic_session(&alice, "client-3", Some(60), false)).unwrap();
        }
        life.call(|n| n.open_topic_session(user, &client, Some(60), false)).unwrap();
    }
    life.call(|n| n.end_topic_session(&alice, "client-9")).unwrap();
    life.call(|n| n.open_topic_session(&carol, "carols", Some(60), false)).unwrap();
    life.call(|n| n.close_topic_session(&alice, "client-7", Some(60))).unwrap();
    let one_more = |life: &mut Life| life.call(|n| n.open_topic_session(&alice, "more", None, false));
    let refusal = Refusal::TooMany { what: "sessions of topics", max: TOPIC_SESSIONS_MAX };
    check_refused(one_more(&mut life), refusal);
    life.world.pass_ms(60_000);
    assert!(!one_more(&mut life).unwrap().was_there);
    assert_eq!(life.parts.reading.topic_session("client-7").unwrap(), None);
    assert_eq!(life.parts.reading.topic_sessions().unwrap().len(), TOPIC_SESSIONS_MAX);
    for client in ["", "a\0b", &"c".repeat(257)] {
        assert!(life.call(|n| n.open_topic_session(&alice, client, None, false)).is_err(), "{client:?}");
    }
}
