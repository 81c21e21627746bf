//! What headers and queries mean, and what is refused with a hint.

use super::*;
use hyper::header::{HeaderName, HeaderValue};

fn draft(headers: &[(&'static str, &str)], query: &str, said: &str) -> Result<Draft, String> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let value = HeaderValue::from_bytes(value.as_bytes()).expect(value);
        map.insert(HeaderName::from_static(name), value);
    }
    let query = Query::parse(query).unwrap_or_default();
    let given = Given { headers: &map, query: &query };
    given.draft(said, None, None, None).map_err(|problem| match problem {
        Problem::Fields(_, fields) => fields["error"].as_str().expect("a text").to_owned(),
        Problem::Refused(refusal) => format!("{refusal:?}"),
    })
}

fn notice(headers: &[(&'static str, &str)], query: &str) -> Notice {
    let draft = draft(headers, query, "x").expect("a draft");
    *draft.notice.expect("a notice")
}

#[test]
fn every_spelling_of_a_header_is_known() {
    for names in [["title", "priority", "tags"], ["x-title", "x-priority", "x-tags"], ["ti", "prio", "tag"]] {
        let told = notice(&[(names[0], "Door"), (names[1], "high"), (names[2], "warning, skull")], "");
        let tags = vec!["warning".into(), "skull".into()];
        assert_eq!(told, Notice { title: "Door".into(), priority: 4, tags }, "{names:?}");
    }
    let told = notice(&[("t", "Door"), ("p", "5"), ("ta", "a")], "");
    assert_eq!((told.title.as_str(), told.priority, told.tags.len()), ("Door", 5, 1));
    assert_eq!(notice(&[("p", "1")], "title=Door&p=5"), notice(&[("p", "min"), ("t", "Door")], ""));
}

#[test]
fn a_plain_post_has_no_notice_and_an_empty_one_says_triggered() {
    for headers in [&[][..], &[("priority", "default")], &[("priority", "u=1, i")], &[("tags", " ,")]] {
        assert_eq!(draft(headers, "", "hello").expect("a draft").notice, None, "{headers:?}");
    }
    assert_eq!(draft(&[], "", "").expect("a draft").text.as_str(), "triggered");
    assert_eq!(draft(&[("m", "from a header")], "", "").expect("a draft").text.as_str(), "from a header");
}

#[test]
fn words_are_read_in_every_encoding() {
    for (header, title) in [
        ("Tür offen", "Tür offen"),
        ("=?UTF-8?B?VMO8ciBvZmZlbg==?=", "Tür offen"),
        ("=?utf-8?q?T=C3=BCr_offen?=", "Tür offen"),
        ("a =?UTF-8?Q?b?= =?UTF-8?Q?c?= d", "a bc d"),
        ("=?UTF-8?B?!?=", "=?UTF-8?B?!?="),
        ("=?latin1?Q?=FC?=", "=?latin1?Q?=FC?="),
        ("1 =? 2", "1 =? 2"),
    ] {
        assert_eq!(notice(&[("title", header)], "").title, title, "{header}");
    }
}

#[test]
fn what_is_wrong_is_refused_with_what_is_wanted() {
    assert_eq!(draft(&[("p", "6")], "", "x"), Err(PRIORITY_WANTED.to_owned()));
    assert_eq!(draft(&[("ta", "a,b,c,d,e,f,g,h,i")], "", "x"), Err("too many tags: at most 8".to_owned()));
    assert_eq!(draft(&[], "", "a\0b"), Err("TextHasNul".to_owned()));
}
