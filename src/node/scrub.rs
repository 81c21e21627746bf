//! Reads all of the journal again, slowly, soon after each start and once a week: what a card has lost since is told
//! before anybody asks for it. A start itself reads only what the index has not followed yet.

use crate::base::limits::{SCRUB_BREATH_BYTES, SCRUB_BREATH_MS, SCRUB_EVERY_MS, SCRUB_FIRST_MS};
use crate::node::NodeHandle;
use crate::node::check::read_all;
use crate::node::reading::Reading;
use crate::node::start::tell_loss;
use crate::store::error::StoreError;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// The thread that reads.
pub struct Scrub {
    stop: SyncSender<()>,
    thread: JoinHandle<()>,
}

impl Scrub {
    /// Begins to read, a while after the start.
    pub fn start(node: NodeHandle) -> std::io::Result<Scrub> {
        let (stop, stopped) = mpsc::sync_channel(1);
        let thread = thread::Builder::new().name("linnet-scrub".into()).spawn(move || {
            let mut wait = SCRUB_FIRST_MS;
            while passes(&stopped, wait) {
                let _ = node.read(|reading| {
                    if let Err(error) = scrub(reading, &node, &|| passes(&stopped, SCRUB_BREATH_MS)) {
                        tracing::warn!(%error, "the journal could not be read again");
                    }
                    Ok(())
                });
                wait = SCRUB_EVERY_MS;
            }
        })?;
        Ok(Scrub { stop, thread })
    }

    /// Stops reading.
    pub fn stop(self) {
        drop(self.stop);
        if self.thread.join().is_err() {
            tracing::error!("the thread that reads the journal again panicked");
        }
    }
}

/// Waits; false when the end came instead.
fn passes(stopped: &Receiver<()>, ms: u64) -> bool {
    stopped.recv_timeout(Duration::from_millis(ms)) == Err(RecvTimeoutError::Timeout)
}

/// Reads what is settled now; `goes_on` takes a breath and says whether to go on.
fn scrub(reading: &Reading, node: &NodeHandle, goes_on: &dyn Fn() -> bool) -> Result<(), StoreError> {
    // The segments stay as they are until it is done.
    let _pin = reading.journal.pin();
    let mut breath = 0;
    let losses = read_all(&reading.journal, reading.settled.reached().end, &mut |_, bytes| {
        breath += bytes;
        if breath < SCRUB_BREATH_BYTES {
            return true;
        }
        breath = 0;
        goes_on()
    })?;
    losses.list().iter().for_each(|lost| tell_loss(&node.health, lost.damage.why, &lost.to_string()));
    Ok(())
}
