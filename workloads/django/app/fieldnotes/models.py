"""Notes that visitors leave, and journals that bind them."""

import uuid
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, models, transaction
from django.utils import timezone


def photo_path(_note: "Note", _filename: str) -> str:
    """Name the file ourselves: a visitor's file name may hold anything, and would be guessable."""
    return f"photos/{uuid.uuid4().hex}.jpg"


class NoteQuerySet(models.QuerySet["Note"]):
    def visible_to(self, own: list[int]) -> "NoteQuerySet":
        """Everybody sees what was published; a visitor also sees notes of this session that wait."""
        return self.filter(models.Q(published=True) | models.Q(pk__in=own))


class Note(models.Model):
    """One observation, with a photo if there was light enough."""

    title = models.CharField(max_length=80)
    place = models.CharField(max_length=80)
    text = models.TextField(max_length=1200)
    author = models.CharField(max_length=40)
    photo = models.ImageField(upload_to=photo_path, blank=True)
    photo_alt = models.CharField("photo description", max_length=120, blank=True)
    published = models.BooleanField(default=False, help_text="Anybody can write a note; you publish it.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = NoteQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at", "-pk")
        indexes = (models.Index(fields=["published", "-created_at"], name="note_published_newest"),)

    def __str__(self) -> str:
        return f"{self.title}, {self.place}"


class Journal(models.Model):
    """A PDF of all published notes. Its row is the progress that the page shows."""

    class Status(models.TextChoices):
        QUEUED = "queued", "Waiting for a worker"
        RUNNING = "running", "Being bound"
        DONE = "done", "Bound"
        FAILED = "failed", "Failed"

    ACTIVE = (Status.QUEUED, Status.RUNNING)
    # Longer than any task may run. A journal that has not moved for so long has lost its worker.
    STALE_AFTER = timedelta(hours=1)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    status = models.CharField(max_length=10, choices=Status, default=Status.QUEUED)
    pages_done = models.PositiveIntegerField(default=0)
    pages_total = models.PositiveIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0)
    file = models.FileField(upload_to="journals/", blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ("-created_at",)
        constraints = (
            # The database itself keeps a second click, or a hundred, from starting more work.
            models.UniqueConstraint(
                models.Value(1),
                condition=models.Q(status__in=["queued", "running"]),
                name="one_active_journal",
            ),
        )

    def __str__(self) -> str:
        return f"Journal of {self.created_at:%d %B %Y, %H:%M}"

    @classmethod
    def open(cls) -> tuple["Journal", bool]:
        """Return the journal that is being bound, or a new one, and whether it is new."""
        cls.objects.filter(status__in=cls.ACTIVE, updated_at__lt=timezone.now() - cls.STALE_AFTER).update(
            status=cls.Status.FAILED
        )
        try:
            with transaction.atomic():
                return cls.objects.create(), True
        except IntegrityError:
            return cls.objects.get(status__in=cls.ACTIVE), False

    def update(self, **values: Any) -> None:
        """Store values now, so that the page sees them while the task goes on."""
        for name, value in values.items():
            setattr(self, name, value)
        self.updated_at = timezone.now()
        self.save(update_fields=[*values, "updated_at"])

    @property
    def active(self) -> bool:
        return self.status in self.ACTIVE

    @property
    def percent(self) -> int:
        return 100 * self.pages_done // self.pages_total if self.pages_total else 0
