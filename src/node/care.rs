//! The node's care for its disk, on one thread of its own beside everything else: rooms are trimmed where the owner asked
//! for it, words that were taken back leave the disk within a day, what is mostly waste is written anew, and what a card
//! has lost is found out. `linnet compact` does all that can be done at once.

use crate::base::limits::{
    CARE_BREATH_GROUPS, CARE_BREATH_MS, CARE_GRACE_MS, CARE_TRIES_MAX, COMPACT_JOBS_AT_ONCE,
};
use crate::base::world::World;
use crate::chat::refusal::Refusal;
use crate::node::caller::Caller;
use crate::node::condense::{GivenBack, Hands, Job, Scope, condense};
use crate::node::health::{Trouble, TroubleKind};
use crate::node::reply::{Answer, reply};
use crate::node::rounds::{Agenda, Duty, Rounds, trim};
use crate::node::trim::Retention;
use crate::node::{Node, NodeHandle, refuse, scrub};
use crate::store::error::StoreError;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender, TryRecvError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Lets one after the other trim and condense.
#[derive(Default)]
pub(super) struct Caring {
    alone: Mutex<()>,
    /// People who wait for it.
    asked: AtomicUsize,
}

impl Caring {
    /// Waits until nobody else cares.
    pub fn alone(&self) -> MutexGuard<'_, ()> {
        self.alone.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether somebody waits for what only one at a time may do.
    fn is_asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed) > 0
    }
}

/// The thread that cares.
pub struct Care {
    told: SyncSender<()>,
    thread: JoinHandle<()>,
}

impl Care {
    /// Begins to care; rooms without a rule of their own are trimmed by this measure.
    pub fn start(node: NodeHandle, world: Arc<dyn World>, retention: Retention) -> std::io::Result<Care> {
        let (told, heard) = mpsc::sync_channel(1);
        // From now on, whenever the thread begins.
        let agenda = Agenda::new(world.mono_ms());
        let body = move || care(&node, &*world, (agenda, Rounds::new(retention)), &heard);
        let thread = thread::Builder::new().name("linnet-care".into()).spawn(body)?;
        Ok(Care { told, thread })
    }

    /// Has it look at the clock: it need not have slept as long as time has passed.
    pub fn wake(&self) {
        // Full means that it is about to look.
        let _ = self.told.try_send(());
    }

    /// Stops caring, in the middle of it too: it goes on at the next start.
    pub fn stop(self) {
        drop(self.told);
        if self.thread.join().is_err() {
            tracing::error!("the thread that cares for the disk panicked");
        }
    }
}

fn care(
    node: &NodeHandle,
    world: &dyn World,
    (mut agenda, mut rounds): (Agenda, Rounds),
    heard: &Receiver<()>,
) {
    while !is_over(heard) {
        match agenda.next(world.mono_ms()) {
            Ok(Duty::Look) => {
                let cared = look_after(node, &mut rounds, heard);
                if cared.as_ref().is_ok_and(|given| given.bytes > 0) {
                    agenda.look_soon(world.mono_ms());
                }
                tell(node, cared);
            }
            Ok(Duty::Scrub) => {
                let goes_on = |ms| !node.caring.is_asked() && passes(heard, ms);
                if !scrub::scrub(node, &goes_on) {
                    agenda.scrub_soon(world.mono_ms());
                }
            }
            // Told or not, the clock says what is due.
            Err(wait_ms) => _ = passes(heard, wait_ms),
        }
    }
}

fn is_over(heard: &Receiver<()>) -> bool {
    heard.try_recv() == Err(TryRecvError::Disconnected)
}

/// Waits; false when the end came instead.
fn passes(heard: &Receiver<()>, ms: u64) -> bool {
    heard.recv_timeout(Duration::from_millis(ms)) != Err(RecvTimeoutError::Disconnected)
}

/// Nothing is lost where it failed, and the next look tries again; what keeps on failing leaves words on the disk.
fn tell(node: &NodeHandle, cared: Result<GivenBack, StoreError>) {
    match cared {
        Ok(_) => node.health.clear(TroubleKind::CareFailed),
        Err(error) if waits(&error) => tracing::info!(%error, "the care for the disk waits"),
        Err(error) => {
            let text = format!("Old messages could not be trimmed, or deleted ones not erased: {error}.");
            node.health.note(Trouble { kind: TroubleKind::CareFailed, text });
        }
    }
}

/// The node is stopping, or full of work or of data: it has said so where that is a trouble.
fn waits(error: &StoreError) -> bool {
    matches!(error, StoreError::CannotCondense { .. } | StoreError::Stopped | StoreError::NoRoom)
}

fn look_after(node: &NodeHandle, rounds: &mut Rounds, heard: &Receiver<()>) -> Result<GivenBack, StoreError> {
    let _alone = node.caring.alone();
    let mut hands = Writing { node, heard: Some(heard), groups: 0, under_way: VecDeque::new() };
    let mut done = Ok(GivenBack::default());
    let _ = node.read(|reading| {
        done = rounds.look(reading, &mut hands);
        Ok(())
    });
    done
}

/// Trims rooms to their measure, this one where they have none of their own, and takes everything off the disk that can
/// go, now. A stop of the node ends it where it is; what is left goes the next time.
pub async fn compact(node: &NodeHandle, retention: Retention) -> Result<GivenBack, Refusal> {
    let (giver, answer) = reply();
    let node = node.clone();
    let work = move || {
        node.caring.asked.fetch_add(1, Ordering::Relaxed);
        let _alone = node.caring.alone();
        let mut hands = Writing { node: &node, heard: None, groups: 0, under_way: VecDeque::new() };
        let given = node.read(|reading| {
            let trimmed = trim(reading, &mut hands, retention);
            trimmed.and_then(|()| condense(reading, &mut hands, Scope::All)).map_err(put_off)
        });
        node.caring.asked.fetch_sub(1, Ordering::Relaxed);
        giver.give(given);
    };
    let started = thread::Builder::new().name("linnet-compact".into()).spawn(work);
    started.map_err(|error| {
        tracing::error!(%error, "no thread for compacting");
        Refusal::Busy
    })?;
    answer.await.unwrap_or(Err(Refusal::StoreFailed))
}

fn put_off(error: StoreError) -> Refusal {
    if !waits(&error) {
        return refuse(error);
    }
    tracing::info!(%error, "compacting goes on the next time");
    match error {
        StoreError::NoRoom => Refusal::DiskFull,
        _ => Refusal::Busy,
    }
}

/// Has the writer do what condensing needs, and lets it do everything else in between.
struct Writing<'a> {
    node: &'a NodeHandle,
    /// Where the end is told, and time passes; `None` for work that somebody waits for.
    heard: Option<&'a Receiver<()>>,
    groups: u32,
    /// What was sent and is not done yet.
    under_way: VecDeque<Answer<Result<(), Refusal>>>,
}

impl Writing<'_> {
    /// Sends a job as soon as there is a place for it.
    fn send(&mut self, job: Job) -> Result<(), StoreError> {
        let job = Arc::new(Mutex::new(Some(job)));
        for _ in 0..CARE_TRIES_MAX {
            self.goes_on()?;
            let again = job.clone();
            let once = move |node: &mut Node| {
                let job = again.lock().unwrap_or_else(PoisonError::into_inner).take();
                job.map_or(Ok(()), |job| job(node))
            };
            match self.node.send(&Caller::Operator, once) {
                Ok(answer) => {
                    self.under_way.push_back(answer);
                    return Ok(());
                }
                Err(Refusal::Busy) => thread::park_timeout(Duration::from_millis(CARE_BREATH_MS)),
                Err(_) => return Err(StoreError::Stopped),
            }
        }
        Err(StoreError::CannotCondense { why: "the node has too much to do" })
    }

    fn goes_on(&self) -> Result<(), StoreError> {
        if self.node.is_stopping() || self.heard.is_some_and(is_over) {
            return Err(StoreError::CannotCondense { why: "the node is stopping" });
        }
        Ok(())
    }

    /// Waits until no more than so many jobs are on their way.
    fn wait_for_all_but(&mut self, jobs: usize) -> Result<(), StoreError> {
        while self.under_way.len() > jobs {
            let answer = self.under_way.pop_front().and_then(Answer::wait);
            answer.unwrap_or(Err(Refusal::StoreFailed)).map_err(|refusal| match refusal {
                Refusal::DiskFull => StoreError::NoRoom,
                _ => StoreError::Stopped,
            })?;
        }
        Ok(())
    }
}

impl Hands for Writing<'_> {
    fn job(&mut self, job: Job) -> Result<(), StoreError> {
        self.send(job)?;
        self.finish()
    }

    fn job_in_turn(&mut self, job: Job) -> Result<(), StoreError> {
        // Background work takes its time; what somebody waits for shares the syncs of those who post.
        let at_once = if self.heard.is_some() { 1 } else { COMPACT_JOBS_AT_ONCE };
        self.send(job)?;
        self.wait_for_all_but(at_once - 1)
    }

    fn finish(&mut self) -> Result<(), StoreError> {
        self.wait_for_all_but(0)
    }

    fn breathe(&mut self) -> Result<(), StoreError> {
        self.groups += 1;
        if !self.groups.is_multiple_of(CARE_BREATH_GROUPS) {
            return Ok(());
        }
        if self.heard.is_some() {
            thread::park_timeout(Duration::from_millis(CARE_BREATH_MS));
        }
        self.goes_on()
    }

    fn let_readers_finish(&mut self) {
        thread::park_timeout(Duration::from_millis(CARE_GRACE_MS));
    }
}
