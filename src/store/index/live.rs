//! Which frames of the journal still matter: what the index points at, and what an index rebuilt from the journal would
//! need to become the same.
//!
//! A Change that takes something away may go only when nothing older is left that it took away: otherwise a rebuilt
//! index would raise the dead. What is not known here is kept to the byte.

use crate::base::id::{MessageId, RoomId, Seq, UserId};
use crate::base::limits::{DELETIONS_TOLD_MS, JUDGED_BLOCKS_MAX};
use crate::base::time::{Moment, WallMs};
use crate::chat::change::{Change, Via, What};
use crate::chat::message::Message;
use crate::store::error::StoreError;
use crate::store::index::catalog::Catalog;
use crate::store::index::kv::Shelf;
use crate::store::index::times::Times;
use crate::store::index::topics::Needs;
use crate::store::journal::Pos;
use crate::store::keys;
use crate::store::record;
use crate::store::record::block::{Block, Entry};
use crate::store::record::trimmed::Trimmed;
use std::collections::HashMap;

mod topics;

/// What becomes of a frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It stays to the byte.
    Keep,
    /// Nobody needs it.
    Drop,
    /// Its words go; the place of the message stays.
    Erase,
    /// The message goes with its place: it is counted among the skipped.
    Skip,
    /// A part of it that nobody needs goes.
    Strip,
}

/// What follows from a verdict for the index, beside the frame itself.
#[derive(Default, Debug)]
pub struct Effects {
    /// Whose read marks the frame may have borne: they have to be written down again.
    pub marks: Vec<(UserId, RoomId)>,
    /// A client's own id that leads to nothing from now on.
    pub own_id: Option<(MessageId, RoomId, Seq)>,
    /// A room that is gone, of which something is left.
    pub gone_room: Option<RoomId>,
}

/// Judges the frames of one segment after the other.
pub struct Judge<'a> {
    shelf: &'a dyn Shelf,
    /// Changes up to this one have been left out of everything older if they could be.
    clean_upto: Seq,
    now: WallMs,
    rooms: HashMap<RoomId, Known>,
    /// What sessions of topics still need, once it was asked.
    needs: Option<Needs>,
}

/// What was looked up of a room.
struct Known {
    exists: bool,
    trimmed: Trimmed,
    block: Option<Block>,
}

impl<'a> Judge<'a> {
    /// A judge who asks this shelf.
    pub fn new(shelf: &'a dyn Shelf, clean_upto: Seq, now: WallMs) -> Self {
        Self { shelf, clean_upto, now, rooms: HashMap::new(), needs: None }
    }

    /// What becomes of the Change that lies at this place.
    pub fn judge(&mut self, change: &Change, pos: Pos) -> Result<(Verdict, Effects), StoreError> {
        let mut effects = Effects::default();
        let verdict = self.verdict(change, pos, &mut effects)?;
        // A redelivery is recognised although the room is gone.
        if verdict == Verdict::Drop
            && let What::Posted { via: Some(via), .. }
            | What::Erased { via: Some(via), .. }
            | What::Skipped { via: Some(via), .. } = &change.what
            && self.remembers(via)?
        {
            return Ok((Verdict::Skip, effects));
        }
        Ok((verdict, effects))
    }

    fn verdict(&mut self, change: &Change, pos: Pos, effects: &mut Effects) -> Result<Verdict, StoreError> {
        Ok(match &change.what {
            What::Posted { message, own_id, .. } => self.posted(change, (message, *own_id), pos, effects)?,
            What::Revised { message, .. } => self.revised(message, pos, effects)?,
            What::Erased { room, own_id, .. } => {
                let own_id = own_id.clone();
                self.erased(change.seq, room, own_id, effects)?
            }
            What::Skipped { room, .. } if self.known(room)?.exists => Verdict::Skip,
            What::Skipped { room, .. } => gone(room, effects),
            What::Trimmed { room, seq, upto, .. } => {
                let known = self.known(room)?;
                let newest = known.exists && (known.trimmed.seq, known.trimmed.upto) == (*seq, *upto);
                if newest { Verdict::Keep } else { self.removal(change) }
            }
            What::Deleted { .. } if self.is_told_yet(change)? => Verdict::Keep,
            What::Deleted { .. } => self.removal(change),
            What::Left { room, user, .. } => {
                let verdict = self.removal(change);
                self.bears_mark(verdict, user, room, effects)?
            }
            What::RoomRemoved { .. }
            | What::UserRemoved { .. }
            | What::TokenRevoked { .. }
            | What::InvitationGone { .. } => self.removal(change),
            topic if topic.is_about_topics() => self.about_topics(change)?,
            noun => self.noun(change, noun, effects)?,
        })
    }

    /// Whether a redelivery of this packet would still be recognised by it.
    pub fn remembers(&self, via: &Via) -> Result<bool, StoreError> {
        self.shelf.is_delivered(via)
    }

    /// Whether clients that were away may not have heard of it. A time nobody speaks for says nothing of its age.
    fn is_told_yet(&self, change: &Change) -> Result<bool, StoreError> {
        let Moment { wall_ms, trusted, .. } = change.origin.moment;
        let (at, trusted) = match self.shelf.turned_of(change.seq)? {
            Some(turned) => (turned.shown(wall_ms), trusted || turned.trusted),
            None => (wall_ms, trusted),
        };
        Ok(!trusted || self.now.saturating_sub(at) <= DELETIONS_TOLD_MS)
    }

    fn removal(&self, change: &Change) -> Verdict {
        if change.seq <= self.clean_upto { Verdict::Drop } else { Verdict::Keep }
    }

    fn posted(
        &mut self,
        change: &Change,
        (message, own_id): (&Message, bool),
        pos: Pos,
        effects: &mut Effects,
    ) -> Result<Verdict, StoreError> {
        let (room, author) = (&message.room, &message.author.id);
        let entry = self.entry(room, change.seq)?;
        let known = self.known(room)?;
        let verdict = match entry {
            _ if !known.exists => gone(room, effects),
            Some(entry) if entry.pos == pos.0 => return Ok(Verdict::Keep),
            Some(_) => Verdict::Erase,
            None if change.seq <= known.trimmed.seq => Verdict::Skip,
            // The index does not know it, and does not know why: damage is no reason to throw words away.
            None => return Ok(Verdict::Keep),
        };
        if own_id && verdict != Verdict::Erase {
            effects.own_id = Some((message.id.clone(), room.clone(), change.seq));
        }
        self.bears_mark(verdict, author, room, effects)
    }

    fn revised(&mut self, message: &Message, pos: Pos, effects: &mut Effects) -> Result<Verdict, StoreError> {
        let entry = self.entry(&message.room, message.seq)?;
        let known = self.known(&message.room)?;
        Ok(match entry {
            _ if !known.exists => gone(&message.room, effects),
            Some(entry) if entry.pos == pos.0 => Verdict::Keep,
            Some(_) => Verdict::Drop,
            None if message.seq <= known.trimmed.seq => Verdict::Drop,
            None => Verdict::Keep,
        })
    }

    fn erased(
        &mut self,
        seq: Seq,
        room: &RoomId,
        own_id: Option<MessageId>,
        effects: &mut Effects,
    ) -> Result<Verdict, StoreError> {
        let has_place = self.entry(room, seq)?.is_some();
        let known = self.known(room)?;
        let verdict = match has_place {
            _ if !known.exists => gone(room, effects),
            false if seq <= known.trimmed.seq => Verdict::Skip,
            _ => return Ok(Verdict::Keep),
        };
        effects.own_id = own_id.map(|id| (id, room.clone(), seq));
        Ok(verdict)
    }

    /// Nouns matter when the index says the same of them.
    fn noun(&self, change: &Change, what: &What, effects: &mut Effects) -> Result<Verdict, StoreError> {
        let shelf = self.shelf;
        let same = match what {
            What::Started { .. } => {
                let boot = shelf.get(keys::BOOT)?.unwrap_or_default();
                *boot == change.origin.moment.boot.to_be_bytes()
            }
            What::UserAdded(user) | What::UserChanged(user) => {
                shelf.user(&user.id)?.is_some_and(|known| *known == *user)
            }
            What::RoomMade(room) | What::RoomChanged { room, .. } => {
                shelf.room(&room.id)?.is_some_and(|known| *known == *room)
            }
            What::Joined(membership) | What::MembershipChanged(membership) => {
                let (room, user) = (&membership.room, &membership.user);
                let same = shelf.membership(room, user)?.is_some_and(|known| known == *membership);
                let verdict = if same { Verdict::Keep } else { Verdict::Drop };
                return self.bears_mark(verdict, user, room, effects);
            }
            What::Read { room, user, mark } => {
                let known = shelf.get(&keys::read_mark(user, room))?;
                let same = match known {
                    Some(value) => record::membership::decode_mark(&value)? == *mark,
                    None => false,
                };
                let verdict = if same { Verdict::Keep } else { Verdict::Drop };
                return self.bears_mark(verdict, user, room, effects);
            }
            What::TokenAdded(token) => shelf.token(&token.hash)?.is_some_and(|known| known == *token),
            What::DeviceSet(device) => shelf.device(&device.user)?.is_some_and(|known| *known == *device),
            What::InvitationSet(invitation) => {
                shelf.invitation(&invitation.hash)?.is_some_and(|known| known == *invitation)
            }
            What::SettingSet { name, value } => shelf.setting(name)?.is_some_and(|known| known == *value),
            What::PermissionsSet(table) => shelf.permissions()? == *table,
            _ => true,
        };
        Ok(if same { Verdict::Keep } else { Verdict::Drop })
    }

    /// A frame that goes may have borne somebody's read mark.
    fn bears_mark(
        &self,
        verdict: Verdict,
        user: &UserId,
        room: &RoomId,
        effects: &mut Effects,
    ) -> Result<Verdict, StoreError> {
        if verdict != Verdict::Keep && self.shelf.get(&keys::membership(user, room))?.is_some() {
            effects.marks.push((user.clone(), room.clone()));
        }
        Ok(verdict)
    }

    fn known(&mut self, room: &RoomId) -> Result<&mut Known, StoreError> {
        if !self.rooms.contains_key(room) {
            if self.rooms.len() >= JUDGED_BLOCKS_MAX {
                self.rooms.clear();
            }
            let exists = self.shelf.room(room)?.is_some();
            let trimmed = self.shelf.trimmed(room)?.unwrap_or_default();
            self.rooms.insert(room.clone(), Known { exists, trimmed, block: None });
        }
        Ok(self.rooms.get_mut(room).expect("it was just put there"))
    }

    /// The entry of a message: neighbours lie in one block.
    fn entry(&mut self, room: &RoomId, seq: Seq) -> Result<Option<Entry>, StoreError> {
        let shelf = self.shelf;
        let known = self.known(room)?;
        let entries = known.block.as_ref().map_or(&[][..], Block::entries);
        let inside = entries.first().is_some_and(|first| first.seq <= seq)
            && entries.last().is_some_and(|last| seq <= last.seq);
        if !inside {
            let number = shelf.first_number(room, &|entry| entry.seq >= seq)?;
            known.block = shelf.block_at(room, number)?.map(|(_, block)| block);
        }
        Ok(known.block.as_ref().and_then(|block| block.find(seq)))
    }
}

fn gone(room: &RoomId, effects: &mut Effects) -> Verdict {
    effects.gone_room = Some(room.clone());
    Verdict::Drop
}
