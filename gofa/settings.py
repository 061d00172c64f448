"""Every value that a deployment can change comes from the environment; a wrong one stops the start with its name."""

import os
import secrets
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import structlog
from environs import Env, validate
from psycopg.conninfo import conninfo_to_dict

from apps.api import tracing
from apps.ops import engines
from apps.ops.processes import CannotStart

env = Env()
positive = validate.Range(1)
BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = Path(env.str("GOFA_DATA_DIR", str(BASE_DIR / ".data"))).resolve()
PORT = env.int("PORT", 8000, validate=validate.Range(1, 65535))


def kept_secret(name: str) -> str:
    """A random secret that is made once and kept in the data folder, for those who set none."""
    try:
        return engines.kept(DATA_DIR, f"secrets/{name}", lambda: secrets.token_urlsafe(48))
    except CannotStart as error:
        raise SystemExit(str(error)) from None


SECRET_KEY = env.str("SECRET_KEY", "") or kept_secret("django")
# What these have signed or sealed is still read; nothing new is.
SECRET_KEY_FALLBACKS: list[str] = env.list("SECRET_KEY_FALLBACKS", [])
DEBUG = env.bool("DEBUG", False)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", ["*"])
PUBLIC_URL = env.str("PUBLIC_URL", f"http://localhost:{PORT}")
INTERNAL_IPS: list[str] = []
# Only behind a proxy that sets both headers itself: from anybody else they are hearsay.
BEHIND_PROXY = env.bool("BEHIND_PROXY", False)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_PROXY else None

INSTALLED_APPS = [
    "apps.backoffice.admin_config.GofaAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.staticfiles",
    "axes",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_filters",
    "apps.tenants",
    "apps.api",
    "apps.events",
    "apps.jobs",
    "apps.accounts",
    "apps.billing",
    "apps.catalog",
    "apps.plays",
    "apps.plans",
    "apps.ai_training",
    "apps.delivery",
    "apps.backoffice",
    "apps.ops",
]

MIDDLEWARE = [
    "apps.api.tracing.TracingMiddleware",
    "apps.api.addresses.AddressMiddleware",
    "apps.tenants.middleware.UnboundMiddleware",
    "apps.api.lane.LaneMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "apps.backoffice.middleware.AdminMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "gofa.urls"
WSGI_APPLICATION = "gofa.wsgi.application"
ASGI_APPLICATION = "gofa.asgi.application"
APPEND_SLASH = False

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# --- PostgreSQL and Valkey: the embedded ones unless an address is given ---

DATABASE_URL = env.str("DATABASE_URL", "") or engines.database_url(DATA_DIR)
REDIS_URL = env.str("REDIS_URL", "") or engines.redis_url(DATA_DIR)
STATEMENT_TIMEOUT_MS = env.int("STATEMENT_TIMEOUT_MS", 5000)


def database(url: str) -> dict[str, Any]:
    """Django's form of a libpq address; sockets, several hosts and TLS parameters included."""
    parts = conninfo_to_dict(url)
    return {
        "ENGINE": "apps.tenants.postgresql",
        "NAME": parts.pop("dbname", "gofa"),
        "USER": parts.pop("user", ""),
        "PASSWORD": parts.pop("password", ""),
        "HOST": parts.pop("host", ""),
        "PORT": str(parts.pop("port", "")),
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
        "TEST": {"NAME": env.str("TEST_DATABASE_NAME", "test_gofa")},
        "OPTIONS": {
            **parts,
            # The server plans a hot statement once; five runs tell that it is hot.
            "server_side_binding": True,
            "prepare_threshold": 5,
            "options": f"-c statement_timeout={STATEMENT_TIMEOUT_MS} -c lock_timeout={STATEMENT_TIMEOUT_MS}",
            "connect_timeout": 3,
        },
    }


DATABASES = {"default": database(DATABASE_URL)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- People and passwords ---

AUTH_USER_MODEL = "accounts.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
AUTHENTICATION_BACKENDS = ["apps.backoffice.lockout.Lockout", "apps.backoffice.lockout.StaffBackend"]
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"
CSRF_FAILURE_VIEW = "apps.api.html.forbidden"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PUBLIC_URL.startswith("https://")
SESSION_COOKIE_AGE = env.int("ADMIN_IDLE_SECONDS", 8 * 3600)
SESSION_SAVE_EVERY_REQUEST = False
ADMIN_REQUIRE_2FA = env.bool("ADMIN_REQUIRE_2FA", False)
OTP_TOTP_ISSUER = "GOFA"
AXES_FAILURE_LIMIT = env.int("ADMIN_LOGIN_FAILURES", 5, validate=positive)
AXES_COOLOFF_TIME = timedelta(seconds=env.int("ADMIN_LOCKOUT_SECONDS", 900, validate=positive))
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_CLIENT_IP_CALLABLE = "apps.backoffice.lockout.address"
AXES_LOCKOUT_TEMPLATE = "admin/locked_out.html"
AXES_RESET_ON_SUCCESS = True
# Attempts while locked are neither written down nor do they lengthen the lock.
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_SENSITIVE_PARAMETERS = ["username", "ip_address", "code"]
AXES_ENABLE_ADMIN = False
AXES_DISABLE_ACCESS_LOG = True
AXES_VERBOSE = False
ISSUER = env.str("GOFA_ISSUER", "https://id.gofa.local")
SIGNING_KEY_FILE = Path(env.str("GOFA_SIGNING_KEY_FILE", str(DATA_DIR / "secrets" / "signing.pem")))

# --- How we speak ---

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["apps.accounts.authentication.CredentialAuthentication"],
    "DEFAULT_RENDERER_CLASSES": ["apps.api.rendering.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["apps.api.parsing.StrictJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "apps.api.schema.GofaSchema",
    "UNAUTHENTICATED_USER": None,
    "UNAUTHENTICATED_TOKEN": None,
    "EXCEPTION_HANDLER": "apps.api.gofa.answer_exception",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "GOFA API",
    "DESCRIPTION": "Guided training and learning for gyms, insurers, elderly care and schools.",
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": [],
    "SERVE_AUTHENTICATION": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    # What a PATCH may leave out its serializer says: what it must not, such as where to navigate, is required.
    "COMPONENT_SPLIT_PATCH": False,
    "SCHEMA_PATH_PREFIX": "/api",
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "GET_LIB_DOC_EXCLUDES": "apps.api.schema.undescribed",
    "POSTPROCESSING_HOOKS": ["apps.api.schema.finish"],
}
# The largest body that a route reads whole: a subtitle of 2 MiB in a form. Uploaded files of the admin do not count.
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024 + 64 * 1024

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("zh-hant", "繁體中文"), ("zh-hans", "简体中文")]
LOCALE_PATHS = [BASE_DIR / "templates" / "locale"]
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False
WHITENOISE_MIMETYPES = {".vtt": "text/vtt"}

SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

MEDIA_ROOT = Path(env.str("MEDIA_ROOT", str(DATA_DIR / "media")))
S3_ADDRESSINGS = ("auto", "path", "virtual")


def media_objects() -> dict[str, Any]:
    """The bucket where one is named, else files under MEDIA_ROOT. The keys are boto3's own variables."""
    bucket = env.str("S3_BUCKET", "")
    if not bucket:
        return {"BACKEND": "apps.catalog.local_objects.LocalObjects"}
    options = {
        "bucket_name": bucket,
        "endpoint_url": env.str("S3_ENDPOINT_URL", "") or None,
        "region_name": env.str("S3_REGION", "") or None,
        "addressing_style": env.str("S3_ADDRESSING", "auto", validate=validate.OneOf(S3_ADDRESSINGS)),
    }
    return {"BACKEND": "apps.catalog.s3_objects.S3Objects", "OPTIONS": options}


STORAGES = {
    "default": media_objects(),
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
# For development only: a lesson's video may then be on this machine, and so may what else listens on it.
FETCH_LOOPBACK = env.bool("FETCH_LOOPBACK", False)

# --- What `manage.py up` starts ---

BIND_ADDRESS = env.str("BIND_ADDRESS", "127.0.0.1")
WEB_WORKERS = env.int("WEB_WORKERS", os.cpu_count() or 1, validate=positive)
DEMO_PASSWORD = env.str("GOFA_DEMO_PASSWORD", "")
WEB_THREADS = env.int("WEB_THREADS", 2, validate=positive)

# --- What is done later: events, and jobs, which take longer ---

CELERY_BROKER_URL = engines.broker_url(REDIS_URL)
WORKER_PROCESSES = env.int("WORKER_PROCESSES", 2, validate=positive)
JOB_PROCESSES = env.int("JOB_PROCESSES", 1, validate=positive)
TASK_SECONDS = env.int("TASK_SECONDS", 300, validate=validate.Range(30))
# An event is in a relay's hand for so long before it counts as lost; its handlers together must take less.
OUTBOX_LEASE_SECONDS = env.int("OUTBOX_LEASE_SECONDS", 30, validate=validate.Range(15))
OUTBOX_MAX_ATTEMPTS = env.int("OUTBOX_MAX_ATTEMPTS", 10, validate=positive)
OUTBOX_KEPT_DAYS = env.int("OUTBOX_KEPT_DAYS", 7, validate=positive)
# So many receivers are spoken to at once; what they were told is kept, to be read and sent again.
WEBHOOK_SENDERS = env.int("WEBHOOK_SENDERS", 8, validate=positive)
WEBHOOKS_KEPT_DAYS = env.int("WEBHOOKS_KEPT_DAYS", 30, validate=validate.Range(4))
# A job's worker says four times in it that it lives.
JOB_LEASE_SECONDS = env.int("JOB_LEASE_SECONDS", 20, validate=validate.Range(2))
JOBS_KEPT_DAYS = env.int("JOBS_KEPT_DAYS", 30, validate=positive)

# --- Mail ---

MAIL_SERVERS = {"smtp": 25, "smtp+tls": 587, "smtps": 465}


def mail(url: str) -> dict[str, Any]:
    """`smtp://`, `smtp+tls://` or `smtps://user:password@host:port`; `file:///folder`; `console:`."""
    parts = urlsplit(url)
    if parts.scheme == "console":
        return {"backend": "console"}
    if parts.scheme == "file" and parts.path and not parts.netloc:
        return {"backend": "filebased", "folder": unquote(parts.path)}
    if parts.scheme in MAIL_SERVERS and parts.hostname:
        return {
            "backend": "smtp",
            "host": parts.hostname,
            "port": parts.port or MAIL_SERVERS[parts.scheme],
            "user": unquote(parts.username or ""),
            "password": unquote(parts.password or ""),
            "security": parts.scheme,
        }
    raise ValueError("it is no smtp://, smtp+tls://, smtps://, file:/// or console: address")


# Nobody needs a mail server to begin with: then mails are files, to be looked at.
try:
    MAIL = mail(env.str("EMAIL_URL", "") or (DATA_DIR / "mail").as_uri())
except ValueError as error:
    raise SystemExit(f"EMAIL_URL: {error}") from None
EMAIL_BACKEND = f"django.core.mail.backends.{MAIL['backend']}.EmailBackend"
EMAIL_FILE_PATH = MAIL.get("folder")
EMAIL_HOST, EMAIL_PORT = MAIL.get("host", ""), MAIL.get("port", 0)
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = MAIL.get("user", ""), MAIL.get("password", "")
EMAIL_USE_TLS, EMAIL_USE_SSL = MAIL.get("security") == "smtp+tls", MAIL.get("security") == "smtps"
# An event's relay waits for it, and has its lease for all that it does.
EMAIL_TIMEOUT = 5
DEFAULT_FROM_EMAIL = env.str("MAIL_FROM", "GOFA <no-reply@localhost>")

# --- The tutor: without a provider of models it quotes the lesson ---

TUTOR_PROVIDERS = ("", "anthropic", "openai")


def tutor() -> dict[str, Any]:
    """Which provider is asked for which model; `openai` is any server that speaks its chat completions."""
    provider = env.str("TUTOR_PROVIDER", "", validate=validate.OneOf(TUTOR_PROVIDERS))
    model, key = env.str("TUTOR_MODEL", ""), env.str("TUTOR_API_KEY", "")
    address = env.str("TUTOR_BASE_URL", "") or None
    if provider and not (model and key):
        raise SystemExit("TUTOR_PROVIDER: it needs TUTOR_MODEL and TUTOR_API_KEY")
    if provider and find_spec(provider) is None:  # an extra of ours, which an image may leave out
        raise SystemExit(f"TUTOR_PROVIDER: the Python package {provider} is not installed")
    if address and urlsplit(address).scheme not in ("http", "https"):
        raise SystemExit("TUTOR_BASE_URL: it is no http:// or https:// address")
    most = env.int("TUTOR_MAX_TOKENS", 1000, validate=positive)
    return {"provider": provider, "model": model, "key": key, "address": address, "most_tokens": most}


TUTOR = tutor()
TUTOR_SECONDS = env.int("TUTOR_SECONDS", 60, validate=validate.Range(1, 300))

# --- What is taken along offline ---

BUNDLE_MAX_BYTES = env.int("BUNDLE_MAX_BYTES", 1024**3, validate=positive)
# For one film; all of a bundle together must be had within TASK_SECONDS.
BUNDLE_FETCH_SECONDS = env.int("BUNDLE_FETCH_SECONDS", 120, validate=positive)
LICENSE_ALGORITHMS = ("EdDSA", "ES256")
# Of a client's first key; a rotation names its own.
LICENSE_ALGORITHM = env.str("LICENSE_ALGORITHM", "EdDSA", validate=validate.OneOf(LICENSE_ALGORITHMS))
LICENSE_DAYS = env.int("LICENSE_DAYS", 30, validate=validate.Range(1, 365))

# --- What is written down ---

LOG_LEVEL = env.str("LOG_LEVEL", "INFO")
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "json": {
            "()": structlog.stdlib.ProcessorFormatter,
            "processors": [
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                # ASCII, so that no text that somebody sends can break or forge a line.
                structlog.processors.JSONRenderer(),
            ],
            "foreign_pre_chain": [
                structlog.contextvars.merge_contextvars,
                tracing.name_request,
                structlog.stdlib.add_log_level,
                structlog.stdlib.add_logger_name,
                structlog.processors.TimeStamper(fmt="iso"),
                structlog.processors.format_exc_info,
            ],
        },
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    "loggers": {"django.request": {"level": "ERROR"}},
}
structlog.configure(
    processors=[
        structlog.contextvars.merge_contextvars,
        tracing.name_request,
        structlog.stdlib.filter_by_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso"),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ],
    logger_factory=structlog.stdlib.LoggerFactory(),
    wrapper_class=structlog.stdlib.BoundLogger,
    cache_logger_on_first_use=True,
)

METRICS_TOKEN = env.str("METRICS_TOKEN", "")
if SENTRY_DSN := env.str("SENTRY_DSN", ""):
    import sentry_sdk

    # Without its query, in which a page's address may carry a custom token.
    sentry_sdk.init(dsn=SENTRY_DSN, send_default_pii=False, before_send=tracing.without_query)
