//! Who may post and listen where; and who may without a token.

use super::{Stream, bearer, device, own, said};
use crate::harness::site::Served;
use linnet::chat::name::Name;
use linnet::chat::room::{Room, RoomKind};
use linnet::chat::user::Role;
use linnet::node::Caller;
use linnet::node::devices::Rights;
use linnet::node::rooms::NewRoom;
use serde_json::json;

#[test]
fn a_device_posts_and_reads_where_it_is_bound_and_nowhere_else() {
    let site = Served::start();
    let both = device(&site, "porch", "garden", Rights::Both);
    let posts = device(&site, "lamp", "garden", Rights::Post);
    let reads = device(&site, "display", "garden", Rights::Read);
    let new = NewRoom::named(RoomKind::Public, Name::fixed("greenhouse"));
    site.operator(move |node| node.create_room(&Caller::Operator, new));
    for (device, room, may_post, may_read) in [
        (&both, "garden", 200, 200),
        (&both, "greenhouse", 404, 404),
        (&both, "general", 404, 404),
        (&both, "nowhere", 404, 404),
        (&posts, "garden", 200, 403),
        (&reads, "garden", 403, 200),
        (&reads, "greenhouse", 404, 404),
    ] {
        let (name, token) = bearer(&device.key);
        let (name, token) = (name, token.as_str());
        let posted = site.ask("POST", &format!("/{room}"), &[(name, token)], Some(b"x"));
        let read = site.ask("GET", &format!("/{room}/json?poll=1"), &[(name, token)], None);
        let who = &device.user.username;
        assert_eq!((posted.status, read.status), (may_post, may_read), "{who} in #{room}: {}", posted.text());
    }
    for room in ["greenhouse", "general"] {
        assert_eq!(said(&site, room).len(), 0, "#{room}");
    }
}

#[test]
fn a_devices_key_opens_no_other_door() {
    let site = Served::start();
    own(&site);
    let porch = device(&site, "porch", "garden", Rights::Both);
    let lamp = device(&site, "lamp", "greenhouse", Rights::Both);
    let (name, token) = bearer(&porch.key);
    let headers = [(name, token.as_str()), ("Content-Type", "application/json")];
    let post = |path: &str, body: serde_json::Value| {
        let heard = site.ask("POST", path, &headers, Some(body.to_string().as_bytes()));
        heard.status == 200
    };
    let text = |room: &str| json!({"channel": format!("#{room}"), "text": "x"});
    assert!(post("/api/v1/chat.postMessage", text("garden")));
    for room in ["greenhouse", "general"] {
        assert!(!post("/api/v1/chat.postMessage", text(room)), "#{room}");
        assert_eq!(said(&site, room).len(), 0);
    }
    for (path, body) in [
        ("/api/v1/channels.create", json!({"name": "new"})),
        ("/api/v1/channels.join", json!({"roomId": lamp.room.id.as_str()})),
        ("/api/v1/channels.invite", json!({"roomId": "GENERAL", "userId": porch.user.id.as_str()})),
        ("/api/v1/channels.archive", json!({"roomId": porch.room.id.as_str()})),
        ("/api/v1/im.create", json!({"username": "alice"})),
        ("/api/v1/users.createToken", json!({"userId": porch.user.id.as_str()})),
        ("/api/v1/users.generatePersonalAccessToken", json!({"tokenName": "mine"})),
        ("/api/v1/users.delete", json!({"userId": lamp.user.id.as_str()})),
        ("/api/v1/findOrCreateInvite", json!({"rid": porch.room.id.as_str(), "days": 1, "maxUses": 1})),
    ] {
        assert!(!post(path, body), "{path}");
    }
    for path in ["/api/v1/users.list", "/api/v1/channels.history?roomId=GENERAL"] {
        let heard = site.ask("GET", path, &headers, None);
        assert_ne!(heard.status, 200, "{path} {}", heard.text());
    }
}

#[test]
fn a_member_posts_and_reads_in_a_private_room_and_a_stranger_does_not_find_it() {
    let site = Served::start();
    let alice = site.person("alice", &[Role::Admin, Role::User]);
    let mallory = site.person("mallory", &[Role::User]);
    let caller = alice.caller();
    let new = NewRoom::named(RoomKind::Private, Name::fixed("workshop"));
    site.operator(move |node| node.create_room(&caller, new));
    for (person, status) in [(&alice, 200), (&mallory, 404)] {
        let headers = person.headers();
        assert_eq!(site.ask("POST", "/workshop", &headers, Some(b"x")).status, status);
        assert_eq!(site.ask("GET", "/workshop/json?poll=1", &headers, None).status, status);
    }
}

#[test]
fn without_a_token_only_this_machine_posts_in_general_until_somebody_owns_the_node() {
    let site = Served::start();
    device(&site, "porch", "garden", Rights::Both);
    let heard = site.ask("POST", "/general", &[], Some(b"hello from the shell"));
    assert_eq!(heard.status, 200, "{}", heard.text());
    let message = &said(&site, "general")[0];
    assert_eq!(message.author.username.as_str(), "linnet");
    assert_eq!(message.guise.as_ref().unwrap().alias, "shell");
    let own_origin = format!("http://{}", site.address);
    for header in [
        ("Origin", own_origin.as_str()),
        ("Origin", "http://evil.example"),
        ("Referer", "http://evil.example/"),
        ("Sec-Fetch-Site", "cross-site"),
        ("Sec-Fetch-Mode", "no-cors"),
        ("Forwarded", "for=192.0.2.1"),
        ("X-Forwarded-For", "192.0.2.1"),
        ("X-Forwarded-Proto", "https"),
        ("X-Real-IP", "192.0.2.1"),
        ("Via", "1.1 proxy"),
        ("Authorization", "Bearer dv_unknown"),
    ] {
        let heard = site.ask("POST", "/general", &[header], Some(b"x"));
        // Another site's page is turned away before anything is looked at.
        let status = if header.1 == "http://evil.example" { 403 } else { 401 };
        assert_eq!(heard.status, status, "{header:?} {}", heard.text());
    }
    for path in ["/garden", "/nowhere", "/general/json", "/general/json?poll=1"] {
        let method = if path.contains("json") { "GET" } else { "POST" };
        let heard = site.ask(method, path, &[], None);
        assert!(
            heard.status == 401 && heard.text().contains("a token is missing"),
            "{path} {}",
            heard.text()
        );
    }
    own(&site);
    let heard = site.ask("POST", "/general", &[], Some(b"x"));
    assert!(heard.status == 401 && heard.text().contains("linnet device add"), "{}", heard.text());
    let texts: Vec<_> =
        said(&site, Room::GENERAL.as_str()).iter().map(|m| m.text.as_str().to_owned()).collect();
    assert_eq!(texts, ["hello from the shell"]);
}

#[test]
fn only_a_key_that_can_do_nothing_but_read_may_stand_in_an_address() {
    let site = Served::start();
    let alice = site.person("alice", &[Role::Admin, Role::User]);
    let reads = device(&site, "display", "garden", Rights::Read);
    let both = device(&site, "porch", "garden", Rights::Both);
    for form in ["json", "sse"] {
        let open = Stream::open(&site, &format!("/garden/{form}?auth={}", reads.key), None);
        assert_eq!(open.status, 200);
        for (token, status) in [(&alice.token, 403), (&both.key, 403), (&"dv_unknown".to_owned(), 401)] {
            let heard = site.get(&format!("/garden/{form}?auth={token}&poll=1"));
            assert_eq!(heard.status, status, "{}", heard.text());
        }
    }
    // In an address it is for listening alone, and what stands there counts.
    assert_eq!(site.ask("POST", &format!("/garden?auth={}", both.key), &[], Some(b"x")).status, 401);
    let (name, token) = bearer(&reads.key);
    let heard = site.ask("GET", "/garden/json?poll=1&auth=dv_unknown", &[(name, &token)], None);
    assert_eq!(heard.status, 401);
}
