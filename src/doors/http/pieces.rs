//! Bodies that come in pieces, in their own time.

use crate::base::limits::STREAM_STALL_SECONDS;
use crate::chat::refusal::Refusal;
use crate::doors::http::Reply;
use crate::node::backup;
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body, Frame};
use hyper::header::{CACHE_CONTROL, CONTENT_DISPOSITION};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::time::timeout;

/// A piece of a body, or its orderly end.
pub enum Piece {
    /// More of it.
    Bytes(Bytes),
    /// All of it was given.
    End,
}

/// A body of pieces. One that was given up ends with an error, so that its reader does not take what it got for all
/// there was.
pub struct Pieces(pub mpsc::Receiver<Piece>);

impl Body for Pieces {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        self.0.poll_recv(context).map(|piece| match piece {
            Some(Piece::Bytes(bytes)) => Some(Ok(Frame::data(bytes))),
            Some(Piece::End) => None,
            None => Some(Err(io::ErrorKind::TimedOut.into())),
        })
    }
}

/// Something that leaves the node as a file to keep. It breaks off as soon as `still` says no; `place` is held as long
/// as it goes.
pub fn attachment(
    content_type: &'static str,
    name: &str,
    pieces: Box<dyn backup::Pieces>,
    still: impl Fn() -> Result<(), Refusal> + Send + 'static,
    place: OwnedSemaphorePermit,
) -> Reply {
    let (sender, taken) = mpsc::channel(1);
    tokio::spawn(async move {
        bring(pieces, still, sender).await;
        drop(place);
    });
    let reply = Reply::streamed(content_type, Pieces(taken).boxed_unsync());
    let disposition = format!("attachment; filename=\"{name}\"");
    reply.with(CACHE_CONTROL, "no-store").with(CONTENT_DISPOSITION, &disposition)
}

async fn bring(
    mut pieces: Box<dyn backup::Pieces>,
    still: impl Fn() -> Result<(), Refusal>,
    sender: mpsc::Sender<Piece>,
) {
    loop {
        // Reading a card can take a while, and the node has one thread for all doors.
        let next = tokio::task::spawn_blocking(move || (pieces.next_piece(), pieces)).await;
        let Ok((Ok(given), back)) = next else { return };
        pieces = back;
        let piece = given.map_or(Piece::End, |bytes| Piece::Bytes(bytes.into()));
        let is_end = matches!(piece, Piece::End);
        let limit = Duration::from_secs(STREAM_STALL_SECONDS);
        // Asked when there is room again: the right may have ended while nothing was taken.
        let Ok(Ok(room)) = timeout(limit, sender.reserve()).await else { return };
        if still().is_err() {
            return;
        }
        room.send(piece);
        if is_end {
            return;
        }
    }
}
