//! PUBLISH as it leaves: encoded once for many sessions, or for one with what is its own.

use super::Version;
use super::property::{ALIAS, MESSAGE_EXPIRY, SUBSCRIPTION_ID};
use crate::chat::publication::Qos;
use crate::chat::topic::Topic;
use bytes::Bytes;

/// What is told to sessions.
#[derive(Clone, Copy, Debug)]
pub struct Told<'a> {
    /// Where it was published.
    pub topic: &'a Topic,
    /// What.
    pub payload: &'a [u8],
    /// How sure this delivery is.
    pub qos: Qos,
    /// The retain bit of this delivery.
    pub retain: bool,
    /// Seconds it has left.
    pub expiry_s: Option<u32>,
    /// As [`Publish::properties`](super::Publish::properties).
    pub properties: Option<&'a [u8]>,
}

/// What one delivery has for itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct Handed<'a> {
    /// The packet id; needed with QoS 1 and 2, never 0, left out with QoS 0.
    pub packet: Option<u16>,
    /// Whether it may have been sent before.
    pub dup: bool,
    /// The identifiers of the subscriptions it matches.
    pub ids: &'a [u32],
    /// The number that stands for its topic.
    pub alias: Option<Alias>,
}

/// A number that stands for a topic.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Alias {
    /// The number; never 0, and never above what the client takes.
    pub number: u16,
    /// Whether the client learns it with this packet, which then has the topic too.
    pub is_new: bool,
}

/// A publication encoded once for all sessions of the same version, QoS and retain bit: all but the packet id.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PublishFrame(Bytes);

impl PublishFrame {
    /// Encodes it.
    pub fn new(version: Version, told: &Told<'_>) -> Self {
        let mut bytes = Vec::with_capacity(told.topic.as_str().len() + told.payload.len() + 32);
        let takes_packet = told.qos != Qos::Most;
        let tail = tail_bytes(version, told, &Handed::default());
        let topic = told.topic.as_str().as_bytes();
        bytes.push(first_byte(told, false));
        let packet_bytes = if takes_packet { 2 } else { 0 };
        put_variable(2 + topic.len() + packet_bytes + tail, &mut bytes);
        put_binary(topic, &mut bytes);
        put_tail(version, told, &Handed::default(), &mut bytes);
        Self(bytes.into())
    }

    /// The frame that gave these bytes by [`PublishFrame::bytes`].
    pub fn of(bytes: Bytes) -> Self {
        Self(bytes)
    }

    /// Its bytes, for others of its kind.
    pub fn bytes(&self) -> &Bytes {
        &self.0
    }

    fn takes_packet(&self) -> bool {
        self.0[0] & 0b0110 != 0
    }

    /// Where the packet id belongs: behind the first byte, the length and the topic.
    fn rest_at(&self) -> usize {
        let topic_at = 1 + self.0[1..].iter().take_while(|byte| **byte >= 0x80).count() + 1;
        topic_at + 2 + usize::from(u16::from_be_bytes([self.0[topic_at], self.0[topic_at + 1]]))
    }

    /// Bytes it takes on the wire.
    pub fn wire_bytes(&self) -> usize {
        self.0.len() + if self.takes_packet() { 2 } else { 0 }
    }

    /// Writes it for one session: two copies, and the packet id (1 or more, needed with QoS 1 and 2) between them.
    pub fn append(&self, packet: Option<u16>, dup: bool, out: &mut Vec<u8>) {
        debug_assert_eq!(packet.is_some_and(|packet| packet > 0), self.takes_packet());
        let (head, rest) = self.0.split_at(self.rest_at());
        out.reserve(self.wire_bytes());
        let first = out.len();
        out.extend_from_slice(head);
        if self.takes_packet() {
            out[first] |= u8::from(dup) << 3;
            out.extend_from_slice(&packet.unwrap_or(1).to_be_bytes());
        }
        out.extend_from_slice(rest);
    }
}

/// Writes a publication for one session with what is its own.
pub fn append_publish(version: Version, told: &Told<'_>, handed: &Handed<'_>, out: &mut Vec<u8>) {
    let known = version == Version::V5 && handed.alias.is_some_and(|alias| !alias.is_new);
    let topic = if known { "" } else { told.topic.as_str() };
    let packet = (told.qos != Qos::Most).then(|| handed.packet.unwrap_or(1));
    debug_assert_eq!(packet.is_some(), handed.packet.is_some());
    let packet_bytes = if packet.is_some() { 2 } else { 0 };
    out.push(first_byte(told, handed.dup));
    put_variable(2 + topic.len() + packet_bytes + tail_bytes(version, told, handed), out);
    put_binary(topic.as_bytes(), out);
    if let Some(packet) = packet {
        out.extend_from_slice(&packet.to_be_bytes());
    }
    put_tail(version, told, handed, out);
}

fn first_byte(told: &Told<'_>, dup: bool) -> u8 {
    let dup = dup && told.qos != Qos::Most;
    0x30 | u8::from(dup) << 3 | (told.qos as u8) << 1 | u8::from(told.retain)
}

/// Bytes of what is behind the packet id.
fn tail_bytes(version: Version, told: &Told<'_>, handed: &Handed<'_>) -> usize {
    if version != Version::V5 {
        return told.payload.len();
    }
    let properties = property_bytes(told, handed);
    variable_bytes(properties) + properties + told.payload.len()
}

fn property_bytes(told: &Told<'_>, handed: &Handed<'_>) -> usize {
    let ids: usize = handed.ids.iter().map(|id| 1 + variable_bytes(*id as usize)).sum();
    let alias = if handed.alias.is_some() { 3 } else { 0 };
    let expiry = if told.expiry_s.is_some() { 5 } else { 0 };
    ids + alias + expiry + told.properties.map_or(0, <[u8]>::len)
}

fn put_tail(version: Version, told: &Told<'_>, handed: &Handed<'_>, out: &mut Vec<u8>) {
    if version == Version::V5 {
        put_variable(property_bytes(told, handed), out);
        if let Some(alias) = handed.alias {
            out.push(ALIAS);
            out.extend_from_slice(&alias.number.to_be_bytes());
        }
        if let Some(seconds) = told.expiry_s {
            out.push(MESSAGE_EXPIRY);
            out.extend_from_slice(&seconds.to_be_bytes());
        }
        for id in handed.ids {
            out.push(SUBSCRIPTION_ID);
            put_variable(*id as usize, out);
        }
        out.extend_from_slice(told.properties.unwrap_or_default());
    }
    out.extend_from_slice(told.payload);
}

/// Bytes that a number of variable length takes.
pub(super) fn variable_bytes(number: usize) -> usize {
    match number {
        0..0x80 => 1,
        0x80..0x4000 => 2,
        0x4000..0x20_0000 => 3,
        _ => 4,
    }
}

/// Writes a number of variable length; 268,435,455 is the highest there is.
pub(super) fn put_variable(mut number: usize, out: &mut Vec<u8>) {
    debug_assert!(number < 0x1000_0000);
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Writes bytes with their count before them; 65,535 is the highest there is.
pub(super) fn put_binary(bytes: &[u8], out: &mut Vec<u8>) {
    let bytes = &bytes[..bytes.len().min(usize::from(u16::MAX))];
    out.extend_from_slice(&(bytes.len() as u16).to_be_bytes());
    out.extend_from_slice(bytes);
}
