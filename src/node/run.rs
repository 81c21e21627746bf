//! The two threads behind every write, and the handle doors hold.
//!
//! The writer runs jobs one after the other and forms a group of them; the settler writes the group, syncs it, and
//! only then lets the answers go and the listeners wake. While it syncs, the next group forms.

use crate::base::budget::Budget;
use crate::base::limits::{GROUP_BYTES_MAX, GROUP_JOBS_MAX};
use crate::base::world::World;
use crate::chat::refusal::Refusal;
use crate::delivery::Hub;
use crate::node::Node;
use crate::node::caller::Caller;
use crate::node::care::Caring;
use crate::node::counts::NodeCounts;
use crate::node::disk::DiskCare;
use crate::node::health::{Health, Worker};
use crate::node::indexer::Indexer;
use crate::node::passwords::Passwords;
use crate::node::queue::{Next, NotTaken, Queue};
use crate::node::reading::Reading;
use crate::node::reply::{Answer, reply};
use crate::node::settler::{Handed, Outcome, Release, Settler, Work, failure};
use crate::node::topics::{Asking, Wording};
use crate::store::error::StoreError;
use crate::store::index::settled::Settled;
use crate::store::journal::{WriteCounts, Writer};
use std::panic::{self, AssertUnwindSafe};
use std::sync::mpsc::{self, SyncSender};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

/// Something a caller wants done.
type Job = Box<dyn FnOnce(&mut Node) -> Release + Send>;

/// What every door holds: the way to the writer, and everything that can be read without it.
#[derive(Clone)]
pub struct NodeHandle {
    queue: Arc<Queue<Job>>,
    reading: Arc<Reading>,
    passwords: Passwords,
    /// Who listens.
    pub hub: Arc<Hub>,
    /// What is not well.
    pub health: Arc<Health>,
    /// The room on the disk.
    pub disk: Arc<DiskCare>,
    /// What the node runs within.
    pub budget: Budget,
    writes: Arc<WriteCounts>,
    counts: Arc<NodeCounts>,
    asking: Arc<Asking>,
    pub(super) caring: Arc<Caring>,
}

impl NodeHandle {
    /// Has the writer do something, and waits until it is on the disk. A job that is refused changes nothing.
    pub async fn call<T, F>(&self, caller: &Caller, job: F) -> Result<T, Refusal>
    where
        T: Send + 'static,
        F: FnOnce(&mut Node) -> Result<T, Refusal> + Send + 'static,
    {
        self.send(caller, job)?.await.unwrap_or(Err(Refusal::StoreFailed))
    }

    /// As [`NodeHandle::call`], for threads outside the runtime.
    pub fn call_blocking<T, F>(&self, caller: &Caller, job: F) -> Result<T, Refusal>
    where
        T: Send + 'static,
        F: FnOnce(&mut Node) -> Result<T, Refusal> + Send + 'static,
    {
        self.send(caller, job)?.wait().unwrap_or(Err(Refusal::StoreFailed))
    }

    /// As [`NodeHandle::call`], for callers that have several things on their way: done in the order they were sent. No
    /// answer, or [`Refusal::StoreFailed`], says that it may have come to nothing; [`Refusal::Busy`] that it did.
    pub fn send<T, F>(&self, caller: &Caller, job: F) -> Result<Answer<Result<T, Refusal>>, Refusal>
    where
        T: Send + 'static,
        F: FnOnce(&mut Node) -> Result<T, Refusal> + Send + 'static,
    {
        let (giver, answer) = reply();
        let counts = self.counts.clone();
        let job: Job = Box::new(move |node| {
            let result = node.transact(job);
            let _ = result.as_ref().inspect_err(|refusal| counts.refused(refusal));
            Box::new(move |outcome| {
                giver.give(match outcome {
                    Outcome::Kept => result,
                    Outcome::NoRoom => Err(Refusal::DiskFull),
                    Outcome::Failed => Err(Refusal::StoreFailed),
                });
            })
        });
        let refusal = match self.queue.push(caller.lane(), job) {
            Ok(()) => return Ok(answer),
            Err(NotTaken::Failed) => Refusal::StoreFailed,
            Err(NotTaken::Full | NotTaken::Closed) => Refusal::Busy,
        };
        self.counts.refused(&refusal);
        Err(refusal)
    }

    /// Reads what is settled, here and now.
    pub fn read<T>(&self, read: impl FnOnce(&Reading) -> Result<T, Refusal>) -> Result<T, Refusal> {
        read(&self.reading)
    }

    /// Where passwords are hashed, few at a time.
    pub fn passwords(&self) -> &Passwords {
        &self.passwords
    }

    /// What the journal wrote since the start.
    pub fn write_counts(&self) -> &WriteCounts {
        &self.writes
    }

    /// What was posted and refused since the start.
    pub fn counts(&self) -> &NodeCounts {
        &self.counts
    }

    /// Has people's words to devices told to them as topics, in the words of the door that brings those.
    pub fn ask_devices(&self, wording: Wording) {
        self.asking.begin(self.hub.clone(), wording);
    }

    /// Whether the store failed, so that nothing is taken any more.
    pub fn has_failed(&self) -> bool {
        self.queue.has_failed()
    }

    /// Whether nothing is taken any more.
    pub(super) fn is_stopping(&self) -> bool {
        self.queue.is_closed()
    }

    /// Jobs that wait for the writer.
    pub fn waiting(&self) -> usize {
        self.queue.len()
    }
}

/// What a [`Node`] runs with.
pub struct Parts {
    /// The node.
    pub node: Node,
    /// The journal's writing half.
    pub writer: Writer,
    /// What is settled.
    pub settled: Arc<Settled>,
    /// The reading half.
    pub reading: Reading,
    /// Who listens.
    pub hub: Arc<Hub>,
    /// What is not well; what a start finds is noted here.
    pub health: Arc<Health>,
    /// The room on the disk.
    pub disk: Arc<DiskCare>,
    /// Time and chance.
    pub world: Arc<dyn World>,
    /// What it may use.
    pub budget: Budget,
}

/// The running node: dropping it does not stop it, [`Running::stop`] does.
pub struct Running {
    queue: Arc<Queue<Job>>,
    threads: Vec<JoinHandle<()>>,
    failed: Arc<Mutex<Option<StoreError>>>,
    caring: Arc<Caring>,
}

/// Starts the threads. `on_failure` is called once if the store fails, or a thread by a bug: nothing is acknowledged
/// after that, and whoever waits or comes later hears [`Refusal::StoreFailed`].
pub fn run(
    parts: Parts,
    on_failure: impl FnOnce() + Send + 'static,
) -> std::io::Result<(NodeHandle, Running)> {
    let Parts { node, writer, settled, reading, hub, health, disk, world, budget } = parts;
    let queue = Arc::new(Queue::new());
    let (writes, counts) = (writer.counts(), Arc::new(NodeCounts::default()));
    let asking = node.asking();
    let (hand, handed) = mpsc::sync_channel(1);
    let (indexing, due) = mpsc::sync_channel(1);
    let (settled_by, written_by) = (Work::of(&health, &world), Work::of(&health, &world));
    let (below, told) = (settled.clone(), hub.clone());
    let indexer = Arc::new(Indexer::new(settled, disk.clone()));
    let counting = counts.clone();
    let (bringing, room) = (indexer.clone(), disk.clone());
    let settler = Settler {
        writer,
        settled: below,
        hub: told,
        counts: counting,
        indexer: bringing,
        disk: room,
        indexing,
    };
    let failing = Failing {
        queue: queue.clone(),
        health: health.clone(),
        failed: Arc::default(),
        on_failure: Arc::new(Mutex::new(Some(Box::new(on_failure)))),
    };
    let (jobs, settles) = (queue.clone(), queue.clone());
    let threads = vec![
        failing.guard("linnet-writer", move || {
            write(node, &jobs, &hand, &written_by);
            Ok(())
        })?,
        failing.guard("linnet-settler", move || settler.run(&handed, &settles, &settled_by))?,
        failing.guard("linnet-index", move || indexer.run(&due))?,
    ];
    let passwords = Passwords::start(world, budget.hashers)?;
    let (reading, caring) = (Arc::new(reading), Arc::<Caring>::default());
    let running = Running { queue: queue.clone(), threads, failed: failing.failed, caring: caring.clone() };
    let handle =
        NodeHandle { queue, reading, passwords, hub, health, disk, budget, writes, counts, asking, caring };
    Ok((handle, running))
}

/// Says once that the node has failed.
type Tell = Box<dyn FnOnce() + Send>;

/// What happens when a thread cannot go on.
#[derive(Clone)]
struct Failing {
    queue: Arc<Queue<Job>>,
    health: Arc<Health>,
    failed: Arc<Mutex<Option<StoreError>>>,
    on_failure: Arc<Mutex<Option<Tell>>>,
}

impl Failing {
    /// A thread whose error, or panic, ends the others too.
    fn guard(
        &self,
        name: &str,
        body: impl FnOnce() -> Result<(), StoreError> + Send + 'static,
    ) -> std::io::Result<JoinHandle<()>> {
        let failing = self.clone();
        let guarded = move || {
            // Where a panic aborts the process there is nothing left to tell.
            match panic::catch_unwind(AssertUnwindSafe(body)) {
                Ok(Ok(())) => {}
                Ok(Err(error)) => failing.fail(error),
                Err(_) => failing.fail(StoreError::Broken),
            }
        };
        thread::Builder::new().name(name.into()).stack_size(THREAD_STACK_BYTES).spawn(guarded)
    }

    fn fail(&self, error: StoreError) {
        tracing::error!(%error, "the node failed: nothing is acknowledged any more");
        self.health.note(failure(&error));
        self.failed.lock().expect("no holder of this lock panics").get_or_insert(error);
        self.queue.fail();
        let tell = self.on_failure.lock().expect("no holder of this lock panics").take();
        if let Some(tell) = tell {
            tell();
        }
    }
}

/// Deep enough for the deepest record and sled's recursion, small enough for a Pi Zero.
const THREAD_STACK_BYTES: usize = 512 * 1024;

impl Running {
    /// Takes no more jobs, settles those that wait, writes the index and returns. Says what failed, if anything did.
    pub fn stop(self) -> Result<(), StoreError> {
        self.queue.close();
        for thread in self.threads {
            if thread.join().is_err() {
                tracing::error!("a thread of the node panicked");
            }
        }
        // Whoever compacts notices at its next step that nothing is taken any more.
        drop(self.caring.alone());
        match self.failed.lock().expect("no holder of this lock panics").take() {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }
}

/// The writer's thread.
fn write(mut node: Node, queue: &Queue<Job>, hand: &SyncSender<Handed>, work: &Work) {
    let mut answers: Vec<Release> = Vec::new();
    loop {
        let full = answers.len() >= GROUP_JOBS_MAX || node.forming_bytes() >= GROUP_BYTES_MAX;
        match queue.next(!answers.is_empty(), full) {
            Next::Job(job) => answers.push(work.at(Worker::Writer, || job(&mut node))),
            Next::HandOver => {
                let formed = node.hand_over();
                if hand.send(Handed { formed, answers: std::mem::take(&mut answers) }).is_err() {
                    return; // The settler has failed and said so.
                }
            }
            Next::TakeBack => {
                node.take_back_flight();
                answers.drain(..).for_each(|release| release(Outcome::NoRoom));
            }
            Next::Closed => return,
        }
    }
}
