from django.apps import AppConfig


class OpsConfig(AppConfig):
    name = "apps.ops"

    def ready(self) -> None:
        from apps.billing import verification
        from apps.ops import activities

        verification.RULES.append(activities.COUNTED_ONCE)
