"""Static files with a hash in their name: collected into the image, published by the release step."""

from django.contrib.staticfiles.storage import ManifestStaticFilesStorage


class ReleaseStaticFilesStorage(ManifestStaticFilesStorage):
    """Reads the manifest in the image; STATIC_URL, the CDN's address, is known at run time only.

    So one image serves every stage. References between files (`url()` in CSS) have to be relative: an
    absolute one would put an address into the content, and the build would differ by stage.
    """

    manifest_strict = True
