"""A node that runs under emulation, a broker for it, and the instructions it has taken."""

import array
import os
import pathlib
import re
import selectors
import shutil
import signal
import socket
import subprocess
import time

import requests

# Seconds anything may take before it counts as lost; emulation on a busy machine is slow.
PATIENCE = 120
# Messages in one page of a history.
PAGE = 100


def until(what, found):
    """Asks until the answer is not false; fails with `what` when it takes too long."""
    limit = time.monotonic() + PATIENCE
    while not (answer := found()):
        assert time.monotonic() < limit, f"waited {PATIENCE} s for {what}"
        time.sleep(0.05)
    return answer


def free_port():
    """A port of this machine that nothing listens at now."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def plain():
    """The environment without what is for the tests: to linnet every LINNET_ variable is a setting."""
    return {name: value for name, value in os.environ.items() if not name.startswith("LINNET_")}


class Node:
    """The emulated program on one data folder; started and ended as often as wanted."""

    def __init__(self, program, folder, log):
        self.program, self.folder = program, pathlib.Path(folder)
        self.data, self.counted = self.folder / "data", self.folder / "counted"
        self.log = open(log, "ab")
        self.running = self.url = self.https = None
        self.said = ""

    def start(self):
        """Starts it and waits until it is ready."""
        self.counted.unlink(missing_ok=True)
        command = [self.program, "serve", "--data", self.data, "--http", "127.0.0.1:0"]
        self.running = subprocess.Popen(command, cwd=self.folder, stdout=subprocess.PIPE, stderr=self.log,
                                        env={**plain(), "PI_COUNT": str(self.counted)})
        self.said = ""
        os.set_blocking(self.running.stdout.fileno(), False)
        until("the ready line", self._hear)
        http, https = re.search(r"^ready http=(\S+)(?: https=(\S+))?", self.said, re.MULTILINE).groups()
        self.url, self.https = f"http://{http}", https
        return self

    def _hear(self):
        with selectors.DefaultSelector() as ready:
            ready.register(self.running.stdout, selectors.EVENT_READ)
            ready.select(1)
        heard = self.running.stdout.read() or b""
        self.said += heard.decode()
        assert self.running.poll() is None, f"it ended with {self.running.returncode} before it was ready"
        return re.search(r"^ready .*\n", self.said, re.MULTILINE)

    def stop(self):
        """Asks it to stop; what it ended with."""
        self.running.terminate()
        return self._ended()

    def kill(self):
        """Ends it as a power cut would, as far as a process can be ended."""
        self.running.send_signal(signal.SIGKILL)
        return self._ended()

    def _ended(self):
        code = self.running.wait(PATIENCE)
        self.running.stdout.close()
        self.running = None
        return code

    def command(self, *words):
        """What another command of the program prints; it must go well."""
        done = subprocess.run([self.program, *words, "--data", self.data], cwd=self.folder, env=plain(), capture_output=True,
                              text=True, timeout=PATIENCE)
        assert done.returncode == 0, (words, done.stdout, done.stderr)
        return done.stdout

    def instructions(self):
        """How many instructions it has run since it was started."""
        counts = array.array("Q")
        counts.frombytes(self.counted.read_bytes())
        return sum(counts)

    def settled(self):
        """The same when it has nothing left to do: two looks a quarter of a second apart differ by next to nothing."""
        seen = [self.instructions()]

        def is_quiet():
            time.sleep(0.25)
            seen.append(self.instructions())
            return seen[-1] - seen[-2] < 100_000

        until("the node to be idle", is_quiet)
        return seen[-1]


class Person:
    """Somebody who is logged in over REST."""

    def __init__(self, node, name, password):
        self.node, self.headers = node, {}
        told = self.ask("login", user=name, password=password)["data"]
        self.id, self.token = told["userId"], told["authToken"]
        self.headers = {"X-Auth-Token": self.token, "X-User-Id": self.id}

    def ask(self, method, **body):
        """POSTs to an endpoint."""
        return self._heard(requests.post(f"{self.node.url}/api/v1/{method}", json=body, headers=self.headers,
                                         timeout=PATIENCE))

    def get(self, method, **query):
        """GETs an endpoint."""
        return self._heard(requests.get(f"{self.node.url}/api/v1/{method}", params=query, headers=self.headers,
                                        timeout=PATIENCE))

    @staticmethod
    def _heard(answer):
        assert answer.status_code == 200, (answer.status_code, answer.text)
        return answer.json()

    def post(self, text, room="GENERAL"):
        """Posts; the message as it was stored."""
        return self.ask("chat.sendMessage", message={"rid": room, "msg": text})["message"]

    def page(self, count, offset=0):
        """A page of #general, newest first."""
        return self.get("channels.history", roomId="GENERAL", count=count, offset=offset)["messages"]

    def history(self):
        """All that people wrote, oldest first."""
        pages = []
        while len(page := self.page(PAGE, sum(map(len, pages)))) == PAGE:
            pages.append(page)
        return [message["msg"] for page in [*pages, page] for message in page if "t" not in message][::-1]


class Broker:
    """A real Mosquitto on a port of its own, which keeps what it acknowledged."""

    def __init__(self, folder):
        program = shutil.which("mosquitto")
        assert program, "mosquitto is missing: apt-get install mosquitto, or run tests/run pi"
        self.port = free_port()
        settings = pathlib.Path(folder) / "mosquitto.conf"
        settings.write_text(f"listener {self.port} 127.0.0.1\nallow_anonymous true\nuser root\n")
        self.running = subprocess.Popen([program, "-c", settings], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until("the broker", self._answers)

    def _answers(self):
        assert self.running.poll() is None, "the broker ended"
        with socket.socket() as asked:
            return asked.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self):
        """Ends it."""
        self.running.terminate()
        self.running.wait(PATIENCE)
