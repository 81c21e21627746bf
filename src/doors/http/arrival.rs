//! Bodies that are larger than the memory: taken piece by piece, and read as a file is on a thread that may wait.

use crate::base::limits::{BODY_SECONDS_MAX, IMPORT_PIECES_MAX, STREAM_STALL_SECONDS};
use crate::doors::http::Problem;
use crate::doors::http::body::{discard, too_large};
use bytes::{Buf, Bytes};
use http_body_util::BodyExt;
use hyper::StatusCode;
use hyper::body::{Body as _, Incoming};
use std::convert::Infallible;
use std::io::{self, BufRead, Read};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::timeout;

/// A body that was not read yet.
pub struct Arrival {
    incoming: Incoming,
    max: usize,
    /// The client sends nothing before it is told to.
    waits: bool,
}

/// A piece of a body, or its orderly end.
enum Piece {
    Bytes(Bytes),
    End,
    Broken(io::ErrorKind),
}

impl Arrival {
    /// The body of a row that takes at most `max` bytes.
    pub fn new(incoming: Incoming, max: usize, waits: bool) -> Result<Arrival, Problem> {
        match incoming.size_hint().lower() > max as u64 {
            true => Err(too_large(max)),
            false => Ok(Arrival { incoming, max, waits }),
        }
    }

    /// Lets `read` read the body; what it has of it when it ends is all that was read.
    pub async fn flow<T>(&mut self, read: impl AsyncFnOnce(Flow) -> T) -> T {
        let (sender, pieces) = mpsc::channel(IMPORT_PIECES_MAX);
        self.waits = false;
        let feeding = async {
            self.feed(sender).await;
            std::future::pending::<Infallible>().await
        };
        tokio::select! {
            done = read(Flow { pieces, piece: Bytes::new(), ended: false }) => done,
            never = feeding => match never {},
        }
    }

    /// Hands on what comes until its end. A reader that went away ends it too.
    async fn feed(&mut self, sender: mpsc::Sender<Piece>) {
        let mut taken = 0;
        loop {
            let next = timeout(Duration::from_secs(STREAM_STALL_SECONDS), self.incoming.frame()).await;
            let piece = match next {
                Err(_) => Piece::Broken(io::ErrorKind::TimedOut),
                Ok(None) => Piece::End,
                Ok(Some(Err(_))) => Piece::Broken(io::ErrorKind::UnexpectedEof),
                Ok(Some(Ok(frame))) => match frame.into_data() {
                    Ok(data) => {
                        taken += data.len();
                        let fits = taken <= self.max;
                        if fits { Piece::Bytes(data) } else { Piece::Broken(io::ErrorKind::FileTooLarge) }
                    }
                    Err(_) => continue,
                },
            };
            let goes_on = matches!(piece, Piece::Bytes(_));
            if sender.send(piece).await.is_err() || !goes_on {
                return;
            }
        }
    }

    /// Takes what is still sent, within bounds, for a client that is to hear why it was for nothing.
    pub async fn discard(mut self) {
        if !self.waits {
            let limit = Duration::from_secs(BODY_SECONDS_MAX);
            let _ = timeout(limit, discard(&mut self.incoming)).await;
        }
    }
}

/// A body that is flowing in, as something to read from. One that broke off ends with an error, so that nobody takes
/// what came for all there was.
pub struct Flow {
    pieces: mpsc::Receiver<Piece>,
    piece: Bytes,
    ended: bool,
}

impl BufRead for Flow {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.piece.is_empty() && !self.ended {
            match self.pieces.blocking_recv() {
                Some(Piece::Bytes(bytes)) => self.piece = bytes,
                Some(Piece::End) => self.ended = true,
                Some(Piece::Broken(kind)) => return Err(kind.into()),
                None => return Err(io::ErrorKind::UnexpectedEof.into()),
            }
        }
        Ok(&self.piece)
    }

    fn consume(&mut self, bytes: usize) {
        self.piece.advance(bytes);
    }
}

impl Read for Flow {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let there = self.fill_buf()?;
        let taken = there.len().min(into.len());
        into[..taken].copy_from_slice(&there[..taken]);
        self.consume(taken);
        Ok(taken)
    }
}

/// What the client hears of a body that broke off.
pub fn broken(kind: io::ErrorKind, max: usize) -> Problem {
    match kind {
        io::ErrorKind::FileTooLarge => too_large(max),
        io::ErrorKind::TimedOut => Problem::status(
            StatusCode::REQUEST_TIMEOUT,
            format!("Nothing more of the body came for {STREAM_STALL_SECONDS} seconds"),
        ),
        _ => Problem::error("The body broke off"),
    }
}
