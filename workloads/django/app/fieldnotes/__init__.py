"""The sample: a board of field notes, and a journal that binds them into a PDF in the background."""
