//! Rooms as files for people, and back: the real binary writes each format, and another node takes it in.

mod bring;

use crate::harness::ask::Heard;
use crate::harness::process::Process;
use crate::harness::site::Served;
use crate::program::Desk;
use linnet::chat::user::Role;
use serde_json::{Value, json};
use std::fs;

type Session = (String, String);

fn post(process: &Process, path: &str, session: Option<&Session>, body: &Value) -> Value {
    let mut headers = vec![("Content-Type", "application/json")];
    if let Some((id, token)) = session {
        headers.extend([("X-User-Id", id.as_str()), ("X-Auth-Token", token.as_str())]);
    }
    let heard = process.ask("POST", path, &headers, Some(body.to_string().as_bytes()));
    assert_eq!(heard.status, 200, "{path}: {}", heard.text());
    heard.json()
}

/// A serving node in a folder, with alice and the private room garden.
fn node(desk: &Desk, folder: &str) -> (Process, Session) {
    let process = Process::start(desk, &format!("--data {folder}"));
    let line = format!("user add alice --role admin --password-stdin --data {folder}");
    assert_eq!(desk.run_with_input(&line, "swordfish\n").code, 0);
    let data = post(&process, "/api/v1/login", None, &json!({"user": "alice", "password": "swordfish"}));
    let part = |name: &str| data["data"][name].as_str().unwrap().to_owned();
    let alice = (part("userId"), part("authToken"));
    post(&process, "/api/v1/groups.create", Some(&alice), &json!({"name": "garden"}));
    (process, alice)
}

fn history(process: &Process, (id, token): &Session) -> Vec<Value> {
    let headers = [("X-User-Id", id.as_str()), ("X-Auth-Token", token.as_str())];
    let heard = process.ask("GET", "/api/v1/groups.history?roomName=garden&count=100", &headers, None);
    let mut messages = heard.json()["messages"].as_array().unwrap().clone();
    messages.reverse();
    messages
}

const TEXTS: [&str; 7] = [
    "=1+2 is no formula",
    "two\nlines and a \"quote\", a comma;\nFrom here on",
    "<script>alert(1)</script> & 'more'",
    "grün 𝄞 =3D",
    "-5 degrees",
    "'quoted'",
    "edited later",
];

/// Says everything that is hard to write down, in a thread, with an edit and a reaction.
fn speak(process: &Process, alice: &Session) {
    let say = |text: &str, thread: Option<&str>| {
        let message = json!({"channel": "#garden", "text": text, "tmid": thread});
        let said = post(process, "/api/v1/chat.postMessage", Some(alice), &message);
        said["message"]["_id"].as_str().unwrap().to_owned()
    };
    let first = say(TEXTS[0], None);
    for text in &TEXTS[1..6] {
        say(text, Some(&first));
    }
    let last = say("typo", None);
    let room = history(process, alice)[0]["rid"].clone();
    post(
        process,
        "/api/v1/chat.update",
        Some(alice),
        &json!({"roomId": room, "msgId": last, "text": TEXTS[6]}),
    );
    post(process, "/api/v1/chat.react", Some(alice), &json!({"messageId": first, "emoji": ":wave:"}));
}

fn texts(messages: &[Value]) -> Vec<&str> {
    messages.iter().map(|message| message["msg"].as_str().unwrap()).collect()
}

#[test]
fn every_format_goes_out_and_comes_back() {
    let desk = Desk::with(&[]);
    let (process, alice) = node(&desk, "one");
    speak(&process, &alice);
    let before = history(&process, &alice);
    assert_eq!(texts(&before), TEXTS);
    for format in ["jsonl", "html", "csv", "mbox"] {
        let ran = desk.run(&format!("export garden.{format} --room garden --data one"));
        assert_eq!((ran.code, ran.err.as_str()), (0, "exported 7 messages\n"));
        let folder = format!("for-{format}");
        let (other, theirs) = node(&desk, &folder);
        let line = format!("import garden.{format} --room garden --data {folder}");
        let ran = desk.run(&line);
        assert_eq!(ran.out, "7 messages taken, 0 were there already, 0 refused\n", "{format}: {}", ran.err);
        let after = history(&other, &theirs);
        assert_eq!(texts(&after), TEXTS, "{format}");
        for (was, is) in before.iter().zip(&after) {
            for part in ["_id", "ts", "tmid"] {
                assert_eq!(was[part], is[part], "{format}: {part} of {was}");
            }
            assert_eq!(is["alias"], "alice (imported)", "she is another's alice here");
            assert_eq!(is["u"]["username"], "linnet", "and nobody speaks in her name");
        }
        let again = desk.run(&line);
        assert_eq!(again.out, "0 messages taken, 7 were there already, 0 refused\n", "{format}");
        assert_eq!(history(&other, &theirs), after, "{format}");
    }
    // On the node it is from, alice is alice: her words are hers, her reaction too.
    post(&process, "/api/v1/groups.create", Some(&alice), &json!({"name": "copy"}));
    assert_eq!(process.stop(), 0);
    let ran = desk.run("import garden.jsonl --room copy --data one");
    assert!(
        ran.out.starts_with("0 messages taken") || ran.out.starts_with("7 messages taken"),
        "{}",
        ran.err
    );
    let copied = desk.run("export - --format jsonl --room copy --data one");
    let lines: Vec<Value> = copied.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 7, "{}", ran.out);
    assert!(lines.iter().all(|line| line["author"]["username"] == "alice" && line["guise"].is_null()));
    assert_eq!(lines[0]["reactions"][0]["by"][0]["username"], "alice");
    assert_eq!(lines[6]["edited"]["by"]["username"], "alice");
    assert!(lines[1..6].iter().all(|line| line["thread"] == lines[0]["id"]), "the thread is the copy's own");
}

#[test]
fn what_goes_out_is_safe_where_it_is_read() {
    let desk = Desk::with(&[]);
    let (process, alice) = node(&desk, "one");
    speak(&process, &alice);
    for format in ["html", "csv", "mbox"] {
        assert_eq!(desk.run(&format!("export all.{format} --data one")).code, 0);
    }
    let read = |name: &str| fs::read_to_string(desk.path().join(name)).unwrap();
    let page = read("all.html");
    assert!(
        !page.contains("<script") && page.contains("&lt;script&gt;") && page.contains("default-src 'none'")
    );
    assert!(page.ends_with("</body></html>\n"));
    let table = read("all.csv");
    assert!(table.contains(",\"'=1+2 is no formula\",") && table.contains(",\"'-5 degrees\","), "{table}");
    assert!(table.lines().all(|line| !line.contains(",=") && !line.contains(",-5")));
    let mails = read("all.mbox");
    let begins = mails.lines().filter(|line| line.starts_with("From ")).count();
    // The node told that alice joined #general.
    assert_eq!(begins, TEXTS.len() + 1, "{mails}");
    assert!(mails.is_ascii() && mails.lines().all(|line| line.len() < 998));
    let parts = desk.run("export - --format jsonl --room garden --until 2001-01-01 --data one");
    assert_eq!((parts.code, parts.out.as_str()), (0, ""));
    assert!(desk.run("export - --format jsonl --room shed --data one").err.contains("no such room"));
    assert!(desk.run("export all.txt --data one").err.contains("which format?"));
}

#[test]
fn a_record_that_does_not_fit_is_named_by_its_line_and_the_others_go_in() {
    let good = |text: &str, time: &str| {
        json!({"time": time, "author": {"username": "anna"}, "text": text}).to_string()
    };
    let file = [
        good("first", "2020-01-01T10:00:00Z"),
        "not json".to_owned(),
        good("", "2020-01-01T10:00:01Z"),
        good(&"x".repeat(6_000), "2020-01-01T10:00:02Z"),
        good("bad time", "yesterday"),
        good("second", "2020-01-01T10:00:03Z"),
        format!("\"{}\"", "x".repeat(300_000)),
        good("older than the one before", "2019-01-01T10:00:00Z"),
    ];
    let table = "author,time,text\r\nanna,2020-01-01 10:00,\"a\r\nb\"\r\nanna,2020-01-01 10:01\r\nbob,2020-01-01 10:02,c\r\n";
    let mails = "From x@y Thu Jan  2 10:00:00 2020\nFrom: =?utf-8?Q?J=C3=BCrgen?= <j@farm>\nDate: Thu, 2 Jan 2020 11:00:00 +0100\n\
                 Message-ID: <1@farm>\n\nhello\n>From the farm\n\nFrom x@y Thu Jan  2 10:00:00 2020\nContent-Type: text/html\n\n<b>\n";
    let desk = Desk::with(&[
        ("a.jsonl", &file.join("\n")),
        ("b.csv", table),
        ("c.mbox", mails),
        ("d.csv", "a,b\n1,2\n"),
    ]);
    let (process, alice) = node(&desk, "one");
    let ran = desk.run("import a.jsonl --room garden --data one");
    assert_eq!((ran.code, ran.out.as_str()), (1, "3 messages taken, 0 were there already, 5 refused\n"));
    let lines: Vec<&str> = ran.err.lines().map(|line| line.split(':').next().unwrap()).collect();
    let mut sorted = lines.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, ["line 2", "line 3", "line 4", "line 5", "line 7"], "{}", ran.err);
    let said = history(&process, &alice);
    assert_eq!(texts(&said), ["first", "second", "older than the one before"]);
    assert_eq!(said[0]["ts"], "2020-01-01T10:00:00.000Z");
    assert_eq!(said[2]["ts"], said[1]["ts"], "times in a room never run backwards");
    assert_eq!(said[2]["alias"], "anna (imported, 2019-01-01 10:00Z)", "so its own stands beside the name");
    let ran = desk.run("import b.csv --room garden --data one");
    assert!(
        ran.out.starts_with("2 messages taken, ") && ran.err.starts_with("line 4: it has 2 cells"),
        "{}",
        ran.err
    );
    let ran = desk.run("import c.mbox --room garden --data one");
    assert!(
        ran.out.starts_with("1 messages taken, ") && ran.err.starts_with("line 9: its content is"),
        "{}",
        ran.err
    );
    let said = history(&process, &alice);
    let tail: Vec<_> = said[3..].iter().map(|message| (&message["msg"], &message["alias"])).collect();
    let expected = [
        (json!("a\r\nb"), json!("anna (imported, 2020-01-01 10:00Z)")),
        (json!("c"), json!("bob (imported)")),
        (json!("hello\nFrom the farm"), json!("Jürgen (imported)")),
    ];
    assert_eq!(tail, expected.iter().map(|(text, alias)| (text, alias)).collect::<Vec<_>>());
    assert_eq!(said[5]["ts"], "2020-01-02T10:00:00.000Z");
    assert!(desk.run("import d.csv --room garden --data one").err.contains("no column 'time'"));
    assert!(desk.run("import a.jsonl --room shed --data one").err.contains("no such room"));
}

#[test]
fn by_http_an_administrator_takes_what_they_may_read() {
    let served = Served::start();
    let alice = served.person("alice", &[Role::Admin, Role::User]);
    let bob = served.person("bob", &[Role::User]);
    let general = "/api/linnet/v1/export?room=general&format=";
    served.post_as(&bob, "/api/v1/groups.create", &json!({"name": "shed"}));
    served.post_as(&bob, "/api/v1/chat.postMessage", &json!({"channel": "#general", "text": "hello"}));
    let refused = |heard: Heard| heard.status;
    assert_eq!(refused(served.get_as(&bob, &format!("{general}jsonl"))), 403);
    assert_eq!(refused(served.get(&format!("{general}jsonl"))), 401);
    assert_eq!(refused(served.get_as(&alice, &format!("{general}pdf"))), 400);
    assert_eq!(refused(served.get_as(&alice, "/api/linnet/v1/export?room=shed")), 403, "she is not in it");
    let heard = served.get_as(&alice, &format!("{general}html"));
    assert_eq!(heard.status, 200);
    assert_eq!(heard.header("content-disposition"), Some("attachment; filename=\"linnet.html\""));
    assert!(heard.text().contains("<p>hello</p>"), "{}", heard.text());
}

#[test]
fn a_reader_who_had_enough_of_an_export_is_no_failure() {
    let desk = Desk::with(&[]);
    let (process, alice) = node(&desk, "one");
    // More than a pipe holds.
    for _ in 0..30 {
        let message = json!({"channel": "#garden", "text": "x".repeat(4_900)});
        post(&process, "/api/v1/chat.postMessage", Some(&alice), &message);
    }
    let check = |stage: &str| {
        for (line, code, quiet) in
            [("export - --format jsonl --room garden", 0, true), ("backup -", 1, false)]
        {
            let ran = desk.run_into_nothing(&format!("{line} --data one"));
            assert_eq!((ran.code, ran.err.is_empty()), (code, quiet), "{line}, {stage}: {}", ran.err);
        }
    };
    check("served");
    assert_eq!(process.stop(), 0);
    check("from the store");
}
