//! Messages from a file, as the command line brings them: some at a time, each with the line it stands on.

use super::answer::{OPERATOR, named_room};
use super::wire::{ImportLine, Imported, NotTaken, Reply};
use crate::base::date;
use crate::base::id::{MessageId, UserId};
use crate::base::limits::{IMPORT_LINES_AT_ONCE_MAX, REACTIONS_MAX, REACTORS_MAX, TAGS_MAX};
use crate::chat::message::{MessageKind, Notice};
use crate::chat::name::{Opaque, Text, line};
use crate::chat::refusal::Refusal;
use crate::node::import::{Arrived, Arriving, Stranger};
use crate::node::{Node, NodeHandle};
use serde_json::Value;

/// Takes these messages into a room, in order. Those that do not fit are named; they stop no other.
pub async fn import(node: &NodeHandle, room: &str, lines: Vec<ImportLine>) -> Result<Reply, Refusal> {
    if lines.len() > IMPORT_LINES_AT_ONCE_MAX {
        return Err(Refusal::TooMany { what: "messages at once", max: IMPORT_LINES_AT_ONCE_MAX });
    }
    let room = node.read(|reading| named_room(reading, room))?;
    let id = room.id.clone();
    let take = move |node: &mut Node| {
        let mut imported = Imported::default();
        for ImportLine { line, record } in lines {
            match arriving(line, &record).map(|arriving| node.import_message(&OPERATOR, &id, arriving)) {
                Ok(Ok(Arrived::Taken)) => imported.taken += 1,
                Ok(Ok(Arrived::Known)) => imported.known += 1,
                Ok(Err(
                    refusal @ (Refusal::NotAllowed(_) | Refusal::RoomArchived | Refusal::StoreFailed),
                )) => {
                    return Err(refusal);
                }
                Ok(Err(refusal)) => imported.refused.push(NotTaken { line, why: words(&refusal) }),
                Err(why) => imported.refused.push(NotTaken { line, why }),
            }
        }
        Ok(imported)
    };
    Ok(Reply::ok(&node.call(&OPERATOR, take).await?))
}

fn words(refusal: &Refusal) -> String {
    match super::words::refused(refusal) {
        Reply::Refused { message, .. } => message,
        Reply::Ok { .. } | Reply::Item { .. } => String::new(),
    }
}

/// The message in a record; the words say what does not fit.
fn arriving(place: u64, record: &Value) -> Result<Arriving, String> {
    let text = |key: &str| record[key].as_str().unwrap_or_default();
    let time = |value: &Value| value.as_str().and_then(date::parse);
    let author = stranger(&record["author"]).ok_or("it has no author")?;
    let shown = [&record["guise"]["alias"], &record["author"]["name"], &record["author"]["username"]];
    let shown = shown.iter().filter_map(|name| name.as_str()).find(|name| !name.is_empty());
    let edited = record["edited"].as_object();
    let edited = edited.and_then(|edited| time(&edited["time"]).zip(stranger(&edited["by"])));
    let reactions = record["reactions"].as_array().into_iter().flatten().take(REACTIONS_MAX);
    let extra = Some(&record["extra"]).filter(|extra| !extra.is_null());
    let extra = extra.map(|extra| Opaque::parse(extra.to_string().as_bytes())).transpose();
    Ok(Arriving {
        id: MessageId::parse(text("id")),
        place,
        at: time(&record["time"]).ok_or_else(|| format!("'{}' is no time", line(text("time"))))?,
        trusted: record["trusted"].as_bool().unwrap_or(false),
        author,
        shown: line(shown.unwrap_or("somebody")),
        kind: kind(text("kind")),
        text: Text::parse(text("text")).map_err(|refusal| words(&refusal))?,
        thread: MessageId::parse(text("thread")),
        edited,
        reactions: reactions.filter_map(reaction).collect(),
        notice: notice(&record["notice"]),
        extra: extra.map_err(|refusal| words(&refusal))?,
    })
}

fn stranger(person: &Value) -> Option<Stranger> {
    let username = person["username"].as_str()?;
    Some((person["id"].as_str().and_then(UserId::parse), line(username)))
}

fn reaction(reaction: &Value) -> Option<(smol_str::SmolStr, Vec<Stranger>)> {
    let by = reaction["by"].as_array()?.iter().take(REACTORS_MAX).filter_map(stranger).collect();
    Some((line(reaction["emoji"].as_str()?), by))
}

fn notice(notice: &Value) -> Option<Notice> {
    let priority = u8::try_from(notice["priority"].as_u64()?).ok().filter(|priority| *priority <= 5)?;
    let tags = notice["tags"].as_array().into_iter().flatten().take(TAGS_MAX);
    let tags = tags.filter_map(|tag| tag.as_str().map(line)).collect();
    Some(Notice { title: line(notice["title"].as_str().unwrap_or_default()), priority, tags })
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
