//! The real binary with an index that breaks while it is opened, and while it serves.

use crate::harness::ask::{Heard, ask_if_there};
use crate::harness::process::Process;
use crate::program::Desk;
use crate::rescue::damage::{Home, copy};
use serde_json::Value;
use std::{fs, io};

/// Zeroes a part of the index's log.
fn hurt(desk: &Desk, from: f64, upto: f64) {
    let log = desk.path().join("linnet-data/index/db");
    let mut bytes = fs::read(&log).unwrap();
    let at = |part: f64| (bytes.len() as f64 * part) as usize;
    let (from, upto) = (at(from), at(upto));
    bytes[from..upto].fill(0);
    fs::write(&log, bytes).unwrap();
}

/// What was said in a room since a message, which a start does not look for.
fn heard(node: &Process, room: &str, since: &str, token: &str) -> io::Result<Heard> {
    let bearer = format!("Bearer {token}");
    let path = format!("/{room}/json?since={since}&poll=1");
    ask_if_there(node.address, "GET", &path, &[("Authorization", &bearer)], None)
}

#[test]
fn a_node_whose_index_is_zeroed_starts_and_has_everything() {
    let desk = Desk::with(&[]);
    let node = Process::start(&desk, "");
    let added: Value = serde_json::from_str(&desk.run("device add porch --room garden --json").out).unwrap();
    assert_eq!(desk.run("post garden door_open").code, 0);
    assert_eq!(node.stop(), 0);
    hurt(&desk, 0.0, 0.9);
    let node = Process::start(&desk, "");
    let heard = heard(&node, "garden", "all", added["token"].as_str().unwrap()).unwrap();
    assert!(heard.text().contains("door_open"), "{}", heard.text());
    assert_eq!(node.stop(), 0);
}

#[test]
fn a_node_whose_index_breaks_while_it_serves_starts_anew_and_has_everything() {
    let desk = Desk::with(&[]);
    let (data, whole) = (desk.path().join("linnet-data"), desk.path().join("whole"));
    let mut tokens = Vec::new();
    for life in 0..4 {
        let mut home = Home::open(&whole).unwrap();
        home.live(80 * life, 80 * life + 80);
        tokens.extend((0..80).step_by(5).map(|room| (80 * life + room, home.token(80 * life + room))));
        home.checkpoint();
    }
    // Its snapshot is fresh: an opening reads little else.
    drop(Home::open(&whole).unwrap());
    let mut anew = 0;
    // Much of the log is old: not every part of it is read again.
    for part in 0..120 {
        if anew >= 1 {
            return;
        }
        copy(&whole, &data);
        let place = f64::from(part * 37 % 120) / 120.0;
        hurt(&desk, place, place + 0.0005);
        let mut node = Process::start(&desk, "");
        let id = node.id();
        for (room, token) in &tokens {
            let (name, since) = (format!("room{room}"), format!("own-{room}-4"));
            // It may also meet the damage by itself, after it answered the last question.
            let first = heard(&node, &name, &since, token).ok().filter(|said| said.status == 200);
            let said = first.unwrap_or_else(|| {
                assert!(node.started_anew(), "it ended");
                assert!(data.join("quarantine-1").is_dir(), "the broken index is kept");
                anew += 1;
                heard(&node, &name, &since, token).unwrap()
            });
            assert_eq!(said.text().lines().count(), 15, "part {part} room {room}: {}", said.text());
        }
        assert_eq!(node.id(), id, "the process is the same: a service manager sees no end");
        assert_eq!(node.stop(), 0);
        fs::remove_dir_all(&data).unwrap();
    }
    panic!("no damage was met while the node served");
}
