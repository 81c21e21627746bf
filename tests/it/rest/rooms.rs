//! Rooms from their making to their end.

use super::{Cast, names, texts};
use serde_json::json;

#[test]
fn a_channel_lives_from_its_making_to_its_end() {
    let cast = Cast::begin();
    let (alice, bob) = (&cast.alice, &cast.bob);
    let made = cast.post(
        bob,
        "channels.create",
        json!({ "name": "greenhouse", "members": ["alice"],
        "customFields": { "bed": 3 } }),
    );
    let channel = &made["channel"];
    assert_eq!(
        (&channel["name"], &channel["t"], &channel["usersCount"]),
        (&json!("greenhouse"), &json!("c"), &json!(2))
    );
    assert_eq!(channel["customFields"]["bed"], 3);
    let id = channel["_id"].as_str().unwrap();
    assert_eq!(
        cast.refused(bob, "channels.create", json!({ "name": "Greenhouse" })),
        (400, "error-duplicate-channel-name".into())
    );
    assert_eq!(
        cast.refused(bob, "channels.create", json!({ "name": "a/b" })),
        (400, "error-invalid-room-name".into())
    );
    assert_eq!(
        cast.refused(bob, "channels.create", json!({})),
        (400, "Body param \"name\" is required".into())
    );
    for (name, key) in [("setTopic", "topic"), ("setPurpose", "purpose"), ("setAnnouncement", "announcement")]
    {
        let told = cast.post(bob, &format!("channels.{name}"), json!({ "roomId": id, key: "tomatoes" }));
        assert_eq!(told[key], "tomatoes");
    }
    assert_eq!(cast.post(bob, "channels.setTopic", json!({ "roomId": id, "topic": "" }))["topic"], "");
    let renamed = cast.post(bob, "channels.rename", json!({ "roomId": id, "name": "glasshouse" }));
    assert_eq!(renamed["channel"]["name"], "glasshouse");
    let same = cast.refused(bob, "channels.rename", json!({ "roomId": id, "name": "glasshouse" }));
    assert_eq!(same.1, "The channel name is the same as what it would be renamed to.");
    let info = cast.get(alice, "channels.info?roomName=glasshouse");
    assert_eq!(info["channel"]["description"], "tomatoes");
    let listed = cast.get(&cast.mallory, "channels.list?count=1&offset=1");
    assert_eq!((&listed["total"], &listed["count"], &listed["offset"]), (&json!(2), &json!(1), &json!(1)));
    assert_eq!(names(&listed["channels"], "name"), ["glasshouse"]);
    cast.post(&cast.mallory, "channels.join", json!({ "roomId": id }));
    let joined = cast.get(&cast.mallory, "channels.list.joined");
    assert_eq!(names(&joined["channels"], "name"), ["general", "glasshouse"]);
    let closed = json!({ "roomId": id });
    cast.post(bob, "channels.archive", closed.clone());
    let silent = cast.refused(alice, "chat.postMessage", json!({ "roomId": id, "text": "anyone?" }));
    assert_eq!(silent, (400, "error-room-archived".into()));
    cast.post(bob, "channels.unarchive", closed.clone());
    assert_eq!(cast.refused(&cast.mallory, "channels.delete", closed.clone()).0, 403);
    cast.post(bob, "channels.delete", closed);
    assert_eq!(
        cast.not_found(bob, "channels.info?roomName=glasshouse"),
        (400, "error-room-not-found".into())
    );
}

#[test]
fn a_group_takes_people_in_and_sends_them_out() {
    let cast = Cast::begin();
    let (alice, bob, mallory) = (&cast.alice, &cast.bob, &cast.mallory);
    let made = cast.post(bob, "groups.create", json!({ "name": "shed", "readOnly": false }));
    let id = made["group"]["_id"].as_str().unwrap().to_owned();
    let in_shed = |name: &str| json!({ "roomId": id, "username": name });
    cast.post(bob, "groups.invite", in_shed("mallory"));
    cast.post(mallory, "chat.postMessage", json!({ "channel": "#shed", "text": "let me in" }));
    let members = cast.get(bob, &format!("groups.members?roomId={id}"));
    assert_eq!(
        (names(&members["members"], "username"), &members["total"]),
        (vec!["bob", "mallory"], &json!(2))
    );
    assert_eq!(cast.refused(mallory, "groups.kick", in_shed("bob")).0, 403);
    cast.post(bob, "groups.kick", in_shed("mallory"));
    let post = json!({ "roomId": id, "text": "again" });
    assert_eq!(cast.refused(mallory, "chat.postMessage", post.clone()), (400, "invalid-channel".into()));
    let hidden = cast.not_found(mallory, &format!("groups.history?roomId={id}"));
    assert_eq!(hidden, (400, "error-room-not-found".into()));
    assert_eq!(cast.refused(bob, "groups.kick", in_shed("mallory")), (400, "error-user-not-in-room".into()));
    assert_eq!(cast.refused(bob, "groups.invite", in_shed("nobody")), (400, "error-invalid-user".into()));
    assert_eq!(
        cast.refused(bob, "groups.invite", json!({ "roomId": id })),
        (400, "error-users-params-not-provided".into())
    );
    let ids = json!({ "roomId": id, "userIds": [alice.id.as_str(), mallory.id.as_str()] });
    cast.post(bob, "groups.invite", ids);
    let leave = json!({ "roomId": id });
    assert_eq!(cast.refused(bob, "groups.leave", leave.clone()), (400, "error-you-are-last-owner".into()));
    cast.post(bob, "groups.addOwner", in_shed("alice"));
    cast.post(bob, "groups.addModerator", in_shed("mallory"));
    let roles = cast.get(bob, &format!("groups.roles?roomId={id}"));
    assert_eq!(roles["roles"].as_array().unwrap().len(), 3);
    let moderators = cast.get(bob, &format!("groups.moderators?roomId={id}"));
    assert_eq!(names(&moderators["moderators"], "username"), ["mallory"]);
    cast.post(bob, "groups.leave", leave);
    assert_eq!(names(&cast.get(alice, "groups.list")["groups"], "name"), ["shed"]);
    assert_eq!(names(&cast.get(bob, "groups.list")["groups"], "name"), [] as [&str; 0]);
    let history = cast.get(alice, &format!("groups.history?roomId={id}&count=100"));
    let kinds: Vec<_> =
        history["messages"].as_array().unwrap().iter().map(|message| message["t"].as_str()).collect();
    assert!(kinds.contains(&Some("ru")) && kinds.contains(&Some("subscription-role-added")), "{kinds:?}");
    // A room that becomes public is found among the channels.
    cast.post(alice, "groups.setType", json!({ "roomId": id, "type": "c" }));
    assert_eq!(cast.get(bob, "channels.info?roomName=shed")["channel"]["t"], "c");
    assert_eq!(cast.not_found(alice, &format!("groups.info?roomId={id}")).1, "error-room-not-found");
}

#[test]
fn a_read_only_room_is_its_keepers_to_speak_in() {
    let cast = Cast::begin();
    let made = cast.post(&cast.bob, "channels.create", json!({ "name": "workshop", "members": ["mallory"] }));
    let id = made["channel"]["_id"].as_str().unwrap();
    cast.post(&cast.bob, "channels.setReadOnly", json!({ "roomId": id, "readOnly": true }));
    let same = cast.refused(&cast.bob, "channels.setReadOnly", json!({ "roomId": id, "readOnly": true }));
    assert!(same.1.contains("same as what it would be changed to"), "{same:?}");
    let post = json!({ "roomId": id, "text": "hello" });
    let refused = cast.served.post_as(&cast.mallory, "/api/v1/chat.postMessage", &post).json();
    assert!(refused["error"].as_str().unwrap().contains("because the room is readonly."), "{refused}");
    cast.post(&cast.bob, "chat.postMessage", post);
    let default = json!({ "roomId": id, "default": true });
    assert_eq!(cast.refused(&cast.bob, "channels.setDefault", default.clone()).0, 403);
    assert_eq!(cast.post(&cast.alice, "channels.setDefault", default)["channel"]["default"], true);
}

#[test]
fn two_people_have_one_direct_room() {
    let cast = Cast::begin();
    let (alice, bob) = (&cast.alice, &cast.bob);
    let made = cast.post(bob, "im.create", json!({ "username": "alice" }));
    let again = cast.post(alice, "dm.create", json!({ "usernames": "bob" }));
    assert_eq!(made["room"]["_id"], again["room"]["rid"]);
    let id = made["room"]["_id"].as_str().unwrap();
    assert_eq!(made["room"]["usernames"].as_array().unwrap().len(), 2);
    cast.post(bob, "chat.postMessage", json!({ "channel": "@alice", "text": "psst" }));
    let page = cast.get(alice, &format!("im.messages?roomId={id}"));
    assert_eq!((texts(&page["messages"]), &page["total"]), (vec!["psst"], &json!(1)));
    assert_eq!(texts(&cast.get(alice, "im.history?username=bob")["messages"]), ["psst"]);
    let counters = cast.get(alice, &format!("dm.counters?roomId={id}"));
    assert_eq!(
        (&counters["unreads"], &counters["members"], &counters["joined"]),
        (&json!(1), &json!(2), &json!(true))
    );
    cast.post(alice, "im.close", json!({ "roomId": id }));
    assert!(cast.refused(alice, "im.close", json!({ "roomId": id })).1.contains("already closed"));
    cast.post(alice, "im.open", json!({ "roomId": id }));
    assert_eq!(cast.get(alice, "dm.list")["ims"][0]["_id"], id);
    assert_eq!(cast.post(alice, "im.setTopic", json!({ "roomId": id, "topic": "us" }))["topic"], "us");
    assert_eq!(cast.refused(bob, "im.create", json!({ "username": "nobody" })).1, "error-invalid-user");
    assert_eq!(cast.refused(bob, "rooms.leave", json!({ "roomId": id })).0, 400);
}

#[test]
fn a_client_at_its_start_gets_its_rooms_and_later_only_what_changed() {
    let cast = Cast::begin();
    let bob = &cast.bob;
    cast.post(&cast.alice, "chat.postMessage", json!({ "channel": "general", "text": "morning" }));
    let rooms = cast.get(bob, "rooms.get");
    assert_eq!(names(&rooms["update"], "name"), ["general"]);
    assert_eq!(rooms["update"][0]["lastMessage"]["msg"], "morning");
    let places = cast.get(bob, "subscriptions.get");
    let place = &places["update"][0];
    assert_eq!(
        (&place["rid"], &place["open"], &place["alert"]),
        (&json!("GENERAL"), &json!(true), &json!(true))
    );
    let newest = place["_updatedAt"].as_str().unwrap();
    for family in ["rooms", "subscriptions"] {
        let later = cast.get(bob, &format!("{family}.get?updatedSince={newest}"));
        assert_eq!(later["update"], json!([]), "{family}");
        let bad = cast.not_found(bob, &format!("{family}.get?updatedSince=yesterday"));
        assert_eq!(bad, (400, "error-updatedSince-param-invalid".into()));
    }
    cast.post(bob, "subscriptions.read", json!({ "rid": "GENERAL" }));
    let one = cast.get(bob, "subscriptions.getOne?roomId=GENERAL");
    assert_eq!((&one["subscription"]["unread"], &one["subscription"]["alert"]), (&json!(0), &json!(false)));
    cast.post(bob, "subscriptions.unread", json!({ "roomId": "GENERAL" }));
    let one = cast.get(bob, "subscriptions.getOne?roomId=GENERAL");
    assert_eq!(one["subscription"]["unread"], 1);
    cast.post(bob, "rooms.favorite", json!({ "roomId": "GENERAL", "favorite": true }));
    assert_eq!(cast.get(bob, "subscriptions.getOne?roomId=GENERAL")["subscription"]["f"], true);
    assert_eq!(cast.get(bob, "rooms.info?roomName=general")["room"]["_id"], "GENERAL");
    assert_eq!(cast.get(bob, "rooms.nameExists?roomName=GENERAL")["exists"], true);
    assert_eq!(cast.get(bob, "rooms.nameExists?roomName=attic")["exists"], false);
    assert_eq!(cast.get(bob, "rooms.isMember?roomId=GENERAL&username=alice")["isMember"], true);
    assert_eq!(cast.not_found(bob, "rooms.adminRooms").0, 403);
    let all = cast.get(&cast.alice, "rooms.adminRooms?types[]=c&filter=gen");
    assert_eq!(names(&all["rooms"], "name"), ["general"]);
    let room = json!({ "rid": "GENERAL", "roomTopic": "hi", "roomAnnouncement": "now" });
    assert_eq!(cast.refused(bob, "rooms.saveRoomSettings", room.clone()).0, 403);
    assert_eq!(cast.post(&cast.alice, "rooms.saveRoomSettings", room)["rid"], "GENERAL");
    assert_eq!(cast.get(bob, "rooms.info?roomId=GENERAL")["room"]["announcement"], "now");
    let typed = "rooms.autocomplete.channelAndPrivate?selector=%7B%22name%22%3A%22ner%22%7D";
    assert_eq!(names(&cast.get(bob, typed)["items"], "name"), ["general"]);
}
