//! What the door answers to everybody.

use crate::harness::golden::check;
use crate::harness::site::Served;
use linnet::chat::user::Role;
use serde_json::json;

#[test]
fn a_stranger_learns_that_this_is_a_chat_node() {
    let site = Served::start();
    for path in ["/api/info", "/api/v1/info"] {
        let info = site.get(path);
        assert_eq!((info.status, info.header("content-type")), (200, Some("application/json")));
        check("http/info-stranger", &info.json());
    }
    let alice = site.person("alice", &[Role::Admin, Role::User]);
    let full = site.get_as(&alice, "/api/info").json();
    let brief = site.get("/api/info").json();
    let version = full["info"]["version"].as_str().unwrap();
    assert!(version.starts_with(brief["version"].as_str().unwrap()) && version.split('.').count() == 3);
}

#[test]
fn settings_come_whole_by_name_and_by_query() {
    let site = Served::start();
    let all = site.get("/api/v1/settings.public").json();
    assert_eq!(all["count"], all["total"]);
    assert!(all["total"].as_u64().unwrap() > 50);
    for some in [
        "/api/v1/settings.public?_id=Site_Name,Site_Url",
        "/api/v1/settings.public?query=%7B%22_id%22%3A%7B%22%24in%22%3A%5B%22Site_Name%22%2C%22Site_Url%22%5D%7D%7D",
    ] {
        let mut settings = site.get(some).json();
        assert_eq!(settings["settings"][1]["value"], format!("http://{}", site.address));
        settings["settings"][1]["value"] = json!("http://HOST");
        check("http/settings-public", &settings);
    }
    let page = site.get("/api/v1/settings.public?offset=2&count=3").json();
    assert_eq!((page["count"].as_u64(), page["offset"].as_u64()), (Some(3), Some(2)));
    assert_eq!(site.get("/api/v1/settings.public?query=x").json()["errorType"], "error-invalid-query");
}

#[test]
fn the_page_and_its_files_come_with_a_strict_policy_and_once() {
    let site = Served::start();
    for path in ["/", "/app/js/main.js", "/app/icon.svg"] {
        let first = site.get(path);
        assert_eq!(first.status, 200, "{path}");
        let policy = first.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'; script-src 'self'"), "{policy}");
        assert_eq!(first.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(first.header("referrer-policy"), Some("no-referrer"));
        let etag = first.header("etag").unwrap();
        let again = site.ask("GET", path, &[("If-None-Match", etag)], None);
        assert_eq!((again.status, again.body.len()), (304, 0), "{path}");
    }
    assert_eq!(site.get("/app/../Cargo.toml").status, 404);
    assert_eq!(site.get("/app/no.js").status, 404);
    let head = site.ask("HEAD", "/health", &[], None);
    assert_eq!((head.status, head.header("content-type")), (200, Some("application/json")));
}

#[test]
fn a_picture_holds_no_markup_of_its_name() {
    let site = Served::start();
    let picture = site.get("/avatar/%3Cscript%3E.bob?size=50");
    assert_eq!((picture.status, picture.header("content-type")), (200, Some("image/svg+xml")));
    assert!(!picture.text().contains("script") && picture.text().contains(">SB<"));
}

#[test]
fn limits_hold_outside_of_test_mode_and_say_when_they_end() {
    let site = Served::start_with(|_| ());
    let first = site.get("/api/info");
    assert_eq!(first.header("x-ratelimit-limit"), Some("200"));
    assert!(first.header("x-ratelimit-reset").unwrap().parse::<u64>().unwrap() > 1_600_000_000_000);
    let tries = (0..200).map(|_| site.post("/api/v1/login", &json!({"resume": "no such token"})));
    let limited = tries.into_iter().find(|answer| answer.status == 429).expect("a limit was reached");
    let mut body = limited.json();
    let text = body["error"].as_str().unwrap().replace("wait 1 seconds", "wait N seconds");
    body["error"] = text.into();
    check("http/too-many-requests", &body);
    assert_eq!(site.get("/api/info").status, 200, "reading is another bucket");
    let lifted = Served::start();
    assert_eq!(lifted.get("/api/info").header("x-ratelimit-limit"), None);
}
