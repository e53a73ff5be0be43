"""Every setting of the project, read from the environment.

Secure by default: without DJANGO_DEBUG=1 everything a stage needs has to be set, and a missing value
stops the process with one error that names all of them. The README has the table of variables.
Credentials for AWS are not settings: boto3 finds the task's role by itself.
"""

import logging
from pathlib import Path
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from runtime import logs
from runtime.environment import Environment

env = Environment()
BASE_DIR = Path(__file__).resolve().parent.parent

DEBUG = env.debug
ENVIRONMENT = env.optional("DJANGO_ENVIRONMENT", "development" if DEBUG else "unnamed")
REVISION = env.optional("APP_REVISION", "unknown")

# --- Keys and hosts -----------------------------------------------------------------------------
SECRET_KEY = env.required("DJANGO_SECRET_KEY")
# Old keys stay valid for signatures while a new one is rolled out.
SECRET_KEY_FALLBACKS = env.words(env.optional("DJANGO_SECRET_KEY_FALLBACKS"))
ALLOWED_HOSTS = env.words(env.required("DJANGO_ALLOWED_HOSTS", debug="localhost,127.0.0.1,[::1]"))
CSRF_TRUSTED_ORIGINS = env.words(env.optional("DJANGO_CSRF_TRUSTED_ORIGINS"))

# --- Application --------------------------------------------------------------------------------
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "fieldnotes",
]
MIDDLEWARE = [
    # First: the load balancer's check has a target's IP address as its host, and comes over HTTP.
    "runtime.status.StatusMiddleware",
    "runtime.requests.RequestIdMiddleware",
    "runtime.requests.ContentSecurityPolicyMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "project.urls"
WSGI_APPLICATION = "project.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "runtime.requests.stage",
            ]
        },
    }
]
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

# --- Transport and cookies ----------------------------------------------------------------------
SECURE_SSL_REDIRECT = not DEBUG
SESSION_COOKIE_SECURE = not DEBUG
CSRF_COOKIE_SECURE = not DEBUG
CSRF_COOKIE_HTTPONLY = True
SECURE_HSTS_SECONDS = 0 if DEBUG else env.number("DJANGO_HSTS_SECONDS", 31_536_000)
SECURE_HSTS_INCLUDE_SUBDOMAINS = not DEBUG
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "strict-origin-when-cross-origin"
X_FRAME_OPTIONS = "DENY"
if not DEBUG:
    # Right only because the load balancer overwrites this header and nothing else reaches the task.
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
# Joining the browsers' preload list is for the owner of the parent domain to decide, not for one stage of it.
SILENCED_SYSTEM_CHECKS = ["security.W021"]

# --- Database -----------------------------------------------------------------------------------
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": env.required("DATABASE_HOST", debug="127.0.0.1"),
        "PORT": env.number("DATABASE_PORT", 5432),
        "NAME": env.required("DATABASE_NAME", debug="fieldnotes"),
        "USER": env.required("DATABASE_USER", debug="fieldnotes"),
        "PASSWORD": env.required("DATABASE_PASSWORD", debug="fieldnotes"),
        # A database that may pause itself only does so when nobody keeps a connection.
        "CONN_MAX_AGE": 0,
        "OPTIONS": {
            # Encrypted, or no connection at all. `verify-full` with DATABASE_SSLROOTCERT also checks the
            # server's name; `disable` is for a server on your own machine.
            "sslmode": env.optional("DATABASE_SSLMODE", "disable" if DEBUG else "require"),
            **({"sslrootcert": cert} if (cert := env.optional("DATABASE_SSLROOTCERT")) else {}),
            # A paused database takes some 15 seconds to wake up, and the first visitor may wait for it.
            "connect_timeout": env.number("DATABASE_CONNECT_TIMEOUT", 40),
            "application_name": f"django-{ENVIRONMENT}",
        },
    }
}

# --- Files --------------------------------------------------------------------------------------
STATIC_URL = env.required("STATIC_URL", debug="/static/")
STATIC_ROOT = BASE_DIR / "staticfiles"
STATIC_BUCKET = env.optional("STATIC_BUCKET")  # the release step alone writes to it
MEDIA_ROOT = BASE_DIR / ".dev" / "media"  # used without a bucket only, that is with DJANGO_DEBUG=1
MEDIA_URL = "/media/"
MEDIA_BUCKET = env.optional("MEDIA_BUCKET") if DEBUG else env.required("MEDIA_BUCKET")
# A local AWS has one name for all buckets; the real one has a name for each.
AWS_ENDPOINT_URL = env.optional("AWS_ENDPOINT_URL")
S3_ADDRESSING_STYLE = "path" if AWS_ENDPOINT_URL else "virtual"
STORAGES = {
    "staticfiles": {"BACKEND": "runtime.staticfiles.ReleaseStaticFilesStorage"},
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
}
if MEDIA_BUCKET:
    STORAGES["default"] = {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": MEDIA_BUCKET,
            "region_name": env.optional("AWS_DEFAULT_REGION") or None,
            "addressing_style": S3_ADDRESSING_STYLE,
            "signature_version": "s3v4",
            "querystring_expire": 900,
            "file_overwrite": False,
            "object_parameters": {"CacheControl": "private, max-age=900"},
        },
    }
CSP_ASSETS = f"{urlsplit(STATIC_URL).scheme}://{urlsplit(STATIC_URL).netloc}" if "//" in STATIC_URL else ""
CSP_IMAGES = " ".join(["https:", "data:", *([AWS_ENDPOINT_URL] if AWS_ENDPOINT_URL else [])])

# --- Background tasks ---------------------------------------------------------------------------
QUEUE_NAME = env.required("CELERY_QUEUE_NAME", debug="development")
QUEUE_URL = env.optional("CELERY_QUEUE_URL") if DEBUG else env.required("CELERY_QUEUE_URL")
VISIBILITY_TIMEOUT = env.number("CELERY_VISIBILITY_TIMEOUT", 900)
if VISIBILITY_TIMEOUT < 120:  # noqa: PLR2004 -- the smallest that leaves a task time to work and to clean up
    raise ImproperlyConfigured(
        f"CELERY_VISIBILITY_TIMEOUT is {VISIBILITY_TIMEOUT}; give 120 seconds or more,"
        " and the same value as the queue has"
    )
CELERY_BROKER_URL = "sqs://" if QUEUE_URL else "memory://"
CELERY_TASK_ALWAYS_EAGER = not QUEUE_URL  # a developer's machine has no queue: tasks run in the request
CELERY_TASK_DEFAULT_QUEUE = QUEUE_NAME
CELERY_BROKER_TRANSPORT_OPTIONS = {
    # Named queues only: the role may neither list queues nor create one.
    "predefined_queues": {QUEUE_NAME: {"url": QUEUE_URL}},
    # Has no effect on a predefined queue, whose own attribute counts; stated so that both agree.
    "visibility_timeout": VISIBILITY_TIMEOUT,
    # Long polling, and below the 20 seconds after which the transport gives a request up.
    "wait_time_seconds": 15,
    "client-config": {"connect_timeout": 5, "read_timeout": 25, "retries": {"total_max_attempts": 3}},
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_IGNORE_RESULT = True  # progress is a row of ours; a result backend would be polled
# A task of a lost container is delivered again; one that fails ends in the dead-letter queue.
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_ACKS_ON_FAILURE_OR_TIMEOUT = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
# Both below the visibility timeout: a task that outlives it would run twice at the same time.
CELERY_TASK_SOFT_TIME_LIMIT = VISIBILITY_TIMEOUT - 60
CELERY_TASK_TIME_LIMIT = VISIBILITY_TIMEOUT - 30
# SQS has no fan-out: no remote control, no events (bin/worker also switches off gossip, mingle, heartbeat).
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_TASK_SEND_SENT_EVENT = False
# On SIGTERM (bin/worker maps it) running tasks get this long; then they go back to the queue. It must be
# below the container's stop timeout. On idle too: messages that were fetched ahead are given back.
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = float(env.number("CELERY_SOFT_SHUTDOWN_SECONDS", 60))
CELERY_WORKER_ENABLE_SOFT_SHUTDOWN_ON_IDLE = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 2, "interval_start": 0.2, "interval_step": 0.3}
CELERY_TIMEZONE = TIME_ZONE
CELERY_BEAT_SCHEDULER = "celery.beat:PersistentScheduler"  # a file: one in the database would be polled
CELERY_BEAT_SCHEDULE = {
    "queue-latency": {
        "task": "runtime.queues.report_latency",
        "schedule": 300.0,
        "options": {"expires": 240},
    }
}

# Python's own warnings become log lines as well.
logging.captureWarnings(not DEBUG)
LOGGING = logs.configuration(json_lines=not DEBUG, level=env.optional("DJANGO_LOG_LEVEL", "INFO"))
env.refuse_missing()
