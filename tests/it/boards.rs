//! Boards as the real program knows them: what they are given steers what the running node takes, and settings decide.

use crate::harness::ask::{connect, hear};
use crate::harness::process::Process;
use crate::program::Desk;
use serde_json::Value;
use std::io::Write;
use std::net::TcpStream;
use tokio_tungstenite::tungstenite::{Message, WebSocket};

const CONNECT: &str = r#"{"msg":"connect","version":"1","support":["1"]}"#;

/// The figures of a node that runs with these settings: by its metrics, its status, and `linnet board` beside it.
fn figures(settings: &str) -> [Vec<u64>; 3] {
    let desk = Desk::with(&[("linnet.toml", settings)]);
    let node = Process::start(&desk, "");
    let page = node.ask("GET", "/metrics", &[], None).text();
    let metric = |name: &str| {
        let line = page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("{name} is missing: {page}")).parse::<u64>().unwrap()
    };
    let told = [
        "linnet_budget_bytes{part=\"memory\"}",
        "linnet_budget_bytes{part=\"cache\"}",
        "linnet_listeners_max",
        "linnet_connections_max",
    ]
    .map(metric);
    let json = |line: &str| -> Value {
        let budget = serde_json::from_str::<Value>(&desk.run(line).out).unwrap()["budget"].clone();
        assert!(budget.is_object(), "{line} tells no budget");
        budget
    };
    let of = |budget: Value| {
        let names = ["memory_bytes", "cache_bytes", "sessions", "connections"];
        names.map(|name| budget[name].as_u64().unwrap()).to_vec()
    };
    let (status, board) = (of(json("status --json")), of(json("board --json")));
    assert_eq!(node.stop(), 0);
    [told.to_vec(), status, board]
}

#[test]
fn the_board_steers_what_the_running_node_may_use() {
    for (settings, memory_mib, cache_kib, sessions, connections) in [
        ("board = 'pi-zero'\nbudget.memory = '64 MB'", 64, 4_096, 2_000, 256),
        ("board = 'pi-4'\nbudget.memory = '256 MB'", 256, 8_192, 20_000, 512),
        ("board = 'generic'\nbudget.memory = '128 MB'", 128, 5_632, 20_000, 512),
        ("board = 'sim'\nbudget = { memory = '32 MB', cache = '3 MB', sessions = 77 }", 32, 3_072, 77, 128),
    ] {
        let expected = vec![memory_mib << 20, cache_kib << 10, sessions, connections];
        assert_eq!(figures(settings), [expected.clone(), expected.clone(), expected], "{settings}");
    }
}

#[test]
fn a_small_budget_turns_connections_away() {
    let desk = Desk::with(&[("linnet.toml", "board = 'sim'\n[budget]\nmemory = '16 MB'")]);
    let node = Process::start(&desk, "");
    let ask = format!("GET /health HTTP/1.1\r\nHost: {}\r\n\r\n", node.address);
    let status = |stream: &mut TcpStream| {
        stream.write_all(ask.as_bytes()).unwrap();
        hear(stream).status
    };
    // A quarter of the board's memory is a quarter of its 256 connections.
    let mut held: Vec<TcpStream> = (0..64).map(|_| connect(node.address)).collect();
    assert!(held.iter_mut().all(|stream| status(stream) == 200));
    let mut late = connect(node.address);
    assert_eq!(hear(&mut late).status, 503);
}

#[test]
fn a_setting_bounds_the_sessions() {
    let desk = Desk::with(&[("linnet.toml", "budget.sessions = 16")]);
    let node = Process::start(&desk, "");
    let open = || -> WebSocket<TcpStream> {
        let url = format!("ws://{}/websocket", node.address);
        let (mut socket, _) = tokio_tungstenite::tungstenite::client(url, connect(node.address)).unwrap();
        // One that found no place is closed, sooner or later than this is written.
        let _ = socket.send(Message::text(CONNECT));
        socket
    };
    let is_served = |socket: &mut WebSocket<TcpStream>| loop {
        match socket.read() {
            Ok(Message::Text(text)) if text.contains("\"connected\"") => return true,
            Ok(_) => {}
            Err(_) => return false,
        }
    };
    let mut held = Vec::new();
    for number in 0..16 {
        let mut socket = open();
        assert!(is_served(&mut socket), "session {number}");
        held.push(socket);
    }
    assert!(!is_served(&mut open()), "a seventeenth session was served");
}

#[test]
fn pins_are_drawn_without_colour_where_no_terminal_is() {
    let desk = Desk::with(&[("linnet.toml", "board = 'sim'")]);
    let drawn = desk.run("pins");
    assert_eq!((drawn.code, drawn.err.as_str()), (0, ""));
    assert!(drawn.out.contains("GPIO17  11 | 12  GPIO18") && !drawn.out.contains('\u{1b}'), "{}", drawn.out);
    assert!(desk.run("pins BOARD11").out.starts_with("GPIO17   pin 11 of the header"));
    let bare = desk.run("pins 17");
    assert_eq!((bare.code, bare.out.as_str()), (2, ""));
    assert!(bare.err.contains("write GPIO17 for the chip's line 17, or BOARD17"), "{}", bare.err);
    let missing = desk.run("pins GPIO30");
    assert_eq!((missing.code, missing.out.as_str()), (1, ""));
    assert!(missing.err.contains("GPIO30 is not on this header"), "{}", missing.err);
}
