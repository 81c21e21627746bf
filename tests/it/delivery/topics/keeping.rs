//! Which publications must be kept, because somebody will come back for them.

use super::{client, filter, stage, subscription, who};
use crate::delivery::stage::{Stage, user_id};
use linnet::chat::change::What;
use linnet::chat::name::Name;
use linnet::chat::policy;
use linnet::chat::publication::Qos;
use linnet::chat::topic::Topic;

fn keeps(stage: &Stage, topic: &str) -> bool {
    let topic = Topic::parse(topic).unwrap();
    assert!(!stage.hub.keeps(&topic, Qos::Most), "what is told at most once is never kept");
    assert_eq!(stage.hub.keeps(&topic, Qos::Least), stage.hub.keeps(&topic, Qos::Exactly));
    stage.hub.keeps(&topic, Qos::Least)
}

#[test]
fn what_a_parked_session_hears_is_kept() {
    let mut stage = stage();
    let subscriptions =
        [subscription("t/+", Qos::Least), subscription("u", Qos::Exactly), subscription("v", Qos::Most)];
    stage.hub.park("c".into(), user_id("bob"), &subscriptions);
    stage.hub.park("d".into(), user_id("bob"), &subscriptions[..1]);
    let kept = |stage: &Stage| ["t/a", "u", "v", "w"].map(|topic| keeps(stage, topic));
    assert_eq!((kept(&stage), stage.hub.topics_counts().parked), ([true, true, false, false], 2));
    assert!(stage.hub.unpark("c") && !stage.hub.unpark("c"));
    assert_eq!(kept(&stage), [true, false, false, false]);
    stage.hub.park("d".into(), user_id("bob"), &subscriptions[1..]);
    assert_eq!(kept(&stage), [false, true, false, false], "parking again replaces");
    stage.hub.park("c".into(), user_id("bob"), &subscriptions);
    stage.happens(What::TopicSessionGone { client: "c".into() });
    stage.settle_and_relay();
    assert_eq!(kept(&stage), [false, true, false, false]);
    stage.happens(What::UserRemoved { user: user_id("bob"), username: Name::fixed("bob") });
    stage.settle_and_relay();
    assert_eq!((kept(&stage), stage.hub.topics_counts().parked), ([false; 4], 0));
}

#[test]
fn what_a_persistent_session_hears_is_kept_while_it_is_there() {
    let stage = stage();
    let passing = client(&stage, "alice", "a");
    passing.subscribe(&stage, &subscription("t", Qos::Least));
    assert!(!keeps(&stage, "t"));
    let seat = stage.hub.take_topic_seat(who(&stage, "alice", "b", true), stage.as_of()).unwrap();
    let permit = policy::may_subscribe(&stage.actor(&user_id("alice")), &filter("t")).unwrap();
    for (qos, kept) in [(Qos::Most, false), (Qos::Least, true), (Qos::Most, false), (Qos::Exactly, true)] {
        seat.subscribe(&permit, &subscription("t", qos), stage.as_of()).unwrap();
        assert_eq!(keeps(&stage, "t"), kept, "{qos:?}");
    }
    seat.unsubscribe(&filter("t"), None);
    assert!(!keeps(&stage, "t"));
    seat.subscribe(&permit, &subscription("t", Qos::Least), stage.as_of()).unwrap();
    stage.hub.park("b".into(), user_id("alice"), &[subscription("t", Qos::Least)]);
    drop(seat);
    assert!(keeps(&stage, "t"));
}
