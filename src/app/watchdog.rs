//! Tells the service manager that the node is alive, for as long as a write gets through.
//!
//! A process that answers pages but whose writer or disk hangs is of no use to anybody: what counts is that an empty
//! job comes back from the writer and from the settler behind it. Nothing is written for it.

use crate::chat::refusal::Refusal;
use crate::node::{Caller, NodeHandle};
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval};

/// How often it is tried within the time in which the manager has to hear it once.
const TRIES: u32 = 4;

/// Calls `alive` several times within the time `within`, while the node's writer does its work.
pub async fn feed(node: NodeHandle, within: Duration, alive: impl Fn()) {
    let mut looks = interval(within / TRIES);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        looks.tick().await;
        let answer = node.call(&Caller::Operator, |_| Ok(())).await;
        // A full disk is no hang, and starting anew would not make room. Who is busy is asked again.
        if matches!(answer, Ok(()) | Err(Refusal::DiskFull)) {
            alive();
        }
    }
}
