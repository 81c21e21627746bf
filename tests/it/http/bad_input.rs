//! Wrong requests get a clear error, and nobody else notices.

use crate::harness::ask::{Heard, hear};
use crate::harness::golden::check;
use crate::harness::site::Served;
use std::io::{ErrorKind, Read, Write};

const JSON: (&str, &str) = ("Content-Type", "application/json");

fn login(site: &Served, body: &[u8]) -> Heard {
    site.ask("POST", "/api/v1/login", &[JSON], Some(body))
}

/// Bytes as they are, and the first answer.
fn raw(site: &Served, bytes: &[u8]) -> Heard {
    let mut stream = site.connect();
    stream.write_all(bytes).unwrap();
    hear(&mut stream)
}

#[test]
fn an_unknown_path_and_a_wrong_method_say_so() {
    let site = Served::start();
    let nothing = site.get("/api/v1/no.such");
    assert_eq!((nothing.status, nothing.header("content-type")), (404, Some("application/json")));
    check("http/not-found", &nothing.json());
    let wrong = site.ask("DELETE", "/api/info", &[], None);
    assert_eq!((wrong.status, wrong.header("allow")), (405, Some("GET")));
    check("http/wrong-method", &wrong.json());
}

#[test]
fn broken_json_is_refused_with_its_place() {
    let site = Served::start();
    let broken = login(&site, b"{\n  \"user\": \"bob\",\n  \"password\" \"x\"\n}");
    assert_eq!(broken.status, 400);
    check("http/broken-json", &broken.json());
    for body in [&b"{"[..], b"nonsense", b"\"text\"", b"[]", b"{\"user\": \"\xff\"}", b"{\"a\":1} x"] {
        let answer = login(&site, body);
        let text = String::from_utf8_lossy(body);
        assert_eq!(
            (answer.status, answer.json()["errorType"].as_str()),
            (400, Some("invalid-params")),
            "{text}"
        );
        assert!(answer.json()["error"].as_str().unwrap().contains("line 1, column"), "{}", answer.text());
    }
}

#[test]
fn json_a_hundred_thousand_deep_is_an_error_and_no_crash() {
    let site = Served::start();
    for (open, inside) in [("[", ""), ("{\"a\":", "1")] {
        let depth = if open == "[" { 40_000 } else { 10_000 };
        let deep = format!("{{\"user\":{}{inside}", open.repeat(depth));
        assert_eq!(login(&site, deep.as_bytes()).status, 400);
    }
    let hundred_thousand = "[".repeat(100_000);
    assert_eq!(login(&site, hundred_thousand.as_bytes()).status, 413, "the route takes less than that");
    assert_eq!(site.get("/health").status, 200);
}

#[test]
fn an_oversize_body_is_refused_however_it_comes() {
    let site = Served::start();
    let announced = login(&site, &vec![b' '; 200_000]);
    assert_eq!((announced.status, announced.header("connection")), (413, Some("close")));
    check("http/too-large", &announced.json());
    let mut chunked = site.connect();
    let head = format!(
        "POST /api/v1/login HTTP/1.1\r\nHost: {}\r\nTransfer-Encoding: chunked\r\n\r\n",
        site.address
    );
    chunked.write_all(head.as_bytes()).unwrap();
    let chunk = [b"8000\r\n".as_slice(), &[b' '; 0x8000], b"\r\n"].concat();
    for _ in 0..4 {
        chunked.write_all(&chunk).unwrap();
    }
    chunked.write_all(b"0\r\n\r\n").unwrap();
    assert_eq!(hear(&mut chunked).status, 413);
    // A client that asks first hears it before it sends anything.
    let head = format!(
        "POST /api/v1/login HTTP/1.1\r\nHost: {}\r\nExpect: 100-continue\r\nContent-Length: 9000000\r\n\r\n",
        site.address
    );
    assert_eq!(raw(&site, head.as_bytes()).status, 413);
}

#[test]
fn nul_bytes_and_broken_encoding_are_refused() {
    let site = Served::start();
    let nul = login(&site, b"{\"user\": \"b\\u0000b\", \"password\": \"x\"}");
    assert_eq!(nul.status, 401, "no user has such a name: {}", nul.text());
    assert_eq!(login(&site, b"{\"user\": \"b\0b\"}").status, 400);
    for path in ["/avatar/%", "/avatar/%f", "/avatar/%ff", "/api/info?a=%zz"] {
        assert_eq!(site.get(path).status, 400, "{path}");
    }
    assert_eq!(site.get(&format!("/api/info?{}", "a".repeat(9_000))).status, 400);
}

#[test]
fn only_our_own_names_are_answered() {
    let site = Served::start();
    let asked = |host: &str| site.ask("GET", "/api/info", &[("Host", host)], None);
    let own = site.address.to_string();
    for host in [
        &own,
        "127.0.0.1",
        "localhost:3000",
        "LINNET.local",
        "porch-pi",
        "porch-pi.local.",
        "[::1]:80",
        "Chat.example.org",
    ] {
        assert_eq!(asked(host).status, 200, "{host}");
    }
    for host in [
        "evil.example",
        "127.0.0.1.evil.example",
        "192.168.1.9",
        "localhost.evil",
        "",
        "a b",
        "user@localhost",
    ] {
        let answer = asked(host);
        assert_eq!(answer.status, 400, "{host}");
    }
    check("http/wrong-host", &asked("evil.example").json());
    for request in [
        "GET /api/info HTTP/1.1\r\n\r\n",
        "GET /api/info HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n",
        "GET http://evil.example/api/info HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ] {
        assert_eq!(raw(&site, request.as_bytes()).status, 400, "{request}");
    }
}

#[test]
fn a_page_elsewhere_opens_no_websocket_and_posts_nothing() {
    let site = Served::start();
    let upgrade = |path: &str, more: &[(&str, &str)]| {
        let handshake = [
            ("Connection", "Upgrade"),
            ("Upgrade", "websocket"),
            ("Sec-WebSocket-Version", "13"),
            ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ];
        let headers: Vec<_> = handshake.iter().chain(more).copied().collect();
        let mut head = format!("GET {path} HTTP/1.1\r\nHost: {}\r\n", site.address);
        headers.iter().for_each(|(name, value)| head += &format!("{name}: {value}\r\n"));
        raw(&site, (head + "\r\n").as_bytes())
    };
    let own = format!("http://{}", site.address);
    for path in ["/websocket", "/sockjs/123/abcdefgh/websocket"] {
        for more in [&[][..], &[("Origin", own.as_str())], &[("Origin", "https://chat.example.org")]] {
            let answer = upgrade(path, more);
            assert_eq!(answer.status, 101, "{path} {more:?}");
            assert_eq!(answer.header("sec-websocket-accept"), Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
        }
        for origin in
            ["http://evil.example", "null", "http://127.0.0.1:1", "file://", "https://evil.chat.example.org"]
        {
            assert_eq!(upgrade(path, &[("Origin", origin)]).status, 403, "{origin}");
        }
    }
    assert_eq!(site.get("/websocket").status, 426);
    let post = site.ask("POST", "/api/v1/login", &[JSON, ("Origin", "http://evil.example")], Some(b"{}"));
    assert_eq!(post.status, 403);
    check("http/wrong-origin", &post.json());
}

#[test]
fn half_open_clients_stop_nobody() {
    let site = Served::start();
    let mut idle: Vec<_> = (0..50).map(|_| site.connect()).collect();
    for (number, stream) in idle.iter_mut().enumerate() {
        let half =
            format!("POST /api/v1/login HTTP/1.1\r\nHost: {}\r\nContent-Length: 50\r\n\r\n{{", site.address);
        let bytes = [half.as_bytes(), b"GET /api/info HT", b""][number % 3];
        stream.write_all(bytes).unwrap();
    }
    for _ in 0..20 {
        assert_eq!(site.get("/api/info").status, 200);
    }
}

#[test]
fn more_clients_than_there_are_places_are_told_so() {
    let site = Served::start();
    let taken = linnet::base::limits::HTTP_CONNECTIONS_MAX;
    let mut held = Vec::new();
    for _ in 0..taken {
        let mut stream = site.connect();
        // Answered, so it surely has its place.
        let ask = format!("GET /health HTTP/1.1\r\nHost: {}\r\n\r\n", site.address);
        stream.write_all(ask.as_bytes()).unwrap();
        assert_eq!(hear(&mut stream).status, 200);
        held.push(stream);
    }
    let mut late = site.connect();
    let answer = hear(&mut late);
    assert_eq!((answer.status, answer.header("connection")), (503, Some("close")));
    check("http/no-place", &answer.json());
    held.pop();
    // Its place is free as soon as the node has seen it go.
    let freed = (0..1_000).any(|_| {
        let mut stream = site.connect();
        let ask = format!("GET /health HTTP/1.1\r\nHost: {}\r\n\r\n", site.address);
        stream.write_all(ask.as_bytes()).is_ok() && hear(&mut stream).status == 200
    });
    assert!(freed);
}

#[test]
fn garbage_behind_a_request_ends_only_its_own_connection() {
    let site = Served::start();
    let mut stream = site.connect();
    let good = format!("GET /api/info HTTP/1.1\r\nHost: {}\r\n\r\n", site.address);
    stream.write_all(format!("{good}{good}\x16\x03\x01 not http\r\n\r\n").as_bytes()).unwrap();
    assert_eq!(hear(&mut stream).status, 200);
    assert_eq!(hear(&mut stream).status, 200);
    assert_eq!(hear(&mut stream).status, 400);
    assert_eq!(stream.read(&mut [0; 16]).unwrap(), 0, "and then it is closed");
    let long =
        format!("GET /api/info HTTP/1.1\r\nHost: {}\r\nX: {}\r\n\r\n", site.address, "x".repeat(20_000));
    assert_eq!(raw(&site, long.as_bytes()).status, 431);
    assert_eq!(site.get("/api/info").status, 200);
}

#[test]
fn a_head_that_never_ends_and_a_connection_that_idles_are_closed() {
    let site = Served::start_impatient();
    for begun in ["GET /api/info HTTP/1.1\r\nHost: x\r\nX-Slow: ", "", "G"] {
        let mut stream = site.connect();
        // It may be closed before we have said anything.
        let _ = stream.write_all(begun.as_bytes());
        let read = stream.read(&mut [0; 16]);
        let closed =
            matches!(&read, Ok(0)) || read.as_ref().is_err_and(|e| e.kind() == ErrorKind::ConnectionReset);
        assert!(closed, "{begun:?}: {read:?}");
    }
}
