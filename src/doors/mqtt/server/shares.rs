//! What a client is handed as one of a group that shares a subscription.
//!
//! Once it does not acknowledge it, because it went, another of the group gets it; where none is there, whoever comes
//! first: the client itself under the same number, another one from the store. What was begun under exactly once stays with
//! the client it was begun with (MQTT 5.0, 4.8.2). A session that is kept gets at most QoS 1 of what it shares: which of a
//! group has something exactly once could not be known after a power cut without a write for each of them.

use super::connection::{Connection, End};
use super::persistent::at_ms;
use super::session::Step;
use crate::base::limits::MQTT_BACKLOG_SCAN_MAX;
use crate::chat::publication::Qos;
use crate::delivery::{GroupBehind, GroupHeard, Parcel};
use crate::node::Node;
use std::sync::Arc;

impl Connection {
    /// Reads from the store what a group of this client has missed, and hands it out among them.
    pub(super) fn feed_group(&mut self, behind: &GroupBehind) -> Result<(), End> {
        let page = self.broker.node.read(|reading| {
            let page = reading.publications_after(behind.after, behind.upto, MQTT_BACKLOG_SCAN_MAX)?;
            Ok((page, reading.now()))
        });
        let (page, now) = page.map_err(|_| End::Lost)?;
        let found: Vec<_> = page
            .found
            .iter()
            .map(|change| (Arc::clone(change), at_ms(&change.origin.moment, &now)))
            .collect();
        // There is nothing to read on the way where it does not go on: what is to come is told as it comes.
        let reached = if page.reached > behind.after { page.reached } else { behind.upto };
        self.seat.feed(behind, &found, reached);
        Ok(())
    }

    /// One of a group has what it was handed.
    pub(super) fn acknowledged(&mut self, parcel: Option<Parcel>) {
        let heard = parcel.and_then(|parcel| self.seat.take_shared(&parcel));
        self.move_groups(heard.into_iter().collect());
    }

    /// Has the node know how far groups have heard.
    fn move_groups(&mut self, groups: Vec<GroupHeard>) {
        if groups.is_empty() {
            return;
        }
        let caller = self.caller.clone();
        let job = move |node: &mut Node| {
            groups.iter().try_for_each(|one| node.move_group(&caller, &one.share, &one.filter, one.heard))
        };
        // What it costs to be refused is that some is told twice after a power cut.
        let _ = self.broker.node.send(&self.caller, job);
    }

    /// Drops what another of a group got while this client was away.
    pub(super) fn reclaim_shared(&mut self) {
        let seat = &self.seat;
        self.session.window.take_out(|flight| {
            let parcel = flight.what.shared_by.as_ref().filter(|parcel| parcel.qos == Qos::Least);
            parcel.is_some_and(|parcel| !seat.reclaim(parcel))
        });
    }

    /// Gives back what the client was handed as one of a group and has not acknowledged. `comes_back`: another connection of
    /// it is here already.
    pub(super) fn give_back_shared(&mut self, comes_back: bool) {
        let waiting = std::mem::take(&mut self.session.waiting);
        let (shared, own): (Vec<_>, Vec<_>) =
            waiting.into_iter().partition(|delivery| delivery.shared_by.is_some());
        self.session.waiting = own.into();
        let seat = &self.seat;
        for delivery in shared {
            seat.give_back(delivery.shared_by.into_iter().collect());
        }
        let gone = self.session.window.take_out(|flight| {
            let Some(parcel) = &flight.what.shared_by else { return false };
            match parcel.qos {
                Qos::Exactly => {
                    // Nobody else may have it, so the group has done with it.
                    let _ = seat.take_shared(parcel);
                    flight.step == Step::Over
                }
                _ if comes_back => {
                    seat.lay_back(parcel);
                    false
                }
                _ => seat.give_back(vec![parcel.clone()]) > 0,
            }
        });
        drop(gone);
        let heard = self.seat.groups_heard();
        self.move_groups(heard);
    }
}
