//! Which publications, and what else is said of topics and sessions, still matter.
//!
//! Each entry of the index names the Change it comes from, so whoever is not named is not needed. A publication is needed
//! by the state of its topic, by a session that has not come as far, by a packet id that is not released, and by whoever
//! it is on its way to.

use super::{Judge, Verdict};
use crate::base::id::Seq;
use crate::chat::change::{Change, What};
use crate::chat::publication::Publication;
use crate::store::error::StoreError;
use crate::store::index::topics::{Needs, Topics};
use std::sync::Arc;

impl Judge<'_> {
    /// What becomes of something said of topics.
    pub(super) fn about_topics(&mut self, change: &Change) -> Result<Verdict, StoreError> {
        let (shelf, seq) = (self.shelf, change.seq);
        let is_needed = match &change.what {
            What::Published { publication, receipt } => {
                return self.published(change, publication, *receipt);
            }
            What::HandedOut { client, deliveries } => {
                let left = self.under_way(seq, client, deliveries)?.len();
                return Ok(match left {
                    0 => Verdict::Drop,
                    left if left < deliveries.len() => Verdict::Strip,
                    _ => Verdict::Keep,
                });
            }
            What::WillSet(will) => shelf.will(&will.publication.client)? == Some(seq),
            What::ReceiptTaken { client, packet } => shelf.receipt(client, *packet)? == Some(seq),
            What::TopicSessionSet(session) => {
                shelf.topic_session_kept(&session.client)?.is_some_and(|kept| kept.set == seq)
            }
            What::TopicSessionMoved { client, .. } => {
                shelf.topic_session_heard(client)?.is_some_and(|heard| heard.by == seq)
            }
            What::SubscriptionSet { client, subscription } => {
                let share = subscription.share.as_deref();
                let known = shelf.topic_subscription(client, &subscription.filter, share)?;
                known.is_some_and(|(_, by)| by == seq)
            }
            What::HandOutStep { client, packet, done: false } => {
                shelf.hand_out(client, *packet)?.is_some_and(|hand_out| hand_out.received == Some(seq))
            }
            // The rest takes away.
            _ => return Ok(self.removal(change)),
        };
        Ok(if is_needed { Verdict::Keep } else { Verdict::Drop })
    }

    fn published(
        &mut self,
        change: &Change,
        publication: &Publication,
        receipt: Option<u16>,
    ) -> Result<Verdict, StoreError> {
        let (shelf, seq) = (self.shelf, change.seq);
        let is_receipt = match receipt {
            Some(packet) => shelf.receipt(&publication.client, packet)? == Some(seq),
            None => false,
        };
        let is_state = publication.retain
            && shelf.retained_at(&publication.topic)?.is_some_and(|retained| retained.seq == seq);
        let takes_away =
            publication.retain && publication.payload.is_empty() && self.removal(change) == Verdict::Keep;
        let stays = is_receipt || is_state || takes_away || self.needs()?.has(seq);
        Ok(match stays {
            true if receipt.is_some() && !is_receipt => Verdict::Strip,
            true => Verdict::Keep,
            false => Verdict::Drop,
        })
    }

    fn needs(&mut self) -> Result<&Needs, StoreError> {
        if self.needs.is_none() {
            self.needs = Some(self.shelf.topic_needs()?);
        }
        Ok(self.needs.as_ref().expect("it was just put there"))
    }

    /// Those of these deliveries that are still under way.
    fn under_way(
        &self,
        by: Seq,
        client: &str,
        deliveries: &[(u16, Seq)],
    ) -> Result<Vec<(u16, Seq)>, StoreError> {
        let mut left = Vec::new();
        for (packet, publication) in deliveries {
            if self.shelf.hand_out(client, *packet)?.is_some_and(|hand_out| hand_out.by == by) {
                left.push((*packet, *publication));
            }
        }
        Ok(left)
    }

    /// What stays of a Change of which a part goes: a packet id that was released would be raised from the dead, for what
    /// says that it was released goes too.
    pub fn stripped(&self, change: &Change) -> Result<Option<What>, StoreError> {
        Ok(match &change.what {
            What::Published { publication, .. } => {
                Some(What::Published { publication: Arc::clone(publication), receipt: None })
            }
            What::HandedOut { client, deliveries } => {
                let deliveries = self.under_way(change.seq, client, deliveries)?;
                Some(What::HandedOut { client: client.clone(), deliveries })
            }
            _ => None,
        })
    }
}
