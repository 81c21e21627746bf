"""A house with Zigbee2MQTT and Tasmota, at Mosquitto with linnet beside it and at linnet's own broker: `linnet mqtt
connect` lists what is there, and what it writes brings it into rooms."""

import json
import os
import shutil
import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

from paho.mqtt.client import MQTTv5

from house import RESULTS, TASMOTA_KEPT, TASMOTA_SAID, ZIGBEE_KEPT, ZIGBEE_SAID, text
from mqtt_peer import entered
from own_node import PATIENCE, Node, free_port, plain, until
from steps import end, step

# What is listed: the kind, the device, and its values with their units.
LISTED = [
    ("Zigbee2MQTT", "garden/door", "battery (%), contact, linkquality (lqi)"),
    ("Zigbee2MQTT", "climate", "humidity (%), linkquality (lqi), pressure (hPa), temperature (°C)"),
    ("Zigbee2MQTT", "lamp", "brightness, color, power_on_behavior, state"),
    ("Zigbee2MQTT", "button", "action"),
    ("Tasmota", "plug", ""),
    ("Tasmota", "attic", ""),
    ("Tasmota", "porch", ""),
]
MEASURED = [
    ("Tasmota", "plug", "ENERGY.ApparentPower (VA), ENERGY.Current (A), ENERGY.Factor, ENERGY.Today (kWh)"),
    ("Tasmota", "porch", "BME280.DewPoint (C), BME280.Humidity (%), BME280.Pressure (hPa), BME280.Temperature (C), "
     "DS18B20-1.Temperature (C)"),
    ("Tasmota", "attic", "ANALOG.A0"),
]
RESULTS_BRIDGE = """
[[bridge]]
name = "answers"
url = "{url}"
topic = "stat/+/+"
room = "answers"
template = "{{topic.1}} {{topic.2}}: {{payload}}"
status_topic = ""
"""


@contextmanager
def mosquitto(folder):
    """A broker of Debian's that lets everybody in."""
    port = free_port()
    conf = folder / "mosquitto.conf"
    conf.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\nuser root\n")
    program = shutil.which("mosquitto", path=os.environ["PATH"] + ":/usr/sbin:/sbin")
    child = subprocess.Popen([program, "-c", conf], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=plain())

    def answers():
        with socket.socket() as found:
            return found.connect_ex(("127.0.0.1", port)) == 0
    try:
        until("mosquitto answers", answers)
        yield port
    finally:
        child.terminate()
        child.wait(PATIENCE)


def leave(house, messages):
    """What is retained."""
    for topic, payload in messages:
        assert not house.publish(topic, text(payload), retain=True).is_failure, topic


def speak(house, messages):
    """What happens."""
    for topic, payload, *_ in messages:
        assert not house.publish(topic, payload).is_failure, topic


def rows(printed):
    """The lines of a table, by their columns."""
    table = printed.split("\n\n")[0].splitlines()
    starts = [table[0].index(head) for head in ("kind", "device", "values")]
    return {tuple(line[a:b].strip() for a, b in zip(starts, [*starts[1:], None])) for line in table[1:]}


def connected(node, wanted):
    """Waits until so many bridges stand."""
    def all_stand():
        bridges = json.loads(node.command("status", "--json"))["bridges"]
        return len(bridges) == wanted and all(bridge["connected"] for bridge in bridges)
    until(f"{wanted} bridges stand", all_stand)


def said_in_rooms(node, room, messages):
    """The room hears what is for it and nothing else; its bridges each keep their order."""
    wanted = sorted(form.format(payload) for _, payload, form in messages if form)
    until(f"#{room} hears {wanted}", lambda: len(node.told(room)) >= len(wanted))
    heard = sorted(words for _, words in node.told(room))
    assert heard == wanted, heard


def listed_and_brought_in(node, place, house, at, login):
    """All of it at one broker; `login` are the words by which linnet gets in there."""
    leave(house, ZIGBEE_KEPT + TASMOTA_KEPT)
    connect = ("mqtt", "connect", at, "--seconds", "1", *login)
    with step(f"{place}: what is retained there is listed with its values and units"):
        found = rows(node.command(*connect))
        for row in LISTED:
            assert row in found, (row, found)
        assert not any(device == "Coordinator" for _, device, _ in found), found
    with step(f"{place}: what reports while it listens is listed with what it measures"):
        child = subprocess.Popen([node.binary, *connect[:3], "--seconds", "3", "--yes", *login], cwd=node.folder, env=plain(),
                                 text=True, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
        # It says so before it connects; what is said too early is said again.
        def told():
            speak(house, TASMOTA_SAID)
            return child.poll() is not None
        until("it has listened", told)
        printed, beside = child.communicate(timeout=PATIENCE)
        assert child.returncode == 0, beside
        found = rows(printed)
        for kind, device, values in MEASURED:
            assert any(row[:2] == (kind, device) and values in row[2] for row in found), (device, found)
    (written,) = (node.folder / "conf.d").glob("mqtt-*.toml")
    with step(f"{place}: after a start what was written works: devices speak in rooms, commands and states do not"):
        bridges = written.read_text().count("[[bridge]]")
        assert bridges == 4, written.read_text()
        node.stop()
        node.start()
        connected(node, bridges)
        speak(house, ZIGBEE_SAID)
        speak(house, TASMOTA_SAID)
        said_in_rooms(node, "zigbee2mqtt", ZIGBEE_SAID)
        said_in_rooms(node, "tasmota", TASMOTA_SAID)
        again = node.command(*connect)
        assert "nothing to add" in again, again


def answers(node, place, house, url):
    """A bridge of one's own for the answers to commands."""
    with step(f"{place}: an answer to a command is told in whatever form it has"):
        (node.folder / "conf.d" / "answers.toml").write_text(RESULTS_BRIDGE.format(url=url))
        node.stop()
        node.start()
        connected(node, 5)
        speak(house, [(f"stat/plug/{what}", payload) for what, payload in RESULTS])
        wanted = [f"plug {what}: {payload}" for what, payload in RESULTS]
        until("the room hears all", lambda: len(node.told("answers")) >= len(wanted))
        assert [words for _, words in node.told("answers")] == wanted, node.told("answers")


def beside_mosquitto(binary):
    """Mosquitto has the devices, linnet a bridge to it."""
    with Node(binary) as node, mosquitto(node.folder) as port:
        at = SimpleNamespace(ports={"mqtt": port}, certificate=None)
        with entered(at, MQTTv5, "house") as house:
            url = f"mqtt://127.0.0.1:{port}"
            listed_and_brought_in(node, "Mosquitto", house, url, ())
            answers(node, "Mosquitto", house, url)


def at_its_own(binary):
    """The devices are linnet's own; another linnet joins it as one device more."""
    topics = [word for topic in ("zigbee2mqtt/#", "tele/#", "+/tele/#", "tasmota/#", "stat/#") for word in ("--publish", topic)]
    with Node(binary) as broker, Node(binary) as node:
        login = ("house", broker.device("house", *topics))
        (node.folder / "key").write_text(broker.device("explorer", "--subscribe", "#", "--publish", "explorer/#"))
        with entered(broker, MQTTv5, "house", login) as house:
            url = f"mqtt://explorer@127.0.0.1:{broker.ports['mqtt']}"
            words = ("--password-file", str(node.folder / "key"))
            listed_and_brought_in(node, "linnet's own broker", house, url, words)


BINARY = Path(sys.argv[1])
beside_mosquitto(BINARY)
at_its_own(BINARY)
end()
