//! A client that speaks packets, and does what it is told: also what no client would.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// A packet from the broker.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Packet {
    /// Kind and flags.
    pub first: u8,
    /// Everything behind the length.
    pub body: Vec<u8>,
}

/// A publication from the broker.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Told {
    pub topic: String,
    pub payload: String,
    pub qos: u8,
    pub retain: bool,
    pub dup: bool,
    pub packet: u16,
    pub properties: Vec<u8>,
}

/// What a client says of itself.
#[derive(Clone, Debug)]
pub struct Hello {
    pub version: u8,
    pub client: String,
    pub clean: bool,
    pub keep_alive_s: u16,
    pub user: Option<(String, String)>,
    pub will: Option<(String, String, u8, bool)>,
    /// Of CONNECT, and of the will.
    pub properties: (Vec<u8>, Vec<u8>),
}

impl Hello {
    /// A clean client of this version and id.
    pub fn new(version: u8, client: &str) -> Hello {
        Hello {
            version,
            client: client.into(),
            clean: true,
            keep_alive_s: 60,
            user: None,
            will: None,
            properties: (Vec::new(), Vec::new()),
        }
    }

    /// One whose session stays: for ever before 5.0, an hour with it.
    pub fn staying(version: u8, client: &str) -> Hello {
        let mut hello = Hello::new(version, client);
        hello.clean = false;
        if version == 5 {
            hello.properties.0 = vec![17, 0, 0, 14, 16];
        }
        hello
    }

    /// With a user name and a key.
    pub fn by(mut self, user: &str, key: &str) -> Hello {
        self.user = Some((user.into(), key.into()));
        self
    }

    fn bytes(&self) -> Vec<u8> {
        let mut body = text(if self.version == 3 { "MQIsdp" } else { "MQTT" });
        let mut flags = u8::from(self.clean) << 1;
        if let Some((_, _, qos, retain)) = &self.will {
            flags |= 4 | qos << 3 | u8::from(*retain) << 5;
        }
        if self.user.is_some() {
            flags |= 0xC0;
        }
        body.extend([self.version, flags]);
        body.extend(self.keep_alive_s.to_be_bytes());
        if self.version == 5 {
            body.push(self.properties.0.len() as u8);
            body.extend(&self.properties.0);
        }
        body.extend(text(&self.client));
        if let Some((topic, payload, ..)) = &self.will {
            if self.version == 5 {
                body.push(self.properties.1.len() as u8);
                body.extend(&self.properties.1);
            }
            body.extend(text(topic));
            body.extend(text(payload));
        }
        if let Some((user, key)) = &self.user {
            body.extend(text(user));
            body.extend(text(key));
        }
        packet(0x10, &body)
    }
}

/// A text with its length before it.
pub fn text(text: &str) -> Vec<u8> {
    let mut bytes = (text.len() as u16).to_be_bytes().to_vec();
    bytes.extend(text.as_bytes());
    bytes
}

/// A whole packet.
pub fn packet(first: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    let mut left = body.len();
    loop {
        let digit = (left % 128) as u8;
        left /= 128;
        bytes.push(if left > 0 { digit | 0x80 } else { digit });
        if left == 0 {
            break;
        }
    }
    bytes.extend(body);
    bytes
}

/// A connection.
pub struct Client {
    stream: TcpStream,
    version: u8,
    /// Publications that came while an answer was waited for.
    early: VecDeque<Packet>,
    /// The broker's answer to CONNECT: whether a session goes on, the reason, the properties.
    pub connack: (bool, u8, Vec<u8>),
}

impl Client {
    /// A socket on which nothing was said.
    pub fn raw(address: SocketAddr, version: u8) -> Client {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        Client { stream, version, early: VecDeque::new(), connack: (false, 255, Vec::new()) }
    }

    /// Connects, whatever the answer is.
    pub fn knock(address: SocketAddr, hello: &Hello) -> Client {
        let mut client = Client::raw(address, hello.version);
        client.send(&hello.bytes());
        let answer = client.next().expect("an answer to CONNECT");
        assert_eq!(answer.first, 0x20, "{answer:?}");
        let properties = answer.body.get(3..).unwrap_or_default().to_vec();
        client.connack = (answer.body[0] == 1, answer.body[1], properties);
        client
    }

    /// Connects, and is let in.
    pub fn connect(address: SocketAddr, hello: &Hello) -> Client {
        let client = Client::knock(address, hello);
        assert_eq!(client.connack.1, 0, "{:?}", client.connack);
        client
    }

    /// Connects if it is let in; whoever is turned away may try again.
    pub fn try_connect(address: SocketAddr, hello: &Hello) -> Option<Client> {
        let mut client = Client::raw(address, hello.version);
        let answer = if client.try_send(&hello.bytes()) { client.next()? } else { return None };
        (answer.first == 0x20 && answer.body.get(1) == Some(&0)).then_some(client)
    }

    /// The same connection, for another thread.
    pub fn another(&self) -> Client {
        let connack = (false, 255, Vec::new());
        Client {
            stream: self.stream.try_clone().unwrap(),
            version: self.version,
            early: VecDeque::new(),
            connack,
        }
    }

    /// The version it speaks.
    pub fn version(&self) -> u8 {
        self.version
    }

    /// Sends bytes as they are.
    pub fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap();
    }

    /// Sends bytes as they are, unless the broker has hung up.
    pub fn try_send(&mut self, bytes: &[u8]) -> bool {
        self.stream.write_all(bytes).is_ok()
    }

    /// Hangs up, also on whoever reads from it.
    pub fn hang_up(&mut self) {
        let _ = self.stream.shutdown(std::net::Shutdown::Both);
    }

    /// The next packet; nothing once the broker has hung up.
    pub fn next(&mut self) -> Option<Packet> {
        if let Some(early) = self.early.pop_front() {
            return Some(early);
        }
        self.read()
    }

    fn read(&mut self) -> Option<Packet> {
        let mut byte = [0];
        if self.stream.read(&mut byte).ok()? == 0 {
            return None;
        }
        let first = byte[0];
        let (mut length, mut shift) = (0usize, 0);
        loop {
            self.stream.read_exact(&mut byte).ok()?;
            length |= usize::from(byte[0] & 0x7F) << shift;
            shift += 7;
            if byte[0] & 0x80 == 0 {
                break;
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).ok()?;
        Some(Packet { first, body })
    }

    /// The next packet, which is of this kind.
    pub fn expect(&mut self, first: u8) -> Vec<u8> {
        let packet = self.next().unwrap_or_else(|| panic!("hung up instead of {first:#x}"));
        assert_eq!(packet.first, first, "{packet:?}");
        packet.body
    }

    /// The next answer, which is of this kind; publications may come before it.
    pub fn answer(&mut self, first: u8) -> Vec<u8> {
        loop {
            let packet = self.read().unwrap_or_else(|| panic!("hung up instead of {first:#x}"));
            if packet.first >> 4 != 3 {
                assert_eq!(packet.first, first, "{packet:?}");
                return packet.body;
            }
            self.early.push_back(packet);
        }
    }

    /// The next packet, which is a publication; it is not answered.
    pub fn told(&mut self) -> Told {
        let packet = self.next().expect("a publication");
        self.read_told(&packet).unwrap_or_else(|| panic!("{packet:?} is no publication"))
    }

    /// A publication; nothing when it is something else.
    pub fn read_told(&self, packet: &Packet) -> Option<Told> {
        let Packet { first, body } = packet;
        if first >> 4 != 3 {
            return None;
        }
        let length = usize::from(u16::from_be_bytes([body[0], body[1]]));
        let topic = String::from_utf8(body[2..2 + length].to_vec()).unwrap();
        let (qos, mut at, mut packet) = (first >> 1 & 3, 2 + length, 0);
        if qos > 0 {
            packet = u16::from_be_bytes([body[at], body[at + 1]]);
            at += 2;
        }
        let mut properties = Vec::new();
        if self.version == 5 {
            let length = usize::from(body[at]);
            assert!(length < 128, "short properties");
            properties = body[at + 1..at + 1 + length].to_vec();
            at += 1 + length;
        }
        let payload = String::from_utf8_lossy(&body[at..]).into_owned();
        let (retain, dup) = (first & 1 == 1, first & 8 == 8);
        Some(Told { topic, payload, qos, retain, dup, packet, properties })
    }

    /// The next publication, answered as its QoS asks for.
    pub fn heard(&mut self) -> Told {
        let told = self.told();
        match told.qos {
            1 => self.ack(0x40, told.packet),
            2 => {
                self.ack(0x50, told.packet);
                assert_eq!(self.answer(0x62)[..2], told.packet.to_be_bytes());
                self.ack(0x70, told.packet);
            }
            _ => {}
        }
        told
    }

    /// The next publication as topic and payload, answered.
    pub fn heard_text(&mut self) -> (String, String) {
        let told = self.heard();
        (told.topic, told.payload)
    }

    /// An answer with a packet id.
    pub fn ack(&mut self, first: u8, id: u16) {
        self.send(&packet(first, &id.to_be_bytes()));
    }

    /// Wants to hear a filter, with these options; gives the reason.
    pub fn subscribe(&mut self, filter: &str, options: u8) -> u8 {
        self.subscribe_with(filter, options, &[])
    }

    /// As [`Client::subscribe`] with properties; what was told before the answer must not be.
    pub fn subscribe_with(&mut self, filter: &str, options: u8, properties: &[u8]) -> u8 {
        let mut body = vec![0, 9];
        if self.version == 5 {
            body.push(properties.len() as u8);
            body.extend(properties);
        }
        body.extend(text(filter));
        body.push(options);
        self.send(&packet(0x82, &body));
        let answer = self.expect(0x90);
        assert_eq!(answer[..2], [0, 9]);
        *answer.last().unwrap()
    }

    /// Publishes, and does not wait for an answer.
    pub fn put(&mut self, topic: &str, payload: &str, flags: u8, id: u16, properties: &[u8]) {
        let mut body = text(topic);
        if flags >> 1 & 3 > 0 {
            body.extend(id.to_be_bytes());
        }
        if self.version == 5 {
            body.push(properties.len() as u8);
            body.extend(properties);
        }
        body.extend(payload.as_bytes());
        self.send(&packet(0x30 | flags, &body));
    }

    /// Publishes and waits for what its QoS promises; gives the reason.
    pub fn publish(&mut self, topic: &str, payload: &str, qos: u8, retain: bool) -> u8 {
        self.put(topic, payload, qos << 1 | u8::from(retain), 7, &[]);
        match qos {
            0 => 0,
            1 => reason(&self.answer(0x40)),
            _ => {
                let received = reason(&self.answer(0x50));
                if received < 0x80 {
                    self.ack(0x62, 7);
                    self.answer(0x70);
                }
                received
            }
        }
    }

    /// Asks whether the broker is there: everything sent before was done with, and nothing else was said.
    pub fn ping(&mut self) {
        self.send(&[0xC0, 0]);
        assert_eq!(self.expect(0xD0), Vec::<u8>::new());
    }

    /// Says goodbye.
    pub fn leave(mut self) {
        self.send(&[0xE0, 0]);
        assert_eq!(self.next(), None, "the broker hangs up");
    }

    /// What the broker says at the end: the reason of DISCONNECT, or nothing.
    pub fn end(mut self) -> Option<u8> {
        loop {
            match self.next() {
                Some(packet) if packet.first == 0xE0 => return packet.body.first().copied(),
                Some(_) => {}
                None => return None,
            }
        }
    }
}

/// The reason of an answer; success where there is none.
pub fn reason(body: &[u8]) -> u8 {
    body.get(2).copied().unwrap_or(0)
}
