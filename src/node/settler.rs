//! The thread behind the writer: it writes each group, syncs it, and only then lets the answers go and the listeners
//! wake. A group that finds no room on the disk is taken back, and its callers hear of it.

use crate::base::world::World;
use crate::chat::change::Change;
use crate::delivery::Hub;
use crate::node::Formed;
use crate::node::counts::NodeCounts;
use crate::node::disk::DiskCare;
use crate::node::health::{Health, Trouble, TroubleKind, Worker};
use crate::node::indexer::Indexer;
use crate::node::queue::Queue;
use crate::store::error::StoreError;
use crate::store::index::settled::Settled;
use crate::store::journal::Writer;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender};

/// What lets an answer go once it is known what became of its group.
pub(super) type Release = Box<dyn FnOnce(Outcome) + Send>;

/// What became of a group.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It is on the disk.
    Kept,
    /// It was taken back: the disk is full.
    NoRoom,
    /// Nobody knows.
    Failed,
}

/// A group and the answers that wait for it.
pub(super) struct Handed {
    /// The group.
    pub formed: Formed,
    /// They go once the group is on the disk.
    pub answers: Vec<Release>,
}

/// Tells the node's health when a thread is at work.
pub(super) struct Work {
    health: Arc<Health>,
    world: Arc<dyn World>,
}

impl Work {
    pub fn of(health: &Arc<Health>, world: &Arc<dyn World>) -> Self {
        Self { health: health.clone(), world: world.clone() }
    }

    pub fn at<T>(&self, worker: Worker, work: impl FnOnce() -> T) -> T {
        self.health.busy(worker, self.world.mono_ms());
        let done = work();
        self.health.done(worker, self.world.mono_ms());
        done
    }

    /// The store failed. Said before anybody hears it by an answer, who may ask for the reason at once.
    pub fn failed(&self, error: &StoreError) {
        self.health.note(failure(error));
    }
}

/// What a store that failed means for the node.
pub(super) fn failure(error: &StoreError) -> Trouble {
    let kind = match error {
        StoreError::Disk { .. } => TroubleKind::SyncFailed,
        _ => TroubleKind::Failed,
    };
    Trouble { kind, text: error.to_string() }
}

/// The thread that takes groups to the disk.
pub(super) struct Settler {
    pub writer: Writer,
    pub settled: Arc<Settled>,
    pub hub: Arc<Hub>,
    pub counts: Arc<NodeCounts>,
    pub indexer: Arc<Indexer>,
    pub disk: Arc<DiskCare>,
    pub indexing: SyncSender<()>,
}

impl Settler {
    /// Settles what is handed over, until nobody hands over any more or the store fails.
    pub fn run<J>(
        mut self,
        handed: &Receiver<Handed>,
        queue: &Queue<J>,
        work: &Work,
    ) -> Result<(), StoreError> {
        while let Ok(Handed { formed, answers }) = handed.recv() {
            #[cfg(feature = "plant")]
            let answers = match crate::base::plant::early_ack() {
                true => {
                    answers.into_iter().for_each(|release| release(Outcome::Kept));
                    Vec::new()
                }
                false => answers,
            };
            if let Err(error) = work.at(Worker::Settler, || self.settle(&formed, &*work.world)) {
                let no_room = matches!(error, StoreError::NoRoom);
                if no_room {
                    // Before anybody hears of it, so that no new job joins what is about to be taken back.
                    self.disk.hit_wall();
                    queue.not_kept();
                }
                let outcome = match no_room {
                    true => Outcome::NoRoom,
                    false => {
                        work.failed(&error);
                        Outcome::Failed
                    }
                };
                answers.into_iter().for_each(|release| release(outcome));
                if !no_room {
                    return Err(error);
                }
                continue;
            }
            // The next group may go while the answers leave.
            queue.settled();
            let changes: Vec<Arc<Change>> =
                formed.batch.changes.iter().map(|(_, change)| change.clone()).collect();
            self.counts.settled(&changes);
            // What somebody does upon an answer comes behind what was answered, also for those who listen.
            self.hub.take_in(&changes);
            for release in answers {
                release(Outcome::Kept);
            }
            if !changes.is_empty() {
                self.hub.announce();
            }
        }
        Ok(())
    }

    /// Nobody is told before this returns.
    fn settle(&mut self, formed: &Formed, world: &dyn World) -> Result<(), StoreError> {
        match &formed.group {
            Some(group) => {
                let began = world.mono_ms();
                self.writer.write(group)?;
                self.counts.synced(world.mono_ms().saturating_sub(began));
                self.disk.wrote(group.len_bytes() as u64);
            }
            None if formed.batch.layer.is_empty() => return Ok(()),
            // Amendments of the index alone need no disk: the next start makes them again.
            None => {}
        }
        self.settled.settle(&formed.batch.layer, formed.reached);
        if self.settled.is_full() {
            // The index cannot keep up: it is better to wait here than to fill the memory.
            self.indexer.checkpoint()?;
        } else if self.settled.is_due() {
            // Full means that the indexer has been told already.
            let _ = self.indexing.try_send(());
        }
        Ok(())
    }
}
