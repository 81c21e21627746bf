//! The node's own threads: what callers hear when the disk fails, a job panics, or too many ask; and that a node
//! that is idle leaves its disk alone.

use crate::harness::kv::{Watch, WatchedKv};
use crate::harness::life::{Life, words};
use linnet::base::limits::JOBS_PER_CALLER_MAX;
use linnet::base::world::SimWorld;
use linnet::chat::refusal::Refusal;
use linnet::chat::room::Room;
use linnet::node::accounts::NewUser;
use linnet::node::run::{Running, run};
use linnet::node::{Caller, Catalog, Node, NodeHandle};
use linnet::store::disk::{Disk, DiskFile, SimDisk};
use linnet::store::error::StoreError;
use linnet::store::index::memory::MemoryKv;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Condvar, Mutex, mpsc};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// Far above what any of this takes.
const LIMIT: Duration = Duration::from_secs(20);

/// A simulated disk whose syncs wait while the gate is shut.
#[derive(Clone)]
struct Gated {
    disk: SimDisk,
    gate: Arc<(Mutex<bool>, Condvar)>,
}

struct GatedFile(Box<dyn DiskFile>, Gated);

impl Gated {
    fn new() -> Gated {
        Gated { disk: SimDisk::new(1), gate: Arc::new((Mutex::new(true), Condvar::new())) }
    }

    fn set_open(&self, open: bool) {
        *self.gate.0.lock().unwrap() = open;
        self.gate.1.notify_all();
    }

    fn pass(&self) {
        let shut = self.gate.1.wait_timeout_while(self.gate.0.lock().unwrap(), LIMIT, |open| !*open);
        assert!(!shut.unwrap().1.timed_out(), "the test opens the gate again");
    }
}

impl Disk for Gated {
    fn create_folder(&self, path: &str) -> io::Result<()> {
        self.disk.create_folder(path)
    }
    fn create(&self, path: &str) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(GatedFile(self.disk.create(path)?, self.clone())))
    }
    fn open(&self, path: &str) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(GatedFile(self.disk.open(path)?, self.clone())))
    }
    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        self.disk.list(folder)
    }
    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.disk.rename(from, to)
    }
    fn remove(&self, path: &str) -> io::Result<()> {
        self.disk.remove(path)
    }
    fn sync_folder(&self, path: &str) -> io::Result<()> {
        self.disk.sync_folder(path)
    }
}

impl DiskFile for GatedFile {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        self.0.read_at(buf, offset)
    }
    fn write_at(&self, buf: &[u8], offset: u64) -> io::Result<()> {
        self.0.write_at(buf, offset)
    }
    fn sync_data(&self) -> io::Result<()> {
        self.1.pass();
        self.0.sync_data()
    }
    fn len(&self) -> io::Result<u64> {
        self.0.len()
    }
    fn allocate(&self, bytes: u64) -> io::Result<()> {
        self.0.allocate(bytes)
    }
    fn truncate(&self, bytes: u64) -> io::Result<()> {
        self.0.truncate(bytes)
    }
}

/// A running node with a gate before its disk.
struct Stage {
    gated: Gated,
    watch: Arc<Watch>,
    handle: NodeHandle,
    running: Running,
    /// How often the node said that it failed.
    failures: Arc<AtomicUsize>,
    alice: Caller,
    bob: Caller,
}

fn stage() -> Stage {
    let (gated, index, watch) = (Gated::new(), MemoryKv::default(), Arc::<Watch>::default());
    let kv = Box::new(WatchedKv { index: index.clone(), watch: watch.clone() });
    let world = Arc::new(SimWorld::new(1));
    let mut life = Life::open_on(world, gated.disk.clone(), index, Arc::new(gated.clone()), kv).unwrap();
    let (_, alice) = life.user("alice", &[linnet::chat::user::Role::Admin, linnet::chat::user::Role::User]);
    let (_, bob) = life.user("bob", &[linnet::chat::user::Role::User]);
    let failures = Arc::new(AtomicUsize::new(0));
    let counted = failures.clone();
    let (handle, running) = run(life.parts, move || _ = counted.fetch_add(1, SeqCst)).unwrap();
    Stage { gated, watch, handle, running, failures, alice, bob }
}

type Waiting<'a, T> = Pin<Box<dyn Future<Output = Result<T, Refusal>> + 'a>>;

/// Asks, without waiting for the answer.
fn ask<'a, T: Send + 'static>(
    handle: &'a NodeHandle,
    caller: &'a Caller,
    job: impl FnOnce(&mut Node) -> Result<T, Refusal> + Send + 'static,
) -> Waiting<'a, T> {
    let mut answer: Waiting<'a, T> = Box::pin(handle.call(caller, job));
    match answer.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Pending => answer,
        Poll::Ready(at_once) => Box::pin(std::future::ready(at_once)),
    }
}

fn post<'a>(handle: &'a NodeHandle, caller: &'a Caller, text: &'static str) -> Waiting<'a, ()> {
    let caller_too = caller.clone();
    ask(handle, caller, move |n| n.post_message(&caller_too, &Room::GENERAL, words(text)).map(drop))
}

/// The answer, which comes within the limit.
fn answer<T>(waiting: Waiting<'_, T>) -> Result<T, Refusal> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async { tokio::time::timeout(LIMIT, waiting).await.expect("an answer comes") })
}

/// Stops, which returns within the limit.
fn stop(running: Running) -> Result<(), StoreError> {
    let (done, stopped) = mpsc::channel();
    std::thread::spawn(move || done.send(running.stop()));
    stopped.recv_timeout(LIMIT).expect("the threads go home")
}

#[test]
fn after_a_failed_sync_everybody_is_told_and_the_threads_go_home() {
    let stage = stage();
    answer(post(&stage.handle, &stage.alice, "before")).unwrap();
    stage.gated.set_open(false);
    let flying = post(&stage.handle, &stage.alice, "on its way");
    // These form the next group, or wait for it, while the first one is at the disk.
    let forming: Vec<_> = (0..20).map(|_| post(&stage.handle, &stage.bob, "behind it")).collect();
    stage.gated.disk.fail_sync_at(1);
    stage.gated.set_open(true);
    assert_eq!(answer(flying), Err(Refusal::StoreFailed));
    for waiting in forming {
        assert_eq!(answer(waiting), Err(Refusal::StoreFailed));
    }
    assert_eq!(answer(post(&stage.handle, &stage.alice, "later")), Err(Refusal::StoreFailed));
    let general = stage.handle.read(|r| r.room_tail(&Room::GENERAL).map_err(linnet::node::refuse));
    // Two joined, one spoke: what was not acknowledged is not read either.
    assert_eq!(general.unwrap().unwrap().count, 3);
    assert!(matches!(stop(stage.running), Err(StoreError::Disk { doing: "sync", .. })));
    assert_eq!(stage.failures.load(SeqCst), 1);
}

#[test]
fn a_job_that_panics_takes_the_node_down_and_leaves_nobody_waiting() {
    let stage = stage();
    stage.gated.set_open(false);
    let flying = post(&stage.handle, &stage.alice, "on its way");
    let broken: Waiting<'_, ()> = ask(&stage.handle, &stage.bob, |_| panic!("a bug for this test"));
    assert_eq!(answer(broken), Err(Refusal::StoreFailed));
    stage.gated.set_open(true);
    // It was on its way to a disk that works, so it may have arrived.
    let _ = answer(flying);
    assert_eq!(answer(post(&stage.handle, &stage.alice, "later")), Err(Refusal::StoreFailed));
    assert!(matches!(stop(stage.running), Err(StoreError::Broken)));
    assert_eq!(stage.failures.load(SeqCst), 1);
}

#[test]
fn who_asks_too_often_is_told_so_and_others_take_turns() {
    let stage = stage();
    let (go, wait) = mpsc::channel::<()>();
    let order = Arc::new(Mutex::new(Vec::new()));
    let busy = ask(&stage.handle, &Caller::Operator, move |_| {
        wait.recv_timeout(LIMIT).unwrap();
        Ok(())
    });
    while stage.handle.waiting() > 0 {
        std::thread::yield_now();
    }
    let noted = |who: &'static str| {
        let order = order.clone();
        move |_: &mut Node| {
            order.lock().unwrap().push(who);
            Ok(())
        }
    };
    let greedy: Vec<_> =
        (0..JOBS_PER_CALLER_MAX).map(|_| ask(&stage.handle, &stage.alice, noted("alice"))).collect();
    assert_eq!(answer(ask(&stage.handle, &stage.alice, noted("alice"))), Err(Refusal::Busy));
    let modest = ask(&stage.handle, &stage.bob, noted("bob"));
    go.send(()).unwrap();
    assert!(answer(busy).is_ok() && answer(modest).is_ok());
    assert!(greedy.into_iter().all(|waiting| answer(waiting).is_ok()));
    let order = order.lock().unwrap();
    assert_eq!((order[..3].to_vec(), order.len()), (vec!["alice", "bob", "alice"], JOBS_PER_CALLER_MAX + 1));
    assert!(stop(stage.running).is_ok());
    assert_eq!(stage.failures.load(SeqCst), 0);
}

#[test]
fn what_waits_at_a_stop_is_done_and_what_comes_later_is_not() {
    let stage = stage();
    stage.gated.set_open(false);
    let waiting: Vec<_> = (0..20).map(|_| post(&stage.handle, &stage.bob, "still done")).collect();
    let (handle, gated, bob) = (stage.handle.clone(), stage.gated.clone(), stage.bob.clone());
    let (done, stopped) = mpsc::channel();
    std::thread::spawn(move || done.send(stage.running.stop()));
    gated.set_open(true);
    stopped.recv_timeout(LIMIT).unwrap().unwrap();
    assert!(waiting.into_iter().all(|waiting| answer(waiting).is_ok()));
    assert_eq!(answer(ask(&handle, &bob, |_| Ok(()))), Err(Refusal::Busy));
}

#[test]
fn an_index_that_cannot_be_written_is_told_at_the_stop_and_loses_nothing() {
    let stage = stage();
    answer(post(&stage.handle, &stage.alice, "in the journal")).unwrap();
    stage.watch.fail_at(1);
    let (disk, index) = (stage.gated.disk.clone(), MemoryKv::default());
    assert!(matches!(stop(stage.running), Err(StoreError::Index(_))));
    assert_eq!(stage.failures.load(SeqCst), 1);
    let life = Life::open(Arc::new(SimWorld::new(2)), disk, index).unwrap();
    assert_eq!(life.parts.reading.room_tail(&Room::GENERAL).unwrap().unwrap().count, 3);
}

#[test]
fn after_a_failed_checkpoint_readers_see_everything_and_no_later_one_claims_it() {
    let (index, watch) = (MemoryKv::default(), Arc::<Watch>::default());
    let kv = Box::new(WatchedKv { index: index.clone(), watch: watch.clone() });
    let disk = SimDisk::new(3);
    let on: Arc<dyn Disk> = Arc::new(disk.clone());
    let mut life = Life::open_on(Arc::new(SimWorld::new(3)), disk, index, on, kv).unwrap();
    life.parts.settled.checkpoint().unwrap();
    let add = |name| {
        move |n: &mut Node| {
            n.add_user(
                &Caller::Operator,
                NewUser::person(linnet::chat::name::Name::fixed(name), "", "".into()),
            )
        }
    };
    life.call(add("first")).unwrap();
    watch.fail_at(1);
    assert!(life.parts.settled.checkpoint().is_err());
    watch.fails_from.store(0, SeqCst);
    life.call(add("second")).unwrap();
    assert!(matches!(life.parts.settled.checkpoint(), Err(StoreError::Stopped)));
    for life in [life.parts.reading.user_named("first"), life.parts.reading.user_named("second")] {
        assert!(life.unwrap().is_some());
    }
    let again = Life::open(life.world, life.disk.crash(), life.index.crash(0)).unwrap();
    assert!(again.parts.reading.user_named("first").unwrap().is_some());
    assert!(again.parts.reading.user_named("second").unwrap().is_some());
}

#[test]
fn an_idle_node_writes_nothing() {
    let (index, watch) = (MemoryKv::default(), Arc::<Watch>::default());
    let kv = Box::new(WatchedKv { index: index.clone(), watch: watch.clone() });
    let disk = SimDisk::new(4);
    let on: Arc<dyn Disk> = Arc::new(disk.clone());
    let mut life = Life::open_on(Arc::new(SimWorld::new(4)), disk.clone(), index, on, kv).unwrap();
    let (_, bob) = life.user("bob", &[linnet::chat::user::Role::User]);
    life.parts.settled.checkpoint().unwrap();
    let before = (disk.counts(), watch.changes.load(SeqCst));
    for _ in 0..10 {
        // The indexer's clock strikes, people read, and somebody is refused.
        life.parts.settled.checkpoint().unwrap();
        let actor = life.parts.reading.actor(&bob).unwrap();
        life.parts.reading.places(&actor).unwrap();
        assert!(life.call(|n| n.post_message(&bob, &Room::GENERAL, words(" "))).is_err());
        life.settle().unwrap();
    }
    assert_eq!((disk.counts(), watch.changes.load(SeqCst)), before);
}

#[test]
fn the_watchdog_is_fed_while_the_disk_answers_and_not_while_it_hangs() {
    let stage = stage();
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let (within, fed) = (Duration::from_secs(60), Arc::new(AtomicUsize::new(0)));
    let count = fed.clone();
    let alive = move || _ = count.fetch_add(1, SeqCst);
    let more_than = |before| {
        let fed = fed.clone();
        async move {
            // The threads are real, the clock is not: it runs ahead of them.
            let begun = std::time::Instant::now();
            while fed.load(SeqCst) <= before && begun.elapsed() < LIMIT {
                tokio::time::advance(within).await;
            }
            assert!(fed.load(SeqCst) > before, "it is fed");
        }
    };
    runtime.block_on(async {
        tokio::spawn(linnet::app::watchdog::feed(stage.handle.clone(), within, alive));
        more_than(0).await;
        stage.gated.set_open(false);
        let flying = post(&stage.handle, &stage.alice, "at a disk that hangs");
        // One that had been asked before may still come back.
        tokio::time::advance(within).await;
        let before = fed.load(SeqCst);
        for _ in 0..100 {
            tokio::time::advance(within).await;
        }
        assert_eq!(fed.load(SeqCst), before, "nobody is told that a hanging disk is alive");
        stage.gated.set_open(true);
        more_than(before).await;
        flying.await.unwrap();
    });
    drop(runtime);
    assert!(stop(stage.running).is_ok());
}
