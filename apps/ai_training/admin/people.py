"""One person's training, as staff see and steer it: plan, queue, runs; what is assigned, and decided otherwise."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, reverse
from django.utils.translation import gettext

from apps.accounts.models import User
from apps.ai_training import services
from apps.ai_training.admin.person_forms import AssignForm, OverrideForm, StarterPlanForm, decisions_about
from apps.ai_training.admin.shown_training import exclusions, training_of
from apps.ai_training.admin.training_admin import TrainingAdmin, has_module
from apps.ai_training.admin.wording import title_of
from apps.ai_training.generation import assess
from apps.ai_training.models import InstanceOverride, RoutineInstance
from apps.kernel.clock import now
from apps.kernel.refusals import Refusal
from apps.kernel.sentences import translated
from apps.tenants import binding
from apps.tenants.models import EndUser
from apps.tenants.scoped_admin import reaches_all


class PersonPage(TrainingAdmin):
    """Whoever may look at a client's training may steer it: administrators, and platform staff."""

    def get_urls(self) -> list[URLPattern]:
        return [self.page("person/<path:object_id>/", self.person, "person"), *super().get_urls()]

    def person(self, request: HttpRequest, object_id: str) -> HttpResponse:
        person = _reachable(unquote(object_id))
        if person is None:
            missing: HttpResponse = self._get_obj_does_not_exist_redirect(request, EndUser._meta, object_id)  # type: ignore[attr-defined]
            return missing
        if not self.may("view", None) or not has_module(person.client):
            raise PermissionDenied
        asked = Asked(request, person)
        if request.method == "POST" and asked.carried_out():
            self.message_user(request, asked.done, messages.SUCCESS)
            return HttpResponseRedirect(reverse("admin:ai_training_trainingplan_person", args=[person.pk]))
        context = self.context_of(
            request,
            title=str(person),
            person=person,
            **training_of(person, now()),
            starter_form=asked.starter,
            assign_form=asked.assign,
            ineligible=asked.ineligible,
            refused=asked.refused,
        )
        context["queue"] = [(shown, asked.override_of(shown.row)) for shown in context["queue"]]
        return TemplateResponse(request, "admin/ai_training/trainingplan/person.html", context)


class Asked:
    """The forms of the page, and the one of them that was sent."""

    def __init__(self, request: HttpRequest, person: EndUser) -> None:
        self._request, self._person = request, person
        self._sent = request.POST.get("form", "") if request.method == "POST" else ""
        self.starter = StarterPlanForm(self._data("plan"), auto_id="id_plan_%s")
        self.assign = AssignForm(self._data("assign"), auto_id="id_assign_%s", person=person)
        self._override: OverrideForm | None = None
        self.ineligible: list[dict[str, str]] = []
        self.refused = self.done = ""

    def carried_out(self) -> bool:
        """Whether what was asked for was done; if not, the forms say why."""
        act = {"plan": self._make_plan, "assign": self._give_routine, "override": self._decide}.get(self._sent)
        if act is None:
            return False
        try:
            with binding.atomic():
                self.done = act()
                if self.done and isinstance(self._request.user, User):
                    LogEntry.objects.log_actions(
                        self._request.user.pk, [self._person], CHANGE, self._logged(), single_object=True
                    )
        except services.NoEligibleTemplates as refusal:
            selection = refusal.selection
            excluded = [{"routineTemplateId": each.template_id, "rule": each.rule} for each in selection.excluded]
            tier = assess(self._person.assessments).latest_risk_tier
            self.ineligible = exclusions(excluded, tier)
            self.refused = gettext("There is no routine that this person could be given. Nothing has changed.")
        except Refusal as refusal:
            self.refused = " ".join(translated(each.message) for each in refusal.details) or translated(refusal.message)
        return bool(self.done) and not self.refused

    def override_of(self, instance: RoutineInstance) -> OverrideForm | None:
        """The form of this routine: the one that was sent, or a fresh one."""
        if self._override is not None and self._request.POST.get("instance") == instance.pk:
            return self._override
        return OverrideForm(of=instance) if decisions_about(instance) else None

    def _data(self, form: str) -> Mapping[str, Any] | None:
        return self._request.POST if self._sent == form else None

    def _make_plan(self) -> str:
        if not self.starter.is_valid():
            return ""
        made = services.generate_plan(
            client=self._person.client,
            uid=self._person.uid,
            asked=self.starter.asked(),
            now=now(),
            assigned_by=self._author,
        )
        return gettext("A plan was made, with %(count)s routines.") % {"count": len(made.instances)}

    def _give_routine(self) -> str:
        if not self.assign.is_valid():
            return ""
        made = services.assign_template(
            client=self._person.client,
            uid=self._person.uid,
            template_id=self.assign.cleaned_data["template"],
            reason=self.assign.cleaned_data["reason"].strip(),
            author=self._author,
            now=now(),
        )
        return gettext("%(routine)s is at the end of the queue now.") % {"routine": title_of(made.version.name)}

    def _decide(self) -> str:
        key = self._request.POST.get("instance", "").replace("\0", "")
        mine = RoutineInstance.objects.of_user(self._person.client_id, self._person.uid)
        instance = mine.select_related("version").filter(pk=key).first()
        if instance is None:
            raise services.InstanceNotFound
        self._override = form = OverrideForm(self._request.POST, of=instance)
        if not form.is_valid():
            if not decisions_about(instance):
                self.refused = gettext("The routine is not in the queue any more.")
            return ""
        made = services.override_instance(
            client=self._person.client,
            uid=self._person.uid,
            instance_id=instance.pk,
            act=form.cleaned_data["decision"],
            reason=form.cleaned_data["reason"],
            author=self._author,
            now=now(),
        )
        words = {
            InstanceOverride.Act.FRONT: gettext("%(routine)s is the first in the queue now."),
            InstanceOverride.Act.SKIP: gettext("%(routine)s is skipped."),
            InstanceOverride.Act.CANCEL: gettext("%(routine)s is cancelled."),
        }
        return words[InstanceOverride.Act(made.act)] % {"routine": title_of(instance.version.name)}

    def _logged(self) -> str:
        """With the reason, which is what an audit asks for."""
        forms_by_name: dict[str, forms.Form | None] = {"assign": self.assign, "override": self._override}
        sent = forms_by_name.get(self._sent)
        reason = sent.cleaned_data.get("reason", "").strip() if sent is not None else ""
        return f"{self.done} ({reason})" if reason else self.done

    @property
    def _author(self) -> str:
        return self._request.user.get_username()


def _reachable(person_id: str) -> EndUser | None:
    rows = EndUser.objects.all() if reaches_all() else EndUser.objects.for_client(binding.bound_client())
    return rows.select_related("client").filter(pk=person_id.replace("\0", "")).first()
