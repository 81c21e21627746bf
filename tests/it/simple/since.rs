//! Where streams begin, and that nothing is lost or repeated there.

use super::{Stream, device, room_id, say};
use crate::harness::site::Served;
use linnet::node::devices::Rights;
use std::sync::atomic::{AtomicBool, Ordering};

#[test]
fn a_stream_begins_where_it_is_asked_to() {
    let site = Served::start();
    let display = device(&site, "display", "garden", Rights::Read);
    let other = device(&site, "lamp", "workshop", Rights::Both);
    let garden = display.room.id.clone();
    let said: Vec<_> = ["a", "b", "c"].iter().map(|text| say(&site, &garden, text)).collect();
    let elsewhere = say(&site, &other.room.id, "elsewhere");
    let last = say(&site, &garden, "d");
    for (since, texts) in [
        ("".to_owned(), vec!["a", "b", "c", "d"]),
        ("&since=all".to_owned(), vec!["a", "b", "c", "d"]),
        ("&since=none".to_owned(), vec![]),
        ("&since=latest".to_owned(), vec!["d"]),
        (format!("&since={}", said[1].id), vec!["c", "d"]),
        (format!("&since={}", said[1].seq), vec!["c", "d"]),
        (format!("&since={}", last.seq), vec![]),
        (format!("&since={}", last.seq.0 + 1_000), vec![]),
        (format!("&since={}", said[0].at / 1_000), vec!["a", "b", "c", "d"]),
        (format!("&since={}", last.at / 1_000 + 100), vec![]),
        ("&since=10m".to_owned(), vec!["a", "b", "c", "d"]),
        // Not known in this room: everything is newer.
        ("&since=never-said".to_owned(), vec!["a", "b", "c", "d"]),
        (format!("&since={}", elsewhere.id), vec!["a", "b", "c", "d"]),
    ] {
        let mut stream = Stream::open(&site, &format!("/garden/json?poll=1{since}"), Some(&display.key));
        assert_eq!(stream.rest(), texts, "{since}");
    }
    let bad = site.ask(
        "GET",
        "/garden/json?since=a%20b",
        &[("Authorization", &format!("Bearer {}", display.key))],
        None,
    );
    assert!(bad.status == 400 && bad.text().contains("since takes"), "{}", bad.text());
}

#[test]
fn what_was_removed_or_only_happened_is_not_told() {
    let site = Served::start();
    let display = device(&site, "display", "garden", Rights::Read);
    let garden = display.room.id.clone();
    let first = say(&site, &garden, "a");
    say(&site, &garden, "b");
    site.operator(move |node| node.delete_message(&linnet::node::Caller::Operator, &first.id));
    let mut stream = Stream::open(&site, "/garden/json?poll=1", Some(&display.key));
    assert_eq!(stream.rest(), ["b"]);
}

#[test]
fn backlog_and_news_meet_without_gap_or_repetition() {
    let site = Served::start();
    let display = device(&site, "display", "garden", Rights::Read);
    let garden = room_id(&site, "garden");
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let posting = scope.spawn(|| {
            let mut count = 0u64;
            while !done.load(Ordering::Relaxed) && count < 100_000 {
                say(&site, &garden, &count.to_string());
                count += 1;
            }
            say(&site, &garden, "end");
            count
        });
        let mut streams = Vec::new();
        for since in ["all", "all", "10m", "0", "all", "all"] {
            let mut stream = Stream::open(&site, &format!("/garden/json?since={since}"), Some(&display.key));
            stream.event("open");
            // Each opens in the middle of the talk, at another place.
            let seen: Vec<String> = (0..40).map(|_| stream.said()).collect();
            streams.push((stream, seen));
        }
        done.store(true, Ordering::Relaxed);
        let count = posting.join().unwrap();
        let expected: Vec<String> =
            (0..count).map(|number| number.to_string()).chain(["end".into()]).collect();
        for (mut stream, mut seen) in streams {
            while seen.last().unwrap() != "end" {
                seen.push(stream.said());
            }
            assert_eq!(seen, expected);
        }
    });
}
