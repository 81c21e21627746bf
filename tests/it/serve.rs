//! The whole program as its operator meets it: started, asked by its command line, killed, started again.

use crate::harness::process::Process;
use crate::program::{Desk, Ran};
use serde_json::Value;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;

fn json(ran: &Ran) -> Value {
    assert_eq!(ran.code, 0, "{}", ran.err);
    serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {}", ran.out))
}

#[test]
fn an_empty_folder_becomes_a_node_that_says_how_to_own_it() {
    let desk = Desk::with(&[]);
    let node = Process::start(&desk, "");
    for word in ["ready in", "./linnet-data", "people", "/#own-", "curl -d", "linnet device add"] {
        assert!(node.greeting.contains(word), "{word} is missing in {}", node.greeting);
    }
    // 80 bits: 14 characters of an alphabet of 55, in groups of four.
    let code = node.greeting.split("/#own-").nth(1).unwrap().split(' ').next().unwrap();
    assert_eq!(code.chars().filter(char::is_ascii_alphanumeric).count(), 14, "{code}");
    assert_eq!(node.stop(), 0);
    assert!(desk.path().join("linnet-data/journal").is_dir());
}

#[test]
fn what_the_command_line_did_outlives_a_killed_node() {
    let desk = Desk::with(&[]);
    let node = Process::start(&desk, "");
    let added = json(&desk.run("device add porch --room garden --json"));
    assert!(added["token"].as_str().unwrap().starts_with("dv_") && added["room"] == "garden", "{added}");
    assert_eq!(desk.run("post garden door_open").code, 0);
    let status = json(&desk.run("status --json"));
    assert_eq!(status["running"], true);
    assert_eq!(status["pid"], node.id());
    node.kill();
    // No node runs: the same commands reach the store itself.
    let rooms = json(&desk.run("room list --json"));
    assert!(rooms.as_array().unwrap().iter().any(|room| room["name"] == "garden" && room["messages"] == 1));
    assert_eq!(json(&desk.run("status --json"))["running"], false);
    let node = Process::start(&desk, "");
    let devices = json(&desk.run("device list --json"));
    assert_eq!(devices[0]["name"], "porch");
    assert_eq!(desk.run("device remove porch").code, 0);
    assert_eq!(desk.run("device show porch").code, 1);
    assert_eq!(node.stop(), 0);
}

#[test]
fn a_devices_post_is_acknowledged_and_then_outlives_the_plug() {
    let desk = Desk::with(&[]);
    let node = Process::start(&desk, "");
    let added = json(&desk.run("device add porch --room garden --json"));
    let bearer = format!("Bearer {}", added["token"].as_str().unwrap());
    assert!(desk.run("device show porch").out.contains("heard never"));
    for number in 0..20 {
        let said = format!("door opened {number} times");
        let heard = node.ask("POST", "/garden", &[("Authorization", &bearer)], Some(said.as_bytes()));
        assert_eq!(heard.status, 200, "{}", heard.text());
    }
    let seen = |desk: &Desk| json(&desk.run("device list --json"))[0]["last_seen_ms"].as_u64().unwrap();
    let live = seen(&desk);
    node.kill();
    let node = Process::start(&desk, "");
    assert_eq!(seen(&desk), live, "it was heard before the plug was pulled, and not since");
    assert!(!desk.run("device show porch").out.contains("never"));
    let all = node.ask("GET", "/garden/json?since=all&poll=1", &[("Authorization", &bearer)], None).text();
    let texts = all.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["message"].to_string());
    let expected = (0..20).map(|number| format!("\"door opened {number} times\""));
    assert!(texts.eq(expected), "{all}");
}

#[test]
fn an_owner_link_is_fresh_and_only_for_a_node_without_owner() {
    let desk = Desk::with(&[]);
    let node = Process::start(&desk, "");
    let first = desk.run("owner");
    let second = desk.run("owner");
    assert!(first.out.contains("/#own-") && first.out != second.out, "{}", first.out);
    node.kill();
    assert!(desk.run("owner").out.contains("/#own-"), "also without a running node");
    assert_eq!(user_add(&desk, "alice", "admin").code, 0);
    let late = desk.run("owner");
    assert_eq!(late.code, 1);
    assert!(late.err.contains("has an owner"), "{}", late.err);
}

#[test]
fn a_code_on_the_card_makes_the_owner_at_any_later_start() {
    let desk = Desk::with(&[
        ("code", "ABCD-efgh-2345-JKLM\r\n"),
        ("linnet.toml", "[owner]\ncode_file = \"code\"\n"),
    ]);
    let first = Process::start(&desk, "");
    assert!(first.greeting.contains("/#own-ABCD-efgh-2345-JKLM "), "{}", first.greeting);
    first.kill();
    let node = Process::start(&desk, "");
    let headers = [("Content-Type", "application/json")];
    let claim = |code: &str| {
        let body = format!(r#"{{"code":"{code}","username":"alice","password":"a few words"}}"#);
        node.ask("POST", "/api/linnet/claim", &headers, Some(body.as_bytes())).status
    };
    assert_eq!(claim("ABCD-efgh-2345-JKLN"), 400, "another code");
    assert_eq!(claim("ABCDefgh2345JKLM"), 200);
    assert_eq!(claim("ABCDefgh2345JKLM"), 400, "once");
    node.kill();
    assert!(!Process::start(&desk, "").greeting.contains("/#own-"));
}

#[test]
fn a_code_that_could_be_guessed_is_not_used() {
    for weak in ["", "1234", "owner"] {
        let desk = Desk::with(&[("code", weak), ("linnet.toml", "[owner]\ncode_file = \"code\"\n")]);
        let node = Process::start(&desk, "");
        let code = node.greeting.split("/#own-").nth(1).unwrap().split(' ').next().unwrap();
        assert_eq!(code.len(), 17, "one of the node's own: {code}");
    }
}

fn user_add(desk: &Desk, name: &str, role: &str) -> Ran {
    desk.run_with_input(&format!("user add {name} --role {role} --password-stdin"), "correct horse\n")
}

#[test]
fn the_operator_does_not_speak_in_private_rooms_and_is_told_why() {
    let desk = Desk::with(&[]);
    let node = Process::start(&desk, "--test-mode --data tests");
    let admin = "rocketchat.internal.admin.test";
    let login = format!("user={admin}&password={admin}");
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    let data = node.ask("POST", "/api/v1/login", &form, Some(login.as_bytes())).json()["data"].clone();
    let headers = [
        ("X-Auth-Token", data["authToken"].as_str().unwrap()),
        ("X-User-Id", data["userId"].as_str().unwrap()),
        ("Content-Type", "application/json"),
    ];
    let made = node.ask("POST", "/api/v1/groups.create", &headers, Some(b"{\"name\":\"shed\"}"));
    assert_eq!(made.status, 200, "{}", made.text());
    let ran = desk.run("post shed hello --data tests");
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("not allowed") && ran.err.contains("on the page"), "{}", ran.err);
}

#[test]
fn a_second_node_on_the_same_folder_is_told_who_holds_it() {
    let desk = Desk::with(&[]);
    let node = Process::start(&desk, "");
    let second = desk.run("serve --http 127.0.0.1:0");
    assert_eq!(second.code, 1);
    assert!(second.err.contains(&format!("in use by PID {}", node.id())), "{}", second.err);
}

#[test]
fn a_port_in_use_is_told_with_what_to_do() {
    let desk = Desk::with(&[]);
    let node = Process::start(&desk, "");
    let second = desk.run(&format!("serve --http {} --data other", node.address));
    assert_eq!(second.code, 1);
    assert!(
        second.err.contains(&node.address.to_string()) && second.err.contains("--http"),
        "{}",
        second.err
    );
}

#[test]
fn a_folder_that_cannot_be_written_is_told_with_what_to_do() {
    let desk = Desk::with(&[("a-file", "")]);
    for data in ["/proc/linnet-data", "a-file/below"] {
        let ran = desk.run(&format!("serve --http 127.0.0.1:0 --data {data}"));
        assert_eq!(ran.code, 1, "{data}");
        assert!(ran.err.contains(data) && ran.err.contains("--data"), "{}", ran.err);
    }
}

#[test]
fn test_mode_and_life_do_not_share_a_folder() {
    let desk = Desk::with(&[]);
    Process::start(&desk, "--test-mode --data tests").kill();
    let life = desk.run("serve --http 127.0.0.1:0 --data tests");
    assert!(life.code == 1 && life.err.contains("--test-mode"), "{}", life.err);
    Process::start(&desk, "--data life").kill();
    let test = desk.run("serve --http 127.0.0.1:0 --data life --test-mode");
    assert!(test.code == 1 && test.err.contains("--test-mode"), "{}", test.err);
    let open = desk.run("serve --http 0.0.0.0:0 --data third --test-mode");
    assert!(open.code == 1 && open.err.contains("loopback"), "{}", open.err);
}

#[test]
fn a_full_disk_is_told_and_what_was_acknowledged_is_there_afterwards() {
    let desk = Desk::with(&[("small/here", "")]);
    let folder = desk.path().join("small");
    let mount =
        |words: &[&str]| Command::new(words[0]).args(&words[1..]).arg(&folder).status().unwrap().success();
    assert!(
        mount(&["mount", "-t", "tmpfs", "-o", "size=10m", "tmpfs"]),
        "this test needs the right to mount a small tmpfs: run it as root"
    );
    let told = std::panic::catch_unwind(|| fill(&desk));
    let node = std::panic::catch_unwind(|| {
        std::fs::remove_file(folder.join("ballast")).unwrap();
        Process::start(&desk, "--data small/data")
    });
    let rooms = node.map(|_node| json(&desk.run("room list --json --data small/data")));
    assert!(mount(&["umount", "-l"]));
    let acknowledged = told.unwrap();
    let general = rooms.unwrap();
    let general = general.as_array().unwrap().iter().find(|room| room["name"] == "general").unwrap().clone();
    let messages = general["messages"].as_u64().unwrap();
    assert!(messages >= acknowledged, "{messages} of {acknowledged} are there");
}

/// Posts until the disk is full; gives how many were acknowledged.
fn fill(desk: &Desk) -> u64 {
    let _node = Process::start(desk, "--data small/data");
    let free = |bytes: usize| std::fs::write(desk.path().join("small/ballast"), vec![7; bytes]);
    // All but a little of what is free, so that a few posts fill the rest.
    let mut ballast = 10 * 1024 * 1024;
    while free(ballast).is_err() {
        ballast -= 64 * 1024;
    }
    let text = "€".repeat(5_000);
    for acknowledged in 0..20_000 {
        let ran = desk.run(&format!("post general {text} --data small/data"));
        if ran.code != 0 {
            assert!(ran.err.contains("store failed") || ran.err.contains("full"), "{}", ran.err);
            return acknowledged;
        }
    }
    panic!("the disk never filled");
}

#[test]
fn a_deleted_text_leaves_the_disk_when_the_operator_says_so() {
    let desk = Desk::with(&[]);
    let node = Process::start(&desk, "--test-mode --data tests");
    let admin = "rocketchat.internal.admin.test";
    let login = format!("user={admin}&password={admin}");
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    let data = node.ask("POST", "/api/v1/login", &form, Some(login.as_bytes())).json()["data"].clone();
    let headers = [
        ("X-Auth-Token", data["authToken"].as_str().unwrap()),
        ("X-User-Id", data["userId"].as_str().unwrap()),
        ("Content-Type", "application/json"),
    ];
    let on_disk = |text: &str| {
        let files = std::fs::read_dir(desk.path().join("tests/journal")).unwrap();
        let mut files = files.map(|file| std::fs::read(file.unwrap().path()).unwrap());
        files.any(|bytes| bytes.windows(text.len()).any(|window| window == text.as_bytes()))
    };
    let forget = |text: &str| {
        let post = format!("{{\"roomId\":\"GENERAL\",\"text\":\"{text}\"}}");
        let said = node.ask("POST", "/api/v1/chat.postMessage", &headers, Some(post.as_bytes())).json();
        let id = said["message"]["_id"].as_str().unwrap().to_owned();
        let delete = format!("{{\"roomId\":\"GENERAL\",\"msgId\":\"{id}\"}}");
        let gone = node.ask("POST", "/api/v1/chat.delete", &headers, Some(delete.as_bytes()));
        assert_eq!(gone.status, 200, "{}", gone.text());
        assert!(on_disk(text));
    };
    forget("under the mat");
    let compacted = json(&desk.run("compact --json --data tests"));
    assert!(compacted["changes"].as_u64() > Some(0), "{compacted}");
    assert!(!on_disk("under the mat"));
    forget("behind the shed");
    node.kill();
    // No node runs: the same command reaches the store itself.
    assert_eq!(desk.run("compact --data tests").code, 0);
    assert!(!on_disk("behind the shed"));
}

#[test]
fn a_second_port_has_the_same_doors_where_it_is_free() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let settings = format!("[http]\nalso_port = {port}\n");
    let health = |at: &str| {
        let mut asked = TcpStream::connect(at).unwrap();
        write!(asked, "GET /health HTTP/1.0\r\nHost: {at}\r\n\r\n").unwrap();
        let mut said = String::new();
        asked.read_to_string(&mut said).unwrap();
        said
    };
    let desks = [Desk::with(&[("linnet.toml", &settings)]), Desk::with(&[("linnet.toml", &settings)])];
    let first = Process::start(&desks[0], "");
    assert!(health(&format!("127.0.0.1:{port}")).starts_with("HTTP/1.0 200"));
    // It is taken now: the second node has its own port alone.
    let second = Process::start(&desks[1], "");
    assert!(health(&second.address.to_string()).starts_with("HTTP/1.0 200"));
    assert_eq!(first.stop(), 0);
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err(), "the second node had it");
    assert_eq!(second.stop(), 0);
}
