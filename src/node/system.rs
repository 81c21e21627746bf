//! #system: the private room in which the node tells those who run it what is not well. It is made when there is
//! something to tell; every administrator is a member for as long as they are one.

use crate::base::id::RoomId;
use crate::base::limits::{ADMINS_GATHERED_MAX, SCAN_ENTRIES_MAX, TROUBLES_MAX};
use crate::chat::change::What;
use crate::chat::message::{Draft, MessageKind};
use crate::chat::name::{Name, Text, line};
use crate::chat::policy;
use crate::chat::refusal::{Refusal, Right};
use crate::chat::room::{Room, RoomKind};
use crate::chat::user::{Role, Roles, User};
use crate::node::caller::{Caller, NODE_USER};
use crate::node::health::{News, Severity, Trouble, TroubleKind};
use crate::node::{Node, refuse};
use crate::store::index::catalog::Catalog;
use sha2::{Digest, Sha256};
use smol_str::SmolStr;
use std::sync::Arc;

/// The setting that holds the room's id: by its name it could be anybody's.
const ROOM: &str = "system.room";
/// The setting that holds the marks of standing troubles that were told, so that no restart tells them again.
const TOLD: &str = "system.told";
/// What it is called where nobody took the name before.
const NAMES: [Name; 2] = [Name::fixed("system"), Name::fixed("linnet-system")];
const TOPIC: &str = "What the node has to tell those who run it.";

impl Node {
    /// Tells the administrators what is new about the node's troubles. What was told before and still stands is not
    /// told again.
    pub fn tell_troubles(&mut self, caller: &Caller, news: &News) -> Result<(), Refusal> {
        let actor = self.actor(caller)?;
        policy::may_administer(&actor, Right::ManageNode)?;
        let before = self.setting(TOLD).map_err(refuse)?.unwrap_or_default();
        let mut told: Vec<String> = before.split_whitespace().map(str::to_owned).collect();
        let mut lines = Vec::new();
        for kind in &news.over {
            let known = told.len();
            told.retain(|mark| !mark.starts_with(&prefix(*kind)));
            lines.extend(over(*kind).filter(|_| told.len() < known).map(str::to_owned));
        }
        for trouble in &news.noted {
            let mark = mark(trouble);
            if trouble.kind.stands() && told.contains(&mark) {
                continue;
            }
            lines.push(words(trouble));
            if trouble.kind.stands() {
                told.push(mark);
            }
        }
        told.drain(..told.len().saturating_sub(TROUBLES_MAX));
        let told = told.join(" ");
        // That the disk is full must be told on a full disk.
        self.with_reserve(|node| {
            if !lines.is_empty() {
                let room = node.open_system_room()?;
                lines.iter().try_for_each(|text| node.say_in_system(&room, text))?;
            }
            if *told != *before { node.set(TOLD, &told) } else { Ok(()) }
        })
    }

    /// Says something that only those who run the node have to know.
    pub(super) fn say_to_admins(&mut self, text: &str) -> Result<(), Refusal> {
        let room = self.open_system_room()?;
        self.say_in_system(&room, text)
    }

    fn say_in_system(&mut self, room: &Room, text: &str) -> Result<(), Refusal> {
        let node = self.actor(&Caller::Operator)?;
        let membership = self.membership(&room.id, &NODE_USER).map_err(refuse)?;
        let permit = match policy::may_post(&node, room, membership.as_ref()) {
            // Who closed the room wants to hear nothing.
            Err(Refusal::RoomArchived) => return Ok(()),
            other => other?,
        };
        let draft = Draft { text: Text::parse(text)?, ..Draft::default() };
        self.say(permit, &node, MessageKind::Said, draft, None)?;
        Ok(())
    }

    /// The room as it is; `None` before its first need, and when somebody removed it or opened it to others.
    fn system_room(&self) -> Result<Option<Arc<Room>>, Refusal> {
        let id = self.setting(ROOM).map_err(refuse)?.and_then(|id| RoomId::parse(&id));
        let room = id.map(|id| self.room(&id)).transpose().map_err(refuse)?.flatten();
        Ok(room.filter(|room| room.kind == RoomKind::Private && !room.joined_by_default))
    }

    /// The room, made if need be, with the node in it.
    fn open_system_room(&mut self) -> Result<Arc<Room>, Refusal> {
        let node = self.user(&NODE_USER).map_err(refuse)?.ok_or(Refusal::NoSuchUser)?;
        if let Some(room) = self.system_room()? {
            if self.membership(&room.id, &NODE_USER).map_err(refuse)?.is_none() {
                self.add_member(&node, &room, Roles::of(&[Role::Owner]))?;
            }
            return Ok(room);
        }
        let id = RoomId::mint(self.world());
        let name = self.system_name(&id)?;
        let none = SmolStr::default;
        let room = Arc::new(Room {
            id,
            kind: RoomKind::Private,
            name: Some(name),
            creator: NODE_USER,
            created: self.now().wall_ms,
            topic: line(TOPIC),
            description: none(),
            announcement: none(),
            read_only: false,
            joined_by_default: false,
            archived: false,
            people: Vec::new(),
            extra: None,
        });
        self.append(What::RoomMade((*room).clone()))?;
        self.set(ROOM, room.id.as_str())?;
        self.add_member(&node, &room, Roles::of(&[Role::Owner]))?;
        let users = self.users(None, SCAN_ENTRIES_MAX).map_err(refuse)?;
        for admin in users.iter().filter(|user| runs(user)).take(ADMINS_GATHERED_MAX) {
            self.add_unless_full(admin, &room)?;
        }
        Ok(room)
    }

    /// A person may have taken the name.
    fn system_name(&self, id: &RoomId) -> Result<Name, Refusal> {
        for name in NAMES {
            if self.room_named(name.as_str()).map_err(refuse)?.is_none() {
                return Ok(name);
            }
        }
        Name::parse(&format!("linnet-system-{id}"))
    }

    /// Follows a user who became, or no longer is, one of those who run the node.
    pub(super) fn gather(&mut self, before: Option<&User>, now: &Arc<User>) -> Result<(), Refusal> {
        if before.is_some_and(runs) == runs(now) {
            return Ok(());
        }
        let Some(room) = self.system_room()? else { return Ok(()) };
        let is_member = self.membership(&room.id, &now.id).map_err(refuse)?.is_some();
        match runs(now) {
            true if !is_member => self.add_unless_full(now, &room),
            false if is_member => {
                let (room, user) = (room.id.clone(), now.id.clone());
                self.append(What::Left { room, user, by: Some(NODE_USER) })?;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Who is in too many rooms already runs the node all the same.
    fn add_unless_full(&mut self, user: &Arc<User>, room: &Room) -> Result<(), Refusal> {
        match self.add_member(user, room, Roles::NONE) {
            Err(Refusal::TooMany { .. }) => Ok(()),
            other => other,
        }
    }
}

fn runs(user: &User) -> bool {
    user.is(Role::Admin) && user.active && user.id != NODE_USER
}

fn words(trouble: &Trouble) -> String {
    let weight = match trouble.kind.severity() {
        Severity::Info => "Note",
        Severity::Warning => "Warning",
        Severity::Error => "Error",
    };
    format!("{weight}: {}", trouble.text)
}

/// What is said when a state that was told is over.
fn over(kind: TroubleKind) -> Option<&'static str> {
    match kind {
        TroubleKind::DiskFull => Some("There is room on the disk again: the node takes everything."),
        TroubleKind::DiskFilling => Some("The disk is no longer filling up."),
        TroubleKind::ClockUntrusted => Some("The clock can be trusted again."),
        _ => None,
    }
}

fn prefix(kind: TroubleKind) -> String {
    format!("{}:", kind.word())
}

/// A trouble's kind and the first 8 bytes of SHA-256 over its text.
fn mark(trouble: &Trouble) -> String {
    let digest = Sha256::digest(trouble.text.as_bytes());
    let hex: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    prefix(trouble.kind) + &hex
}
