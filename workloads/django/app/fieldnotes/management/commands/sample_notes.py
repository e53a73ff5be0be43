"""Six notes to look at: `python manage.py sample_notes`."""

from datetime import timedelta
from typing import Any

from django.core.files.base import ContentFile
from django.core.management.base import BaseCommand
from django.utils import timezone

from fieldnotes.landscapes import paint
from fieldnotes.models import Note

AUTHOR = "Field Notes"
NOTES = [
    (
        "First light over the ridge",
        "Col de la Loze",
        (
            "Up at four to see the valley fill with fog. By six only the summits were left, like islands."
            " Two choughs came to inspect the thermos flask."
        ),
        "Pale ridges above a sea of fog at sunrise",
    ),
    (
        "The evening the swifts left",
        "Old mill, Tiszacsege",
        (
            "Counted forty over the weir at half past seven, and none the next morning. The sky is quieter,"
            " and somehow larger."
        ),
        "Dark hills under an orange and blue evening sky",
    ),
    (
        "Otter tracks on the sand bar",
        "River Esk, second bend",
        "Five toes, webbed, still wet. Followed them for thirty metres until they turned into the reeds.",
        "Green hills under a bright, pale sky",
    ),
    (
        "Rain, all day",
        "Shieling above Loch Maree",
        "Nothing moved but the water. Read by the window, and drew the same birch eleven times.",
        "Grey hills one behind the other in the rain",
    ),
    (
        "A dune that sings",
        "Erg Chebbi",
        "When the sand slides, the whole slope hums, about a low G. We sat on top and played it.",
        "Ochre dunes in the late afternoon",
    ),
    (
        "Meteors, uncounted",
        "Hortobágy",
        "Lay on the hay cart and gave up counting at fifty. The dog watched us, not the sky.",
        "Moonlit hills under a deep blue night sky",
    ),
]


class Command(BaseCommand):
    help = "Puts six published notes with painted landscapes on an empty board; does nothing a second time."

    def handle(self, **_options: Any) -> None:
        if Note.objects.filter(author=AUTHOR).exists():
            self.stdout.write("The sample notes are there already.")
            return
        now = timezone.now()
        for number, (title, place, text, alt) in enumerate(NOTES):
            note = Note(title=title, place=place, text=text, author=AUTHOR, photo_alt=alt, published=True)
            note.created_at = now - timedelta(days=3 * (number + 1), hours=5 * number)
            note.photo.save("landscape.jpg", ContentFile(paint(number)), save=False)
            note.save()
        self.stdout.write(f"{len(NOTES)} notes are on the board.")
