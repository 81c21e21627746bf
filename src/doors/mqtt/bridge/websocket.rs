//! The client's side of a WebSocket that carries MQTT: the handshake, then binary frames as a stream of bytes.

use super::broker::Broker;
use super::dial::Pipe;
use super::fault::Fault;
use crate::base::limits::{MQTT_PACKET_BYTES_MAX, MQTT_UPGRADE_BYTES_MAX};
use bytes::{Buf, BytesMut};
use sha2::{Digest, Sha256};
use std::io::{self, Cursor};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::frame::FrameHeader;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Control, Data, OpCode};

/// A WebSocket's bytes.
pub(super) struct WebSocket<S> {
    inner: S,
    /// What came in frames and was not taken apart yet.
    raw: BytesMut,
    /// Bytes of the frame at hand that were not given on yet.
    left: u64,
    out: BytesMut,
    masks: Masks,
    over: bool,
}

/// Masks that nobody can foretell, from one draw of chance.
struct Masks {
    seed: [u8; 32],
    drawn: u64,
}

impl Masks {
    fn next(&mut self) -> [u8; 4] {
        self.drawn += 1;
        let hash = Sha256::new().chain_update(self.seed).chain_update(self.drawn.to_le_bytes()).finalize();
        hash[..4].try_into().expect("a hash has 32 bytes")
    }
}

/// Asks a web server for a WebSocket that carries MQTT.
pub(super) async fn open<S: Pipe>(
    mut inner: S,
    broker: &Broker,
    secured: bool,
    seed: [u8; 32],
) -> Result<WebSocket<S>, Fault> {
    let usual = if secured { 443 } else { 80 };
    let host = if broker.port == usual { broker.host.clone() } else { broker.place() };
    let (path, key) = (&broker.path, generate_key());
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n"
    );
    inner.write_all(request.as_bytes()).await.map_err(Fault::Unreachable)?;
    inner.flush().await.map_err(Fault::Unreachable)?;
    let mut raw = BytesMut::new();
    let end = loop {
        if let Some(at) = raw.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
        if raw.len() > MQTT_UPGRADE_BYTES_MAX
            || inner.read_buf(&mut raw).await.map_err(Fault::Unreachable)? == 0
        {
            return Err(Fault::NoWebSocket("no answer to a WebSocket's handshake".to_owned()));
        }
    };
    let head = raw.split_to(end);
    check(&String::from_utf8_lossy(&head), &derive_accept_key(key.as_bytes())).map_err(Fault::NoWebSocket)?;
    Ok(WebSocket { inner, raw, left: 0, out: BytesMut::new(), masks: Masks { seed, drawn: 0 }, over: false })
}

fn check(head: &str, accept: &str) -> Result<(), String> {
    let mut lines = head.lines();
    let status = lines.next().unwrap_or_default();
    if status.split(' ').nth(1) != Some("101") {
        let status: String = status.chars().take(60).collect();
        return Err(format!("'{}' instead of a WebSocket: check the path", status.escape_debug()));
    }
    let header = |name: &str| {
        let mut fields = head.lines().filter_map(|line| line.split_once(':'));
        fields.find(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    };
    if header("sec-websocket-accept") != Some(accept) {
        return Err("an answer to another WebSocket's handshake".to_owned());
    }
    match header("sec-websocket-protocol") {
        Some("mqtt") => Ok(()),
        _ => Err("a WebSocket that does not carry MQTT: check the path".to_owned()),
    }
}

fn broken(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

impl<S: Pipe> WebSocket<S> {
    /// The payload bytes that are here; `None` asks for more.
    fn here(&mut self) -> io::Result<Option<usize>> {
        loop {
            if self.left > 0 || self.over {
                let here = (self.raw.len() as u64).min(self.left) as usize;
                return Ok((here > 0 || self.over).then_some(here));
            }
            let mut cursor = Cursor::new(&self.raw[..]);
            let parsed = FrameHeader::parse(&mut cursor).map_err(|_| broken("no WebSocket frame"))?;
            let Some((header, length)) = parsed else { return Ok(None) };
            let head = cursor.position() as usize;
            let unfit = header.mask.is_some() || header.rsv1 || header.rsv2 || header.rsv3;
            if unfit || length > MQTT_PACKET_BYTES_MAX as u64 {
                return Err(broken("a WebSocket frame no broker may send"));
            }
            match header.opcode {
                OpCode::Data(Data::Binary | Data::Continue) => {
                    self.raw.advance(head);
                    self.left = length;
                }
                OpCode::Control(control) if length <= 125 => {
                    let end = head + length as usize;
                    if self.raw.len() < end {
                        return Ok(None);
                    }
                    let payload = self.raw.split_to(end).split_off(head);
                    match control {
                        // Whoever asks faster than it reads gets fewer answers.
                        Control::Ping if self.out.len() < MQTT_UPGRADE_BYTES_MAX => {
                            self.put(OpCode::Control(Control::Pong), &payload);
                        }
                        Control::Close => {
                            self.put(OpCode::Control(Control::Close), &payload);
                            self.over = true;
                        }
                        Control::Ping | Control::Pong | Control::Reserved(_) => {}
                    }
                }
                _ => return Err(broken("text where MQTT was expected")),
            }
        }
    }

    fn put(&mut self, opcode: OpCode, payload: &[u8]) {
        let mask = self.masks.next();
        let header = FrameHeader { opcode, mask: Some(mask), ..FrameHeader::default() };
        let mut head = Vec::new();
        header.format(payload.len() as u64, &mut head).expect("writing to a Vec does not fail");
        self.out.extend_from_slice(&head);
        self.out.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    }

    fn poll_out(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.out.is_empty() {
            let written = ready!(Pin::new(&mut self.inner).poll_write(context, &self.out))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.out.advance(written);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: Pipe> AsyncRead for WebSocket<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        loop {
            let here = this.here()?;
            // Answers to pings go out beside what is read; a socket that takes none shows so when packets are written.
            if let Poll::Ready(Err(error)) = this.poll_out(context) {
                return Poll::Ready(Err(error));
            }
            if let Some(here) = here {
                let given = here.min(into.remaining());
                into.put_slice(&this.raw.split_to(given));
                this.left -= given as u64;
                return Poll::Ready(Ok(()));
            }
            let mut chunk = [0; 4096];
            let mut bytes = ReadBuf::new(&mut chunk);
            ready!(Pin::new(&mut this.inner).poll_read(context, &mut bytes))?;
            if bytes.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
            this.raw.extend_from_slice(bytes.filled());
        }
    }
}

impl<S: Pipe> AsyncWrite for WebSocket<S> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        // One frame at a time: what was framed before goes first.
        ready!(this.poll_out(context))?;
        this.put(OpCode::Data(Data::Binary), bytes);
        match this.poll_out(context) {
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            _ => Poll::Ready(Ok(bytes.len())),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_out(context))?;
        Pin::new(&mut this.inner).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_out(context))?;
        Pin::new(&mut this.inner).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn only_a_websocket_that_carries_mqtt_will_do() {
        let good = "HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: x\r\nsec-websocket-protocol: mqtt\r\n\r\n";
        assert_eq!(check(good, "x"), Ok(()));
        for (from, to, says) in [
            ("101", "404", "check the path"),
            (": x", ": y", "another"),
            (": mqtt", ": chat", "does not carry"),
        ] {
            assert!(check(&good.replace(from, to), "x").expect_err(from).contains(says), "{from}");
        }
    }
}
