//! Users: made, changed, found, and let in by invitation.

use super::{Cast, names};
use linnet::chat::user::Role;
use serde_json::{Value, json};

#[test]
fn an_account_lives_from_its_making_to_its_end() {
    let cast = Cast::begin();
    let alice = &cast.alice;
    let new = json!({ "username": "carol", "name": "Carol C.", "email": "carol@example.org", "password": "a b c",
        "customFields": { "shift": "night" } });
    assert_eq!(cast.refused(&cast.bob, "users.create", new.clone()).0, 403);
    let made = cast.post(alice, "users.create", new.clone());
    let user = &made["user"];
    assert_eq!(
        (&user["name"], &user["emails"][0]["address"]),
        (&json!("Carol C."), &json!("carol@example.org"))
    );
    assert_eq!(user["customFields"]["shift"], "night");
    let id = user["_id"].as_str().unwrap();
    assert_eq!(cast.refused(alice, "users.create", new), (400, "error-field-unavailable".into()));
    let login = cast.served.post("/api/v1/login", &json!({ "user": "carol", "password": "a b c" })).json();
    assert_eq!(login["data"]["userId"], id, "{login}");
    let seen = cast.get(&cast.bob, "users.info?username=carol");
    assert_eq!((&seen["user"]["_id"], &seen["user"]["emails"]), (&json!(id), &Value::Null));
    let update = |data: Value| json!({ "userId": id, "data": data });
    let refused = cast.refused(&cast.bob, "users.update", update(json!({ "name": "X" })));
    assert_eq!(refused, (400, "error-action-not-allowed".into()));
    let changed = cast.post(
        alice,
        "users.update",
        update(json!({ "name": "Caro", "roles": ["user", "bot"], "bio": "b" })),
    );
    assert_eq!((&changed["user"]["roles"], &changed["user"]["bio"]), (&json!(["user", "bot"]), &json!("b")));
    assert_eq!(
        cast.refused(alice, "users.update", update(json!({ "roles": ["device"] }))).1,
        "error-invalid-roles"
    );
    cast.post(alice, "users.setActiveStatus", json!({ "userId": id, "activeStatus": false }));
    let login = cast.served.post("/api/v1/login", &json!({ "user": "carol", "password": "a b c" }));
    assert_eq!(login.status, 401);
    assert_eq!(cast.refused(&cast.bob, "users.delete", json!({ "userId": id })).0, 403);
    cast.post(alice, "users.delete", json!({ "userId": id }));
    let gone = cast.not_found(&cast.bob, "users.info?username=carol");
    assert_eq!(gone, (400, "User not found.".into()));
    assert_eq!(cast.not_found(&cast.bob, "users.info").1, "error-user-param-not-provided");
}

#[test]
fn people_change_what_is_theirs() {
    let cast = Cast::begin();
    let dora = cast.served.person_with_password("dora", &[Role::User], "old one");
    let data = json!({ "data": { "name": "Dora D.", "statusText": "digging", "roles": ["admin"] } });
    let changed = cast.post(&dora, "users.updateOwnBasicInfo", data);
    assert_eq!((&changed["user"]["name"], &changed["user"]["roles"]), (&json!("Dora D."), &json!(["user"])));
    let new = |current: &str| json!({ "data": { "currentPassword": current, "newPassword": "new one" } });
    assert_eq!(cast.refused(&dora, "users.updateOwnBasicInfo", new("wrong")).0, 400);
    cast.post(&dora, "users.updateOwnBasicInfo", new("old one"));
    let login = cast.served.post("/api/v1/login", &json!({ "user": "dora", "password": "new one" }));
    assert_eq!(login.status, 200);
    let long = json!({ "data": { "bio": "x".repeat(261) } });
    assert_eq!(cast.refused(&dora, "users.updateOwnBasicInfo", long).1, "error-bio-size-exceeded");
    cast.post(&dora, "users.setStatus", json!({ "status": "busy", "message": "weeding" }));
    let status = cast.get(&cast.bob, "users.getStatus?username=dora");
    // Nobody listens for dora, whatever she said about herself.
    assert_eq!((&status["status"], &status["message"]), (&json!("offline"), &json!("weeding")));
    assert_eq!(cast.refused(&dora, "users.setStatus", json!({ "status": "gone" })).1, "error-invalid-status");
    let other = json!({ "username": "bob", "status": "away" });
    assert_eq!(cast.refused(&dora, "users.setStatus", other).0, 403);
    assert_eq!(cast.get(&dora, "users.getPresence?username=bob")["presence"], "offline");
    let present = cast.get(&dora, &format!("users.presence?ids={},nobody", cast.bob.id));
    assert_eq!((names(&present["users"], "username"), &present["full"]), (vec!["bob"], &json!(false)));
    let set = cast.post(&dora, "users.setPreferences", json!({ "data": { "sendOnEnter": "alternative" } }));
    assert_eq!(set["user"]["settings"]["preferences"]["sendOnEnter"], "alternative");
    let kept = cast.get(&dora, "users.getPreferences");
    assert_eq!(
        (&kept["preferences"]["sendOnEnter"], &kept["preferences"]["useEmojis"]),
        (&json!("alternative"), &json!(true))
    );
    assert_eq!(cast.get(&dora, "users.getStatus")["message"], "weeding");
    let other = json!({ "userId": cast.bob.id.as_str(), "data": { "language": "de" } });
    assert_eq!(cast.refused(&dora, "users.setPreferences", other).1, "error-action-not-allowed");
}

#[test]
fn tokens_are_made_told_once_and_taken_back() {
    let cast = Cast::begin();
    let bob = &cast.bob;
    let named = json!({ "tokenName": "cron" });
    let made = cast.post(bob, "users.generatePersonalAccessToken", named.clone());
    let use_token = |token: &Value| {
        let headers = [("X-Auth-Token", token.as_str().unwrap()), ("X-User-Id", bob.id.as_str())];
        cast.served.ask("GET", "/api/v1/me", &headers, None).status
    };
    assert_eq!(use_token(&made["token"]), 200);
    let twice = cast.refused(bob, "users.generatePersonalAccessToken", named.clone());
    assert_eq!(twice, (400, "error-token-already-exists".into()));
    let listed = cast.get(bob, "users.getPersonalAccessTokens");
    assert_eq!(names(&listed["tokens"], "name"), ["cron"]);
    assert!(!listed.to_string().contains(made["token"].as_str().unwrap()), "a token is told once");
    let again = cast.post(bob, "users.regeneratePersonalAccessToken", named.clone());
    assert_eq!((use_token(&made["token"]), use_token(&again["token"])), (401, 200));
    cast.post(bob, "users.removePersonalAccessToken", named.clone());
    assert_eq!(use_token(&again["token"]), 401);
    assert_eq!(cast.refused(bob, "users.removePersonalAccessToken", named).1, "error-token-does-not-exists");
    let for_bob = cast.post(&cast.alice, "users.createToken", json!({ "username": "bob" }));
    assert_eq!(use_token(&for_bob["data"]["authToken"]), 200);
    assert_eq!(cast.refused(bob, "users.createToken", json!({ "username": "alice" })).0, 403);
}

#[test]
fn an_invitation_lets_in_whoever_has_its_code() {
    let cast = Cast::begin();
    let made = cast.post(&cast.bob, "groups.create", json!({ "name": "shed" }));
    let rid = made["group"]["_id"].as_str().unwrap();
    let wanted = json!({ "rid": rid, "days": 1, "maxUses": 5 });
    assert_eq!(cast.refused(&cast.mallory, "findOrCreateInvite", wanted.clone()).1, "error-room-not-found");
    let invite = cast.post(&cast.bob, "findOrCreateInvite", wanted);
    let code = invite["_id"].as_str().unwrap();
    assert!(invite["url"].as_str().unwrap().ends_with(&format!("/#inv-{code}")));
    assert_eq!(cast.refused(&cast.bob, "findOrCreateInvite", json!({ "rid": rid, "days": 3 })).0, 400);
    let valid = |code: &str| {
        cast.served.post("/api/v1/validateInviteToken", &json!({ "token": code })).json()["valid"].clone()
    };
    assert_eq!((valid(code), valid("aaaa-bbbb-cccc-dd")), (json!(true), json!(false)));
    let new = json!({ "username": "erin", "pass": "secret words", "name": "Erin", "email": "e@example.org" });
    let uninvited = cast.served.post("/api/v1/users.register", &new);
    assert_eq!((uninvited.status, uninvited.json()["success"].clone()), (400, json!(false)));
    let mut invited = new.clone();
    invited["secretURL"] = code.into();
    let registered = cast.served.post("/api/v1/users.register", &invited).json();
    assert_eq!(registered["user"]["username"], "erin", "{registered}");
    let twice = cast.served.post("/api/v1/users.register", &invited).json();
    assert_eq!(twice["error"], "Username is already in use");
    let members = cast.get(&cast.bob, &format!("groups.members?roomId={rid}"));
    assert_eq!(names(&members["members"], "username"), ["bob", "erin"]);
    let entered = cast.post(&cast.mallory, "useInviteToken", json!({ "token": code }));
    assert_eq!((&entered["room"]["rid"], &entered["room"]["t"]), (&json!(rid), &json!("p")));
    let listed = cast.get(&cast.bob, "listInvites");
    assert_eq!(listed[0]["uses"], 2);
    assert_eq!(cast.get(&cast.mallory, "listInvites"), json!([]));
    let path = format!("/api/v1/removeInvite/{}", listed[0]["_id"].as_str().unwrap());
    assert_eq!(cast.served.ask("DELETE", &path, &cast.mallory.headers(), None).status, 403);
    assert_eq!(cast.served.ask("DELETE", &path, &cast.bob.headers(), None).text(), "true");
    assert_eq!(valid(code), json!(false));
}

#[test]
fn people_and_rooms_are_found_by_what_is_typed() {
    let cast = Cast::begin();
    cast.post(&cast.bob, "groups.create", json!({ "name": "bobs-secret" }));
    let found = cast.get(&cast.mallory, "spotlight?query=bo");
    assert_eq!((names(&found["users"], "username"), &found["rooms"]), (vec!["bob"], &json!([])));
    assert_eq!(names(&cast.get(&cast.mallory, "spotlight?query=%23gen")["rooms"], "name"), ["general"]);
    let users = cast.get(&cast.mallory, "users.list?count=2&offset=1");
    assert_eq!((names(&users["users"], "username"), &users["total"]), (vec!["bob", "mallory"], &json!(3)));
    let typed =
        "users.autocomplete?selector=%7B%22term%22%3A%22a%22%2C%22exceptions%22%3A%5B%22mallory%22%5D%7D";
    assert_eq!(names(&cast.get(&cast.bob, typed)["items"], "username"), ["alice"]);
    assert_eq!(cast.not_found(&cast.bob, "users.autocomplete?selector=x").1, "error-invalid-query");
    let channels =
        cast.get(&cast.bob, "directory?query=%7B%22type%22%3A%22channels%22%2C%22text%22%3A%22%22%7D");
    assert_eq!(names(&channels["result"], "name"), ["general"]);
    assert_eq!(cast.get(&cast.bob, "directory?type=users&text=ali")["total"], 1);
    assert_eq!(cast.get(&cast.bob, "directory?type=teams")["result"], json!([]));
    assert_eq!(cast.not_found(&cast.bob, "directory?type=wishes").0, 400);
    let roles = cast.get(&cast.bob, "roles.list");
    assert!(names(&roles["roles"], "_id").contains(&"owner"));
    let permissions = cast.get(&cast.bob, "permissions.listAll");
    assert!(names(&permissions["update"], "_id").contains(&"create-c"));
    assert_eq!(cast.get(&cast.bob, "commands.list")["commands"], json!([]));
    assert_eq!(cast.get(&cast.bob, "emoji-custom.list")["emojis"], json!({ "update": [], "remove": [] }));
}
