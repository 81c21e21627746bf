"""What SQLite writes for the same messages: WAL mode, synchronous=FULL, a row and one index entry for each.

usage: sqlite.py FILE MESSAGES PER_SECOND IN_ONE_TRANSACTION   (0 a second: as fast as it goes)
"""

import sqlite3
import sys
import time

TEXT = "the heron stands in the reeds and waits for what the water brings; " * 3
TEXT_BYTES = 150


def main(path, messages, per_second, together):
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=FULL")
    database.execute(
        "CREATE TABLE IF NOT EXISTS message"
        " (seq INTEGER PRIMARY KEY, id TEXT, room TEXT, at INTEGER, author TEXT, text TEXT)"
    )
    database.execute("CREATE INDEX IF NOT EXISTS message_room ON message (room, at)")
    start = time.monotonic()
    for first in range(0, messages, together):
        if per_second:
            time.sleep(max(0.0, start + first / per_second - time.monotonic()))
        database.execute("BEGIN")
        for number in range(first, min(first + together, messages)):
            row = (f"m{number:016}", "GENERAL", time.time_ns() // 1_000_000, f"u{number % 8:016}", TEXT[:TEXT_BYTES])
            database.execute("INSERT INTO message (id, room, at, author, text) VALUES (?, ?, ?, ?, ?)", row)
        database.execute("COMMIT")
    print(time.monotonic() - start)


main(sys.argv[1], *map(int, sys.argv[2:]))
