//! When devices were last heard: by their newest message. The key is written anew with each, and so reaches the disk once
//! a checkpoint however much a device says; a start and a rebuild find it again in the Changes.

use crate::base::id::{Seq, UserId};
use crate::base::limits::CLOCK_STEP_MAX_MS;
use crate::base::time::WallMs;
use crate::chat::change::Change;
use crate::chat::message::Message;
use crate::store::error::StoreError;
use crate::store::index::apply::Writes;
use crate::store::index::kv::Shelf;
use crate::store::index::times::Times;
use crate::store::keys;

/// The layout written today.
const VERSION: u8 = 1;
/// Version, sequence, time.
const BYTES: usize = 1 + 2 * 8;

/// Notes that the author of this message was heard, if it is a device. What was imported was said another time.
pub(super) fn note(
    shelf: &dyn Shelf,
    change: &Change,
    message: &Message,
    writes: &mut Writes,
) -> Result<(), StoreError> {
    let now = change.origin.moment.wall_ms;
    let author = &message.author.id;
    if message.at + CLOCK_STEP_MAX_MS < now || shelf.get(&keys::device(author))?.is_none() {
        return Ok(());
    }
    let mut bytes = [VERSION; BYTES];
    bytes[1..9].copy_from_slice(&change.seq.0.to_be_bytes());
    bytes[9..].copy_from_slice(&now.to_be_bytes());
    writes.put(keys::heard(author), &bytes);
    Ok(())
}

/// When a device was last heard, as its message shows it.
pub fn heard(shelf: &(impl Shelf + ?Sized), user: &UserId) -> Result<Option<WallMs>, StoreError> {
    let Some(value) = shelf.get(&keys::heard(user))? else { return Ok(None) };
    let damaged = || StoreError::Index("when a device was heard is damaged".into());
    let bytes: &[u8; BYTES] = value[..].try_into().map_err(|_| damaged())?;
    if bytes[0] != VERSION {
        return Err(damaged());
    }
    let number =
        |at: usize| u64::from_be_bytes(*bytes[at..].first_chunk().expect("the record is long enough"));
    let (seq, at) = (Seq(number(1)), number(9));
    Ok(Some(shelf.turned_of(seq)?.map_or(at, |turned| turned.shown(at))))
}
