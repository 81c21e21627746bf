//! Sessions that nobody is connected to, and whose publications must be kept.

use super::places::{Places, weight_of_held};
use crate::base::id::UserId;
use crate::chat::publication::{Qos, Subscription};
use crate::chat::topic::{Filter, Topic};
use smol_str::SmolStr;

/// A session that nobody is connected to.
pub(super) struct Parked {
    user: UserId,
    /// What it hears more than at most once.
    filters: Vec<Filter>,
}

impl Places {
    /// Whether somebody must find such a publication when they come back.
    pub fn keeps(&mut self, topic: &Topic, qos: Qos) -> bool {
        if qos == Qos::Most {
            return false;
        }
        self.tree.matching(topic, &mut self.found);
        let keeps = self.found.iter().any(|leaf| self.tree.leaf(*leaf).keeps > 0);
        self.found.clear();
        keeps
    }

    /// Whether anybody hears this topic, or will when they are back.
    pub fn has_hearers(&mut self, topic: &Topic) -> bool {
        self.tree.matching(topic, &mut self.found);
        !std::mem::take(&mut self.found).is_empty()
    }

    /// Whether a seat of this user hears this topic.
    pub fn hears(&self, user: &UserId, topic: &Topic) -> bool {
        let seats = self.people.get(user).map_or(&[][..], |person| &person.seats);
        let sitters = seats.iter().filter_map(|id| self.seats[*id as usize].as_deref());
        sitters.flat_map(|sitter| &sitter.held).any(|held| held.filter.matches(topic))
    }

    /// Whether a session of this user is kept while nobody is connected to it.
    pub fn waits_for(&self, user: &UserId) -> bool {
        self.parked.values().any(|parked| parked.user == *user)
    }

    /// Keeps the filters of a session that nobody is connected to.
    pub fn park(&mut self, client: SmolStr, user: UserId, subscriptions: &[Subscription]) {
        self.unpark(&client);
        let sure = subscriptions.iter().filter(|subscription| subscription.qos != Qos::Most);
        let filters: Vec<Filter> = sure.map(|subscription| subscription.filter.clone()).collect();
        for filter in &filters {
            let leaf = self.tree.leaf_of(filter);
            self.tree.leaf_mut(leaf).keeps += 1;
            self.weight += weight_of_held(filter, None);
        }
        self.parked.insert(client, Parked { user, filters });
    }

    /// Lets them go; says whether there was such a session.
    pub fn unpark(&mut self, client: &str) -> bool {
        let Some(parked) = self.parked.remove(client) else { return false };
        for filter in &parked.filters {
            self.weight -= weight_of_held(filter, None);
            let found = self.tree.find(filter).expect("what is parked has a leaf");
            let leaf = self.tree.leaf_mut(found);
            leaf.keeps -= 1;
            if leaf.is_empty() {
                self.tree.remove(filter);
            }
        }
        true
    }

    /// Lets go of the sessions of a user who is gone.
    pub(super) fn unpark_user(&mut self, user: &UserId) {
        let theirs = self.parked.iter().filter(|(_, parked)| parked.user == *user);
        let clients: Vec<SmolStr> = theirs.map(|(client, _)| client.clone()).collect();
        for client in clients {
            self.unpark(&client);
        }
    }
}
