//! What the node answers to the command line. The same answers serve a running node and a store that none holds.

use super::devices;
use super::import::import;
use super::vitals::Vitals;
use super::wire::{
    ClockLine, Compacted, Keep, OwnerLink, Reply, Request, RetentionLine, RoomLine, StatusReport, TailLine,
    UserLine,
};
use crate::base::limits::{
    DIRECT_PEOPLE_MAX, OWNER_CODE_LIFE_MS, PAGE_MESSAGES_MAX, SCAN_ENTRIES_MAX, TAIL_LINES,
};
use crate::base::secret::Secret;
use crate::chat::message::{Draft, Message, MessageKind};
use crate::chat::name::{Name, Text};
use crate::chat::refusal::Refusal;
use crate::chat::room::{Room, RoomKind};
use crate::chat::user::{Role, Roles, User};
use crate::doors::trial::Trier;
use crate::node::accounts::{NewUser, UserPatch};
use crate::node::backup::Exporter;
use crate::node::care;
use crate::node::clock::{Standing, Trust};
use crate::node::history::Stretch;
use crate::node::import::{Arriving, Unfit};
use crate::node::passwords::Digested;
use crate::node::trim::Rule;
use crate::node::{Caller, Catalog, NodeHandle, Reading, refuse};
use serde::Serialize;
use serde_json::Value;
use std::sync::Arc;

/// The caller behind the socket: whoever may open it runs the node.
pub const OPERATOR: Caller = Caller::Operator;

/// Leaves word why the index is to be built anew, and starts the node anew.
#[derive(Clone)]
pub struct Rebuild(pub Arc<dyn Fn(&str) + Send + Sync>);

impl std::fmt::Debug for Rebuild {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Rebuild")
    }
}

/// Reads the record that stands on this line.
pub type ReadRecord = fn(u64, Value) -> Result<Arriving, Unfit>;

/// What only the program around the node knows.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    /// The node's own address for people, when it runs.
    pub url: Option<String>,
    /// The parts of a status that are not the node's.
    pub status: StatusReport,
    /// How a node that serves is made to build its index anew.
    pub rebuild: Option<Rebuild>,
    /// Whether the accounts have passwords that everybody knows.
    pub test_mode: bool,
    /// Bytes that the index gave back when it was opened.
    pub index_given: u64,
    /// What writes exports.
    pub export: Option<Exporter>,
    /// What finds the message in what a line of a JSONL export holds.
    pub read_record: Option<ReadRecord>,
    /// How much is kept of rooms without a rule of their own, where the settings are known.
    pub kept: Option<Rule>,
    /// What looks at the topics of the node's own broker.
    pub trier: Option<Trier>,
}

/// Answers one request; a tail is answered with the newest lines only.
pub async fn answer(node: &NodeHandle, around: &Surroundings, request: Request) -> Reply {
    let url = around.url.clone();
    let answer = match request {
        Request::OwnerLink => owner_link(node, url).await,
        Request::UserAdd { name, role, password } => user_add(node, &name, &role, &password).await,
        Request::UserList => done(node.read(users)),
        Request::UserPasswd { name, password } => user_passwd(node, &name, &password).await,
        Request::DeviceAdd { name, room, rights, topics } => {
            devices::add(node, around, &name, (room, rights), topics).await
        }
        Request::DeviceAllow { name, give, take, rooms, not_rooms, certificate } => {
            devices::allow(node, name, (give, take), (rooms, not_rooms), certificate).await
        }
        Request::DeviceKey { name } => devices::key(node, around, name).await,
        Request::DeviceList => done(node.read(devices::lines)),
        Request::DeviceShow { name } => done(node.read(|reading| devices::shown(reading, around, &name))),
        Request::DeviceRemove { name } => devices::remove(node, name).await,
        Request::RoomList => done(node.read(room_lines)),
        Request::RoomRetention { room, keep } => retention(node, around, &room, keep).await,
        Request::Post { room, text } => post(node, &room, &text).await,
        Request::Tail { room, since } => done(node.read(|reading| lines(reading, &room, since))),
        Request::Status => done(node.read(|reading| status(node, reading, around.status.clone()))),
        Request::Clock => done(node.read(|reading| Ok(clock_line(&reading.clock().standing())))),
        Request::ClockSet { time_ms } => clock_set(node, time_ms).await,
        Request::Check { repair, accept, .. } => super::check::check(node, around, repair, accept).await,
        Request::RebuildIndex => Ok(super::check::rebuild_index(around)),
        Request::MqttTry(order) => super::trial::look(around, order).await,
        // What gives a stream of bytes is asked for by whoever can take one.
        Request::Import { room, lines } => import(node, around, &room, lines).await,
        Request::Backup | Request::Export { .. } => {
            Err(Refusal::Invalid { what: "request", want: "a place for the bytes" })
        }
        Request::Compact => compact(node, around).await,
    };
    answer.unwrap_or_else(|refusal| super::words::refused(&refusal))
}

fn clock_line(standing: &Standing) -> ClockLine {
    let trust = match standing.trust {
        Trust::Nobody => "nobody",
        Trust::Person => "person",
        Trust::Machine => "machine",
    };
    ClockLine { time_ms: standing.now.wall_ms, trust: trust.into(), machine_ms: standing.doubted }
}

async fn clock_set(node: &NodeHandle, time_ms: Option<u64>) -> Result<Reply, Refusal> {
    let to = match time_ms {
        Some(to) => to,
        None => node.read(|reading| Ok(reading.clock().standing().doubted))?.ok_or(Refusal::ClockKnown)?,
    };
    let standing = node.call(&OPERATOR, move |node| node.set_clock(&OPERATOR, to)).await?;
    Ok(Reply::ok(&clock_line(&standing)))
}

fn done<T: Serialize>(answer: Result<T, Refusal>) -> Result<Reply, Refusal> {
    answer.map(|value| Reply::ok(&value))
}

async fn retention(
    node: &NodeHandle,
    around: &Surroundings,
    room: &str,
    keep: Option<Keep>,
) -> Result<Reply, Refusal> {
    let (room, label) = node.read(|reading| room_meant(reading, room))?;
    if let Some(keep) = keep {
        let id = room.id.clone();
        let rule = match keep {
            Keep::Default => None,
            Keep::Own { days, megabytes } => Some(Rule { days, megabytes }),
        };
        node.call(&OPERATOR, move |node| node.keep_room_by(&OPERATOR, &id, rule)).await?;
    }
    let own = node.read(|reading| Rule::of_room(reading, &room.id).map_err(refuse))?;
    let (days, megabytes) = own.or(around.kept).map(|rule| (rule.days, rule.megabytes)).unzip();
    Ok(Reply::ok(&RetentionLine { room: label, own: own.is_some(), days, megabytes }))
}

/// A room by its name, or a direct room by its people, `@alice,@bob`; with what it is called.
fn room_meant(reading: &Reading, name: &str) -> Result<(Arc<Room>, String), Refusal> {
    if !name.starts_with('@') {
        let room = named_room(reading, name)?;
        let label = room.label().to_owned();
        return Ok((room, label));
    }
    let (mut people, mut names) = (Vec::new(), Vec::new());
    for name in name.split(',').take(DIRECT_PEOPLE_MAX) {
        let name = name.strip_prefix('@').unwrap_or(name);
        let user = reading.user_named(name).map_err(refuse)?.ok_or(Refusal::NoSuchUser)?;
        people.push(user.id.clone());
        names.push(format!("@{}", user.username));
    }
    let room = reading.direct_room_of(people)?.ok_or(Refusal::NoSuchRoom)?;
    Ok((room, names.join(",")))
}

async fn compact(node: &NodeHandle, around: &Surroundings) -> Result<Reply, Refusal> {
    let given = care::compact(node, around.kept.unwrap_or_default().into()).await?;
    let (segments, changes, bytes) = (given.segments, given.changes, given.bytes);
    Ok(Reply::ok(&Compacted { segments, changes, bytes, index_bytes: around.index_given }))
}

async fn owner_link(node: &NodeHandle, url: Option<String>) -> Result<Reply, Refusal> {
    let code = node.call(&OPERATOR, |node| node.make_owner_code(&OPERATOR)).await?;
    let path = format!("/#own-{code}");
    Ok(Reply::ok(&OwnerLink { path, url, expires_s: OWNER_CODE_LIFE_MS / 1_000 }))
}

async fn user_add(node: &NodeHandle, name: &str, role: &str, password: &Secret) -> Result<Reply, Refusal> {
    let username = Name::parse(name)?;
    let role = Role::parse(role)
        .filter(|role| matches!(role, Role::Admin | Role::Moderator | Role::User | Role::Bot));
    let role = role.ok_or(Refusal::Invalid { what: "role", want: "user, bot, moderator or admin" })?;
    let hash = node.passwords().hash(Digested::of_plain(password.expose())?).await?;
    let mut new = NewUser::person(username, name, hash);
    new.roles = match role {
        Role::Bot => Roles::of(&[Role::Bot]),
        role => Roles::of(&[Role::User, role]),
    };
    let user = node.call(&OPERATOR, move |node| node.add_user(&OPERATOR, new)).await?;
    Ok(Reply::ok(&user_line(&user)))
}

async fn user_passwd(node: &NodeHandle, name: &str, password: &Secret) -> Result<Reply, Refusal> {
    let user = node.read(|reading| reading.user_named(name).map_err(refuse)?.ok_or(Refusal::NoSuchUser))?;
    let hash = node.passwords().hash(Digested::of_plain(password.expose())?).await?;
    let patch = UserPatch { password: Some(hash), ..UserPatch::default() };
    let user = node.call(&OPERATOR, move |node| node.change_user(&OPERATOR, &user.id, patch)).await?;
    Ok(Reply::ok(&user_line(&user)))
}

async fn post(node: &NodeHandle, room: &str, text: &str) -> Result<Reply, Refusal> {
    let room = node.read(|reading| named_room(reading, room))?;
    let draft = Draft { text: Text::parse(text)?, ..Draft::default() };
    let id = room.id.clone();
    let message = node.call(&OPERATOR, move |node| node.post_message(&OPERATOR, &id, draft)).await?;
    Ok(Reply::ok(&tail_line(&room, &message)))
}

fn users(reading: &Reading) -> Result<Vec<UserLine>, Refusal> {
    let users = reading.users(None, SCAN_ENTRIES_MAX).map_err(refuse)?;
    Ok(users.iter().filter(|user| !user.is(Role::Device)).map(|user| user_line(user)).collect())
}

fn user_line(user: &User) -> UserLine {
    let roles = user.roles.iter().map(|role| role.word().to_owned()).collect();
    UserLine { name: user.username.to_string(), roles, active: user.active }
}

fn room_lines(reading: &Reading) -> Result<Vec<RoomLine>, Refusal> {
    let rooms = reading.rooms(None, SCAN_ENTRIES_MAX).map_err(refuse)?;
    rooms.iter().map(|room| room_line(reading, room)).collect()
}

fn room_line(reading: &Reading, room: &Arc<Room>) -> Result<RoomLine, Refusal> {
    let kind = match room.kind {
        RoomKind::Public => "public",
        RoomKind::Private => "private",
        RoomKind::Direct => "direct",
    };
    let members = reading.members(&room.id, None, SCAN_ENTRIES_MAX).map_err(refuse)?.len() as u64;
    let messages = reading.room_tail(&room.id).map_err(refuse)?.map_or(0, |tail| tail.count);
    Ok(RoomLine { name: room.label().to_owned(), kind: kind.to_owned(), members, messages })
}

/// The room of this name, for the operator.
pub fn named_room(reading: &Reading, name: &str) -> Result<Arc<Room>, Refusal> {
    let name = name.strip_prefix('#').unwrap_or(name);
    reading.room_named(name).map_err(refuse)?.ok_or(Refusal::NoSuchRoom)
}

/// The newest lines of a room, or those after a place, oldest first.
pub fn lines(reading: &Reading, name: &str, since: Option<u64>) -> Result<Vec<TailLine>, Refusal> {
    let room = named_room(reading, name)?;
    let granted = reading.may_read(&reading.actor(&OPERATOR)?, &room)?;
    let messages = match since {
        Some(seq) => reading.messages_after(&granted.permit, crate::base::id::Seq(seq), PAGE_MESSAGES_MAX)?,
        None => {
            let stretch = Stretch { latest: None, oldest: None, inclusive: false, skip: 0, max: TAIL_LINES };
            let mut page = reading.history(&granted.permit, stretch)?.messages;
            page.reverse();
            page
        }
    };
    Ok(messages.iter().map(|message| tail_line(&room, message)).collect())
}

/// A message as the command line shows it.
pub fn tail_line(room: &Room, message: &Message) -> TailLine {
    TailLine {
        seq: message.seq.0,
        time_ms: message.at,
        room: room.label().to_owned(),
        from: message.author.username.to_string(),
        text: shown(message),
        time_uncertain: !message.trusted,
    }
}

/// The text, with a device's title before it; what the node tells of a room is said in words.
fn shown(message: &Message) -> String {
    let text = message.text.as_str();
    let told = match message.kind {
        MessageKind::Said => {
            let title = message.notice.as_ref().map_or("", |notice| notice.title.as_str());
            return if title.is_empty() { text.to_owned() } else { format!("{title}: {text}") };
        }
        MessageKind::UserJoined => "joined",
        MessageKind::UserLeft => "left",
        MessageKind::UserAdded => "added",
        MessageKind::UserRemoved => "removed",
        MessageKind::RoomRenamed => "renamed the room to",
        MessageKind::TopicChanged => "changed the topic to",
        MessageKind::DescriptionChanged => "changed the description to",
        MessageKind::AnnouncementChanged => "changed the announcement to",
        MessageKind::PrivacyChanged => "made the room",
        MessageKind::ReadOnlyChanged => "set read-only to",
        MessageKind::ArchivedChanged => "set archived to",
        MessageKind::RoleGiven => "gave a role:",
        MessageKind::RoleTaken => "took a role:",
    };
    format!("({})", [told, text].join(" ").trim_end())
}

fn status(node: &NodeHandle, reading: &Reading, mut report: StatusReport) -> Result<StatusReport, Refusal> {
    let users = users(reading)?;
    let rooms = room_lines(reading)?;
    report.users = users.len() as u64;
    report.devices = devices::lines(reading)?.len() as u64;
    report.rooms = rooms.len() as u64;
    report.messages = rooms.iter().map(|room| room.messages).sum();
    report.vitals = Some(Vitals::of(node, reading));
    report.budget = Some((&node.budget).into());
    Ok(report)
}
