//! A small MQTT 3.1.1 client that sends and counts: as little work for each packet as the measured server allows.

use crate::{Outcome, wrong};
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The types of packets, as their first four bits (MQTT 3.1.1, table 2.1).
pub const CONNACK: u8 = 2;
pub const PUBLISH: u8 = 3;
pub const PUBACK: u8 = 4;
pub const SUBACK: u8 = 9;

/// Bytes read at once.
const READ_BYTES: usize = 64 * 1024;

/// One connection.
pub struct Client {
    stream: TcpStream,
    read: Vec<u8>,
    /// Where the packets that were not looked at begin.
    at: usize,
    out: Vec<u8>,
}

/// A packet that came.
pub struct Packet<'a> {
    /// Its type.
    pub kind: u8,
    /// The four bits beside it.
    pub flags: u8,
    /// What follows its length.
    pub body: &'a [u8],
}

impl Packet<'_> {
    /// Topic length, packet id if there is one, payload of a publication.
    pub fn publication(&self) -> Option<(Option<u16>, &[u8])> {
        let topic = u16::from_be_bytes(self.body.get(..2)?.try_into().ok()?) as usize;
        let rest = self.body.get(2 + topic..)?;
        if self.flags & 0b0110 == 0 {
            return Some((None, rest));
        }
        Some((Some(u16::from_be_bytes(rest.get(..2)?.try_into().ok()?)), &rest[2..]))
    }
}

impl Client {
    /// Connects with a client id; a session that is kept is neither begun anew nor ended with the connection.
    pub async fn connect(address: SocketAddr, id: &str, kept: bool) -> Outcome<Client> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let mut client = Client { stream, read: Vec::new(), at: 0, out: Vec::new() };
        let mut body = vec![0, 4, b'M', b'Q', b'T', b'T', 4, if kept { 0 } else { 2 }, 0, 0];
        text(id, &mut body);
        client.put(0x10, &body);
        client.flush().await?;
        match client.next().await? {
            Packet { kind: CONNACK, body: [_, 0], .. } => Ok(client),
            packet => Err(wrong(format!("not let in: {} {:?}", packet.kind, packet.body))),
        }
    }

    /// Subscribes and waits for the answer.
    pub async fn subscribe(&mut self, filter: &str, qos: u8) -> Outcome<()> {
        let mut body = vec![0, 1];
        text(filter, &mut body);
        body.push(qos);
        self.put(0x82, &body);
        self.flush().await?;
        match self.next().await? {
            Packet { kind: SUBACK, body: [_, _, code], .. } if *code == qos => Ok(()),
            packet => Err(wrong(format!("not subscribed: {} {:?}", packet.kind, packet.body))),
        }
    }

    /// Puts a publication among what is to be sent; with a packet id it is of QoS 1.
    pub fn publish(&mut self, topic: &str, packet: Option<u16>, payload: &[u8]) {
        let mut body = Vec::with_capacity(4 + topic.len() + payload.len());
        text(topic, &mut body);
        body.extend(packet.into_iter().flat_map(u16::to_be_bytes));
        body.extend_from_slice(payload);
        self.put(if packet.is_some() { 0x32 } else { 0x30 }, &body);
    }

    /// Puts an acknowledgement among what is to be sent.
    pub fn acknowledge(&mut self, packet: u16) {
        self.put(0x40, &packet.to_be_bytes());
    }

    fn put(&mut self, first: u8, body: &[u8]) {
        self.out.push(first);
        let mut left = body.len();
        loop {
            let more = if left > 127 { 128 } else { 0 };
            self.out.push((left % 128) as u8 | more);
            left /= 128;
            if left == 0 {
                break;
            }
        }
        self.out.extend_from_slice(body);
    }

    /// Sends what was put.
    pub async fn flush(&mut self) -> Outcome<()> {
        if !self.out.is_empty() {
            self.stream.write_all(&self.out).await?;
            self.out.clear();
        }
        Ok(())
    }

    /// Whether a whole packet is here already.
    pub fn has_packet(&self) -> bool {
        whole(&self.read[self.at..]).is_some()
    }

    /// The next packet; waits for it.
    pub async fn next(&mut self) -> Outcome<Packet<'_>> {
        while !self.has_packet() {
            self.read.drain(..self.at);
            self.at = 0;
            self.read.reserve(READ_BYTES);
            if self.stream.read_buf(&mut self.read).await? == 0 {
                return Err(wrong("the server closed the connection"));
            }
        }
        let (head, length) = whole(&self.read[self.at..]).ok_or_else(|| wrong("no packet"))?;
        let first = self.read[self.at];
        let body = self.at + head..self.at + head + length;
        self.at = body.end;
        Ok(Packet { kind: first >> 4, flags: first & 15, body: &self.read[body] })
    }
}

fn text(text: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(&(text.len() as u16).to_be_bytes());
    out.extend_from_slice(text.as_bytes());
}

/// Bytes of the fixed header and of what follows, if all of a packet is here.
fn whole(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut length = 0;
    for (at, byte) in bytes.get(1..)?.iter().take(4).enumerate() {
        length |= usize::from(byte & 127) << (7 * at);
        if byte & 128 == 0 {
            let head = at + 2;
            return (bytes.len() >= head + length).then_some((head, length));
        }
    }
    None
}
