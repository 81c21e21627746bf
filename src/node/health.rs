//! What is not well with this node, in words for whoever runs it: noted from any thread, shown by the doors, told once
//! in #system. It knows no room and no wire.

use crate::base::limits::{TROUBLE_CHARS_MAX, TROUBLES_MAX};
use crate::chat::name::clip;
use std::future::poll_fn;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::task::{Poll, Waker};

/// How much a trouble matters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Severity {
    /// Worth knowing; nothing is wrong now.
    Info,
    /// The node does its work, but somebody should look.
    Warning,
    /// Something is lost, or the node cannot do a part of its work.
    Error,
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $word:literal, $severity:ident, stands: $stands:literal;)*) => {
        /// The kinds of trouble.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        pub enum TroubleKind { $($(#[$doc])* $name),* }

        impl TroubleKind {
            /// Every kind, in the order they are listed.
            pub const ALL: &'static [TroubleKind] = &[$(TroubleKind::$name),*];

            /// The word that `/health`, `/metrics` and the command line show.
            pub fn word(self) -> &'static str {
                match self { $(TroubleKind::$name => $word),* }
            }

            /// How much it matters.
            pub fn severity(self) -> Severity {
                match self { $(TroubleKind::$name => Severity::$severity),* }
            }

            /// Whether it is a state that lasts over a restart, rather than something that happened: noted again after
            /// a start it is still the same trouble, and is not told again.
            pub fn stands(self) -> bool {
                match self { $(TroubleKind::$name => $stands),* }
            }
        }
    };
}

kinds! {
    /// The index did not open or did not fit, and was built anew from the journal.
    IndexRebuilt = "index_rebuilt", Warning, stands: false;
    /// A part of the journal cannot be read: what was said there is lost.
    JournalDamaged = "journal_damaged", Error, stands: true;
    /// A segment of the journal, or all of it, is not there.
    JournalMissing = "journal_missing", Error, stands: true;
    /// What the journal had lost came back from a backup, or a part of it.
    JournalMended = "journal_mended", Warning, stands: false;
    /// Most of the disk is used.
    DiskFilling = "disk_filling", Warning, stands: true;
    /// So little of the disk is free that nothing new is taken.
    DiskFull = "disk_full", Error, stands: true;
    /// The disk failed to keep what it was given.
    SyncFailed = "sync_failed", Error, stands: false;
    /// The node cannot store anything any more, for another reason.
    Failed = "failed", Error, stands: false;
    /// Rooms could not be trimmed, or words that were taken back not erased. The next look tries again.
    CareFailed = "care_failed", Warning, stands: false;
    /// The last backup was not made.
    BackupFailed = "backup_failed", Warning, stands: false;
    /// Nobody vouches for the wall clock.
    ClockUntrusted = "clock_untrusted", Warning, stands: true;
    /// The wall clock was set far forwards or backwards.
    ClockJumped = "clock_jumped", Warning, stands: false;
    /// The node was not stopped before it was started: the plug was pulled. Logged only.
    Unclean = "unclean", Info, stands: false;
    /// Something was put in order again.
    Repaired = "repaired", Info, stands: false;
}

impl TroubleKind {
    fn bit(self) -> u32 {
        1 << self as u32
    }

    /// Whether it is told in #system: a plug that was pulled is everyday life.
    fn is_told(self) -> bool {
        self != TroubleKind::Unclean
    }
}

/// One thing that is not well.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Trouble {
    /// What kind of trouble.
    pub kind: TroubleKind,
    /// What happened and what to do about it, as sentences for a person; no names of people or rooms.
    pub text: String,
}

/// What those who run the node have not been told yet.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct News {
    /// Noted since, oldest first.
    pub noted: Vec<Trouble>,
    /// Kinds that are over.
    pub over: Vec<TroubleKind>,
}

#[derive(Default)]
struct State {
    /// Oldest first.
    standing: Vec<Trouble>,
    /// Those of them that wait to be told.
    untold: Vec<Trouble>,
    /// Bits of the kinds that are over and of which that waits to be told.
    over: u32,
    /// Bits of the kinds of which it was told that they are over.
    told_over: u32,
    waiting: Option<Waker>,
}

/// Who works behind every write.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Worker {
    /// The thread that runs jobs.
    Writer,
    /// The thread that takes groups to the disk.
    Settler,
}

/// The health of one node. Shared by everybody who has to do with it.
#[derive(Default)]
pub struct Health {
    state: Mutex<State>,
    /// For each [`Worker`] the millisecond of [`crate::base::world::World::mono_ms`], plus one, at which it took up
    /// what it does now; 0 while it waits for work.
    busy_since: [AtomicU64; 2],
    /// The millisecond at which a worker last finished something.
    progress_ms: AtomicU64,
}

impl Health {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no holder of this lock panics")
    }

    /// Says that something is not well, from any thread. The same trouble is logged and told once until it is cleared;
    /// of a kind that is a state of the whole node the newest text stands.
    pub fn note(&self, trouble: Trouble) {
        let trouble = Trouble { text: clip(&trouble.text, TROUBLE_CHARS_MAX).into(), ..trouble };
        let mut state = self.state();
        if state.standing.contains(&trouble) {
            return;
        }
        log(&trouble);
        if state.standing.len() >= TROUBLES_MAX {
            // The least of them makes room, the oldest of these.
            let least = (0..state.standing.len()).min_by_key(|at| state.standing[*at].kind.severity());
            state.standing.remove(least.expect("it is full"));
        }
        state.standing.push(trouble.clone());
        let bit = trouble.kind.bit();
        state.told_over &= !bit;
        if trouble.kind.is_told() {
            if state.untold.len() >= TROUBLES_MAX {
                state.untold.remove(0);
            }
            state.untold.push(trouble);
        }
        wake(state);
    }

    /// Says that troubles of this kind are over. Cheap when none stands.
    pub fn clear(&self, kind: TroubleKind) {
        let mut state = self.state();
        let before = state.standing.len();
        state.standing.retain(|trouble| trouble.kind != kind);
        if state.standing.len() < before {
            tracing::info!(kind = kind.word(), "this trouble is over");
        }
        let known = (state.told_over | state.over) & kind.bit() != 0;
        if state.standing.len() == before && known {
            return;
        }
        // What comes and goes before anybody was told is not worth telling.
        state.untold.retain(|trouble| trouble.kind != kind);
        state.over |= kind.bit();
        wake(state);
    }

    /// What is not well now, oldest first; at most [`TROUBLES_MAX`].
    pub fn current(&self) -> Vec<Trouble> {
        self.state().standing.clone()
    }

    /// The worst of what is not well now; [`Severity::Info`] when nothing is.
    pub fn worst(&self) -> Severity {
        let state = self.state();
        state.standing.iter().map(|trouble| trouble.kind.severity()).max().unwrap_or(Severity::Info)
    }

    /// Waits until there is something to tell, and gives it. It is given again until [`Health::told`].
    pub async fn news(&self) -> News {
        poll_fn(|context| {
            let mut state = self.state();
            if state.untold.is_empty() && state.over == 0 {
                state.waiting = Some(context.waker().clone());
                return Poll::Pending;
            }
            let kinds = TroubleKind::ALL.iter().copied();
            let over = kinds.filter(|kind| state.over & kind.bit() != 0).collect();
            Poll::Ready(News { noted: state.untold.clone(), over })
        })
        .await
    }

    /// These news were told.
    pub fn told(&self, news: &News) {
        let mut state = self.state();
        state.untold.retain(|trouble| !news.noted.contains(trouble));
        for kind in &news.over {
            state.over &= !kind.bit();
            if !state.standing.iter().any(|trouble| trouble.kind == *kind) {
                state.told_over |= kind.bit();
            }
        }
    }

    /// A worker takes something up. `mono_ms` is the world's; so it is everywhere here.
    pub fn busy(&self, worker: Worker, mono_ms: u64) {
        self.busy_since[worker as usize].store(mono_ms + 1, Ordering::Relaxed);
    }

    /// A worker has finished what it took up.
    pub fn done(&self, worker: Worker, mono_ms: u64) {
        self.progress_ms.fetch_max(mono_ms, Ordering::Relaxed);
        self.busy_since[worker as usize].store(0, Ordering::Relaxed);
    }

    /// When a worker last finished something.
    pub fn progress_ms(&self) -> u64 {
        self.progress_ms.load(Ordering::Relaxed)
    }

    /// For how many milliseconds a worker has been at one piece of work; 0 while both wait for work. For a watchdog:
    /// an SD card can stall for some seconds, a minute means that the node is stuck.
    pub fn stalled_ms(&self, mono_ms: u64) -> u64 {
        let since = self.busy_since.iter().map(|since| since.load(Ordering::Relaxed));
        since.filter(|since| *since > 0).map(|since| (mono_ms + 1).saturating_sub(since)).max().unwrap_or(0)
    }
}

fn wake(mut state: MutexGuard<'_, State>) {
    let waiting = state.waiting.take();
    drop(state);
    if let Some(waker) = waiting {
        waker.wake();
    }
}

fn log(trouble: &Trouble) {
    let (kind, text) = (trouble.kind.word(), &*trouble.text);
    match trouble.kind.severity() {
        Severity::Info => tracing::info!(kind, "{text}"),
        Severity::Warning => tracing::warn!(kind, "{text}"),
        Severity::Error => tracing::error!(kind, "{text}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::pin::pin;
    use std::task::Context;

    fn trouble(kind: TroubleKind, text: &str) -> Trouble {
        Trouble { kind, text: text.into() }
    }

    fn news(health: &Health) -> Option<News> {
        match pin!(health.news()).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(news) => Some(news),
            Poll::Pending => None,
        }
    }

    #[test]
    fn the_same_trouble_is_told_once_and_again_after_it_was_over() {
        let health = Health::default();
        let full = trouble(TroubleKind::DiskFull, "no room");
        health.note(full.clone());
        health.note(full.clone());
        let told = news(&health).expect("there is something to tell");
        assert_eq!(told, News { noted: vec![full.clone()], over: vec![] });
        assert_eq!(news(&health), Some(told.clone()), "until it was told");
        health.told(&told);
        health.note(full.clone());
        assert_eq!((news(&health), health.current().len()), (None, 1));
        health.clear(TroubleKind::DiskFull);
        let over = news(&health).expect("its end is news");
        assert_eq!(over, News { noted: vec![], over: vec![TroubleKind::DiskFull] });
        health.told(&over);
        health.clear(TroubleKind::DiskFull);
        assert_eq!(news(&health), None);
        health.note(full.clone());
        assert_eq!(news(&health).map(|news| news.noted), Some(vec![full]));
    }

    #[test]
    fn the_list_is_bounded_and_the_worst_stays() {
        let health = Health::default();
        health.note(trouble(TroubleKind::JournalDamaged, "lost"));
        for number in 0..3 * TROUBLES_MAX {
            health.note(trouble(TroubleKind::Repaired, &format!("{number}")));
        }
        let current = health.current();
        assert_eq!((current.len(), current[0].kind), (TROUBLES_MAX, TroubleKind::JournalDamaged));
        assert_eq!(health.worst(), Severity::Error);
    }

    #[test]
    fn a_worker_that_does_not_come_back_is_seen() {
        let health = Health::default();
        health.busy(Worker::Settler, 100);
        health.busy(Worker::Writer, 4_000);
        assert_eq!(health.stalled_ms(5_000), 4_900);
        health.done(Worker::Settler, 5_000);
        assert_eq!((health.stalled_ms(5_000), health.progress_ms()), (1_000, 5_000));
        health.done(Worker::Writer, 5_001);
        assert_eq!(health.stalled_ms(9_000), 0);
    }
}
