//! What must be so: the node as a few plain maps, made from what was acknowledged and nothing else.

use super::topics::Heard;
use linnet::base::id::{MessageId, RoomId, Seq, UserId};
use linnet::base::time::Moment;
use linnet::chat::change::{Change, ClockSet, What};
use linnet::chat::device::Device;
use linnet::chat::membership::Membership;
use linnet::chat::message::Message;
use linnet::chat::room::{Room, RoomKind};
use linnet::chat::token::TokenHash;
use linnet::chat::user::{Role, User};
use linnet::store::record;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A member as the model knows them.
pub struct Member {
    pub membership: Membership,
    /// Messages read, counted from the room's first.
    pub read: u64,
}

/// A message as it is now, and when it last changed in the order.
pub struct Said {
    /// `None` once it was removed.
    pub message: Option<Message>,
    pub id: MessageId,
    /// It went with the oldest of its room.
    pub trimmed: bool,
    pub seq: Seq,
    pub touched: Seq,
    /// What the clocks said when it was posted, and when it last changed.
    posted_at: Moment,
    touched_at: Moment,
    /// Whether the clock was turned since, so that other times are shown than were written.
    pub turned: bool,
}

impl Said {
    /// Whether the clocks of its last change were before this time.
    pub fn removed_before(&self, at: u64) -> bool {
        self.touched_at.wall_ms < at
    }

    /// The message is known by a better clock: the times of the Changes from `since` up to `upto` are monotonic time
    /// and offset, and none is before what was there before.
    fn turn(&mut self, set: &ClockSet, upto: Seq, trusted: bool) {
        let Some(message) = &mut self.message else { return };
        let time = |moment: Moment| (moment.mono_ms as i64 + set.offset_ms).max(set.floor_ms as i64) as u64;
        let meant = |seq: Seq| seq >= set.since && seq < upto;
        if meant(self.seq) {
            message.at = time(self.posted_at);
            message.trusted |= trusted;
            self.turned = true;
        }
        if meant(self.touched) {
            message.touched = time(self.touched_at);
            self.turned = true;
        }
    }
}

/// A room with who is in it and what was said.
pub struct Place {
    pub room: Room,
    pub members: BTreeMap<UserId, Member>,
    pub said: Vec<Said>,
}

/// A right from a place in the order on.
type Since = Vec<(Seq, bool)>;

/// Everything acknowledged, and what follows from it.
#[derive(Default)]
pub struct Model {
    /// Every Change, in order, with its bytes in the journal.
    pub journal: Vec<(Arc<Change>, Vec<u8>)>,
    pub users: BTreeMap<UserId, User>,
    pub tokens: BTreeMap<TokenHash, UserId>,
    pub devices: BTreeMap<UserId, Device>,
    pub rooms: BTreeMap<RoomId, Place>,
    pub topics: Heard,
    reads: BTreeMap<(UserId, RoomId), Since>,
    belongs: BTreeMap<(UserId, RoomId), Since>,
}

/// The bytes of a Change as the journal has them.
pub fn bytes_of(change: &Change) -> Vec<u8> {
    let mut bytes = Vec::new();
    record::change::encode(change, &mut bytes).unwrap();
    bytes
}

fn at(since: Option<&Since>, seq: Seq) -> bool {
    let newest = since.and_then(|since| since.iter().rev().find(|(from, _)| *from <= seq));
    newest.is_some_and(|(_, holds)| *holds)
}

impl Model {
    /// The newest acknowledged place.
    pub fn newest(&self) -> Seq {
        self.journal.last().map_or(Seq(0), |(change, _)| change.seq)
    }

    /// The Changes after a place, up to another.
    pub fn between(&self, after: Seq, upto: Seq) -> impl Iterator<Item = &Arc<Change>> {
        let first = self.journal.partition_point(|(change, _)| change.seq <= after);
        self.journal[first..].iter().map(|(change, _)| change).take_while(move |change| change.seq <= upto)
    }

    /// Whether the user may read the room right after this place in the order.
    pub fn reads(&self, user: &UserId, room: &RoomId, seq: Seq) -> bool {
        at(self.reads.get(&(user.clone(), room.clone())), seq)
    }

    /// Whether the user is a member of the room right after this place in the order.
    pub fn belongs(&self, user: &UserId, room: &RoomId, seq: Seq) -> bool {
        at(self.belongs.get(&(user.clone(), room.clone())), seq)
    }

    /// The message of this id.
    pub fn said(&self, id: &MessageId) -> Option<&Said> {
        self.rooms.values().flat_map(|place| &place.said).find(|said| said.id == *id)
    }

    /// Takes one more Change in.
    pub fn take(&mut self, change: Arc<Change>) {
        let seq = change.seq;
        let moment = change.origin.moment;
        if let What::ClockSet(set) = &change.what {
            for said in self.rooms.values_mut().flat_map(|place| &mut place.said) {
                said.turn(set, seq, moment.trusted);
            }
        }
        self.topics.take(&change);
        let bears = self.follow(&change.what, seq, moment);
        self.journal.push((change.clone(), bytes_of(&change)));
        if bears {
            self.note_rights(seq);
        }
    }

    /// Whether a right may have changed.
    fn follow(&mut self, what: &What, seq: Seq, now: Moment) -> bool {
        match what {
            What::Posted { message, .. } => self.post(message, now),
            What::Revised { message, .. } => self.revise(&message.room, message.seq, Some(message), seq, now),
            What::Deleted { room, target, .. } => self.revise(room, *target, None, seq, now),
            What::Trimmed { room, upto, .. } => {
                let said = self.rooms.get_mut(room).into_iter().flat_map(|place| &mut place.said);
                for said in said.filter(|said| said.seq <= *upto) {
                    // Nobody is told of it.
                    (said.message, said.trimmed, said.touched) = (None, true, Seq(0));
                }
            }
            What::Read { room, user, mark } => {
                if let Some(member) = self.rooms.get_mut(room).and_then(|place| place.members.get_mut(user)) {
                    member.read = mark.count;
                }
            }
            What::TokenAdded(token) => {
                self.tokens.insert(token.hash, token.user.clone());
            }
            What::TokenRevoked { hash, .. } => {
                self.tokens.remove(hash);
            }
            noun => {
                self.noun(noun);
                return true;
            }
        }
        false
    }

    fn post(&mut self, message: &Message, now: Moment) {
        let Some(place) = self.rooms.get_mut(&message.room) else { return };
        let before = place.said.len() as u64;
        if let Some(author) = place.members.get_mut(&message.author.id)
            && author.read == before
        {
            author.read += 1;
        }
        let (id, seq) = (message.id.clone(), message.seq);
        let message = Some(message.clone());
        place.said.push(Said {
            message,
            id,
            trimmed: false,
            seq,
            touched: seq,
            posted_at: now,
            touched_at: now,
            turned: false,
        });
    }

    fn revise(&mut self, room: &RoomId, target: Seq, message: Option<&Message>, seq: Seq, now: Moment) {
        let Some(place) = self.rooms.get_mut(room) else { return };
        if let Some(said) = place.said.iter_mut().find(|said| said.seq == target) {
            said.message = message.cloned();
            (said.touched, said.touched_at) = (seq, now);
        }
    }

    fn noun(&mut self, what: &What) {
        match what {
            What::UserAdded(user) | What::UserChanged(user) => {
                self.users.insert(user.id.clone(), user.clone());
            }
            What::UserRemoved { user, .. } => {
                self.users.remove(user);
                self.devices.remove(user);
                self.tokens.retain(|_, whose| whose != user);
                for place in self.rooms.values_mut() {
                    place.members.remove(user);
                }
            }
            What::RoomMade(room) => {
                let place = Place { room: room.clone(), members: BTreeMap::new(), said: Vec::new() };
                self.rooms.insert(room.id.clone(), place);
            }
            What::RoomChanged { room, .. } => {
                self.rooms.get_mut(&room.id).unwrap().room = room.clone();
            }
            What::RoomRemoved { room, .. } => {
                self.rooms.remove(room);
            }
            What::Joined(membership) => {
                let place = self.rooms.get_mut(&membership.room).unwrap();
                let member = Member { membership: membership.clone(), read: 0 };
                place.members.insert(membership.user.clone(), member);
            }
            What::MembershipChanged(now) => {
                let place = self.rooms.get_mut(&now.room).unwrap();
                place.members.get_mut(&now.user).unwrap().membership = now.clone();
            }
            What::Left { room, user, .. } => {
                self.rooms.get_mut(room).unwrap().members.remove(user);
            }
            What::DeviceSet(device) => {
                self.devices.insert(device.user.clone(), device.clone());
            }
            _ => {}
        }
    }

    fn note_rights(&mut self, seq: Seq) {
        let mut now = BTreeMap::new();
        for (id, user) in &self.users {
            for (room, place) in &self.rooms {
                let belongs = place.members.contains_key(id);
                now.insert((id.clone(), room.clone()), (self.may_read(user, place), belongs));
            }
        }
        let gone: Vec<_> = self.reads.keys().filter(|pair| !now.contains_key(*pair)).cloned().collect();
        now.extend(gone.into_iter().map(|pair| (pair, (false, false))));
        for (pair, (reads, belongs)) in now {
            note(self.reads.entry(pair.clone()).or_default(), seq, reads);
            note(self.belongs.entry(pair).or_default(), seq, belongs);
        }
    }

    /// Who may read a room, said once more and independently of the policy.
    fn may_read(&self, user: &User, place: &Place) -> bool {
        if !user.active {
            return false;
        }
        if let Some(device) = self.devices.get(&user.id) {
            return device.bindings.iter().any(|binding| binding.room == place.room.id && binding.read);
        }
        let known = [Role::Admin, Role::Moderator, Role::User, Role::Bot, Role::Guest];
        let open = place.room.kind == RoomKind::Public && known.iter().any(|role| user.is(*role));
        open || place.members.contains_key(&user.id)
    }
}

fn note(since: &mut Since, seq: Seq, holds: bool) {
    if since.last().is_none_or(|(_, before)| *before != holds) {
        since.push((seq, holds));
    }
}
