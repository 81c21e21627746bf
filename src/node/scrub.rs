//! Reads all of the journal again, slowly, soon after each start and once a week: what a card has lost since is told
//! before anybody asks for it. A start itself reads only what the index has not followed yet.

use crate::base::limits::{SCRUB_BREATH_BYTES, SCRUB_BREATH_MS};
use crate::node::NodeHandle;
use crate::node::check::read_all;
use crate::node::reading::Reading;
use crate::node::start::tell_loss;
use crate::store::error::StoreError;

/// Reads what is settled now; `goes_on` takes a breath of so many milliseconds and says whether to go on. False when it
/// was not read to its end.
pub(super) fn scrub(node: &NodeHandle, goes_on: &dyn Fn(u64) -> bool) -> bool {
    let mut whole = true;
    let _ = node.read(|reading| {
        match read(reading, goes_on) {
            Ok(read) => whole = read,
            Err(error) => tracing::warn!(%error, "the journal could not be read again"),
        }
        Ok(())
    });
    whole
}

fn read(reading: &Reading, goes_on: &dyn Fn(u64) -> bool) -> Result<bool, StoreError> {
    // The segments stay as they are until it is done.
    let _pin = reading.journal.pin();
    let (mut breath, mut whole) = (0, true);
    let losses = read_all(&reading.journal, reading.settled.reached().end, &mut |_, bytes| {
        breath += bytes;
        if breath < SCRUB_BREATH_BYTES {
            return true;
        }
        breath = 0;
        whole = goes_on(SCRUB_BREATH_MS);
        whole
    })?;
    losses.list().iter().for_each(|lost| tell_loss(reading, &lost.damage, Some(lost)));
    Ok(whole)
}
