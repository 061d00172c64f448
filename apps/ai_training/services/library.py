"""Which templates of the library does a client show? (contract 8)"""

from collections.abc import Sequence

from apps.ai_training.models import RoutineTemplate, VisibleTemplate
from apps.kernel.refusals import BadRequest, Detail
from apps.tenants import binding
from apps.tenants.models import Client


def show_templates(*, client: Client, template_ids: Sequence[str]) -> None:
    """Have the client show these templates of the library, and no others. BadRequest for what is none of them."""
    with binding.atomic():
        # One change of a client's choice at a time.
        Client.objects.select_for_update(no_key=True).get(pk=client.pk)
        offered = set(RoutineTemplate.objects.library().filter(pk__in=set(template_ids)).values_list("pk", flat=True))
        unknown = [
            Detail(f"visibleLibraryTemplateIds.{place}", f"The library has no published template {template_id}.")
            for place, template_id in enumerate(template_ids)
            if template_id not in offered
        ]
        if unknown:
            raise BadRequest("Invalid request", details=unknown)
        chosen = VisibleTemplate.objects.for_client(client.pk)
        chosen.exclude(template_id__in=offered).delete()
        rows = [VisibleTemplate(client=client, template_id=template_id) for template_id in sorted(offered)]
        VisibleTemplate.objects.bulk_create(rows, ignore_conflicts=True)
