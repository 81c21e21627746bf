"""Speaks to the node in the emulated board as a page, a library or a device would."""

import base64
import http.client
import json
import os
import socket
import struct
import time

from guest import Trouble

ASK_S = 60
PAGE = 100
# The board's address in its own network: a node answers to its own names only.
GUEST = "10.0.2.15"


def board(port):
    """The node in the emulated board behind this port."""
    return Node(port, host=GUEST)


class Node:
    """The node behind a forwarded port."""

    def __init__(self, port, own_address="127.0.0.1", host=None):
        # Another address of this machine is another visitor, to whom a limit on logging in gives a share of its own.
        self.port, self.own_address = port, own_address
        self.headers = {"Host": host} if host else {}

    def ask(self, method, path, body=None, headers=None, timeout=ASK_S):
        """One request on a connection of its own: status and answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout, (self.own_address, 0))
        try:
            sent = body if isinstance(body, (bytes, type(None))) else json.dumps(body)
            kind = {"Content-Type": "application/json"} if isinstance(body, dict) else {}
            connection.request(method, path, sent, {**kind, **self.headers, **(headers or {})})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def json(self, method, path, body=None):
        status, text = self.ask(method, path, body)
        if status != 200:
            raise Trouble(f"{method} {path}: {status} {text[:200]}")
        return json.loads(text)

    def wait(self, guest, limit_s):
        """Until it answers: the forwarder accepts long before the guest listens."""
        until = time.monotonic() + limit_s
        while True:
            guest.alive()
            try:
                status, text = self.ask("GET", "/health", timeout=20)
                if status in (200, 503):
                    return
                raise Trouble(f"/health: {status} {text[:200]}")
            except (OSError, http.client.HTTPException):
                pass
            if time.monotonic() > until:
                raise Trouble(f"no answer in {limit_s} s; see {guest.folder}/serial.log")
            time.sleep(0.5)

    def log_in(self, user, password):
        data = self.json("POST", "/api/v1/login", {"user": user, "password": password})["data"]
        self.headers |= {"X-Auth-Token": data["authToken"], "X-User-Id": data["userId"]}

    def post(self, text, timeout=ASK_S):
        """Whether it was acknowledged."""
        body = {"channel": "#general", "text": text}
        status, answer = self.ask("POST", "/api/v1/chat.postMessage", body, timeout=timeout)
        return status == 200 and json.loads(answer)["success"]

    def texts(self, having):
        """All messages of #general that begin so, oldest first."""
        found, offset = [], 0
        while True:
            path = f"/api/v1/channels.messages?roomId=GENERAL&count={PAGE}&offset={offset}"
            page = self.json("GET", path)["messages"]
            found += [message["msg"] for message in page if message["msg"].startswith(having)]
            if len(page) < PAGE:
                return found[::-1]
            offset += PAGE


class Listener:
    """A realtime session that follows a room: what a person's page keeps open."""

    def __init__(self, port, token, room):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=ASK_S)
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall(
            f"GET /websocket HTTP/1.1\r\nHost: {GUEST}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        self.buffer = b""
        while b"\r\n\r\n" not in self.buffer:
            self.more()
        head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        if b" 101 " not in head:
            raise Trouble(f"no websocket: {head[:100]}")
        self.say({"msg": "connect", "version": "1", "support": ["1"]})
        self.say({"msg": "method", "id": "1", "method": "login", "params": [{"resume": token}]})
        self.say({"msg": "sub", "id": "2", "name": "stream-room-messages", "params": [room, False]})
        self.until(lambda said: said.get("msg") == "ready")

    def more(self):
        heard = self.socket.recv(65536)
        if not heard:
            raise Trouble("the node closed a session")
        self.buffer += heard

    def say(self, message):
        payload = json.dumps(message).encode()
        mask = os.urandom(4)
        size = struct.pack(">BB", 0x81, 0x80 | len(payload)) if len(payload) < 126 else \
            struct.pack(">BBH", 0x81, 0xFE, len(payload))
        masked = bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))
        self.socket.sendall(size + mask + masked)

    def hear(self):
        """The next message."""
        while True:
            while len(self.buffer) < 2 or len(self.buffer) < self.frame()[1]:
                self.more()
            start, end = self.frame()
            kind, payload = self.buffer[0] & 15, self.buffer[start:end]
            self.buffer = self.buffer[end:]
            if kind == 1:
                said = json.loads(payload)
                if said.get("msg") == "ping":
                    self.say({"msg": "pong"})
                return said

    def frame(self):
        """Where the payload of the first frame begins and ends; servers do not mask."""
        size, start = self.buffer[1] & 127, 2
        if size == 126:
            start = 4
            size = struct.unpack(">H", self.buffer[2:4])[0] if len(self.buffer) >= 4 else 1 << 20
        elif size == 127:
            start = 10
            size = struct.unpack(">Q", self.buffer[2:10])[0] if len(self.buffer) >= 10 else 1 << 20
        return start, start + size

    def until(self, wanted):
        while not wanted(self.hear()):
            pass

    def has_heard(self, text):
        """Waits for a message of the room with these words."""
        self.until(lambda said: said.get("msg") == "changed" and text in json.dumps(said))
