# SPDX-License-Identifier: MIT
"""What is seen at a terminal: the text, the colours and the cursor's place, in one form for bytes and pictures. Pure.

A Frame is all cells; a Look is what of it is compared. Colours are numbers of the console's sixteen, "ink/paper", or
#rrggbb; the ink of a blank is not seen, and counts as that of the text beside it on the same paper.
"""
import re
from dataclasses import dataclass, field

INK, PAPER = 7, 0  # of plain text
UNDERLINED = 6  # the ink of underlined text on Linux's console, which draws no line
HIDDEN, UNKNOWN = "hidden", "?"  # cursors: there is none; it is not compared
PALETTE = ("000000", "aa0000", "00aa00", "aa5500", "0000aa", "aa00aa", "00aaaa", "aaaaaa",
           "555555", "ff5555", "55ff55", "ffff55", "5555ff", "ff55ff", "55ffff", "ffffff")
_NUMBERS = {bytes.fromhex(colour): number for number, colour in enumerate(PALETTE)}


@dataclass
class Frame:
    """cells: rows of (character, ink, paper), the ink None for a blank; cursor: (row, column), HIDDEN or UNKNOWN."""
    cells: list
    cursor: object = UNKNOWN

    def text(self):
        """A line a row, without blanks at the ends."""
        return ["".join(character for character, _, _ in row).rstrip() for row in self.cells]


@dataclass
class Look:
    lines: list
    colours: dict = field(default_factory=dict)  # {row: [(from, to, ink, paper)]} of all that is not plain
    cursor: object = UNKNOWN

    def paper(self, row, column):
        return next((paper for first, last, _, paper in self.colours.get(row, ()) if first <= column <= last), PAPER)


def colour(rgb):
    """The colour of a picture's three bytes, of an underlined character's four."""
    return _NUMBERS.get(rgb, "#" + rgb.hex()) if len(rgb) == 3 else UNDERLINED


def from_picture(cells):
    """A Frame of screen.Reader's cells; the cursor is not known."""
    return Frame([[(character, None if ink is None else colour(ink), colour(paper)) for character, ink, paper in row]
                  for row in cells])


def without_cursor(frame, wanted):
    """A Baton's picture shows the cursor as a cell with its colours exchanged: the frame without it, should it be
    where the look `wanted` has it. If it is elsewhere, the colours will differ."""
    if wanted.cursor in (HIDDEN, UNKNOWN):
        return Frame(frame.cells, wanted.cursor)
    row, column = wanted.cursor
    cells = [list(line) if number == row else line for number, line in enumerate(frame.cells)]
    character, ink, paper = cells[row][column]
    base = wanted.paper(row, column)
    if ink is None and paper == base:
        return Frame(frame.cells, HIDDEN)
    cells[row][column] = (" ", None, base) if ink is None else (character, paper, ink)
    return Frame(cells, wanted.cursor)


def difference_of(without, with_cursor):
    """The cursor of two frames, of which the second alone shows it; None: they differ otherwise too."""
    places = [(row, column) for row, (one, other) in enumerate(zip(without.cells, with_cursor.cells))
              for column, (a, b) in enumerate(zip(one, other)) if a != b]
    return HIDDEN if not places else places[0] if len(places) == 1 else None


def runs(row):
    """[(from, to, ink, paper)] of the cells of a row that are not plain."""
    found, open_run = [], None
    for column, (_, ink, paper) in enumerate(row):
        if (ink, paper) == (INK, PAPER) or ink is None and paper == PAPER:
            open_run = None
        elif open_run and open_run[3] == paper and (ink in (None, open_run[2]) or open_run[2] is None):
            open_run[1], open_run[2] = column, open_run[2] if ink is None else ink
        else:
            open_run = [column, column, ink, paper]
            found.append(open_run)
    return [tuple(run) for run in found]


def look(frame, masks=(), only=None):
    """What is compared: all, or the lines with `only`, without the cursor then. A line that a mask changes has no
    colours: their places may vary with its text."""
    found = Look([], {}, frame.cursor if only is None else UNKNOWN)
    for number, (row, text) in enumerate(zip(frame.cells, frame.text())):
        masked = text
        for pattern, new in masks:
            masked = pattern.sub(new, masked)
        if only is not None and not only.search(masked):
            continue
        found.lines.append(masked.rstrip())
        coloured = runs(row) if masked == text else []
        if coloured:
            found.colours[number] = coloured
    while found.lines and not found.lines[-1]:
        found.lines.pop()
    return found


# ---- As text, in the references ----

def write(seen):
    """Lines: "|text", "~ROW: FROM-TO INK/PAPER, ...", "@ROW,COLUMN"."""
    lines = [f"|{line}" for line in seen.lines]
    for row, coloured in seen.colours.items():
        words = (f"{first}-{last} {'' if ink is None else ink}/{paper}" for first, last, ink, paper in coloured)
        lines.append(f"~{row}: {', '.join(words)}")
    cursor = seen.cursor
    return lines + ["@" + (cursor if isinstance(cursor, str) else f"{cursor[0]},{cursor[1]}")]


def _number(word):
    return int(word) if word.isdigit() else word or None


def read_line(seen, line):
    """Adds a line of write's to a Look."""
    kind, rest = line[0], line[1:]
    if kind == "|":
        seen.lines.append(rest)
    elif kind == "~":
        row, coloured = rest.split(": ")
        found = [re.fullmatch(r"(\d+)-(\d+) (.*)/(.*)", run).groups() for run in coloured.split(", ")]
        seen.colours[int(row)] = [(int(first), int(last), _number(ink), _number(paper))
                                  for first, last, ink, paper in found]
    elif kind == "@":
        seen.cursor = tuple(map(int, rest.split(","))) if "," in rest else rest
    else:
        raise ValueError(f"{line!r} is no line of a look")
