//! A WebSocket client: text frames out and in, pings answered.

use crate::{Outcome, wrong};
use bytes::{Buf, BytesMut};
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const TEXT: u8 = 0x1;
const CLOSE: u8 = 0x8;
const PING: u8 = 0x9;
const PONG: u8 = 0xA;
/// Set on the last, here the only, frame of a message.
const FIN: u8 = 0x80;
/// Clients mask what they send. One mask for all is as good against loopback as a random one.
const MASK: [u8; 4] = [0x37, 0xFA, 0x21, 0x3D];
/// Bytes of a frame; the server's are far shorter.
const FRAME_BYTES_MAX: usize = 1024 * 1024;

/// An open WebSocket.
pub struct WebSocket {
    stream: TcpStream,
    input: BytesMut,
    output: Vec<u8>,
}

impl WebSocket {
    /// Connects and upgrades.
    pub async fn open(address: SocketAddr, path: &str) -> Outcome<WebSocket> {
        let mut stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: bGlubmV0IGJlbmNobWFyaw==\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await?;
        let mut socket = WebSocket { stream, input: BytesMut::new(), output: Vec::new() };
        loop {
            socket.more().await?;
            if let Some(end) = socket.input.windows(4).position(|four| four == b"\r\n\r\n") {
                let head = socket.input.split_to(end + 4);
                let upgraded = head.starts_with(b"HTTP/1.1 101 ");
                return if upgraded {
                    Ok(socket)
                } else {
                    Err(wrong(format!("no upgrade: {}", String::from_utf8_lossy(&head))))
                };
            }
        }
    }

    /// Sends a text message.
    pub async fn send(&mut self, text: &str) -> Outcome<()> {
        self.send_frame(TEXT, text.as_bytes()).await
    }

    /// The next text message.
    pub async fn next(&mut self) -> Outcome<BytesMut> {
        loop {
            match self.take()? {
                Some((TEXT, text)) => return Ok(text),
                Some((PING, payload)) => self.send_frame(PONG, &payload).await?,
                Some((PONG, _)) => {}
                Some((CLOSE, reason)) => {
                    let reason = String::from_utf8_lossy(reason.get(2..).unwrap_or_default()).into_owned();
                    return Err(wrong(format!("the server closed the WebSocket: {reason}")));
                }
                Some((opcode, _)) => return Err(wrong(format!("a frame with the opcode {opcode}"))),
                None => self.more().await?,
            }
        }
    }

    async fn more(&mut self) -> Outcome<()> {
        self.input.reserve(8 * 1024);
        match self.stream.read_buf(&mut self.input).await? {
            0 => Err(wrong("the server closed the connection")),
            _ => Ok(()),
        }
    }

    /// The next frame, if all of it is here.
    fn take(&mut self) -> Outcome<Option<(u8, BytesMut)>> {
        let input = &self.input[..];
        let [first, second, ..] = *input else { return Ok(None) };
        let (head, length) = match second {
            126 if input.len() < 4 => return Ok(None),
            127 if input.len() < 10 => return Ok(None),
            126 => (4, u16::from_be_bytes([input[2], input[3]]) as usize),
            127 => (10, u64::from_be_bytes(input[2..10].try_into().expect("eight bytes")) as usize),
            length => (2, length as usize),
        };
        if length > FRAME_BYTES_MAX || first & FIN == 0 {
            return Err(wrong(format!("a frame of {length} bytes, first byte {first:#x}")));
        }
        if input.len() < head + length {
            return Ok(None);
        }
        self.input.advance(head);
        Ok(Some((first & 0xF, self.input.split_to(length))))
    }

    async fn send_frame(&mut self, opcode: u8, payload: &[u8]) -> Outcome<()> {
        let masked = 0x80;
        self.output.clear();
        self.output.push(FIN | opcode);
        match payload.len() {
            length @ ..126 => self.output.push(masked | length as u8),
            length @ ..65_536 => {
                self.output.push(masked | 126);
                self.output.extend_from_slice(&(length as u16).to_be_bytes());
            }
            _ => return Err(wrong("the benchmark sends no long frames")),
        }
        self.output.extend_from_slice(&MASK);
        self.output.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
        self.stream.write_all(&self.output).await
    }
}
