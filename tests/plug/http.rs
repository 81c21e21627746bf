//! A client by HTTP on one kept connection. A node that goes away is an error here and never a panic.

use crate::{Outcome, wrong};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Longer than a healthy node needs for anything.
const PATIENCE: Duration = Duration::from_secs(20);

/// The administrator that test mode makes: id, name and password.
pub const ADMIN: &str = "rocketchat.internal.admin.test";

/// An answer.
#[derive(Debug)]
pub struct Heard {
    pub status: u16,
    /// The body; null when it is no JSON.
    pub body: Value,
}

impl Heard {
    /// Whether it says that it was done.
    pub fn is_good(&self) -> bool {
        self.status == 200
    }

    /// The body of a good answer.
    pub fn good(self) -> Outcome<Value> {
        if self.is_good() { Ok(self.body) } else { Err(wrong(format!("{}: {}", self.status, self.body))) }
    }
}

/// One connection.
pub struct Http {
    stream: BufReader<TcpStream>,
    /// The lines that are the same in every request.
    headers: String,
}

impl Http {
    /// Connects; requests carry these headers.
    pub fn connect(address: SocketAddr, headers: &str) -> Outcome<Http> {
        let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        Ok(Http { stream: BufReader::new(stream), headers: format!("Host: {address}\r\n{headers}") })
    }

    /// Posts JSON.
    pub fn post(&mut self, path: &str, body: &Value) -> Outcome<Heard> {
        self.send("POST", path, "Content-Type: application/json\r\n", body.to_string().as_bytes())
    }

    /// Posts text as it is.
    pub fn post_text(&mut self, path: &str, text: &str) -> Outcome<Heard> {
        self.send("POST", path, "", text.as_bytes())
    }

    /// Asks for a page.
    pub fn get(&mut self, path: &str) -> Outcome<Heard> {
        self.send("GET", path, "", b"")
    }

    fn send(&mut self, method: &str, path: &str, more: &str, body: &[u8]) -> Outcome<Heard> {
        let head = format!(
            "{method} {path} HTTP/1.1\r\n{}{more}Content-Length: {}\r\n\r\n",
            self.headers,
            body.len()
        );
        let mut bytes = head.into_bytes();
        bytes.extend_from_slice(body);
        self.stream.get_mut().write_all(&bytes)?;
        self.hear()
    }

    fn hear(&mut self) -> Outcome<Heard> {
        let status = self.line()?;
        let status = status.split(' ').nth(1).and_then(|word| word.parse().ok());
        let status = status.ok_or_else(|| wrong("an answer without a status"))?;
        let mut length = 0;
        loop {
            let line = self.line()?;
            match line.split_once(": ") {
                Some(("content-length", value)) => {
                    length = value.trim().parse().map_err(|_| wrong("a length that is no number"))?;
                }
                Some(_) => {}
                None => break,
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body)?;
        Ok(Heard { status, body: serde_json::from_slice(&body).unwrap_or(Value::Null) })
    }

    fn line(&mut self) -> Outcome<String> {
        let mut line = String::new();
        if self.stream.read_line(&mut line)? == 0 {
            return Err(wrong("the connection ended"));
        }
        Ok(line.trim_end().to_owned())
    }
}

/// Somebody with a session.
#[derive(Debug, Clone, Default)]
pub struct Login {
    pub user: String,
    pub token: String,
}

impl Login {
    /// Logs in.
    pub fn new(address: SocketAddr, user: &str, password: &str) -> Outcome<Login> {
        let mut http = Http::connect(address, "")?;
        let answer = http.post("/api/v1/login", &json!({ "user": user, "password": password }))?.good()?;
        let text = |key: &str| answer["data"][key].as_str().map(str::to_owned);
        let (user, token) = (text("userId"), text("authToken"));
        user.zip(token)
            .map(|(user, token)| Login { user, token })
            .ok_or_else(|| wrong("a login without a token"))
    }

    /// A connection as this person.
    pub fn connect(&self, address: SocketAddr) -> Outcome<Http> {
        let Login { user, token } = self;
        Http::connect(address, &format!("X-User-Id: {user}\r\nX-Auth-Token: {token}\r\n"))
    }
}
