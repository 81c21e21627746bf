//! The node's care for its disk, on a thread of its own beside everything else: rooms are trimmed where the owner asked
//! for it, and words that were taken back leave the disk within a day.

use crate::base::id::RoomId;
use crate::base::limits::{
    CARE_BREATH_GROUPS, CARE_BREATH_MS, CARE_GRACE_MS, CARE_LOOK_MS, PAGE_ENTRIES_MAX, UNWANTED_MS,
};
use crate::chat::refusal::Refusal;
use crate::node::caller::Caller;
use crate::node::condense::{GivenBack, Hands, Job, Scope, condense};
use crate::node::health::{Trouble, TroubleKind};
use crate::node::reply::reply;
use crate::node::trim::Retention;
use crate::node::{NodeHandle, Reading, refuse};
use crate::store::error::StoreError;
use crate::store::index::kv::{Order as Way, Shelf};
use crate::store::keys::{self, end_of, text_after};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::sync::{Arc, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// The thread that cares.
pub struct Care {
    stop: SyncSender<()>,
    thread: JoinHandle<()>,
}

impl Care {
    /// Begins to care; rooms without a rule of their own are trimmed by this measure.
    pub fn start(node: NodeHandle, retention: Retention) -> std::io::Result<Care> {
        let (stop, stopped) = mpsc::sync_channel(1);
        let thread = thread::Builder::new().name("linnet-care".into()).spawn(move || {
            let look = Duration::from_millis(CARE_LOOK_MS);
            let mut rounds = Rounds::new(retention);
            while stopped.recv_timeout(look) == Err(RecvTimeoutError::Timeout) {
                tell(&node, look_after(&node, &mut rounds, &stopped));
            }
        })?;
        Ok(Care { stop, thread })
    }

    /// Stops caring, in the middle of it too: it goes on at the next start.
    pub fn stop(self) {
        drop(self.stop);
        if self.thread.join().is_err() {
            tracing::error!("the thread that cares for the disk panicked");
        }
    }
}

/// Nothing is lost where it failed, and the next look tries again; what keeps on failing leaves words on the disk.
fn tell(node: &NodeHandle, cared: Result<GivenBack, StoreError>) {
    match cared {
        Ok(_) => node.health.clear(TroubleKind::CareFailed),
        // The node is stopping, or full of work or of data: it has said so where that is a trouble.
        Err(error @ (StoreError::CannotCondense { .. } | StoreError::Stopped | StoreError::NoRoom)) => {
            tracing::info!(%error, "the care for the disk waits");
        }
        Err(error) => {
            let text = format!("Old messages could not be trimmed, or deleted ones not erased: {error}.");
            node.health.note(Trouble { kind: TroubleKind::CareFailed, text });
        }
    }
}

/// Trims rooms to their measure, this one where they have none of their own, and takes everything off the disk that can
/// go, now.
pub async fn compact(node: &NodeHandle, retention: Retention) -> Result<GivenBack, Refusal> {
    let (giver, answer) = reply();
    let node = node.clone();
    let work = move || {
        let _alone = node.caring.lock().unwrap_or_else(PoisonError::into_inner);
        let mut hands = Writing { node: &node, stopped: None, groups: 0 };
        giver.give(node.read(|reading| {
            let trimmed = trim(reading, &mut hands, retention);
            trimmed.and_then(|()| condense(reading, &mut hands, Scope::All)).map_err(refuse)
        }));
    };
    let started = thread::Builder::new().name("linnet-compact".into()).spawn(work);
    started.map_err(|error| {
        tracing::error!(%error, "no thread for compacting");
        Refusal::Busy
    })?;
    answer.await.unwrap_or(Err(Refusal::StoreFailed))
}

/// What is done at every look.
pub struct Rounds {
    retention: Retention,
}

impl Rounds {
    /// Rooms without a rule of their own are trimmed by this measure.
    pub fn new(retention: Retention) -> Rounds {
        Rounds { retention }
    }

    /// One look at what is due. Nothing else may condense or trim meanwhile.
    pub fn look(&mut self, reading: &Reading, hands: &mut dyn Hands) -> Result<GivenBack, StoreError> {
        trim(reading, hands, self.retention)?;
        let due = reading.clock().now().wall_ms.saturating_sub(UNWANTED_MS);
        condense(reading, hands, Scope::Unwanted(due))
    }
}

fn look_after(
    node: &NodeHandle,
    rounds: &mut Rounds,
    stopped: &Receiver<()>,
) -> Result<GivenBack, StoreError> {
    let _alone = node.caring.lock().unwrap_or_else(PoisonError::into_inner);
    let mut hands = Writing { node, stopped: Some(stopped), groups: 0 };
    let mut done = Ok(GivenBack::default());
    let _ = node.read(|reading| {
        done = rounds.look(reading, &mut hands);
        Ok(())
    });
    done
}

/// Trims every room to its measure.
fn trim(reading: &Reading, hands: &mut dyn Hands, retention: Retention) -> Result<(), StoreError> {
    let prefix = keys::rooms();
    let mut from = prefix.to_vec();
    loop {
        let page = reading.scan(&from, &end_of(&prefix), Way::Up, PAGE_ENTRIES_MAX)?;
        let Some((last, _)) = page.last() else { return Ok(()) };
        from = [last, &[0][..]].concat();
        for room in page.iter().filter_map(|(key, _)| text_after(&prefix, key).and_then(RoomId::parse)) {
            let first = retention.in_room(reading, &room)?.first_kept(reading, &room)?;
            while first > 0 && trim_some(hands, &room, first)? {}
        }
        hands.breathe();
    }
}

/// Trims some of a room; whether more remain.
fn trim_some(hands: &mut dyn Hands, room: &RoomId, first: u64) -> Result<bool, StoreError> {
    let more = Arc::new(AtomicBool::new(false));
    let (room, told) = (room.clone(), more.clone());
    hands.job(Box::new(move |node| {
        told.store(node.trim_room(&room, first)?, Ordering::Release);
        Ok(())
    }))?;
    Ok(more.load(Ordering::Acquire))
}

/// Has the writer do what condensing needs, and lets it do everything else in between.
struct Writing<'a> {
    node: &'a NodeHandle,
    /// Where the end is told, and time passes; `None` for work that somebody waits for.
    stopped: Option<&'a Receiver<()>>,
    groups: u32,
}

impl Hands for Writing<'_> {
    fn job(&mut self, job: Job) -> Result<(), StoreError> {
        let ended = |stopped: &Receiver<()>| stopped.try_recv() == Err(mpsc::TryRecvError::Disconnected);
        if self.stopped.is_some_and(ended) {
            return Err(StoreError::CannotCondense { why: "the node is stopping" });
        }
        self.node.call_blocking(&Caller::Operator, job).map_err(|refusal| match refusal {
            Refusal::Busy => StoreError::CannotCondense { why: "the node has too much to do" },
            _ => StoreError::Stopped,
        })
    }

    fn breathe(&mut self) {
        self.groups += 1;
        if self.stopped.is_some() && self.groups.is_multiple_of(CARE_BREATH_GROUPS) {
            thread::park_timeout(Duration::from_millis(CARE_BREATH_MS));
        }
    }

    fn let_readers_finish(&mut self) {
        thread::park_timeout(Duration::from_millis(CARE_GRACE_MS));
    }
}
