//! Logging in and out, and how a caller shows who they are.

use crate::harness::golden::check;
use crate::harness::site::{Person, Served};
use linnet::chat::user::Role;
use serde_json::{Value, json};

const PASSWORD: &str = "correct horse";

fn with_bob() -> (Served, Person) {
    let site = Served::start();
    let bob = site.person_with_password("bob", &[Role::User], PASSWORD);
    (site, bob)
}

fn me_with(site: &Served, headers: &[(&str, &str)]) -> u16 {
    site.ask("GET", "/api/v1/me", headers, None).status
}

#[test]
fn every_form_of_a_password_login_is_understood() {
    let (site, bob) = with_bob();
    let digest = sha256(PASSWORD);
    let bodies = [
        json!({"user": "bob", "password": PASSWORD}),
        json!({"username": "BOB", "password": PASSWORD}),
        json!({"user": {"username": "bob"}, "password": {"digest": digest, "algorithm": "sha-256"}}),
        json!({"user": "bob", "password": {"hashed": digest}}),
        json!({"totp": {"code": "1", "login": {"user": {"username": "bob"}, "password": PASSWORD}}}),
        json!({"payload": json!({"user": "bob", "password": PASSWORD}).to_string()}),
        json!({"resume": bob.token}),
    ];
    for body in &bodies {
        let answer = site.post("/api/v1/login", body);
        assert_eq!(answer.status, 200, "{body}: {}", answer.text());
        let data = &answer.json()["data"];
        let token = data["authToken"].as_str().unwrap();
        assert_eq!(data["userId"], bob.id.as_str());
        assert_eq!(me_with(&site, &[("X-Auth-Token", token), ("X-User-Id", bob.id.as_str())]), 200);
    }
    let form = format!("username=bob&password={}", PASSWORD.replace(' ', "+"));
    let kind = ("Content-Type", "application/x-www-form-urlencoded");
    assert_eq!(site.ask("POST", "/api/v1/login", &[kind], Some(form.as_bytes())).status, 200);
}

#[test]
fn the_answer_to_a_login_has_the_shape_clients_read() {
    let (site, bob) = with_bob();
    let mut answer = site.post("/api/v1/login", &json!({"user": "bob", "password": PASSWORD})).json();
    assert_eq!(answer["data"]["authToken"].as_str().unwrap().len(), 43);
    let mut me = site.get_as(&bob, "/api/v1/me").json();
    assert_eq!(me["success"], true);
    me.as_object_mut().unwrap().remove("success");
    assert_eq!(answer["data"]["me"], me);
    answer["data"] = json!({"keys": answer["data"].as_object().unwrap().keys().collect::<Vec<_>>()});
    check("http/login", &answer);
}

#[test]
fn wrong_logins_are_told_apart_by_nobody() {
    let (site, _) = with_bob();
    let wrong = site.post("/api/v1/login", &json!({"user": "bob", "password": "wrong"}));
    let unknown = site.post("/api/v1/login", &json!({"user": "nobody", "password": "wrong"}));
    assert_eq!((wrong.status, unknown.status), (401, 401));
    assert_eq!(wrong.json(), unknown.json());
    check("http/login-wrong", &wrong.json());
    for (body, status) in [
        (json!({"user": "bob", "password": ""}), 401),
        (json!({"resume": "x"}), 401),
        (json!({"ldap": true, "username": "bob", "ldapPass": "x"}), 400),
        (json!({"user": "bob"}), 400),
        (json!({}), 400),
        (json!([1]), 400),
    ] {
        assert_eq!(site.post("/api/v1/login", &body).status, status, "{body}");
    }
}

#[test]
fn wrong_passwords_make_the_next_try_wait() {
    let site = Served::start_with(|_| ());
    site.person_with_password("bob", &[Role::User], PASSWORD);
    for _ in 0..5 {
        let wrong = site.post("/api/v1/login", &json!({"user": "bob", "password": "wrong"}));
        assert_eq!(wrong.json()["message"], "Unauthorized");
    }
    let blocked = site.post("/api/v1/login", &json!({"user": "bob", "password": PASSWORD}));
    assert_eq!(blocked.status, 401);
    assert_eq!(blocked.json()["error"], "error-login-blocked-for-user");
    let page = site.post("/api/linnet/login", &json!({"user": "Bob", "password": PASSWORD}));
    assert_eq!((page.status, page.json()["error"].clone()), (401, json!("error-login-blocked-for-user")));
}

#[test]
fn token_and_user_must_belong_together() {
    let (site, bob) = with_bob();
    let alice = site.person("alice", &[Role::Admin, Role::User]);
    let bearer = format!("Bearer {}", bob.token);
    assert_eq!(me_with(&site, &[("Authorization", &bearer)]), 200);
    let id = bob.id.as_str();
    let cases: [&[(&str, &str)]; 5] = [
        &[],
        &[("X-Auth-Token", &bob.token)],
        &[("X-User-Id", id)],
        &[("X-Auth-Token", &bob.token), ("X-User-Id", alice.id.as_str())],
        &[("X-Auth-Token", "wrong"), ("X-User-Id", id)],
    ];
    for headers in cases {
        assert_eq!(me_with(&site, headers), 401, "{headers:?}");
    }
    check("http/not-logged-in", &site.get("/api/v1/me").json());
    check("http/token-unknown", &site.ask("GET", "/api/v1/me", cases[4], None).json());
}

#[test]
fn whoever_left_is_out() {
    let (site, bob) = with_bob();
    let left = site.post_as(&bob, "/api/v1/logout", &json!({}));
    check("http/logout", &left.json());
    assert_eq!(site.get_as(&bob, "/api/v1/me").status, 401);
    assert_eq!(site.post("/api/v1/login", &json!({"resume": bob.token})).status, 401);
}

#[test]
fn the_cookie_counts_only_for_the_page_itself() {
    let site = Served::start();
    let alice = site.person_with_password("alice", &[Role::Admin, Role::User], PASSWORD);
    let cookie = format!("other=1; linnet_session={}", alice.token);
    let cookie = ("Cookie", cookie.as_str());
    let own = format!("http://{}", site.address);
    let other_port = "http://127.0.0.1:1";
    let settings = |headers: &[(&str, &str)]| {
        let headers: Vec<_> = headers.iter().copied().chain([cookie]).collect();
        site.ask("POST", "/api/linnet/invite", &headers, Some(b"{}")).status
    };
    assert_eq!(me_with(&site, &[cookie]), 200);
    assert_eq!(me_with(&site, &[cookie, ("Sec-Fetch-Site", "same-origin")]), 200);
    for elsewhere in ["cross-site", "same-site", "\u{e9}"] {
        assert_eq!(me_with(&site, &[cookie, ("Sec-Fetch-Site", elsewhere)]), 401, "{elsewhere}");
    }
    assert_eq!(settings(&[("Origin", &own)]), 200);
    assert_eq!(settings(&[("Sec-Fetch-Site", "same-origin")]), 200);
    assert_eq!(settings(&[]), 401);
    assert_eq!(settings(&[("Sec-Fetch-Site", "none")]), 401);
    assert_eq!(settings(&[("Origin", other_port)]), 403);
    assert_eq!(settings(&[("Origin", "null")]), 403);
    // An image elsewhere cannot log anybody out.
    assert_eq!(site.ask("GET", "/api/v1/logout", &[cookie], None).status, 405);
    assert_eq!(me_with(&site, &[cookie]), 200);
}

fn sha256(text: &str) -> String {
    use sha2::Digest;
    sha2::Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn me_is_the_person_who_asks() {
    let (site, bob) = with_bob();
    let me: Value = site.get_as(&bob, "/api/v1/me").json();
    assert_eq!(
        (me["_id"].as_str(), me["username"].as_str()),
        (Some(bob.id.as_str()), Some(bob.username.as_str()))
    );
    assert_eq!(me["avatarUrl"], format!("http://{}/avatar/bob", site.address));
    assert!(!me.to_string().contains("argon2"), "the hash of a password is nobody's business");
}
