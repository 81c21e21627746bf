//! The command line's half of the control socket: plain blocking calls, bounded in time and length.

use super::stream;
use super::wire::{Reply, Request, socket_path};
use crate::base::limits::{CONTROL_LINE_BYTES_MAX, CONTROL_REPLY_SECONDS_MAX};
use serde_json::Value;
use std::fmt;
use std::io::{self, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// A connection to a running node, good for one request.
#[derive(Debug)]
pub struct Client {
    stream: BufReader<UnixStream>,
}

/// Why there is a node but no answer.
#[derive(Debug)]
pub enum ClientError {
    /// The socket belongs to somebody else.
    Forbidden,
    /// The node took longer than it may.
    Silent,
    /// The node closed before it had answered.
    Closed,
    /// A line that is no reply, or too long.
    Garbled(String),
    /// What came could not be put where it belongs.
    Output(io::Error),
    /// Anything else between the two programs.
    Broken(io::Error),
}

impl Client {
    /// Connects to the node that holds this data folder; `None` when none runs.
    pub fn connect(data: &Path) -> Result<Option<Client>, ClientError> {
        let stream = match UnixStream::connect(socket_path(data)) {
            Ok(stream) => stream,
            Err(error) => {
                return match error.kind() {
                    // A node that was killed leaves its socket behind: nobody listens, so none runs.
                    io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => Ok(None),
                    io::ErrorKind::PermissionDenied => Err(ClientError::Forbidden),
                    _ => Err(ClientError::Broken(error)),
                };
            }
        };
        let limit = Some(Duration::from_secs(CONTROL_REPLY_SECONDS_MAX));
        stream
            .set_write_timeout(limit)
            .and_then(|()| stream.set_read_timeout(limit))
            .map_err(ClientError::from)?;
        Ok(Some(Client { stream: BufReader::new(stream) }))
    }

    /// Asks; each item on the way goes to `on_item`, which says whether to go on. Returns the last reply, or an empty
    /// one when `on_item` had enough.
    pub fn call(
        mut self,
        request: &Request,
        mut on_item: impl FnMut(Value) -> bool,
    ) -> Result<Reply, ClientError> {
        let mut line = serde_json::to_string(request).expect("requests are plain JSON");
        if line.len() >= CONTROL_LINE_BYTES_MAX {
            return Err(ClientError::Garbled(format!("a request is at most {CONTROL_LINE_BYTES_MAX} bytes")));
        }
        line.push('\n');
        self.stream.get_mut().write_all(line.as_bytes())?;
        if matches!(
            request,
            Request::Tail { .. } | Request::Check { .. } | Request::Compact | Request::MqttTry(_)
        ) {
            // Nobody may say anything for days, and reading a full card takes its time.
            self.stream.get_ref().set_read_timeout(None)?;
        }
        loop {
            match stream::reply(&mut self.stream)? {
                Reply::Item { value } => {
                    if !on_item(value) {
                        return Ok(Reply::Ok { value: Value::Null });
                    }
                }
                last => return Ok(last),
            }
        }
    }

    /// Asks for bytes; each piece goes to `take`. Returns the last reply.
    pub fn fetch(
        mut self,
        request: &Request,
        take: impl FnMut(&[u8]) -> io::Result<()>,
    ) -> Result<Reply, ClientError> {
        let mut line = serde_json::to_string(request).expect("requests are plain JSON");
        line.push('\n');
        self.stream.get_mut().write_all(line.as_bytes())?;
        stream::receive(&mut self.stream, take)
    }
}

impl From<io::Error> for ClientError {
    fn from(error: io::Error) -> ClientError {
        match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => ClientError::Silent,
            io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset | io::ErrorKind::UnexpectedEof => {
                ClientError::Closed
            }
            _ => ClientError::Broken(error),
        }
    }
}

impl ClientError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            ClientError::Forbidden => {
                "run this as the user of the node, such as 'sudo -u linnet linnet status'"
            }
            ClientError::Silent => "the card may be slow or the node stuck: look at its log, then try again",
            ClientError::Closed => "it may be stopping: try again in a moment",
            ClientError::Garbled(_) => "compare 'linnet --version' with the version of the running node",
            ClientError::Output(_) => "is there room, and may you write there?",
            ClientError::Broken(_) => "is the path of the data folder right, and shorter than 90 characters?",
        }
    }
}

impl fmt::Display for ClientError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ClientError::Forbidden => out.write_str("a node runs here but its socket is not yours"),
            ClientError::Silent => {
                write!(out, "the node did not answer within {CONTROL_REPLY_SECONDS_MAX} s")
            }
            ClientError::Closed => out.write_str("the node closed before it answered"),
            ClientError::Garbled(what) => write!(out, "the node's answer makes no sense: {what}"),
            ClientError::Output(error) => write!(out, "cannot write: {error}"),
            ClientError::Broken(error) => write!(out, "cannot talk to the node: {error}"),
        }
    }
}

impl std::error::Error for ClientError {}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::BufRead;
    use std::os::unix::net::UnixListener;
    use std::thread;

    /// A node that reads one line, writes `answer` and closes; gives what it read.
    fn ask(answer: Vec<u8>, request: &Request) -> (String, Vec<Value>, Result<Reply, ClientError>) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let listener = UnixListener::bind(socket_path(folder.path())).expect("a socket");
        let node = thread::spawn(move || {
            let (stream, _) = listener.accept().expect("a client");
            let mut stream = BufReader::new(stream);
            let mut line = String::new();
            stream.read_line(&mut line).expect("a request");
            // The client may leave before it has heard all.
            let _ = stream.get_mut().write_all(&answer);
            line
        });
        let client = Client::connect(folder.path()).expect("no trouble").expect("a node");
        let mut items = Vec::new();
        let reply = client.call(request, |item| {
            items.push(item);
            items.len() < 3
        });
        (node.join().expect("the node ended"), items, reply)
    }

    fn line(reply: &Reply) -> Vec<u8> {
        [serde_json::to_vec(reply).expect("JSON"), b"\n".to_vec()].concat()
    }

    #[test]
    fn a_request_goes_out_as_a_line_and_its_reply_comes_back() {
        let (asked, items, reply) = ask(line(&Reply::ok(&1)), &Request::Status);
        assert_eq!(asked, "{\"ask\":\"status\"}\n");
        assert!(items.is_empty());
        assert_eq!(reply.expect("a reply"), Reply::ok(&1));
    }

    #[test]
    fn items_come_one_by_one_until_the_last_reply_or_until_we_leave() {
        let tail = Request::Tail { room: "garden".into(), since: None };
        let two = [line(&Reply::item(&1)), line(&Reply::item(&2)), line(&Reply::ok(&"end"))].concat();
        let (_, items, reply) = ask(two, &tail);
        assert_eq!(items, [1, 2]);
        assert_eq!(reply.expect("a reply"), Reply::ok(&"end"));

        let (_, items, reply) = ask(line(&Reply::item(&1)).repeat(9), &tail);
        assert_eq!(items.len(), 3);
        assert_eq!(reply.expect("we left"), Reply::Ok { value: Value::Null });
    }

    #[test]
    fn a_node_that_breaks_off_or_talks_nonsense_is_an_error() {
        let check = |answer: &[u8]| ask(answer.to_vec(), &Request::Status).2.expect_err("no reply");
        assert!(matches!(check(b""), ClientError::Closed));
        assert!(matches!(check(b"{\"reply\":\"ok\""), ClientError::Closed));
        assert!(matches!(check(b"hello\n"), ClientError::Garbled(_)));
        assert!(matches!(check(&vec![b' '; CONTROL_LINE_BYTES_MAX + 1]), ClientError::Garbled(_)));
    }

    #[test]
    fn without_a_node_there_is_no_client() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        assert!(Client::connect(folder.path()).expect("no trouble").is_none());
        drop(UnixListener::bind(socket_path(folder.path())).expect("a socket"));
        assert!(Client::connect(folder.path()).expect("a dead socket is no trouble").is_none());
    }
}
