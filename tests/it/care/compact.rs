//! `linnet compact` beside everything else that a node does.

use super::{room, talk};
use crate::harness::life::Life;
use crate::harness::wait::{until, within};
use linnet::base::limits::JOBS_PER_CALLER_MAX;
use linnet::chat::refusal::Refusal;
use linnet::chat::user::Role;
use linnet::node::care::compact;
use linnet::node::run::{Running, run};
use linnet::node::trim::Retention;
use linnet::node::{Caller, NodeHandle};
use std::sync::mpsc::{self, Sender};

/// A node with something to compact, whose writer is held up and takes nothing more from the operator.
struct Held {
    node: NodeHandle,
    running: Running,
    bob: Caller,
    go_on: Sender<()>,
}

fn held() -> Held {
    let mut life = Life::begin(21);
    let (_, bob) = life.user("bob", &[Role::User]);
    let shed = room(&mut life, &bob, "shed");
    talk(&mut life, &bob, &[&shed], 200);
    life.call(|n| n.remove_room(&bob, &shed)).unwrap();
    talk(&mut life, &bob, &[&linnet::chat::room::Room::GENERAL], 200);
    let (node, running) = run(life.parts, || {}).unwrap();
    let (go_on, held) = mpsc::channel::<()>();
    let waits = move |_: &mut linnet::node::Node| {
        let _ = held.recv();
        Ok(())
    };
    drop(node.send(&Caller::Operator, waits).unwrap());
    while node.waiting() > 0 {
        std::thread::yield_now();
    }
    for _ in 0..JOBS_PER_CALLER_MAX {
        drop(node.send(&Caller::Operator, |_| Ok(())).unwrap());
    }
    assert!(matches!(node.send(&Caller::Operator, |_| Ok(())), Err(Refusal::Busy)));
    Held { node, running, bob, go_on }
}

/// Compacts, on a task of its own.
fn begin(node: &NodeHandle) -> tokio::task::JoinHandle<Result<linnet::node::condense::GivenBack, Refusal>> {
    let node = node.clone();
    tokio::spawn(async move { compact(&node, Retention::default()).await })
}

#[tokio::test]
async fn a_node_with_much_to_do_is_compacted_when_it_has_a_moment() {
    let Held { node, running, go_on, .. } = held();
    let refused = |node: &NodeHandle| node.counts().refusals()[0].1;
    let before = refused(&node);
    let compacting = begin(&node);
    until("it was sent away", || refused(&node) > before || compacting.is_finished()).await;
    go_on.send(()).unwrap();
    let given = within("the end", compacting).await.unwrap().unwrap();
    assert!(given.changes >= 200 && given.bytes > 0, "{given:?}");
    running.stop().unwrap();
}

#[tokio::test]
async fn a_stop_ends_compacting_without_a_trouble_and_waits_for_it() {
    let Held { node, running, bob, go_on } = held();
    let compacting = begin(&node);
    let (done, stopped) = mpsc::channel();
    std::thread::spawn(move || done.send(running.stop()));
    until("nothing is taken any more", || matches!(node.send(&bob, |_| Ok(())), Err(Refusal::Busy))).await;
    // Busy is said at the level of a fact; what breaks is told as a failed store.
    assert_eq!(within("the end", compacting).await.unwrap(), Err(Refusal::Busy));
    go_on.send(()).unwrap();
    until("it has stopped", || stopped.try_recv().is_ok_and(|stopped| stopped.is_ok())).await;
    assert!(node.health.current().is_empty(), "{:?}", node.health.current());
}
