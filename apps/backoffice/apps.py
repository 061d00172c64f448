from django.apps import AppConfig, apps
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
                        field.choices = [(value, gettext_lazy(str(label))) for value, label in field.flatchoices]
                    field.help_text = gettext_lazy(str(field.help_text)) if field.help_text else ""
