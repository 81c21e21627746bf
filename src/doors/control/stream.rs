//! Bytes over the control socket: backups and exports on their way to the command line.
//!
//! The node answers with one [`Reply::Item`] that holds nothing, then with pieces: a length of four bytes, big-endian, and
//! so many bytes. A length of zero says that no piece follows, and the last reply comes: [`Reply::Ok`] with a [`Fetched`]
//! when everything came, [`Reply::Refused`] when it broke off. A stream that ends in another way is not whole.

use super::answer::{OPERATOR, Surroundings};
use super::client::ClientError;
use super::wire::{Fetched, Reply, Request};
use crate::base::limits::{CONTROL_LINE_BYTES_MAX, STREAM_STALL_SECONDS};
use crate::chat::refusal::Refusal;
use crate::node::NodeHandle;
use crate::node::backup::{Carried, ExportOrder, Pieces};
use std::io::{self, BufRead, Read};
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::UnixStream;
use tokio::time::timeout;

/// Begins what the request asks for, in the operator's name.
pub fn begin(
    node: &NodeHandle,
    around: &Surroundings,
    request: &Request,
) -> Result<Box<dyn Pieces>, Refusal> {
    match request {
        Request::Backup => node.read(|reading| {
            let permit = reading.may_back_up(&OPERATOR)?;
            Ok(Box::new(reading.back_up(&permit, around.test_mode)?) as Box<dyn Pieces>)
        }),
        Request::Export { rooms, format, since, until } => {
            let (rooms, format) = (rooms.clone(), format.clone());
            let order = ExportOrder { rooms, format, since: *since, until: *until };
            around.export.ok_or(Refusal::Busy)?(node, &OPERATOR, &order)
        }
        _ => Err(Refusal::Invalid { what: "request", want: "one that gives bytes" }),
    }
}

/// The last reply about pieces, however they ended.
pub fn last_reply(ended: Result<Carried, Refusal>) -> Reply {
    match ended {
        Ok(Carried { entries, last_seq, damaged, damage }) => {
            Reply::ok(&Fetched { entries, last_seq, damaged, damage })
        }
        Err(refusal) => super::words::refused(&refusal),
    }
}

/// Sends the pieces at the pace of whoever takes them.
pub async fn send(stream: &mut UnixStream, mut pieces: Box<dyn Pieces>) -> io::Result<()> {
    write(stream, &line(&Reply::item(&()))?).await?;
    loop {
        // Reading a card can take a while, and the node has one thread for all doors.
        let (given, back) = tokio::task::spawn_blocking(move || (pieces.next_piece(), pieces)).await?;
        pieces = back;
        let ended = match given {
            Ok(Some(piece)) => {
                let length = u32::try_from(piece.len()).expect("a piece is some tens of KiB");
                write(stream, &length.to_be_bytes()).await?;
                write(stream, &piece).await?;
                continue;
            }
            Ok(None) => Ok(pieces.carried()),
            Err(refusal) => Err(refusal),
        };
        write(stream, &0u32.to_be_bytes()).await?;
        return write(stream, &line(&last_reply(ended))?).await;
    }
}

async fn write(stream: &mut UnixStream, bytes: &[u8]) -> io::Result<()> {
    timeout(Duration::from_secs(STREAM_STALL_SECONDS), stream.write_all(bytes)).await?
}

fn line(reply: &Reply) -> io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(reply)?;
    line.push(b'\n');
    Ok(line)
}

/// The command line's end: gives every piece to `take`, which may fail, and returns the last reply.
pub(super) fn receive(
    from: &mut impl BufRead,
    mut take: impl FnMut(&[u8]) -> io::Result<()>,
) -> Result<Reply, ClientError> {
    match reply(from)? {
        Reply::Item { .. } => {}
        last => return Ok(last),
    }
    let mut piece = Vec::new();
    loop {
        let mut length = [0; 4];
        from.read_exact(&mut length)?;
        let length = u32::from_be_bytes(length) as usize;
        if length == 0 {
            return reply(from);
        }
        if length > CONTROL_LINE_BYTES_MAX {
            return Err(ClientError::Garbled("its piece is too long".to_owned()));
        }
        piece.resize(length, 0);
        from.read_exact(&mut piece)?;
        take(&piece).map_err(ClientError::Output)?;
    }
}

/// One line that is a reply.
pub(super) fn reply(from: &mut impl BufRead) -> Result<Reply, ClientError> {
    let mut line = Vec::new();
    let limit = CONTROL_LINE_BYTES_MAX as u64;
    Read::take(from, limit).read_until(b'\n', &mut line)?;
    if line.last() != Some(&b'\n') {
        let cut = line.len() == CONTROL_LINE_BYTES_MAX;
        return Err(if cut {
            ClientError::Garbled("its line is too long".to_owned())
        } else {
            ClientError::Closed
        });
    }
    serde_json::from_slice(&line).map_err(|error| ClientError::Garbled(error.to_string()))
}
