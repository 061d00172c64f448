"""What do workers do for files of lessons?"""

from django.utils.translation import gettext_lazy as _

from apps.catalog.batches.services import IMPORT, UNDO
from apps.catalog.batches.steps import Import, Undo, carry_out
from apps.jobs.performers import performs
from apps.jobs.work import Work


@performs(IMPORT, title=_("Import lessons"), attempts=10)
def import_lessons(work: Work) -> None:
    carry_out(work, Import)


@performs(UNDO, title=_("Undo an import"), attempts=10)
def undo_import(work: Work) -> None:
    carry_out(work, Undo)
