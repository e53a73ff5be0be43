"""The long task: bind all published notes into a journal, page by page."""

import io
import logging
import time

from celery import shared_task
from django.core.files.base import ContentFile
from django.db import IntegrityError, transaction

from fieldnotes import bookbinding
from fieldnotes.models import Journal, Note

logger = logging.getLogger(__name__)

MAX_NOTES = 60
SECONDS_PER_PAGE = 0.6  # drawing takes less; this lets you watch, and bounds what a visitor's click can cost


@shared_task
def bind_journal(journal_id: str) -> None:
    """Draw the pages, store the PDF, and count the pages in the journal's row.

    SQS delivers at least once, and again if a worker was lost: a finished journal is left alone, an
    unfinished one starts anew. A failure is shown, and raised: the message comes again, and in the end
    rests in the dead-letter queue, where an alarm sees it.
    """
    journal = Journal.objects.filter(pk=journal_id).exclude(status=Journal.Status.DONE).first()
    if journal is None:
        logger.info("nothing left to bind", extra={"journal": journal_id})
        return
    notes = list(Note.objects.filter(published=True).order_by("created_at")[:MAX_NOTES])
    try:
        with transaction.atomic():
            journal.update(
                status=Journal.Status.RUNNING,
                pages_done=0,
                pages_total=len(notes) + 1,
                attempts=journal.attempts + 1,
            )
    except IntegrityError:
        logger.info("a newer journal is being bound instead", extra={"journal": journal_id})
        return
    try:
        _bind(journal, notes)
    except Exception:
        journal.update(status=Journal.Status.FAILED)
        raise
    logger.info("journal bound", extra={"journal": journal_id, "pages": journal.pages_total})


def _bind(journal: Journal, notes: list[Note]) -> None:
    pages = []
    for page in bookbinding.pages(notes, bound_at=journal.created_at):
        started = time.monotonic()
        pages.append(page)
        journal.update(pages_done=len(pages))
        time.sleep(max(0.0, SECONDS_PER_PAGE - (time.monotonic() - started)))
    buffer = io.BytesIO()
    pages[0].save(buffer, "PDF", save_all=True, append_images=pages[1:], resolution=bookbinding.DPI)
    journal.file.save(f"journal-{journal.pk}.pdf", ContentFile(buffer.getvalue()), save=False)
    journal.update(status=Journal.Status.DONE, file=journal.file)
