from django.apps import AppConfig


class FieldNotesConfig(AppConfig):
    name = "fieldnotes"
    verbose_name = "Field notes"
