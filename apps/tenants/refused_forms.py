"""How does the admin show what the services refused? In the form that was sent, with all that was typed.

The form is drawn a second time, told what was refused: only its fields know where the words belong.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, cast

from django.http import HttpRequest

from apps.kernel.refusals import Detail, Refusal
from apps.kernel.sentences import translated
from apps.tenants import binding
from apps.tenants.scoped_admin import TenantForm, TenantModelAdmin, field_of

# What the services refused of the form that a request brings, by field.
_REFUSED = "refused_fields"


class RefusableForm(TenantForm):
    """`refused` is what the services refused of what is filled in, by field."""

    refused: ClassVar[Mapping[str, list[str]]] = {}

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        for name, messages in self.refused.items():
            self.add_error(name if name in self.fields else None, list(messages))
        return cleaned


class RefusableAdmin(TenantModelAdmin):
    """Its form is a RefusableForm, and its `save_row` or `save_related` calls the services."""

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        made: Any = super().get_form(request, obj, change, **kwargs)
        made.refused = getattr(request, _REFUSED, {})
        return made

    def refused_fields(self, refusal: Refusal) -> dict[str, list[str]]:
        """`videoURLs.0` is said beside `video_urls`; what is about no field, above all of them."""
        details = refusal.details or [Detail("", refusal.message)]
        by_field: dict[str, list[str]] = defaultdict(list)
        for detail in details:
            by_field[field_of(detail.path)].append(translated(detail.message))
        return by_field

    def refused_context(self, refusal: Refusal) -> dict[str, Any]:
        """What else the page shows of it."""
        return {}

    def _changeform_view(self, request: HttpRequest, object_id: Any, form_url: str, extra_context: Any) -> Any:
        """Django's own, within its transaction. A savepoint, so that nothing of a refused form stays behind."""
        show = cast(Callable[..., Any], super()._changeform_view)  # type: ignore[misc]  # not in the stubs
        try:
            with binding.atomic():
                return show(request, object_id, form_url, extra_context)
        except Refusal as refusal:
            setattr(request, _REFUSED, self.refused_fields(refusal))
            return show(request, object_id, form_url, {**(extra_context or {}), **self.refused_context(refusal)})
