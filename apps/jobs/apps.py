from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class JobsConfig(AppConfig):
    name = "apps.jobs"

    def ready(self) -> None:
        # The rooms above register their performers there. In every process: the admin shows what each kind is called.
        autodiscover_modules("tasks")
