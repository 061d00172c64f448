from django.apps import AppConfig
from django.db.backends.signals import connection_created


class TenantsConfig(AppConfig):
    name = "apps.tenants"

    def ready(self) -> None:
        from apps.tenants import binding

        # The only way to see every statement of a connection from its first one on.
        connection_created.connect(binding.watch, dispatch_uid="tenants.binding")
