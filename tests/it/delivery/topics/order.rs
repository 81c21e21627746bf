//! Publications that are kept, among everything else that happens, and rights that end.

use super::{client, hearing, keep, payloads, publication, rights, stage, subscription, who};
use crate::delivery::stage::{Stage, token, user_id};
use linnet::base::id::Seq;
use linnet::base::limits::TOPIC_QUEUE_MAX;
use linnet::chat::change::What;
use linnet::chat::name::Name;
use linnet::chat::policy;
use linnet::chat::publication::Qos;
use linnet::delivery::{Bounds, Ended, Refused, TopicDrained, TopicSeat, TopicWho};
use std::sync::Arc;

fn all(seat: &TopicSeat) -> TopicDrained {
    seat.drain(usize::MAX, usize::MAX)
}

fn places(drained: &TopicDrained) -> Vec<Option<Seq>> {
    drained.parcels.iter().map(|parcel| parcel.sheet.seq()).collect()
}

/// A device that may publish and hear `t/#`.
fn with_sensor() -> (Stage, super::Client) {
    let mut stage = stage();
    stage.happens(rights("sensor", &["t/#"], &["t/#"]));
    stage.settle_and_relay();
    let sensor = client(&stage, "sensor", "s");
    sensor.subscribe(&stage, &subscription("t/#", Qos::Least));
    (stage, sensor)
}

#[test]
fn what_is_kept_comes_in_order_with_what_is_live() {
    let mut stage = stage();
    let (hears, publisher) = (hearing(&stage, "a", "t/+"), client(&stage, "alice", "p"));
    let first = keep(&mut stage, "t/a", "1", Qos::Least);
    keep(&mut stage, "u", "not theirs", Qos::Least);
    let second = keep(&mut stage, "t/b", "2", Qos::Least);
    stage.settle();
    // The relay has not run: what is live still comes behind.
    publisher.publish(&stage, "t/c", "3");
    let third = keep(&mut stage, "t/a", "4", Qos::Least);
    stage.settle_and_relay();
    let drained = all(&hears.seat);
    assert_eq!(payloads(&drained), ["1", "2", "3", "4"]);
    assert_eq!(places(&drained), [Some(first), Some(second), None, Some(third)]);
    assert_eq!(drained.upto, stage.as_of());
}

#[test]
fn a_new_subscription_hears_what_was_kept_after_its_place_and_once() {
    let mut stage = stage();
    let hears = client(&stage, "alice", "a");
    hears.subscribe(&stage, &subscription("t/a", Qos::Least));
    let as_of = stage.as_of();
    let actor = stage.actor(&user_id("alice"));
    let permit = policy::may_subscribe(&actor, &super::filter("t/+")).unwrap();
    let said = [keep(&mut stage, "t/a", "1", Qos::Least), keep(&mut stage, "t/b", "2", Qos::Least)];
    stage.settle_and_relay();
    assert_eq!(hears.payloads(), ["1"]);
    assert_eq!(hears.seat.subscribe(&permit, &subscription("t/+", Qos::Least), as_of), Ok(true));
    let drained = hears.seat.drain(1, 1);
    assert_eq!(places(&drained), [Some(said[1])], "the first came by the other subscription");
    assert_eq!(hears.seat.subscribe(&permit, &subscription("t/+", Qos::Least), as_of), Ok(false));
    keep(&mut stage, "t/a", "3", Qos::Least);
    stage.settle_and_relay();
    assert_eq!(hears.payloads(), ["3"]);
}

#[test]
fn a_place_that_the_tail_has_lost_is_stale() {
    let mut stage = Stage::new(Bounds { tail_changes: 8, ..Bounds::default() });
    let (hears, as_of) = (client(&stage, "alice", "a"), stage.as_of());
    let permit = policy::may_subscribe(&stage.actor(&user_id("alice")), &super::filter("t")).unwrap();
    for _ in 0..20 {
        keep(&mut stage, "t", "x", Qos::Least);
        stage.settle_and_relay();
    }
    assert_eq!(hears.seat.subscribe(&permit, &subscription("t", Qos::Least), as_of), Err(Refused::Stale));
    let come = stage.hub.take_topic_seat(who(&stage, "alice", "b", false), as_of);
    assert_eq!(come.err(), Some(Refused::Stale));
}

#[test]
fn a_subscription_as_of_what_the_hub_does_not_know_yet_hears_nothing_older() {
    let mut stage = stage();
    let hears = client(&stage, "alice", "a");
    let permit = policy::may_subscribe(&stage.actor(&user_id("alice")), &super::filter("t")).unwrap();
    let known = keep(&mut stage, "t", "known", Qos::Least);
    hears.seat.subscribe(&permit, &subscription("t", Qos::Least), known).unwrap();
    keep(&mut stage, "t", "new", Qos::Least);
    stage.settle_and_relay();
    assert_eq!(hears.payloads(), ["new"]);
}

#[test]
fn a_laggard_of_what_is_kept_is_told_to_read_the_store() {
    let mut stage = Stage::new(Bounds { tail_changes: 64, ..Bounds::default() });
    let (slow, fast) = (hearing(&stage, "a", "t"), hearing(&stage, "b", "t"));
    let first = keep(&mut stage, "t", "0", Qos::Least);
    stage.settle_and_relay();
    let begun = slow.seat.drain(1, 1);
    assert_eq!((places(&begun), begun.upto), (vec![Some(first)], first));
    let publisher = client(&stage, "alice", "p");
    assert_eq!(fast.payloads(), ["0"]);
    publisher.publish(&stage, "t", "live");
    assert_eq!(fast.payloads(), ["live"]);
    for number in 1..=TOPIC_QUEUE_MAX + 10 {
        keep(&mut stage, "t", &number.to_string(), Qos::Least);
        stage.settle_and_relay();
        assert_eq!(fast.payloads(), [number.to_string()]);
    }
    let drained = all(&slow.seat);
    assert_eq!(
        (payloads(&drained), drained.behind, drained.upto),
        (vec!["live".into()], true, stage.as_of())
    );
    assert_eq!((drained.missed, drained.more), (0, false), "nothing is lost: the store has it");
    let next = keep(&mut stage, "t", "next", Qos::Least);
    stage.settle_and_relay();
    let drained = all(&slow.seat);
    assert_eq!((places(&drained), drained.behind), (vec![Some(next)], false));
}

#[test]
fn what_was_not_given_out_yet_holds_the_place_back() {
    let mut stage = stage();
    let hears = hearing(&stage, "a", "t");
    let said: Vec<Seq> = (0..5).map(|_| keep(&mut stage, "t", "x", Qos::Least)).collect();
    keep(&mut stage, "u", "not theirs", Qos::Least);
    stage.settle_and_relay();
    for at in 0..4 {
        let drained = hears.seat.drain(1, usize::MAX);
        assert_eq!((drained.upto, drained.more), (Seq(said[at + 1].0 - 1), true));
    }
    assert_eq!(hears.seat.drain(1, usize::MAX).upto, stage.as_of());
}

#[test]
fn a_revoked_token_ends_the_stream_at_its_place_within_one_group() {
    let (mut stage, sensor) = with_sensor();
    let other = hearing(&stage, "b", "t/#");
    let said = Arc::new(publication("sensor", "s", "t/live", "live", Qos::Most));
    let (permit, as_of) =
        (policy::may_publish(&stage.actor(&user_id("sensor")), &said.topic).unwrap(), stage.as_of());
    assert!(sensor.seat.publish(&permit, as_of, &said, 0).is_ok());
    keep(&mut stage, "t/a", "before", Qos::Least);
    stage.happens(What::TokenRevoked { hash: token(&user_id("sensor"), 1), user: user_id("sensor") });
    keep(&mut stage, "t/a", "after", Qos::Least);
    stage.settle();
    assert_eq!(sensor.seat.publish(&permit, as_of, &said, 0), Err(Refused::Ended));
    stage.relay();
    let part = sensor.seat.drain(1, usize::MAX);
    assert_eq!((payloads(&part), part.ended, part.more), (vec!["live".to_owned()], None, true));
    let drained = all(&sensor.seat);
    assert_eq!((payloads(&drained), drained.ended), (vec!["before".to_owned()], Some(Ended::TokenRevoked)));
    assert!(!drained.more && all(&sensor.seat).ended.is_none(), "an end is told once");
    assert_eq!(other.payloads(), ["live", "before", "after"]);
    assert_eq!(sensor.try_subscribe(&stage, &subscription("t/b", Qos::Least)), Err(Refused::Ended));
}

#[test]
fn a_certificate_that_is_no_longer_taken_ends_those_who_came_by_it() {
    let (mut stage, by_token) = with_sensor();
    let login = TopicWho { token: None, by_certificate: true, ..who(&stage, "sensor", "c", false) };
    let by_certificate = stage.hub.take_topic_seat(login, stage.as_of()).unwrap();
    let permit = policy::may_subscribe(&stage.actor(&user_id("sensor")), &super::filter("t/#")).unwrap();
    by_certificate.subscribe(&permit, &subscription("t/#", Qos::Least), stage.as_of()).unwrap();
    keep(&mut stage, "t/a", "1", Qos::Least);
    stage.happens(rights("sensor", &["t/#"], &["t/#"]));
    keep(&mut stage, "t/a", "2", Qos::Least);
    stage.settle_and_relay();
    let drained = all(&by_certificate);
    assert_eq!((payloads(&drained), drained.ended), (vec!["1".to_owned()], Some(Ended::CertificateRefused)));
    assert_eq!(by_token.payloads(), ["1", "2"]);
}

#[test]
fn only_ones_own_end_ends_one() {
    let (mut stage, sensor) = with_sensor();
    let alice = hearing(&stage, "a", "t/#");
    stage.happens(What::TokenRevoked { hash: token(&user_id("sensor"), 2), user: user_id("sensor") });
    stage.happens(What::UserRemoved { user: user_id("bob"), username: Name::fixed("bob") });
    keep(&mut stage, "t/a", "1", Qos::Least);
    let mut away = stage.users[&user_id("sensor")].clone();
    away.active = false;
    stage.happens(What::UserChanged(away));
    keep(&mut stage, "t/a", "2", Qos::Least);
    stage.happens(What::UserRemoved { user: user_id("alice"), username: Name::fixed("alice") });
    keep(&mut stage, "t/a", "3", Qos::Least);
    stage.settle_and_relay();
    let drained = all(&sensor.seat);
    assert_eq!((payloads(&drained), drained.ended), (vec!["1".to_owned()], Some(Ended::UserInactive)));
    let drained = all(&alice.seat);
    assert_eq!(payloads(&drained), ["1", "2"]);
    assert_eq!(drained.ended, Some(Ended::UserRemoved));
}

#[test]
fn fewer_rights_cut_what_they_do_not_cover_at_their_place() {
    let (mut stage, sensor) = with_sensor();
    sensor.subscribe(&stage, &subscription("t/a", Qos::Least));
    sensor.subscribe(&stage, &subscription("linnet/device/sensor/in", Qos::Least));
    keep(&mut stage, "t/a", "a1", Qos::Least);
    keep(&mut stage, "t/b", "b1", Qos::Least);
    stage.happens(rights("sensor", &["t/a"], &["t/a"]));
    keep(&mut stage, "t/a", "a2", Qos::Least);
    keep(&mut stage, "t/b", "b2", Qos::Least);
    keep(&mut stage, "linnet/device/sensor/in", "its own", Qos::Least);
    stage.settle_and_relay();
    let drained = all(&sensor.seat);
    assert_eq!(payloads(&drained), ["a1", "b1", "a2", "its own"]);
    assert_eq!((drained.cut, drained.ended), (vec![(super::filter("t/#"), None)], None));
    assert_eq!(stage.hub.topics_counts().subscriptions, 2);
}

#[test]
fn a_role_or_a_name_that_goes_takes_its_topics_along() {
    let (mut stage, sensor) = with_sensor();
    sensor.subscribe(&stage, &subscription("linnet/device/sensor/in", Qos::Least));
    let alice = hearing(&stage, "a", "#");
    let mut renamed = stage.users[&user_id("sensor")].clone();
    renamed.username = Name::parse("probe").unwrap();
    stage.happens(What::UserChanged(renamed));
    let mut plain = stage.users[&user_id("alice")].clone();
    plain.roles = stage.users[&user_id("bob")].roles;
    stage.happens(What::UserChanged(plain));
    keep(&mut stage, "linnet/device/sensor/in", "for another", Qos::Least);
    keep(&mut stage, "t/a", "theirs", Qos::Least);
    stage.settle_and_relay();
    let drained = all(&sensor.seat);
    assert_eq!(payloads(&drained), ["theirs"]);
    assert_eq!(drained.cut, [(super::filter("linnet/device/sensor/in"), None)]);
    let drained = all(&alice.seat);
    assert_eq!((payloads(&drained).len(), drained.cut), (0, vec![(super::filter("#"), None)]));
}

#[test]
fn a_permit_in_hand_is_good_until_a_right_changes() {
    let (mut stage, sensor) = with_sensor();
    let (hears, as_of) = (hearing(&stage, "b", "t/#"), stage.as_of());
    let said = Arc::new(publication("sensor", "s", "t/a", "x", Qos::Most));
    let permit = policy::may_publish(&stage.actor(&user_id("sensor")), &said.topic).unwrap();
    stage.happens(rights("bob", &[], &[]));
    keep(&mut stage, "u", "y", Qos::Least);
    stage.settle();
    assert!(sensor.seat.publish(&permit, as_of, &said, 0).is_ok(), "what others may is not its affair");
    stage.happens(rights("sensor", &["t/#"], &["t/#"]));
    stage.settle();
    assert_eq!(sensor.seat.publish(&permit, as_of, &said, 0), Err(Refused::Stale));
    assert!(sensor.seat.publish(&permit, stage.as_of(), &said, 0).is_ok());
    let theirs = Arc::new(publication("alice", "s", "t/a", "x", Qos::Most));
    assert_eq!(sensor.seat.publish(&permit, stage.as_of(), &theirs, 0), Err(Refused::NotTheirPermit));
    assert_eq!(hears.payloads(), ["x", "x"]);
    let alices = policy::may_subscribe(&stage.actor(&user_id("alice")), &super::filter("t/#")).unwrap();
    let taken = sensor.seat.subscribe(&alices, &subscription("t/#", Qos::Least), stage.as_of());
    assert_eq!(taken, Err(Refused::NotTheirPermit));
}

#[test]
fn a_login_from_before_its_end_is_stale() {
    let (mut stage, _sensor) = with_sensor();
    let (login, as_of) = (who(&stage, "sensor", "s2", false), stage.as_of());
    keep(&mut stage, "t/a", "x", Qos::Least);
    stage.settle();
    assert!(stage.hub.take_topic_seat(login.clone(), as_of).is_ok());
    stage.happens(What::TokenRevoked { hash: token(&user_id("sensor"), 1), user: user_id("sensor") });
    stage.settle();
    assert_eq!(stage.hub.take_topic_seat(login, as_of).err(), Some(Refused::Stale));
}

#[test]
fn nothing_is_forgotten_before_those_who_hear_topics_know_of_it() {
    let mut stage = Stage::new(Bounds { tail_changes: 16, ..Bounds::default() });
    let hears = hearing(&stage, "a", "t");
    for number in 0..100 {
        keep(&mut stage, "t", &number.to_string(), Qos::Least);
    }
    // One group, larger than the tail, and no relay.
    stage.settle();
    assert!(hears.payloads().len() >= 80);
}
