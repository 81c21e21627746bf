//! What is said, and what is refused with a hint.

use super::{bearer, device, own, said};
use crate::harness::site::Served;
use linnet::node::devices::Rights;
use serde_json::json;

const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");

#[test]
fn a_line_of_curl_is_said_in_the_room() {
    let site = Served::start();
    let porch = device(&site, "porch", "garden", Rights::Both);
    let (name, token) = bearer(&porch.key);
    // curl -d calls any text a form.
    let heard = site.ask("POST", "/garden", &[(name, &token), FORM], Some(b"door=open & closed"));
    let answer = heard.json();
    assert_eq!(heard.status, 200, "{answer}");
    assert_eq!(heard.header("content-type"), Some("application/json"));
    let message = &said(&site, "garden")[0];
    assert_eq!(message.text.as_str(), "door=open & closed");
    assert_eq!(message.author.username.as_str(), "porch");
    assert_eq!(message.notice, None);
    let expected = json!({
        "id": message.id.as_str(), "time": message.at / 1_000, "event": "message", "topic": "garden",
        "seq": message.seq.0, "user": "porch", "message": "door=open & closed",
    });
    assert_eq!(answer, expected);
    assert_eq!(site.ask("PUT", "/GARDEN", &[(name, &token)], Some("zu \u{1f6aa}\n".as_bytes())).status, 200);
    assert_eq!(said(&site, "garden")[1].text.as_str(), "zu \u{1f6aa}");
}

#[test]
fn a_post_stands_in_the_thread_it_answers() {
    let site = Served::start();
    let porch = device(&site, "porch", "garden", Rights::Both);
    let (name, token) = bearer(&porch.key);
    let question = site.ask("POST", "/garden", &[(name, &token)], Some(b"on?")).json()["id"].clone();
    let id = question.as_str().unwrap();
    let answer = site.ask("POST", "/garden", &[(name, &token), ("X-Thread", id)], Some(b"on")).json();
    assert_eq!(answer["thread"], question);
    let headers = [(name, token.as_str()), ("Content-Type", "application/json")];
    let body = json!({"text": "off", "thread": id}).to_string();
    assert_eq!(site.ask("POST", "/garden", &headers, Some(body.as_bytes())).json()["thread"], question);
    let thread = said(&site, "garden")[2].thread.clone().unwrap();
    assert_eq!((thread.as_str(), said(&site, "garden").len()), (id, 3));
    for wrong in ["no such", "nothing"] {
        let refused = site.ask("POST", "/garden", &[(name, &token), ("X-Thread", wrong)], Some(b"x"));
        assert_eq!(refused.status, 400, "{}", refused.text());
    }
}

#[test]
fn title_priority_and_tags_are_kept() {
    let site = Served::start();
    let porch = device(&site, "porch", "garden", Rights::Both);
    let (name, token) = bearer(&porch.key);
    let headers =
        [(name, token.as_str()), ("Title", "Tür"), ("Priority", "urgent"), ("Tags", "warning,door")];
    let told = site.ask("POST", "/garden", &headers, Some(b"open")).json();
    assert_eq!(
        (&told["title"], &told["priority"], &told["tags"]),
        (&json!("Tür"), &json!(5), &json!(["warning", "door"]))
    );
    let notice = said(&site, "garden")[0].notice.clone().unwrap();
    assert_eq!((notice.title.as_str(), notice.priority, notice.tags.len()), ("Tür", 5, 2));
}

#[test]
fn a_json_body_says_the_same() {
    let site = Served::start();
    let porch = device(&site, "porch", "garden", Rights::Both);
    let (name, token) = bearer(&porch.key);
    let headers = [(name, token.as_str()), ("Content-Type", "application/json; charset=utf-8")];
    let body = json!({"text": "open", "title": "Door", "priority": 4, "tags": ["warning"]}).to_string();
    assert_eq!(site.ask("POST", "/garden", &headers, Some(body.as_bytes())).json()["priority"], 4);
    let body = json!({"topic": "garden", "message": "shut", "priority": "low", "tags": "a,b"}).to_string();
    let told = site.ask("POST", "/", &headers, Some(body.as_bytes())).json();
    assert_eq!(
        (&told["topic"], &told["message"], &told["priority"]),
        (&json!("garden"), &json!("shut"), &json!(2))
    );
    assert_eq!(said(&site, "garden").len(), 2);
}

#[test]
fn what_cannot_be_said_is_refused_with_what_to_do() {
    let site = Served::start();
    let porch = device(&site, "porch", "garden", Rights::Both);
    let (name, token) = bearer(&porch.key);
    let json = ("Content-Type", "application/json");
    let deep = b"{\"text\":".repeat(10_000);
    let cases: [(&str, &str, Vec<u8>, u16, &str); 8] = [
        ("/garden", "text/plain", b"a\xff".to_vec(), 400, "not UTF-8 (at byte 1)"),
        ("/garden", "text/plain", b"a\0b".to_vec(), 400, "NUL"),
        ("/garden", "text/plain", vec![b'x'; 5_001], 400, "5000"),
        ("/garden", "text/plain", vec![b'x'; 200_000], 413, "at most"),
        ("/garden", json.1, b"{\"text\": }".to_vec(), 400, "line 1, column 10"),
        ("/garden", json.1, deep, 400, "recursion"),
        ("/garden", json.1, b"{\"tags\": 7}".to_vec(), 400, "tags are"),
        ("/", "text/plain", b"hello".to_vec(), 400, "name the room"),
    ];
    for (path, kind, body, status, hint) in cases {
        let heard = site.ask("POST", path, &[(name, &token), ("Content-Type", kind)], Some(&body));
        assert!(heard.status == status && heard.text().contains(hint), "{} {}", heard.status, heard.text());
    }
    assert_eq!(said(&site, "garden").len(), 0);
    let heard = site.ask("POST", "/garden", &[(name, &token)], None);
    assert_eq!(heard.json()["message"], "triggered");
}

#[test]
fn a_token_is_known_in_every_place_where_devices_can_put_one() {
    let site = Served::start();
    own(&site);
    let porch = device(&site, "porch", "garden", Rights::Both);
    let encoded = |text: String| format!("Basic {}", base64(text.as_bytes()));
    let basic = encoded(format!(":{}", porch.key));
    let named = encoded(format!("porch:{}", porch.key));
    let lower = format!("bearer {}", porch.key);
    let good: [&[(&str, &str)]; 4] = [
        &[("Authorization", &basic)],
        &[("Authorization", &named)],
        &[("Authorization", &lower)],
        &[("X-Auth-Token", &porch.key), ("X-User-Id", porch.user.id.as_str())],
    ];
    for headers in good {
        assert_eq!(site.ask("POST", "/garden", headers, Some(b"x")).status, 200, "{headers:?}");
    }
    let other = encoded(format!("lamp:{}", porch.key));
    let unknown = encoded(":dv_unknown".to_owned());
    let bad: [&[(&str, &str)]; 6] = [
        &[("Authorization", "Bearer dv_unknown")],
        &[("Authorization", "Digest x")],
        &[("Authorization", "Basic !")],
        &[("Authorization", &other)],
        &[("Authorization", &unknown)],
        &[("X-Auth-Token", &porch.key), ("X-User-Id", "somebody")],
    ];
    for headers in bad {
        let heard = site.ask("POST", "/garden", headers, Some(b"x"));
        let hint = "token unknown: create one with 'linnet device add porch'";
        assert_eq!((heard.status, heard.json()["error"].as_str()), (401, Some(hint)), "{headers:?}");
    }
    assert_eq!(said(&site, "garden").len(), good.len());
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let letter = |bits: u32| LETTERS[(bits & 63) as usize] as char;
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let bits = three.iter().fold(0, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        let letters: String = [18, 12, 6, 0].iter().map(|shift| letter(bits >> shift)).collect();
        text += &format!("{:=<4}", &letters[..=three.len()]);
    }
    text
}
