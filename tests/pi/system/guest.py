"""An emulated Pi Zero with a memory card in it: started, looked at, and its power cut."""

import os
import pathlib
import re
import shutil
import socket
import subprocess
import threading
import time

# Emulated: Debian's power domains stop the kernel, the I2C driver says an error a second, and the watchdog resets the
# board at once. A real board has none of this. The serial pins are the console, so that a test can type.
QUIRKS = "initcall_blacklist=bcm2835_power_driver_init,bcm2835_i2c_driver_init,bcm2835_wdt_driver_init iomem=relaxed"
# A guest's second is 500 million instructions, about what an ARM1176 at 1 GHz does, however busy this machine is.
ICOUNT = "shift=1,align=off"
# The card's size: more than the image, so that the first start has something to grow over. QEMU wants a power of two.
CARD_BYTES = 512 << 20
BOOT_AT = 4 << 20
READY_S = 300
COMMAND_S = 120


class Trouble(Exception):
    """What a step found wrong."""


class Tools:
    """The unpacked Debian packages with the emulator and the tools for FAT."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        libraries = [str(path) for path in self.folder.glob("**/*-linux-gnu") if path.is_dir()]
        self.environment = {**os.environ, "LD_LIBRARY_PATH": ":".join(libraries), "MTOOLS_SKIP_CHECK": "1"}

    def command(self, name, *words):
        for place in ("usr/bin", "usr/sbin", "bin", "sbin"):
            path = self.folder / place / name
            if path.exists():
                return [str(path), *map(str, words)]
        raise Trouble(f"{name} is missing in {self.folder}")

    def run(self, name, *words):
        """What a tool prints; empty when it fails."""
        ran = subprocess.run(self.command(name, *words), env=self.environment, capture_output=True, check=False)
        return ran.stdout if ran.returncode == 0 else b""

    def on_card(self, card, name):
        """A file of the boot partition, as another machine would read it."""
        return self.run("mtype", "-i", f"{card}@@{BOOT_AT}", f"::{name}")

    def put_on_card(self, card, name, content):
        """Writes a file onto the boot partition, as another machine would."""
        words = self.command("mcopy", "-o", "-i", f"{card}@@{BOOT_AT}", "-", f"::{name}")
        sent = content if isinstance(content, bytes) else content.encode()
        subprocess.run(words, env=self.environment, input=sent, check=True)


def free_port():
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]


def fresh_card(image, card):
    subprocess.run(["cp", "--sparse=always", image, card], check=True)
    os.truncate(card, CARD_BYTES)


class Guest:
    """One life of the board, from power on to power off. Use it in a `with`: its emulator ends with it."""

    def __init__(self, tools, card, folder):
        self.tools, self.card, self.folder = tools, card, pathlib.Path(folder)
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.port = free_port()
        self.said = ""
        self.changed = threading.Condition()
        self.began = time.monotonic()
        for name in ("kernel.img", "initrd.img", "bcm2835-rpi-zero.dtb"):
            content = tools.on_card(card, name)
            if not content:
                raise Trouble(f"the card has no {name}")
            (self.folder / name).write_bytes(content)
        line = tools.on_card(card, "cmdline.txt").decode().strip()
        self.process = subprocess.Popen(
            tools.command("qemu-system-arm", *self.arguments(f"{line} console=ttyAMA0,115200 {QUIRKS}")),
            env=tools.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )
        threading.Thread(target=self.listen, daemon=True).start()

    def arguments(self, line):
        return [
            "-L", self.tools.folder / "usr/share/qemu", "-M", "raspi0", "-accel", "tcg", "-icount", ICOUNT,
            "-display", "none", "-serial", "stdio", "-monitor", "none", "-no-reboot",
            "-kernel", self.folder / "kernel.img", "-dtb", self.folder / "bcm2835-rpi-zero.dtb",
            "-initrd", self.folder / "initrd.img", "-append", line,
            "-drive", f"if=sd,format=raw,file={self.card}",
            "-device", "usb-net,netdev=n0", "-netdev", f"user,id=n0,restrict=on,hostfwd=tcp:127.0.0.1:{self.port}-:80",
            "-qtest", f"unix:{self.folder}/qtest,server=on,wait=off", "-qtest-log", "none",
        ]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.cut()

    def listen(self):
        """Keeps what the serial pins say, and in a file."""
        with open(self.folder / "serial.log", "wb") as log:
            while heard := self.process.stdout.read1(65536):
                log.write(heard)
                log.flush()
                with self.changed:
                    self.said += heard.decode(errors="replace")
                    self.changed.notify_all()

    def cut(self):
        """Pulls the plug; the emulator gets no chance to do anything."""
        self.process.kill()
        self.process.wait()

    def alive(self):
        if self.process.poll() is not None:
            raise Trouble(f"the emulator ended ({self.process.returncode}); see {self.folder}/serial.log")

    def wait_for(self, pattern, since, limit_s):
        until = time.monotonic() + limit_s
        with self.changed:
            while not (found := re.search(pattern, self.said[since:])):
                self.alive()
                if time.monotonic() > until:
                    raise Trouble(f"'{pattern}' was not said in {limit_s} s; see {self.folder}/serial.log")
                self.changed.wait(0.5)
            return found

    def shell(self, command, limit_s=COMMAND_S):
        """What a command prints that somebody types at the serial pins."""
        self.wait_for("linnet# ", 0, limit_s)
        since = len(self.said)
        # The line is echoed, broken where the terminal ends; the marks in it are written so that only their output is one.
        self.process.stdin.write(f'echo "[be""gin]"; {command}; echo "[en""d]"\n'.encode())
        self.process.stdin.flush()
        found = self.wait_for(r"(?s)\[begin\](.*)\[end\]", since, limit_s)
        return found[1].replace("\r", "").strip()

    def wall_s(self):
        return time.monotonic() - self.began


class Pins:
    """The pins of the emulated SoC, driven and read from outside (BCM2835 peripherals, chapter 6)."""

    LEVEL, SET, CLEAR = 0x20200034, 0x2020001C, 0x20200028

    def __init__(self, guest):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(30)
        self.socket.connect(str(guest.folder / "qtest"))
        self.lines = self.socket.makefile("r")

    def ask(self, line):
        self.socket.sendall(f"{line}\n".encode())
        while True:
            answer = self.lines.readline()
            if not answer:
                raise Trouble("the emulator's test socket closed")
            # Interrupts are told in between.
            if not answer.startswith("IRQ"):
                return answer.split()

    def drive(self, pin, high):
        self.ask(f"writel {self.SET if high else self.CLEAR:#x} {1 << pin:#x}")

    def is_high(self, pin):
        return bool(int(self.ask(f"readl {self.LEVEL:#x}")[1], 16) & (1 << pin))
