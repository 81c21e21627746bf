//! Devices and scripts: posts with one line of curl, and streams, as the users of ntfy know them.

mod posts;
mod rights;
mod since;
mod streams;

use crate::harness::ask::{PATIENCE, connect};
use crate::harness::site::Served;
use linnet::base::id::{RoomId, Seq};
use linnet::chat::message::{Draft, Message, MessageKind};
use linnet::chat::name::{Name, Text};
use linnet::chat::user::Role;
use linnet::node::devices::{Added, Rights};
use linnet::node::{Caller, Catalog};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

/// A device in a room, which is made if there is none.
fn device(site: &Served, name: &'static str, room: &'static str, rights: Rights) -> Added {
    site.operator(move |node| node.add_device(&Caller::Operator, Name::fixed(name), room, rights))
}

fn bearer(token: &str) -> (&'static str, String) {
    ("Authorization", format!("Bearer {token}"))
}

/// What was said in a room, oldest first.
fn said(site: &Served, room: &str) -> Vec<Message> {
    let messages = site.node.read(|reading| {
        let (_, granted) = reading.room_for(&reading.actor(&Caller::Operator)?, room)?;
        reading.messages_after(&granted.permit, Seq(0), usize::MAX)
    });
    let messages = messages.unwrap().into_iter();
    messages.filter(|message| message.kind == MessageKind::Said).collect()
}

/// Says something as the operator.
fn say(site: &Served, room: &RoomId, text: &str) -> Message {
    let (room, draft) = (room.clone(), Draft { text: Text::parse(text).unwrap(), ..Draft::default() });
    site.operator(move |node| node.post_message(&Caller::Operator, &room, draft))
}

fn room_id(site: &Served, name: &str) -> RoomId {
    site.node.read(|reading| Ok(reading.room_named(name).unwrap().unwrap().id.clone())).unwrap()
}

/// Somebody who owns the node from now on.
fn own(site: &Served) {
    site.person("alice", &[Role::Admin, Role::User]);
}

/// A body that goes on: lines as they come.
struct Stream {
    reader: BufReader<TcpStream>,
    line: Vec<u8>,
    left: usize,
    status: u16,
    head: String,
}

impl Stream {
    fn open(site: &Served, path: &str, token: Option<&str>) -> Stream {
        let mut headers = Vec::new();
        headers.extend(token.map(bearer));
        Stream::open_with(site, path, &headers)
    }

    fn open_with(site: &Served, path: &str, headers: &[(&str, String)]) -> Stream {
        Stream::try_open(site, path, headers).unwrap_or_else(|| panic!("no whole answer within {PATIENCE:?}"))
    }

    /// A stream of a node that waits for nobody, not even for the request: until it was quick enough.
    fn open_quickly(site: &Served, path: &str, token: &str) -> Stream {
        let mut tries = (0..1_000).filter_map(|_| Stream::try_open(site, path, &[bearer(token)]));
        tries.find(|stream| stream.status == 200).expect("one of a thousand requests is quick enough")
    }

    /// `None` when the connection ends before an answer.
    fn try_open(site: &Served, path: &str, headers: &[(&str, String)]) -> Option<Stream> {
        let mut stream = connect(site.address);
        let mut head = format!("GET {path} HTTP/1.1\r\nHost: {}\r\n", site.address);
        headers.iter().for_each(|(name, value)| head += &format!("{name}: {value}\r\n"));
        stream.write_all((head + "\r\n").as_bytes()).ok()?;
        let mut reader = BufReader::new(stream);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            reader.read_line(&mut head).ok().filter(|read| *read > 0)?;
        }
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Some(Stream { reader, line: Vec::new(), left: 0, status, head })
    }

    /// The next line; `None` at the orderly end of the body.
    fn line(&mut self) -> Option<String> {
        self.line.clear();
        loop {
            if self.left == 0 {
                let mut length = String::new();
                self.reader.read_line(&mut length).unwrap();
                self.left = usize::from_str_radix(length.trim(), 16).unwrap();
                if self.left == 0 {
                    assert_eq!(self.line, b"", "the body ends with a line");
                    return None;
                }
            }
            let mut byte = [0];
            self.reader.read_exact(&mut byte).unwrap();
            self.left -= 1;
            if self.left == 0 {
                self.reader.read_exact(&mut [0; 2]).unwrap();
            }
            if byte == *b"\n" {
                return Some(String::from_utf8(std::mem::take(&mut self.line)).unwrap());
            }
            self.line.push(byte[0]);
        }
    }

    fn json(&mut self) -> Option<Value> {
        self.line().map(|line| serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}")))
    }

    fn event(&mut self, event: &str) -> Value {
        let line = self.json().unwrap();
        assert_eq!(line["event"], event, "{line}");
        line
    }

    /// The text of the next line, which is a message.
    fn said(&mut self) -> String {
        self.event("message")["message"].as_str().unwrap().to_owned()
    }

    /// The texts up to the end of the body.
    fn rest(&mut self) -> Vec<String> {
        let mut texts = Vec::new();
        while let Some(line) = self.json() {
            texts.push(line["message"].as_str().unwrap().to_owned());
        }
        texts
    }
}
