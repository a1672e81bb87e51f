#!/usr/bin/python3
"""Draws a tmux pane as a PNG. Needs Debian's python3-pil and fonts-dejavu-core only.

    tmux capture-pane -e -p -N -t PANE | tmux2png.py OUT.png [COLUMNS] [FONT-PIXELS]

16, 256 and 24-bit colours, bold, dim, italic, underline, reverse, strike; blocks and braille
are drawn, so that bars join and charts show. Wide characters need a font that has them.
"""

import re
import sys
import unicodedata

from PIL import Image, ImageDraw, ImageFont

FONT = "/usr/share/fonts/truetype/dejavu/DejaVuSansMono"
BACKGROUND, FOREGROUND = (24, 24, 37), (205, 214, 244)
SIXTEEN = [
    *[(49, 50, 68), (243, 139, 168), (166, 227, 161), (249, 226, 175)],
    *[(137, 180, 250), (203, 166, 247), (148, 226, 213), (186, 194, 222)],
    *[(108, 112, 134), (255, 160, 185), (190, 245, 185), (255, 240, 200)],
    *[(165, 200, 255), (220, 190, 255), (175, 240, 230), (255, 255, 255)],
]
BOLD, DIM, ITALIC, UNDERLINE, REVERSE, STRIKE = 1, 2, 3, 4, 7, 9
# A colour or attribute, another sequence, or one character.
TOKEN = re.compile(r"\x1b\[([0-9;:]*)m|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[()].|[\x0e\x0f]|(.)")
# The dots of a braille cell, bit by bit: column and row.
DOTS = [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3)]


def indexed(number: int) -> tuple:
    """A colour of the 256."""
    if number < 16:
        return SIXTEEN[number]
    if number < 232:
        number -= 16
        levels = (number // 36, number // 6 % 6, number % 6)
        return tuple(0 if level == 0 else 55 + 40 * level for level in levels)
    return (8 + 10 * (number - 232),) * 3


def restyle(parameters: str, style: dict) -> None:
    """Applies one SGR sequence."""
    codes = [int(code or 0) for code in re.split("[;:]", parameters or "0")]
    while codes:
        code = codes.pop(0)
        if code == 0:
            style.clear()
        elif code in (BOLD, DIM, ITALIC, UNDERLINE, REVERSE, STRIKE):
            style[code] = True
        elif code == 22:
            style.pop(BOLD, None)
            style.pop(DIM, None)
        elif code in (23, 24, 27, 29):
            style.pop(code - 20, None)
        elif code in (38, 48) and codes:
            key = "fg" if code == 38 else "bg"
            if codes[0] == 5:
                style[key] = indexed(codes[1])
                del codes[:2]
            elif codes[0] == 2:
                style[key] = tuple(codes[1:4])
                del codes[:4]
        elif code == 39:
            style.pop("fg", None)
        elif code == 49:
            style.pop("bg", None)
        elif 30 <= code <= 37:
            style["fg"] = SIXTEEN[code - 30]
        elif 40 <= code <= 47:
            style["bg"] = SIXTEEN[code - 40]
        elif 90 <= code <= 97:
            style["fg"] = SIXTEEN[code - 82]
        elif 100 <= code <= 107:
            style["bg"] = SIXTEEN[code - 92]


def cells(line: str, style: dict) -> list:
    """The line's characters, each with its style; `style` goes on into the next line."""
    found = []
    for token in TOKEN.finditer(line):
        if token.group(2) is not None:
            if not unicodedata.combining(token.group(2)):
                found.append((token.group(2), dict(style)))
        elif token.group(0).startswith("\x1b["):
            restyle(token.group(1), style)
    return found


def width(character: str) -> int:
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


class Picture:
    def __init__(self, columns: int, rows: int, pixels: int):
        variants = {(0, 0): "", (1, 0): "-Bold", (0, 1): "-Oblique", (1, 1): "-BoldOblique"}
        self.fonts = {key: ImageFont.truetype(f"{FONT}{name}.ttf", pixels) for key, name in variants.items()}
        self.width, self.height = round(self.fonts[0, 0].getlength("M")), sum(self.fonts[0, 0].getmetrics())
        self.image = Image.new("RGB", (columns * self.width, rows * self.height), BACKGROUND)
        self.draw = ImageDraw.Draw(self.image)

    def put(self, column: int, row: int, character: str, style: dict) -> None:
        foreground, background = style.get("fg", FOREGROUND), style.get("bg", BACKGROUND)
        if style.get(REVERSE):
            foreground, background = background, foreground
        if style.get(DIM):
            foreground = tuple((a + b) // 2 for a, b in zip(foreground, background))
        x, y = column * self.width, row * self.height
        right = x + width(character) * self.width - 1
        self.draw.rectangle((x, y, right, y + self.height - 1), fill=background)
        self.glyph(x, y, character, style, foreground)
        if style.get(UNDERLINE):
            self.draw.line((x, y + self.height - 2, right, y + self.height - 2), fill=foreground)
        if style.get(STRIKE):
            self.draw.line((x, y + self.height // 2, right, y + self.height // 2), fill=foreground)

    def glyph(self, x: int, y: int, character: str, style: dict, colour: tuple) -> None:
        code = ord(character)
        if 0x2581 <= code <= 0x2588:  # lower blocks
            top = y + self.height - self.height * (code - 0x2580) // 8
            self.draw.rectangle((x, top, x + self.width - 1, y + self.height - 1), fill=colour)
        elif 0x2589 <= code <= 0x258F:  # left blocks
            right = x + self.width * (0x2590 - code) // 8 - 1
            self.draw.rectangle((x, y, right, y + self.height - 1), fill=colour)
        elif 0x2800 <= code <= 0x28FF:  # braille
            for bit, (across, down) in enumerate(DOTS):
                if code & (1 << bit):
                    left, top = x + self.width * (1 + 2 * across) // 4, y + self.height * (1 + 2 * down) // 8
                    self.draw.rectangle((left - 1, top - 1, left, top), fill=colour)
        elif character != " ":
            font = self.fonts[int(style.get(BOLD, False)), int(style.get(ITALIC, False))]
            self.draw.text((x, y), character, font=font, fill=colour)


def main() -> None:
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    out, numbers = sys.argv[1], [int(argument) for argument in sys.argv[2:4]]
    style: dict = {}
    text = sys.stdin.buffer.read().decode("utf-8", "replace")
    rows = [cells(line, style) for line in text.removesuffix("\n").split("\n")]
    columns = numbers[0] if numbers else max(1, *(sum(width(c) for c, _ in row) for row in rows))
    picture = Picture(columns, len(rows), numbers[1] if len(numbers) > 1 else 16)
    for number, row in enumerate(rows):
        column = 0
        for character, its_style in row:
            picture.put(column, number, character, its_style)
            column += width(character)
    picture.image.save(out)


main()
