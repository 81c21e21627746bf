"""The main story on ARMv6: an empty node is claimed, people and devices talk, it is stopped, killed and damaged, and
everything is there again. Says how many instructions its parts take: seconds mean nothing under emulation."""

import asyncio
import json
import pathlib
import subprocess
import sys
import tempfile
import threading

import requests
import websockets

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "clients"))

from node import PATIENCE, Broker, Node, Person, until  # noqa: E402
from secure import secured  # noqa: E402
from steps import end, step  # noqa: E402

PROGRAM, ARTIFACTS = sys.argv[1:3]
NAME, PASSWORD = "alice", "correct horse battery"
POSTS = 100
TAKEN = {}

BRIDGE = """
[[bridge]]
name = "home"
url = "mqtt://127.0.0.1:{port}"
topic = "tele/+/SENSOR"
room = "general"
template = "{{topic.1}}: {{json.Temperature}} °C"
"""


def publish(broker, celsius):
    """A sensor speaks; the broker has acknowledged it."""
    subprocess.run(["mosquitto_pub", "-p", str(broker.port), "-q", "1", "-t", "tele/porch/SENSOR", "-m",
                    json.dumps({"Temperature": celsius})], check=True, timeout=PATIENCE)


def claimed(node):
    """The empty node gets an owner."""
    with step("an empty node starts and says how to own it"):
        node.start()
        TAKEN["start with an empty folder"] = node.instructions()
        code = node.said.split("/#own-")[1].split()[0]
    with step("whoever has the code becomes the owner, once"):
        newcomer = {"code": code, "username": NAME, "password": PASSWORD}
        headers = {"Origin": node.url}
        answers = [requests.post(node.url + "/api/linnet/claim", json=newcomer, headers=headers, timeout=PATIENCE)
                   for _ in range(2)]
        assert [answer.ok for answer in answers] == [True, False], [answer.text for answer in answers]
    with step("the owner logs in, with a password that argon2 looks at"):
        before = node.settled()
        alice = Person(node, NAME, PASSWORD)
        TAKEN["login (argon2id, 7 MiB, 5 passes)"] = node.settled() - before
        refused = requests.post(node.url + "/api/v1/login", json={"user": NAME, "password": "wrong"}, timeout=PATIENCE)
        assert refused.status_code == 401, refused.text
    return alice


def talk(node, alice):
    """Messages are stored and read back."""
    # The node has told that it was claimed.
    texts = alice.history()
    with step(f"{POSTS} messages are posted and read back in their order"):
        before = node.settled()
        for number in range(POSTS):
            texts.append(alice.post(f"number {number}")["msg"])
        TAKEN["a post over REST, a connection each"] = (node.settled() - before) // POSTS
        before = node.settled()
        alice.page(POSTS)
        TAKEN[f"a history page of {POSTS}"] = node.settled() - before
        assert texts[-POSTS:] == [f"number {number}" for number in range(POSTS)]
        assert alice.history() == texts
    return texts


async def live(node, alice):
    """What is posted reaches a WebSocket that subscribed, in order."""
    address = node.url.replace("http", "ws", 1) + "/websocket"
    async with websockets.connect(address, open_timeout=PATIENCE) as session:
        async def ask(**frame):
            await session.send(json.dumps(frame))

        async def hear(wanted):
            while True:
                frame = json.loads(await asyncio.wait_for(session.recv(), PATIENCE))
                if frame["msg"] == "ping":
                    await ask(msg="pong")
                elif frame["msg"] == wanted:
                    return frame

        await ask(msg="connect", version="1", support=["1"])
        await hear("connected")
        await ask(msg="method", method="login", id="1", params=[{"resume": alice.token}])
        assert (await hear("result"))["result"]["id"] == alice.id
        await ask(msg="sub", id="2", name="stream-room-messages", params=["GENERAL", False])
        await hear("ready")
        texts = [f"live {number}" for number in range(10)]
        for text in texts:
            await asyncio.to_thread(alice.post, text)
        heard = [(await hear("changed"))["fields"]["args"][0]["msg"] for _ in texts]
        assert heard == texts, heard
    return texts


def connected(node, alice, texts):
    """A WebSocket and a broker."""
    with step("a WebSocket hears what is posted, in its order"):
        texts += asyncio.run(live(node, alice))
    with step("what a sensor says at a real Mosquitto is a message of the room"):
        publish(BROKER, 21.5)
        texts.append("porch: 21.5 °C")
        until("the sensor's message", lambda: alice.history()[-1] == texts[-1])


def restarted(node, alice, texts):
    """A clean stop and a new start."""
    with step("it stops when asked, and the new start has everything, the login too"):
        assert node.stop() == 0
        publish(BROKER, 19.25)
        node.start()
        TAKEN[f"start after a clean stop, {len(texts)} messages"] = node.instructions()
        until("what the broker kept", lambda: alice.history()[-1] == "porch: 19.25 °C")
        texts.append("porch: 19.25 °C")
        assert alice.history() == texts


def killed(node, alice, texts):
    """kill -9 while people post."""
    for turn in range(3):
        with step(f"killed while four people post, turn {turn + 1}: every acknowledged message is there, once"):
            kept = posted_until_killed(node, alice, f"turn {turn}")
            node.start()
            there = alice.history()
            assert there[: len(texts)] == texts, "what was there before is not there as it was"
            new = there[len(texts):]
            assert len(set(new)) == len(new), "a message is there twice"
            missing = set(kept) - set(new)
            assert not missing, f"acknowledged and gone: {missing}"
            # One unanswered post for each person may or may not have been stored.
            assert len(new) - len(kept) <= 4, (len(new), len(kept))
            texts += new
    TAKEN[f"start after kill -9, {len(texts)} messages"] = node.instructions()


def posted_until_killed(node, alice, name):
    """What four people were told is stored before the node was killed."""
    acknowledged = []

    def talks(person):
        for number in range(10_000):
            text = f"{name}, person {person}, number {number}"
            try:
                alice.post(text)
            except requests.RequestException:
                return
            acknowledged.append(text)

    people = [threading.Thread(target=talks, args=(person,)) for person in range(4)]
    for person in people:
        person.start()
    until("forty answers", lambda: len(acknowledged) >= 40)
    node.kill()
    for person in people:
        person.join(PATIENCE)
    return acknowledged


def damaged(node, alice, texts):
    """The index breaks; the journal has everything."""
    with step("a scribbled index is built anew from the journal"):
        assert node.stop() == 0
        database = node.data / "index" / "db"
        scribbled = bytes(byte ^ 0xA5 for byte in database.read_bytes())
        database.write_bytes(scribbled)
        node.start()
        TAKEN[f"start that builds the index anew, {len(texts)} messages"] = node.instructions()
        assert alice.history() == texts
    with step("'linnet check' finds nothing wrong"):
        assert node.stop() == 0
        assert "everything is well" in node.command("check")


def main(folder):
    """From an empty folder to a damaged one."""
    node = Node(PROGRAM, folder, ARTIFACTS + "/story.log")
    (node.folder / "linnet.toml").write_text(BRIDGE.format(port=BROKER.port))
    try:
        alice = claimed(node)
        texts = talk(node, alice)
        connected(node, alice, texts)
        restarted(node, alice, texts)
        killed(node, alice, texts)
        damaged(node, alice, texts)
        secured(node, alice, texts, TAKEN)
    finally:
        if node.running:
            node.kill()
    print("\ninstructions, in millions:")
    for what, count in TAKEN.items():
        print(f"| {what} | {count / 1e6:,.2f} |")
    pathlib.Path(ARTIFACTS, "instructions.json").write_text(json.dumps(TAKEN, indent=4))


with tempfile.TemporaryDirectory() as work:
    BROKER = Broker(work)
    try:
        main(work)
    finally:
        BROKER.stop()
end()
