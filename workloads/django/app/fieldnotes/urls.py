from django.urls import path

from fieldnotes import views

urlpatterns = [
    path("", views.board, name="board"),
    path("notes/new/", views.write, name="write"),
    path("journals/", views.journals, name="journals"),
    path("journals/new/", views.start_journal, name="start_journal"),
    path("journals/<uuid:pk>/", views.journal, name="journal"),
    path("journals/<uuid:pk>/state/", views.journal_state, name="journal_state"),
    path("journals/<uuid:pk>/file/", views.journal_file, name="journal_file"),
]
