//! A small DDP client, so that tests see every frame as it came.

use crate::harness::ask::connect;
use crate::harness::site::{Person, Served};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Message, WebSocket, client};

pub struct Client<S = TcpStream> {
    pub socket: WebSocket<S>,
    /// Methods and subscriptions so far.
    count: usize,
}

/// The text of the next frame, or the code that the session ended with.
#[derive(PartialEq, Debug)]
pub enum Next {
    Text(String),
    Closed(u16),
}

impl Client {
    /// A socket past its handshake.
    pub fn open(served: &Served, path: &str) -> Client {
        Client::over(served, connect(served.address), path)
    }

    /// A session on this socket.
    pub fn over(served: &Served, stream: TcpStream, path: &str) -> Client {
        let (socket, _) = client(format!("ws://{}{path}", served.address), stream).unwrap();
        Client::of_socket(socket)
    }

    /// A session of a stranger.
    pub fn stranger(served: &Served) -> Client {
        let mut client = Client::open(served, "/websocket");
        client.begin();
        client
    }

    /// A session of this person.
    pub fn of(served: &Served, person: &Person) -> Client {
        let mut client = Client::stranger(served);
        client.resume(person);
        client
    }
}

impl<S: Read + Write> Client<S> {
    /// A session whose handshake is done.
    pub fn of_socket(socket: WebSocket<S>) -> Client<S> {
        Client { socket, count: 0 }
    }

    pub fn begin(&mut self) {
        self.say(&json!({ "msg": "connect", "version": "1", "support": ["1", "pre2", "pre1"] }));
        assert_eq!(self.hear()["msg"], "connected");
    }

    pub fn resume(&mut self, person: &Person) {
        let given = self.call("login", json!([{ "resume": person.token }])).unwrap();
        assert_eq!(given["id"], person.id.as_str());
    }

    pub fn say(&mut self, message: &Value) {
        self.send(&message.to_string());
    }

    pub fn send(&mut self, text: &str) {
        self.socket.send(Message::text(text)).unwrap();
    }

    /// What comes next.
    pub fn next(&mut self) -> Next {
        loop {
            match self.socket.read() {
                Ok(Message::Text(text)) => return Next::Text(text.to_string()),
                Ok(Message::Close(Some(frame))) => return Next::Closed(frame.code.into()),
                Ok(Message::Close(None)) => return Next::Closed(u16::from(CloseCode::Status)),
                Ok(_) => {}
                Err(error) => panic!("nothing more came: {error}"),
            }
        }
    }

    /// The next message as it came.
    pub fn hear_text(&mut self) -> String {
        match self.next() {
            Next::Text(text) => text,
            Next::Closed(code) => panic!("closed with {code}"),
        }
    }

    /// The next message.
    pub fn hear(&mut self) -> Value {
        serde_json::from_str(&self.hear_text()).unwrap()
    }

    /// The next message for which `wanted` holds; others are passed over.
    pub fn hear_until(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            let heard = self.hear();
            if wanted(&heard) {
                return heard;
            }
        }
    }

    /// The next event of a stream's `event`, with its arguments.
    pub fn hear_event(&mut self, event: &str) -> Value {
        let heard =
            self.hear_until(|heard| heard["fields"]["eventName"] == event && heard["msg"] == "changed");
        assert_eq!(heard["id"], "id");
        heard["fields"]["args"].clone()
    }

    /// The code the session ends with; what comes before is passed over.
    pub fn hear_end(&mut self) -> u16 {
        loop {
            if let Next::Closed(code) = self.next() {
                return code;
            }
        }
    }

    /// Calls a method and waits for both of its answers: the result is given, or the error.
    pub fn call(&mut self, method: &str, params: Value) -> Result<Value, Value> {
        let id = self.begin_call(method, params);
        let result = self.hear_until(|heard| heard["msg"] == "result" && heard["id"] == id.as_str());
        let updated = self.hear_until(|heard| heard["msg"] == "updated");
        assert_eq!(updated["methods"], json!([id]));
        match result.get("error") {
            Some(error) => Err(error.clone()),
            None => Ok(result["result"].clone()),
        }
    }

    /// Calls a method and does not wait.
    pub fn begin_call(&mut self, method: &str, params: Value) -> String {
        self.count += 1;
        let id = format!("m{}", self.count);
        self.say(&json!({ "msg": "method", "id": id, "method": method, "params": params }));
        id
    }

    /// Subscribes and waits until it is on: the error if it is not.
    pub fn subscribe(&mut self, name: &str, params: Value) -> Result<String, Value> {
        self.count += 1;
        let id = format!("s{}", self.count);
        self.say(&json!({ "msg": "sub", "id": id, "name": name, "params": params }));
        let heard = self.hear_until(|heard| {
            heard["subs"] == json!([id]) || (heard["msg"] == "nosub" && heard["id"] == id.as_str())
        });
        if heard["msg"] == "ready" { Ok(id) } else { Err(heard["error"].clone()) }
    }

    /// Subscribes to an event that may be heard.
    pub fn listen(&mut self, stream: &str, event: &str) -> String {
        self.subscribe(stream, json!([event, { "useCollection": false, "args": [] }])).unwrap()
    }

    /// Says something in a room; gives the message.
    pub fn post(&mut self, room: &str, text: &str) -> Value {
        self.call("sendMessage", json!([{ "rid": room, "msg": text }])).unwrap()
    }
}
