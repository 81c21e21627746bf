//! Messages found by id, place or sequence: in the journal, and for the writer also in what is not settled yet.

use crate::base::id::{MessageId, RoomId, Seq};
use crate::chat::change::{Change, What};
use crate::chat::message::Message;
use crate::chat::refusal::Refusal;
use crate::node::refuse;
use crate::store::error::StoreError;
use crate::store::index::catalog::Catalog;
use crate::store::index::times::{Shown, Times, show_message};
use crate::store::journal::{self, Pos};
use crate::store::record;
use crate::store::record::own_id::OwnId;
use std::sync::Arc;

/// A Change as it lies in the journal.
pub fn read_change(journal: &journal::Reader, pos: Pos) -> Result<Change, StoreError> {
    let frame = journal.frame(pos)?;
    Ok(record::change::decode(Seq(frame.seq), &frame.payload)?)
}

/// The message a Change posts or revises.
pub fn message_in(change: &Change) -> Option<&Message> {
    match &change.what {
        What::Posted { message, .. } | What::Revised { message, .. } => Some(message),
        _ => None,
    }
}

/// Something messages can be looked up in.
pub trait Books: Catalog + Sized {
    /// The Change whose frame lies at this place, with the times that were written.
    fn change_at(&self, pos: Pos) -> Result<Arc<Change>, StoreError>;

    /// The Change of this sequence; `None` when there is none.
    fn change_of(&self, seq: Seq) -> Result<Option<Arc<Change>>, StoreError>;

    /// Tells those who run the node that something cannot be read any more.
    fn tell_lost(&self, error: &StoreError);

    /// The Change whose frame lies at this place; `None` when it cannot be read any more: what is lost is told to those
    /// who run the node, and what is left is shown to everybody.
    fn change_left(&self, pos: Pos) -> Result<Option<Arc<Change>>, StoreError> {
        match self.change_at(pos) {
            Err(error @ (StoreError::NoFrame { .. } | StoreError::Damaged(_))) => {
                self.tell_lost(&error);
                Ok(None)
            }
            found => found.map(Some),
        }
    }

    /// The message of this sequence in this room as it is now.
    fn message_of(&self, room: &RoomId, seq: Seq) -> Result<Option<Message>, Refusal> {
        match self.shown_lying(room, seq).map_err(refuse)? {
            Some(shown) => self.message_shown(&shown).map_err(refuse),
            None => Ok(None),
        }
    }

    /// The message of this entry of a room's history as it is now, with the times that are shown.
    fn message_shown(&self, shown: &Shown) -> Result<Option<Message>, StoreError> {
        if shown.entry.pos == 0 {
            return Ok(None);
        }
        let Some(change) = self.change_left(Pos(shown.entry.pos))? else { return Ok(None) };
        let Some(mut message) = message_in(&change).cloned() else { return Ok(None) };
        let turned = if change.seq == message.seq { shown.turned } else { self.turned_of(change.seq)? };
        if let Some(turned) = turned {
            show_message(&mut message, &turned);
        }
        message.at = shown.entry.at;
        message.touched = message.touched.max(message.at);
        message.trusted |= shown.turned.is_some_and(|turned| turned.trusted);
        Ok(Some(message))
    }

    /// Where the message of this id stands, even when it was removed since.
    fn placed(&self, id: &MessageId) -> Result<Option<(RoomId, Seq)>, Refusal> {
        if let Some(seq) = id.minted_seq()
            && let Some(change) = self.change_of(seq).map_err(refuse)?
        {
            match &change.what {
                What::Posted { message, .. } if message.id == *id => {
                    return Ok(Some((message.room.clone(), seq)));
                }
                // Its first words are gone; newer ones may be there.
                What::Erased { room, .. }
                    if self.message_of(room, seq)?.is_some_and(|message| message.id == *id) =>
                {
                    return Ok(Some((room.clone(), seq)));
                }
                _ => {}
            }
        }
        match self.own_id(id).map_err(refuse)? {
            None => Ok(None),
            Some(OwnId::Message(room, seq)) => Ok(Some((room, seq))),
            Some(OwnId::Former(pos)) => {
                let change = self.change_left(pos).map_err(refuse)?;
                let message = change.as_deref().and_then(message_in);
                Ok(message.map(|message| (message.room.clone(), message.seq)))
            }
        }
    }

    /// The message of this id as it is now; `None` when it never was or was removed.
    fn message(&self, id: &MessageId) -> Result<Option<Message>, Refusal> {
        match self.placed(id)? {
            Some((room, seq)) => self.message_of(&room, seq),
            None => Ok(None),
        }
    }

    /// The message that was posted at this place, if its words are still those.
    fn posted_at(&self, seq: Seq) -> Result<Option<Message>, Refusal> {
        let change = self.change_of(seq).map_err(refuse)?;
        Ok(change.as_deref().and_then(message_in).cloned())
    }
}

/// Finds the Change of a sequence in the settled journal: from the waymark before it, through a few groups.
pub fn settled_change(
    catalog: &dyn Catalog,
    journal: &journal::Reader,
    seq: Seq,
    end: Pos,
) -> Result<Option<Change>, StoreError> {
    loop {
        match scanned_change(catalog, journal, seq, end) {
            // It lies elsewhere now, and the waymark leads there or at least before it.
            Err(StoreError::Condensed) => {}
            found => return found,
        }
    }
}

fn scanned_change(
    catalog: &dyn Catalog,
    journal: &journal::Reader,
    seq: Seq,
    end: Pos,
) -> Result<Option<Change>, StoreError> {
    let from = catalog.waymark(seq)?.map_or(Pos::default(), |(_, pos)| pos);
    for found in journal.scan(from, end) {
        let frame = match found {
            Ok((_, frame)) => frame,
            // It was reported at the start; the Change may lie behind it.
            Err(StoreError::Damaged(_)) => continue,
            Err(error) => return Err(error),
        };
        if frame.seq == seq.0 {
            return Ok(Some(record::change::decode(seq, &frame.payload)?));
        }
        if frame.seq > seq.0 {
            break;
        }
    }
    Ok(None)
}
