"""Where does a WSGI server enter? In production granian's, before which a proxy sends streams to gofa.asgi."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gofa.settings")
application = get_wsgi_application()
