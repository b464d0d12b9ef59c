#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A terminal of the kind `linux` (terminfo's name, man 4 console_codes) as a grid of cells: pure.

What a program writes to a serial line becomes the screen that a person would see there, whatever the
bytes came in. It answers reports as Linux's console does. What that console ignores is ignored here:
the alternate screen, titles, mouse, bracketed paste.

    terminal = Terminal(24, 80)
    answers = terminal.feed(b"\\x1b[2J\\x1b[6nHello")
    terminal.lines()[0], terminal.row, terminal.column
"""
import codecs
import unicodedata
from dataclasses import dataclass, replace

REPLACEMENT = "\ufffd"
# What Linux's console shows for DEC's line drawing characters.
GRAPHICS = dict(zip("+,-.0`abcdefghijklmnopqrstuvwxyz{|}~",
                    "→←↑↓█◆▒␉␌␍␊°±␤␋┘┐┌└┼⎺⎻─⎼⎽├┤┴┬│≤≥π≠£·"))
DEVICE = b"\x1b[?6c"  # a VT102


@dataclass(frozen=True)
class Look:
    """How a cell looks: colours are 0-15, or (r, g, b); None: the terminal's own."""
    ink: object = None
    paper: object = None
    bold: bool = False
    dim: bool = False
    underline: bool = False
    blink: bool = False
    inverse: bool = False

    def text(self):
        """In words, "" for a plain cell."""
        words = [name for name in ("bold", "dim", "underline", "blink", "inverse") if getattr(self, name)]
        words += [f"{name}={colour}" for name, colour in (("ink", self.ink), ("paper", self.paper)) if colour is not None]
        return " ".join(words)


    def colours(self):
        """(ink, paper) as Linux's console shows it: underlined text is cyan, dim is grey, bold is bright, inverse
        exchanges all but the bright bits; blinking has no effect on its framebuffer."""
        ink = 7 if self.ink is None else self.ink
        paper = 0 if self.paper is None else self.paper
        ink = 6 if self.underline else 8 if self.dim else ink
        if isinstance(ink, tuple) or isinstance(paper, tuple):  # no bits that mean something
            return (paper, ink) if self.inverse else (ink, paper)
        if self.inverse:
            ink, paper = paper & 7 | ink & 8, ink & 7 | paper & 8
        return ink ^ 8 if self.bold else ink, paper


PLAIN = Look()
SGR = {1: {"bold": True}, 2: {"dim": True}, 4: {"underline": True}, 5: {"blink": True}, 7: {"inverse": True},
       21: {"underline": True}, 22: {"bold": False, "dim": False}, 24: {"underline": False}, 25: {"blink": False},
       27: {"inverse": False}, 39: {"ink": None}, 49: {"paper": None}}
SGR.update({30 + i: {"ink": i} for i in range(8)} | {40 + i: {"paper": i} for i in range(8)})
SGR.update({90 + i: {"ink": 8 + i} for i in range(8)} | {100 + i: {"paper": 8 + i} for i in range(8)})


@dataclass
class Saved:
    row: int = 0
    column: int = 0
    look: Look = PLAIN
    sets: tuple = (False, False)  # G0, G1: line drawing
    shift: int = 0


class Terminal:
    def __init__(self, rows, columns):
        self.rows, self.columns = rows, columns
        self.decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.answers = b""
        self.bells = 0
        self.reset()

    def reset(self):
        self.look = PLAIN
        self.cells = [self._blank_row() for _ in range(self.rows)]
        self.row = self.column = 0
        self.wrapping = False  # the last column is written: the next character begins a line
        self.top, self.bottom = 0, self.rows
        self.origin = self.insert = self.newline = self.keypad = self.cursor_keys = False
        self.wrap = self.cursor = True
        self.sets, self.shift = [False, False], 0
        self.saved = Saved()
        self.tabs = set(range(0, self.columns, 8))
        self.state, self.collected = self._ground, ""

    # ---- what is seen ----

    def lines(self):
        """The text, a line a row, without blanks at the ends."""
        return ["".join(character for character, _ in row).rstrip() for row in self.cells]

    def seen(self):
        """Rows of (character, ink, paper); the ink of a blank is None. Colours are 0-15, others "#rrggbb"."""
        names = {}
        for look in {look for row in self.cells for _, look in row}:
            names[look] = tuple(part if isinstance(part, int) else "#%02x%02x%02x" % part for part in look.colours())
        return [[(character, None if character == " " else names[look][0], names[look][1]) for character, look in row]
                for row in self.cells]

    def resize(self, rows, columns):
        """Another size: what is at the top left stays."""
        self.rows, self.columns = rows, columns
        kept = [row[:columns] + [(" ", PLAIN)] * (columns - len(row)) for row in self.cells[:rows]]
        self.cells = kept + [[(" ", PLAIN)] * columns for _ in range(rows - len(kept))]
        self.top, self.bottom = 0, rows
        self.tabs |= set(range(0, columns, 8))
        self._place(self.row, self.column, regions=False)

    def looks(self):
        """{row: [(from, to, words)]} of all that is not plain; blanks count when they have a paper."""
        found = {}
        for number, row in enumerate(self.cells):
            runs = []
            for column, (_, look) in enumerate(row):
                words = look.text()
                if words and runs and runs[-1][1] == column - 1 and runs[-1][2] == words:
                    runs[-1][1] = column
                elif words:
                    runs.append([column, column, words])
            if runs:
                found[number] = [tuple(run) for run in runs]
        return found

    # ---- what comes ----

    def feed(self, data):
        """Takes bytes; what the terminal answers."""
        for character in self.decoder.decode(data):
            if character < " " or character == "\x7f":
                self._control(character)
            else:
                self.state(character)
        answers, self.answers = self.answers, b""
        return answers

    def _control(self, character):
        if self.state == self._string and character != "\x1b":
            self.state = self._ground if character == "\x07" else self._string
        elif character == "\x1b":
            self.state, self.collected = self._escape, ""
        elif character in "\x18\x1a":
            self.state = self._ground
        elif character == "\x07":
            self.bells += 1
        elif character == "\b":
            self._place(self.row, self.column - 1, regions=False)
        elif character == "\t":
            later = [tab for tab in self.tabs if tab > self.column]
            self.column = min(later, default=self.columns - 1)
        elif character in "\n\v\f":
            self._line_feed()
            self.column = 0 if self.newline else self.column
        elif character == "\r":
            self._place(self.row, 0, regions=False)
        elif character in "\x0e\x0f":
            self.shift = int(character == "\x0e")

    def _ground(self, character):
        if self.sets[self.shift]:
            character = GRAPHICS.get(character, character)
        if unicodedata.combining(character) or character in "\u200b\u200d\ufeff":
            return
        wide = unicodedata.east_asian_width(character) in "WF"
        if wide:
            character = REPLACEMENT
        for shown in (character, " ")[:1 + wide]:
            if self.wrapping and self.wrap:
                self.column = 0
                self._line_feed()
            if self.insert:
                self._insert_cells(1)
            self.cells[self.row][self.column] = (shown, self.look)
            self.wrapping = self.column == self.columns - 1
            self.column = min(self.column + 1, self.columns - 1)

    def _escape(self, character):
        self.state = self._ground
        if character == "[":
            self.state = self._sequence
        elif character in "]P^_X":
            self.state, self.collected = self._string if character != "]" else self._system, ""
        elif character in "()%#*+":
            self.collected, self.state = character, self._charset
        elif character in ESCAPES:
            ESCAPES[character](self)

    def _charset(self, character):
        self.state = self._ground
        if self.collected in "()":
            self.sets["()".index(self.collected)] = character == "0"
        elif self.collected == "#" and character == "8":
            self.cells = [[("E", self.look)] * self.columns for _ in range(self.rows)]

    def _system(self, character):
        """ESC ]: the palette's forms end by themselves, the others with BEL or ESC \\."""
        self.collected += character
        if self.collected == "R" or self.collected[0] == "P" and len(self.collected) == 8:
            self.state = self._ground
        elif self.collected[0] not in "PR":
            self.state = self._string

    def _string(self, _):
        pass

    def _sequence(self, character):
        if "@" <= character <= "~" and not (character == "[" and not self.collected):
            self.state = self._ground
            self._run(self.collected, character)
        else:
            self.collected += character

    def _run(self, text, final):
        """A control sequence; with a private mark only modes are known."""
        if text.startswith("["):  # a function key's echo
            return
        private, text = (text[:1], text[1:]) if text[:1] in ("?", ">", "=", "<") else ("", text)
        if any(c not in "0123456789;:" for c in text):
            return
        numbers = [int(word) if word.isdigit() else 0 for word in text.replace(":", ";").split(";")]
        if final in "hl":
            for number in numbers:
                self._mode(private, number, final == "h")
        elif not private and final in SEQUENCES:
            SEQUENCES[final](self, numbers)

    def _mode(self, private, number, on):
        name = {("?", 1): "cursor_keys", ("?", 6): "origin", ("?", 7): "wrap", ("?", 25): "cursor", ("", 4): "insert",
                ("", 20): "newline"}.get((private, number))
        if name:
            setattr(self, name, on)
        if name == "origin":
            self._place(0, 0)

    # ---- the cursor ----

    def _place(self, row, column, regions=True):
        """regions: the row counts from the scroll region's top in origin mode."""
        low, high = (self.top, self.bottom) if regions and self.origin else (0, self.rows)
        row += low if regions and self.origin else 0
        self.row = max(low, min(row, high - 1))
        self.column = max(0, min(column, self.columns - 1))
        self.wrapping = False

    def _vertical(self, by):
        low = self.top if by < 0 and self.row >= self.top else 0
        high = self.bottom if by > 0 and self.row < self.bottom else self.rows
        self._place(max(low, min(self.row + by, high - 1)), self.column, regions=False)

    def _line_feed(self):
        self.wrapping = False
        if self.row == self.bottom - 1:
            self._scroll(self.top, 1)
        elif self.row < self.rows - 1:
            self.row += 1

    def _reverse_line_feed(self):
        self.wrapping = False
        if self.row == self.top:
            self._scroll(self.top, -1)
        elif self.row > 0:
            self.row -= 1

    def _save(self):
        self.saved = Saved(self.row, self.column, self.look, tuple(self.sets), self.shift)

    def _restore(self):
        self._place(self.saved.row, self.saved.column, regions=False)
        self.look, self.sets, self.shift = self.saved.look, list(self.saved.sets), self.saved.shift

    # ---- cells ----

    def _erased(self):
        return " ", replace(PLAIN, paper=self.look.paper)

    def _blank_row(self):
        return [self._erased()] * self.columns

    def _scroll(self, top, count):
        """Moves the lines from `top` to the region's end up by `count`, or down."""
        part = self.cells[top:self.bottom]
        count = max(-len(part), min(count, len(part)))
        new = [self._blank_row() for _ in range(abs(count))]
        self.cells[top:self.bottom] = part[count:] + new if count > 0 else new + part[:count]

    def _insert_cells(self, count):
        row = self.cells[self.row]
        self.cells[self.row] = (row[:self.column] + [self._erased()] * count + row[self.column:])[:self.columns]

    def _delete_cells(self, count):
        row = self.cells[self.row]
        row[self.column:] = (row[self.column + count:] + [self._erased()] * self.columns)[:self.columns - self.column]

    def _erase(self, row, first, end):
        self.cells[row][first:end] = [self._erased()] * (min(end, self.columns) - first)

    def _erase_line(self, numbers):
        first, end = {0: (self.column, self.columns), 1: (0, self.column + 1), 2: (0, self.columns)}.get(numbers[0], (0, 0))
        self._erase(self.row, first, end)

    def _erase_screen(self, numbers):
        rows = {0: range(self.row + 1, self.rows), 1: range(self.row)}.get(numbers[0], range(self.rows))
        if numbers[0] < 2:
            self._erase_line(numbers)
        for row in rows:
            self._erase(row, 0, self.columns)

    def _insert_lines(self, count):
        if self.top <= self.row < self.bottom:
            self._scroll(self.row, count)

    # ---- the rest ----

    def _region(self, numbers):
        top, bottom = max(numbers[0], 1) - 1, (numbers + [0])[1] or self.rows
        if top < bottom - 1 and bottom <= self.rows:
            self.top, self.bottom = top, bottom
            self._place(0, 0)

    def _report(self, numbers):
        if numbers[0] == 5:
            self.answers += b"\x1b[0n"
        elif numbers[0] == 6:
            row = self.row - (self.top if self.origin else 0)
            self.answers += b"\x1b[%d;%dR" % (row + 1, self.column + 1)

    def _identify(self, _=None):
        self.answers += DEVICE

    def _clear_tabs(self, numbers):
        self.tabs = set() if numbers[0] == 3 else self.tabs - {self.column}

    def _colours(self, numbers):
        rest = list(numbers)
        while rest:
            number = rest.pop(0)
            if number in (38, 48):
                colour, rest = _many_colours(rest)
                if colour is not None:
                    self.look = replace(self.look, **{"ink" if number == 38 else "paper": colour})
            else:
                self.look = PLAIN if number == 0 else replace(self.look, **SGR.get(number, {}))


def _many_colours(rest):
    """What follows 38 and 48: (a colour or None, the numbers after it)."""
    if rest[:1] == [5] and len(rest) > 1:
        number = rest[1]
        if number >= 232:
            return (8 + 10 * (number - 232),) * 3, rest[2:]
        levels = (0, 95, 135, 175, 215, 255)
        cube = number - 16
        return (number if number < 16 else tuple(levels[cube // step % 6] for step in (36, 6, 1))), rest[2:]
    if rest[:1] == [2] and len(rest) > 3:
        return tuple(rest[1:4]), rest[4:]
    return None, rest[1:]


ESCAPES = {
    "7": Terminal._save, "8": Terminal._restore, "c": Terminal.reset, "D": Terminal._line_feed,
    "M": Terminal._reverse_line_feed, "Z": Terminal._identify,
    "E": lambda t: (t._line_feed(), t._place(t.row, 0, regions=False)),
    "H": lambda t: t.tabs.add(t.column),
    "=": lambda t: setattr(t, "keypad", True), ">": lambda t: setattr(t, "keypad", False),
}
SEQUENCES = {
    "A": lambda t, n: t._vertical(-max(n[0], 1)), "B": lambda t, n: t._vertical(max(n[0], 1)),
    "e": lambda t, n: t._vertical(max(n[0], 1)),
    "C": lambda t, n: t._place(t.row, t.column + max(n[0], 1), regions=False),
    "a": lambda t, n: t._place(t.row, t.column + max(n[0], 1), regions=False),
    "D": lambda t, n: t._place(t.row, t.column - max(n[0], 1), regions=False),
    "E": lambda t, n: (t._vertical(max(n[0], 1)), t._place(t.row, 0, regions=False)),
    "F": lambda t, n: (t._vertical(-max(n[0], 1)), t._place(t.row, 0, regions=False)),
    "G": lambda t, n: t._place(t.row, n[0] - 1, regions=False), "`": lambda t, n: t._place(t.row, n[0] - 1, regions=False),
    "d": lambda t, n: t._place(n[0] - 1, t.column),
    "H": lambda t, n: t._place(n[0] - 1, (n + [0])[1] - 1), "f": lambda t, n: t._place(n[0] - 1, (n + [0])[1] - 1),
    "J": Terminal._erase_screen, "K": Terminal._erase_line,
    "L": lambda t, n: t._insert_lines(-max(n[0], 1)), "M": lambda t, n: t._insert_lines(max(n[0], 1)),
    "P": lambda t, n: t._delete_cells(max(n[0], 1)), "@": lambda t, n: t._insert_cells(max(n[0], 1)),
    "X": lambda t, n: t._erase(t.row, t.column, t.column + max(n[0], 1)),
    "c": Terminal._identify, "n": Terminal._report, "g": Terminal._clear_tabs, "m": Terminal._colours,
    "r": Terminal._region, "s": lambda t, _: t._save(), "u": lambda t, _: t._restore(),
}
