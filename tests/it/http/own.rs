//! The page's own questions: claiming the node, inviting, guests.

use crate::harness::ask::Heard;
use crate::harness::site::Served;
use linnet::chat::user::Role;
use linnet::node::Caller;
use serde_json::{Value, json};

/// Asks as the page of the browser that holds this cookie.
fn page(site: &Served, cookie: &str, method: &str, path: &str, body: &Value) -> Heard {
    let origin = format!("http://{}", site.address);
    let headers = [("Cookie", cookie), ("Origin", &origin), ("Content-Type", "application/json")];
    let body = body.to_string();
    site.ask(method, path, &headers, (method == "POST").then_some(body.as_bytes()))
}

fn cookie(heard: &Heard) -> String {
    assert_eq!(heard.status, 200, "{}", heard.text());
    let set = heard.header("set-cookie").unwrap();
    for word in ["HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(set.split("; ").any(|part| part == word), "{set}");
    }
    set.split(';').next().unwrap().to_owned()
}

fn claim(site: &Served) -> String {
    let code = site.operator(|node| node.make_owner_code(&Caller::Operator));
    let body = json!({"code": code, "username": "alice", "name": "Alice A.", "password": "a few words"});
    cookie(&page(site, "", "POST", "/api/linnet/claim", &body))
}

#[test]
fn the_code_makes_an_owner_once() {
    let site = Served::start();
    assert_eq!(site.get("/api/linnet/hello").json()["ownerExists"], false);
    let wrong = json!({"code": "abcd-efgh", "username": "mallory", "password": "x"});
    let refused = page(&site, "", "POST", "/api/linnet/claim", &wrong);
    assert_eq!(refused.json()["errorType"], "error-invalid-code");
    let alice = claim(&site);
    let hello = page(&site, &alice, "GET", "/api/linnet/hello", &json!({})).json();
    assert_eq!(hello["ownerExists"], true);
    assert_eq!(hello["me"]["roles"], json!(["admin", "user"]));
    assert_eq!(
        (hello["me"]["username"].as_str(), hello["me"]["name"].as_str()),
        (Some("alice"), Some("Alice A."))
    );
    let again = page(&site, "", "POST", "/api/linnet/claim", &wrong);
    assert_eq!(again.json()["errorType"], "error-owner-exists");
}

#[test]
fn an_invitation_makes_a_user_who_can_come_back() {
    let site = Served::start();
    let alice = claim(&site);
    let link = page(&site, &alice, "POST", "/api/linnet/invite", &json!({})).json()["link"].clone();
    // The one address known to lead here from elsewhere: a link to 127.0.0.1 would help nobody.
    let code = link.as_str().unwrap().strip_prefix("http://192.0.2.1:3000/#inv-").unwrap();
    let body = json!({"code": code, "username": "bob", "password": "other words"});
    let bob = cookie(&page(&site, "", "POST", "/api/linnet/join", &body));
    let me = |cookie: &str| page(&site, cookie, "GET", "/api/linnet/hello", &json!({})).json()["me"].clone();
    assert_eq!(me(&bob)["username"], "bob");
    let left = page(&site, &bob, "POST", "/api/linnet/logout", &json!({}));
    assert!(left.header("set-cookie").unwrap().contains("Max-Age=0"));
    assert_eq!(me(&bob), Value::Null);
    let login = |password: &str| {
        page(&site, "", "POST", "/api/linnet/login", &json!({"user": "bob", "password": password}))
    };
    assert_eq!(me(&cookie(&login("other words")))["username"], "bob");
    let wrong = login("wrong");
    assert_eq!(wrong.status, 401);
    assert!(wrong.json()["error"].as_str().unwrap().contains("linnet user passwd"), "{}", wrong.text());
}

#[test]
fn guests_come_in_when_the_owner_lets_them_and_only_from_near() {
    let site = Served::start();
    let alice = claim(&site);
    let enter = |name: &str| page(&site, "", "POST", "/api/linnet/guest", &json!({"name": name}));
    assert_eq!(enter("Anna").json()["errorType"], "error-guests-not-allowed");
    assert_eq!(site.get("/api/linnet/hello").json()["guests"], false);
    let allow = json!({"access": "lan-guests"});
    assert_eq!(page(&site, &alice, "POST", "/api/linnet/settings", &allow).status, 200);
    let settings = page(&site, &alice, "GET", "/api/linnet/settings", &json!({})).json();
    assert_eq!(settings["access"], "lan-guests");
    let proxied = [("X-Forwarded-For", "203.0.113.9")];
    assert_eq!(site.ask("GET", "/api/linnet/hello", &proxied, None).json()["guests"], false);
    let from_afar = site.ask("POST", "/api/linnet/guest", &proxied, Some(b"{\"name\":\"Eve\"}"));
    assert_eq!(from_afar.json()["errorType"], "error-guests-not-allowed");
    for becomes in ["Anna", "Anna2", "Anna3"] {
        let cookie = cookie(&enter("Anna"));
        let me = page(&site, &cookie, "GET", "/api/linnet/hello", &json!({})).json()["me"].clone();
        assert_eq!((me["username"].as_str(), me["name"].as_str()), (Some(becomes), Some("Anna")));
        assert_eq!(me["roles"], json!(["guest"]));
        let forbidden = page(&site, &cookie, "POST", "/api/linnet/settings", &allow);
        assert_eq!(forbidden.status, 403, "{}", forbidden.text());
    }
}

#[test]
fn only_an_admin_changes_who_may_come_in() {
    let site = Served::start();
    let bob = site.person("bob", &[Role::User]);
    let answer = site.post_as(&bob, "/api/linnet/settings", &json!({"access": "lan-guests"}));
    assert_eq!((answer.status, answer.json()["errorType"].as_str()), (403, Some("error-unauthorized")));
    crate::harness::golden::check("http/forbidden", &answer.json());
    let alice = site.person("alice", &[Role::Admin, Role::User]);
    let unknown = site.post_as(&alice, "/api/linnet/settings", &json!({"access": "everybody"}));
    assert_eq!((unknown.status, unknown.json()["errorType"].as_str()), (400, Some("invalid-params")));
}
