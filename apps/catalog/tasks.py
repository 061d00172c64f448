"""What do workers do for the catalogue?"""

from celery import shared_task
from django.utils.translation import gettext_lazy as _

from apps.catalog import media, thumbnails, webvtt
from apps.catalog.batches import tasks as batch_tasks  # noqa: F401 - its performers are found from here
from apps.catalog.films import FilmRefused
from apps.catalog.models import Lesson, Subtitle
from apps.catalog.pictures import PictureRefused
from apps.catalog.services import subtitles
from apps.jobs.performers import Hopeless, NotNow, performs
from apps.jobs.work import Work
from apps.kernel.clock import now
from apps.kernel.outside import CannotReach
from apps.kernel.refusals import NotFound


@performs(media.DELETE_OBJECT, title=_("Delete a file that was replaced"), attempts=20)
def delete_object(work: Work) -> None:
    """What a file was before it was replaced or removed, when nobody can be reading it any more."""
    media.delete_object(work.payload["key"])


@performs(thumbnails.KIND, title=_("Take a thumbnail"), attempts=6)
def take_thumbnail(work: Work) -> None:
    """Of what the lesson names now, not of what it named when the job was asked for."""
    lesson = Lesson.objects.for_client(work.client_id).filter(pk=work.subject_id).first()
    origin = thumbnails.origin_of(lesson) if lesson else None
    if origin is None:
        return
    try:
        thumbnail = thumbnails.take(origin)
    except CannotReach as refusal:
        raise (NotNow if refusal.may_pass else Hopeless)(refusal.message) from refusal
    except (FilmRefused, PictureRefused, NotFound) as refusal:
        raise Hopeless(refusal.message) from refusal
    with work.finishing():
        thumbnails.hang(work.subject_id, origin, thumbnail, now=now())


@performs(subtitles.KIND, title=_("Check a subtitle"), given_up=subtitles.record_failure)
def process_subtitle(work: Work) -> None:
    """One that was replaced meanwhile has a job of its own."""
    rows = Subtitle.objects.for_client(work.client_id).filter(lesson_id=work.subject_id)
    subtitle = rows.filter(revision=work.payload["revision"]).first()
    if subtitle is None:
        return
    with media.open(subtitle.file_id) as file:
        content = file.read()
    try:
        findings = subtitles.look_into(content, subtitle.locale)
    except webvtt.NotWebVTT as refusal:
        raise Hopeless(refusal.message) from refusal
    with work.finishing():
        subtitles.record_findings(subtitle=subtitle, findings=findings, now=now())


@shared_task(ignore_result=True)
def purge_media() -> None:
    media.purge(now=now())
