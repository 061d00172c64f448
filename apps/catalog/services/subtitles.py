"""What becomes of a subtitle that somebody uploads? It is on the lesson at once; a job looks into it (contract 4)."""

from dataclasses import dataclass
from datetime import datetime

from apps.catalog import media, search, webvtt
from apps.catalog.models import Lesson, Subtitle, SubtitleCue
from apps.catalog.services.announcements import announce_updated
from apps.jobs.services import request_job
from apps.kernel.ids import new_id
from apps.kernel.localized import canonical_locale
from apps.kernel.refusals import BadRequest, Conflict, Detail, Forbidden, NotFound, TooLarge
from apps.tenants import binding
from apps.tenants.models import Client

KIND = "catalog.subtitle"
MOST_BYTES = 2 * 1024 * 1024
CONTENT_TYPE = "text/vtt"
_OTHER_SCRIPT = {"zh-Hant": "zh-Hans", "zh-Hans": "zh-Hant"}
_CUES_TOGETHER = 500


def upload_subtitle(
    *, client: Client, lesson_id: str, locale: str, content: bytes, file_name: str, author: str, now: datetime
) -> Subtitle:
    """Put the file on the client's lesson, in place of the one of that locale, and have a job look into it.

    BadRequest for a locale or a file that cannot be one, with the line; TooLarge over 2 MiB; NotFound; Forbidden for a
    lesson of the library. Its address is on the lesson, and works until the next upload for that locale.
    """
    stored = canonical_locale(locale)
    if stored is None:
        raise BadRequest("Unsupported locale", details=[Detail("locale", "Must be one of en, zh_Hant, zh_Hans.")])
    if not file_name.lower().endswith(".vtt"):
        raise BadRequest("Unsupported file type", details=[Detail("file", "Must be a WebVTT file (.vtt).")])
    if len(content) > MOST_BYTES:
        raise TooLarge("A subtitle may have 2 MiB")
    webvtt.check_header(content)
    with binding.atomic():
        lesson = _own_lesson(client, lesson_id)
        subtitle = _put(lesson, stored, content, is_draft=False, author=author, now=now)
        _show(lesson, subtitle, author, now)
        _request(subtitle, now)
    return subtitle


def retry_subtitle(*, client: Client, lesson_id: str, locale: str, now: datetime) -> Subtitle:
    """Look once more into a file that no job could finish with. NotFound; Conflict when none has failed."""
    with binding.atomic():
        subtitle = _held(client, lesson_id, locale)
        if subtitle.status != Subtitle.Status.FAILED:
            raise Conflict("Only a subtitle whose check has failed can be checked again")
        subtitle.status = Subtitle.Status.PROCESSING
        subtitle.save(update_fields=["status"])
        _request(subtitle, now)
    return subtitle


def accept_draft(*, client: Client, lesson_id: str, locale: str, author: str, now: datetime) -> Subtitle:
    """Make the machine's draft the lesson's subtitle, as if this person had uploaded it. NotFound without a draft."""
    with binding.atomic():
        lesson = _own_lesson(client, lesson_id)
        subtitle = _held(client, lesson_id, locale)
        if not subtitle.is_draft:
            raise NotFound("There is no draft for this locale")
        subtitle.is_draft, subtitle.uploaded_by, subtitle.uploaded_at = False, author, now
        subtitle.save(update_fields=["is_draft", "uploaded_by", "uploaded_at"])
        _show(lesson, subtitle, author, now)
        search.index_subtitle(lesson, subtitle.locale, subtitle.cues.values_list("text", flat=True))
    return subtitle


@dataclass(frozen=True, slots=True)
class Findings:
    """What is in a file, and the two files that are made of it."""

    document: webvtt.Document
    canonical: bytes
    draft: webvtt.Document | None
    drafted: bytes


def look_into(content: bytes, locale: str) -> Findings:
    """All that takes long, before anything is locked. Raises NotWebVTT."""
    document = webvtt.parse(content)
    draft = webvtt.draft_document(document, locale) if locale in _OTHER_SCRIPT else None
    return Findings(document, webvtt.write(document), draft, webvtt.write(draft) if draft else b"")


def record_failure(job_id: str) -> None:
    """Of a job that was given up: on the subtitle, which all who see the lesson may see; the job itself they may not.

    One that was uploaded or tried again since has another job, and is left to it.
    """
    unfinished = Subtitle.objects.filter(job_id=job_id, status=Subtitle.Status.PROCESSING)
    unfinished.update(status=Subtitle.Status.FAILED)


def record_findings(*, subtitle: Subtitle, findings: Findings, now: datetime) -> None:
    """The canonical file at the same address, the cues, the problems, and a draft of the other script.

    Within the job's transaction. A file that was replaced meanwhile is left to its own job, and one that another job
    has been through is left as it is: the canonical file would have none of the problems of the upload.
    """
    lesson = Lesson.objects.for_client(subtitle.client_id).locked().filter(pk=subtitle.lesson_id).first()
    same = Subtitle.objects.filter(pk=subtitle.pk, revision=subtitle.revision).exclude(status=Subtitle.Status.READY)
    current = same.select_for_update(no_key=True, of=("self",)).first()
    if lesson is None or current is None:
        return
    media.replace(
        client_id=lesson.client_id,
        path=current.file_id,
        content=findings.canonical,
        content_type=CONTENT_TYPE,
        author=current.uploaded_by,
        now=now,
    )
    _finish(current, findings.document, now)
    search.index_subtitle(lesson, current.locale, [cue.text for cue in findings.document.cues])
    if findings.draft is not None:
        _draft(lesson, _OTHER_SCRIPT[current.locale], findings, now)


def _draft(lesson: Lesson, locale: str, findings: Findings, now: datetime) -> None:
    """Never in place of a person's file, be it one of ours or one of another site."""
    if locale in lesson.subtitle_url or Subtitle.objects.filter(lesson=lesson, locale=locale, is_draft=False).exists():
        return
    assert findings.draft is not None
    draft = _put(lesson, locale, findings.drafted, is_draft=True, author="", now=now)
    _finish(draft, findings.draft, now)


def _put(lesson: Lesson, locale: str, content: bytes, *, is_draft: bool, author: str, now: datetime) -> Subtitle:
    """A new revision with a file of its own; that of the one before is removed."""
    earlier = Subtitle.objects.locked().filter(lesson=lesson, locale=locale).first()
    revision = new_id("")
    path = f"{lesson.client_id}/subtitles/{media.name_of(lesson.id)}/{locale}-{revision}.vtt"
    file = media.store(
        client_id=lesson.client_id, path=path, content=content, content_type=CONTENT_TYPE, author=author, now=now
    )
    if earlier is not None:
        earlier.delete()
        search.forget_subtitle(lesson, locale)
        media.remove(client_id=lesson.client_id, path=earlier.file_id, now=now)
    return Subtitle.objects.create(
        client_id=lesson.client_id,
        lesson=lesson,
        locale=locale,
        revision=revision,
        file=file,
        is_draft=is_draft,
        uploaded_by=author,
        uploaded_at=now,
    )


def _finish(subtitle: Subtitle, document: webvtt.Document, now: datetime) -> None:
    subtitle.status, subtitle.processed_at = Subtitle.Status.READY, now
    subtitle.cue_count, subtitle.duration = len(document.cues), document.duration_ms / 1000
    subtitle.problems = [
        {"line": each.line, "column": each.column, "code": str(each.code), "detail": each.detail}
        for each in document.problems
    ]
    subtitle.problem_count = document.problem_count
    subtitle.save()
    subtitle.cues.all().delete()
    SubtitleCue.objects.bulk_create(
        (
            SubtitleCue(
                client_id=subtitle.client_id,
                subtitle=subtitle,
                index=index,
                start_ms=cue.start_ms,
                end_ms=cue.end_ms,
                text=cue.text,
                search=search.vector([cue.text]),
            )
            for index, cue in enumerate(document.cues)
        ),
        batch_size=_CUES_TOGETHER,
    )


def _show(lesson: Lesson, subtitle: Subtitle, author: str, now: datetime) -> None:
    lesson.subtitle_url = {**lesson.subtitle_url, subtitle.locale: media.address_of(subtitle.file_id)}
    lesson.modified_by = author
    lesson.save(update_fields=["subtitle_url", "modified_by", "modified_at"])
    announce_updated(lesson, ["subtitle_url"], author=author, now=now)


def _request(subtitle: Subtitle, now: datetime) -> None:
    subtitle.job = request_job(
        client_id=subtitle.client_id,
        kind=KIND,
        subject_id=subtitle.lesson_id,
        payload={"locale": subtitle.locale, "revision": subtitle.revision},
        now=now,
    )
    subtitle.save(update_fields=["job"])


def _own_lesson(client: Client, lesson_id: str) -> Lesson:
    """Locked: an upload, an edit and a job that has finished change it one after the other."""
    lesson = Lesson.objects.for_client(client.id).locked().filter(pk=lesson_id).first()
    if lesson is not None:
        return lesson
    if Lesson.objects.selectable_by(client.id).filter(pk=lesson_id).exists():
        raise Forbidden("A lesson of the library can be shown, hidden and tiered, not edited")
    raise NotFound("Lesson not found")


def _held(client: Client, lesson_id: str, locale: str) -> Subtitle:
    rows = Subtitle.objects.for_client(client.id).locked()
    subtitle = rows.filter(lesson_id=lesson_id, locale=canonical_locale(locale) or "").first()
    if subtitle is None:
        raise NotFound("Subtitle not found")
    return subtitle
