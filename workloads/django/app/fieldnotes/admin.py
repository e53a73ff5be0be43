from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from fieldnotes.models import Journal, Note


@admin.register(Note)
class NoteAdmin(admin.ModelAdmin):
    list_display = ("title", "place", "author", "published", "created_at")
    list_filter = ("published", "created_at")
    search_fields = ("title", "place", "text", "author")
    date_hierarchy = "created_at"
    actions = ("publish",)

    @admin.action(description="Publish the selected notes")
    def publish(self, request: HttpRequest, queryset: QuerySet[Note]) -> None:
        count = queryset.update(published=True)
        self.message_user(request, f"{count} published.")


@admin.register(Journal)
class JournalAdmin(admin.ModelAdmin):
    list_display = ("__str__", "status", "pages_done", "pages_total", "attempts", "updated_at")
    list_filter = ("status",)
    readonly_fields = ("status", "pages_done", "pages_total", "attempts", "file", "created_at", "updated_at")

    def has_add_permission(self, _request: HttpRequest) -> bool:
        return False
