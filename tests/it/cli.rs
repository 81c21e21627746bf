//! The command line as a person meets it: help, slips of the finger, exit codes, and a node that answers.

mod blocks;

use crate::program::Desk;
use linnet::doors::control::wire::{Reply, Request, TailLine, socket_path};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixListener;
use std::thread;

#[test]
fn help_and_version_are_printed_and_succeed() {
    let desk = Desk::with(&[]);
    let help = desk.run("--help");
    assert_eq!((help.code, help.err.as_str()), (0, ""));
    assert!(
        help.out.starts_with("linnet: a chat node for things and people\n\nusage: linnet "),
        "{}",
        help.out
    );
    assert_eq!(desk.run("-h").out, help.out);
    assert_eq!(desk.run("help").out, help.out);
    assert_eq!(desk.run("--version").out, format!("linnet {}\n", env!("CARGO_PKG_VERSION")));
    for line in ["device --help", "device add --help", "device add -h", "help device"] {
        let ran = desk.run(line);
        assert_eq!(ran.code, 0, "{line}: {}", ran.err);
        assert!(ran.out.contains("linnet device add porch --room garden\n"), "{line}: {}", ran.out);
    }
}

#[test]
fn what_is_not_understood_is_answered_with_what_was_meant() {
    let desk = Desk::with(&[]);
    for (line, message, help) in [
        ("stauts", "no command 'stauts'; did you mean 'status'?", "linnet --help"),
        ("frobnicate", "no command 'frobnicate'", "linnet --help"),
        ("help devcie", "no command 'devcie'; did you mean 'device'?", "linnet --help"),
        ("device", "'device' needs one of: add, allow, key, list, show, remove", "linnet device --help"),
        ("device ad porch", "'device' has no command 'ad'; did you mean 'add'?", "linnet device --help"),
        (
            "device frob",
            "'device' has no command 'frob'; it has add, allow, key, list, show, remove",
            "linnet device --help",
        ),
        (
            "device list --jsn",
            "'device list' has no option '--jsn'; did you mean '--json'?",
            "linnet device list --help",
        ),
        ("device add", "'device add' needs a NAME", "linnet device add --help"),
        (
            "device add a b",
            "'device add' does not take 'b'; the command comes first",
            "linnet device add --help",
        ),
        ("device add a --room", "'--room' needs a value: --room ROOM", "linnet device add --help"),
        (
            "device add a --read --post",
            "--read and --post exclude each other: without them it may do both",
            "linnet device add --help",
        ),
        ("status --json --json", "'--json' is given twice", "linnet status --help"),
        ("--data d status", "'serve' does not take 'status'; the command comes first", "linnet serve --help"),
        ("--htp x", "'serve' has no option '--htp'; did you mean '--http'?", "linnet serve --help"),
        (
            "post garden -5",
            "unknown option '-5'; a text that begins with '-' goes behind '--'",
            "linnet post --help",
        ),
        ("post garden", "there is nothing to post", "linnet post --help"),
        (
            "user add bob",
            "the password comes by --password-stdin: on the command line others could see it",
            "linnet user add --help",
        ),
    ] {
        let ran = desk.run(line);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{line}");
        assert_eq!(ran.err, format!("linnet: {message}\n  try '{help}'\n"), "{line}");
    }
}

#[test]
fn a_command_talks_to_the_node_of_its_data_folder() {
    let desk = Desk::with(&[]);
    let listener = UnixListener::bind(socket_path(desk.path())).expect("a socket");
    let line = |seq: u64| TailLine {
        seq,
        time_ms: 0,
        room: "garden".into(),
        from: "porch".into(),
        text: format!("tick {seq}"),
        time_uncertain: false,
    };
    let node = thread::spawn(move || {
        let (stream, _) = listener.accept().expect("a client");
        let mut stream = BufReader::new(stream);
        let mut asked = String::new();
        stream.read_line(&mut asked).expect("a request");
        for reply in
            [Reply::item(&line(7)), Reply::item(&line(8)), Reply::refused("the node stops", "start it again")]
        {
            writeln!(stream.get_mut(), "{}", serde_json::to_string(&reply).expect("JSON")).expect("written");
        }
        serde_json::from_str::<Request>(&asked).expect("a request")
    });
    let ran = desk.run("tail garden --since 6 --data .");
    assert_eq!(node.join().expect("asked"), Request::Tail { room: "garden".into(), since: Some(6) });
    assert_eq!(ran.out, "1970-01-01 00:00:00Z porch: tick 7\n1970-01-01 00:00:00Z porch: tick 8\n");
    assert_eq!((ran.code, ran.err.as_str()), (1, "linnet: the node stops\n  start it again\n"));
}

#[test]
fn test_mode_is_refused_where_strangers_could_reach_it() {
    let ran = Desk::with(&[]).run("serve --test-mode --http 0.0.0.0:0");
    assert_eq!((ran.code, ran.out.as_str()), (1, ""));
    assert_eq!(
        ran.err,
        "linnet: --test-mode is refused on 0.0.0.0:0: it is for loopback only\n  add --http 127.0.0.1:0\n"
    );
}
