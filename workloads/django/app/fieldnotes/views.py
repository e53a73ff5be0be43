"""Pages: the board, the form, the journals and their progress."""

import logging

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from kombu.exceptions import OperationalError

from fieldnotes.forms import NoteForm
from fieldnotes.models import Journal, Note
from fieldnotes.tasks import bind_journal

logger = logging.getLogger(__name__)

NOTES_PER_PAGE = 12
OWN_NOTES = "own_notes"


@require_GET
def board(request: HttpRequest) -> HttpResponse:
    own = request.session.get(OWN_NOTES, [])
    page = Paginator(Note.objects.visible_to(own), NOTES_PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "fieldnotes/board.html", {"page": page})


@require_http_methods(["GET", "POST"])
def write(request: HttpRequest) -> HttpResponse:
    form = NoteForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        note = form.save()
        request.session[OWN_NOTES] = [*request.session.get(OWN_NOTES, []), note.pk][-50:]
        logger.info("note written", extra={"note": note.pk, "photo": bool(note.photo)})
        messages.success(request, "Thank you! Your note is on the board; others see it once it was reviewed.")
        return redirect("board")
    status = 422 if form.is_bound else 200
    return render(request, "fieldnotes/write.html", {"form": form}, status=status)


@require_GET
def journals(request: HttpRequest) -> HttpResponse:
    context = {"journals": Journal.objects.all()[:20], "notes": Note.objects.filter(published=True).count()}
    return render(request, "fieldnotes/journals.html", context)


@require_POST
def start_journal(request: HttpRequest) -> HttpResponse:
    journal, new = Journal.open()
    if not new:
        messages.info(request, "A journal is being bound already; here it is.")
        return redirect("journal", journal.pk)
    try:
        # After the commit: a worker must not look for a row that it cannot see yet.
        transaction.on_commit(lambda: bind_journal.delay(str(journal.pk)))
    except OperationalError:
        logger.exception("the journal's task could not be queued")
        journal.update(status=Journal.Status.FAILED)
        messages.error(request, "The queue could not be reached. Please try again in a minute.")
    return redirect("journal", journal.pk)


@never_cache
@require_GET
def journal(request: HttpRequest, pk: str) -> HttpResponse:
    return render(request, "fieldnotes/journal.html", {"journal": get_object_or_404(Journal, pk=pk)})


@never_cache
@require_GET
def journal_state(_request: HttpRequest, pk: str) -> JsonResponse:
    """Answer what the page's script asks for, once a second, while a journal is being bound."""
    found = get_object_or_404(Journal, pk=pk)
    return JsonResponse(
        {
            "status": found.status,
            "label": found.get_status_display(),
            "active": found.active,
            "done": found.pages_done,
            "total": found.pages_total,
            "percent": found.percent,
        }
    )


@never_cache
@require_GET
def journal_file(_request: HttpRequest, pk: str) -> HttpResponse:
    """Redirect to the file; its signed address is made for this request and soon expires."""
    found = get_object_or_404(Journal, pk=pk)
    if not found.file:
        raise Http404("this journal is not bound yet")
    return redirect(found.file.url)
