//! What a server says, in the words of each version.

use super::frame::{put_binary, put_variable, variable_bytes};
use super::incoming::Connect;
use super::property::{
    ALIAS_MAXIMUM, ASSIGNED_CLIENT, PACKET_MAXIMUM, REASON_STRING, RECEIVE_MAXIMUM, SERVER_KEEP_ALIVE,
    SESSION_EXPIRY,
};
use super::{Reason, Version};

/// How a client wants to be spoken to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Peer {
    /// What it speaks.
    pub version: Version,
    /// Bytes of the longest packet it takes.
    pub packet_bytes_max: Option<u32>,
    /// Whether it wants reason strings.
    pub wants_words: bool,
}

impl Peer {
    /// One of which only the version is known.
    pub fn unknown(version: Version) -> Self {
        Self { version, packet_bytes_max: None, wants_words: true }
    }

    /// One that said how.
    pub fn of(connect: &Connect) -> Self {
        Self {
            version: connect.version,
            packet_bytes_max: connect.packet_bytes_max,
            wants_words: connect.wants_problem_information,
        }
    }

    /// Whether it takes a packet of so many bytes.
    pub fn takes(&self, bytes: usize) -> bool {
        self.packet_bytes_max.is_none_or(|max| bytes <= max as usize)
    }
}

/// A packet to a client; publications are in [`PublishFrame`](super::PublishFrame).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Out<'a> {
    /// Whether it is let in.
    ConnAck(ConnAck<'a>),
    /// QoS 1: it is kept.
    PubAck(Answer<'a>),
    /// QoS 2: it is kept.
    PubRec(Answer<'a>),
    /// QoS 2: the packet id of a delivery is given free.
    PubRel(Answer<'a>),
    /// QoS 2: it is done.
    PubComp(Answer<'a>),
    /// A reason for each filter: what was granted, or why not.
    SubAck(Acks<'a>),
    /// A reason for each filter; before 5.0 it says nothing.
    UnsubAck(Acks<'a>),
    /// We are there too.
    PingResp,
    /// We go; before 5.0 it is said by closing the connection.
    Disconnect {
        /// Why.
        reason: Reason,
        /// What a person reads.
        words: Option<&'a str>,
    },
}

/// Whether a client is let in, and what it must know.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ConnAck<'a> {
    /// Whether an earlier session goes on; only with success.
    pub present: bool,
    /// Why not, or success.
    pub reason: Reason,
    /// What a person reads.
    pub words: Option<&'a str>,
    /// The id it was given.
    pub client: Option<&'a str>,
    /// Seconds its session is kept, where that is not what it asked for.
    pub expiry_s: Option<u32>,
    /// Seconds of keep-alive, where that is not what it asked for.
    pub keep_alive_s: Option<u16>,
    /// How many publications of QoS 1 and 2 it may have on their way, where that is not 65,535.
    pub receive_max: Option<u16>,
    /// Bytes of the longest packet that is taken from it.
    pub packet_bytes_max: Option<u32>,
    /// The highest topic alias that is taken from it; 0: none.
    pub aliases_max: u16,
}

impl<'a> ConnAck<'a> {
    /// Not let in.
    pub fn refused(reason: Reason, words: Option<&'a str>) -> Self {
        Self {
            present: false,
            reason,
            words,
            client: None,
            expiry_s: None,
            keep_alive_s: None,
            receive_max: None,
            packet_bytes_max: None,
            aliases_max: 0,
        }
    }
}

/// The answer to a packet with an id.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Answer<'a> {
    /// Whose answer.
    pub packet: u16,
    /// How it went; before 5.0 nobody hears of it.
    pub reason: Reason,
    /// What a person reads.
    pub words: Option<&'a str>,
}

/// The answer to a SUBSCRIBE or an UNSUBSCRIBE.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Acks<'a> {
    /// Whose answer.
    pub packet: u16,
    /// One for each filter, in their order.
    pub reasons: &'a [Reason],
    /// What a person reads.
    pub words: Option<&'a str>,
}

/// Writes a packet; `false` if it is longer than the client takes even without words, and was not written.
#[must_use]
pub fn encode(peer: &Peer, packet: &Out<'_>, out: &mut Vec<u8>) -> bool {
    match packet {
        Out::ConnAck(answer) => connack(peer, answer, out),
        Out::PubAck(answer) => answered(peer, 0x40, answer, out),
        Out::PubRec(answer) => answered(peer, 0x50, answer, out),
        Out::PubRel(answer) => answered(peer, 0x62, answer, out),
        Out::PubComp(answer) => answered(peer, 0x70, answer, out),
        Out::SubAck(acks) => {
            let codes = acks.reasons.iter().map(|reason| reason.subscribe_code(peer.version)).collect();
            put(
                peer,
                &Parts { first: 0x90, head: &acks.packet.to_be_bytes(), properties: &[], codes },
                acks.words,
                out,
            )
        }
        Out::UnsubAck(acks) => {
            let codes = if peer.version == Version::V5 {
                acks.reasons.iter().map(|reason| reason.0).collect()
            } else {
                Vec::new()
            };
            put(
                peer,
                &Parts { first: 0xB0, head: &acks.packet.to_be_bytes(), properties: &[], codes },
                acks.words,
                out,
            )
        }
        Out::PingResp => {
            out.extend_from_slice(&[0xD0, 0]);
            true
        }
        Out::Disconnect { .. } if peer.version != Version::V5 => true,
        Out::Disconnect { reason: Reason::SUCCESS, words: None } => {
            out.extend_from_slice(&[0xE0, 0]);
            true
        }
        Out::Disconnect { reason, words } => put(
            peer,
            &Parts { first: 0xE0, head: &[reason.0], properties: &[], codes: Vec::new() },
            *words,
            out,
        ),
    }
}

/// What an answer with properties is made of.
struct Parts<'a> {
    first: u8,
    head: &'a [u8],
    properties: &'a [u8],
    codes: Vec<u8>,
}

/// Writes an answer, its words only if the client wants them and takes so much.
fn put(peer: &Peer, parts: &Parts<'_>, words: Option<&str>, out: &mut Vec<u8>) -> bool {
    let words = words.filter(|words| {
        peer.version == Version::V5 && peer.wants_words && words.len() <= usize::from(u16::MAX)
    });
    let fits = |words: Option<&str>| peer.takes(wire_bytes(peer, parts, words));
    let words = words.filter(|words| fits(Some(words)));
    if !fits(words) {
        return false;
    }
    out.push(parts.first);
    put_variable(body_bytes(peer, parts, words), out);
    out.extend_from_slice(parts.head);
    if peer.version == Version::V5 {
        put_variable(property_bytes(parts, words), out);
        out.extend_from_slice(parts.properties);
        if let Some(words) = words {
            out.push(REASON_STRING);
            put_binary(words.as_bytes(), out);
        }
    }
    out.extend_from_slice(&parts.codes);
    true
}

fn property_bytes(parts: &Parts<'_>, words: Option<&str>) -> usize {
    parts.properties.len() + words.map_or(0, |words| 3 + words.len())
}

fn body_bytes(peer: &Peer, parts: &Parts<'_>, words: Option<&str>) -> usize {
    let properties = property_bytes(parts, words);
    let properties = if peer.version == Version::V5 { variable_bytes(properties) + properties } else { 0 };
    parts.head.len() + properties + parts.codes.len()
}

fn wire_bytes(peer: &Peer, parts: &Parts<'_>, words: Option<&str>) -> usize {
    let body = body_bytes(peer, parts, words);
    1 + variable_bytes(body) + body
}

fn connack(peer: &Peer, answer: &ConnAck<'_>, out: &mut Vec<u8>) -> bool {
    let mut properties = Vec::new();
    if let Some(seconds) = answer.expiry_s {
        properties.push(SESSION_EXPIRY);
        properties.extend_from_slice(&seconds.to_be_bytes());
    }
    if let Some(count) = answer.receive_max {
        properties.push(RECEIVE_MAXIMUM);
        properties.extend_from_slice(&count.to_be_bytes());
    }
    if let Some(bytes) = answer.packet_bytes_max {
        properties.push(PACKET_MAXIMUM);
        properties.extend_from_slice(&bytes.to_be_bytes());
    }
    if let Some(client) = answer.client {
        properties.push(ASSIGNED_CLIENT);
        put_binary(client.as_bytes(), &mut properties);
    }
    if answer.aliases_max > 0 {
        properties.push(ALIAS_MAXIMUM);
        properties.extend_from_slice(&answer.aliases_max.to_be_bytes());
    }
    if let Some(seconds) = answer.keep_alive_s {
        properties.push(SERVER_KEEP_ALIVE);
        properties.extend_from_slice(&seconds.to_be_bytes());
    }
    // 3.1 has no session-present bit.
    let present = answer.present && answer.reason == Reason::SUCCESS && peer.version != Version::V31;
    let head = [u8::from(present), answer.reason.connect_code(peer.version)];
    if peer.version != Version::V5 {
        properties.clear();
    }
    put(
        peer,
        &Parts { first: 0x20, head: &head, properties: &properties, codes: Vec::new() },
        answer.words,
        out,
    )
}

/// PUBACK and its like: the reason may be left out where it is success and nothing else is said.
fn answered(peer: &Peer, first: u8, answer: &Answer<'_>, out: &mut Vec<u8>) -> bool {
    let [high, low] = answer.packet.to_be_bytes();
    let short = peer.version != Version::V5
        || (answer.reason == Reason::SUCCESS && (answer.words.is_none() || !peer.wants_words));
    if short {
        out.extend_from_slice(&[first, 2, high, low]);
        return true;
    }
    let head = [high, low, answer.reason.0];
    put(peer, &Parts { first, head: &head, properties: &[], codes: Vec::new() }, answer.words, out)
}
