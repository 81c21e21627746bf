//! Backups made by every version so far can be restored. `BLESS=1 cargo nextest run backup::old` keeps one of today's
//! format if there is none; one that is there is never written again.

use super::{backup, peopled, restored};
use crate::harness::life::Life;
use linnet::base::id::Seq;
use linnet::base::world::SimWorld;
use linnet::node::{Caller, Catalog};
use linnet::store::backup::{FORMAT, Mode, Source};
use linnet::store::index::memory::MemoryKv;
use std::path::PathBuf;
use std::sync::Arc;

/// The backups of every format, with what is in each: `format-1.backup` and `format-1.txt` in `tests/golden/backups/`.
const KEPT: [u32; 1] = [1];

fn place(format: u32, kind: &str) -> PathBuf {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/backups"));
    folder.join(format!("format-{format}.{kind}"))
}

/// What one who shows this token finds: people, rooms, places, and everything in #general.
fn found(life: &Life, token: &str) -> String {
    let reading = &life.parts.reading;
    let actor = reading.actor(&Caller::with_token(token)).unwrap();
    let (_, granted) = reading.room_for(&actor, "general").unwrap();
    let mut lines = vec![token.to_owned()];
    for user in reading.users(None, 100).unwrap() {
        let (id, name, roles) = (&user.id, &user.username, user.roles.bits());
        lines.push(format!("user {id} {name} {roles} {}", user.password.is_some()));
    }
    for room in reading.rooms(None, 100).unwrap() {
        lines.push(format!("room {} {} {:?} made {}", room.id, room.label(), room.kind, room.created));
    }
    for place in reading.memberships(&actor.user.id).unwrap() {
        lines.push(format!("place {} {} {}", place.room, place.roles.bits(), place.joined));
    }
    for said in reading.messages_after(&granted.permit, Seq(0), 100).unwrap() {
        let (id, seq, at, author) = (&said.id, said.seq, said.at, &said.author.id);
        let (text, edited, reactions) = (said.text.as_str(), &said.edited, &said.reactions);
        lines.push(format!("message {id} {seq} {at} {author} {text:?} {edited:?} {reactions:?}"));
    }
    lines.join("\n") + "\n"
}

fn keep_todays() {
    let (mut life, _) = peopled();
    let token = life.call(|node| {
        let alice = node.user_named("alice").unwrap().unwrap();
        node.open_session(&alice.id).map(|(token, _)| token)
    });
    std::fs::write(place(FORMAT, "txt"), found(&life, &token.unwrap())).unwrap();
    std::fs::write(place(FORMAT, "backup"), backup(&life.parts.reading)).unwrap();
}

#[test]
fn backups_of_every_format_restore() {
    if std::env::var_os("BLESS").is_some() && !place(FORMAT, "backup").exists() {
        keep_todays();
    }
    assert!(KEPT.contains(&FORMAT), "a backup of today's format is kept");
    for format in KEPT {
        let bytes = std::fs::read(place(format, "backup")).unwrap();
        let expected = std::fs::read_to_string(place(format, "txt")).unwrap();
        let head = Source::open(&bytes[..], Mode::Whole).unwrap().head().clone();
        let (outcome, disk) = restored(&bytes, Mode::Whole).unwrap();
        assert!(outcome.is_whole() && outcome.read.last_seq == head.last_seq, "{outcome:?}");
        let life = Life::open(Arc::new(SimWorld::new(1)), disk, MemoryKv::default()).unwrap();
        let token = expected.lines().next().unwrap();

        assert_eq!(found(&life, token), expected, "format {format}");
    }
}
