"""rocketchat-async as its users know it: logs in, lists its rooms, subscribes, and sees messages live."""

import asyncio
import sys

from rocketchat_API.rocketchat import RocketChat as Rest
from rocketchat_async import RocketChat

from steps import end, step

URL, USER, PASSWORD = sys.argv[1:4]
SOCKET = URL.replace("http", "ws", 1) + "/websocket"
# Seconds anything may take before it counts as lost.
PATIENCE = 20


def listening(seen):
    """A callback that puts what it hears into a queue."""
    return lambda *heard: seen.put_nowait(heard)


async def heard(seen, wanted):
    """The first thing heard that fits."""
    while True:
        event = await asyncio.wait_for(seen.get(), PATIENCE)
        if wanted(event):
            return event


async def story():
    """From the first connection to the last message."""
    rest = Rest(USER, PASSWORD, server_url=URL)
    client, other = RocketChat(), RocketChat()
    with step("it logs in over the socket"):
        await asyncio.wait_for(client.start(SOCKET, USER, PASSWORD), PATIENCE)
        assert client.user_id == rest.me()["_id"], client.user_id
    with step("it logs in with a token"):
        await asyncio.wait_for(other.resume(SOCKET, USER, rest.headers["X-Auth-Token"]), PATIENCE)
    with step("its rooms are listed"):
        rooms = await asyncio.wait_for(client.get_channels(), PATIENCE)
        assert ("GENERAL", "c") in rooms, rooms
    seen, changes = asyncio.Queue(), asyncio.Queue()
    await asyncio.wait_for(client.subscribe_to_channel_messages("GENERAL", listening(seen)), PATIENCE)
    await asyncio.wait_for(client.subscribe_to_channel_changes(listening(changes)), PATIENCE)
    with step("what is posted over REST is seen live"):
        posted = rest.chat_post_message("over REST", channel="general")["message"]
        event = await heard(seen, lambda event: event[4] == "over REST")
        assert (event[0], event[2]) == ("GENERAL", posted["_id"]), event
    with step("what another client sends is seen live, once and in order"):
        for number in range(10):
            await asyncio.wait_for(other.send_message(f"number {number}", "GENERAL"), PATIENCE)
        order = [(await heard(seen, lambda event: event[4].startswith("number")))[4] for _ in range(10)]
        assert order == [f"number {number}" for number in range(10)], order
    with step("a reaction is seen live"):
        await asyncio.wait_for(other.send_reaction(posted["_id"], ":wave:"), PATIENCE)
        event = await heard(seen, lambda event: event[2] == posted["_id"])
        assert event[7], "the message came without its reaction"
    with step("a room made meanwhile is told"):
        made = rest.groups_create("attic-" + str(len(rooms)))["group"]
        await heard(changes, lambda event: event == (made["_id"], "p"))
    with step("a room one has left says nothing more"):
        # The library has one callback for all rooms: what it hears tells the room.
        room = await asyncio.wait_for(client.subscribe_to_channel_messages(made["_id"], listening(seen)), PATIENCE)
        await asyncio.wait_for(other.send_message("heard", made["_id"]), PATIENCE)
        await heard(seen, lambda event: (event[0], event[4]) == (made["_id"], "heard"))
        await asyncio.wait_for(client.unsubscribe(room), PATIENCE)
        # An answer to something asked later comes when the server has ended the subscription.
        await asyncio.wait_for(client.get_channels(), PATIENCE)
        await asyncio.wait_for(other.send_message("unheard", made["_id"]), PATIENCE)
        rest.chat_post_message("the end", channel="general")
        event = await heard(seen, lambda event: event[4] in ("unheard", "the end"))
        assert event[4] == "the end", event

asyncio.run(story())
end()
