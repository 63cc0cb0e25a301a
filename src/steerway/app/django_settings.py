"""Django's settings, derived from ours."""

from pathlib import Path

from steerway.platform import settings as steerway_settings
from steerway.platform.db import django_database
from steerway.platform.keys import secret_key

STEERWAY = steerway_settings.load()
AREAS = ["platform", "telemetry", "planning", "delivery", "control"]
SRC = Path(__file__).parent.parent

SECRET_KEY = secret_key(STEERWAY.home)
DEBUG = False
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
USE_I18N = False
ALLOWED_HOSTS = [STEERWAY.address, "localhost", "127.0.0.1", "[::1]", "testserver", *STEERWAY.hosts]
ROOT_URLCONF = "steerway.app.urls"
DATABASES = {"default": django_database(STEERWAY.database_url, STEERWAY.home / "records.db")}
MIGRATION_MODULES = {area: f"steerway.app.migrations.{area}" for area in AREAS}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "platform.User"

INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    *(f"steerway.{area}" for area in AREAS),
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [SRC / "platform" / "web" / "templates", *sorted(SRC.glob("*/*/templates"))],
        "OPTIONS": {
            "libraries": {"ui": "steerway.platform.web.ui"},
            "context_processors": [
                "steerway.app.shell.shell",
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]

STATIC_URL = "/static/"
STATICFILES_DIRS = [SRC / "platform" / "web" / "static"]
WHITENOISE_USE_FINDERS = True

PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"
LOGGING_CONFIG = None
