//! What bindings of the settings say in rooms of what is published. Which topics are bound to which rooms, the door knows.

use crate::base::id::MessageId;
use crate::chat::change::Via;
use crate::chat::message::{Draft, MessageKind};
use crate::chat::name::{Name, Text};
use crate::chat::policy;
use crate::chat::publication::Publication;
use crate::chat::refusal::{Refusal, Right};
use crate::chat::topic::Topic;
use crate::node::caller::Caller;
use crate::node::{Node, Reading, refuse};
use crate::store::index::catalog::Catalog;

/// What a binding says of a publication.
#[derive(Clone, Debug)]
pub struct Bound {
    /// Where.
    pub room: Name,
    /// Who says it where the publisher has no name.
    pub bot: Name,
    /// What.
    pub text: Text,
    /// The id the message has elsewhere.
    pub id: Option<MessageId>,
}

/// A publication as it came, so that one that comes again is known.
#[derive(Clone, Debug)]
pub struct Came {
    /// The newest deliveries are kept, whoever brought them.
    pub via: Via,
    /// Whether it may have come before.
    pub again: bool,
}

impl Reading {
    /// Whether the caller may look what devices publish, to bind it.
    pub fn may_try(&self, caller: &Caller) -> Result<(), Refusal> {
        policy::may_administer(&self.actor(caller)?, Right::ManageNode).map(drop)
    }
}

impl Node {
    /// Makes the room of a binding where it is missing.
    pub fn set_up_binding(&mut self, room: &Name) -> Result<(), Refusal> {
        self.room_or_new(&Caller::Operator, room.as_str()).map(drop)
    }

    /// Says what bindings make of a publication to `topic`, in the publisher's name, and keeps what is to be `kept` of
    /// it, with its receipt: both or nothing. Only the right to publish is asked for. What a room does not take is not
    /// said: gives the last such refusal.
    pub fn publish_bound(
        &mut self,
        caller: &Caller,
        topic: &Topic,
        says: Vec<Bound>,
        came: Option<Came>,
        kept: Option<(Publication, Option<u16>)>,
    ) -> Result<Option<Refusal>, Refusal> {
        let permit = policy::may_publish(&self.actor(caller)?, topic)?;
        let is_known = match &came {
            Some(came) => came.again && self.is_delivered(&came.via).map_err(refuse)?,
            None => false,
        };
        let (mut refused, last) = (None, says.len().saturating_sub(1));
        for (at, bound) in says.into_iter().enumerate().filter(|_| !is_known) {
            // Behind the others: a delivery is known when all of it was said.
            let via = came.as_ref().filter(|_| at == last).map(|came| came.via.clone());
            match self.say_one(caller, &permit, bound, via) {
                Ok(()) => {}
                Err(refusal @ (Refusal::Busy | Refusal::StoreFailed | Refusal::DiskFull)) => {
                    return Err(refusal);
                }
                // It came by another way, too.
                Err(Refusal::MessageIdTaken) => {}
                Err(refusal) => refused = Some(refusal),
            }
        }
        if let Some((publication, receipt)) = kept {
            self.publish(caller, publication, receipt)?;
        }
        Ok(refused)
    }

    fn say_one(
        &mut self,
        caller: &Caller,
        publish: &policy::MayPublish,
        bound: Bound,
        via: Option<Via>,
    ) -> Result<(), Refusal> {
        let Bound { room: name, bot, text, id } = bound;
        let room = self.room_named(name.as_str()).map_err(refuse)?.ok_or(Refusal::NoSuchRoom)?;
        let draft = Draft { text, id, ..Draft::default() };
        if *caller == Caller::Anonymous {
            let (bot, room) = self.set_up_bridge(&bot, &name)?;
            return self.post_brought(&Caller::Bridge(bot), &room, draft, via);
        }
        let permit = policy::may_say_bound(publish, &room)?;
        if self.first_answer(&permit, &draft)?.is_some() {
            return Ok(());
        }
        let actor = self.actor(caller)?;
        self.say(permit, &actor, MessageKind::Said, draft, via).map(drop)
    }
}
