"""Which admin site do the `admin.py` files register on? Ours; a module apart, because an app has one AppConfig."""

from django.contrib.admin.apps import AdminConfig


class GofaAdminConfig(AdminConfig):
    default_site = "apps.backoffice.site.GofaAdminSite"
