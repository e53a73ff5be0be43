from django.conf import settings
from django.views.generic import CreateView

from entries.models import Entry


class Book(CreateView):
    model = Entry
    fields = ["name", "words", "card"]
    success_url = "/"
    template_name = "entries/book.html"
    extra_context = {"entries": Entry.objects.all, "title": settings.TITLE}
