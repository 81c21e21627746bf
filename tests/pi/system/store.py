"""A long history, made by this machine's own linnet: 100,000 messages, 50 people, 20 devices. The files are the same."""

import json
import os
import pathlib
import re
import subprocess

from guest import Trouble
from talk import Node

MESSAGES = 100_000
PEOPLE = 50
DEVICES = 20
OWNER = ("alice", "a few words for alice")
# Where the last partition begins, and its size: as tests/pi/image makes it.
DATA_AT_MB = 128
DATA_MB = 128


class Host:
    """A node on this machine, over a folder that will be the board's."""

    def __init__(self, linnet, folder):
        self.linnet, self.folder = linnet, pathlib.Path(folder)
        clean = {name: value for name, value in os.environ.items() if not name.startswith("LINNET_")}
        self.options = {"env": clean, "cwd": self.folder.parent}
        words = [linnet, "serve", "--data", str(self.folder), "--http", "127.0.0.1:0"]
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, **self.options)
        self.code = self.port = None
        for line in self.process.stdout:
            if found := re.search(r"/#own-([A-Za-z0-9-]+)", line):
                self.code = found[1]
            if found := re.match(r"ready http=127\.0\.0\.1:(\d+)", line):
                self.port = int(found[1])
                break
        if not self.port:
            raise Trouble("this machine's linnet did not get ready")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(60)

    def run(self, *words, given=None):
        ran = subprocess.run([self.linnet, *words, "--data", str(self.folder)], input=given, capture_output=True,
                             text=True, check=False, **self.options)
        if ran.returncode:
            raise Trouble(f"linnet {words}: {ran.stderr}")
        return ran.stdout


def history(path):
    """Messages that differ, of a usual length, a minute apart."""
    with open(path, "w", encoding="utf-8") as out:
        for number in range(MESSAGES):
            day, second = divmod(number * 60, 86_400)
            time = f"2025-{day // 28 + 1:02}-{day % 28 + 1:02}T{second // 3600:02}:{second // 60 % 60:02}:00.000Z"
            text = f"history {number}: the greenhouse is at {number * 37 % 400 / 10} degrees and the door was opened"
            record = {"id": f"h{number}", "time": time, "author": {"username": "sensor", "name": "sensor"}, "text": text}
            out.write(json.dumps(record) + "\n")


def prepare(linnet, folder):
    """The tokens of the people and of the devices, when the folder is full."""
    folder = pathlib.Path(folder)
    data = folder / "data" / "linnet"
    data.parent.mkdir(parents=True)
    history(folder / "history.jsonl")
    with Host(linnet, data) as host:
        node = Node(host.port)
        node.json("POST", "/api/linnet/claim", {"code": host.code, "username": OWNER[0], "password": OWNER[1]})
        host.run("import", str(folder / "history.jsonl"), "--room", "general")
        node.log_in(*OWNER)
        people = []
        for number in range(PEOPLE):
            host.run("user", "add", f"person{number}", "--password-stdin", given="some words\n")
            person = Node(host.port, f"127.0.1.{number + 1}")
            person.log_in(f"person{number}", "some words")
            person.json("POST", "/api/v1/channels.join", {"roomId": "GENERAL"})
            people.append(person.headers["X-Auth-Token"])
        devices = []
        for number in range(DEVICES):
            added = host.run("device", "add", f"device{number}", "--room", "general", "--json")
            devices.append(json.loads(added)["token"])
    return {"people": people, "devices": devices, "owner": node.headers}


def onto_card(tools, folder, card):
    """The folder becomes the last partition: what is on the card after a year of use."""
    part = pathlib.Path(folder) / "part.img"
    with open(part, "wb") as out:
        out.truncate(DATA_MB << 20)
    words = ("-q", "-F", "-t", "ext4", "-L", "linnet", "-d", pathlib.Path(folder) / "data", part)
    subprocess.run(tools.command("mke2fs", *words), env=tools.environment, check=True)
    subprocess.run(["dd", f"if={part}", f"of={card}", "bs=1M", f"seek={DATA_AT_MB}", "conv=notrunc,sparse", "status=none"],
                   check=True)
