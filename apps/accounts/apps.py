from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "apps.accounts"

    def ready(self) -> None:
        # Registers itself with drf-spectacular; importable only once the models are.
        from apps.accounts import schema  # noqa: F401
