//! Records on their way in: what of a paper becomes a message.

use super::Format;
use super::parse::Papers;
use super::record::{Noticed, Person, Reacted, Record};
use crate::base::date;
use crate::base::id::{MessageId, UserId};
use crate::base::limits::{REACTIONS_MAX, REACTORS_MAX, TAGS_MAX};
use crate::chat::message::{MessageKind, Notice};
use crate::chat::name::{Opaque, Text, line};
use crate::chat::refusal::Refusal;
use crate::node::import::{Arriving, Bringing, Brought, Stranger, Unfit};
use serde_json::Value;
use smol_str::SmolStr;
use std::io::{self, BufRead};

/// Begins to read a paper of this format.
pub fn begin(format: &str, input: Box<dyn BufRead + Send>) -> Result<Box<dyn Bringing>, Refusal> {
    let format = Format::of(format).ok_or(super::FORMAT_UNKNOWN)?;
    Ok(Box::new(Papers::new(input, format)))
}

impl<R: BufRead + Send> Bringing for Papers<R> {
    fn next_brought(&mut self) -> io::Result<Option<Brought>> {
        let Some(found) = self.next_record()? else { return Ok(None) };
        let line = found.line;
        Ok(Some(match found.record {
            Err(why) => Brought { line, room: String::new(), bytes: 0, message: Err(Unfit::Words(why)) },
            Ok(record) => Brought {
                line,
                room: record.room.clone(),
                bytes: record.line().len(),
                message: arriving(line, &record),
            },
        }))
    }
}

/// The message in what a line of a JSONL export holds.
pub fn read(place: u64, record: Value) -> Result<Arriving, Unfit> {
    let record: Record =
        serde_json::from_value(record).map_err(|error| Unfit::Words(format!("it is no record: {error}")))?;
    arriving(place, &record)
}

/// The message in a record that stands at this place.
pub fn arriving(place: u64, record: &Record) -> Result<Arriving, Unfit> {
    let time = |time: &str| {
        let wanted = || Unfit::Words(format!("'{}' is no time: write 2024-05-01T12:00:00Z", line(time)));
        date::parse(time).ok_or_else(wanted)
    };
    let edited = record.edited.as_ref();
    let edited = edited.and_then(|edited| date::parse(&edited.time).map(|at| (at, stranger(&edited.by))));
    let extra = record.extra.as_ref().filter(|extra| !extra.is_null());
    let extra = extra.map(|extra| Opaque::parse(extra.to_string().as_bytes())).transpose()?;
    Ok(Arriving {
        id: MessageId::parse(&record.id),
        place,
        at: time(&record.time)?,
        trusted: record.trusted,
        author: stranger(&record.author),
        shown: line(record.shown_author()),
        kind: kind(&record.kind),
        text: Text::parse(&record.text)?,
        thread: record.thread.as_deref().and_then(MessageId::parse),
        edited,
        reactions: record.reactions.iter().take(REACTIONS_MAX).map(reaction).collect(),
        notice: record.notice.as_ref().and_then(notice),
        extra,
    })
}

fn stranger(person: &Person) -> Stranger {
    (UserId::parse(&person.id), line(&person.username))
}

fn reaction(reaction: &Reacted) -> (SmolStr, Vec<Stranger>) {
    (line(&reaction.emoji), reaction.by.iter().take(REACTORS_MAX).map(stranger).collect())
}

fn notice(notice: &Noticed) -> Option<Notice> {
    let tags = notice.tags.iter().take(TAGS_MAX).map(|tag| line(tag)).collect();
    let known = notice.priority <= 5;
    known.then(|| Notice { title: line(&notice.title), priority: notice.priority, tags })
}

/// What the node told can be told again; whatever else stands there was said.
fn kind(word: &str) -> MessageKind {
    match word {
        "joined" => MessageKind::UserJoined,
        "left" => MessageKind::UserLeft,
        "added" => MessageKind::UserAdded,
        "removed" => MessageKind::UserRemoved,
        "renamed" => MessageKind::RoomRenamed,
        "topic" => MessageKind::TopicChanged,
        "description" => MessageKind::DescriptionChanged,
        "announcement" => MessageKind::AnnouncementChanged,
        "privacy" => MessageKind::PrivacyChanged,
        "read-only" => MessageKind::ReadOnlyChanged,
        "archived" => MessageKind::ArchivedChanged,
        "role-given" => MessageKind::RoleGiven,
        "role-taken" => MessageKind::RoleTaken,
        _ => MessageKind::Said,
    }
}
