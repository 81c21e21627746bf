//! WebSocket as a carrier: `/mqtt`, with an echo where the MQTT door will be.

use crate::harness::ask::{connect, hear};
use crate::harness::site::Served;
use linnet::doors::reach::{Stream, Take};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_tungstenite::tungstenite::client::{ClientRequestBuilder, client};
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::tungstenite::{Message, WebSocket};

/// Gives every byte back, in whatever pieces.
async fn echo(mut stream: Stream) {
    let mut bytes = vec![0; 100_000];
    while let Ok(read @ 1..) = stream.read(&mut bytes).await {
        if stream.write_all(&bytes[..read]).await.is_err() || stream.flush().await.is_err() {
            return;
        }
    }
    let _ = stream.shutdown().await;
}

/// The same without waiting inside reads and writes, as a session does that shares its buffers.
async fn echo_at_once(mut stream: Stream) {
    let mut bytes = vec![0; 777];
    loop {
        match stream.try_read(&mut bytes) {
            Ok(0) => break,
            Ok(read) => {
                let mut left = &bytes[..read];
                while !left.is_empty() {
                    match stream.try_write(left) {
                        Ok(written) => left = &left[written..],
                        Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                            stream.writable().await.unwrap();
                        }
                        Err(_) => return,
                    }
                }
                if stream.holds_back() && stream.flush().await.is_err() {
                    return;
                }
            }
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => stream.readable().await.unwrap(),
            Err(_) => break,
        }
    }
    let _ = stream.shutdown().await;
}

fn served_by<F: Future<Output = ()> + Send + 'static>(serve: fn(Stream) -> F) -> Served {
    let take: Take = Arc::new(move |stream| Box::pin(serve(stream)));
    Served::start_with(|settings| {
        settings.test_mode = true;
        settings.mqtt = Some(take);
    })
}

fn open(served: &Served) -> WebSocket<TcpStream> {
    let request = ClientRequestBuilder::new(format!("ws://{}/mqtt", served.address).parse().unwrap())
        .with_sub_protocol("mqtt");
    let (socket, answer) = client(request, served.connect()).unwrap();
    assert_eq!(answer.headers()["sec-websocket-protocol"], "mqtt");
    socket
}

/// Hears binary frames until so many bytes are there.
fn hear_bytes(socket: &mut WebSocket<TcpStream>, count: usize) -> Vec<u8> {
    let mut heard = Vec::new();
    while heard.len() < count {
        match socket.read().unwrap() {
            Message::Binary(bytes) => heard.extend_from_slice(&bytes),
            Message::Pong(_) => {}
            other => panic!("{other:?} after {} bytes", heard.len()),
        }
    }
    heard
}

#[test]
fn bytes_go_through_binary_frames_wherever_their_borders_lie() {
    for served in [served_by(echo), served_by(echo_at_once)] {
        let mut socket = open(&served);
        let long: Vec<u8> = (0..50_000u32).map(|at| (at * 7) as u8).collect();
        socket.send(Message::binary(long.clone())).unwrap();
        assert_eq!(hear_bytes(&mut socket, long.len()), long);
        let piece = |bytes: &'static [u8], kind, is_last| {
            Message::Frame(Frame::message(bytes, OpCode::Data(kind), is_last))
        };
        socket.send(piece(b"in", Data::Binary, false)).unwrap();
        assert_eq!(hear_bytes(&mut socket, 2), b"in", "a piece does not wait for the others");
        socket.send(Message::Ping("are you there".into())).unwrap();
        socket.send(piece(b" pieces", Data::Continue, true)).unwrap();
        assert_eq!(hear_bytes(&mut socket, 7), b" pieces");
        socket.close(None).unwrap();
        let end = loop {
            match socket.read() {
                Ok(_) => {}
                Err(error) => break error,
            }
        };
        assert!(matches!(end, tokio_tungstenite::tungstenite::Error::ConnectionClosed), "{end}");
    }
}

#[test]
fn a_ping_is_answered_while_nothing_else_is_said() {
    let served = served_by(echo);
    let mut socket = open(&served);
    for said in ["one", "two"] {
        socket.send(Message::Ping(said.into())).unwrap();
        assert_eq!(socket.read().unwrap(), Message::Pong(said.into()));
    }
}

#[test]
fn a_frame_behind_the_handshake_and_a_foreign_one_are_understood() {
    let served = served_by(echo);
    for (frame, expected) in [
        (&b"\x82\x82\0\0\0\0hi"[..], &b"\x82\x02hi"[..]),
        (&b"\x81\x82\0\0\0\0hi"[..], &b"\x88\x28\x03\xeb"[..]),
        (&b"\x82\x02hi"[..], &b"\x88\x1f\x03\xea"[..]),
    ] {
        let mut stream = connect(served.address);
        let request = format!(
            "GET /mqtt HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             Sec-WebSocket-Protocol: mqttv3.1, mqtt\r\n\r\n",
            served.address
        );
        stream.write_all(&[request.as_bytes(), frame].concat()).unwrap();
        assert_eq!(hear(&mut stream).status, 101);
        let mut heard = vec![0; expected.len()];
        stream.read_exact(&mut heard).unwrap();
        assert_eq!(heard, expected, "{frame:?}");
        if expected[0] == 0x88 {
            stream.read_to_end(&mut heard).unwrap();
        }
    }
}

#[test]
fn who_asks_for_something_else_is_told_what_there_is() {
    let upgrade = [
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    let with = |name, value| [&upgrade[..], &[(name, value)]].concat();
    let served = served_by(echo);
    for protocol in ["mqttv3.1", "chat"] {
        let heard = served.ask("GET", "/mqtt", &with("Sec-WebSocket-Protocol", protocol), None);
        assert_eq!(heard.status, 400, "{}", heard.text());
        assert!(heard.text().contains("subprotocol 'mqtt'"), "{}", heard.text());
    }
    let plain = served.ask("GET", "/mqtt", &[("Sec-WebSocket-Protocol", "mqtt")], None);
    assert_eq!(plain.status, 426, "{}", plain.text());
    let foreign =
        [&with("Sec-WebSocket-Protocol", "mqtt")[..], &[("Origin", "http://evil.example")]].concat();
    assert_eq!(served.ask("GET", "/mqtt", &foreign, None).status, 403);
    let off = Served::start();
    let heard = off.ask("GET", "/mqtt", &with("Sec-WebSocket-Protocol", "mqtt"), None);
    assert_eq!(heard.status, 404);
    assert!(heard.text().contains("MQTT is off"), "{}", heard.text());
}
