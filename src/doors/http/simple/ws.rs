//! `GET /garden/ws`: a feed over a WebSocket, a text frame for each message. What the client says is not listened to,
//! except that it is alive or done.

use super::feed::{Feed, Told};
use super::stream::feed;
use crate::base::limits::{STREAM_FRAME_BYTES_MAX, STREAM_KEEPALIVE_SECONDS, STREAM_STALL_SECONDS};
use crate::doors::http::{Call, Problem, Reply, Upgraded};
use bytes::{Buf, BytesMut};
use std::io::Cursor;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::protocol::frame::FrameHeader;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Control, Data, OpCode};

/// Messages over a WebSocket. The guard has turned away other sites' pages.
pub async fn ws(call: Call) -> Result<Reply, Problem> {
    let feed = feed(&call, None)?;
    call.websocket(move |upgraded| session(upgraded, feed))
}

/// The client is done, or the feed is.
const DONE: u16 = 1000;
/// What came is no frame a client may send.
const PROTOCOL: u16 = 1002;
/// A frame beyond the bounds.
const TOO_BIG: u16 = 1009;

/// One client's stream, to its end.
async fn session(upgraded: Upgraded, mut feed: Feed) {
    let Upgraded { mut stream, leftover, .. } = upgraded;
    let mut came = BytesMut::from(&leftover[..]);
    let mut out = Vec::new();
    if !feed.polls() {
        put(&mut out, OpCode::Data(Data::Text), &feed.signal("open"));
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
            read = stream.read_buf(&mut came) => match read {
                Ok(0) | Err(_) => return,
                Ok(_) => continue,
            },
        };
        match told {
            Ok(Told::Lines(lines)) => {
                lines.iter().for_each(|(_, json)| put(&mut out, OpCode::Data(Data::Text), json));
            }
            Ok(Told::End) => break DONE,
            Err(_) => put(&mut out, OpCode::Data(Data::Text), &feed.signal("keepalive")),
        }
    };
    put(&mut out, OpCode::Control(Control::Close), &goodbye.to_be_bytes());
    if write(&mut stream, &mut out).await.is_ok() {
        let _ = stream.shutdown().await;
    }
}

/// Writes everything, or finds that nobody takes it.
async fn write(stream: &mut TcpStream, out: &mut Vec<u8>) -> Result<(), ()> {
    if !out.is_empty() {
        let written = timeout(Duration::from_secs(STREAM_STALL_SECONDS), stream.write_all(out)).await;
        out.clear();
        written.map_err(drop)?.map_err(drop)?;
    }
    Ok(())
}

/// Takes the frames that are there whole and puts what answers them; the code of the goodbye ends it.
fn take(came: &mut BytesMut, out: &mut Vec<u8>) -> Result<(), u16> {
    loop {
        let mut cursor = Cursor::new(&came[..]);
        let Some((header, length)) = FrameHeader::parse(&mut cursor).map_err(|_| PROTOCOL)? else {
            return Ok(());
        };
        let head = cursor.position() as usize;
        let mask = header.mask.ok_or(PROTOCOL)?;
        let is_control = matches!(header.opcode, OpCode::Control(_));
        if is_control && (length > 125 || !header.is_final) {
            return Err(PROTOCOL);
        }
        if length > STREAM_FRAME_BYTES_MAX as u64 {
            return Err(TOO_BIG);
        }
        if came.len() < head + length as usize {
            return Ok(());
        }
        came.advance(head);
        let payload = came.split_to(length as usize);
        match header.opcode {
            OpCode::Control(Control::Close) => return Err(DONE),
            OpCode::Control(Control::Ping) => {
                let unmasked = payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask);
                put(out, OpCode::Control(Control::Pong), &unmasked.collect::<Vec<u8>>());
            }
            OpCode::Control(Control::Reserved(_)) | OpCode::Data(Data::Reserved(_)) => return Err(PROTOCOL),
            OpCode::Control(Control::Pong) | OpCode::Data(_) => {}
        }
    }
}

fn put(out: &mut Vec<u8>, opcode: OpCode, payload: &[u8]) {
    let header = FrameHeader { opcode, ..FrameHeader::default() };
    header.format(payload.len() as u64, out).expect("writing to a Vec does not fail");
    out.extend_from_slice(payload);
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

    fn answer(frames: &[u8]) -> (Result<(), u16>, Vec<u8>) {
        let (mut came, mut out) = (BytesMut::new(), Vec::new());
        for byte in frames {
            came.extend_from_slice(&[*byte]);
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
        assert_eq!(answer(&sent(0x88, b"\x03\xe8")).0, Err(DONE));
    }

    #[test]
    fn what_no_client_may_send_ends_it() {
        let bomb = [&[0x81, 0xFF][..], &[0xFF; 8], &[0; 4]].concat();
        for (frames, goodbye) in [
            (vec![0x81, 0x01, b'x'], PROTOCOL),
            (sent(0x83, b""), PROTOCOL),
            (sent(0x09, b""), PROTOCOL),
            (bomb, TOO_BIG),
        ] {
            assert_eq!(answer(&frames).0, Err(goodbye), "{frames:?}");
        }
    }
}
