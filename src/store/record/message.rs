//! A message as bytes. Messages lie in the journal only, inside the Change that posted or revised them, and say
//! nothing twice that stands around them: a mark bit for every part that may be missing, a difference for the time.

use crate::base::id::{MessageId, Seq, UserId};
use crate::base::time::WallMs;
use crate::chat::message::{Author, Guise, Message, MessageKind, Notice, Reaction};
use crate::chat::name::Name;
use crate::store::record::RecordError;
use crate::store::record::codes::message_kind;
use crate::store::record::form::{self, Blob, List, Reader, Writer};
use crate::store::record::varint::{delta, undelta};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

/// The layout written today, of a message and of the Changes that carry one.
pub(super) const VERSION: u8 = 1;

// The low seven share the first byte: they are what ordinary messages have.
const MINTED: u64 = 1;
const SHOWN_NAME: u64 = 1 << 1;
const TOLD: u64 = 1 << 2;
const THREAD: u64 = 1 << 3;
const EXTRA: u64 = 1 << 4;
const NOTICE: u64 = 1 << 5;
const GUISE: u64 = 1 << 6;
const EDITED: u64 = 1 << 7;
const TOUCHED: u64 = 1 << 8;
const REACTIONS: u64 = 1 << 9;
const OTHER_TRUST: u64 = 1 << 10;
const ALL_MARKS: u64 = (1 << 11) - 1;

/// What stands around a message in its Change.
pub(super) struct Around {
    /// The sequence that the message's id carries if it was minted.
    pub(super) minted_at: Seq,
    /// The wall time of the Change.
    pub(super) wall: WallMs,
    /// Whether that time was trusted.
    pub(super) trusted: bool,
}

#[derive(Serialize, Deserialize)]
struct Core<'a> {
    room: &'a str,
    author: &'a str,
    username: &'a str,
    at: u64,
    text: &'a str,
}

#[derive(Serialize, Deserialize)]
struct EditedForm<'a> {
    at: u64,
    by: &'a str,
    username: &'a str,
}

#[derive(Serialize, Deserialize)]
struct ReactionForm<'a> {
    emoji: &'a str,
    #[serde(borrow)]
    by: List<(&'a str, &'a str)>,
}

#[derive(Serialize, Deserialize)]
struct NoticeForm<'a> {
    title: &'a str,
    priority: u8,
    #[serde(borrow)]
    tags: List<&'a str>,
}

#[derive(Serialize, Deserialize)]
struct GuiseForm<'a> {
    alias: &'a str,
    emoji: &'a str,
    avatar: &'a str,
}

// ---- writing ----

fn marks(message: &Message, around: &Around, minted: bool) -> u64 {
    let mark = |bit: u64, there: bool| if there { bit } else { 0 };
    mark(MINTED, minted)
        | mark(SHOWN_NAME, message.author.name != message.author.username.as_str())
        | mark(TOLD, message.kind != MessageKind::Said)
        | mark(THREAD, message.thread.is_some())
        | mark(EXTRA, message.extra.is_some())
        | mark(NOTICE, message.notice.is_some())
        | mark(GUISE, message.guise.is_some())
        | mark(EDITED, message.edited.is_some())
        | mark(TOUCHED, message.touched != message.at)
        | mark(REACTIONS, !message.reactions.is_empty())
        | mark(OTHER_TRUST, message.trusted != around.trusted)
}

/// Appends a message without its sequence.
pub(super) fn write(message: &Message, around: &Around, out: &mut Writer<'_>) -> Result<(), RecordError> {
    let rest = message.id.rest_after(around.minted_at);
    let marks = marks(message, around, rest.is_some());
    out.number(marks)?;
    match rest {
        Some(rest) => out.raw(rest.as_bytes())?,
        None => out.put(message.id.as_str())?,
    }
    out.put(&Core {
        room: message.room.as_str(),
        author: message.author.id.as_str(),
        username: message.author.username.as_str(),
        at: delta(around.wall, message.at),
        text: message.text.as_str(),
    })?;
    if marks & SHOWN_NAME != 0 {
        out.put(message.author.name.as_str())?;
    }
    if marks & TOLD != 0 {
        out.raw(&[message_kind::code(message.kind)])?;
    }
    if let Some(thread) = &message.thread {
        out.put(thread.as_str())?;
    }
    if let Some(extra) = &message.extra {
        out.put(&Blob(extra.as_bytes()))?;
    }
    write_finery(message, out)?;
    write_later(message, around, out)
}

fn write_finery(message: &Message, out: &mut Writer<'_>) -> Result<(), RecordError> {
    if let Some(notice) = &message.notice {
        let tags = notice.tags.iter().map(SmolStr::as_str).collect();
        out.put(&NoticeForm { title: &notice.title, priority: notice.priority, tags })?;
    }
    if let Some(guise) = &message.guise {
        out.put(&GuiseForm { alias: &guise.alias, emoji: &guise.emoji, avatar: &guise.avatar })?;
    }
    Ok(())
}

/// What comes to a message after it was posted.
fn write_later(message: &Message, around: &Around, out: &mut Writer<'_>) -> Result<(), RecordError> {
    if let Some((at, by, username)) = &message.edited {
        let at = delta(around.wall, *at);
        out.put(&EditedForm { at, by: by.as_str(), username: username.as_str() })?;
    }
    if message.touched != message.at {
        out.number(delta(around.wall, message.touched))?;
    }
    if !message.reactions.is_empty() {
        out.put(&message.reactions.iter().map(reaction_form).collect::<List<_>>())?;
    }
    Ok(())
}

fn reaction_form(reaction: &Reaction) -> ReactionForm<'_> {
    let by = reaction.by.iter().map(|(id, username)| (id.as_str(), username.as_str())).collect();
    ReactionForm { emoji: &reaction.emoji, by }
}

// ---- reading ----

/// Takes a message that was posted at this place.
pub(super) fn read(seq: Seq, around: &Around, from: &mut Reader<'_>) -> Result<Message, RecordError> {
    let marks = from.number()?;
    if marks & !ALL_MARKS != 0 {
        return Err(RecordError::Damaged { part: "message marks" });
    }
    let has = |bit: u64| marks & bit != 0;
    let id = read_id(has(MINTED), around, from)?;
    let core: Core<'_> = from.take()?;
    let name = if has(SHOWN_NAME) { from.take()? } else { core.username };
    let kind = if has(TOLD) { message_kind::parse(from.byte()?)? } else { MessageKind::Said };
    let thread = has(THREAD).then(|| form::message_id(from.take()?)).transpose()?;
    let extra = has(EXTRA).then(|| from.take()).transpose()?;
    let notice = has(NOTICE).then(|| from.take().map(notice)).transpose()?;
    let guise = has(GUISE).then(|| from.take().map(guise)).transpose()?;
    let edited = has(EDITED).then(|| edited(from.take()?, around)).transpose()?;
    let at = undelta(around.wall, core.at);
    let touched = if has(TOUCHED) { undelta(around.wall, from.number()?) } else { at };
    let reactions = if has(REACTIONS) { reactions(from.take()?)? } else { Vec::new() };
    let author =
        Author { id: form::user_id(core.author)?, username: form::name(core.username)?, name: name.into() };
    Ok(Message {
        id,
        seq,
        room: form::room_id(core.room)?,
        author,
        at,
        trusted: around.trusted != has(OTHER_TRUST),
        kind,
        text: form::text(core.text)?,
        thread,
        edited,
        touched,
        reactions,
        notice,
        guise,
        extra: form::opaque_if(extra)?,
    })
}

fn read_id(minted: bool, around: &Around, from: &mut Reader<'_>) -> Result<MessageId, RecordError> {
    if !minted {
        return form::message_id(from.take()?);
    }
    let rest = std::str::from_utf8(from.raw(MessageId::REST_BYTES)?).ok();
    rest.and_then(|rest| MessageId::minted(around.minted_at, rest))
        .ok_or(RecordError::Damaged { part: "message id" })
}

fn notice(form: NoticeForm<'_>) -> Box<Notice> {
    let tags = form.tags.0.into_iter().map(SmolStr::new).collect();
    Box::new(Notice { title: form.title.into(), priority: form.priority, tags })
}

fn guise(form: GuiseForm<'_>) -> Box<Guise> {
    Box::new(Guise { alias: form.alias.into(), emoji: form.emoji.into(), avatar: form.avatar.into() })
}

fn edited(form: EditedForm<'_>, around: &Around) -> Result<(WallMs, UserId, Name), RecordError> {
    Ok((undelta(around.wall, form.at), form::user_id(form.by)?, form::name(form.username)?))
}

fn person((id, username): (&str, &str)) -> Result<(UserId, Name), RecordError> {
    Ok((form::user_id(id)?, form::name(username)?))
}

fn reactions(forms: List<ReactionForm<'_>>) -> Result<Vec<Reaction>, RecordError> {
    let reaction = |form: ReactionForm<'_>| {
        let by = form.by.0.into_iter().map(person).collect::<Result<_, RecordError>>()?;
        Ok(Reaction { emoji: form.emoji.into(), by })
    };
    forms.0.into_iter().map(reaction).collect()
}
