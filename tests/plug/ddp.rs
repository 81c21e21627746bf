//! A client of the realtime door: logs in and says things, one at a time.

use crate::http::Login;
use crate::{Outcome, wrong};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

const TEXT: u8 = 0x1;
const CLOSE: u8 = 0x8;
const PING: u8 = 0x9;
const PONG: u8 = 0xA;
/// Set on the only frame of a message.
const FIN: u8 = 0x80;
/// Clients mask what they send; one mask is as good as another against loopback.
const MASK: [u8; 4] = [0x37, 0xFA, 0x21, 0x3D];
const PATIENCE: Duration = Duration::from_secs(20);

/// A realtime session.
pub struct Ddp {
    stream: TcpStream,
    calls: u64,
}

impl Ddp {
    /// Connects and logs in.
    pub fn connect(address: SocketAddr, login: &Login) -> Outcome<Ddp> {
        let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        let request = format!(
            "GET /websocket HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: bGlubmV0IHB1bGxzIHBsdWc=\r\n\r\n"
        );
        stream.write_all(request.as_bytes())?;
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte)?;
            head.push(byte[0]);
        }
        if !head.starts_with(b"HTTP/1.1 101 ") {
            return Err(wrong(format!("no upgrade: {}", String::from_utf8_lossy(&head))));
        }
        let mut ddp = Ddp { stream, calls: 0 };
        ddp.send(&json!({ "msg": "connect", "version": "1", "support": ["1"] }))?;
        ddp.until(|message| message["msg"] == "connected")?;
        match ddp.call("login", json!({ "resume": login.token }))? {
            answer if answer.get("error").is_some() => Err(wrong(format!("no login: {answer}"))),
            _ => Ok(ddp),
        }
    }

    /// Calls a method and waits for its result.
    pub fn call(&mut self, method: &str, param: Value) -> Outcome<Value> {
        self.calls += 1;
        let id = self.calls.to_string();
        self.send(&json!({ "msg": "method", "id": id, "method": method, "params": [param] }))?;
        self.until(|message| message["msg"] == "result" && message["id"] == *id)
    }

    fn until(&mut self, is_it: impl Fn(&Value) -> bool) -> Outcome<Value> {
        loop {
            let message: Value = serde_json::from_slice(&self.next()?)?;
            if message["msg"] == "ping" {
                self.send(&json!({ "msg": "pong" }))?;
            } else if is_it(&message) {
                return Ok(message);
            }
        }
    }

    fn send(&mut self, message: &Value) -> Outcome<()> {
        self.send_frame(TEXT, message.to_string().as_bytes())
    }

    fn next(&mut self) -> Outcome<Vec<u8>> {
        loop {
            match self.frame()? {
                (TEXT, text) => return Ok(text),
                (PING, payload) => self.send_frame(PONG, &payload)?,
                (CLOSE, _) => return Err(wrong("the node closed the WebSocket")),
                _ => {}
            }
        }
    }

    fn frame(&mut self) -> Outcome<(u8, Vec<u8>)> {
        let mut head = [0; 2];
        self.stream.read_exact(&mut head)?;
        let length = match head[1] {
            126 => {
                let mut long = [0; 2];
                self.stream.read_exact(&mut long)?;
                u64::from(u16::from_be_bytes(long))
            }
            127 => {
                let mut long = [0; 8];
                self.stream.read_exact(&mut long)?;
                u64::from_be_bytes(long)
            }
            short => u64::from(short),
        };
        if length > 1024 * 1024 {
            return Err(wrong(format!("a frame of {length} bytes")));
        }
        let mut payload = vec![0; length as usize];
        self.stream.read_exact(&mut payload)?;
        Ok((head[0] & 0xF, payload))
    }

    fn send_frame(&mut self, opcode: u8, payload: &[u8]) -> Outcome<()> {
        let masked = 0x80;
        let mut bytes = vec![FIN | opcode];
        match payload.len() {
            length @ ..126 => bytes.push(masked | length as u8),
            length @ ..65_536 => {
                bytes.push(masked | 126);
                bytes.extend_from_slice(&(length as u16).to_be_bytes());
            }
            length => return Err(wrong(format!("a frame of {length} bytes is not sent here"))),
        }
        bytes.extend_from_slice(&MASK);
        bytes.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
        self.stream.write_all(&bytes)
    }
}
