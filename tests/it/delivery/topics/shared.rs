//! Subscriptions that a group shares.

use super::{Client, client, hearing, keep, payloads, rights, shared, stage, subscription, who};
use crate::delivery::stage::Stage;
use linnet::base::limits::TOPIC_QUEUE_MAX;
use linnet::chat::publication::Qos;
use linnet::delivery::TopicSeat;
use std::collections::BTreeSet;

#[test]
fn each_publication_goes_to_one_of_a_group_in_turn() {
    let mut stage = stage();
    let (publisher, alone) = (client(&stage, "alice", "p"), hearing(&stage, "x", "t/#"));
    let group: Vec<_> = (0..3).map(|_| client(&stage, "alice", "g")).collect();
    group.iter().for_each(|one| assert!(one.subscribe(&stage, &shared("t/#", "g"))));
    let other = client(&stage, "alice", "h");
    other.subscribe(&stage, &shared("t/#", "h"));
    for number in 0..6 {
        publisher.publish(&stage, "t/a", &number.to_string());
    }
    for number in 6..9 {
        keep(&mut stage, "t/a", &number.to_string(), Qos::Least);
    }
    stage.settle_and_relay();
    let numbers: Vec<String> = (0..9).map(|number| number.to_string()).collect();
    assert_eq!((alone.payloads(), other.payloads()), (numbers.clone(), numbers.clone()));
    let shares: Vec<Vec<String>> = group.iter().map(|one| one.payloads()).collect();
    assert!(shares.iter().all(|share| share.len() == 3), "{shares:?}");
    let all: BTreeSet<String> = shares.into_iter().flatten().collect();
    assert_eq!(all.into_iter().collect::<Vec<_>>(), numbers);
}

#[test]
fn one_hears_for_itself_and_for_the_group() {
    let stage = stage();
    let both = client(&stage, "alice", "a");
    both.subscribe(&stage, &shared("t", "g"));
    both.subscribe(&stage, &subscription("t", Qos::Least));
    client(&stage, "alice", "p").publish(&stage, "t", "x");
    let parcels = both.seat.drain(9, usize::MAX).parcels;
    assert_eq!(parcels.iter().map(|parcel| parcel.is_shared()).collect::<Vec<_>>(), [false, true]);
}

#[test]
fn what_one_who_leaves_did_not_deliver_goes_to_another() {
    let stage = stage();
    let (publisher, stays) = (client(&stage, "alice", "p"), client(&stage, "alice", "a"));
    let goes = client(&stage, "alice", "b");
    for one in [&stays, &goes] {
        one.subscribe(&stage, &shared("t", "g"));
    }
    for number in 0..6 {
        publisher.publish(&stage, "t", &number.to_string());
    }
    let mut taken = goes.seat.drain(2, usize::MAX).parcels;
    let acknowledged = taken.remove(0);
    assert_eq!(goes.seat.give_back(taken), 1);
    drop(goes);
    let mut there = stays.payloads();
    there.push(String::from_utf8(acknowledged.sheet.publication().payload.to_vec()).unwrap());
    there.sort_unstable();
    assert_eq!(there, ["0", "1", "2", "3", "4", "5"]);
    publisher.publish(&stage, "t", "6");
    let taken = stays.seat.drain(1, 1).parcels;
    assert_eq!(stays.seat.give_back(taken), 0, "there is nobody else");
    assert_eq!(stage.hub.topics_counts().dropped, 1);
}

#[test]
fn what_waits_goes_to_another_when_one_unsubscribes_or_ends() {
    let mut stage = stage();
    stage.happens(rights("sensor", &["t"], &["t"]));
    stage.settle_and_relay();
    let (publisher, stays) = (client(&stage, "alice", "p"), client(&stage, "alice", "a"));
    let (leaves, loses) = (client(&stage, "alice", "b"), client(&stage, "sensor", "c"));
    for one in [&stays, &leaves, &loses] {
        one.subscribe(&stage, &shared("t", "g"));
    }
    for number in 0..6 {
        publisher.publish(&stage, "t", &number.to_string());
    }
    assert!(leaves.seat.unsubscribe(&super::filter("t"), Some("g")));
    assert_eq!(leaves.payloads(), [""; 0]);
    stage.happens(rights("sensor", &[], &[]));
    stage.settle_and_relay();
    let lost = loses.seat.drain(9, usize::MAX);
    assert_eq!(lost.cut, [(super::filter("t"), Some("g".into()))]);
    loses.seat.give_back(lost.parcels);
    assert_eq!(stays.payloads().len(), 6);
}

#[test]
fn one_that_is_full_is_passed_over() {
    let stage = stage();
    let publisher = client(&stage, "alice", "p");
    let (slow, fast) = (client(&stage, "alice", "a"), client(&stage, "alice", "b"));
    for one in [&slow, &fast] {
        one.subscribe(&stage, &shared("t", "g"));
    }
    let mut heard = 0;
    for _ in 0..3 * TOPIC_QUEUE_MAX {
        publisher.publish(&stage, "t", "x");
        heard += fast.payloads().len();
    }
    let waiting = slow.seat.drain(usize::MAX, usize::MAX);
    assert_eq!((heard + payloads(&waiting).len(), waiting.missed), (3 * TOPIC_QUEUE_MAX, 0));
    assert_eq!(waiting.parcels.len(), TOPIC_QUEUE_MAX);
}

/// One whose session outlives its connection, in the group.
fn staying(stage: &Stage, name: &'static str) -> Client {
    let seat = stage.hub.take_topic_seat(who(stage, "alice", name, true), stage.as_of()).unwrap();
    let client = Client { seat, user: "alice", name };
    client.subscribe(stage, &shared("t", "g"));
    client
}

fn shed(seat: &TopicSeat) -> usize {
    seat.drain(usize::MAX, usize::MAX).parcels.len()
}

#[test]
fn what_is_kept_for_a_group_waits_while_nobody_can_take_it() {
    let mut stage = stage();
    let (one, group) = (staying(&stage, "a"), shared("t", "g"));
    stage.hub.park("a".into(), super::super::stage::user_id("alice"), std::slice::from_ref(&group));
    for number in 0..TOPIC_QUEUE_MAX + 5 {
        keep(&mut stage, "t", &number.to_string(), Qos::Least);
    }
    stage.settle_and_relay();
    let drained = one.seat.drain(usize::MAX, usize::MAX);
    assert_eq!((drained.parcels.len(), drained.missed), (TOPIC_QUEUE_MAX, 0));
    let behind = drained.group_behind.expect("the rest lies in the store");
    assert_eq!(drained.parcels.last().unwrap().sheet.seq(), Some(behind.after));
    assert_eq!(stage.hub.topics_counts().dropped, 0);
    // What is kept meanwhile does not pass what waits; and what was acknowledged is not told again.
    keep(&mut stage, "t", "later", Qos::Least);
    stage.settle_and_relay();
    assert_eq!(shed(&one.seat), 0);
    drained.parcels[1..].iter().for_each(|parcel| drop(one.seat.take_shared(parcel)));
    let first = drained.parcels[0].sheet.seq().unwrap();
    assert_eq!(one.seat.groups_heard()[0].heard.0, first.0 - 1);
    one.seat.lay_back(&drained.parcels[0]);
    assert!(one.seat.reclaim(&drained.parcels[0]) && !one.seat.reclaim(&drained.parcels[0]));
    one.seat.take_shared(&drained.parcels[0]);
    assert_eq!(one.seat.groups_heard()[0].heard, behind.after);
    drop(one);
    let other = client(&stage, "alice", "b");
    other.subscribe(&stage, &group);
    let again = other.seat.drain(usize::MAX, usize::MAX).group_behind.expect("it is told to whoever comes");
    assert_eq!((again.after, again.upto), (behind.after, stage.as_of()));
}
