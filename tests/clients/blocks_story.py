"""What `linnet device` prints to be pasted, in the hands of what it is for: MicroPython runs it, ESPHome reads it, a shell
runs it. Node-RED has a story of its own; for Tasmota's and Home Assistant's programs and for Arduino's compiler with its
libraries there is no package here, so of those tests/it/cli/blocks.rs checks the form alone."""

import os
import re
import subprocess
import sys

from paho.mqtt.client import MQTTv5

from mqtt_peer import entered
from own_node import PATIENCE, Node, plain, until
from steps import end, step

# The folder that tests/clients/run puts ESPHome, MicroPython and its umqtt into.
TOOLS = os.path.abspath(sys.argv[2])
# What a device of ESPHome says before its blocks.
HEAD = "esphome:\n  name: {0}\nesp8266:\n  board: d1_mini\nwifi:\n  ssid: home\n  password: swordfish\n"


def with_tools(**more):
    """The environment in which Python finds the tools."""
    return {**plain(), "PYTHONPATH": TOOLS, **more}


def micropython(node, ear):
    """The program as pasted, run by MicroPython's port for Unix with the library it names."""
    program = node.folder / "main.py"
    program.write_text(node.command("device", "add", "shed", "--micropython"))
    with open(node.folder / "shown", "wb") as shown:
        words = [sys.executable, "-m", "micropython_unix", program]
        board = subprocess.Popen(words, stdout=shown, env=with_tools(MICROPYPATH=f"{TOOLS}:.frozen"))
    try:
        with step("MicroPython runs the program: it says that it is there and tells how long it runs"):
            told = [(message.topic, message.payload) for message in (ear.hear(), ear.hear())]
            assert told == [("shed/status", b"online"), ("shed/uptime", b"0")], told
        with step("what it is told it shows"):
            ear.publish("shed/set", "on")
            until("it is shown", lambda: "b'shed/set' b'on'" in (node.folder / "shown").read_text())
    finally:
        board.kill()
        board.wait(PATIENCE)
    with step("its last will is told when its power is gone"):
        gone = ear.hear()
        assert (gone.topic, gone.payload) == ("shed/status", b"offline"), (gone.topic, gone.payload)


def esphome(node):
    """The block below a device's own lines, read by ESPHome."""
    with step("ESPHome takes the block, and means by it what was meant"):
        file = node.folder / "boiler.yaml"
        block = node.command("device", "add", "boiler", "--esphome")
        file.write_text(HEAD.format("boiler") + block)
        words = [sys.executable, "-m", "esphome", "config", "--show-secrets", file]
        read = subprocess.run(words, capture_output=True, text=True, env=with_tools(), timeout=60)
        assert read.returncode == 0 and "Configuration is valid!" in read.stdout + read.stderr, read
        key = re.search(r"dv_[\w-]{43}", block)[0]
        for line in (f"port: {node.ports['mqtt']}", "username: boiler", f"password: {key}", "topic_prefix: boiler",
                     "topic: boiler/status", "discovery_prefix: homeassistant"):
            assert re.search(rf"^ +{line}$", read.stdout, re.MULTILINE), (line, read.stdout)
    with step("the topics ESPHome makes of it are among the device's rights"):
        login = ("boiler", key)
        with entered(node, MQTTv5, "boiler", login) as device:
            for topic in ("boiler/status", "boiler/debug", "boiler/sensor/heat/state",
                          "homeassistant/sensor/boiler/heat/config"):
                assert not device.publish(topic, "x").is_failure, topic
            for topic in ("boiler/switch/pump/command", "homeassistant/status"):
                assert device.subscribe(topic, 1) == 1, topic


def shell(node, ear):
    """Mosquitto's tools, run as pasted."""
    with step("a shell publishes with the line as pasted"):
        publish = node.command("device", "add", "porch", "--mosquitto").splitlines()[0]
        subprocess.run(["sh", "-c", publish], check=True, timeout=PATIENCE)
        told = ear.hear()
        assert (told.topic, told.payload) == ("porch/temperature", b"21.5"), (told.topic, told.payload)


def tasmota(node, ear):
    """A device that was told the line, as far as its topics go."""
    with step("the topics of a Tasmota that was told the line are among its rights"):
        line = node.command("device", "add", "plug", "--tasmota")
        said = dict(command.split(" ", 1) for command in line.removeprefix("Backlog ").strip().split("; "))
        login = (said["MqttUser"], said["MqttPassword"])
        with entered(node, MQTTv5, said["MqttClient"], login) as device:
            def topic(prefix):
                full = said["FullTopic"].replace("%prefix%", prefix).replace("%topic%", said["Topic"])
                return full.rstrip("/")
            for prefix, what in (("tele", "LWT"), ("tele", "SENSOR"), ("stat", "RESULT")):
                assert not device.publish(f"{topic(prefix)}/{what}", "x").is_failure, (prefix, what)
            assert device.subscribe(f"{topic('cmnd')}/#", 1) == 1
            ear.publish("cmnd/plug/POWER", "ON")
            assert device.hear().topic == "cmnd/plug/POWER"


with Node(sys.argv[1]) as linnet:
    EAR = ("ear", linnet.device("ear", "--subscribe", "shed/status", "--subscribe", "shed/uptime", "--publish", "shed/set",
                                "--subscribe", "porch/#", "--publish", "cmnd/#"))
    with entered(linnet, MQTTv5, "ear-1", EAR) as PEER:
        for wanted in ("shed/status", "shed/uptime", "porch/#"):
            assert PEER.subscribe(wanted, 1) == 1
        micropython(linnet, PEER)
        shell(linnet, PEER)
        tasmota(linnet, PEER)
    esphome(linnet)
end()
