//! Messages that were said elsewhere, taken into a room. Only the operator and administrators bring them, who are
//! believed when they say who said what; an administrator's import is told to all of them.

use crate::base::date::iso;
use crate::base::id::{MessageId, RoomId, UserId};
use crate::base::time::WallMs;
use crate::chat::change::What;
use crate::chat::message::{Author, Guise, Message, MessageKind, Notice, Reaction};
use crate::chat::name::{Name, Opaque, Text, line};
use crate::chat::policy;
use crate::chat::refusal::{Refusal, Right};
use crate::chat::user::User;
use crate::node::books::Books;
use crate::node::caller::{Caller, NODE_USER};
use crate::node::{Node, refuse};
use crate::store::index::catalog::Catalog;
use sha2::{Digest, Sha256};
use smol_str::SmolStr;
use std::io::{self, BufRead};
use std::sync::Arc;

/// Somebody in what arrives: the id and username they had where it is from.
pub type Stranger = (Option<UserId>, SmolStr);

/// A message that arrives.
#[derive(Clone, Debug)]
pub struct Arriving {
    /// Its id where it is from.
    pub id: Option<MessageId>,
    /// Its place in what it arrives with: tells two apart that have no id.
    pub place: u64,
    /// When it was said.
    pub at: WallMs,
    /// Whether the clock was trusted then.
    pub trusted: bool,
    /// Who said it.
    pub author: Stranger,
    /// The name they showed.
    pub shown: SmolStr,
    /// Spoken or told.
    pub kind: MessageKind,
    /// What was said.
    pub text: Text,
    /// The message it answers.
    pub thread: Option<MessageId>,
    /// When and by whom it was changed.
    pub edited: Option<(WallMs, Stranger)>,
    /// Reactions.
    pub reactions: Vec<(SmolStr, Vec<Stranger>)>,
    /// What a device added.
    pub notice: Option<Notice>,
    /// What clients attached.
    pub extra: Option<Opaque>,
}

/// What became of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Arrived {
    /// It is in the room now.
    Taken,
    /// It was there already, or was there once and was removed.
    Known,
}

/// Why something that was brought is not taken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Unfit {
    /// What the node says to it.
    Refused(Refusal),
    /// It is no message; the words say why.
    Words(String),
}

impl From<Refusal> for Unfit {
    fn from(refusal: Refusal) -> Unfit {
        Unfit::Refused(refusal)
    }
}

/// What one place of a paper brings.
pub struct Brought {
    /// The line on which it begins, counted from 1.
    pub line: u64,
    /// The room it was said in, by name; may be empty.
    pub room: String,
    /// Its bytes, roughly.
    pub bytes: usize,
    /// The message.
    pub message: Result<Arriving, Unfit>,
}

/// A paper that is read, place by place.
pub trait Bringing: Send {
    /// The next one; `None` at the end.
    fn next_brought(&mut self) -> io::Result<Option<Brought>>;
}

/// Begins to read a paper of the format with this word. Doors do not know each other, so whoever wires them hands this
/// one around.
pub type Importer = fn(&str, Box<dyn BufRead + Send>) -> Result<Box<dyn Bringing>, Refusal>;

/// What became of some messages.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Imports {
    /// How many are in the room now.
    pub taken: u64,
    /// How many were there already.
    pub known: u64,
    /// The lines of the others, with what does not fit.
    pub refused: Vec<(u64, Unfit)>,
}

impl Node {
    /// Takes messages into a room, in order. One that does not fit stops no other; a right or a disk that ends does.
    pub fn import_messages(
        &mut self,
        caller: &Caller,
        room: &RoomId,
        lines: Vec<(u64, Result<Arriving, Unfit>)>,
    ) -> Result<Imports, Refusal> {
        let mut imports = Imports::default();
        for (line, message) in lines {
            let arrived = message
                .and_then(|arriving| self.import_message(caller, room, arriving).map_err(Unfit::Refused));
            match arrived {
                Ok(Arrived::Taken) => imports.taken += 1,
                Ok(Arrived::Known) => imports.known += 1,
                Err(Unfit::Refused(refusal)) if ends_all(&refusal) => return Err(refusal),
                Err(unfit) => imports.refused.push((line, unfit)),
            }
        }
        Ok(imports)
    }

    /// Tells the administrators that one of them has brought messages into rooms.
    pub fn tell_imported(&mut self, caller: &Caller, taken: u64, rooms: &str) -> Result<(), Refusal> {
        let actor = self.actor(caller)?;
        policy::may_administer(&actor, Right::BackUp)?;
        self.say_to_admins(&format!("{} imported {taken} messages into {rooms}.", actor.user.username))
    }

    /// Takes a message into a room, behind everything said there. Its own time is shown where the room's times would
    /// not run backwards by it, and else beside its author's name. What was taken before is not taken again.
    pub fn import_message(
        &mut self,
        caller: &Caller,
        room: &RoomId,
        arriving: Arriving,
    ) -> Result<Arrived, Refusal> {
        let actor = self.actor(caller)?;
        let room = self.room(room).map_err(refuse)?.ok_or(Refusal::NoSuchRoom)?;
        let membership = self.membership(&room.id, &actor.user.id).map_err(refuse)?;
        let is_operator = *caller == Caller::Operator;
        let permit = policy::may_import(&actor, &room, membership.as_ref(), is_operator)?;
        let room = permit.room().clone();
        let is_empty = arriving.extra.is_none() && arriving.notice.is_none();
        if arriving.kind == MessageKind::Said && arriving.text.is_blank() && is_empty {
            return Err(Refusal::TextEmpty);
        }
        let Some(id) = self.free_id(&room, &arriving)? else { return Ok(Arrived::Known) };
        let message = self.arrived(room, id, arriving)?;
        self.append(What::Posted { message, own_id: true, via: None })?;
        Ok(Arrived::Taken)
    }

    /// The id it gets here: its own, or where another message has that, one that always follows from it. `None` when it
    /// is in the room already.
    fn free_id(&self, room: &RoomId, arriving: &Arriving) -> Result<Option<MessageId>, Refusal> {
        let own = match &arriving.id {
            Some(id) => id.clone(),
            None => {
                let (at, place) = (arriving.at.to_string(), arriving.place.to_string());
                derived(&[room.as_str(), &place, &at, &arriving.shown, arriving.text.as_str()])
            }
        };
        for id in [own.clone(), other_id(room, &own)] {
            match self.placed(&id)? {
                None => return Ok(Some(id)),
                Some((other, _)) if other == *room => return Ok(None),
                Some(_) => {}
            }
        }
        Ok(None)
    }

    fn arrived(&mut self, room: RoomId, id: MessageId, arriving: Arriving) -> Result<Message, Refusal> {
        let tail = self.follower.tail(&self.view, &room).map_err(refuse)?;
        let at = arriving.at.max(tail.at);
        let local = self.local(&arriving.author)?;
        let when = (at != arriving.at).then(|| format!("{}Z", iso(arriving.at)[..16].replace('T', " ")));
        let shown = arriving.shown.trim_end_matches(')').split(" (imported").next().unwrap_or_default();
        let alias = match (&local, when) {
            (None, None) => Some(format!("{shown} (imported)")),
            (None, Some(when)) => Some(format!("{shown} (imported, {when})")),
            (Some(user), Some(when)) => Some(format!("{} ({when})", user.name)),
            (Some(_), None) => None,
        };
        let guise = alias.map(|alias| Box::new(Guise { alias: line(&alias), ..Guise::default() }));
        let thread = match &arriving.thread {
            Some(parent) => self.here(&room, parent)?,
            None => None,
        };
        let edited = match arriving.edited {
            Some((when, by)) => {
                let by = self.somebody(self.local(&by)?)?;
                Some((when.max(at), by.id, by.username))
            }
            None => None,
        };
        let touched = edited.as_ref().map_or(at, |(when, ..)| *when);
        let seq = self.next_seq();
        // What the node told is told in the name of whoever did it; in another's it is only words.
        let kind = if local.is_some() { arriving.kind } else { MessageKind::Said };
        Ok(Message {
            id,
            seq,
            room,
            author: self.somebody(local)?,
            at,
            trusted: arriving.trusted,
            kind,
            text: arriving.text,
            thread,
            edited,
            touched,
            reactions: self.known_reactions(arriving.reactions)?,
            notice: arriving.notice.map(Box::new),
            guise,
            extra: arriving.extra,
        })
    }

    /// The user here that this is: the same id and the same name, which nobody has by chance.
    fn local(&self, (id, username): &Stranger) -> Result<Option<Arc<User>>, Refusal> {
        let Some(id) = id else { return Ok(None) };
        let user = self.user(id).map_err(refuse)?;
        Ok(user.filter(|user| user.username.as_str() == username))
    }

    /// The author that a user is; the node's own user for those who are none here.
    fn somebody(&self, user: Option<Arc<User>>) -> Result<Author, Refusal> {
        Ok(match user {
            Some(user) => {
                Author { id: user.id.clone(), username: user.username.clone(), name: user.name.clone() }
            }
            None => {
                let own = self.user(&NODE_USER).map_err(refuse)?.ok_or(Refusal::NoSuchUser)?;
                Author { id: own.id.clone(), username: own.username.clone(), name: own.name.clone() }
            }
        })
    }

    /// Where the message with this id, or the one that took its place, is in the room.
    fn here(&self, room: &RoomId, id: &MessageId) -> Result<Option<MessageId>, Refusal> {
        for id in [id.clone(), other_id(room, id)] {
            if self.placed(&id)?.is_some_and(|(other, _)| other == *room) {
                return Ok(Some(id));
            }
        }
        Ok(None)
    }

    /// Reactions of those who are users here.
    fn known_reactions(&self, reactions: Vec<(SmolStr, Vec<Stranger>)>) -> Result<Vec<Reaction>, Refusal> {
        let mut known = Vec::new();
        for (emoji, by) in reactions {
            let mut users: Vec<(UserId, Name)> = Vec::new();
            for stranger in &by {
                let user = self.local(stranger)?;
                users.extend(user.map(|user| (user.id.clone(), user.username.clone())));
            }
            if !users.is_empty() {
                known.push(Reaction { emoji, by: users });
            }
        }
        Ok(known)
    }
}

/// Whether what follows would be refused as well.
fn ends_all(refusal: &Refusal) -> bool {
    use Refusal::*;
    matches!(
        refusal,
        NotAllowed(_)
            | NotLoggedIn
            | TokenUnknown
            | UserInactive
            | NoSuchRoom
            | RoomArchived
            | DiskFull
            | StoreFailed
    )
}

/// The id of a message whose own id another message has.
fn other_id(room: &RoomId, id: &MessageId) -> MessageId {
    derived(&[room.as_str(), id.as_str()])
}

fn derived(parts: &[&str]) -> MessageId {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    let hex: String = hash.finalize().iter().take(12).map(|byte| format!("{byte:02x}")).collect();
    MessageId::parse(&format!("im-{hex}")).expect("hexadecimal digits are fit for ids")
}
