"""A node of a story's own: started on free ports, killed, and started again on the ports it had."""

import hashlib
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from pathlib import Path

# Seconds anything may take before it counts as lost.
PATIENCE = 20
READY = re.compile(r"^ready http=127\.0\.0\.1:(\d+) https=127\.0\.0\.1:(\d+) mqtt=127\.0\.0\.1:(\d+) ")

# A story that is ended from outside ends what it started.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


def free_port():
    """A port nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def until(what, holds):
    """Asks again and again, and gives what it was told when that is something."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        found = holds()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError(f"waited {PATIENCE} s for this: {what}")


class Node:
    """The program, serving everything it serves: `with Node(binary) as node:`."""

    def __init__(self, binary):
        self.binary = os.path.abspath(binary)
        self.folder = Path(tempfile.mkdtemp(prefix="linnet-clients-"))
        self.ports = {"mqtt": free_port(), "mqtts": free_port(), "https": free_port(), "http": free_port()}
        self.child = None
        (self.folder / "linnet.toml").write_text(
            "[http]\naddress = '127.0.0.1:{http}'\ntls_address = '127.0.0.1:{https}'\n"
            "[mqtt]\naddress = '127.0.0.1:{mqtt}'\ntls_address = '127.0.0.1:{mqtts}'\n".format(**self.ports)
        )

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.folder)

    def start(self):
        """Starts it and waits until it serves."""
        with open(self.folder / "log", "ab") as log:
            self.child = subprocess.Popen([self.binary, "serve"], cwd=self.folder, env=plain(), text=True,
                                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log)
        for line in self.child.stdout:
            if READY.match(line):
                return
        raise AssertionError(f"the node ended before it was ready:\n{self.log()}")

    def kill(self):
        """Pulls the plug, as far as a process has one."""
        self.child.kill()
        self.child.wait(PATIENCE)
        self.child.stdout.close()

    def stop(self):
        """Asks it to end, and waits."""
        if self.child.poll() is None:
            self.child.terminate()
            assert self.child.wait(PATIENCE) == 0, self.log()
            self.child.stdout.close()

    def log(self):
        """What it wrote to its log."""
        return (self.folder / "log").read_text()

    def run(self, *words):
        """A command: its exit code and what it printed, with what it said beside it."""
        return subprocess.run([self.binary, *words], cwd=self.folder, env=plain(), text=True, timeout=60,
                              stdin=subprocess.DEVNULL, capture_output=True)

    def command(self, *words):
        """What a command that works prints."""
        done = self.run(*words)
        assert done.returncode == 0, f"{words}: {done.stderr}"
        return done.stdout

    def device(self, name, *rights):
        """The key of a new device of the room 'general'."""
        return json.loads(self.command("device", "add", name, "--room", "general", "--json", *rights))["token"]

    def say(self, text, room="general"):
        """Says something as who runs the node."""
        self.command("post", room, text)

    def told(self, room="general"):
        """What was said in a room, by whom."""
        done = self.run("export", "-", "--format", "jsonl", "--room", room)
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        return [(line["author"]["username"], line["text"]) for line in lines]

    @property
    def certificate(self):
        """The file of the certificate that the node made for itself."""
        return str(self.folder / "linnet-data" / "tls" / "certificate.pem")

    def fingerprint(self):
        """The SHA-256 of the certificate, as the node tells it."""
        return re.search(r"fingerprint=([0-9A-F:]+)", self.log())[1]


def shown_at(port):
    """The SHA-256 of the certificate that is shown at a port."""
    shown = ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate(("127.0.0.1", port)))
    return ":".join(f"{byte:02X}" for byte in hashlib.sha256(shown).digest())


def plain():
    """The environment without what linnet would take for its settings."""
    return {name: value for name, value in os.environ.items() if not name.startswith("LINNET_")}
