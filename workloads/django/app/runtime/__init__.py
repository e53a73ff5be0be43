"""What ties a Django project to the landing zone; keep it when you replace the `fieldnotes` app."""
