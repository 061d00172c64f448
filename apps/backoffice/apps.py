from typing import Any

from django.apps import AppConfig, apps
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy


class BackofficeConfig(AppConfig):
    name = "apps.backoffice"
    verbose_name = "Back office"

    def ready(self) -> None:
        # The admin shows models by their English names, which are the keys of our translations. Said here rather than
        # in each model, because the words for staff are no part of what migrations describe.
        for config in apps.get_app_configs():
            if not config.name.startswith("apps."):
                continue
            config.verbose_name = gettext_lazy(str(config.verbose_name))
            for model in config.get_models():
                options = model._meta
                options.verbose_name = gettext_lazy(str(options.verbose_name))
                options.verbose_name_plural = gettext_lazy(str(options.verbose_name_plural))
                for field in options.local_fields:
                    field.verbose_name = gettext_lazy(str(field.verbose_name))
                    if field.choices:
                        field.choices = [(value, _lazily(label)) for value, label in field.flatchoices]
                    field.help_text = gettext_lazy(str(field.help_text)) if field.help_text else ""


def _lazily(label: Any) -> Any:
    """A word that waits for its reader's language already may know of what it is said: it stays as it is."""
    return label if isinstance(label, Promise) else gettext_lazy(str(label))
