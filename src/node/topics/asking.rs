//! What people say to devices in rooms, and what those answer.
//!
//! A reply in a thread that a device began, or that began with `@device`, is told to the device; so is any message that
//! begins so. It lies in the same group as the message itself, and nobody hears it more than half a minute late. Which
//! question a device answers is kept as a setting: right after a restart as well.

use crate::base::id::{MessageId, RoomId};
use crate::base::limits::COMMAND_SECONDS_MAX;
use crate::chat::change::{Via, What};
use crate::chat::message::{Draft, Message, MessageKind};
use crate::chat::name::Text;
use crate::chat::policy::{self, Actor, MayPost};
use crate::chat::publication::{Publication, Qos};
use crate::chat::question::{Answers, Asked, Question, addressed, asked_of};
use crate::chat::refusal::{Refusal, Right};
use crate::chat::room::Room;
use crate::delivery::Hub;
use crate::node::books::Books;
use crate::node::caller::{Caller, NODE_USER};
use crate::node::topics::publish::fits;
use crate::node::{Node, refuse};
use crate::store::index::catalog::Catalog;
use smol_str::SmolStr;
use std::sync::{Arc, OnceLock};

/// A question as a door words it: the payload, and its properties in the form of that door.
pub type Worded = (Box<[u8]>, Box<[u8]>);
/// How a door words questions.
pub type Wording = fn(&Question<'_>) -> Worded;

/// Who tells devices, once there is somebody who can.
#[derive(Default)]
pub struct Asking(OnceLock<(Arc<Hub>, Wording)>);

impl Asking {
    pub(in crate::node) fn begin(&self, hub: Arc<Hub>, wording: Wording) {
        // A second door of the same kind words them the same.
        let _ = self.0.set((hub, wording));
    }
}

/// A device that something was said to.
struct Meant<'a> {
    device: Actor,
    /// The words that are for it.
    text: &'a str,
    /// Whether it was named, and did not only begin the thread: then its silence has to be told.
    is_named: bool,
}

impl Node {
    pub(in crate::node) fn asking(&self) -> Arc<Asking> {
        self.asking.clone()
    }

    /// Tells the device that a message is for, if there is one, and its author may speak to it; says so in the thread
    /// when nobody is there to hear it.
    pub(in crate::node) fn ask_device(
        &mut self,
        (actor, post): (&Actor, &MayPost),
        room: &Room,
        message: &Message,
        parent: Option<&Message>,
    ) -> Result<(), Refusal> {
        let Some((hub, wording)) = self.asking.0.get().cloned() else { return Ok(()) };
        let Some(Meant { device, text, is_named }) = self.meant(actor, message, parent)? else {
            return Ok(());
        };
        let Ok(permit) = policy::may_ask(actor, post, &device) else { return Ok(()) };
        let name = &device.user.username;
        let (payload, properties) = wording(&Question { device: name, room: room.label(), text, message });
        let publication = Publication {
            topic: permit.topic().clone(),
            payload,
            qos: Qos::Least,
            retain: false,
            expiry_s: Some(COMMAND_SECONDS_MAX),
            properties: Some(properties),
            by: permit.user().clone(),
            client: SmolStr::default(),
        };
        fits(&publication)?;
        self.append(What::Published { publication: Arc::new(publication), receipt: None })?;
        let is_there = hub.hears(&device.user.id, permit.topic(), &room.id);
        let before = self.asked(&device)?;
        let listens = is_there || before.is_some_and(|before| before.listens);
        let asked = Asked { message: message.id.clone(), listens };
        self.set(&asked_of(&device.user.id), &asked.words())?;
        let comes_back = hub.waits_for(&device.user.id);
        // Whoever talks about a sensor that never listens need not be told at every word.
        if !is_there && (is_named || listens || comes_back) {
            self.note_absence(post, message, name.as_str(), comes_back)?;
        }
        Ok(())
    }

    fn meant<'a>(
        &self,
        actor: &Actor,
        message: &'a Message,
        parent: Option<&Message>,
    ) -> Result<Option<Meant<'a>>, Refusal> {
        let text = message.text.as_str();
        if let Some((name, rest)) = addressed(text) {
            let device = self.device_named(name)?;
            return Ok(device.map(|device| Meant { device, text: rest, is_named: true }));
        }
        // Devices that answer each other in threads would never end: they name whom they mean.
        let Some(parent) = parent.filter(|_| actor.device.is_none()) else { return Ok(None) };
        if let Some(device) = self.device_named(parent.author.username.as_str())?
            && device.user.id == parent.author.id
        {
            return Ok(Some(Meant { device, text, is_named: false }));
        }
        let Some((name, _)) = addressed(parent.text.as_str()) else { return Ok(None) };
        Ok(self.device_named(name)?.map(|device| Meant { device, text, is_named: true }))
    }

    fn device_named(&self, name: &str) -> Result<Option<Actor>, Refusal> {
        let Some(user) = self.user_named(name).map_err(refuse)? else { return Ok(None) };
        let device = self.device(&user.id).map_err(refuse)?;
        // What it may stands in its own record.
        Ok(device.map(|device| Actor { user, device: Some(device), permissions: Arc::default() }))
    }

    fn asked(&self, device: &Actor) -> Result<Option<Asked>, Refusal> {
        let words = self.setting(&asked_of(&device.user.id)).map_err(refuse)?;
        Ok(words.and_then(|words| Asked::parse(&words)))
    }

    fn note_absence(
        &mut self,
        post: &MayPost,
        message: &Message,
        device: &str,
        comes_back: bool,
    ) -> Result<(), Refusal> {
        let text = match comes_back {
            true => format!(
                "{device} is not connected: it hears this only if it is back within {COMMAND_SECONDS_MAX} seconds."
            ),
            false => format!("{device} is not connected: it does not hear this."),
        };
        let thread = message.thread.clone().or(Some(message.id.clone()));
        let draft = Draft { text: Text::parse(&text)?, thread, ..Draft::default() };
        let node = self.actor(&Caller::Operator)?;
        self.say(policy::may_note(post, &NODE_USER), &node, MessageKind::Said, draft, None).map(drop)
    }

    /// A device answers: what it says stands in the thread of the question, and is published as well where somebody hears
    /// the topic. A device that nobody asked speaks in its first room. `redelivery` says by which packet it came, and
    /// whether that may have come before: then it is not said twice.
    pub fn answer(
        &mut self,
        caller: &Caller,
        publication: Publication,
        (draft, answers): (Draft, Answers),
        redelivery: Option<(Via, bool)>,
    ) -> Result<(), Refusal> {
        let actor = self.actor(caller)?;
        policy::may_publish(&actor, &publication.topic)?;
        fits(&publication)?;
        let place = self.place_of_answer(&actor, &answers)?;
        if let Some((room, thread)) = place {
            let draft = Draft { thread, ..draft };
            match redelivery {
                Some((via, again)) => self.post_delivery(caller, &room, draft, via, again)?,
                None => Some(self.post_message(caller, &room, draft)?),
            };
        }
        let is_heard = self.asking.0.get().is_some_and(|(hub, _)| hub.has_hearers(&publication.topic));
        if is_heard {
            self.publish(caller, publication, None)?;
        }
        Ok(())
    }

    /// The room and the thread in which an answer stands.
    fn place_of_answer(
        &self,
        actor: &Actor,
        answers: &Answers,
    ) -> Result<Option<(RoomId, Option<MessageId>)>, Refusal> {
        let device = actor.device.as_ref().ok_or(Refusal::NotAllowed(Right::Publish))?;
        let question = match answers {
            Answers::Elsewhere => return Ok(None),
            Answers::Message(id) => {
                let bound = |message: &Message| device.bindings.iter().any(|own| own.room == message.room);
                Some(self.message(id)?.filter(bound).ok_or(Refusal::NoSuchMessage)?)
            }
            Answers::Newest => match self.asked(actor)? {
                Some(asked) => self.message(&asked.message)?,
                None => None,
            },
        };
        Ok(match question {
            Some(question) => Some((question.room, question.thread.or(Some(question.id)))),
            None => device.bindings.iter().find(|binding| binding.post).map(|own| (own.room.clone(), None)),
        })
    }
}
