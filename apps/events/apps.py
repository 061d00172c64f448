from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class EventsConfig(AppConfig):
    name = "apps.events"

    def ready(self) -> None:
        # The rooms above register themselves: this one knows none of them.
        autodiscover_modules("event_types", "reactions")
