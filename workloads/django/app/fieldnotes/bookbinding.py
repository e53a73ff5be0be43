"""Draws the pages of a journal with Pillow: A5 paper, one note a page.

The font is the one that Pillow brings along; it knows Latin letters only.
"""

from collections.abc import Iterator
from datetime import datetime

from PIL import Image, ImageDraw, ImageFont, ImageOps

from fieldnotes.models import Note

DPI = 150
WIDTH, HEIGHT = 874, 1240
MARGIN = 84
PAPER, INK, FADED, ACCENT = "#fbf7ee", "#26332b", "#6d766e", "#2f6b4f"


def pages(notes: list[Note], *, bound_at: datetime) -> Iterator[Image.Image]:
    """Yield the cover and then a page for each note."""
    yield _cover(len(notes), bound_at)
    for number, note in enumerate(notes, start=1):
        yield _note_page(note, number)


def _sheet() -> tuple[Image.Image, ImageDraw.ImageDraw]:
    sheet = Image.new("RGB", (WIDTH, HEIGHT), PAPER)
    return sheet, ImageDraw.Draw(sheet)


def _cover(count: int, bound_at: datetime) -> Image.Image:
    sheet, draw = _sheet()
    draw.rectangle((0, 0, WIDTH, HEIGHT), fill=ACCENT)
    draw.rectangle(
        (MARGIN // 2, MARGIN // 2, WIDTH - MARGIN // 2, HEIGHT - MARGIN // 2), outline=PAPER, width=2
    )
    draw.text((MARGIN, 380), "Field Notes", font=ImageFont.load_default(92), fill=PAPER)
    draw.line((MARGIN, 510, MARGIN + 120, 510), fill=PAPER, width=4)
    observations = "1 observation" if count == 1 else f"{count} observations"
    draw.text((MARGIN, 545), observations, font=ImageFont.load_default(34), fill=PAPER)
    draw.text((MARGIN, HEIGHT - 150), f"{bound_at:%d %B %Y}", font=ImageFont.load_default(28), fill=PAPER)
    return sheet


def _note_page(note: Note, number: int) -> Image.Image:
    sheet, draw = _sheet()
    top = MARGIN
    if note.photo:
        with note.photo.open("rb") as file, Image.open(file) as photo:
            box = (WIDTH - 2 * MARGIN, 470)
            sheet.paste(ImageOps.fit(photo.convert("RGB"), box), (MARGIN, top))
        top += 470 + 42
    for line in _wrap(note.title, 48):
        draw.text((MARGIN, top), line, font=ImageFont.load_default(48), fill=INK)
        top += 58
    byline = f"{note.place}  /  {note.created_at:%d %B %Y}  /  {note.author}"
    for line in _wrap(byline, 22):
        draw.text((MARGIN, top + 6), line, font=ImageFont.load_default(22), fill=FADED)
        top += 30
    top += 34
    for paragraph in note.text.splitlines():
        for line in _wrap(paragraph, 27) or [""]:
            if top > HEIGHT - 2 * MARGIN:
                break
            draw.text((MARGIN, top), line, font=ImageFont.load_default(27), fill=INK)
            top += 40
    draw.text(
        (WIDTH / 2, HEIGHT - MARGIN), str(number), font=ImageFont.load_default(22), fill=FADED, anchor="mm"
    )
    return sheet


def _wrap(text: str, size: int) -> list[str]:
    """Break a text into lines as wide as the page."""
    font = ImageFont.load_default(size)
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and font.getlength(longer) <= WIDTH - 2 * MARGIN:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines
