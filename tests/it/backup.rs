//! Backups: what went in comes out, and what is cut or damaged is never taken for whole.

mod api;
mod damage;
mod memory;
mod mend;
mod old;
mod running;
mod schedule;
mod story;

use crate::harness::life::{Life, words};
use linnet::base::id::Seq;
use linnet::base::world::SimWorld;
use linnet::chat::change::What;
use linnet::chat::room::Room;
use linnet::chat::user::Role;
use linnet::node::backup::Pieces;
use linnet::node::{Caller, Reading};
use linnet::store::backup::{BackupError, Mode, Outcome, Source, restore};
use linnet::store::disk::SimDisk;
use linnet::store::index::memory::MemoryKv;
use linnet::store::journal::{self, Options, Pos};
use linnet::store::record;
use std::io::{self, Read};
use std::sync::Arc;

const OPTIONS: Options = Options { segment_bytes: 16 * 1024, salt: 3 };

/// A whole backup of what this node has now.
pub fn backup(reading: &Reading) -> Vec<u8> {
    let permit = reading.may_back_up(&Caller::Operator).unwrap();
    let mut backup = reading.back_up(&permit, false).unwrap();
    let mut bytes = Vec::new();
    while let Some(piece) = backup.next_piece().unwrap() {
        bytes.extend(piece);
    }
    bytes
}

/// What is read of these bytes, and the disk it was restored to.
fn restored(bytes: &[u8], mode: Mode) -> Result<(Outcome, SimDisk), BackupError> {
    let disk = SimDisk::new(1);
    let outcome = restore(Source::open(bytes, mode)?, Arc::new(disk.clone()), OPTIONS)?;
    Ok((outcome, disk))
}

/// Every Change in the journal of a disk, byte for byte.
fn frames(disk: &SimDisk) -> Vec<(u64, Vec<u8>)> {
    let opened = journal::open(Arc::new(disk.clone()), OPTIONS, None).unwrap();
    let frames = opened.reader.scan(Pos(0), opened.reader.end());
    frames.map(|found| found.map(|(_, frame)| (frame.seq, frame.payload.to_vec())).unwrap()).collect()
}

/// The node that a backup of this one gives: its Changes are the same bytes at the same places in the order.
pub fn through_a_backup(life: &Life, world: Arc<SimWorld>) -> Result<Life, String> {
    let bytes = backup(&life.parts.reading);
    let (outcome, disk) = restored(&bytes, Mode::Whole).map_err(|error| error.to_string())?;
    if !outcome.is_whole() || outcome.read.damaged > 0 {
        return Err(format!("a whole backup is not read as one: {outcome:?}"));
    }
    // A power cut behind a restore takes nothing of it.
    let disk = disk.crash();
    if frames(&life.disk.crash()) != frames(&disk) {
        return Err("a restored journal holds other Changes".into());
    }
    Life::open(world, disk, MemoryKv::default()).map_err(|error| error.to_string())
}

/// A node with some of everything, and a caller with a token.
fn peopled() -> (Life, Caller) {
    let mut life = Life::begin(11);
    let (_, alice) = life.user("alice", &[Role::Admin, Role::User]);
    for number in 0..40 {
        let text = format!("message {number}: {}", "words ".repeat(number));
        let message = life.call(|n| n.post_message(&alice, &Room::GENERAL, words(&text))).unwrap();
        match number % 5 {
            0 => drop(life.call(|n| n.react(&alice, &message.id, "wave", None)).unwrap()),
            1 => drop(life.call(|n| n.edit_message(&alice, &message.id, words("edited").text)).unwrap()),
            2 => drop(life.call(|n| n.delete_message(&alice, &message.id)).unwrap()),
            _ => {}
        }
    }
    (life, alice)
}

#[test]
fn a_restored_node_knows_everybody_and_everything() {
    let (life, alice) = peopled();
    let bytes = backup(&life.parts.reading);
    let before = life.parts.reading.messages_after(&general(&life, &alice), Seq(0), 100).unwrap();
    let mut restored = through_a_backup(&life, life.world.clone()).unwrap();
    let after = restored.parts.reading.messages_after(&general(&restored, &alice), Seq(0), 100).unwrap();
    assert_eq!(before, after, "ids, times, edits and reactions are as before");
    assert_eq!(life.parts.reading.node_number(), restored.parts.reading.node_number());
    let head = Source::open(&bytes[..], Mode::Whole).unwrap().head().clone();
    assert_eq!(head.last_seq, life.parts.reading.newest().0);
    // It goes on where it was: a new message gets a new place and id.
    let next = restored.call(|n| n.post_message(&alice, &Room::GENERAL, words("on we go"))).unwrap();
    assert!(next.seq.0 > head.last_seq && before.iter().all(|message| message.id != next.id));
}

fn general(life: &Life, caller: &Caller) -> linnet::chat::policy::MayRead {
    let actor = life.parts.reading.actor(caller).unwrap();
    life.parts.reading.room_for(&actor, "general").unwrap().1.permit
}

#[test]
fn what_was_said_while_a_backup_went_out_is_not_half_in_it() {
    let (mut life, alice) = peopled();
    let permit = life.parts.reading.may_back_up(&Caller::Operator).unwrap();
    let mut going = life.parts.reading.back_up(&permit, false).unwrap();
    let last = life.parts.reading.newest();
    let mut bytes = Vec::new();
    while let Some(piece) = going.next_piece().unwrap() {
        bytes.extend(piece);
        life.call(|n| n.post_message(&alice, &Room::GENERAL, words("meanwhile"))).unwrap();
    }
    let (outcome, disk) = restored(&bytes, Mode::Whole).unwrap();
    assert_eq!(outcome.read.last_seq, last.0);
    let all = frames(&life.disk);
    assert_eq!(frames(&disk), all[..outcome.read.changes as usize]);
    assert!(all.len() > outcome.read.changes as usize);
}

#[test]
fn a_backup_of_a_large_store_comes_in_small_pieces() {
    let mut life = Life::begin(3);
    let (_, alice) = life.user("alice", &[Role::Admin, Role::User]);
    for number in 0..60 {
        let text = format!("{number}{}", "é".repeat(4_900));
        life.call(|n| n.post_message(&alice, &Room::GENERAL, words(&text))).unwrap();
    }
    let permit = life.parts.reading.may_back_up(&Caller::Operator).unwrap();
    let mut going = life.parts.reading.back_up(&permit, false).unwrap();
    let (mut bytes, mut pieces) = (Vec::new(), 0);
    while let Some(piece) = going.next_piece().unwrap() {
        assert!(piece.len() <= 128 * 1024 + 28, "{} bytes in one piece", piece.len());
        pieces += 1;
        bytes.extend(piece);
    }
    assert!(pieces > 8, "{pieces}");
    // A pipe gives what it has, however little.
    let slow = Dripping(&bytes);
    let outcome =
        restore(Source::open(slow, Mode::Whole).unwrap(), Arc::new(SimDisk::new(2)), OPTIONS).unwrap();
    assert!(outcome.is_whole());
    assert_eq!(outcome.read.changes, frames(&life.disk).len() as u64);
}

struct Dripping<'a>(&'a [u8]);

impl Read for Dripping<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let count = buf.len().min(self.0.len()).min(1_009);
        buf[..count].copy_from_slice(&self.0[..count]);
        self.0 = &self.0[count..];
        Ok(count)
    }
}

/// Whether a message of this text is among the Changes.
fn says(disk: &SimDisk, text: &str) -> bool {
    frames(disk).iter().any(|(seq, payload)| {
        let change = record::change::decode(Seq(*seq), payload).unwrap();
        matches!(&change.what, What::Posted { message, .. } if message.text.as_str() == text)
    })
}
