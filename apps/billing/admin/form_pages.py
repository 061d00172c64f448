"""Which of Django's usual buttons do our forms go without?"""

from typing import Any

from django import forms
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper

ONE_WAY_TO_SAVE: dict[str, Any] = {"show_save_and_add_another": False, "show_save_and_continue": False}


def choose_only(form: forms.BaseForm, name: str) -> None:
    """The field, where the form has it, chooses a row; it does not add, change or show one."""
    field = form.fields.get(name)
    if field is not None and isinstance(field.widget, RelatedFieldWidgetWrapper):
        field.widget.can_add_related = field.widget.can_change_related = field.widget.can_view_related = False
