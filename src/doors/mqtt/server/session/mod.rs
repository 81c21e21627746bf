//! What a session knows of its client, as plain state: no socket, no clock, no node.
//!
//! What a kept session is told at least once has a number that follows from its place in the order: after a start the same
//! publication has the same number without a write for each of them, and is sent with DUP where it may have been sent
//! before (MQTT-4.4.0-1). The other half of the numbers is given out in turn. What is told exactly once has its number in
//! a synced Change instead, for there it must be known whether it was sent.

mod aliases;
mod receipts;
mod window;

pub use aliases::{Heard, Told};
pub use receipts::Receipts;
pub use window::{Flight, Step, Window};

use super::packet::{PublishFrame, Version};
use super::scales::Load;
use crate::base::id::{Seq, UserId};
use crate::base::limits::PLACED_IDS;
use crate::chat::publication::{Publication, Qos};
use crate::delivery::Parcel;
use smol_str::SmolStr;
use std::collections::VecDeque;
use std::sync::Arc;

/// One publication for this client.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// What was published.
    pub publication: Arc<Publication>,
    /// Its place in the order, when it is kept.
    pub seq: Option<Seq>,
    /// How sure it is brought.
    pub qos: Qos,
    /// Its retain flag, as this client sees it.
    pub retain: bool,
    /// The numbers of the subscriptions it is for.
    pub ids: Vec<u32>,
    /// When it came, in milliseconds of this start of the node, or before it; its expiry counts from then.
    pub at_ms: i64,
    /// Its bytes, where they are the same for all sessions of a version; a client may come back with another.
    pub shared: Option<(Version, PublishFrame)>,
    /// As one of a group it was handed it; the group knows how far it is.
    pub shared_by: Option<Parcel>,
}

/// What there is between a client and us, as long as it comes back.
pub struct Session {
    /// The client's id.
    pub client: SmolStr,
    /// Whose it is.
    pub user: UserId,
    /// Seconds it is kept without a connection; `u32::MAX` for ever.
    pub expiry_s: u32,
    /// Whether the node keeps it, through any fall of the power.
    pub is_stored: bool,
    /// What is on its way to the client.
    pub window: Window<Delivery>,
    /// What was taken for it and could not be sent yet; no more than was taken at once.
    pub waiting: VecDeque<Delivery>,
    /// Numbers under which the client has sent what may arrive only once.
    pub receipts: Receipts,
    /// Everything that was kept up to here was taken for it.
    pub told: Seq,
    /// So far the node knows that it has heard.
    pub moved: Seq,
    /// Publications that were dropped since it was too far behind, ever.
    pub dropped: u64,
    /// What was kept up to here may have been sent before the node's last start.
    pub sent: Seq,
    /// What it has on the door's scales.
    pub load: Load,
}

impl Delivery {
    /// Bytes it takes while it is on its way: its part of a publication that others hear too.
    pub fn weight(&self) -> usize {
        let publication = &self.publication;
        let properties = publication.properties.as_ref().map_or(0, |properties| properties.len());
        let bytes = publication.topic.as_str().len() + publication.payload.len() + properties;
        // Whoever asks holds one, and so does what it came by.
        size_of::<Self>() + bytes / Arc::strong_count(publication).saturating_sub(1).max(1)
    }
}

impl Session {
    /// A session that knows nothing, from this place in the order on.
    pub fn new(client: SmolStr, user: UserId, from: Seq) -> Self {
        Self {
            client,
            user,
            expiry_s: 0,
            is_stored: false,
            window: Window::new(1),
            waiting: VecDeque::new(),
            receipts: Receipts::default(),
            told: from,
            moved: from,
            dropped: 0,
            sent: Seq(0),
            load: Load::default(),
        }
    }

    /// The number of what is told at least once, and again after any fall of the power: it follows from the place in the
    /// order, so that it is the same again and nothing has to be written for it.
    pub fn placed_id(&self, delivery: &Delivery) -> Option<u16> {
        let is_placed = self.is_stored && delivery.qos == Qos::Least && delivery.shared_by.is_none();
        let seq = delivery.seq.filter(|_| is_placed)?;
        let id = seq.0 % u64::from(PLACED_IDS) + 1;
        Some(u16::try_from(id).expect("it is at most PLACED_IDS"))
    }

    /// Whether something else is on its way with its number: both are told apart by waiting.
    pub fn is_number_taken(&self, delivery: &Delivery) -> bool {
        self.placed_id(delivery).is_some_and(|id| self.window.flight(id).is_some())
    }

    /// Bytes of what is on its way to the client, or waits for that.
    pub fn sent_bytes(&self) -> usize {
        self.window.bytes() + self.waiting.iter().map(Delivery::weight).sum::<usize>()
    }

    /// The place up to which nothing has to be told again.
    pub fn heard(&self) -> Seq {
        let sent = self.window.flights().filter(|flight| flight.step != Step::Over);
        let under_way = sent.map(|flight| &flight.what).chain(&self.waiting);
        let own = under_way.filter(|delivery| delivery.shared_by.is_none());
        let first = own.filter_map(|delivery| delivery.seq).min();
        first.map_or(self.told, |first| self.told.min(Seq(first.0.saturating_sub(1)))).max(self.moved)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::topic::Topic;

    fn delivery(seq: Option<u64>) -> Delivery {
        let publication = Publication {
            topic: Topic::fixed("t"),
            payload: Box::default(),
            qos: Qos::Least,
            retain: false,
            expiry_s: None,
            properties: None,
            by: UserId::fixed("linnet"),
            client: SmolStr::default(),
        };
        let (publication, seq) = (Arc::new(publication), seq.map(Seq));
        let (ids, qos) = (Vec::new(), Qos::Least);
        Delivery { publication, seq, qos, retain: false, ids, at_ms: 0, shared: None, shared_by: None }
    }

    #[test]
    fn what_is_under_way_has_not_been_heard() {
        let mut session = Session::new("c".into(), UserId::fixed("linnet"), Seq(10));
        session.window.set_max(9);
        session.told = Seq(20);
        assert_eq!(session.heard(), Seq(20));
        let live = session.window.send(delivery(None), 0);
        let first = session.window.send(delivery(Some(12)), 0);
        session.window.send(delivery(Some(15)), 0);
        session.waiting.push_back(delivery(Some(17)));
        assert_eq!(session.heard(), Seq(11));
        session.window.done(first, Step::Sent);
        session.window.done(live, Step::Sent);
        assert_eq!(session.heard(), Seq(14));
        let last = session.window.flights().last().map_or(0, |flight| flight.id);
        session.window.over(last);
        assert_eq!(session.heard(), Seq(16), "for the client that is over");
        let placed = |session: &Session, seq| session.placed_id(&delivery(Some(seq)));
        assert_eq!(placed(&session, 12), None, "it is not kept");
        session.is_stored = true;
        let around = u64::from(PLACED_IDS);
        assert_eq!((placed(&session, 12), placed(&session, around - 1)), (Some(13), Some(PLACED_IDS)));
        assert_eq!(placed(&session, 12 + around), Some(13));
        session.window.send_as(13, delivery(Some(12)), 0);
        assert!(session.is_number_taken(&delivery(Some(12 + around))));
        assert!(!session.is_number_taken(&delivery(Some(13 + around))));
        session.window.done(13, Step::Sent);
        session.moved = Seq(16);
        assert_eq!(session.heard(), Seq(16), "it never goes back");
    }
}
