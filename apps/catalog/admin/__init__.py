"""What may staff do with the catalogue in the admin? Each noun's pages in a module of its own."""

from apps.catalog.admin import batches, lessons, plans

__all__ = ["batches", "lessons", "plans"]
