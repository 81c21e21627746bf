//! Saying something, and changing what was said.

use crate::base::id::{MessageId, RoomId, Seq};
use crate::base::limits::{REACTIONS_MAX, REACTORS_MAX};
use crate::chat::change::{Change, Revision, Via, What};
use crate::chat::membership::Membership;
use crate::chat::message::{Author, Draft, Guise, Message, MessageKind, Reaction};
use crate::chat::name::{Text, line};
use crate::chat::policy::{self, Actor, MayPost, MayRevise};
use crate::chat::refusal::Refusal;
use crate::chat::room::Room;
use crate::node::accounts::OWNER;
use crate::node::books::{Books, read_change, settled_change};
use crate::node::caller::Caller;
use crate::node::{Node, refuse};
use crate::store::error::StoreError;
use crate::store::index::catalog::Catalog;
use crate::store::journal::Pos;
use std::sync::Arc;

impl Books for Node {
    fn tell_lost(&self, error: &StoreError) {
        tracing::error!(%error, "a message cannot be read any more");
    }

    fn change_at(&self, pos: Pos) -> Result<Arc<Change>, StoreError> {
        match self.view.unsettled(pos) {
            Some(change) => Ok(change),
            None => read_change(&self.journal, pos).map(Arc::new),
        }
    }

    fn change_of(&self, seq: Seq) -> Result<Option<Arc<Change>>, StoreError> {
        let pending = self.view.flying.changes.iter().chain(&self.view.forming.changes);
        if let Some((_, change)) = pending.into_iter().find(|(_, change)| change.seq == seq) {
            return Ok(Some(change.clone()));
        }
        let reached = self.view.settled.reached();
        if seq > reached.seq {
            return Ok(None);
        }
        Ok(settled_change(self, &self.journal, seq, reached.end)?.map(Arc::new))
    }
}

impl Node {
    /// The room and the actor's place in it.
    pub(super) fn room_and_place(
        &self,
        actor: &Actor,
        room: &RoomId,
    ) -> Result<(Arc<Room>, Option<Membership>), Refusal> {
        let room = self.room(room).map_err(refuse)?.ok_or(Refusal::NoSuchRoom)?;
        let membership = self.membership(&room.id, &actor.user.id).map_err(refuse)?;
        Ok((room, membership))
    }

    fn may_post(
        &self,
        actor: &Actor,
        room: &RoomId,
    ) -> Result<(Arc<Room>, Option<Membership>, MayPost), Refusal> {
        let (room, membership) = self.room_and_place(actor, room)?;
        let permit = policy::may_post(actor, &room, membership.as_ref())?;
        Ok((room, membership, permit))
    }

    /// Says something in a room. A resident who posts in a public room becomes its member. A repeat of a message
    /// with the client's own id, in the same room, by the same author and with the same text, gets the first answer.
    pub fn post_message(&mut self, caller: &Caller, room: &RoomId, draft: Draft) -> Result<Message, Refusal> {
        self.post(caller, room, draft, None)
    }

    /// Says something in #general for a program on this machine that shows no token: only while nobody owns the node.
    pub fn post_before_owner(&mut self, draft: Draft) -> Result<Message, Refusal> {
        if self.setting(OWNER).map_err(refuse)?.is_some() {
            return Err(Refusal::NotLoggedIn);
        }
        if draft.text.is_blank() {
            return Err(Refusal::TextEmpty);
        }
        let actor = self.actor(&Caller::Operator)?;
        let (_, _, permit) = self.may_post(&actor, &Room::GENERAL)?;
        let guise = Some(Box::new(Guise { alias: "shell".into(), ..Guise::default() }));
        self.say(permit, &actor, MessageKind::Said, Draft { guise, id: None, thread: None, ..draft }, None)
    }

    /// Says what a bridge brought. A redelivery of the same packet with the same bytes gets no second message.
    pub fn post_delivery(
        &mut self,
        caller: &Caller,
        room: &RoomId,
        draft: Draft,
        delivery: Via,
        redelivered: bool,
    ) -> Result<Option<Message>, Refusal> {
        if redelivered && self.is_delivered(&delivery).map_err(refuse)? {
            return Ok(None);
        }
        self.post(caller, room, draft, Some(delivery)).map(Some)
    }

    /// Says what came from a device without a name of its own.
    pub(super) fn post_brought(
        &mut self,
        caller: &Caller,
        room: &RoomId,
        draft: Draft,
        via: Option<Via>,
    ) -> Result<(), Refusal> {
        self.post(caller, room, draft, via).map(drop)
    }

    fn post(
        &mut self,
        caller: &Caller,
        room: &RoomId,
        draft: Draft,
        via: Option<Via>,
    ) -> Result<Message, Refusal> {
        let actor = self.actor(caller)?;
        let (room, membership, permit) = self.may_post(&actor, room)?;
        if let Some(first) = self.first_answer(&permit, &draft)? {
            return Ok(first);
        }
        if draft.text.is_blank() && draft.extra.is_none() && draft.notice.is_none() {
            return Err(Refusal::TextEmpty);
        }
        if draft.guise.is_some() {
            policy::may_impersonate(&actor)?;
        }
        let parent = draft.thread.as_ref().map(|thread| self.message(thread)?.ok_or(Refusal::NoSuchMessage));
        let parent = parent.transpose()?;
        if parent.as_ref().is_some_and(|parent| parent.room != room.id) {
            return Err(Refusal::NoSuchMessage);
        }
        // Devices, bridges and the operator speak without a place in the room; people take one.
        if let (None, None, Caller::Token(_)) = (&membership, &actor.device, caller) {
            self.enter(&actor.user, &room, Default::default())?;
        }
        let message = self.say(permit.clone(), &actor, MessageKind::Said, draft, via)?;
        // What a bridge brought speaks to no device: nobody here has let its author in.
        if !matches!(caller, Caller::Bridge(_)) {
            self.ask_device((&actor, &permit), &room, &message, parent.as_ref())?;
        }
        Ok(message)
    }

    /// The message that was posted with the draft's own id before, if it is the same.
    pub(super) fn first_answer(&self, permit: &MayPost, draft: &Draft) -> Result<Option<Message>, Refusal> {
        let Some((_, seq)) = draft.id.as_ref().map(|id| self.placed(id)).transpose()?.flatten() else {
            return Ok(None);
        };
        // Of a message that was edited or removed, what it said first may be gone: then nothing is the same.
        let posted = self.posted_at(seq)?.filter(|posted| {
            posted.room == *permit.room() && posted.author.id == *permit.user() && posted.text == draft.text
        });
        posted.map(Some).ok_or(Refusal::MessageIdTaken)
    }

    /// Appends a message. The one place where one comes into being.
    pub(super) fn say(
        &mut self,
        permit: MayPost,
        actor: &Actor,
        kind: MessageKind,
        draft: Draft,
        via: Option<Via>,
    ) -> Result<Message, Refusal> {
        let tail = self.follower.tail(&self.view, permit.room()).map_err(refuse)?;
        let seq = self.next_seq();
        let own_id = draft.id.is_some();
        let now = self.now();
        // Times shown in a room never run backwards, whatever the clock does.
        let at = now.wall_ms.max(tail.at);
        let message = Message {
            id: draft.id.unwrap_or_else(|| MessageId::mint_at(seq, self.world())),
            seq,
            room: permit.room().clone(),
            author: author(actor),
            at,
            trusted: now.trusted,
            kind,
            text: draft.text,
            thread: draft.thread,
            edited: None,
            touched: at,
            reactions: Vec::new(),
            notice: draft.notice,
            guise: draft.guise,
            extra: draft.extra,
        };
        self.append(What::Posted { message: message.clone(), own_id, via })?;
        Ok(message)
    }

    /// Changes the text of a message.
    pub fn edit_message(&mut self, caller: &Caller, id: &MessageId, text: Text) -> Result<Message, Refusal> {
        let actor = self.actor(caller)?;
        let message = self.message(id)?.ok_or(Refusal::NoSuchMessage)?;
        let (room, membership, post) = self.may_post(&actor, &message.room)?;
        let permit = policy::may_edit(&actor, (&room, membership.as_ref()), &post, &message)?;
        if text.is_blank() && message.extra.is_none() {
            return Err(Refusal::TextEmpty);
        }
        let now = self.now().wall_ms.max(message.touched);
        let edited = Some((now, actor.user.id.clone(), actor.user.username.clone()));
        let revised = Message { text, edited, touched: now, ..message };
        self.revise(permit, revised, Revision::Edited { by: actor.user.id.clone() })
    }

    /// Adds or takes back a reaction; `None` turns it over.
    pub fn react(
        &mut self,
        caller: &Caller,
        id: &MessageId,
        emoji: &str,
        on: Option<bool>,
    ) -> Result<Message, Refusal> {
        let actor = self.actor(caller)?;
        let mut message = self.message(id)?.ok_or(Refusal::NoSuchMessage)?;
        let (room, membership, post) = self.may_post(&actor, &message.room)?;
        let read = policy::may_read(&actor, &room, membership.as_ref())?;
        let permit = policy::may_react(&read, &post, &message)?;
        let emoji = line(emoji.trim_matches(':'));
        if emoji.is_empty() {
            return Err(Refusal::Invalid { what: "emoji", want: "a name such as :smile:" });
        }
        let user = (actor.user.id.clone(), actor.user.username.clone());
        let has =
            message.reactions.iter().any(|r| r.emoji == emoji && r.by.iter().any(|(id, _)| *id == user.0));
        let on = on.unwrap_or(!has);
        if on == has {
            return Ok(message);
        }
        let by = user.0.clone();
        turn_reaction(&mut message.reactions, &emoji, user, on)?;
        message.touched = self.now().wall_ms.max(message.touched);
        self.revise(permit, message, Revision::Reacted { by, emoji, on })
    }

    fn revise(&mut self, permit: MayRevise, message: Message, how: Revision) -> Result<Message, Refusal> {
        debug_assert_eq!(*permit.message(), message.id, "a permit is for one message");
        self.append(What::Revised { message: message.clone(), how })?;
        Ok(message)
    }

    /// Removes a message. Says what it was.
    pub fn delete_message(&mut self, caller: &Caller, id: &MessageId) -> Result<Message, Refusal> {
        let actor = self.actor(caller)?;
        let message = self.message(id)?.ok_or(Refusal::NoSuchMessage)?;
        let (room, membership) = self.room_and_place(&actor, &message.room)?;
        let permit = policy::may_delete(&actor, &room, membership.as_ref(), &message)?;
        let (id, target) = (permit.message().clone(), message.seq);
        self.append(What::Deleted { room: room.id.clone(), target, id, by: actor.user.id.clone() })?;
        Ok(message)
    }
}

fn author(actor: &Actor) -> Author {
    let user = &actor.user;
    Author { id: user.id.clone(), username: user.username.clone(), name: user.name.clone() }
}

fn turn_reaction(
    reactions: &mut Vec<Reaction>,
    emoji: &str,
    user: (crate::base::id::UserId, crate::chat::name::Name),
    on: bool,
) -> Result<(), Refusal> {
    if !on {
        for reaction in reactions.iter_mut().filter(|reaction| reaction.emoji == emoji) {
            reaction.by.retain(|(id, _)| *id != user.0);
        }
        reactions.retain(|reaction| !reaction.by.is_empty());
        return Ok(());
    }
    let full = reactions.len() >= REACTIONS_MAX;
    match reactions.iter_mut().find(|reaction| reaction.emoji == emoji) {
        Some(reaction) if reaction.by.len() >= REACTORS_MAX => {
            return Err(Refusal::TooMany { what: "people with one reaction", max: REACTORS_MAX });
        }
        Some(reaction) => reaction.by.push(user),
        None if full => {
            return Err(Refusal::TooMany { what: "reactions to one message", max: REACTIONS_MAX });
        }
        None => reactions.push(Reaction { emoji: emoji.into(), by: vec![user] }),
    }
    Ok(())
}
