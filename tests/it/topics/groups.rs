//! Groups of sessions that share a subscription.

use super::{check_refused, payloads, publication, publish, rebuilt, session, to};
use crate::harness::life::Life;
use linnet::base::id::Seq;
use linnet::base::limits::SUBSCRIPTIONS_MAX;
use linnet::chat::publication::{Qos, Subscription, group_session};
use linnet::chat::refusal::Refusal;
use linnet::chat::topic::Filter;
use linnet::chat::user::Role;

fn shared(filter: &str) -> Subscription {
    Subscription { share: Some("g".into()), ..to(filter) }
}

#[test]
fn a_group_begins_with_its_first_session_and_ends_with_its_last() {
    let mut life = Life::begin(21);
    let (_, alice) = life.user("alice", &[Role::Admin]);
    let filter = Filter::parse("t/#").unwrap();
    let group = group_session("g", &filter);
    let of_group = |life: &Life| life.parts.reading.topic_session(&group).unwrap();
    for client in ["a", "b", "c"] {
        session(&mut life, &alice, client, &[]);
        let wanted = Subscription { qos: Qos::Exactly, ..shared("t/#") };
        let answers = life.call(|n| n.subscribe_topics(&alice, client, vec![wanted])).unwrap();
        assert_eq!(
            answers[0].as_ref().unwrap().qos,
            Qos::Least,
            "which of them has it once, nobody could say"
        );
    }
    let made = of_group(&life).unwrap().heard;
    publish(&mut life, &alice, publication("t/1", "one"));
    let upto = publish(&mut life, &alice, publication("t/1", "two"));
    life.call(|n| n.move_group(&alice, "g", &filter, Seq(upto.0 - 1))).unwrap();
    life.call(|n| n.move_group(&alice, "g", &filter, made)).unwrap();
    let mut life = rebuilt(life);
    let heard = of_group(&life).unwrap().heard;
    assert_eq!((heard, payloads(&life, heard)), (Seq(upto.0 - 1), vec!["two".to_owned()]));
    // By all ways out: it wants no certainty any more, it unsubscribes, it is gone.
    let unsure = Subscription { qos: Qos::Most, ..shared("t/#") };
    life.call(|n| n.subscribe_topics(&alice, "a", vec![unsure])).unwrap();
    let name = (filter.clone(), Some("g".into()));
    life.call(|n| n.unsubscribe_topics(&alice, "b", vec![name])).unwrap();
    assert!(of_group(&life).is_some());
    life.call(|n| n.close_topic_session(&alice, "c", Some(0))).unwrap();
    assert!(of_group(&life).is_none() && life.parts.reading.topic_subscriptions(&group).unwrap().is_empty());
    check_refused(life.call(|n| n.move_group(&alice, "g", &filter, upto)), Refusal::NoSuchSession);
    rebuilt(life);
}

#[test]
fn a_group_has_no_more_members_than_it_may_and_no_client_is_one() {
    let mut life = Life::begin(22);
    let (_, alice) = life.user("alice", &[Role::Admin]);
    for number in 0..SUBSCRIPTIONS_MAX {
        let client = format!("c{number}");
        session(&mut life, &alice, &client, &[]);
        let answers = life.call(|n| n.subscribe_topics(&alice, &client, vec![shared("t")])).unwrap();
        assert!(answers[0].is_ok(), "{number}");
    }
    session(&mut life, &alice, "more", &[]);
    let answers = life.call(|n| n.subscribe_topics(&alice, "more", vec![shared("t")])).unwrap();
    assert!(matches!(answers[0], Err(Refusal::TooMany { max: SUBSCRIPTIONS_MAX, .. })), "{answers:?}");
    let opened = life.call(|n| n.open_topic_session(&alice, "$share/g/t", None, false));
    assert!(matches!(opened, Err(Refusal::Invalid { .. })), "{opened:?}");
}
