"""How do staff bring a manifest in? As a file or typed, with every fault beside the place where it stands."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.api.parsing import MAX_JSON_BYTES, parse_json
from apps.delivery import validation
from apps.delivery.manifest import Json
from apps.delivery.services import courses as services
from apps.delivery.validation import Fault
from apps.kernel.refusals import BadRequest
from apps.kernel.sentences import translated

_LONGEST_EXCERPT = 600


@dataclass(frozen=True, slots=True)
class ReportedFault:
    """One fault in the reader's language, and what stands there."""

    pointer: str
    detail: str
    excerpt: str


class ManifestForm(forms.Form):
    """A file goes before the text; once read, its text is in the field, so that it can be corrected and sent again."""

    file = forms.FileField(
        required=False,
        label=_("File"),
        help_text=_("JSON, up to 1 MiB"),
        widget=forms.FileInput(attrs={"accept": ".json,application/json"}),
    )
    text = forms.CharField(
        required=False,
        strip=False,
        label=_("Manifest"),
        widget=forms.Textarea(attrs={"rows": 18, "class": "vLargeTextField", "spellcheck": "false"}),
    )

    def __init__(self, *args: Any, client_id: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.client_id = client_id
        self.manifest: Json = {}
        self.faults: list[ReportedFault] = []

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        file = cleaned.get("file")
        name = "file" if file else "text"
        if file and file.size > MAX_JSON_BYTES:
            self.add_error(name, gettext("The file is over 1 MiB."))
            return cleaned
        raw = file.read() if file else cleaned.get("text", "").encode(errors="surrogatepass")
        if file:
            self._keep(raw)
        if not raw.strip():
            self.add_error(name, gettext("Choose a file, or type a manifest."))
            return cleaned
        try:
            self.manifest = parse_json(raw)
        except BadRequest as refusal:
            self.add_error(name, _why(refusal))
            return cleaned
        self.report(self._faults())
        return cleaned

    def report(self, faults: Iterable[Fault]) -> None:
        """Show these faults; with one of them nothing is published."""
        self.faults = [
            ReportedFault(fault.pointer, translated(fault.detail), excerpt(self.manifest, fault.pointer))
            for fault in faults
        ]
        if self.faults:
            self.add_error(None, gettext("The manifest cannot be published. Each fault is listed below."))

    def _faults(self) -> list[Fault]:
        return validation.shape_faults(self.manifest) or services.meaning_faults(
            client_id=self.client_id, manifest=self.manifest
        )

    def _keep(self, raw: bytes) -> None:
        """The text of the file, for the page that is shown next: a browser does not send the file again."""
        text = raw.decode(errors="replace").removeprefix("\ufeff").replace("\0", "")
        self.data = {**dict(self.data.items()), "text": text}


def excerpt(document: Any, pointer: str) -> str:
    """What stands at the pointer, or at the nearest place above it that exists; cut where it is long."""
    node = document
    for part in pointer.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        if isinstance(node, dict) and key in node:
            node = node[key]
        elif isinstance(node, list) and key.isdecimal() and int(key) < len(node):
            node = node[int(key)]
        else:
            break
    text = json.dumps(node, ensure_ascii=False, indent=2)
    return text if len(text) <= _LONGEST_EXCERPT else text[:_LONGEST_EXCERPT] + " …"


def _why(refusal: BadRequest) -> str:
    """With the place where the text stops being JSON, if that is what is wrong with it."""
    cause = refusal.__cause__
    if isinstance(cause, json.JSONDecodeError):
        place = {"line": cause.lineno, "column": cause.colno}
        return gettext("This is not JSON: see line %(line)d, column %(column)d.") % place
    return translated(refusal.message)
