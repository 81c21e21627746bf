//! The queue before the writer: bounded, and fair to each caller. One who asks a thousand times waits behind
//! the one who asks once.

use crate::base::limits::{JOBS_MAX, JOBS_PER_CALLER_MAX};
use std::collections::{HashMap, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard};

/// Whose job it is, for fairness only.
pub type Lane = u64;

struct Waiting<J> {
    lanes: HashMap<Lane, VecDeque<J>>,
    /// Lanes with jobs, next one first; each stands here once.
    turns: VecDeque<Lane>,
    jobs: usize,
    /// Whether the settling thread can take a group.
    idle: bool,
    /// The group that was handed over has to be taken back, with what formed since.
    taken_back: bool,
    closed: bool,
    failed: bool,
}

/// Why a job may not wait.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NotTaken {
    /// The queue, or the caller's share of it, is full.
    Full,
    /// The node stops.
    Closed,
    /// The node has failed: nothing is done any more.
    Failed,
}

/// Jobs that wait for the writer, and whether the thread behind it is free.
pub struct Queue<J> {
    waiting: Mutex<Waiting<J>>,
    news: Condvar,
}

/// What the writer should do next.
pub enum Next<J> {
    /// Run this job.
    Job(J),
    /// Hand over the group that has formed: the settling thread is free.
    HandOver,
    /// Take back the group that was handed over, and what formed since.
    TakeBack,
    /// Nothing will come any more.
    Closed,
}

impl<J> Queue<J> {
    /// An empty queue before an idle settling thread.
    #[allow(clippy::new_without_default)] // A default queue would hide that two threads share it.
    pub fn new() -> Self {
        let (lanes, turns) = (HashMap::new(), VecDeque::new());
        let waiting =
            Waiting { lanes, turns, jobs: 0, idle: true, taken_back: false, closed: false, failed: false };
        Self { waiting: Mutex::new(waiting), news: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting<J>> {
        self.waiting.lock().expect("no holder of this lock panics")
    }

    /// Lets a job wait, or drops it and says why.
    pub fn push(&self, lane: Lane, job: J) -> Result<(), NotTaken> {
        let mut waiting = self.lock();
        let own = waiting.lanes.get(&lane).map_or(0, VecDeque::len);
        if waiting.failed || waiting.closed {
            return Err(if waiting.failed { NotTaken::Failed } else { NotTaken::Closed });
        }
        if waiting.jobs >= JOBS_MAX || own >= JOBS_PER_CALLER_MAX {
            return Err(NotTaken::Full);
        }
        waiting.lanes.entry(lane).or_default().push_back(job);
        if own == 0 {
            waiting.turns.push_back(lane);
        }
        waiting.jobs += 1;
        drop(waiting);
        self.news.notify_one();
        Ok(())
    }

    /// What to do next, given what has formed: `formed` says that a group waits to be handed over, `full` that no
    /// job may join it. Blocks while there is nothing to do.
    pub fn next(&self, formed: bool, full: bool) -> Next<J> {
        let mut waiting = self.lock();
        loop {
            if waiting.failed {
                return Next::Closed;
            }
            if std::mem::take(&mut waiting.taken_back) {
                return Next::TakeBack;
            }
            if !full && let Some(lane) = waiting.turns.pop_front() {
                let jobs = waiting.lanes.get_mut(&lane).expect("a lane with a turn has jobs");
                let job = jobs.pop_front().expect("a lane with a turn has jobs");
                if jobs.is_empty() {
                    waiting.lanes.remove(&lane);
                } else {
                    waiting.turns.push_back(lane);
                }
                waiting.jobs -= 1;
                return Next::Job(job);
            }
            if formed && waiting.idle {
                waiting.idle = false;
                return Next::HandOver;
            }
            if waiting.closed && !formed {
                return Next::Closed;
            }
            waiting = self.news.wait(waiting).expect("no holder of this lock panics");
        }
    }

    /// The settling thread is free again.
    pub fn settled(&self) {
        self.lock().idle = true;
        self.news.notify_one();
    }

    /// The settling thread is free again, and its group was not kept: nothing else is done before it is taken back.
    pub fn not_kept(&self) {
        let mut waiting = self.lock();
        (waiting.idle, waiting.taken_back) = (true, true);
        drop(waiting);
        self.news.notify_one();
    }

    /// No job may come any more; those that wait are still done.
    pub fn close(&self) {
        self.lock().closed = true;
        self.news.notify_all();
    }

    /// Nothing is done any more: what waits is dropped, and the writer goes home even with a group in its hands.
    pub fn fail(&self) {
        let dropped = {
            let mut waiting = self.lock();
            waiting.failed = true;
            waiting.turns.clear();
            waiting.jobs = 0;
            std::mem::take(&mut waiting.lanes)
        };
        self.news.notify_all();
        // Their callers hear of it here, without the lock.
        drop(dropped);
    }

    /// Whether nothing is done any more.
    pub fn has_failed(&self) -> bool {
        self.lock().failed
    }

    /// Nothing more is taken.
    pub fn is_closed(&self) -> bool {
        let waiting = self.lock();
        waiting.closed || waiting.failed
    }

    /// Jobs that wait now.
    pub fn len(&self) -> usize {
        self.lock().jobs
    }

    /// Whether no job waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(next: Next<u32>) -> Option<u32> {
        match next {
            Next::Job(job) => Some(job),
            Next::HandOver | Next::TakeBack | Next::Closed => None,
        }
    }

    #[test]
    fn each_caller_gets_a_turn() {
        let queue = Queue::new();
        for number in 0..5 {
            queue.push(1, number).expect("there is room");
        }
        queue.push(2, 100).expect("there is room");
        let order: Vec<_> = (0..6).filter_map(|_| job(queue.next(false, false))).collect();
        assert_eq!(order, [0, 100, 1, 2, 3, 4]);
    }

    #[test]
    fn a_greedy_caller_is_refused_and_others_are_not() {
        let queue = Queue::new();
        let taken = (0..1_000).take_while(|number| queue.push(1, *number).is_ok()).count();
        assert_eq!(taken, JOBS_PER_CALLER_MAX);
        assert!(queue.push(2, 0).is_ok());
        for lane in 3..10_000 {
            let _ = queue.push(lane, 0);
        }
        assert_eq!(queue.len(), JOBS_MAX);
    }

    #[test]
    fn a_full_group_waits_for_the_disk_and_not_for_jobs() {
        let queue = Queue::new();
        queue.push(1, 1).expect("there is room");
        assert!(matches!(queue.next(true, true), Next::HandOver));
        queue.settled();
        assert!(matches!(queue.next(true, false), Next::Job(1)));
        queue.close();
        assert!(matches!(queue.next(true, false), Next::HandOver));
        assert!(matches!(queue.next(false, false), Next::Closed));
        assert_eq!(queue.push(1, 1), Err(NotTaken::Closed));
    }

    #[test]
    fn after_a_failure_nobody_waits() {
        let queue = Queue::new();
        queue.push(1, 1).expect("there is room");
        assert!(matches!(queue.next(true, true), Next::HandOver));
        queue.fail();
        assert!(matches!(queue.next(true, false), Next::Closed), "the disk will never be free again");
        assert_eq!((queue.len(), queue.push(2, 2)), (0, Err(NotTaken::Failed)));
    }
}
