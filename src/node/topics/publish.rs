//! Publishing so that it is kept. What no session, no state of a topic and no room keeps is never brought here.

use crate::base::id::{RoomId, Seq};
use crate::base::limits::{
    PUBLICATION_BYTES_MAX, PUBLICATION_PROPERTIES_BYTES_MAX, RECEIPTS_MAX, RETAINED_MAX,
    TOPIC_CLIENT_BYTES_MAX,
};
use crate::chat::change::What;
use crate::chat::message::Draft;
use crate::chat::policy;
use crate::chat::publication::Publication;
use crate::chat::question::never_kept;
use crate::chat::refusal::Refusal;
use crate::node::caller::Caller;
use crate::node::{Node, refuse};
use crate::store::index::topics::Topics;
use std::sync::Arc;

impl Node {
    /// Keeps a publication, in the caller's name. `receipt` is the packet id of one that is to be taken exactly once, in
    /// the session of `publication.client`: one whose packet id is not released yet was taken, and its place is given
    /// again.
    pub fn publish(
        &mut self,
        caller: &Caller,
        publication: Publication,
        receipt: Option<u16>,
    ) -> Result<Seq, Refusal> {
        let actor = self.actor(caller)?;
        let permit = policy::may_publish(&actor, &publication.topic)?;
        let publication = never_kept(publication);
        fits(&publication)?;
        if let Some(packet) = receipt {
            let client = self.topic_session_for(caller, &publication.client)?.client;
            if let Some(taken) = self.taken_with(&client, packet)? {
                return Ok(taken);
            }
        }
        if publication.retain && !publication.payload.is_empty() {
            self.make_sure_it_can_be_retained(&publication)?;
        }
        #[cfg(feature = "plant")]
        let receipt = receipt.filter(|_| !crate::base::plant::take_twice());
        #[cfg(feature = "plant")]
        let publication = Publication {
            retain: publication.retain && !crate::base::plant::forget_retained(),
            ..publication
        };
        let publication = Arc::new(Publication { by: permit.user().clone(), ..publication });
        self.append(What::Published { publication, receipt })
    }

    /// Says something in a room that a session's client sent to be taken exactly once. One whose packet id is not released
    /// yet was said.
    pub fn post_once(
        &mut self,
        caller: &Caller,
        room: &RoomId,
        draft: Draft,
        (client, packet): (&str, u16),
    ) -> Result<(), Refusal> {
        let client = self.topic_session_for(caller, client)?.client;
        if self.taken_with(&client, packet)?.is_none() {
            self.post_message(caller, room, draft)?;
            self.append(What::ReceiptTaken { client, packet })?;
        }
        Ok(())
    }

    /// Where that stands which came with a packet id that is not released; nothing when there is room for a new one.
    fn taken_with(&self, client: &str, packet: u16) -> Result<Option<Seq>, Refusal> {
        let taken = self.receipt(client, packet).map_err(refuse)?;
        if taken.is_none() && self.receipts(client).map_err(refuse)?.len() >= RECEIPTS_MAX {
            return Err(Refusal::TooMany { what: "packet ids that were not released", max: RECEIPTS_MAX });
        }
        Ok(taken)
    }

    /// How many topics have something retained.
    pub fn retained_topics(&mut self) -> Result<u64, Refusal> {
        self.follower.retained(&self.view).map_err(refuse)
    }

    fn make_sure_it_can_be_retained(&mut self, publication: &Publication) -> Result<(), Refusal> {
        if self.retained_at(&publication.topic).map_err(refuse)?.is_some() {
            return Ok(());
        }
        if self.retained_topics()? >= RETAINED_MAX as u64 {
            return Err(Refusal::TooMany { what: "topics with a retained publication", max: RETAINED_MAX });
        }
        Ok(())
    }

    /// The client has released a packet id: it stands for something new from now on. False when it was not known.
    pub fn release_receipt(&mut self, caller: &Caller, client: &str, packet: u16) -> Result<bool, Refusal> {
        let client = self.topic_session_for(caller, client)?.client;
        let known = self.receipt(&client, packet).map_err(refuse)?.is_some();
        if known {
            self.append(What::ReceiptReleased { client, packet })?;
        }
        Ok(known)
    }
}

pub(super) fn fits(publication: &Publication) -> Result<(), Refusal> {
    let properties = publication.properties.as_deref().unwrap_or_default();
    let parts = [
        ("a publication", publication.payload.len(), PUBLICATION_BYTES_MAX),
        ("the properties of a publication", properties.len(), PUBLICATION_PROPERTIES_BYTES_MAX),
        ("a client id", publication.client.len(), TOPIC_CLIENT_BYTES_MAX),
    ];
    match parts.into_iter().find(|(_, bytes, max)| bytes > max) {
        Some((what, _, max)) => Err(Refusal::TooLarge { what, max }),
        None => Ok(()),
    }
}
