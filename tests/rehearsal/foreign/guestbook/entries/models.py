from django.db import models


class Entry(models.Model):
    name = models.CharField(max_length=60)
    words = models.TextField()
    card = models.FileField(upload_to="cards/", blank=True)
    written = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-written"]
