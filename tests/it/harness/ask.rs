//! A small HTTP client over a plain socket, so that tests see every byte and can send wrong ones.

use serde_json::Value;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// The longest that any test waits for a byte.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// An answer as it came.
#[derive(Debug)]
pub struct Heard {
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Heard {
    /// The first header of this lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }
}

/// A socket that does not wait for ever.
pub fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    patient(&stream);
    stream
}

fn patient(stream: &TcpStream) {
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
}

/// One request on a connection of its own. `Host` is the address unless the headers name one.
pub fn ask(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: Option<&[u8]>,
) -> Heard {
    ask_if_there(address, method, path, headers, body).unwrap()
}

/// As [`ask`], of a node that may be gone: it fails where no answer begins.
pub fn ask_if_there(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: Option<&[u8]>,
) -> io::Result<Heard> {
    let mut head = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n");
    if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
        head += &format!("Host: {address}\r\n");
    }
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    if let Some(body) = body {
        head += &format!("Content-Length: {}\r\n", body.len());
    }
    let mut stream = TcpStream::connect(address)?;
    patient(&stream);
    let mut bytes = (head + "\r\n").into_bytes();
    bytes.extend_from_slice(body.unwrap_or_default());
    // A node that refuses a large body answers while we still write.
    let _ = stream.write_all(&bytes);
    let mut heard = head_of(&mut stream)?;
    if method != "HEAD" {
        heard.body = body_of(&heard, &mut stream);
    }
    Ok(heard)
}

/// Reads one answer up to the end of its connection or of its announced length.
pub fn hear(stream: &mut TcpStream) -> Heard {
    let mut heard = head_of(stream).unwrap();
    heard.body = body_of(&heard, stream);
    heard
}

fn head_of(stream: &mut TcpStream) -> io::Result<Heard> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        match stream.read(&mut byte) {
            Ok(1) => head.push(byte[0]),
            Ok(_) if head.is_empty() => return Err(io::ErrorKind::UnexpectedEof.into()),
            Err(error) if head.is_empty() => return Err(error),
            other => panic!("no whole answer, {other:?} after {:?}", String::from_utf8_lossy(&head)),
        }
    }
    let head = String::from_utf8(head).unwrap();
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers = lines.filter_map(|line| line.split_once(": "));
    let headers = headers.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect();
    Ok(Heard { status, headers, body: Vec::new() })
}

fn body_of(heard: &Heard, stream: &mut TcpStream) -> Vec<u8> {
    let mut body = Vec::new();
    if heard.status == 101 || heard.status == 304 {
        return body;
    }
    if heard.header("transfer-encoding").is_some() {
        body = chunks(stream);
    } else if let Some(length) = heard.header("content-length") {
        body.resize(length.parse().unwrap(), 0);
        stream.read_exact(&mut body).unwrap();
    }
    body
}

fn chunks(stream: &mut TcpStream) -> Vec<u8> {
    let mut body = Vec::new();
    loop {
        let mut line = Vec::new();
        while !line.ends_with(b"\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            line.push(byte[0]);
        }
        let length = usize::from_str_radix(std::str::from_utf8(&line).unwrap().trim(), 16).unwrap();
        let mut chunk = vec![0; length + 2];
        stream.read_exact(&mut chunk).unwrap();
        body.extend_from_slice(&chunk[..length]);
        if length == 0 {
            return body;
        }
    }
}
