"""Pages of the site. `/status/` is not here: a middleware answers it."""

from django.conf import settings
from django.conf.urls.static import static
from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("", include("fieldnotes.urls")),
    *static(settings.MEDIA_URL, document_root=settings.MEDIA_ROOT),  # empty without DEBUG
]
admin.site.site_header = admin.site.site_title = "Field Notes"
