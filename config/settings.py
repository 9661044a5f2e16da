"""All settings, driven by the environment; deploy/production.env.example lists the variables.

SONGWENNUAN_ENV is "demo" or "test" on a developer's machine and nothing else. Anything else is production,
which refuses to start with a missing or weak setting instead of running unsafely.
"""

import base64
import os
import secrets
import sys
from datetime import timedelta
from pathlib import Path
from urllib.parse import unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured
from redis.backoff import NoBackoff
from redis.retry import Retry

BASE_DIR = Path(__file__).resolve().parent.parent
ENVIRONMENT = os.environ.get("SONGWENNUAN_ENV", "production")
PRODUCTION = ENVIRONMENT not in {"demo", "test"}


def secret(name: str) -> str:
    """NAME, or the content of the file that NAME_FILE names (how container secrets arrive)."""
    file = os.environ.get(f"{name}_FILE")
    if file:
        try:
            return Path(file).read_text(encoding="utf-8").strip()
        except OSError as problem:
            raise ImproperlyConfigured(
                f"{name}_FILE 指向的文件读不出来：{file}（{problem.strerror}）"
            ) from problem
    return os.environ.get(name, "").strip()


def words(name: str) -> list[str]:
    return [word for word in os.environ.get(name, "").replace(",", " ").split() if word]


def switch(name: str, default: bool) -> bool:
    return os.environ.get(name, "1" if default else "0").lower() in {"1", "true", "yes", "on"}


def versioned_keys(text: str) -> dict[int, bytes]:
    """ "1:BASE64 2:BASE64" → {1: 32 bytes, …}. The highest version seals; older ones still open."""
    keys = {}
    for word in text.replace(",", " ").split():
        version, _, encoded = word.partition(":")
        try:
            key = base64.urlsafe_b64decode(encoded)
        except ValueError:
            key = b""
        if not version.isdigit() or not 0 < int(version) < 65_536 or len(key) != 32 or len(set(key)) < 8:
            raise ImproperlyConfigured(
                "PERSONAL_DATA_KEYS 须形如 1:密钥 2:密钥，每个密钥是 32 个随机字节的 URL 安全 base64"
            )
        keys[int(version)] = key
    return keys


SECRET_KEY = secret("SECRET_KEY")
# Seal what is known about households (docs/adr/0007). Never in the database, never in a backup of it.
PERSONAL_DATA_KEYS = versioned_keys(secret("PERSONAL_DATA_KEYS"))
DATABASE_URL = secret("DATABASE_URL")
REDIS_URL = secret("REDIS_URL")
ALLOWED_HOSTS = words("ALLOWED_HOSTS")
DEBUG = switch("DEBUG", default=False)

if PRODUCTION:
    weak = SECRET_KEY.lower().startswith(("django-insecure", "change", "secret", "example", "请"))
    problems = [
        sentence
        for wrong, sentence in [
            (not SECRET_KEY, "缺少 SECRET_KEY（或 SECRET_KEY_FILE）"),
            (bool(SECRET_KEY) and len(SECRET_KEY) < 50, "SECRET_KEY 太短：至少 50 个字符"),
            (
                weak or (bool(SECRET_KEY) and len(set(SECRET_KEY)) < 5),
                "SECRET_KEY 是示例值或过于简单，请重新生成",
            ),
            (not PERSONAL_DATA_KEYS, "缺少 PERSONAL_DATA_KEYS（或 PERSONAL_DATA_KEYS_FILE）"),
            (not DATABASE_URL, "缺少 DATABASE_URL（或 DATABASE_URL_FILE）"),
            (not REDIS_URL, "缺少 REDIS_URL（或 REDIS_URL_FILE）"),
            (not ALLOWED_HOSTS, "缺少 ALLOWED_HOSTS：填写系统的域名，多个用逗号分隔"),
            ("*" in ALLOWED_HOSTS, "ALLOWED_HOSTS 不能是 *：请写明域名"),
            (DEBUG, "生产环境不能打开 DEBUG"),
        ]
        if wrong
    ]
    if problems:
        raise ImproperlyConfigured(
            "拒绝启动：" + "；".join(problems) + "。说明见 deploy/production.env.example；"
            "在自己的电脑上试用请运行 make demo，测试请运行 make test。"
        )
else:
    # A key of its own for each process; scripts/demo.py gives one key to all of its processes.
    SECRET_KEY = SECRET_KEY or secrets.token_urlsafe(64)
    PERSONAL_DATA_KEYS = PERSONAL_DATA_KEYS or {1: secrets.token_bytes(32)}
    ALLOWED_HOSTS = ALLOWED_HOSTS or ["127.0.0.1", "localhost", "[::1]", "testserver"]


def database(address: str) -> dict[str, object]:
    """postgres://user:password@host:port/name as Django's DATABASES entry."""
    parts = urlsplit(address)
    if parts.scheme not in {"postgres", "postgresql"} or not parts.path.strip("/"):
        raise ImproperlyConfigured("DATABASE_URL 须形如 postgres://用户:口令@主机:5432/库名")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.strip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(parts.hostname or ""),
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            # jit: compiling costs more than it saves on our short queries. work_mem: a roll-up hashes a few
            # hundred groups of 55 wide sums; with less memory PostgreSQL would sort all leaves on disk instead.
            "options": "-c jit=off -c work_mem=16MB",
            "connect_timeout": 3,
            "tcp_user_timeout": 10_000,  # ms; a vanished server must not hold a request for minutes
            "sslmode": os.environ.get("DATABASE_SSLMODE", "prefer"),
        },
    }


# Commands that need no database (`make forms`, `make check`) run without one; the dummy refuses every query.
DATABASES = {"default": database(DATABASE_URL) if DATABASE_URL else {"ENGINE": "django.db.backends.dummy"}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "crispy_forms",
    "crispy_bootstrap5",
    "axes",
    "django_htmx",
    "unions",
    "reporting",
    "warmth",
    "helpcenter",
    "delegations",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    # No GZipMiddleware: compressing pages that hold a CSRF token invites BREACH. WhiteNoise compresses files.
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "config.csp.ContentSecurityPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "unions.middleware.ActingMiddleware",
    "axes.middleware.AxesMiddleware",  # last: turns the refusal of a locked account into its page
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"

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
                "unions.context.actor",
                "reporting.context.unread",
                "delegations.context.navigation",
            ],
        },
    },
]
CRISPY_ALLOWED_TEMPLATE_PACKS = "bootstrap5"
CRISPY_TEMPLATE_PACK = "bootstrap5"

# -- people ------------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "unions.Person"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",  # first: a locked account's password is not even looked at
    "django.contrib.auth.backends.ModelBackend",
]
LOGIN_URL = "/login/"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/login/"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
SESSION_COOKIE_AGE = 30 * 60  # idle time; ActingMiddleware moves it on with each request
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
# Not in a cookie, as Django would: what a message says stays on the server.
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
CSRF_COOKIE_SAMESITE = "Lax"

AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = (
    False  # "15 minutes" on the page stays true while people retry
)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]  # both: nobody can lock a colleague out from elsewhere
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_TEMPLATE = "unions/locked.html"
AXES_HTTP_RESPONSE_CODE = 429
AXES_CLIENT_IP_CALLABLE = "config.client_address.client_address"
AXES_VERBOSE = False
TRUSTED_PROXY_COUNT = int(os.environ.get("TRUSTED_PROXY_COUNT", "0"))

# -- words and time ----------------------------------------------------------------------------------------

LANGUAGE_CODE = "zh-hans"
USE_I18N = True
USE_THOUSAND_SEPARATOR = False  # figures are compared with paper and Excel digit by digit
TIME_ZONE = "Asia/Shanghai"
USE_TZ = True

# -- files -------------------------------------------------------------------------------------------------

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = BASE_DIR / "staticfiles" if PRODUCTION else None
WHITENOISE_USE_FINDERS = not PRODUCTION  # demo and tests serve the sources: no collectstatic before each run
WHITENOISE_MAX_AGE = 60 if PRODUCTION else 0  # hashed names are cached for ever in any case
MEDIA_ROOT = Path(os.environ.get("MEDIA_ROOT") or BASE_DIR / "media")  # has no URL: views check, then stream
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
FILE_UPLOAD_PERMISSIONS = 0o640
# Bounds what is not a file. Reports and workbooks (up to 20 MB) are file uploads, spooled to disk and bounded
# where they are received; the proxy refuses bodies over 30 MB.
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2000
DATA_UPLOAD_MAX_NUMBER_FILES = (
    310  # a folder of returned workbooks; reporting.incoming.archives says more kindly: 300
)

# -- Redis: Celery and the progress cache. Both may lose everything at any moment. -------------------------

PATIENCE = {"socket_connect_timeout": 1, "socket_timeout": 3}  # seconds; a dead Redis must not hold a request


def redis_database(number: int) -> str:
    return urlsplit(REDIS_URL)._replace(path=f"/{number}").geturl()


CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": redis_database(1),
        "KEY_PREFIX": "progress",
        "OPTIONS": {**PATIENCE, "retry": Retry(NoBackoff(), 0)},
    }
    if REDIS_URL
    else {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}
}

CELERY_BROKER_URL = REDIS_URL or "memory://"
CELERY_BROKER_TRANSPORT_OPTIONS = {**PATIENCE, "max_retries": 1, "interval_start": 0} if REDIS_URL else {}
CELERY_BROKER_CONNECTION_TIMEOUT = 2
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # a worker waits for Redis as long as it takes
CELERY_TASK_PUBLISH_RETRY = False  # what must happen is a row; the next tick finds it
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = TIME_ZONE
CELERY_BEAT_SCHEDULE = {
    "tick": {
        "task": "reporting.tick",  # "look what is due"; nothing is scheduled by time of arrival
        "schedule": 60.0,
        "options": {"expires": 55},  # ticks do not pile up while no worker runs
    },
    "sweep": {
        "task": "delegations.sweep",  # forget uploads that nobody came back to finish
        "schedule": 3600.0,
        "options": {"expires": 3500},
    },
}

# -- mail --------------------------------------------------------------------------------------------------

EMAIL_FOLDER = os.environ.get("EMAIL_FOLDER", "")  # the demonstration's letters, which nobody is sent
EMAIL_BACKEND = (
    "django.core.mail.backends.smtp.EmailBackend"
    if PRODUCTION
    else "config.mail.FolderBackend"
    if EMAIL_FOLDER
    else "django.core.mail.backends.console.EmailBackend"
)
EMAIL_HOST = os.environ.get("EMAIL_HOST", "localhost")
EMAIL_PORT = int(os.environ.get("EMAIL_PORT", "25"))
EMAIL_HOST_USER = os.environ.get("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = secret("EMAIL_HOST_PASSWORD")
EMAIL_USE_TLS = switch("EMAIL_USE_TLS", default=False)
EMAIL_USE_SSL = switch("EMAIL_USE_SSL", default=False)
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = os.environ.get("DEFAULT_FROM_EMAIL", "songwennuan@localhost")

# -- transport ---------------------------------------------------------------------------------------------

X_FRAME_OPTIONS = "SAMEORIGIN"
SILENCED_SYSTEM_CHECKS = ["security.W019"]  # asks for DENY; our own pages show reports in a frame
SECURE_REFERRER_POLICY = "same-origin"
CSRF_TRUSTED_ORIGINS = words("CSRF_TRUSTED_ORIGINS")
if PRODUCTION:
    SECURE_SSL_REDIRECT = switch("SECURE_SSL_REDIRECT", default=True)
    SECURE_REDIRECT_EXEMPT = [r"^healthz$"]  # asked from inside the container, without the proxy
    SECURE_PROXY_SSL_HEADER = (
        "HTTP_X_FORWARDED_PROTO",
        "https",
    )  # the proxy must set it, and overwrite what comes
    SECURE_HSTS_SECONDS = int(os.environ.get("SECURE_HSTS_SECONDS", str(365 * 24 * 3600)))
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True

# -- logs --------------------------------------------------------------------------------------------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "stream": sys.stderr, "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": os.environ.get("LOG_LEVEL", "INFO")},
    "loggers": {
        "axes": {"level": "WARNING"},  # a locked account is news, every log-in is not
        "django.server": {"handlers": ["stderr"], "level": "INFO", "propagate": False},
    },
}
