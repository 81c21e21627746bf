"""Where a program has ring's assembly that runs only on a processor with NEON.

ring asks the kernel what the processor has before it calls these (src/cpu/arm.rs of its sources). Their object files lie
beside the build, so they are found in the program by their bytes, relocated words aside, and not by a name: what is
called NEON but lies elsewhere is a fault as ever.
"""

import pathlib
import re
import struct

OBJECTS = "tests/.cache/pi/target/*/pi/build/ring-*/out/*.o"
# As ring names what it calls only where NEON was found.
CHOSEN = re.compile(r"neon|bsaes|vpaes", re.IGNORECASE)
SYMBOLS, RELOCATIONS = 2, 9
FUNCTION = 2
# Bytes without relocation by which an object is looked for.
ANCHOR = 64


class Object:
    """The code of an object file, the words of it that the linker changes, its functions and its tables of data."""

    def __init__(self, path):
        self.name = path.name
        raw = path.read_bytes()
        at, = struct.unpack_from("<I", raw, 32)
        size, count, names = struct.unpack_from("<HHH", raw, 46)
        headers = [struct.unpack_from("<IIIIIIIIII", raw, at + number * size) for number in range(count)]

        def text(table, place):
            start = headers[table][4] + place
            return raw[start:raw.index(b"\0", start)].decode()

        sections = {text(names, header[0]): number for number, header in enumerate(headers)}
        self.number = sections.get(".text", 0)
        header = headers[self.number]
        self.code = raw[header[4]:header[4] + header[5]] if self.number else b""
        self.changed, self.functions, marks = set(), [], {}
        for header in headers:
            if header[1] == RELOCATIONS and header[7] == self.number:
                places = range(header[4], header[4] + header[5], 8)
                self.changed.update(struct.unpack_from("<I", raw, place)[0] // 4 for place in places)
            if header[1] == SYMBOLS:
                for place in range(header[4], header[4] + header[5], 16):
                    name, value, length, info, _, section = struct.unpack_from("<IIIBBH", raw, place)
                    if section != self.number:
                        continue
                    word = text(header[6], name)
                    if info & 15 == FUNCTION:
                        self.functions.append((value & ~1, length, word))
                    elif word[:2] in ("$a", "$d"):
                        marks[value] = word[1]
        ends = sorted(marks)[1:] + [len(self.code)]
        self.data = [(start, end) for start, end in zip(sorted(marks), ends) if marks[start] == "d"]

    def chosen(self):
        """(first, last) bytes of its functions that are called only where NEON was found."""
        starts = sorted(start for start, _, _ in self.functions) + [len(self.code)]
        for start, length, name in self.functions:
            if CHOSEN.search(name):
                yield start, start + length if length else next(end for end in starts if end > start)

    def anchor(self):
        """A place in it from which on so many bytes stay as they are."""
        for start in range(0, len(self.code) - ANCHOR + 1, 4):
            if not any(word in self.changed for word in range(start // 4, (start + ANCHOR) // 4)):
                return start
        return None

    def places(self, raw):
        """Where it lies in a program's code."""
        anchor = self.anchor()
        if anchor is None:
            return
        wanted, at = self.code[anchor:anchor + ANCHOR], -1
        while (at := raw.find(wanted, at + 1)) >= 0:
            start = at - anchor
            same = (word in self.changed or self.code[word * 4:word * 4 + 4] == raw[start + word * 4:start + word * 4 + 4]
                    for word in range(len(self.code) // 4))
            if start >= 0 and all(same):
                yield start


def chosen(raw, root):
    """{place in words: name} of the program's code that is ring's and runs only where NEON was found, or is data."""
    found = {}
    for path in sorted(pathlib.Path(root).glob(OBJECTS)):
        made = Object(path)
        passed = [(span, "ring's, for NEON") for span in made.chosen()] + [(span, "ring's tables") for span in made.data]
        for start in made.places(raw) if passed else ():
            for (first, last), name in passed:
                found.update(dict.fromkeys(range((start + first) // 4, (start + last) // 4), name))
    return found
