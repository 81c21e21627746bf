"""Steps of a story: each is named, and the last line says how many went well."""

import sys
import traceback

_done = {"passed": 0, "failed": 0}


class step:
    """`with step("alice logs in"):` counts and prints what is inside; a step that fails ends the story."""

    def __init__(self, name):
        self.name = name

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if kind is None:
            _done["passed"] += 1
            print("ok    ", self.name)
            return False
        _done["failed"] += 1
        print("FAILED", self.name)
        traceback.print_exception(kind, error, trace)
        end()


def end():
    """Prints the counts and ends the program."""
    print(f"{_done['passed']} passed, {_done['failed']} failed", flush=True)
    sys.exit(1 if _done["failed"] else 0)
