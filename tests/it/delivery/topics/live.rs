//! Publications that nobody keeps.

use super::{client, hearing, payloads, publication, rights, stage, subscription, who};
use crate::delivery::stage::{Stage, user_id};
use bytes::Bytes;
use linnet::base::limits::{SUBSCRIPTIONS_MAX, TOPIC_QUEUE_MAX};
use linnet::chat::policy;
use linnet::chat::publication::{Publication, Qos, Subscription};
use linnet::delivery::{Bounds, Hub, Reached, Refused};
use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

#[test]
fn a_publication_reaches_those_who_hear_its_topic() {
    let stage = stage();
    let (kitchen, all) = (hearing(&stage, "a", "home/kitchen"), hearing(&stage, "b", "home/#"));
    let (any, none) = (hearing(&stage, "c", "home/+"), hearing(&stage, "d", "garden/#"));
    let publisher = client(&stage, "alice", "p");
    assert_eq!(publisher.publish(&stage, "home/kitchen", "21.5"), Reached { seats: 3 });
    assert_eq!(publisher.publish(&stage, "home/kitchen/light", "on"), Reached { seats: 1 });
    assert_eq!(kitchen.payloads(), ["21.5"]);
    assert_eq!(any.payloads(), ["21.5"]);
    assert_eq!(all.payloads(), ["21.5", "on"]);
    assert_eq!(none.payloads(), [""; 0]);
    assert!(kitchen.seat.unsubscribe(&super::filter("home/kitchen"), None));
    assert!(!kitchen.seat.unsubscribe(&super::filter("home/kitchen"), None));
    assert_eq!(publisher.publish(&stage, "home/kitchen", "22"), Reached { seats: 2 });
    assert_eq!(kitchen.payloads(), [""; 0]);
}

#[test]
fn overlapping_subscriptions_bring_it_once_with_the_most_they_ask_for() {
    let stage = stage();
    let hears = client(&stage, "alice", "a");
    let with = |text, qos, id| Subscription { id, ..subscription(text, qos) };
    hears.subscribe(&stage, &with("t/a", Qos::Most, Some(7)));
    hears.subscribe(&stage, &with("t/+", Qos::Least, None));
    hears.subscribe(&stage, &Subscription { retain_as_published: true, ..with("t/#", Qos::Most, Some(300)) });
    let said = Publication { retain: true, ..publication("alice", "p", "t/a", "x", Qos::Exactly) };
    client(&stage, "alice", "p").publish_as(&stage, said);
    let parcels = hears.seat.drain(9, 9).parcels;
    assert_eq!((parcels.len(), parcels[0].qos, parcels[0].retain), (1, Qos::Least, true));
    let mut ids = parcels[0].ids.as_slice().to_vec();
    ids.sort_unstable();
    assert_eq!(ids, [7, 300]);
    assert!(!hears.subscribe(&stage, &with("t/+", Qos::Most, Some(9))), "it is there already");
    hears.seat.unsubscribe(&super::filter("t/a"), None);
    hears.seat.unsubscribe(&super::filter("t/#"), None);
    client(&stage, "alice", "p").publish(&stage, "t/a", "y");
    let parcels = hears.seat.drain(9, 9).parcels;
    assert_eq!((parcels[0].qos, parcels[0].retain, parcels[0].ids.as_slice()), (Qos::Most, false, &[9][..]));
}

#[test]
fn bytes_are_encoded_once_for_all_and_belong_to_a_form() {
    let stage = stage();
    let there: Vec<_> = (0..50).map(|_| hearing(&stage, "a", "t")).collect();
    client(&stage, "alice", "p").publish(&stage, "t", "x");
    let encoded = Cell::new(0);
    for client in &there {
        let drained = client.seat.drain(1, 1);
        for form in [0, 1] {
            let frame = drained.parcels[0].sheet.frame(form, || {
                encoded.set(encoded.get() + 1);
                Bytes::from(vec![form as u8; 3])
            });
            assert_eq!(frame, &vec![form as u8; 3]);
        }
        assert_eq!((drained.parcels[0].sheet.arrived_ms(), drained.parcels[0].sheet.seq()), (7, None));
    }
    assert_eq!(encoded.get(), 2);
    assert_eq!(stage.hub.topics_counts().waiting_bytes, 0, "what was taken and let go is counted no more");
}

#[test]
fn ones_own_words_are_left_out_where_asked() {
    let stage = stage();
    let (own, other) = (client(&stage, "alice", "a"), client(&stage, "alice", "b"));
    for client in [&own, &other] {
        client.subscribe(&stage, &Subscription { no_local: true, ..subscription("t/#", Qos::Least) });
    }
    own.publish(&stage, "t", "x");
    assert_eq!((own.payloads(), other.payloads()), (vec![], vec!["x".to_owned()]));
    own.subscribe(&stage, &Subscription { id: Some(4), ..subscription("t", Qos::Most) });
    own.publish(&stage, "t", "y");
    let parcels = own.seat.drain(9, 9).parcels;
    assert_eq!((parcels.len(), parcels[0].qos, parcels[0].ids.as_slice()), (1, Qos::Most, &[4][..]));
}

#[test]
fn a_full_queue_misses_what_is_live_and_counts_it() {
    let stage = stage();
    let (slow, fast, publisher) =
        (hearing(&stage, "a", "t"), hearing(&stage, "b", "t"), client(&stage, "alice", "p"));
    for number in 0..TOPIC_QUEUE_MAX + 25 {
        publisher.publish(&stage, "t", &number.to_string());
        assert_eq!(fast.payloads(), [number.to_string()]);
    }
    let first = slow.seat.drain(10, usize::MAX);
    assert_eq!((first.parcels.len(), first.missed, first.behind, first.more), (10, 25, false, true));
    let rest = slow.seat.drain(usize::MAX, usize::MAX);
    assert_eq!((rest.parcels.len(), rest.missed, rest.more), (TOPIC_QUEUE_MAX - 10, 0, false));
    assert_eq!(payloads(&rest)[0], "10");
    assert_eq!(stage.hub.topics_counts().dropped, 25);
}

#[test]
fn bytes_that_wait_are_bounded_for_one_and_for_all() {
    let bounds = Bounds { topics_bytes: 400_000, ..Bounds::default() };
    let stage = Stage::new(bounds);
    let publisher = client(&stage, "alice", "p");
    let large = "x".repeat(200_000);
    let slow = hearing(&stage, "a", "large/#");
    let small = hearing(&stage, "b", "small");
    publisher.publish(&stage, "small", "first");
    for number in 0..30 {
        publisher.publish(&stage, &format!("large/{number}"), &large);
        let waiting = stage.hub.topics_counts().waiting_bytes;
        assert!(waiting < 700_000, "{waiting} bytes wait");
    }
    publisher.publish(&stage, "small", "last");
    assert_eq!(small.payloads(), ["first", "last"], "who holds little loses nothing");
    let drained = slow.seat.drain(usize::MAX, usize::MAX);
    assert_eq!(drained.parcels.len() as u64 + drained.missed, 30);
    assert!(drained.missed > 20, "{}", drained.missed);
}

struct Bell {
    hub: Arc<Hub>,
    rung: AtomicUsize,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        // With the lock held this would never end.
        assert_eq!(self.hub.topics_counts().seats, 3);
        self.rung.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn whoever_hears_is_woken_once_and_without_the_lock() {
    let stage = stage();
    let publisher = client(&stage, "alice", "p");
    let (mut hears, mut other) = (hearing(&stage, "a", "t"), hearing(&stage, "b", "u"));
    let [ours, theirs] =
        [(); 2].map(|()| Arc::new(Bell { hub: Arc::clone(&stage.hub), rung: AtomicUsize::new(0) }));
    let poll = |bell: &Arc<Bell>, client: &mut super::Client| {
        client.seat.poll_ready(&mut Context::from_waker(&Waker::from(Arc::clone(bell))))
    };
    assert_eq!((poll(&ours, &mut hears), poll(&theirs, &mut other)), (Poll::Pending, Poll::Pending));
    for _ in 0..3 {
        publisher.publish(&stage, "t", "x");
    }
    let rung = [ours.rung.load(Ordering::SeqCst), theirs.rung.load(Ordering::SeqCst)];
    assert_eq!(rung, [1, 0]);
    assert_eq!((poll(&ours, &mut hears), poll(&theirs, &mut other)), (Poll::Ready(()), Poll::Pending));
    assert_eq!(hears.payloads().len(), 3);
    assert_eq!(poll(&ours, &mut hears), Poll::Pending);
}

#[test]
fn seats_and_filters_are_bounded_and_leave_nothing_behind() {
    let stage = Stage::new(Bounds { listeners: 3, filters_bytes: 100_000, ..Bounds::default() });
    for round in 0..5 {
        let there: Vec<_> = (0..3).map(|_| client(&stage, "alice", "a")).collect();
        let refused = stage.hub.take_topic_seat(who(&stage, "alice", "x", false), stage.as_of()).err();
        assert_eq!(refused, Some(Refused::TooManyListeners));
        for number in 0..SUBSCRIPTIONS_MAX {
            there[0].subscribe(&stage, &subscription(&format!("{round}/{number}"), Qos::Most));
        }
        let one_more = there[0].try_subscribe(&stage, &subscription("more", Qos::Most));
        assert_eq!(one_more, Err(Refused::TooManyFilters));
        let long = format!("{}/#", "long/".repeat(50));
        let fits = (0..SUBSCRIPTIONS_MAX).take_while(|number| {
            there[1].try_subscribe(&stage, &subscription(&format!("{number}/{long}"), Qos::Most)).is_ok()
        });
        assert!((3..30).contains(&fits.count()), "what all hear together is bounded too");
    }
    let counts = stage.hub.topics_counts();
    assert_eq!((counts.seats, counts.subscriptions), (0, 0));
}

#[test]
fn who_has_no_seat_publishes_with_a_fresh_permit_only() {
    let mut stage = stage();
    stage.happens(rights("sensor", &["t"], &[]));
    stage.settle_and_relay();
    let hears = hearing(&stage, "a", "t");
    let said = Arc::new(publication("sensor", "gone", "t", "died", Qos::Least));
    let permit = policy::may_publish(&stage.actor(&user_id("sensor")), &said.topic).unwrap();
    let as_of = stage.as_of();
    assert_eq!(stage.hub.publish(&permit, as_of, &said, 0), Ok(Reached { seats: 1 }));
    let other = Arc::new(publication("sensor", "gone", "u", "died", Qos::Least));
    assert_eq!(stage.hub.publish(&permit, as_of, &other, 0), Err(Refused::NotTheirPermit));
    stage.happens(rights("sensor", &[], &[]));
    stage.settle();
    assert_eq!(stage.hub.publish(&permit, as_of, &said, 0), Err(Refused::Stale));
    assert_eq!(hears.payloads(), ["died"]);
}
