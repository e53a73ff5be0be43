"""The form for a note; photos are made anew, so that nothing hidden in them gets published."""

import io
from typing import ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile, UploadedFile
from PIL import Image, ImageOps

from fieldnotes.models import Note

MAX_BYTES = 8 * 1024 * 1024
MAX_PIXELS = 40_000_000  # a small file can unfold to gigabytes
LONGEST_SIDE = 1600
FORMATS = ("JPEG", "PNG", "WEBP")


class NoteForm(forms.ModelForm):
    class Meta:
        model = Note
        fields = ("title", "place", "text", "photo", "photo_alt", "author")
        labels: ClassVar = {
            "text": "What did you see?",
            "author": "Your name",
            "photo_alt": "What does the photo show?",
        }
        help_texts: ClassVar = {
            "photo": "JPEG, PNG or WebP, up to 8 MB. Location data in the file is removed.",
            "photo_alt": "For people who cannot see it.",
        }
        widgets: ClassVar = {
            "text": forms.Textarea(attrs={"rows": 5}),
            "photo": forms.FileInput(attrs={"accept": "image/jpeg,image/png,image/webp"}),
        }

    def clean_photo(self) -> UploadedFile | None:
        """Re-encode the photo: upright, at most 1600 pixels long, without camera and location data."""
        photo = self.cleaned_data.get("photo")
        if not photo:
            return None
        if photo.size > MAX_BYTES:
            raise ValidationError(
                f"This photo has {photo.size / 1024 / 1024:.0f} MB; at most 8 MB are possible."
            )
        photo.seek(0)
        try:
            with Image.open(photo, formats=FORMATS) as image:
                if image.width * image.height > MAX_PIXELS:
                    raise ValidationError("This photo has more than 40 megapixels; make it smaller first.")
                upright = ImageOps.exif_transpose(image).convert("RGB")
        except OSError:
            raise ValidationError("This file cannot be read as a JPEG, PNG or WebP photo.") from None
        upright.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
        buffer = io.BytesIO()
        upright.save(buffer, "JPEG", quality=84, progressive=True)
        return SimpleUploadedFile("photo.jpg", buffer.getvalue(), "image/jpeg")

    def clean(self) -> dict[str, object]:
        """A photo needs words for those who do not see it."""
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("photo") and not cleaned.get("photo_alt"):
            self.add_error("photo_alt", "Describe the photo in a few words.")
        return cleaned
