"""Settings: every one is an environment variable, read once and strictly; the defaults serve one machine."""

import hashlib
import sys
from pathlib import Path
from urllib.parse import quote

from csp.constants import NONE, SELF

from pingsite import environment as read

BASE_DIR = Path(__file__).resolve().parent.parent
DATA = read.read_folder("DATA", BASE_DIR / ".data")
SECRET_KEY = read.read_secret("SECRET_KEY", DATA)
DEBUG = False

# Without origins the site serves this machine alone: only loopback names are answered.
PINGSITE_ORIGINS = read.read_origins("ORIGINS")
PINGSITE_LOCAL = not PINGSITE_ORIGINS
PINGSITE_DEFAULT_HOST = read.read_host("DEFAULT_HOST", "8.8.8.8")
PINGSITE_DEFAULT_COUNT = 5
PINGSITE_DEFAULT_INTERVAL = 1.0
PINGSITE_TIMEOUT = read.read_number("TIMEOUT", 2.0, least=0.1, most=10)
PINGSITE_ANONYMOUS_MAY_PING = read.read_text(
    "ANONYMOUS_MAY_PING",
    "unicast" if PINGSITE_LOCAL else "global",
    choices=("unicast", "global", "nothing"),
)
PINGSITE_PUBLIC_BOARD = (
    read.read_text("PUBLIC_BOARD", "yes" if PINGSITE_LOCAL else "no", choices=("yes", "no")) == "yes"
)
PINGSITE_RUNS_PER_MINUTE = read.read_integer("RUNS_PER_MINUTE", 30, least=0, most=1_000_000)
PINGSITE_PACKETS_PER_SECOND = read.read_number("PACKETS_PER_SECOND", 50, least=0, most=1_000_000)
PINGSITE_THREADS = read.read_integer("THREADS", 64, least=1, most=1024)
PINGSITE_ENGINE = read.read_text("ENGINE", "auto", choices=("auto", "datagram", "raw", "command"))
PINGSITE_RESUME_SECONDS = read.read_number("RESUME_SECONDS", 30, least=0, most=3600)
PINGSITE_KEEP_DAYS = read.read_number("KEEP_DAYS", 30, least=0.01, most=36_500)
# Of watched hosts: every packet, then the figures of every minute, then those of every hour; 0 keeps hours for ever.
PINGSITE_KEEP_PACKETS_DAYS = read.read_number("KEEP_PACKETS_DAYS", 30, least=2, most=36_500)
PINGSITE_KEEP_MINUTES_DAYS = read.read_number("KEEP_MINUTES_DAYS", 365, least=2, most=36_500)
PINGSITE_KEEP_HOURS_DAYS = read.read_number("KEEP_HOURS_DAYS", 0, least=0, most=36_500)
PINGSITE_PORT = read.read_integer("PORT", 8000, least=0, most=65_535)

# Answered by name where the site is deployed; the health checks of a proxy come by a loopback name.
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]", *map(read.take_host, PINGSITE_ORIGINS)]
CSRF_TRUSTED_ORIGINS = PINGSITE_ORIGINS
SECURE_PROXY_SSL_HEADER = None if PINGSITE_LOCAL else ("HTTP_X_FORWARDED_PROTO", "https")
_https = not PINGSITE_LOCAL and all(origin.startswith("https://") for origin in PINGSITE_ORIGINS)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _https
SECURE_HSTS_SECONDS = read.read_integer("HSTS_SECONDS", 3600 if _https else 0, least=0, most=63_072_000)
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# nginx redirects to https in front of us; the other two concern domains that only the operator can speak for.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W008", "security.W021"]
if not _https:
    # Over plain http on loopback there is nothing for these three to secure.
    SILENCED_SYSTEM_CHECKS += ["security.W004", "security.W012", "security.W016"]

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "csp",
    "monitor",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "monitor.accounts.require_own_password",
]
ROOT_URLCONF = "pingsite.urls"
ASGI_APPLICATION = "pingsite.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

DATABASES = {"default": read.read_database("DATABASE_URL", f"sqlite:///{quote(str(DATA / 'pingsite.sqlite3'))}")}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # Measured with two processes of eight writers each: the default options gave 38,321 "database is locked",
    # these none; kill -9 thirty times lost no acknowledged row.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
    # Threads share a file; an in-memory database would answer "table is locked" without waiting.
    DATABASES["default"]["TEST"] = {"NAME": str(DATA / "test.sqlite3")}

REDIS_URL = read.read_url("REDIS_URL", "", ("redis", "rediss", "unix"))
CHANNEL_LAYERS = {
    "default": {"BACKEND": "pingsite.layers.RedisLayer", "CONFIG": {"hosts": [REDIS_URL]}}
    if REDIS_URL
    else {"BACKEND": "pingsite.layers.MemoryLayer"}
}

# Who sends the messages of e-mail channels; without a URL there is no mail server.
_email = read.read_email("EMAIL_URL")
EMAIL_HOST, EMAIL_PORT = _email["EMAIL_HOST"], _email["EMAIL_PORT"]
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _email["EMAIL_HOST_USER"], _email["EMAIL_HOST_PASSWORD"]
EMAIL_USE_TLS, EMAIL_USE_SSL = _email["EMAIL_USE_TLS"], _email["EMAIL_USE_SSL"]
DEFAULT_FROM_EMAIL = SERVER_EMAIL = read.read_text("EMAIL_FROM", "pingsite@localhost")

AUTH_USER_MODEL = "monitor.User"
LOGIN_URL = "admin:login"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "monitor.accounts.OwnPasswordValidator"},
]

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("ko", "한국어")]
LOCALE_PATHS = [BASE_DIR / "monitor" / "locale"]
TIME_ZONE = "UTC"
USE_TZ = True


def _fingerprint(folder: Path) -> str:
    """Twelve hex digits that change with any file below `folder`."""
    digest = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        digest.update(str(path.relative_to(folder)).encode() + path.read_bytes())
    return digest.hexdigest()[:12]


# A versioned folder, so that relative imports between modules need no rewriting and may be cached for ever.
STATIC_URL = f"/static/{_fingerprint(BASE_DIR / 'monitor' / 'static')}/"
STATIC_ROOT = read.read_folder("STATIC_ROOT", DATA / "static")
WHITENOISE_USE_FINDERS = True
WHITENOISE_MAX_AGE = 365 * 24 * 3600

LOG_LEVEL = read.read_text("LOG_LEVEL", "INFO", choices=("DEBUG", "INFO", "WARNING"))
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "filters": {"untraced": {"()": "pingsite.logs.Untraced"}},
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "filters": ["untraced"],
            "formatter": "line",
            "stream": sys.stderr,
        }
    },
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    "loggers": {
        "django": {"handlers": [], "level": LOG_LEVEL, "propagate": True},
        "daphne": {"level": "WARNING"},
        # A traceback a second while Redis is away; our own layer says it in a line.
        "channels_redis.pubsub": {"level": "CRITICAL"},
    },
}

# Last, when every setting has been read.
UNKNOWN_VARIABLES = read.find_unknown()
