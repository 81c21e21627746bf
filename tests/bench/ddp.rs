//! A client of the realtime door: logs in, follows a room, says things.

use crate::http::Login;
use crate::websocket::WebSocket;
use crate::{Outcome, wrong};
use bytes::BytesMut;
use serde_json::{Value, json};
use std::net::SocketAddr;

/// The room everyone is in.
pub const ROOM: &str = "GENERAL";

/// A realtime session.
pub struct Ddp {
    socket: WebSocket,
}

impl Ddp {
    /// Connects and logs in.
    pub async fn connect(address: SocketAddr, login: &Login) -> Outcome<Ddp> {
        let socket = WebSocket::open(address, "/websocket").await?;
        let mut ddp = Ddp { socket };
        ddp.send(&json!({ "msg": "connect", "version": "1", "support": ["1"] })).await?;
        ddp.until(|message| message["msg"] == "connected").await?;
        ddp.method("login", "login", json!({ "resume": login.token })).await?;
        let result = ddp.until(|message| message["msg"] == "result" && message["id"] == "login").await?;
        match result.get("error") {
            Some(error) => Err(wrong(format!("the login was refused: {error}"))),
            None => Ok(ddp),
        }
    }

    /// Follows the room; returns once the server has said that it is followed.
    pub async fn subscribe(&mut self) -> Outcome<()> {
        self.subscribe_to(ROOM).await
    }

    /// Follows this room, by its id.
    pub async fn subscribe_to(&mut self, room: &str) -> Outcome<()> {
        let params = json!([room, false]);
        let sub = json!({ "msg": "sub", "id": "room", "name": "stream-room-messages", "params": params });
        self.send(&sub).await?;
        let answer = self.until(|message| message["msg"] == "ready" || message["msg"] == "nosub").await?;
        if answer["msg"] == "ready" { Ok(()) } else { Err(wrong(format!("no subscription: {answer}"))) }
    }

    /// Says something in the room, as clients do: with an id of their own. The answer comes with this `id`.
    pub async fn say(&mut self, id: &str, message_id: &str, text: &str) -> Outcome<()> {
        self.method(id, "sendMessage", json!({ "_id": message_id, "rid": ROOM, "msg": text })).await
    }

    async fn method(&mut self, id: &str, method: &str, param: Value) -> Outcome<()> {
        self.send(&json!({ "msg": "method", "id": id, "method": method, "params": [param] })).await
    }

    async fn send(&mut self, message: &Value) -> Outcome<()> {
        self.socket.send(&message.to_string()).await
    }

    /// The next message that is no ping, as it came.
    pub async fn next(&mut self) -> Outcome<BytesMut> {
        loop {
            let frame = self.socket.next().await?;
            // Only short messages can be pings: the others are not worth a look each time.
            let is_ping = frame.len() < 64 && find(&frame, br#""ping""#).is_some();
            if !is_ping {
                return Ok(frame);
            }
            self.socket.send(r#"{"msg":"pong"}"#).await?;
        }
    }

    async fn until(&mut self, is_it: impl Fn(&Value) -> bool) -> Outcome<Value> {
        loop {
            let message: Value = serde_json::from_slice(&self.next().await?)?;
            if is_it(&message) {
                return Ok(message);
            }
        }
    }
}

/// Where these bytes first stand.
pub fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    let first = *wanted.first()?;
    let mut from = 0;
    while let Some(at) = bytes[from..].iter().position(|byte| *byte == first) {
        if bytes[from + at..].starts_with(wanted) {
            return Some(from + at);
        }
        from += at + 1;
    }
    None
}
