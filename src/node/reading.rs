//! What can be read without the writer: everything settled, on the caller's own thread.

use crate::base::id::{RoomId, Seq, UserId};
use crate::base::time::Moment;
use crate::base::world::World;
use crate::chat::change::Change;
use crate::chat::membership::{Membership, ReadMark};
use crate::chat::policy::{self, Actor, MayPost, MayPublish, MayRead, MaySubscribe};
use crate::chat::refusal::Refusal;
use crate::chat::room::Room;
use crate::chat::topic::{Filter, Topic};
use crate::node::books::{Books, read_change, settled_change};
use crate::node::caller::{self, Caller};
use crate::node::clock::Clock;
use crate::node::health::{Health, Trouble, TroubleKind};
use crate::node::refuse;
use crate::store::error::StoreError;
use crate::store::index::catalog::{Catalog, RoomTail};
use crate::store::index::counts::IndexCounts;
use crate::store::index::kv::{Shelf, Value};
use crate::store::index::settled::Settled;
use crate::store::index::times::Times;
use crate::store::journal::{self, Pos};
use crate::store::keys::{self, Key};
use crate::store::lost::register::Register;
use std::sync::Arc;

/// The settled state of the node; a clone reads the same.
#[derive(Clone)]
pub struct Reading {
    /// Chance.
    pub(super) world: Arc<dyn World>,
    /// What time it is, to tell which tokens still hold.
    pub(super) clock: Arc<Clock>,
    /// The index.
    pub(super) settled: Arc<Settled>,
    /// The bodies.
    pub(super) journal: journal::Reader,
    /// Where it is told what cannot be read.
    pub(super) health: Arc<Health>,
    /// What is known to be lost.
    pub(super) register: Arc<Register>,
}

/// A room as one of its members sees it.
#[derive(Clone, Debug)]
pub struct Place {
    /// The room.
    pub room: Arc<Room>,
    /// The member's place in it.
    pub membership: Membership,
    /// How far they have read.
    pub mark: ReadMark,
    /// Where the history ends.
    pub tail: RoomTail,
    /// Messages of the room that were trimmed, counted from its first; 0 where all that is there was read.
    pub gone: u64,
}

impl Place {
    /// Messages after the member's mark that can still be read.
    pub fn unread(&self) -> u64 {
        self.tail.count.saturating_sub(self.mark.count.max(self.gone))
    }
}

/// The right to read a room, with the place in the order at which it was found to hold.
#[derive(Clone, Debug)]
pub struct Granted {
    /// The permit.
    pub permit: MayRead,
    /// Everything up to this Change had been considered.
    pub as_of: Seq,
}

impl Reading {
    /// The journal itself.
    pub fn journal(&self) -> &journal::Reader {
        &self.journal
    }

    /// Time and chance.
    pub fn world(&self) -> &dyn World {
        &*self.world
    }

    /// What time it is.
    pub fn now(&self) -> Moment {
        self.clock.now()
    }

    /// The node's clock.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Who the caller is.
    pub fn actor(&self, caller: &Caller) -> Result<Actor, Refusal> {
        caller::actor(self, caller, self.now())
    }

    /// The newest settled place in the order.
    pub fn newest(&self) -> Seq {
        self.settled.reached().seq
    }

    /// The node's own number, made at its first start.
    pub fn node_number(&self) -> Result<u64, Refusal> {
        let value = self.get(keys::NODE).map_err(refuse)?.unwrap_or_default();
        Ok(value.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    /// A room by id or name, if the actor may read it; a room hidden from them does not exist for them.
    pub fn room_for(&self, actor: &Actor, id_or_name: &str) -> Result<(Arc<Room>, Granted), Refusal> {
        let room = self.room_by(id_or_name)?;
        let granted = self.may_read(actor, &room)?;
        Ok((room, granted))
    }

    /// A room by id or name, whoever asks.
    pub(super) fn room_by(&self, id_or_name: &str) -> Result<Arc<Room>, Refusal> {
        let by_id = RoomId::parse(id_or_name).map(|id| self.room(&id)).transpose().map_err(refuse)?.flatten();
        match by_id {
            Some(room) => Ok(room),
            None => self.room_named(id_or_name).map_err(refuse)?.ok_or(Refusal::NoSuchRoom),
        }
    }

    /// The right of the actor to read this room.
    pub fn may_read(&self, actor: &Actor, room: &Room) -> Result<Granted, Refusal> {
        // Taken before the membership is looked at: what comes later is judged by whoever listens.
        let as_of = self.newest();
        let membership = self.membership(&room.id, &actor.user.id).map_err(refuse)?;
        let permit = policy::may_read(actor, room, membership.as_ref())?;
        Ok(Granted { permit, as_of })
    }

    /// The right of the actor to be heard in this room.
    pub fn may_post(&self, actor: &Actor, room: &Room) -> Result<MayPost, Refusal> {
        let membership = self.membership(&room.id, &actor.user.id).map_err(refuse)?;
        policy::may_post(actor, room, membership.as_ref())
    }

    /// The right of the actor to publish to this topic, with the place in the order at which it was found to hold.
    pub fn may_publish(&self, actor: &Actor, topic: &Topic) -> Result<(MayPublish, Seq), Refusal> {
        Ok((policy::may_publish(actor, topic)?, self.newest()))
    }

    /// The right of the node itself to say something about itself, with its place as above.
    pub fn may_tell(&self, topic: &Topic) -> Result<(MayPublish, Seq), Refusal> {
        Ok((policy::may_tell(&caller::NODE_USER, topic)?, self.newest()))
    }

    /// The right of the actor to hear what is published to the topics of this filter, with its place as above.
    pub fn may_subscribe(&self, actor: &Actor, filter: &Filter) -> Result<(MaySubscribe, Seq), Refusal> {
        Ok((policy::may_subscribe(actor, filter)?, self.newest()))
    }

    /// Whether the actor, who may hear a filter, may hear this topic by it.
    pub fn may_hear(&self, actor: &Actor, topic: &Topic) -> bool {
        policy::may_hear(actor, topic)
    }

    /// Whether the actor may see who has an account here, and who comes and goes.
    pub fn may_see_users(&self, actor: &Actor) -> Result<(), Refusal> {
        policy::may_see_users(actor)
    }

    /// The rooms of the actor, as they see them; at most `MEMBERSHIPS_MAX`.
    pub fn places(&self, actor: &Actor) -> Result<Vec<Place>, Refusal> {
        let memberships = self.memberships(&actor.user.id).map_err(refuse)?;
        let places = memberships.into_iter().map(|membership| self.place(membership));
        places.filter_map(Result::transpose).collect()
    }

    /// One room as this user sees it; `None` when they are no member.
    pub fn place_of(&self, room: &RoomId, user: &UserId) -> Result<Option<Place>, Refusal> {
        match self.membership(room, user).map_err(refuse)? {
            Some(membership) => self.place(membership),
            None => Ok(None),
        }
    }

    fn place(&self, membership: Membership) -> Result<Option<Place>, Refusal> {
        let Some(room) = self.room(&membership.room).map_err(refuse)? else { return Ok(None) };
        let mut mark = self.read_mark(&membership.room, &membership.user).map_err(refuse)?;
        if self.turned_of(mark.seq).map_err(refuse)?.is_some() {
            // It was made by a clock that was turned since: nobody has read what was said later than they read it.
            let read = self.shown_lying(&membership.room, mark.seq).map_err(refuse)?;
            mark.at = mark.at.max(read.map_or(0, |read| read.entry.at)).min(self.now().wall_ms);
        }
        let tail = self.room_tail(&membership.room).map_err(refuse)?.unwrap_or_default();
        let trimmed = self.trimmed(&membership.room).map_err(refuse)?.unwrap_or_default();
        let gone = match trimmed.upto > Seq(0) && mark.count < tail.count {
            true => self.first_number(&membership.room, &|entry| entry.seq > trimmed.upto).map_err(refuse)?,
            false => 0,
        };
        Ok(Some(Place { room, membership, mark, tail, gone }))
    }

    /// What the index was given since the start.
    pub fn index_counts(&self) -> &IndexCounts {
        self.settled.counts()
    }

    /// Bytes of the index on the disk.
    pub fn index_bytes(&self) -> u64 {
        self.settled.bytes_on_disk()
    }

    /// Segments of the journal, and their bytes.
    pub fn journal_size(&self) -> (usize, u64) {
        self.journal.size()
    }

    /// Whether somebody owns this node.
    pub fn has_owner(&self) -> Result<bool, Refusal> {
        Ok(self.setting(crate::node::accounts::OWNER).map_err(refuse)?.is_some())
    }
}

impl Shelf for Reading {
    fn get(&self, key: &[u8]) -> Result<Option<Value>, StoreError> {
        self.settled.get(key)
    }

    fn scan(&self, from: &[u8], to: &[u8], max: usize) -> Result<Vec<(Key, Value)>, StoreError> {
        self.settled.scan(from, to, max)
    }
}

impl Books for Reading {
    fn tell_lost(&self, error: &StoreError) {
        tracing::debug!(%error, "a message cannot be read any more");
        if self.register.has_accepted() {
            // Those who run the node know; what is lost beside is found when the journal is read again.
            return;
        }
        // One trouble for all of them: a lost segment holds thousands.
        let text = "Some of what was said lies in a damaged part of the journal and is lost: 'linnet check' names it.";
        self.health.note(Trouble { kind: TroubleKind::JournalDamaged, text: text.into() });
    }

    fn change_at(&self, pos: Pos) -> Result<Arc<Change>, StoreError> {
        read_change(&self.journal, pos).map(Arc::new)
    }

    fn change_of(&self, seq: Seq) -> Result<Option<Arc<Change>>, StoreError> {
        let reached = self.settled.reached();
        if seq > reached.seq {
            return Ok(None);
        }
        Ok(settled_change(self, &self.journal, seq, reached.end)?.map(Arc::new))
    }
}
