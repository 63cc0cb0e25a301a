"""Django's settings, derived from ours."""

from pathlib import Path
from urllib.parse import urlsplit

from steerway.platform import settings as steerway_settings
from steerway.platform.db import django_database
from steerway.platform.keys import node_of, secret_key

STEERWAY = steerway_settings.load()
AREAS = ["platform", "telemetry", "planning", "delivery", "control"]
SRC = Path(__file__).parent.parent

SECRET_KEY = secret_key(STEERWAY.home)
DEBUG = False
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
USE_I18N = False
PUBLIC_HOST = urlsplit(STEERWAY.public_url).hostname or "localhost"
ALLOWED_HOSTS = [
    *(STEERWAY.address, "localhost", "127.0.0.1", "[::1]"),
    *(PUBLIC_HOST, *STEERWAY.hosts),
]
ROOT_URLCONF = "steerway.app.urls"
DATABASES = {"default": django_database(STEERWAY.database_url, STEERWAY.home / "records.db")}
MIGRATION_MODULES = {area: f"steerway.app.migrations.{area}" for area in AREAS}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "platform.User"

# People may also come from the team's identity provider.
SINGLE_SIGN_ON = bool(STEERWAY.oidc_issuer)
HTTPS = STEERWAY.public_url.startswith("https://")

INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    # Installed whether used or not, so that the tables do not depend on a setting.
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    *(f"steerway.{area}" for area in AREAS),
]

MIDDLEWARE = [
    "steerway.platform.web.middleware.HeadersMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "steerway.platform.identity.middleware.WorkMiddleware",
    "steerway.app.api.Problems",
    "steerway.platform.web.failures.Failures",
    "steerway.platform.identity.middleware.CsrfMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [SRC / "platform" / "web" / "templates", *sorted(SRC.glob("*/*/templates"))],
        "OPTIONS": {
            "libraries": {
                "ui": "steerway.platform.web.ui",
                "identity": "steerway.platform.identity.tags",
            },
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
STATICFILES_DIRS = [
    SRC / "platform" / "web" / "static",
    SRC / "platform" / "identity" / "static",
]
WHITENOISE_USE_FINDERS = True
# Files may change under a running server: by an upgrade, or in an editable install. One whose
# size was remembered from before would be cut off.
WHITENOISE_AUTOREFRESH = True

# Who asks and what they may do: platform/identity/middleware.py.
STEERWAY_GRANTS = "steerway.app.permissions.PERMISSIONS"
STEERWAY_NODE = node_of(STEERWAY)
STEERWAY_STARTER = "steerway.app.waking.ring"
STEERWAY_TRAFFIC = "steerway.app.watching.TRAFFIC"
STEERWAY_BOARD = "steerway.app.watching.BOARD"
# API addresses that answer without a sign-in: asking for one.
STEERWAY_OPEN = {"/api/device", "/api/device/token"}
# Checking a password takes long on purpose; writers must not wait for it.
STEERWAY_NO_TRANSACTION = {
    "/account/login",
    "/account/reauthenticate",
    "/account/2fa/webauthn/login",
}

# Sign-in. allauth is bent to our rules in platform/identity/signin.py.
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = ["steerway.platform.identity.hashing.SmallArgon2"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "/account/login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "steerway.platform.identity.signin.AccountAdapter"
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if HTTPS else "http"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_REAUTHENTICATION_TIMEOUT = 900
ACCOUNT_LOGOUT_REDIRECT_URL = LOGIN_URL
# Five wrong passwords for one name within five minutes, ten from one address within one.
ACCOUNT_RATE_LIMITS = {"login_failed": "10/m/ip,5/300s/key", "login": "30/m/ip"}
MFA_ADAPTER = "steerway.platform.identity.signin.MfaAdapter"
MFA_FORMS = {
    "authenticate": "steerway.platform.identity.signin.CodeForm",
    "reauthenticate": "steerway.platform.identity.signin.CodeAgainForm",
    "login_webauthn": "steerway.platform.identity.signin.PasskeyLoginForm",
    "authenticate_webauthn": "steerway.platform.identity.signin.PasskeyStepForm",
    "reauthenticate_webauthn": "steerway.platform.identity.signin.PasskeyAgainForm",
    "add_webauthn": "steerway.platform.identity.signin.PasskeyAddForm",
}
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "Steerway"
MFA_TOTP_TOLERANCE = 1
# Browsers themselves allow passkeys without https on localhost only.
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not HTTPS
SOCIALACCOUNT_ADAPTER = "steerway.platform.identity.signin.SocialAdapter"
SOCIALACCOUNT_AUTO_SIGNUP = True
# A link, not a form: the policy keeps forms from leading elsewhere, and redirects count.
SOCIALACCOUNT_LOGIN_ON_GET = True
SOCIALACCOUNT_PROVIDERS = {
    "openid_connect": {
        "OAUTH_PKCE_ENABLED": True,
        "APPS": [
            {
                "provider_id": "sso",
                "name": "single sign-on",
                "client_id": STEERWAY.oidc_client_id,
                "secret": STEERWAY.oidc_client_secret,
                "settings": {"server_url": STEERWAY.oidc_issuer},
            }
        ]
        if SINGLE_SIGN_ON
        else [],
    }
}

# One server is one process: counts of tries in its memory hold for all its requests.
# So many that nobody can push out the count of their own tries with others.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    }
}

# Browsers take a cookie of this name from this very host alone: no neighbour under the same
# domain can put a session or a form token of its own in its place.
HOST_ONLY = "__Host-" if HTTPS else ""
SESSION_COOKIE_NAME = f"{HOST_ONLY}steerway"
SESSION_COOKIE_AGE = 12 * 3600  # without a request; the middleware extends it
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = HTTPS
CSRF_FAILURE_VIEW = "steerway.platform.web.failures.csrf"
CSRF_COOKIE_NAME = f"{HOST_ONLY}steerway-csrf"
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SECURE = HTTPS
CSRF_TRUSTED_ORIGINS = [STEERWAY.public_url] if HTTPS else []
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
DATA_UPLOAD_MAX_MEMORY_SIZE = 16 * 1024 * 1024
LOGGING_CONFIG = None
