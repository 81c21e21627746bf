//! A small machine: little memory, few open files, and everything goes on.

use crate::harness::ask::hear;
use crate::harness::process::Process;
use crate::program::Desk;
use serde_json::Value;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// The node's share of a small machine: 256 MB of addresses, threads' stacks included, and few open files.
const LIMITS: [&str; 2] = ["-v 262144", "-n 64"];
/// Clients that come at once: more than there are open files.
const CLIENTS: usize = 150;
/// Bytes of one text; of four each, so that a journal segment is soon full.
const TEXT_CHARS: usize = 4_000;
/// Posts that fill more than one segment of 8 MiB.
const POSTS: usize = 600;
/// KiB that hashing one password takes.
#[cfg(target_env = "gnu")]
const HASH_KIB: u64 = 7 * 1024;

#[test]
fn clients_that_take_every_open_file_take_none_from_the_store() {
    let desk = Desk::with(&[]);
    let node = Process::start_within(&desk, &LIMITS, "--test-mode");
    let token = device_token(&desk);
    let mut early = TcpStream::connect(node.address).unwrap();
    assert_eq!(post(&mut early, &token, "good morning"), 200);
    let crowd: Vec<TcpStream> = (0..CLIENTS).map_while(|_| TcpStream::connect(node.address).ok()).collect();
    assert!(turned_away(&crowd) > CLIENTS / 2, "most of them find no place");
    // Who was there before goes on, and what they say is stored: in a segment that has to be made first.
    for number in 0..POSTS {
        let heard = post(&mut early, &token, &"\u{1f33f}".repeat(TEXT_CHARS));
        assert_eq!(heard, 200, "post {number}");
    }
    assert_eq!(desk.run("post garden by-hand").code, 0, "the command line gets through as well");
    let segments = std::fs::read_dir(desk.path().join("linnet-data/journal")).unwrap().count();
    assert!(segments > 1, "a second segment was begun beside the crowd");
    drop(crowd);
    drop(early);
    let mut late = TcpStream::connect(node.address).unwrap();
    assert_eq!(post(&mut late, &token, "the crowd is gone"), 200);
    assert_eq!(node.stop(), 0);
    let rooms: Value = serde_json::from_str(&desk.run("room list --json").out).unwrap();
    let garden = rooms.as_array().unwrap().iter().find(|room| room["name"] == "garden").unwrap();
    assert_eq!(garden["messages"], POSTS + 3);
}

#[test]
#[cfg(target_env = "gnu")]
fn the_memory_of_a_password_goes_back_to_the_machine() {
    let desk = Desk::with(&[]);
    let node = Process::start(&desk, "--test-mode");
    let before = anonymous_kib(&node);
    let words =
        br#"{"user": "rocketchat.internal.admin.test", "password": "rocketchat.internal.admin.test"}"#;
    for _ in 0..4 {
        let heard = node.ask("POST", "/api/v1/login", &[("Content-Type", "application/json")], Some(words));
        assert_eq!(heard.status, 200);
    }
    let more = anonymous_kib(&node).saturating_sub(before);
    assert!(more < HASH_KIB / 2, "{more} KiB more than before");
    assert_eq!(node.stop(), 0);
}

/// KiB of a process that are its own and resident.
#[cfg(target_env = "gnu")]
fn anonymous_kib(node: &Process) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", node.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}

fn device_token(desk: &Desk) -> String {
    let added = desk.run("device add porch --room garden --json").out;
    serde_json::from_str::<Value>(&added).unwrap()["token"].as_str().unwrap().to_owned()
}

/// The answer to a post on a connection that stays open.
fn post(stream: &mut TcpStream, token: &str, text: &str) -> u16 {
    let host = stream.peer_addr().unwrap();
    let length = text.len();
    let head = format!(
        "POST /garden HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\nContent-Length: {length}\r\n\r\n"
    );
    stream.write_all((head + text).as_bytes()).unwrap();
    hear(stream).status
}

/// How many of them heard that there is no place, or nothing at all, and were left.
fn turned_away(crowd: &[TcpStream]) -> usize {
    let left = |mut stream: &TcpStream| {
        stream.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
        let mut byte = [0; 1];
        // One that is served says nothing before it is asked.
        !matches!(stream.read(&mut byte), Err(error) if error.kind() == std::io::ErrorKind::WouldBlock)
    };
    crowd.iter().filter(|stream| left(stream)).count()
}
