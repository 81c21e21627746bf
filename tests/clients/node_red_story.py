"""Node-RED as its users run it: a flow in its file, and the block that `linnet device` prints, pasted and deployed."""

import asyncio
import json
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
import urllib.request
from pathlib import Path

import websockets
from paho.mqtt.client import MQTTv5

from mqtt_peer import entered
from own_node import PATIENCE, Node, free_port, plain, until
from steps import end, step

PROGRAM = Path(__file__).parent / "node_modules" / "node-red" / "red.js"
SETTINGS = """module.exports = {
  uiHost: '127.0.0.1', uiPort: %d, flowFile: 'flows.json', credentialSecret: false,
  mqttReconnectTime: 500, telemetry: { enabled: false, updateNotification: false },
  editorTheme: { palette: { catalogues: [] }, tours: false },
  logging: { console: { level: 'info' } },
};
"""
# What a door says becomes words in a room.
FLOW = [
    {"id": "f1", "type": "tab", "label": "doors"},
    {"id": "f2", "type": "mqtt-broker", "broker": "127.0.0.1", "clientid": "doors", "autoConnect": True,
     "usetls": False, "protocolVersion": "5", "keepalive": "60", "cleansession": False, "sessionExpiry": "3600"},
    {"id": "f3", "type": "mqtt in", "z": "f1", "topic": "door/+", "qos": "1", "datatype": "auto-detect",
     "broker": "f2", "inputs": 0, "wires": [["f4"]]},
    {"id": "f4", "type": "function", "z": "f1", "outputs": 1, "wires": [["f5"]],
     "func": "msg.payload = `${msg.topic.split('/')[1]} is ${msg.payload}`; delete msg.topic; return msg;"},
    {"id": "f5", "type": "mqtt out", "z": "f1", "topic": "linnet/room/general/post", "qos": "1", "retain": "",
     "broker": "f2", "wires": []},
]


class NodeRed:
    """The program without a browser, in a folder of its own."""

    def __init__(self, node, login):
        self.folder = Path(tempfile.mkdtemp(prefix="linnet-node-red-"))
        self.port = free_port()
        flow = [{**part, "port": str(node.ports["mqtt"])} if part["id"] == "f2" else part for part in FLOW]
        self.write("flows.json", json.dumps(flow))
        self.write("flows_cred.json", json.dumps({"f2": {"user": login[0], "password": login[1]}}))
        self.write("settings.js", SETTINGS % self.port)
        self.child = None

    def write(self, name, text):
        """A file of its folder."""
        (self.folder / name).write_text(text)

    def __enter__(self):
        with open(self.folder / "log", "wb") as log:
            self.child = subprocess.Popen(["node", PROGRAM, "--userDir", self.folder, "--settings",
                                           self.folder / "settings.js"], env=plain(), stdout=log, stderr=log)
        until("Node-RED has started its flows", lambda: "Started flows" in self.log())
        return self

    def __exit__(self, *_):
        self.kill()
        shutil.rmtree(self.folder)

    def kill(self):
        """Ends it at once, without goodbyes."""
        self.child.kill()
        self.child.wait(PATIENCE)

    def log(self):
        """What it said."""
        return (self.folder / "log").read_text()

    def ask(self, method, path, body=None):
        """Asks its admin API."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data, method=method, headers={
            "Content-Type": "application/json", "Node-RED-Deployment-Type": "nodes"})
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            text = answer.read()
        return json.loads(text) if text.startswith((b"[", b"{")) else text

    def paste(self, block):
        """Puts nodes beside those that are there and deploys, as its editor does."""
        self.ask("POST", "/flows", self.ask("GET", "/flows") + json.loads(block))


class Sidebar:
    """What debug nodes show in the editor."""

    def __init__(self, red):
        self.url, self.events = f"ws://127.0.0.1:{red.port}/comms", queue.Queue()
        threading.Thread(target=lambda: asyncio.run(self.listen()), daemon=True).start()
        self.shown("")

    async def listen(self):
        """Puts everything into the queue until Node-RED is gone."""
        async with websockets.connect(self.url) as socket:
            await socket.send(json.dumps({"subscribe": "debug"}))
            self.events.put({"msg": ""})
            try:
                async for text in socket:
                    for event in json.loads(text):
                        if event.get("topic") == "debug":
                            self.events.put(event["data"])
            except websockets.ConnectionClosed:
                pass

    def shown(self, wanted):
        """The next that says this."""
        while True:
            event = self.events.get(timeout=PATIENCE)
            if wanted in event["msg"]:
                return event


def flow_in_its_file(node, red, porch):
    """Device -> flow -> room."""
    with step("a flow hears a device and speaks in the room"):
        until("it is connected", lambda: "Connected to broker: doors@" in red.log())
        with entered(node, MQTTv5, "porch-1", porch) as device:
            device.publish("door/front", "open", retain=True)
        until("the room hears it", lambda: ("flows", "front is open") in node.told())
    with step("after kill -9 of the node it comes back by itself, and its session heard what was said meanwhile"):
        connected = red.log().count("Connected to broker")
        node.kill()
        node.start()
        with entered(node, MQTTv5, "porch-1", porch) as device:
            device.publish("door/back", "open")
        until("the room hears it", lambda: ("flows", "back is open") in node.told())
        assert red.log().count("Connected to broker") > connected
        assert node.told().count(("flows", "back is open")) == 1, node.told()


def block_as_pasted(node, red):
    """`linnet device add NAME --node-red`."""
    ear = ("ear", node.device("ear", "--subscribe", "kitchen/#"))
    sidebar = Sidebar(red)
    with entered(node, MQTTv5, "ear-1", ear) as peer:
        peer.subscribe("kitchen/#", 1)
        with step("the block of a new device is deployed as it was pasted, and says that it is there"):
            block = node.command("device", "add", "kitchen", "--node-red")
            red.paste(block)
            said = peer.hear()
            assert (said.topic, said.payload) == ("kitchen/status", b"online"), (said.topic, said.payload)
        with step("a press on its button goes out, and what it hears is shown"):
            (button,) = [part["id"] for part in json.loads(block) if part["type"] == "inject"]
            red.ask("POST", f"/inject/{button}", {})
            told = peer.hear()
            assert told.topic == "kitchen/time" and int(told.payload) > 1_600_000_000_000, told.payload
            shown = sidebar.shown("kitchen/time")
            assert shown["name"] == "heard" and told.payload.decode() in shown["msg"], shown
        with step("its last will is told when it is gone"):
            red.kill()
            gone = peer.hear()
            assert (gone.topic, gone.payload) == ("kitchen/status", b"offline"), (gone.topic, gone.payload)


with Node(sys.argv[1]) as linnet:
    PORCH = ("porch", linnet.device("porch", "--publish", "door/#"))
    FLOWS = ("flows", linnet.device("flows", "--subscribe", "door/#"))
    with NodeRed(linnet, FLOWS) as node_red:
        flow_in_its_file(linnet, node_red, PORCH)
        block_as_pasted(linnet, node_red)
end()
