//! `GET /garden/json` and `/sse`: a feed as the body of a reply that goes on.

use super::feed::{Feed, Told};
use super::since::{Since, WANTED};
use super::who;
use super::words::{bad, token_missing};
use crate::base::limits::{STREAM_KEEPALIVE_SECONDS, STREAM_STALL_SECONDS};
use crate::doors::http::pieces::{Piece, Pieces};
use crate::doors::http::{Call, Problem, Reply};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::header::{CACHE_CONTROL, HeaderName};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::timeout;

/// Messages as lines of JSON.
pub async fn json(call: Call) -> Result<Reply, Problem> {
    let feed = feed(&call, None)?;
    Ok(reply(feed, Form::Lines))
}

/// Messages as server-sent events; a browser or client that comes back says where it was.
pub async fn sse(call: Call) -> Result<Reply, Problem> {
    let feed = feed(&call, call.header("last-event-id"))?;
    Ok(reply(feed, Form::Events))
}

/// The feed a call asks for.
pub fn feed(call: &Call, resumed: Option<&str>) -> Result<Feed, Problem> {
    let room = call.params.get("room");
    let caller = who::by_header_or_address(call)?.ok_or_else(|| token_missing(room))?;
    let polls = call.query.flag("poll");
    let written = match resumed.or(call.query.get("since")) {
        Some(written) => written,
        // Who only looks once wants to see something.
        None if polls => "all",
        None => "none",
    };
    let now = call.site.node.read(|reading| Ok(reading.now().wall_ms))?;
    let since = Since::parse(written, now).ok_or_else(|| bad(WANTED))?;
    Feed::open(call.site.clone(), caller, room, &since, polls)
}

/// How messages lie in the body.
#[derive(Clone, Copy)]
enum Form {
    Lines,
    Events,
}

impl Form {
    fn content_type(self) -> &'static str {
        match self {
            Form::Lines => "application/x-ndjson; charset=utf-8",
            Form::Events => "text/event-stream; charset=utf-8",
        }
    }

    fn put(self, out: &mut BytesMut, event: Option<&str>, id: Option<&str>, json: &[u8]) {
        if let Form::Events = self {
            for (field, value) in [("event: ", event), ("id: ", id)] {
                if let Some(value) = value {
                    out.extend_from_slice(field.as_bytes());
                    out.extend_from_slice(value.as_bytes());
                    out.extend_from_slice(b"\n");
                }
            }
            out.extend_from_slice(b"data: ");
        }
        out.extend_from_slice(json);
        out.extend_from_slice(if let Form::Events = self { b"\n\n" } else { b"\n" });
    }

    fn signal(self, feed: &Feed, event: &'static str) -> Bytes {
        let mut out = BytesMut::new();
        self.put(&mut out, Some(event), None, &feed.signal(event));
        out.freeze()
    }

    fn messages(self, lines: &[(String, Bytes)]) -> Bytes {
        let mut out = BytesMut::new();
        for (id, json) in lines {
            self.put(&mut out, None, Some(id), json);
        }
        out.freeze()
    }
}

fn reply(feed: Feed, form: Form) -> Reply {
    let (pieces, taken) = mpsc::channel(1);
    tokio::spawn(pump(feed, form, pieces));
    let reply = Reply::streamed(form.content_type(), Pieces(taken).boxed_unsync());
    // A proxy that collects would hold back what is news.
    let buffering = HeaderName::from_static("x-accel-buffering");
    reply.with(CACHE_CONTROL, "no-store").with(buffering, "no")
}

/// Brings the feed to the connection, one piece at a time, until either ends. One who takes nothing is given up.
async fn pump(mut feed: Feed, form: Form, pieces: mpsc::Sender<Piece>) {
    let mut piece = (!feed.polls()).then(|| Piece::Bytes(form.signal(&feed, "open")));
    loop {
        if let Some(piece) = piece.take() {
            let is_end = matches!(piece, Piece::End);
            let sent = timeout(Duration::from_secs(STREAM_STALL_SECONDS), pieces.send(piece)).await;
            if is_end || !matches!(sent, Ok(Ok(()))) {
                return;
            }
        }
        let told = tokio::select! {
            told = timeout(Duration::from_secs(STREAM_KEEPALIVE_SECONDS), feed.next()) => told,
            () = pieces.closed() => return,
        };
        piece = Some(match told {
            Ok(Told::Lines(lines)) => Piece::Bytes(form.messages(&lines)),
            Ok(Told::End) => Piece::End,
            Err(_) => Piece::Bytes(form.signal(&feed, "keepalive")),
        });
    }
}
