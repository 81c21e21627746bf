//! `GET /garden/ws`: a feed over a WebSocket, a text frame for each message. What the client says is not listened to,
//! except that it is alive or done.

use super::feed::{Feed, Told};
use super::stream::feed;
use crate::base::limits::{STREAM_FRAME_BYTES_MAX, STREAM_KEEPALIVE_SECONDS, STREAM_STALL_SECONDS};
use crate::doors::http::{Call, Problem, Reply, Upgraded};
use crate::doors::reach::Stream;
use crate::doors::reach::frame::{Goodbye, Inbox, Received, put_close, put_pong, put_text};
use bytes::BytesMut;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

/// Messages over a WebSocket. The guard has turned away other sites' pages.
pub async fn ws(call: Call) -> Result<Reply, Problem> {
    let feed = feed(&call, None)?;
    call.websocket(move |upgraded| session(upgraded, feed))
}

/// One client's stream, to its end.
async fn session(upgraded: Upgraded, mut feed: Feed) {
    let Upgraded { mut stream, leftover, .. } = upgraded;
    let mut came = Inbox::default();
    came.push(&leftover);
    let mut read = BytesMut::new();
    let mut out = Vec::new();
    if !feed.polls() {
        put_text(&mut out, &feed.signal("open"));
    }
    let goodbye = loop {
        if let Err(goodbye) = take(&mut came, &mut out) {
            break goodbye;
        }
        if write(&mut stream, &mut out).await.is_err() {
            return;
        }
        let told = tokio::select! {
            told = timeout(Duration::from_secs(STREAM_KEEPALIVE_SECONDS), feed.next()) => told,
            heard = stream.read_buf(&mut read) => match heard {
                Ok(0) | Err(_) => return,
                Ok(_) => {
                    came.push(&read.split());
                    continue;
                }
            },
        };
        match told {
            Ok(Told::Lines(lines)) => {
                lines.iter().for_each(|(_, json)| put_text(&mut out, json));
            }
            Ok(Told::End) => break Goodbye::DONE,
            Err(_) => put_text(&mut out, &feed.signal("keepalive")),
        }
    };
    put_close(&mut out, goodbye);
    if write(&mut stream, &mut out).await.is_ok() {
        let _ = stream.shutdown().await;
    }
}

/// Writes everything, or finds that nobody takes it.
async fn write(stream: &mut Stream, out: &mut Vec<u8>) -> Result<(), ()> {
    if !out.is_empty() {
        let written = timeout(Duration::from_secs(STREAM_STALL_SECONDS), stream.write_all(out)).await;
        out.clear();
        written.map_err(drop)?.map_err(drop)?;
    }
    Ok(())
}

/// Takes the frames that are there whole and puts what answers them; the goodbye ends it.
fn take(came: &mut Inbox, out: &mut Vec<u8>) -> Result<(), Goodbye> {
    while let Some(received) = came.take(STREAM_FRAME_BYTES_MAX)? {
        match received {
            Received::Close => return Err(Goodbye::DONE),
            Received::Ping(payload) => put_pong(out, &payload),
            Received::Pong | Received::Text(_) | Received::Binary(_) => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A frame as a client sends it.
    fn sent(first: u8, payload: &[u8]) -> Vec<u8> {
        let mut frame = vec![first, 0x80 | payload.len() as u8, 1, 2, 3, 4];
        frame.extend(payload.iter().zip([1, 2, 3, 4].iter().cycle()).map(|(byte, mask)| byte ^ mask));
        frame
    }

    fn answer(frames: &[u8]) -> (Result<(), Goodbye>, Vec<u8>) {
        let (mut came, mut out) = (Inbox::default(), Vec::new());
        for byte in frames {
            came.push(&[*byte]);
            let taken = take(&mut came, &mut out);
            if taken.is_err() {
                return (taken, out);
            }
        }
        (Ok(()), out)
    }

    #[test]
    fn a_ping_is_answered_and_talk_is_passed_over() {
        let frames = [sent(0x81, b"hello"), sent(0x89, b"ping"), sent(0x8A, b"")].concat();
        assert_eq!(answer(&frames), (Ok(()), b"\x8a\x04ping".to_vec()));
        assert_eq!(answer(&sent(0x88, b"\x03\xe8")).0, Err(Goodbye::DONE));
    }

    #[test]
    fn what_no_client_may_send_ends_it() {
        let bomb = [&[0x81, 0xFF][..], &[0xFF; 8], &[0; 4]].concat();
        for (frames, goodbye) in [
            (vec![0x81, 0x01, b'x'], Goodbye::PROTOCOL),
            (sent(0x83, b""), Goodbye::PROTOCOL),
            (sent(0x09, b""), Goodbye::PROTOCOL),
            (bomb, Goodbye::TOO_BIG),
        ] {
            assert_eq!(answer(&frames).0, Err(goodbye), "{frames:?}");
        }
    }
}
