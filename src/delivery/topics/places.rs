//! All who listen to topics, and their filters. One lock guards it; nobody is woken while it is held.

use super::debt::Debt;
use super::parked::Parked;
use super::rights::{Login, bears};
use super::seat::{TopicDrained, TopicWho, TopicsCounts};
use super::sheet::Meter;
use super::sitter::{Hearer, Held, Sitter};
use super::tree::Tree;
use crate::base::id::{Seq, UserId};
use crate::base::limits::SUBSCRIPTIONS_MAX;
use crate::chat::policy::{Actor, MayPublish, MaySubscribe};
use crate::chat::publication::{Publication, Qos, Subscription};
use crate::chat::topic::Filter;
use crate::delivery::hub::Bounds;
use crate::delivery::listener::Refused;
use crate::delivery::tail::Tail;
use smol_str::SmolStr;
use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::atomic::Ordering;
use std::task::Waker;

/// Those who hear one filter.
#[derive(Default)]
pub(super) struct Leaf {
    pub hearers: Vec<Hearer>,
    pub groups: Vec<Group>,
    /// Subscriptions of sessions for which publications must be kept.
    pub keeps: u32,
}

impl Leaf {
    pub fn is_empty(&self) -> bool {
        self.hearers.is_empty() && self.groups.is_empty() && self.keeps == 0
    }

    /// Those among whom a subscription stands; none when its group is not there.
    fn among(&mut self, share: Option<&str>) -> Option<&mut Vec<Hearer>> {
        match share {
            None => Some(&mut self.hearers),
            Some(name) => {
                let group = self.groups.iter_mut().find(|group| group.name == name);
                group.map(|group| &mut group.members)
            }
        }
    }
}

/// Those who share one filter: each publication goes to one of them.
pub(super) struct Group {
    pub number: NonZeroU32,
    pub name: SmolStr,
    pub members: Vec<Hearer>,
    /// Whose turn it is.
    pub next: usize,
    /// What it owes, where a session that outlives its connection is in it.
    pub debt: Option<Box<Debt>>,
}

/// One user with seats.
pub(super) struct Person {
    pub actor: Actor,
    /// The place the actor is of.
    pub after: Seq,
    pub seats: Vec<u32>,
}

/// All seats, and who hears what.
pub struct Places {
    pub(super) seats: Vec<Taken>,
    free: Vec<u32>,
    seats_max: usize,
    pub(super) people: HashMap<UserId, Person>,
    pub(super) tree: Tree<Leaf>,
    /// Where each group is.
    pub(super) groups: HashMap<NonZeroU32, Filter>,
    groups_made: u32,
    pub(super) parked: HashMap<SmolStr, Parked>,
    subscriptions: usize,
    /// Bytes of all subscriptions, roughly.
    pub(super) weight: usize,
    weight_max: usize,
    /// The newest place that was relayed here.
    pub(super) relayed: Seq,
    pub(super) meter: Meter,
    pub(super) waiting_max: usize,
    /// Bytes that wait with which it is next looked who holds too much.
    pub(super) relieve_at: usize,
    pub(super) round: u64,
    /// Leaves that match, while a publication is delivered.
    pub(super) found: Vec<u32>,
    pub(super) delivered: u64,
    pub(super) dropped: u64,
}

impl Places {
    pub fn new(settled: Seq, bounds: &Bounds) -> Self {
        Self {
            seats: Vec::new(),
            free: Vec::new(),
            seats_max: bounds.listeners,
            people: HashMap::new(),
            tree: Tree::new(),
            groups: HashMap::new(),
            groups_made: 0,
            parked: HashMap::new(),
            subscriptions: 0,
            weight: 0,
            weight_max: bounds.filters_bytes,
            relayed: settled,
            meter: Meter::default(),
            waiting_max: bounds.topics_bytes,
            relieve_at: bounds.topics_bytes,
            round: 0,
            found: Vec::new(),
            delivered: 0,
            dropped: 0,
        }
    }

    pub fn take(&mut self, who: TopicWho, as_of: Seq, tail: &Tail) -> Result<u32, Refused> {
        if self.count() >= self.seats_max {
            return Err(Refused::TooManyListeners);
        }
        let (user, login) = (&who.actor.user.id, Login::of(&who));
        if as_of < tail.lost() || tail.after(as_of).any(|entry| bears(&entry.change.what, user, &login)) {
            return Err(Refused::Stale);
        }
        let id = self.free.pop().unwrap_or_else(|| {
            self.seats.push(None);
            u32::try_from(self.seats.len() - 1).expect("there are fewer listeners than 2^32")
        });
        let fresh = || Person { actor: who.actor.clone(), after: as_of, seats: Vec::new() };
        let person = self.people.entry(user.clone()).or_insert_with(fresh);
        if as_of > person.after {
            (person.actor, person.after) = (who.actor.clone(), as_of);
        }
        person.seats.push(id);
        self.seats[id as usize] = Some(Box::new(Sitter::new(who, as_of)));
        Ok(id)
    }

    /// Frees the seat; what it held is dropped by the caller, without the lock.
    pub fn leave(&mut self, id: u32, woken: &mut Vec<Waker>) -> impl Sized + use<> {
        self.forget_all(id);
        self.retire(id);
        let shared = self.sitter(id).queue.take_shared(|parcel| parcel.is_shared());
        self.hand_on(id, shared, woken);
        self.free.push(id);
        self.seats[id as usize].take()
    }

    /// Takes a seat out of what its user counts for.
    pub(super) fn retire(&mut self, id: u32) {
        let user = self.sitter(id).user.clone();
        let Some(person) = self.people.get_mut(&user) else { return };
        if let Some(at) = person.seats.iter().position(|other| *other == id) {
            person.seats.swap_remove(at);
        }
        if person.seats.is_empty() {
            self.people.remove(&user);
        }
    }

    pub fn subscribe(
        &mut self,
        id: u32,
        permit: &MaySubscribe,
        subscription: &Subscription,
        as_of: Seq,
        tail: &Tail,
        woken: &mut Vec<Waker>,
    ) -> Result<bool, Refused> {
        let weight = weight_of(subscription);
        let is_full = self.weight + weight > self.weight_max;
        let sitter = self.sitter(id);
        if sitter.ended.is_some() {
            return Err(Refused::Ended);
        }
        if *permit.user() != sitter.user || *permit.filter() != subscription.filter {
            return Err(Refused::NotTheirPermit);
        }
        if as_of < tail.lost() || as_of < sitter.rights_since {
            return Err(Refused::Stale);
        }
        let (filter, share) = (&subscription.filter, &subscription.share);
        if let Some(at) = sitter.held.iter().position(|held| held.is(filter, share.as_deref())) {
            self.change(id, at, subscription);
            return Ok(false);
        }
        if is_full || sitter.held.len() >= SUBSCRIPTIONS_MAX {
            return Err(Refused::TooManyFilters);
        }
        if sitter.held.is_empty() {
            // Most have one.
            sitter.held.reserve_exact(1);
        }
        let (filter, share, qos) = (filter.clone(), share.clone(), subscription.qos);
        sitter.held.push(Held { filter, share, after: as_of, qos });
        self.weight += weight;
        self.subscriptions += 1;
        self.enter(Hearer::of(id, subscription, as_of), subscription);
        if subscription.share.is_none() {
            self.replay(id, subscription, as_of, tail, woken);
        }
        Ok(true)
    }

    /// Puts a new subscription to its filter.
    fn enter(&mut self, hearer: Hearer, subscription: &Subscription) {
        let counts = self.sitter(hearer.seat).is_persistent && hearer.qos != Qos::Most;
        let at = self.tree.leaf_of(&subscription.filter);
        let leaf = self.tree.leaf_mut(at);
        leaf.keeps += u32::from(counts);
        let Some(name) = &subscription.share else { return push(&mut leaf.hearers, hearer) };
        let number = self.group_or_new(&subscription.filter, name);
        let groups = &mut self.tree.leaf_mut(at).groups;
        let Some(group) = groups.iter_mut().find(|group| group.number == number) else { return };
        if counts {
            group.debt.get_or_insert_with(|| Box::new(Debt::new(hearer.after)));
        }
        let sitter = sitter_at(&mut self.seats, hearer.seat);
        sitter.is_to_feed |= group.debt.as_ref().is_some_and(|debt| debt.behind().is_some());
        push(&mut group.members, hearer);
    }

    /// The group of this name and filter, a new one if there is none.
    pub(super) fn group_or_new(&mut self, filter: &Filter, name: &SmolStr) -> NonZeroU32 {
        let leaf = self.tree.leaf_of(filter);
        let leaf = self.tree.leaf_mut(leaf);
        if let Some(group) = leaf.groups.iter().find(|group| group.name == *name) {
            return group.number;
        }
        self.groups_made = self.groups_made.checked_add(1).unwrap_or(1);
        let number = NonZeroU32::new(self.groups_made).expect("it was just made more than 0");
        leaf.groups.push(Group { number, name: name.clone(), members: Vec::new(), next: 0, debt: None });
        self.groups.insert(number, filter.clone());
        number
    }

    /// Gives a subscription that is there new options.
    fn change(&mut self, id: u32, at: usize, subscription: &Subscription) {
        let sitter = self.sitter(id);
        let is_persistent = sitter.is_persistent;
        let held = &mut sitter.held[at];
        let (before, after) = (std::mem::replace(&mut held.qos, subscription.qos), held.after);
        let leaf = self.tree.find(&subscription.filter).expect("what is subscribed to has a leaf");
        let leaf = self.tree.leaf_mut(leaf);
        let counts = |qos: Qos| u32::from(is_persistent && qos != Qos::Most);
        leaf.keeps = leaf.keeps + counts(subscription.qos) - counts(before);
        let among = leaf.among(subscription.share.as_deref()).into_iter().flatten();
        among
            .filter(|hearer| hearer.seat == id)
            .for_each(|hearer| *hearer = Hearer::of(id, subscription, after));
    }

    pub fn unsubscribe(
        &mut self,
        id: u32,
        filter: &Filter,
        share: Option<&str>,
        woken: &mut Vec<Waker>,
    ) -> bool {
        let Some(at) = self.sitter(id).held.iter().position(|held| held.is(filter, share)) else {
            return false;
        };
        let number = share.and_then(|name| self.group_of(filter, name));
        self.forget(id, at);
        if number.is_some() {
            let shared = self.sitter(id).queue.take_shared(|parcel| parcel.group == number);
            self.hand_on(id, shared, woken);
        }
        true
    }

    pub(super) fn group_of(&self, filter: &Filter, name: &str) -> Option<NonZeroU32> {
        let leaf = self.tree.leaf(self.tree.find(filter)?);
        leaf.groups.iter().find(|group| group.name == name).map(|group| group.number)
    }

    /// Takes one subscription of a seat away.
    pub(super) fn forget(&mut self, id: u32, at: usize) -> Held {
        let sitter = self.sitter(id);
        let held = sitter.held.swap_remove(at);
        let counts = sitter.is_persistent && held.qos != Qos::Most;
        self.subscriptions -= 1;
        self.weight -= weight_of_held(&held.filter, held.share.as_deref());
        let found = self.tree.find(&held.filter).expect("what is subscribed to has a leaf");
        let leaf = self.tree.leaf_mut(found);
        leaf.keeps -= u32::from(counts);
        if let Some(among) = leaf.among(held.share.as_deref())
            && let Some(at) = among.iter().position(|hearer| hearer.seat == id)
        {
            among.swap_remove(at);
        }
        self.drop_empty(&held.filter);
        held
    }

    /// Takes away the groups of a filter that nobody is in, and the filter if nobody hears it.
    pub(super) fn drop_empty(&mut self, filter: &Filter) {
        let Some(found) = self.tree.find(filter) else { return };
        let (leaf, groups) = (self.tree.leaf_mut(found), &mut self.groups);
        let is_there = |group: &Group| !group.members.is_empty() || group.debt.is_some();
        leaf.groups.retain(|group| is_there(group) || groups.remove(&group.number).is_none());
        if leaf.is_empty() {
            self.tree.remove(filter);
        }
    }

    pub(super) fn forget_all(&mut self, id: u32) {
        while let Some(last) = self.sitter(id).held.len().checked_sub(1) {
            self.forget(id, last);
        }
    }

    pub fn may_publish(
        &mut self,
        id: u32,
        permit: &MayPublish,
        as_of: Seq,
        publication: &Publication,
    ) -> Result<(), Refused> {
        let sitter = self.sitter(id);
        if sitter.ended.is_some() {
            return Err(Refused::Ended);
        }
        if *permit.user() != sitter.user || !is_of(permit, publication) {
            return Err(Refused::NotTheirPermit);
        }
        if as_of < sitter.rights_since { Err(Refused::Stale) } else { Ok(()) }
    }

    pub fn drain(&mut self, id: u32, max: usize, bytes_max: usize) -> TopicDrained {
        let relayed = self.relayed;
        let mut drained = self.sitter(id).drain(max, bytes_max, relayed);
        drained.group_behind = self.group_behind(id);
        drained
    }

    pub fn counts(&self) -> TopicsCounts {
        TopicsCounts {
            seats: self.count(),
            subscriptions: self.subscriptions,
            parked: self.parked.len(),
            delivered: self.delivered,
            dropped: self.dropped,
            waiting_bytes: self.meter.load(Ordering::Relaxed),
        }
    }

    pub(super) fn sitter(&mut self, id: u32) -> &mut Sitter {
        sitter_at(&mut self.seats, id)
    }

    pub(super) fn count(&self) -> usize {
        self.seats.len() - self.free.len()
    }
}

/// A seat with who sits there, or a free one.
pub(super) type Taken = Option<Box<Sitter>>;

pub(super) fn sitter_at(seats: &mut [Taken], id: u32) -> &mut Sitter {
    seats[id as usize].as_deref_mut().expect("the filters name only seats that are taken")
}

/// Whether a permit is for this publication.
pub(super) fn is_of(permit: &MayPublish, publication: &Publication) -> bool {
    *permit.topic() == publication.topic && *permit.user() == publication.by
}

fn push(hearers: &mut Vec<Hearer>, hearer: Hearer) {
    if hearers.is_empty() {
        // Most filters have one.
        hearers.reserve_exact(1);
    }
    hearers.push(hearer);
}

fn weight_of(subscription: &Subscription) -> usize {
    weight_of_held(&subscription.filter, subscription.share.as_deref())
}

/// Bytes of a subscription, roughly: its text here and at its seat, and a node for each level of one with wildcards.
pub(super) fn weight_of_held(filter: &Filter, share: Option<&str>) -> usize {
    let levels = if filter.is_literal() { 1 } else { filter.as_str().split('/').count() };
    2 * (filter.as_str().len() + share.map_or(0, str::len)) + levels * 96 + 160
}
