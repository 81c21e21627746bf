"""paho-mqtt as its users know it, in both versions of MQTT and over everything that carries it."""

import json
import ssl
import sys

from paho.mqtt.client import MQTTv5, MQTTv311

from mqtt_peer import CARRIERS, VERSIONS, Peer, entered
from own_node import Node, shown_at
from steps import end, step

ROOM = "linnet/room/general"


def line(message):
    """Who said what, as a room's topic tells it."""
    said = json.loads(message.payload)
    return said["author"], said["text"]


def carriers(node, version, porch):
    """The same over TCP, TLS and WebSocket."""
    for carrier in CARRIERS:
        with step(f"MQTT {VERSIONS[version]} over {carrier}: it logs in, posts in its room and hears it"):
            text = f"by {carrier} with {VERSIONS[version]}"
            with entered(node, version, "porch-1", porch, carrier) as peer:
                assert peer.subscribe(f"{ROOM}/msg", 1) == 1
                assert not peer.publish(f"{ROOM}/post", text).is_failure
                assert line(peer.hear()) == ("porch", text)
                node.say(f"seen {text}")
                assert line(peer.hear()) == ("linnet", f"seen {text}")
        assert ("porch", text) in node.told(), node.told()


def strangers(node, version):
    """Who is not let in."""
    with step(f"MQTT {VERSIONS[version]}: a wrong key, and a name without one, are turned away"):
        for login in (("porch", "dv_" + "x" * 43), ("porch", None), ("nobody", "secret")):
            peer = Peer(node, version, "porch-1", login)
            code = peer.connect()[0]
            peer.leave()
            assert str(code) in ("Not authorized", "Bad user name or password"), code


def certificates(node):
    """The node's own certificate is the one that it tells, and no other will do."""
    with step("the certificate at both ports is the one whose SHA-256 the node tells"):
        assert shown_at(node.ports["mqtts"]) == shown_at(node.ports["https"]) == node.fingerprint()
    with step("whoever does not know the certificate does not connect"):
        for carrier in ("tls", "wss"):
            peer = Peer(node, MQTTv5, "porch-1", carrier=carrier, trusts=ssl.get_default_verify_paths().cafile)
            try:
                peer.connect()
                raise AssertionError(f"{carrier} trusted a stranger")
            except ssl.SSLCertVerificationError:
                pass


def qualities(node, version, porch, lamp):
    """What is published between devices."""
    name = f"MQTT {VERSIONS[version]}"
    with entered(node, version, "lamp-1", lamp) as ear, entered(node, version, "porch-1", porch) as mouth:
        with step(f"{name}: each quality of service comes as it was asked for, in order and once"):
            for qos in (0, 1, 2):
                assert ear.subscribe(f"porch/q{qos}/#", qos) == qos
                for number in range(50):
                    assert not mouth.publish(f"porch/q{qos}/n", str(number), qos).is_failure
                heard = [ear.hear() for _ in range(50)]
                assert [int(message.payload) for message in heard] == list(range(50)), heard
                assert {message.qos for message in heard} == {qos}
        with step(f"{name}: a wildcard beyond one's rights is refused, and rights are not widened"):
            assert ear.subscribe("#", 1) >= 0x80
            assert ear.subscribe("$SYS/#", 1) >= 0x80
            mouth.publish("lamp/secret", "x", 0)
            mouth.publish("porch/q0/n", "last", 0)
            assert ear.texts(1) == ["last"]
        with step(f"{name}: what is retained is told to whoever comes later, until it is taken back"):
            mouth.publish("porch/state", "on", retain=True)
            with entered(node, version, "lamp-2", lamp) as late:
                late.subscribe("porch/state", 1)
                kept = late.hear()
                assert (kept.payload, kept.retain) == (b"on", True)
                mouth.publish("porch/state", "", retain=True)
                assert (late.hear().payload, kept.topic) == (b"", "porch/state")
            with entered(node, version, "lamp-2", lamp) as later:
                later.subscribe("porch/state", 1)
                mouth.publish("porch/state", "off")
                told = later.hear()
                assert (told.payload, told.retain) == (b"off", False)


def wills(node, version, porch, lamp):
    """The last will."""
    with step(f"MQTT {VERSIONS[version]}: a will is told when a connection breaks, not after a goodbye"):
        with entered(node, version, "lamp-1", lamp) as ear:
            ear.subscribe("porch/status", 1)
            for ends in (Peer.leave, Peer.lose):
                peer = Peer(node, version, "porch-will", porch)
                peer.client.will_set("porch/status", "offline", 1, retain=True)
                peer.enter().publish("porch/status", "online", retain=True)
                assert ear.texts(1) == ["online"]
                ends(peer)
            assert ear.texts(1) == ["offline"]
        with entered(node, version, "lamp-1", lamp) as ear, entered(node, version, "porch-1", porch) as mouth:
            ear.subscribe("porch/status", 1)
            assert ear.texts(1) == ["offline"]
            mouth.publish("porch/status", "", retain=True)


def absences(node, version, porch, lamp):
    """A session that is kept, over the death of the node."""
    client = f"lamp-stays-{version}"
    with step(f"MQTT {VERSIONS[version]}: what was acknowledged survives kill -9 for a session that is away, once"):
        stays = Peer(node, version, client, lamp, stays=True).enter()
        assert not stays.flags.session_present
        assert (stays.subscribe("porch/#", 2), stays.subscribe(f"{ROOM}/msg", 1)) == (2, 1)
        stays.leave()
        with entered(node, version, "porch-1", porch) as mouth:
            for number in range(100):
                qos = 1 + number % 2
                mouth.publish(f"porch/q{qos}", str(number), qos)
            mouth.publish(f"{ROOM}/post", "said meanwhile")
            node.kill()
        node.start()
        stays = Peer(node, version, client, lamp, stays=True).enter()
        assert stays.flags.session_present
        heard = [stays.hear() for _ in range(101)]
        # The library gives a message of QoS 2 to its user when both sides are done with it: later than one of QoS 1.
        for qos, firsts in ((1, 0), (2, 1)):
            numbers = [int(message.payload) for message in heard if message.topic == f"porch/q{qos}"]
            assert numbers == list(range(firsts, 100, 2)), numbers
        assert [line(message) for message in heard if message.topic.startswith(ROOM)] == [("porch", "said meanwhile")]
    with step(f"MQTT {VERSIONS[version]}: clients that were there come back by themselves and lose nothing"):
        mouth = Peer(node, version, f"porch-stays-{version}", porch, stays=True).enter()
        node.kill()
        assert mouth.next("gone") and stays.next("gone")
        for number in range(20):
            mouth.client.publish("porch/again", str(number), 1)
        node.start()
        assert not mouth.next("connected")[0].is_failure
        assert stays.next("connected")[1].session_present
        # What it has heard of QoS 1 and the node had no time to note is told again; of QoS 2 nothing is.
        heard = []
        while len(heard) < 20:
            message = stays.hear()
            if message.topic == "porch/again":
                heard.append(int(message.payload))
            else:
                assert message.qos == 1, (message.topic, message.payload)
        assert heard == list(range(20)), heard
        mouth.leave()
    stays.leave()


def revoked(node, version):
    """A device that is removed while it speaks."""
    name = f"spy{version}"
    with step(f"MQTT {VERSIONS[version]}: a device that is removed is thrown out in the middle of what it hears"):
        login = (name, node.device(name, "--publish", f"{name}/#", "--subscribe", f"{name}/#"))
        spy = Peer(node, version, name, login).enter()
        spy.subscribe(f"{name}/#", 1)
        spy.subscribe(f"{ROOM}/msg", 1)
        spy.publish(f"{name}/x", "hears itself")
        assert spy.texts(1) == ["hears itself"]
        node.command("device", "remove", name)
        node.say(f"now that {name} is gone")
        gone = spy.next("gone")[0]
        if version == MQTTv5:
            assert str(gone) == "Not authorized", gone
        # It tries again by itself, as the library does, and is turned away.
        assert str(spy.next("connected")[0]) in ("Not authorized", "Bad user name or password")
        spy.leave()
        assert spy.told["heard"].empty(), spy.hear().payload


with Node(sys.argv[1]) as linnet:
    both = ("--publish", "porch/#", "--publish", "lamp/#", "--subscribe", "porch/#")
    PORCH = ("porch", linnet.device("porch", *both))
    LAMP = ("lamp", linnet.device("lamp", "--publish", "lamp/#", "--subscribe", "porch/#"))
    certificates(linnet)
    for VERSION in (MQTTv311, MQTTv5):
        carriers(linnet, VERSION, PORCH)
        strangers(linnet, VERSION)
        qualities(linnet, VERSION, PORCH, LAMP)
        wills(linnet, VERSION, PORCH, LAMP)
        absences(linnet, VERSION, PORCH, LAMP)
        revoked(linnet, VERSION)
end()
