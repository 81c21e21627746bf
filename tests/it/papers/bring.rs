//! Files that administrators bring by HTTP: taken as they come, never doubled, and told of.

use crate::harness::ask::{Heard, hear};
use crate::harness::site::{Person, Served};
use linnet::base::limits::IMPORT_BYTES_MAX;
use linnet::chat::user::Role;
use serde_json::{Value, json};
use std::io::Write;
use std::net::Shutdown;

const PATH: &str = "/api/linnet/v1/import";

fn admin(served: &Served) -> Person {
    let alice = served.person_with_password("alice", &[Role::Admin, Role::User], "swordfish");
    served.post_as(&alice, "/api/v1/groups.create", &json!({"name": "garden"}));
    alice
}

fn bring(served: &Served, person: &Person, query: &str, password: &str, file: &[u8]) -> Heard {
    let [user, token] = person.headers();
    served.ask("POST", &format!("{PATH}{query}"), &[user, token, ("X-Password", password)], Some(file))
}

fn texts(served: &Served, person: &Person, room: &str) -> Vec<String> {
    let page = served.get_as(person, &format!("/api/v1/groups.history?roomName={room}&count=100")).json();
    let mut texts: Vec<_> =
        page["messages"].as_array().unwrap().iter().map(|m| m["msg"].to_string()).collect();
    texts.reverse();
    texts
}

fn line(text: &str, second: u32) -> String {
    let time = format!("2020-01-01T10:00:{second:02}Z");
    json!({"time": time, "author": {"username": "anna"}, "text": text}).to_string() + "\n"
}

fn counts(answer: &Value) -> [u64; 3] {
    ["taken", "known", "refused"].map(|key| answer[key].as_u64().unwrap_or_else(|| panic!("{answer}")))
}

#[test]
fn every_format_that_goes_out_comes_back_once() {
    let served = Served::start();
    let alice = admin(&served);
    for text in ["one", "two\nlines, \"quoted\"", "<three>"] {
        served.post_as(&alice, "/api/v1/chat.postMessage", &json!({"channel": "#garden", "text": text}));
    }
    let said = texts(&served, &alice, "garden");
    for format in ["jsonl", "html", "csv", "mbox"] {
        let file = served.get_as(&alice, &format!("/api/linnet/v1/export?room=garden&format={format}"));
        let room = format!("copy-{format}");
        served.post_as(&alice, "/api/v1/groups.create", &json!({"name": room}));
        let query = format!("?format={format}&room={room}");
        let heard = bring(&served, &alice, &query, "swordfish", &file.body);
        assert_eq!((heard.status, counts(&heard.json())), (200, [3, 0, 0]), "{format}: {}", heard.text());
        assert_eq!(texts(&served, &alice, &room), said, "{format}");
        let again = bring(&served, &alice, &query, "swordfish", &file.body).json();
        assert_eq!(counts(&again), [0, 3, 0], "{format}: {again}");
        assert_eq!(texts(&served, &alice, &room), said, "{format}, again");
    }
    let told = texts(&served, &alice, "system");
    let told: Vec<_> = told.iter().filter(|text| text.contains("imported")).collect();
    assert_eq!(told.len(), 4, "what brought nothing is not told of: {told:?}");
    assert_eq!(told[0], "\"alice imported 3 messages into #copy-jsonl.\"");
}

#[test]
fn who_may_not_brings_nothing() {
    let served = Served::start();
    let alice = admin(&served);
    let carol = served.person_with_password("carol", &[Role::Admin, Role::User], "swordfish");
    let file = line("hello", 1);
    let (file, query) = (file.as_bytes(), "?room=garden");
    for (name, role) in [("bob", Role::User), ("mod", Role::Moderator), ("bot", Role::Bot)] {
        let person = served.person_with_password(name, &[role], "swordfish");
        assert_eq!(bring(&served, &person, query, "swordfish", file).status, 403, "{name}");
    }
    assert_eq!(served.ask("POST", &format!("{PATH}{query}"), &[], Some(file)).status, 401);
    assert_eq!(bring(&served, &alice, query, "sword", file).status, 401);
    let [user, token] = alice.headers();
    let without = served.ask("POST", &format!("{PATH}{query}"), &[user, token], Some(file));
    assert!(without.status == 400 && without.text().contains("X-Password"), "{}", without.text());
    let heard = bring(&served, &carol, query, "swordfish", file);
    assert_eq!(
        (heard.status, &heard.json()["taken"]),
        (403, &json!(0)),
        "she is not in it: {}",
        heard.text()
    );
    assert_eq!(texts(&served, &alice, "garden"), Vec::<String>::new());
    assert_eq!(bring(&served, &alice, query, "swordfish", file).status, 200);
}

#[test]
fn what_does_not_fit_is_named_by_its_line_and_nonsense_is_refused() {
    let served = Served::start();
    let alice = admin(&served);
    let file = [&line("first", 1), "not json\n", &line("", 2), &line("second", 3)].concat();
    let heard = bring(&served, &alice, "?room=%23garden", "swordfish", file.as_bytes());
    let answer = heard.json();
    assert_eq!((heard.status, counts(&answer)), (200, [2, 0, 2]), "{answer}");
    let lines: Vec<_> = answer["lines"].as_array().unwrap().iter().map(|refused| &refused["line"]).collect();
    assert_eq!(lines, [2, 3]);
    assert!(answer["lines"][0]["error"].as_str().unwrap().contains("column 2"), "{answer}");
    let mut noise = Vec::new();
    for number in 0..60_000_u32 {
        noise.extend_from_slice(&number.wrapping_mul(2_654_435_761).to_le_bytes());
    }
    let zeros = vec![0; 2_000_000];
    for format in ["jsonl", "html", "csv", "mbox"] {
        for (name, file) in [("noise", &noise), ("zeros", &zeros), ("nothing", &Vec::new())] {
            let heard = bring(&served, &alice, &format!("?room=garden&format={format}"), "swordfish", file);
            assert_eq!((heard.status, &heard.json()["taken"]), (400, &json!(0)), "{format}, {name}");
            assert!(heard.text().contains("Nothing was taken"), "{format}, {name}: {}", heard.text());
        }
    }
    let refused = |query: &str, file: &str| {
        let heard = bring(&served, &alice, query, "swordfish", file.as_bytes());
        assert_eq!(heard.status, 400, "{query}: {}", heard.text());
        heard.text()
    };
    assert!(refused("?room=garden&format=pdf", "x").contains("jsonl, html, csv or mbox"));
    assert!(refused("?format=backup", "x").contains("linnet restore"));
    assert!(refused("", &line("where?", 4)).contains("?room=NAME"));
    let lost = refused("?room=shed", &[line("lost", 5), line("lost too", 6)].concat());
    assert!(lost.contains("(line 1; 0 were taken before"), "{lost}");
    assert_eq!(texts(&served, &alice, "garden"), ["\"first\"", "\"second\""]);
}

/// Sends the head of an import of so many bytes, and a first part of them.
fn begun(
    served: &Served,
    person: &Person,
    query: &str,
    announced: usize,
    part: &[u8],
) -> std::net::TcpStream {
    let [(user, id), (token, text)] = person.headers();
    let head = format!(
        "POST {PATH}{query} HTTP/1.1\r\nHost: {}\r\n{user}: {id}\r\n{token}: {text}\r\n\
         X-Password: swordfish\r\nContent-Length: {announced}\r\nConnection: close\r\n\r\n",
        served.address
    );
    let mut stream = served.connect();
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(part).unwrap();
    stream
}

#[test]
fn a_connection_that_is_cut_brought_what_came_and_the_rest_comes_later() {
    let served = Served::start();
    let alice = admin(&served);
    let row = |number| format!("2020-01-01T10:00:00Z,anna,{number} {}\n", "x".repeat(3_000));
    let file: String = std::iter::once("time,author,text\n".to_owned()).chain((0..300).map(row)).collect();
    // The cut is inside a row, whose beginning would be a message of its own.
    let cut = file.len() / 2;
    let query = "?room=garden&format=csv";
    let stream = begun(&served, &alice, query, file.len(), &file.as_bytes()[..cut]);
    stream.shutdown(Shutdown::Both).unwrap();
    drop(stream);
    // Its place is free as soon as the cut was noticed.
    let patience = std::time::Instant::now() + crate::harness::ask::PATIENCE;
    let answer = loop {
        let heard = bring(&served, &alice, query, "swordfish", file.as_bytes());
        if heard.status != 503 {
            break heard.json();
        }
        assert!(std::time::Instant::now() < patience, "the import that was cut never ended");
    };
    let [taken, known, refused] = counts(&answer);
    let whole = file[..cut].matches('\n').count() as u64 - 1;
    assert_eq!((taken + known, refused), (300, 0), "{answer}");
    assert!(known <= whole, "{known} of {whole} rows had come whole");
    let said = served.get_as(&alice, "/api/v1/groups.info?roomName=garden").json();
    assert_eq!(said["group"]["msgs"], 300, "{said}");
}

#[test]
fn more_than_a_body_may_have_is_refused_before_it_comes() {
    let served = Served::start();
    let alice = admin(&served);
    let mut stream = begun(&served, &alice, "?room=garden", IMPORT_BYTES_MAX + 1, b"");
    stream.shutdown(Shutdown::Write).unwrap();
    let heard = hear(&mut stream);
    assert_eq!(heard.status, 413, "{}", heard.text());
    // A file larger than any other body may be.
    let file: String = (0..100).map(|number| line(&format!("{number} {}", "x".repeat(4_900)), 1)).collect();
    assert!(file.len() > 4 * linnet::base::limits::BODY_BYTES_MAX);
    let heard = bring(&served, &alice, "?room=garden", "swordfish", file.as_bytes());
    assert_eq!((heard.status, counts(&heard.json())), (200, [100, 0, 0]));
}
