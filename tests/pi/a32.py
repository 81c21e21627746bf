"""Instructions of 32-bit ARM that a Pi Zero does not have: whatever came after ARMv6K with VFPv2, word by word."""

import array
import re
import sys

# (name, a sample of it, mask, value) of encodings with a condition; bits 31 to 28 are the condition.
CONDITIONAL = [
    ("movw (v6T2)", "movw r0, #0x1234", 0x0FF00000, 0x03000000),
    ("movt (v6T2)", "movt r0, #0x1234", 0x0FF00000, 0x03400000),
    ("mls (v6T2)", "mls r0, r1, r2, r3", 0x0FF000F0, 0x00600090),
    ("bfc, bfi (v6T2)", "bfi r0, r1, #3, #4", 0x0FE00070, 0x07C00010),
    ("sbfx, ubfx (v6T2)", "ubfx r0, r1, #3, #4", 0x0FA00070, 0x07A00050),
    ("rbit (v6T2)", "rbit r0, r1", 0x0FFF0FF0, 0x06FF0F30),
    ("ldrht and its like (v6T2)", "ldrht r0, [r1], #2", 0x0F7000F0, 0x007000B0),
    ("ldrsbt (v6T2)", "ldrsbt r0, [r1], #2", 0x0F7000F0, 0x007000D0),
    ("ldrsht (v6T2)", "ldrsht r0, [r1], #2", 0x0F7000F0, 0x007000F0),
    ("strht (v6T2)", "strht r0, [r1], #2", 0x0F7000F0, 0x006000B0),
    ("sdiv, udiv (v7VE)", "udiv r0, r1, r2", 0x0FD0F0F0, 0x0710F010),
    ("dbg (v7)", "dbg #1", 0x0FFFFFF0, 0x0320F0F0),
    ("lda, stl (v8)", "lda r0, [r1]", 0x0F800FF0, 0x01800C90),
    ("ldaex, stlex (v8)", "ldaex r0, [r1]", 0x0F800FF0, 0x01800E90),
    ("ldaex, stlex (v8)", "stlexb r0, r1, [r2]", 0x0F800FF0, 0x01800E90),
    ("crc32 (v8)", "crc32w r0, r1, r2", 0x0F900DF0, 0x01000040),
    ("vmov of a constant (VFPv3)", "vmov.f32 s0, #1.0", 0x0FB00EF0, 0x0EB00A00),
    ("vcvt of a fixed point (VFPv3)", "vcvt.f32.s32 s0, s0, #8", 0x0FBA0E50, 0x0EBA0A40),
    ("vcvt of a half (VFPv3)", "vcvtb.f32.f16 s0, s1", 0x0FBE0E50, 0x0EB20A40),
    ("vrint, vcvt of a rounding (v8)", "vrintz.f32 s0, s1", 0x0FBF0ED0, 0x0EB60AC0),
    ("vfma, vfms (VFPv4)", "vfma.f32 s0, s1, s2", 0x0FB00E10, 0x0EA00A00),
    ("vfnma, vfnms (VFPv4)", "vfnma.f32 s0, s1, s2", 0x0FB00E10, 0x0E900A00),
    ("vdup from a register (NEON)", "vdup.32 q0, r0", 0x0F900F5F, 0x0E800B10),
    ("vmov of a byte's lane (NEON)", "vmov.8 d0[1], r0", 0x0F400F1F, 0x0E400B10),
    ("vmov of a half's lane (NEON)", "vmov.u16 r0, d0[1]", 0x0F000F3F, 0x0E000B30),
    # VFPv2 has sixteen double registers: the bit that leads to the others is not there.
    ("d16 to d31 in arithmetic (VFPv3)", "vadd.f64 d16, d0, d1", 0x0F400F10, 0x0E400B00),
    ("d16 to d31 in arithmetic (VFPv3)", "vmul.f64 d0, d1, d16", 0x0F000F30, 0x0E000B20),
    ("d16 to d31 in a load or store (VFPv3)", "vldr d16, [r0]", 0x0F600F00, 0x0D400B00),
    ("d16 to d31 in a load or store (VFPv3)", "vpush {d16}", 0x0FE00F00, 0x0D600B00),
    ("d16 to d31 in a load or store (VFPv3)", "vldmia r0!, {d16}", 0x0FE00F00, 0x0CE00B00),
    ("d16 to d31 in a load or store (VFPv3)", "vstmia r0, {d16}", 0x0FE00F00, 0x0CC00B00),
    ("d16 to d31 in a move (VFPv3)", "vmov d16, r0, r1", 0x0FE00FF0, 0x0C400B30),
]

# The same of encodings whose upper four bits are all set.
UNCONDITIONAL = [
    ("NEON arithmetic", "vadd.i32 q0, q1, q2", 0xFE000000, 0xF2000000),
    ("NEON arithmetic", "veor q0, q0, q1", 0xFE000000, 0xF2000000),
    ("NEON load or store", "vld1.32 {d0}, [r0]", 0xFF100000, 0xF4000000),
    ("pli (v7)", "pli [r0]", 0xFD70F000, 0xF450F000),
    ("pldw (v7MP)", "pldw [r0]", 0xFD70F000, 0xF510F000),
    ("dmb, dsb, isb (v7)", "dmb ish", 0xFFFFFFC0, 0xF57FF040),
    ("dmb, dsb, isb (v7)", "isb", 0xFFFFFFC0, 0xF57FF040),
    ("vsel (v8)", "vselge.f32 s0, s1, s2", 0xFF800E10, 0xFE000A00),
    ("vmaxnm, vminnm (v8)", "vmaxnm.f32 s0, s1, s2", 0xFFB00E00, 0xFE800A00),
    ("vrint, vcvt of a rounding (v8)", "vcvta.s32.f32 s0, s1", 0xFFB80E50, 0xFEB80A40),
    ("a call of Thumb code, which is not looked at", "blx #0x20", 0xFE000000, 0xFA000000),
]

# Loads that name a place beside the code: what lies there is a constant. (mask, value, words)
CONSTANT_LOADS = [
    (0x0F7F0000, 0x051F0000, 1),  # ldr, ldrb
    (0x0F7F00F0, 0x014F00D0, 2),  # ldrd
    (0x0F7F0090, 0x015F0090, 1),  # ldrh, ldrsb, ldrsh
    (0x0F3F0F00, 0x0D1F0A00, 1),  # vldr of a single
    (0x0F3F0F00, 0x0D1F0B00, 2),  # vldr of a double
]

# What only newer processors come to, by whole sequences. musl chooses its own when it starts (src/thread/arm/atomics.s);
# libunwind takes the upper registers only where a function's table says that it saved them (UnwindRegisters*.S).
CHOSEN_AT_RUN_TIME = [
    ("musl's __a_barrier_v7", ["mcr p15, 0, r0, c7, c10, 5", "bx lr", "dmb ish", "bx lr"],
     [0xEE070FBA, 0xE12FFF1E, 0xF57FF05B, 0xE12FFF1E]),
    ("musl's __a_cas_v7", ["mov r3, r0", "dmb ish", "1: ldrex r0, [r2]", "subs r0, r3, r0", "strexeq r0, r1, [r2]",
                           "teqeq r0, #1", "beq 1b", "dmb ish", "bx lr"],
     [0xE1A03000, 0xF57FF05B, 0xE1920F9F, 0xE0530000, 0x01820F91, 0x03300001, 0x0AFFFFFA, 0xF57FF05B, 0xE12FFF1E]),
    ("libunwind's restoreVFPv3", ["vldmia r0, {d0-d15}", "bx lr"] * 2 + ["vldmia r0, {d16-d31}", "bx lr"],
     [0xEC900B20, 0xE12FFF1E, 0xEC900B20, 0xE12FFF1E, 0xECD00B20, 0xE12FFF1E]),
    ("libunwind's saveVFPv3", ["vstmia r0, {d0-d15}", "bx lr"] * 2 + ["vstmia r0, {d16-d31}", "bx lr"],
     [0xEC800B20, 0xE12FFF1E, 0xEC800B20, 0xE12FFF1E, 0xECC00B20, 0xE12FFF1E]),
]


def _newer_than(byte, table):
    """The rows that a word with this upper byte can match."""
    return [row for row in table if (byte << 24) & row[2] & 0xFF000000 == row[3] & 0xFF000000]


_BY_BYTE = [_newer_than(byte, UNCONDITIONAL if byte >= 0xF0 else CONDITIONAL) for byte in range(256)]


def newer(word):
    """What this word is, if a Pi Zero does not have it."""
    for name, _, mask, value in _BY_BYTE[word >> 24]:
        if word & mask == value:
            return name
    return None


def words(code):
    """Bytes of code as numbers, the lower byte first."""
    found = array.array("I", code[: len(code) & ~3])
    if sys.byteorder == "big":
        found.byteswap()
    return found


def constants(code):
    """The places, counted in words, that the code loads as constants."""
    found = set()
    for at, word in enumerate(code):
        if word >> 28 == 0xF or word & 0x000F0000 != 0x000F0000:
            continue
        for mask, value, count in CONSTANT_LOADS:
            if word & mask == value:
                place = at + 2 + (_distance(word) >> 2)
                found.update(range(place, place + count))
    return found


def _distance(word):
    """How far from its own address plus 8 a load reaches, in bytes."""
    if word & 0x0E000000 == 0x0C000000:
        size = (word & 0xFF) << 2
    elif word & 0x0E000000 == 0:
        size = (word & 0xF00) >> 4 | word & 0xF
    else:
        size = word & 0xFFF
    return size if word & 0x00800000 else -size


def chosen_at_run_time(raw):
    """The places, counted in words, of code that runs only where the processor was found to have it."""
    found = {}
    for name, _, sequence in CHOSEN_AT_RUN_TIME:
        pattern = re.escape(array.array("I", sequence).tobytes())
        for match in re.finditer(pattern, raw):
            if match.start() % 4 == 0:
                found.update({match.start() // 4 + place: name for place in range(len(sequence))})
    return found


def scan(raw, elsewhere=None):
    """(place in bytes, word, what it is) of each instruction a Pi Zero would stop at, and what was passed over.

    `elsewhere` names further places, counted in words, of code that runs only where the processor was found to have it.
    """
    code = words(raw)
    bad = [(at, word, name) for at, word in enumerate(code) if (name := newer(word))]
    data = constants(code) if bad else set()
    chosen = chosen_at_run_time(raw) | (elsewhere or {})
    passed = {"constants": 0}
    found = []
    for at, word, name in bad:
        if at in chosen:
            passed[chosen[at]] = passed.get(chosen[at], 0) + 1
        elif at in data:
            passed["constants"] += 1
        else:
            found.append((at * 4, word, name))
    return found, passed
