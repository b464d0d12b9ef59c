# SPDX-License-Identifier: MIT
"""Where things stand in the tree, and how Baton speaks to its user."""
import argparse
import os
import re
import sys
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# Another build folder than build/: for work on two states of the tree side by side.
BUILD = Path(os.environ.get("BATON_BUILD") or ROOT / "build").absolute()
RUN = BUILD / "run"

EXIT_USE = 2
EXIT_TIMEOUT = 124
EXIT_FAILED = 125
EXIT_NO_EXEC = 126  # as shells have it: the program is there and cannot be started
EXIT_NO_PROGRAM = 127


class Failure(Exception):
    """Baton cannot do what was asked; the text says what, where, found, expected."""
    code = None  # the command's exit code; None: what the verb has for Baton's own failures


class WrongUse(Failure):
    """What was asked makes no sense, whatever Baton can do."""
    code = EXIT_USE


class NoProgram(Failure):
    """The program is not there, or nothing that can be started."""

    def __init__(self, text, code=EXIT_NO_PROGRAM):
        super().__init__(text)
        self.code = code


def say(text):
    print(f"baton: {text}", file=sys.stderr, flush=True)


def run_folder():
    RUN.mkdir(parents=True, exist_ok=True)
    return RUN


class Progress:
    """A line on stderr for what takes longer than two seconds.

    On a terminal the line counts the seconds and is wiped at the end; elsewhere it is one plain
    line, or none when quiet (exec, whose stderr belongs to the program).
    """

    def __init__(self, text, quiet=False, after=2.0):
        self.text, self.after = text, after
        self.terminal = sys.stderr.isatty()
        self.silent = quiet and not self.terminal
        self.shown = False
        self.done = threading.Event()
        self.thread = threading.Thread(target=self._show, daemon=True)

    def _show(self):
        started = time.monotonic()
        wait = self.after
        while not self.done.wait(wait):
            wait = 1.0
            if self.silent or (self.shown and not self.terminal):
                continue
            seconds = int(time.monotonic() - started)
            line = f"\r\x1b[Kbaton: {self.text} ({seconds} s)" if self.terminal else \
                f"baton: {self.text}\n"
            sys.stderr.write(line)
            sys.stderr.flush()
            self.shown = True

    def __enter__(self):
        self.thread.start()
        return self

    def stop(self):
        """Ends the line early: somebody else is about to write to the terminal."""
        if self.done.is_set():
            return
        self.done.set()
        self.thread.join()
        if self.shown and self.terminal:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()

    def __exit__(self, *_):
        self.stop()
        return False


# ---- Types for argparse: a bad value ends the command with exit code 2, and says what was expected ----

def positive(text):
    """A whole number above 0."""
    if not re.fullmatch("[0-9]{1,18}", text) or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r}: expected a whole number, at least 1")
    return int(text)


def seconds(text):
    """A number of seconds above 0, fractions too."""
    if not re.fullmatch(r"[0-9]{1,12}(\.[0-9]*)?|\.[0-9]+", text) or float(text) <= 0:
        raise argparse.ArgumentTypeError(f"{text!r}: expected a number of seconds above 0")
    return float(text)


def checked(check):
    """The type of a word that `check` raises WrongUse for, or else is kept as it is."""
    def keep(text):
        try:
            check(text)
        except WrongUse as error:
            raise argparse.ArgumentTypeError(str(error)) from error
        return text
    return keep
