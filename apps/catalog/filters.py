"""Which of the lessons that somebody sees do they ask for? The filters of `GET /api/lessons` (contract 4)."""

import re
from typing import Any, ClassVar

from django import forms
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db.models import Lookup
from django_filters.fields import ChoiceField
from django_filters.rest_framework import CharFilter, ChoiceFilter, FilterSet, NumberFilter

from apps.api.wire import camel
from apps.catalog.models import Lesson
from apps.catalog.querysets import LessonQuerySet
from apps.catalog.search import LONGEST
from apps.catalog.vocabulary import fold


@ArrayField.register_lookup
class HasWord(Lookup):
    """Is one of the words this one, whatever their case, with `_` for a space? Both are folded by the same function."""

    lookup_name = "has_word"
    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        words, words_params = self.process_lhs(compiler, connection)
        word, word_params = self.process_rhs(compiler, connection)
        fold = "lower(btrim(translate({}, '_', ' ')))".format
        sql = f"EXISTS (SELECT FROM unnest({words}) AS word WHERE {fold('word')} = {fold(word)})"
        return sql, [*words_params, *word_params]


class FoldedChoice(ChoiceField):  # type: ignore[misc]  # django-filter has no types
    """One of the choices, by its code or its label, however it is written."""

    def to_python(self, value: Any) -> Any:
        known = (code for code, label in self.choices if fold(str(value)) in (fold(str(code)), fold(str(label))))
        return next(known, super().to_python(value))


class FoldedChoiceFilter(ChoiceFilter):  # type: ignore[misc]  # django-filter has no types
    field_class = FoldedChoice


class Seconds(forms.FloatField):
    """Decimal digits, with a fraction or without."""

    def to_python(self, value: Any) -> Any:
        if value not in self.empty_values and not re.fullmatch(r"\d{1,9}(\.\d{1,9})?", str(value).strip(), re.ASCII):
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        return super().to_python(value)


class SecondsFilter(NumberFilter):  # type: ignore[misc]  # django-filter has no types
    field_class = Seconds


class LessonFilterForm(forms.Form):
    def clean(self) -> dict[str, Any]:
        given = self.cleaned_data
        least, most = given.get("minDuration"), given.get("maxDuration")
        if least is not None and most is not None and least > most:
            self.add_error("minDuration", "Must not be more than maxDuration.")
        return given


def word_filter(column: str, text: str) -> CharFilter:
    return CharFilter(field_name=column, lookup_expr="has_word", help_text=f"{text}, with any case, `_` for a space.")


class LessonFilter(FilterSet):  # type: ignore[misc]  # django-filter has no types
    """All of what is given must hold; an empty value asks for nothing."""

    status = FoldedChoiceFilter(choices=Lesson.Status.choices)
    intensity = FoldedChoiceFilter(choices=Lesson.Intensity.choices)
    style = word_filter("styles", "One of groupByStyles")
    type = word_filter("categories", "One of groupByTypes")
    muscle = word_filter("areas", "One of groupByMuscles")
    goal = word_filter("goals", "One of groupByGoals")
    equipment = word_filter("equipment", "One of groupByEquipments")
    trainer = word_filter("trainers", "One of groupByTrainers")
    min_duration = SecondsFilter(field_name="duration", lookup_expr="gte", help_text="At least so many seconds.")
    max_duration = SecondsFilter(field_name="duration", lookup_expr="lte", help_text="At most so many seconds.")
    search = CharFilter(
        method="matching",
        max_length=LONGEST,
        help_text="Words of the title, the description or a subtitle, in any language; all of them must be found.",
    )

    class Meta:
        form: ClassVar[type[forms.Form]] = LessonFilterForm

    @classmethod
    def get_filters(cls) -> dict[str, Any]:
        return {camel(name): each for name, each in super().get_filters().items()}

    def matching(self, lessons: LessonQuerySet, name: str, value: str) -> LessonQuerySet:
        return lessons.matching(value)
