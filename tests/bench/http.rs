//! A client of the REST door: one kept-alive connection, one request in flight.

use crate::{Outcome, wrong};
use bytes::{Buf, BytesMut};
use serde_json::{Value, json};
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The administrator that test mode makes: id, name and password.
const ADMIN: &str = "rocketchat.internal.admin.test";
/// Bytes of an answer's head.
const HEAD_BYTES_MAX: usize = 16 * 1024;

/// Who is logged in, for the headers of every request.
#[derive(Clone)]
pub struct Login {
    pub user: String,
    pub token: String,
}

/// One connection.
pub struct Http {
    stream: TcpStream,
    input: BytesMut,
    output: Vec<u8>,
    /// The lines that are the same in every request.
    headers: String,
}

impl Http {
    /// Connects; requests carry the login, if there is one.
    pub async fn connect(address: SocketAddr, login: Option<&Login>) -> Outcome<Http> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let mut headers = format!("Host: {address}\r\n");
        if let Some(Login { user, token }) = login {
            headers.push_str(&format!("X-User-Id: {user}\r\nX-Auth-Token: {token}\r\n"));
        }
        Ok(Http { stream, input: BytesMut::with_capacity(8 * 1024), output: Vec::new(), headers })
    }

    /// Sends a request with a JSON body; gives the body of a good answer.
    pub async fn post(&mut self, path: &str, body: &str) -> Outcome<BytesMut> {
        let head = format!(
            "POST {path} HTTP/1.1\r\n{}Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            self.headers,
            body.len()
        );
        self.send(&head, body).await
    }

    /// Asks for a page; gives the body of a good answer.
    pub async fn get(&mut self, path: &str) -> Outcome<BytesMut> {
        let head = format!("GET {path} HTTP/1.1\r\n{}\r\n", self.headers);
        self.send(&head, "").await
    }

    async fn send(&mut self, head: &str, body: &str) -> Outcome<BytesMut> {
        self.output.clear();
        self.output.extend_from_slice(head.as_bytes());
        self.output.extend_from_slice(body.as_bytes());
        self.stream.write_all(&self.output).await?;
        let (status, length) = loop {
            if let Some(found) = self.head()? {
                break found;
            }
            self.more().await?;
        };
        while self.input.len() < length {
            self.more().await?;
        }
        let body = self.input.split_to(length);
        match status {
            200 => Ok(body),
            _ => Err(wrong(format!(
                "{}: {status} {}",
                head.lines().next().unwrap_or(""),
                String::from_utf8_lossy(&body)
            ))),
        }
    }

    async fn more(&mut self) -> Outcome<()> {
        match self.stream.read_buf(&mut self.input).await? {
            0 => Err(wrong("the server closed the connection")),
            _ => Ok(()),
        }
    }

    /// Status and length of the body, once the whole head is there.
    fn head(&mut self) -> Outcome<Option<(u16, usize)>> {
        let Some(end) = self.input.windows(4).position(|four| four == b"\r\n\r\n") else {
            let fits = self.input.len() < HEAD_BYTES_MAX;
            return if fits { Ok(None) } else { Err(wrong("an answer's head has no end")) };
        };
        let head = std::str::from_utf8(&self.input[..end]).map_err(|_| wrong("a head is no text"))?;
        let mut lines = head.lines();
        let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok());
        let length = lines.find_map(|line| {
            let (name, value) = line.split_once(':')?;
            if name.eq_ignore_ascii_case("content-length") { value.trim().parse().ok() } else { None }
        });
        match (status, length) {
            (Some(status), Some(length)) => {
                self.input.advance(end + 4);
                Ok(Some((status, length)))
            }
            _ => Err(wrong(format!("an answer without status or length:\n{head}"))),
        }
    }
}

/// Logs the administrator in.
pub async fn login(address: SocketAddr) -> Outcome<Login> {
    let mut http = Http::connect(address, None).await?;
    let body = json!({ "user": ADMIN, "password": ADMIN }).to_string();
    let answer: Value = serde_json::from_slice(&http.post("/api/v1/login", &body).await?)?;
    let text = |key: &str| answer["data"][key].as_str().map(str::to_owned);
    match (text("userId"), text("authToken")) {
        (Some(user), Some(token)) => Ok(Login { user, token }),
        _ => Err(wrong(format!("the login gave no token: {answer}"))),
    }
}
