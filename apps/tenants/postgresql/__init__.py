"""Django's PostgreSQL backend, bound to the tenant. Django looks for `base` in an ENGINE: hence that module's name."""
