//! One promise at a time.

use super::lives;
use super::stage::{Stage, device, joined, left, room_id, token, user_id};
use linnet::base::id::{RoomId, Seq};
use linnet::base::limits::SIGNALS_WAITING_MAX;
use linnet::chat::change::What;
use linnet::chat::room::RoomKind;
use linnet::chat::user::{Role, Roles};
use linnet::delivery::{Bounds, Ended, Event, Listener, Reach, Refused, SignalKind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

const ROOM: Reach = Reach { room: true, mine: false, own: false };
const MINE: Reach = Reach { room: false, mine: true, own: false };

fn stage() -> (Stage, RoomId, RoomId) {
    (Stage::new(Bounds::default()), room_id("greenhouse"), room_id("workshop"))
}

fn all(listener: &Listener) -> Vec<Event> {
    lives::all(listener, 2)
}

/// The places of the Changes told.
fn places(events: &[Event]) -> Vec<Seq> {
    let place = |event: &Event| match event {
        Event::Change { change, .. } => Some(change.seq),
        _ => None,
    };
    events.iter().filter_map(place).collect()
}

#[derive(Default)]
struct Bell(AtomicUsize);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Bell {
    fn watch(self: &Arc<Self>, listener: &mut Listener) -> Poll<()> {
        listener.poll_ready(&mut Context::from_waker(&Waker::from(Arc::clone(self))))
    }

    fn rung(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

#[test]
fn followers_hear_their_room_in_order_and_once() {
    let (mut stage, greenhouse, workshop) = stage();
    stage.happens(joined(&workshop, &user_id("bob")));
    stage.settle_and_relay();
    let (in_greenhouse, in_workshop) =
        (stage.follower("mallory", &greenhouse), stage.follower("bob", &workshop));
    let mut said = [Vec::new(), Vec::new()];
    for _group in 0..5 {
        for _post in 0..7 {
            said[0].push(stage.post(&greenhouse));
            said[1].push(stage.post(&workshop));
        }
        stage.settle_and_relay();
    }
    assert_eq!([places(&all(&in_greenhouse)), places(&all(&in_workshop))], said);
    assert_eq!([all(&in_greenhouse), all(&in_workshop)], [vec![], vec![]]);
}

#[test]
fn nothing_follows_a_kick_even_in_the_same_group() {
    let (mut stage, _, workshop) = stage();
    let bob = user_id("bob");
    stage.happens(joined(&workshop, &bob));
    stage.settle_and_relay();
    let listener = stage.follower("bob", &workshop);
    let before = stage.post(&workshop);
    let kick = stage.happens(left(&workshop, &bob));
    stage.post(&workshop);
    stage.settle_and_relay();
    stage.post(&workshop);
    stage.settle_and_relay();
    let events = all(&listener);
    assert_eq!(places(&events), [before, kick]);
    assert_eq!(events.last(), Some(&Event::RoomRevoked { room: workshop, at: kick, reach: ROOM }));
}

#[test]
fn a_revoked_token_ends_the_stream_at_its_place() {
    let (mut stage, greenhouse, _) = stage();
    let bob = user_id("bob");
    let (mut listener, other) = (stage.follower("bob", &greenhouse), stage.follower("mallory", &greenhouse));
    let first = stage.post(&greenhouse);
    stage.happens(What::TokenRevoked { hash: token(&bob, 1), user: bob.clone() });
    let second = stage.post(&greenhouse);
    stage.settle_and_relay();
    let events = all(&listener);
    assert_eq!(places(&events), [first]);
    assert_eq!(events.last(), Some(&Event::Ended(Ended::TokenRevoked)));
    assert_eq!(places(&all(&other)), [first, second]);
    assert_eq!(Arc::new(Bell::default()).watch(&mut listener), Poll::Pending, "nothing comes any more");
    assert_eq!(stage.hub.online(&bob), 0);
    let permit = stage.may_read(&bob, &greenhouse).unwrap();
    assert_eq!(listener.follow_room(permit, stage.as_of()), Err(Refused::Ended));
}

#[test]
fn a_login_or_permit_from_before_its_end_is_stale() {
    let (mut stage, _, workshop) = stage();
    let bob = user_id("bob");
    stage.happens(joined(&workshop, &bob));
    stage.settle_and_relay();
    let (listener, as_of) = (stage.attach("bob"), stage.as_of());
    let permit = stage.may_read(&bob, &workshop).unwrap();
    let mine = stage.permits_of(&bob);
    stage.happens(left(&workshop, &bob));
    stage.happens(What::TokenRevoked { hash: token(&bob, 1), user: bob.clone() });
    stage.settle();
    let who = stage.who(&bob, Some(token(&bob, 1)));
    for relayed in [false, true] {
        assert_eq!(listener.follow_room(permit.clone(), as_of), Err(Refused::Stale), "relayed: {relayed}");
        assert_eq!(listener.follow_mine(mine.clone(), as_of), Err(Refused::Stale), "relayed: {relayed}");
        assert_eq!(stage.hub.attach(who.clone(), as_of).err(), Some(Refused::Stale), "relayed: {relayed}");
        stage.relay();
    }
}

#[test]
fn nothing_is_lost_between_permit_and_follow() {
    let (mut stage, greenhouse, workshop) = stage();
    stage.happens(joined(&workshop, &user_id("bob")));
    stage.settle_and_relay();
    let listener = stage.follower("bob", &workshop);
    let (as_of, permit) = (stage.as_of(), stage.may_read(&user_id("bob"), &greenhouse).unwrap());
    let said = [stage.post(&workshop), stage.post(&greenhouse), stage.post(&workshop)];
    stage.settle_and_relay();
    assert_eq!(places(&all(&listener)), [said[0], said[2]]);
    listener.follow_room(permit, as_of).unwrap();
    let later = [stage.post(&greenhouse), stage.post(&workshop)];
    stage.settle_and_relay();
    assert_eq!(places(&all(&listener)), [said[1], later[0], later[1]], "the workshop is not told twice");
}

#[test]
fn a_laggard_resyncs_and_nobody_else_notices() {
    let mut stage = Stage::new(Bounds { tail_changes: 16, ..Bounds::default() });
    let greenhouse = room_id("greenhouse");
    let (laggard, other) = (stage.follower("bob", &greenhouse), stage.follower("mallory", &greenhouse));
    let since = stage.as_of();
    for _ in 0..100 {
        let said = stage.post(&greenhouse);
        stage.settle_and_relay();
        assert_eq!(places(&all(&other)), [said]);
        let kept = stage.log.iter().filter(|change| Arc::strong_count(change) > 1).count();
        assert!(kept <= 16, "{kept} Changes in memory");
    }
    assert_eq!(all(&laggard), [Event::Resync { since }]);
    stage.post(&greenhouse);
    stage.settle_and_relay();
    assert_eq!(all(&laggard), [], "its rights may have ended in between");
    laggard.follow_room(stage.may_read(&user_id("bob"), &greenhouse).unwrap(), stage.as_of()).unwrap();
    let said = stage.post(&greenhouse);
    stage.settle_and_relay();
    assert_eq!(places(&all(&laggard)), [said]);
}

#[test]
fn an_end_is_known_even_when_nobody_relays_in_time() {
    let mut stage = Stage::new(Bounds { tail_changes: 16, ..Bounds::default() });
    let (bob, greenhouse) = (user_id("bob"), room_id("greenhouse"));
    let (gone, other) = (stage.follower("bob", &greenhouse), stage.follower("mallory", &greenhouse));
    let since = stage.as_of();
    stage.happens(What::TokenRevoked { hash: token(&bob, 1), user: bob });
    for _ in 0..100 {
        stage.post(&greenhouse);
    }
    stage.settle();
    assert_eq!(all(&gone), [Event::Ended(Ended::TokenRevoked)]);
    assert!(matches!(all(&other)[..], [Event::Resync { since: told }] if told > since));
}

#[test]
fn a_room_that_closes_keeps_its_members_only() {
    let (mut stage, greenhouse, _) = stage();
    let (visitor, newcomer) = (stage.follower("mallory", &greenhouse), stage.follower("bob", &greenhouse));
    stage.happens(joined(&greenhouse, &user_id("bob")));
    let mut closed = stage.rooms[&greenhouse].clone();
    closed.kind = RoomKind::Private;
    let at = stage.happens(What::RoomChanged { room: closed, former_name: None });
    let said = stage.post(&greenhouse);
    stage.settle_and_relay();
    let events = all(&visitor);
    assert_eq!(events.last(), Some(&Event::RoomRevoked { room: greenhouse, at, reach: ROOM }));
    assert!(!places(&events).contains(&at), "how the room is now is not the visitor's to know");
    assert_eq!(places(&all(&newcomer))[1..], [at, said]);
}

#[test]
fn roles_and_bindings_end_what_stood_on_them() {
    let (mut stage, greenhouse, workshop) = stage();
    let (sensor, mallory) = (stage.follower("sensor", &greenhouse), stage.follower("mallory", &greenhouse));
    let unbound = stage.happens(device(&user_id("sensor"), std::slice::from_ref(&workshop)));
    let mut renamed = stage.users[&user_id("mallory")].clone();
    renamed.name = "Mallory".into();
    let same_roles = stage.happens(What::UserChanged(renamed.clone()));
    renamed.roles = Roles::of(&[Role::Guest]);
    let other_roles = stage.happens(What::UserChanged(renamed));
    stage.post(&greenhouse);
    stage.settle_and_relay();
    let revoked = |at| Event::RoomRevoked { room: greenhouse.clone(), at, reach: ROOM };
    assert_eq!(all(&sensor)[1..], [revoked(unbound)]);
    let events = all(&mallory);
    assert_eq!((places(&events), &events[2..]), (vec![same_roles, other_roles], &[revoked(other_roles)][..]));
}

#[test]
fn ones_own_rooms_are_those_of_each_moment() {
    let (mut stage, greenhouse, workshop) = stage();
    let bob = user_id("bob");
    stage.happens(joined(&greenhouse, &bob));
    stage.settle_and_relay();
    let listener = stage.attach("bob");
    listener.follow_mine(stage.permits_of(&bob), stage.as_of()).unwrap();
    stage.post(&workshop);
    let in_first = stage.post(&greenhouse);
    let joining = stage.happens(joined(&workshop, &bob));
    let in_second = stage.post(&workshop);
    let leaving = stage.happens(left(&greenhouse, &bob));
    stage.post(&greenhouse);
    stage.settle_and_relay();
    let events = all(&listener);
    assert_eq!(places(&events), [in_first, joining, in_second, leaving]);
    assert_eq!(events.last(), Some(&Event::RoomRevoked { room: greenhouse, at: leaving, reach: MINE }));
}

#[test]
fn going_back_for_a_new_room_repeats_no_joining() {
    let (mut stage, greenhouse, workshop) = stage();
    let bob = user_id("bob");
    let listener = stage.attach("bob");
    listener.follow_mine(vec![], stage.as_of()).unwrap();
    let (as_of, permit) = (stage.as_of(), stage.may_read(&bob, &greenhouse).unwrap());
    let said = stage.post(&greenhouse);
    let membership = [stage.happens(joined(&workshop, &bob)), stage.happens(left(&workshop, &bob))];
    stage.settle_and_relay();
    assert_eq!(places(&all(&listener)), membership);
    listener.follow_room(permit, as_of).unwrap();
    assert_eq!(places(&all(&listener)), [said]);
}

#[test]
fn only_the_audience_is_woken_and_only_once() {
    let (mut stage, greenhouse, _) = stage();
    let (mut follower, mut outsider) = (stage.follower("bob", &greenhouse), stage.attach("mallory"));
    let (ours, theirs) = (Arc::new(Bell::default()), Arc::new(Bell::default()));
    assert_eq!((ours.watch(&mut follower), theirs.watch(&mut outsider)), (Poll::Pending, Poll::Pending));
    for _ in 0..3 {
        stage.post(&greenhouse);
        stage.settle_and_relay();
    }
    assert_eq!((ours.rung(), theirs.rung()), (1, 0));
    assert_eq!((ours.watch(&mut follower), theirs.watch(&mut outsider)), (Poll::Ready(()), Poll::Pending));
    assert_eq!(all(&follower).len(), 3);
    assert_eq!(ours.watch(&mut follower), Poll::Pending);
}

#[test]
fn settling_wakes_nobody_before_the_relay_runs() {
    let (mut stage, greenhouse, _) = stage();
    let mut follower = stage.follower("bob", &greenhouse);
    let bell = Arc::new(Bell::default());
    assert_eq!(bell.watch(&mut follower), Poll::Pending);
    stage.post(&greenhouse);
    stage.settle();
    assert_eq!((bell.rung(), all(&follower).len()), (0, 0));
    stage.relay();
    assert_eq!((bell.rung(), all(&follower).len()), (1, 1));
}

#[test]
fn typing_is_heard_in_the_room_and_by_no_one_else() {
    let (mut stage, greenhouse, workshop) = stage();
    let (bob, mallory) = (user_id("bob"), user_id("mallory"));
    stage.happens(joined(&workshop, &bob));
    stage.happens(joined(&workshop, &mallory));
    stage.settle_and_relay();
    let (sender, other) = (stage.follower("bob", &workshop), stage.follower("mallory", &workshop));
    let elsewhere = stage.follower("alice", &greenhouse);
    let permit = stage.may_post(&bob, &workshop).unwrap();
    stage.hub.signal(&permit, SignalKind::Typing(true));
    assert_eq!((all(&sender), all(&elsewhere)), (vec![], vec![]));
    assert!(matches!(&all(&other)[..], [Event::Signal(signal)] if signal.by == bob));
    for number in 0..SIGNALS_WAITING_MAX + 5 {
        stage.hub.signal(&permit, SignalKind::other(&number.to_le_bytes()).unwrap());
    }
    let drained = other.drain(100);
    assert_eq!((drained.events.len(), drained.signals_missed), (SIGNALS_WAITING_MAX, 5));
    // Even when the relay has not come to the kick yet.
    stage.happens(left(&workshop, &mallory));
    stage.settle();
    stage.hub.signal(&permit, SignalKind::Typing(false));
    assert!(!all(&other).iter().any(|event| matches!(event, Event::Signal(_))));
}

#[test]
fn presence_is_the_first_and_the_last_listener() {
    let (stage, ..) = stage();
    let watcher = stage.attach("alice");
    watcher.follow_presence(true);
    watcher.follow_presence(false);
    watcher.follow_presence(true);
    let both = [stage.attach("bob"), stage.attach("bob")];
    assert_eq!(stage.hub.online(&user_id("bob")), 2);
    drop(both);
    assert_eq!(stage.hub.online(&user_id("bob")), 0);
    let kinds = all(&watcher).into_iter().map(|event| match event {
        Event::Signal(signal) => signal.kind.clone(),
        other => panic!("{other:?} is no signal"),
    });
    assert_eq!(kinds.collect::<Vec<_>>(), [SignalKind::Online(true), SignalKind::Online(false)]);
}

#[test]
fn listeners_are_bounded_and_leave_nothing_behind() {
    let stage = Stage::new(Bounds { listeners: 3, ..Bounds::default() });
    for _round in 0..10 {
        let there: Vec<_> = (0..3).map(|_| stage.follower("bob", &room_id("greenhouse"))).collect();
        assert_eq!(stage.try_attach("mallory").err(), Some(Refused::TooManyListeners));
        assert_eq!(stage.hub.listeners(), there.len());
    }
    assert_eq!(stage.hub.listeners(), 0);
}

#[test]
#[cfg_attr(debug_assertions, should_panic(expected = "permits of its own user"))]
fn somebody_elses_permit_opens_nothing() {
    let (stage, greenhouse, _) = stage();
    let permit = stage.may_read(&user_id("alice"), &greenhouse).unwrap();
    assert_eq!(stage.attach("bob").follow_room(permit, stage.as_of()), Err(Refused::NotTheirPermit));
}

#[tokio::test]
async fn a_waiting_session_is_woken_from_another_thread() {
    let (mut stage, greenhouse, _) = stage();
    let mut follower = stage.follower("bob", &greenhouse);
    let relay = stage.take_relay();
    let said = stage.post(&greenhouse);
    let (hub, change) = (Arc::clone(&stage.hub), stage.log.last().unwrap().clone());
    let sync = std::thread::spawn(move || hub.settle(&[change]));
    let limit = tokio::time::timeout(std::time::Duration::from_secs(10), follower.ready());
    tokio::select! {
        () = relay => panic!("the relay never ends"),
        woken = limit => woken.expect("the relay wakes it"),
    }
    assert_eq!(places(&all(&follower)), [said]);
    sync.join().unwrap();
}
