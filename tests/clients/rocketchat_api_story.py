"""rocketchat_API as its users know it: logs in, makes rooms, posts, reads, edits, invites, leaves."""

import sys

from rocketchat_API.APIExceptions.RocketExceptions import RocketApiException, RocketAuthenticationException
from rocketchat_API.rocketchat import RocketChat

from steps import end, step

URL, USER, PASSWORD = sys.argv[1:4]
BOB = {"email": "bob@example.org", "name": "Bob B.", "password": "bobs own words", "username": "bob"}


def refused(error_type, call, *args, **kwargs):
    """The call is refused with this error."""
    try:
        call(*args, **kwargs)
    except RocketApiException as error:
        assert error_type in str(error), error
        return
    raise AssertionError(f"{call.__name__} was not refused")


def people():
    """The admin, and bob, whom the admin adds."""
    with step("a wrong password is turned away"):
        try:
            RocketChat(USER, "not " + PASSWORD, server_url=URL)
            raise AssertionError("it was let in")
        except RocketAuthenticationException:
            pass
    with step("the admin logs in and sees themselves"):
        admin = RocketChat(USER, PASSWORD, server_url=URL)
        me = admin.me()
        assert me["username"] == USER and "admin" in me["roles"], me
        assert "version" in admin.info()
    with step("bob is added and logs in"):
        made = admin.users_create(**BOB)
        assert made["user"]["username"] == "bob", made
        refused("error-field-unavailable", admin.users_create, **BOB)
        bob = RocketChat("bob", BOB["password"], server_url=URL)
        assert admin.users_info(username="bob")["user"]["_id"] == bob.me()["_id"]
        assert {"bob", USER} <= {user["username"] for user in admin.users_list()}
    return admin, bob


def channel(admin, bob):
    """A channel with talk in it."""
    with step("bob makes a channel and finds it"):
        room = bob.channels_create("greenhouse", members=[USER])["channel"]
        assert (room["name"], room["t"]) == ("greenhouse", "c"), room
        assert "greenhouse" in {found["name"] for found in admin.channels_list()}
        assert "greenhouse" in {found["name"] for found in bob.channels_list_joined()}
        assert bob.channels_info(channel="greenhouse")["channel"]["_id"] == room["_id"]
        refused("error-duplicate-channel-name", admin.channels_create, "greenhouse")
    with step("messages are posted and read back, newest first"):
        for number in range(5):
            bob.chat_post_message(f"tomato {number}", channel="#greenhouse")
        posted = bob.chat_post_message("with a picture", room_id=room["_id"],
                                       attachments=[{"color": "#00ff00", "text": "ripe"}])["message"]
        assert posted["attachments"][0]["text"] == "ripe", posted
        history = [message["msg"] for message in admin.channels_history(room["_id"], count=3)]
        assert history[:3] == ["with a picture", "tomato 4", "tomato 3"], history
        assert "tomato 0" in history, "the pages after the first are missing"
    with step("a message is changed, reacted to and removed"):
        changed = bob.chat_update(room["_id"], posted["_id"], "without words")["message"]
        assert changed["msg"] == "without words" and "editedAt" in changed, changed
        admin.chat_react(posted["_id"], emoji="smile")
        found = bob.chat_get_message(posted["_id"])["message"]
        assert found["reactions"][":smile:"]["usernames"] == [USER], found
        bob.chat_delete(room["_id"], posted["_id"])
        assert bob.channels_history(room["_id"], count=1).__next__()["msg"] == "tomato 4"
    with step("a message with an id of its own is sent once"):
        own = {"rid": room["_id"], "msg": "once", "_id": "my-own-id"}
        assert bob.chat_send_message(own)["message"]["_id"] == "my-own-id"
        bob.chat_send_message(own)
        messages = [message["msg"] for message in bob.channels_history(room["_id"])]
        assert messages.count("once") == 1, messages
    with step("the topic is set, members are listed, the channel is renamed"):
        assert bob.channels_set_topic(room["_id"], "what grows")["topic"] == "what grows"
        assert {USER, "bob"} == {member["username"] for member in bob.channels_members(room_id=room["_id"])}
        assert bob.channels_rename(room["_id"], "glasshouse")["channel"]["name"] == "glasshouse"


def group(admin, bob):
    """A private room."""
    with step("a group hides from those who are not in it"):
        room = admin.groups_create("shed")["group"]
        refused("error-room-not-found", bob.groups_info, room_id=room["_id"])
        refused("invalid-channel", bob.chat_post_message, "let me in", room_id=room["_id"])
    with step("an invited member reads and posts until they are sent out"):
        admin.groups_invite(room["_id"], bob.me()["_id"])
        bob.chat_post_message("thanks", room_id=room["_id"])
        assert "thanks" in [message["msg"] for message in admin.groups_history(room["_id"])]
        admin.groups_kick(room["_id"], bob.me()["_id"])
        refused("error-room-not-found", bob.groups_history, room["_id"])
        refused("error-you-are-last-owner", leave_with_company, admin, bob, room)


def leave_with_company(admin, bob, room):
    """The only owner leaves others behind."""
    admin.groups_invite(room["_id"], bob.me()["_id"])
    admin.groups_leave(room["_id"])


def the_rest(admin, bob):
    """Direct rooms, subscriptions, tokens."""
    with step("two people talk in a direct room"):
        direct = bob.dm_create(USER)["room"]
        bob.chat_post_message("psst", room_id=direct["_id"])
        assert [message["msg"] for message in admin.dm_history(direct["_id"])] == ["psst"]
        assert direct["_id"] in {room["_id"] for room in admin.dm_list()}
    with step("what is unread is counted and marked as read"):
        place = admin.subscriptions_get_one(direct["_id"])["subscription"]
        assert (place["unread"], place["name"]) == (1, "bob"), place
        admin.subscriptions_read(direct["_id"])
        assert admin.subscriptions_get_one(direct["_id"])["subscription"]["unread"] == 0
        assert {"update", "remove"} <= set(admin.rooms_get()), "rooms.get"
    with step("preferences and roles are told"):
        assert "preferences" in bob.users_get_preferences()
        assert "admin" in {role["_id"] for role in bob.roles_list()["roles"]}
    with step("whoever logs out is out"):
        bob.logout()
        try:
            bob.me()
            raise AssertionError("still in")
        except Exception as error:
            assert "401" in str(error), error


alice, robert = people()
channel(alice, robert)
group(alice, robert)
the_rest(alice, robert)
end()
