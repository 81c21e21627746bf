"""paho-mqtt with what it is told in queues, so that a story can wait for it."""

import queue
import socket
import ssl
from contextlib import contextmanager

from paho.mqtt.client import CallbackAPIVersion, Client, MQTTv5, MQTTv311
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from own_node import PATIENCE

VERSIONS = {MQTTv311: "3.1.1", MQTTv5: "5.0"}
CARRIERS = {"tcp": "mqtt", "tls": "mqtts", "ws": "http", "wss": "https"}


def properties(kind, **values):
    """Properties of a packet."""
    made = Properties(getattr(PacketTypes, kind))
    for name, value in values.items():
        setattr(made, name, value)
    return made


class Peer:
    """One client. `stays` keeps its session when it is away."""

    def __init__(self, node, version, name="", login=None, carrier="tcp", stays=False, trusts=None):
        self.node, self.version, self.carrier, self.stays = node, version, carrier, stays
        self.told = {kind: queue.Queue() for kind in ("connected", "gone", "granted", "taken", "heard")}
        more = {} if version == MQTTv5 else {"clean_session": not stays}
        self.client = Client(CallbackAPIVersion.VERSION2, name, protocol=version,
                             transport="websockets" if carrier in ("ws", "wss") else "tcp", **more)
        if login:
            self.client.username_pw_set(*login)
        if carrier in ("ws", "wss"):
            self.client.ws_set_options(path="/mqtt")
        if carrier in ("tls", "wss"):
            # Nobody vouches for the node but its own certificate.
            self.client.tls_set_context(ssl.create_default_context(cafile=trusts or node.certificate))
        self.client.reconnect_delay_set(1, 1)
        self.client.on_connect = lambda _c, _u, flags, code, had: self.put("connected", code, flags, had)
        self.client.on_disconnect = lambda _c, _u, _flags, code, had: self.put("gone", code, had)
        self.client.on_subscribe = lambda _c, _u, mid, codes, had: self.put("granted", mid, codes, had)
        self.client.on_publish = lambda _c, _u, mid, code, had: self.put("taken", mid, code, had)
        self.client.on_message = lambda _c, _u, message: self.told["heard"].put(message)

    def put(self, kind, *what):
        """Keeps what the library says."""
        self.told[kind].put(what)

    def next(self, kind):
        """The next thing of a kind."""
        try:
            return self.told[kind].get(timeout=PATIENCE)
        except queue.Empty:
            raise AssertionError(f"nothing more is {kind}") from None

    def connect(self, **asked):
        """Connects; gives the reason, the flags and the properties of the answer."""
        more = {}
        if self.version == MQTTv5:
            kept = {"SessionExpiryInterval": 3600} if self.stays else {}
            more = {"clean_start": not self.stays, "properties": properties("CONNECT", **kept, **asked)}
        self.client.connect("127.0.0.1", self.node.ports[CARRIERS[self.carrier]], keepalive=30, **more)
        self.client.loop_start()
        return self.next("connected")

    def enter(self, **asked):
        """Connects and is let in; gives itself."""
        code, self.flags, self.answer = self.connect(**asked)
        assert not code.is_failure, code
        return self

    def leave(self):
        """Says goodbye and waits until that is done."""
        self.client.disconnect()
        self.client.loop_stop()

    def lose(self):
        """The connection breaks without a goodbye, as when a battery is empty."""
        self.client.loop_stop()
        self.client.socket().shutdown(socket.SHUT_RDWR)
        self.client.socket().close()

    def subscribe(self, filter_, qos=0, **more):
        """Subscribes; gives the answer's code."""
        self.client.subscribe(filter_, qos, **more)
        return self.next("granted")[1][0]

    def publish(self, topic, payload, qos=1, retain=False, **more):
        """Publishes and waits until the node has taken it, as far as it says so; gives its answer's code."""
        self.client.publish(topic, payload, qos, retain, **more)
        return self.next("taken")[1]

    def hear(self):
        """The next message."""
        return self.next("heard")

    def texts(self, count):
        """The payloads of the next messages."""
        return [self.hear().payload.decode() for _ in range(count)]


@contextmanager
def entered(*words, **more):
    """A peer that is let in, and leaves at the end."""
    peer = Peer(*words, **more).enter()
    try:
        yield peer
    finally:
        peer.leave()
