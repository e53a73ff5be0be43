from django.contrib import admin
from django.http import HttpResponse
from django.urls import path

from entries.views import Book

urlpatterns = [
    path("", Book.as_view(), name="book"),
    path("healthz", lambda _request: HttpResponse("well")),
    path("admin/", admin.site.urls),
]
