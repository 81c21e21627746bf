//! Makes packets of what arrives. A client that is silent between two packets costs nothing here.

use super::incoming::{Connect, In};
use super::reader::{Reader, variable};
use super::{Reason, Version, Wrong, connect, control, subscribe};
use crate::base::limits::{CONNECT_BYTES_MAX, PACKET_IN_BYTES_MAX};

/// The packets of one connection.
#[derive(Default, Debug)]
pub struct Decoder {
    version: Option<Version>,
    is_connected: bool,
    /// The beginning of a packet whose end has not arrived; never more than arrived.
    held: Vec<u8>,
}

/// The first bytes of a packet, understood.
struct Header {
    first: u8,
    bytes: usize,
    body: usize,
}

impl Decoder {
    /// Before the first byte.
    pub fn new() -> Self {
        Self::default()
    }

    /// What the client speaks, once its CONNECT has said so; of a version that is not known, the one to answer in.
    pub fn version(&self) -> Option<Version> {
        self.version
    }

    /// Bytes of a packet whose end has not arrived.
    pub fn held_bytes(&self) -> usize {
        self.held.len()
    }

    /// Bytes of memory that takes.
    pub fn memory_bytes(&self) -> usize {
        self.held.capacity()
    }

    /// Takes the next packet off these bytes; with `None` they are empty and all that is left of them is held here. After
    /// what is wrong nothing can be read any more.
    pub fn next(&mut self, fresh: &mut &[u8]) -> Result<Option<In>, Wrong> {
        if self.held.is_empty() {
            return self.next_of(fresh);
        }
        let header = loop {
            if let Some(header) = self.header(&self.held)? {
                break header;
            }
            let Some((byte, left)) = fresh.split_first() else { return Ok(None) };
            self.held.push(*byte);
            *fresh = left;
        };
        let missing = (header.bytes + header.body) - self.held.len();
        let (taken, left) = fresh.split_at(missing.min(fresh.len()));
        self.held.extend_from_slice(taken);
        *fresh = left;
        if taken.len() < missing {
            return Ok(None);
        }
        let whole = std::mem::take(&mut self.held);
        self.packet(header.first, &whole[header.bytes..]).map(Some)
    }

    fn next_of(&mut self, fresh: &mut &[u8]) -> Result<Option<In>, Wrong> {
        if let Some(header) = self.header(fresh)?
            && let Some((whole, left)) = fresh.split_at_checked(header.bytes + header.body)
        {
            *fresh = left;
            return self.packet(header.first, &whole[header.bytes..]).map(Some);
        }
        self.held.extend_from_slice(fresh);
        *fresh = &[];
        Ok(None)
    }

    /// Reads the first bytes of a packet and refuses what needs no further look.
    fn header(&self, bytes: &[u8]) -> Result<Option<Header>, Wrong> {
        let Some((&first, behind)) = bytes.split_first() else { return Ok(None) };
        self.check_first(first)?;
        let Some((body, length_bytes)) = variable(behind)? else { return Ok(None) };
        let header = Header { first, bytes: 1 + length_bytes, body: body as usize };
        let max = if self.is_connected { PACKET_IN_BYTES_MAX } else { CONNECT_BYTES_MAX };
        if header.bytes + header.body > max {
            return Err(Wrong::new(Reason::PACKET_TOO_LARGE, "the packet is longer than this node takes"));
        }
        Ok(Some(header))
    }

    fn check_first(&self, first: u8) -> Result<(), Wrong> {
        match (first >> 4, self.is_connected) {
            (1, true) => return Err(Wrong::protocol("there is a second CONNECT on one connection")),
            (1, false) => {}
            (_, false) => return Err(Wrong::protocol("the first packet must be CONNECT")),
            (2 | 9 | 11 | 13, _) => return Err(Wrong::protocol("only a server sends this kind of packet")),
            (15, _) if self.version == Some(Version::V5) => {}
            (0 | 15, _) => return Err(Wrong::malformed("there is no such kind of packet")),
            // The flags of PUBLISH are read with it.
            (3, _) => return Ok(()),
            _ => {}
        }
        let flags = match first >> 4 {
            6 | 8 | 10 => 2,
            _ => 0,
        };
        // 3.1 has DUP and a QoS on these packets, where they say nothing.
        let meaning = if self.version == Some(Version::V31) { 0x06 } else { 0x0F };
        if first & meaning == flags {
            Ok(())
        } else {
            Err(Wrong::malformed("the packet's flags are not those of its kind"))
        }
    }

    fn packet(&mut self, first: u8, body: &[u8]) -> Result<In, Wrong> {
        let from = &mut Reader::new(body);
        let version = match self.version {
            Some(version) if self.is_connected => version,
            _ => return self.connect(from),
        };
        Ok(match first >> 4 {
            3 => In::Publish(control::publish(version, first & 0x0F, from)?),
            4 => In::PubAck(control::ack(version, &control::TAKEN, from)?),
            5 => In::PubRec(control::ack(version, &control::TAKEN, from)?),
            6 => In::PubRel(control::ack(version, &control::RELEASED, from)?),
            7 => In::PubComp(control::ack(version, &control::RELEASED, from)?),
            8 => In::Subscribe(subscribe::subscribe(version, from)?),
            10 => In::Unsubscribe(subscribe::unsubscribe(version, from)?),
            14 => In::Disconnect(control::disconnect(version, from)?),
            15 => In::Auth(control::auth(from)?),
            _ => {
                from.end()?;
                In::PingReq
            }
        })
    }

    fn connect(&mut self, from: &mut Reader<'_>) -> Result<In, Wrong> {
        let (version, is_bridge) = connect::version(from).map_err(|(wrong, answered_in)| {
            self.version = answered_in;
            wrong
        })?;
        self.version = Some(version);
        let connect = connect::read(version, from)?;
        let connect = Connect { is_bridge, ..connect };
        self.is_connected = true;
        Ok(In::Connect(Box::new(connect)))
    }
}
