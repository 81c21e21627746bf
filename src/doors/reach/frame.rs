//! WebSocket frames of a server: what came in is taken apart, what goes out is put together. No socket here.

use std::io::Cursor;
use tokio_tungstenite::tungstenite::protocol::frame::FrameHeader;
pub use tokio_tungstenite::tungstenite::protocol::frame::coding::{Control, Data, OpCode};

/// Why a connection ends: the code and the words of the close frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Goodbye {
    /// A code of RFC 6455, section 7.4.
    pub code: u16,
    /// For whoever reads the client's log.
    pub reason: &'static str,
}

impl Goodbye {
    /// The client closed; it hears the same.
    pub const DONE: Goodbye = Goodbye { code: 1000, reason: "" };
    /// Something that is no WebSocket frame, or none a client may send.
    pub const PROTOCOL: Goodbye = Goodbye { code: 1002, reason: "not a frame a client may send" };
    /// Binary data where only text is understood.
    pub const BINARY: Goodbye = Goodbye { code: 1003, reason: "only text is understood here" };
    /// Text where only binary data is understood.
    pub const TEXT: Goodbye = Goodbye { code: 1003, reason: "only binary frames are understood here" };
    /// Text that is not UTF-8.
    pub const NOT_UTF8: Goodbye = Goodbye { code: 1007, reason: "text that is not UTF-8" };
    /// A message beyond the bounds.
    pub const TOO_BIG: Goodbye = Goodbye { code: 1009, reason: "too large" };
}

/// Something a client sent.
#[derive(PartialEq, Eq, Debug)]
pub enum Received {
    /// A whole text.
    Text(String),
    /// A whole message of bytes.
    Binary(Vec<u8>),
    /// To be echoed.
    Ping(Vec<u8>),
    /// An echo, or nothing.
    Pong,
    /// The client is done.
    Close,
}

/// What a client's frame says of itself, by the rules that hold for all of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Head {
    /// What it is.
    pub opcode: OpCode,
    /// Whether a message ends with it.
    pub is_final: bool,
    /// What its payload is masked with.
    pub mask: [u8; 4],
    /// Bytes of its payload.
    pub length: u64,
    /// Bytes before its payload.
    pub bytes: usize,
}

impl Head {
    /// The head at the beginning of these bytes, if it is there whole. A goodbye if no client may send it.
    pub fn parse(bytes: &[u8]) -> Result<Option<Head>, Goodbye> {
        let mut cursor = Cursor::new(bytes);
        let parsed = FrameHeader::parse(&mut cursor).map_err(|_| Goodbye::PROTOCOL)?;
        let Some((header, length)) = parsed else { return Ok(None) };
        let FrameHeader { is_final, opcode, .. } = header;
        let reserved = header.rsv1 || header.rsv2 || header.rsv3;
        let known =
            !matches!(opcode, OpCode::Data(Data::Reserved(_)) | OpCode::Control(Control::Reserved(_)));
        let Some(mask) = header.mask.filter(|_| !reserved && known) else { return Err(Goodbye::PROTOCOL) };
        if matches!(opcode, OpCode::Control(_)) && (length > CONTROL_BYTES_MAX || !is_final) {
            return Err(Goodbye::PROTOCOL);
        }
        Ok(Some(Head { opcode, is_final, mask, length, bytes: cursor.position() as usize }))
    }
}

/// The longest payload of a control frame (RFC 6455, section 5.5).
const CONTROL_BYTES_MAX: u64 = 125;

/// Bytes that came and are not taken yet: empty, and without a buffer, for a connection that is silent.
#[derive(Default)]
pub struct Inbox {
    bytes: Vec<u8>,
    taken: usize,
    /// The fragments so far of a message that comes in several frames.
    fragments: Option<(Data, Vec<u8>)>,
}

impl Inbox {
    /// Adds what the socket gave.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.drain(..self.taken);
        self.taken = 0;
        self.bytes.extend_from_slice(bytes);
    }

    /// The next thing that is there whole; messages of more than `bytes_max` bytes are an error.
    pub fn take(&mut self, bytes_max: usize) -> Result<Option<Received>, Goodbye> {
        loop {
            let Some((head, payload)) = self.take_frame(bytes_max)? else {
                if self.taken == self.bytes.len() {
                    (self.bytes, self.taken) = (Vec::new(), 0);
                }
                return Ok(None);
            };
            if let Some(received) = self.assemble(&head, payload, bytes_max)? {
                return Ok(Some(received));
            }
        }
    }

    fn take_frame(&mut self, bytes_max: usize) -> Result<Option<(Head, Vec<u8>)>, Goodbye> {
        let Some(head) = Head::parse(&self.bytes[self.taken..])? else { return Ok(None) };
        let is_control = matches!(head.opcode, OpCode::Control(_));
        let length = usize::try_from(head.length).ok().filter(|length| *length <= bytes_max || is_control);
        let length = length.ok_or(Goodbye::TOO_BIG)?;
        let start = self.taken + head.bytes;
        let Some(payload) = self.bytes.get(start..start + length) else { return Ok(None) };
        let payload = payload.iter().zip(head.mask.iter().cycle()).map(|(byte, mask)| byte ^ mask).collect();
        self.taken = start + length;
        Ok(Some((head, payload)))
    }

    fn assemble(
        &mut self,
        head: &Head,
        payload: Vec<u8>,
        bytes_max: usize,
    ) -> Result<Option<Received>, Goodbye> {
        let (kind, whole) = match (head.opcode, self.fragments.take()) {
            (OpCode::Data(kind @ (Data::Text | Data::Binary)), None) => (kind, payload),
            (OpCode::Data(Data::Continue), Some((kind, mut whole))) => {
                if whole.len() + payload.len() > bytes_max {
                    return Err(Goodbye::TOO_BIG);
                }
                whole.extend_from_slice(&payload);
                (kind, whole)
            }
            (OpCode::Data(_), _) => return Err(Goodbye::PROTOCOL),
            (OpCode::Control(control), fragments) => {
                self.fragments = fragments;
                return Ok(Some(match control {
                    Control::Ping => Received::Ping(payload),
                    Control::Pong => Received::Pong,
                    Control::Close | Control::Reserved(_) => Received::Close,
                }));
            }
        };
        if !head.is_final {
            self.fragments = Some((kind, whole));
            return Ok(None);
        }
        if kind == Data::Binary {
            return Ok(Some(Received::Binary(whole)));
        }
        let text = String::from_utf8(whole).map_err(|_| Goodbye::NOT_UTF8)?;
        Ok(Some(Received::Text(text)))
    }
}

/// Appends the answer to a ping.
pub fn put_pong(out: &mut Vec<u8>, payload: &[u8]) {
    put(out, OpCode::Control(Control::Pong), payload);
}

/// Appends a whole text.
pub fn put_text(out: &mut Vec<u8>, payload: &[u8]) {
    put(out, OpCode::Data(Data::Text), payload);
}

/// Appends the beginning of a whole message of so many bytes.
pub fn put_binary_head(out: &mut Vec<u8>, length: usize) {
    put_head(out, OpCode::Data(Data::Binary), length);
}

/// Appends what ends the connection.
pub fn put_close(out: &mut Vec<u8>, goodbye: Goodbye) {
    let mut payload = goodbye.code.to_be_bytes().to_vec();
    payload.extend_from_slice(goodbye.reason.as_bytes());
    put(out, OpCode::Control(Control::Close), &payload);
}

fn put(out: &mut Vec<u8>, opcode: OpCode, payload: &[u8]) {
    put_head(out, opcode, payload.len());
    out.extend_from_slice(payload);
}

fn put_head(out: &mut Vec<u8>, opcode: OpCode, length: usize) {
    let header = FrameHeader { opcode, ..FrameHeader::default() };
    header.format(length as u64, out).expect("writing to a Vec does not fail");
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A frame as a client sends it, its length in the shortest form.
    pub(in crate::doors::reach) fn sent(first: u8, payload: &[u8]) -> Vec<u8> {
        let mask = [7, 77, 177, 233];
        let mut frame = vec![first];
        match payload.len() {
            short @ 0..126 => frame.push(0x80 | short as u8),
            middle @ 126..0x1_0000 => {
                frame.push(0x80 | 126);
                frame.extend_from_slice(&(middle as u16).to_be_bytes());
            }
            long => {
                frame.push(0x80 | 127);
                frame.extend_from_slice(&(long as u64).to_be_bytes());
            }
        }
        frame.extend_from_slice(&mask);
        frame.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
        frame
    }

    fn taken(inbox: &mut Inbox) -> Vec<Result<Received, Goodbye>> {
        let mut all = Vec::new();
        loop {
            match inbox.take(1_000) {
                Ok(Some(received)) => all.push(Ok(received)),
                Ok(None) => return all,
                Err(goodbye) => {
                    all.push(Err(goodbye));
                    return all;
                }
            }
        }
    }

    #[test]
    fn frames_are_taken_however_the_bytes_arrive() {
        let long = "x".repeat(300);
        let mut bytes = sent(0x81, b"one");
        bytes.extend(sent(0x01, b"two "));
        bytes.extend(sent(0x89, b"ping"));
        bytes.extend(sent(0x80, b"parts"));
        bytes.extend(sent(0x8A, b""));
        bytes.extend(sent(0x02, &[0xFF]));
        bytes.extend(sent(0x80, &[0xFE]));
        bytes.extend(sent(0x81, long.as_bytes()));
        bytes.extend(sent(0x88, &1000u16.to_be_bytes()));
        for piece in [1, 2, 7, bytes.len()] {
            let mut inbox = Inbox::default();
            let mut all = Vec::new();
            for bytes in bytes.chunks(piece) {
                inbox.push(bytes);
                all.extend(taken(&mut inbox));
            }
            let expected = vec![
                Ok(Received::Text("one".into())),
                Ok(Received::Ping(b"ping".to_vec())),
                Ok(Received::Text("two parts".into())),
                Ok(Received::Pong),
                Ok(Received::Binary(vec![0xFF, 0xFE])),
                Ok(Received::Text(long.clone())),
                Ok(Received::Close),
            ];
            assert_eq!(all, expected, "in pieces of {piece}");
            assert_eq!(inbox.bytes.capacity(), 0, "a silent connection holds no buffer");
        }
    }

    #[test]
    fn what_a_client_may_not_send_ends_the_connection() {
        let mut unmasked = Vec::new();
        put_text(&mut unmasked, b"hello");
        let bomb = [&[0x81, 0xFF][..], &u64::MAX.to_be_bytes(), &[0; 4]].concat();
        let fragments = [sent(0x01, &[b'x'; 600]), sent(0x80, &[b'x'; 600])].concat();
        let cases = [
            ("unmasked", unmasked, Goodbye::PROTOCOL),
            ("a reserved bit", sent(0xC1, b"x"), Goodbye::PROTOCOL),
            ("a reserved opcode", sent(0x83, b"x"), Goodbye::PROTOCOL),
            ("a reserved control opcode", sent(0x8B, b"x"), Goodbye::PROTOCOL),
            ("a continuation of nothing", sent(0x80, b"x"), Goodbye::PROTOCOL),
            ("a text inside a text", [sent(0x01, b"x"), sent(0x81, b"x")].concat(), Goodbye::PROTOCOL),
            ("a ping in parts", sent(0x09, b"x"), Goodbye::PROTOCOL),
            ("a long ping", sent(0x89, &[0; 126]), Goodbye::PROTOCOL),
            ("no UTF-8", sent(0x81, &[0xFF]), Goodbye::NOT_UTF8),
            ("a frame bomb", bomb, Goodbye::TOO_BIG),
            ("many fragments", fragments, Goodbye::TOO_BIG),
        ];
        for (what, bytes, goodbye) in cases {
            let mut inbox = Inbox::default();
            inbox.push(&bytes);
            assert_eq!(taken(&mut inbox), [Err(goodbye)], "{what}");
        }
    }
}
