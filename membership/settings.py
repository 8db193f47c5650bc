"""The one settings file. What differs between installations comes from the environment (environment.py)."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import dj_database_url
from django.utils.csp import CSP
from django.utils.translation import gettext_lazy as _

from membership import environment

ENV = environment.read()
ROOT = Path(__file__).resolve().parent.parent

VIP_MODE = ENV.vip_mode
VIP_DATA = ENV.vip_data if ENV.vip_data.is_absolute() else ROOT / ENV.vip_data
PORT = ENV.port
BASE_URL = ENV.base_url or f"http://localhost:{PORT}"
PROGRAMME_NAME = ENV.vip_programme_name
WEB_WORKERS = ENV.web_workers
PRODUCTION = VIP_MODE == "production"
DEBUG = False
VIP_DATA_IS_NEW = not VIP_DATA.exists()
VIP_DATA.mkdir(parents=True, exist_ok=True)  # SQLite, the queue and static files lie here


def _own_secret() -> str:
    """The demo's secret, made at first use and kept in VIP_DATA; production must name its own.

    Written beside and linked whole, so that of processes that start together none reads half a secret.
    """
    if VIP_MODE == "test":
        return "test-" * 12
    path = VIP_DATA / "secret_key"
    if not path.exists():
        draft = VIP_DATA / f"secret_key.{secrets.token_hex(8)}"
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(48), encoding="utf-8")
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(draft)
        draft.unlink()
    return path.read_text(encoding="utf-8")


SECRET_KEY = ENV.secret_key or _own_secret()


def _derived(purpose: str) -> str:
    """A secret for one purpose outside production, as hex, so that a demo needs no set-up."""
    return hmac.new(SECRET_KEY.encode(), purpose.encode(), hashlib.sha256).hexdigest()


# --- time ------------------------------------------------------------------------------------------------------------

USE_TZ = True
TIME_ZONE = "UTC"
VIP_CLOCK = ENV.vip_clock or ("membership.clock.demo" if VIP_MODE == "demo" else "membership.clock.wall")
VIP_HOME_ZONE = "Europe/Amsterdam"  # a new member's zone until the browser or the member says otherwise

# --- Stripe ----------------------------------------------------------------------------------------------------------

# Without a key of a real account, and never in production, the local Stripe answers.
LOCAL_STRIPE_INSTALLED = not PRODUCTION and ENV.stripe_secret_key is None
STRIPE_SECRET_KEY = ENV.stripe_secret_key or "sk_test_local"
STRIPE_WEBHOOK_SECRETS = [s.strip() for s in (ENV.stripe_webhook_secret or f"whsec_{_derived('webhook')}").split(",")]
LOCAL_STRIPE = {
    "CLOCK": "membership.clock.now",
    "URL": f"{BASE_URL}/stripe",
    "CHECK": VIP_MODE == "test",  # hold every answer and event against the SDK's types
}

# --- refunds (billing/refund_policy.py) -------------------------------------------------------------------------------

HOME_JURISDICTION = "EU"  # whose right to change one's mind counts where a member's country is unknown
HOUSE_REFUNDS = not PRODUCTION if ENV.vip_house_refunds is None else ENV.vip_house_refunds
GOODWILL_LIMIT = 5000  # minor units; above it a second person approves

# --- cards -----------------------------------------------------------------------------------------------------------

CARD_PRIVATE_KEY = bytes.fromhex(ENV.vip_card_key or _derived("card"))

# --- apps ------------------------------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "membership",
    "perks",
    "billing",
    *(["billing.emulator"] if LOCAL_STRIPE_INSTALLED else []),
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",  # a page of allauth.usersessions needs it
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "django_htmx",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "membership.api_lane.ApiLane",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "membership.middleware.private_pages",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "membership.middleware.language_and_zone",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "membership.middleware.sessions_seen",
    "django_htmx.middleware.HtmxMiddleware",
    "membership.middleware.refusals",
    "billing.middleware.bounded_wait",
]
ROOT_URLCONF = "membership.urls"
WSGI_APPLICATION = "membership.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "membership.context.programme",
            ],
            "builtins": ["django.templatetags.i18n", "django.templatetags.static"],
        },
    }
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- databases -------------------------------------------------------------------------------------------------------

SQLITE_OPTIONS = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
}


def _sqlite(name: str) -> dict[str, Any]:
    # Tests use a file too: databases in memory lock whole tables between threads, which the product never sees.
    # And each stands alone, so that tests of the local Stripe have its database only.
    test = {"NAME": str(VIP_DATA / f"test_{name}"), "DEPENDENCIES": []}
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": VIP_DATA / name,
        "OPTIONS": SQLITE_OPTIONS,
        "CONN_MAX_AGE": 600,  # opening the file and setting its pragmas takes 2 ms, ten times a perk check
        "TEST": test,
    }


def _database(url: str | None) -> dict[str, Any]:
    if url is None:
        return _sqlite("vip.sqlite3")
    parsed: dict[str, Any] = dict(dj_database_url.parse(url, conn_max_age=60, conn_health_checks=True))
    if parsed["ENGINE"].endswith("sqlite3"):
        return {"ENGINE": parsed["ENGINE"], "NAME": parsed["NAME"], "OPTIONS": SQLITE_OPTIONS}
    return parsed


DATABASES: dict[str, dict[str, Any]] = {"default": _database(ENV.database_url)}
DATABASE_ROUTERS = []
if LOCAL_STRIPE_INSTALLED:
    # A database of its own: the real Stripe does not roll back with our transaction either.
    DATABASES["local_stripe"] = _sqlite("local_stripe.sqlite3")
    DATABASES["local_stripe"]["TEST"]["MIGRATE"] = False  # three tables; migrated they cost as much as all others
    DATABASE_ROUTERS = ["billing.emulator.routers.LocalStripeRouter"]

# --- Celery: a doorbell; the rows are the truth ----------------------------------------------------------------------

WORK_LEASE = ENV.work_lease  # seconds a worker may keep a row before another takes it over
CELERY: dict[str, Any] = {
    "broker_url": ENV.redis_url or ("memory://localhost/" if VIP_MODE == "test" else "files://localhost/"),
    "broker_transport_options": (
        {
            "visibility_timeout": 300,
            "unacked_restore_throttle": 1,
            "socket_connect_timeout": 1,
            "socket_timeout": 5,
            # Whoever rings tries once: by itself Kombu tries for six seconds, and somebody waits for a page behind it.
            **dict.fromkeys(("max_retries", "interval_start", "interval_step", "interval_max"), 0),
        }
        if ENV.redis_url
        else {}
        if VIP_MODE == "test"
        else {
            "data_folder_in": str(VIP_DATA / "queue"),
            "data_folder_out": str(VIP_DATA / "queue"),
            "polling_interval": 0.1,
        }
    ),
    "broker_connection_retry_on_startup": True,
    # It keeps no file: one that a killed beat left behind cannot always be opened again, and nothing in it is missed.
    "beat_scheduler": "celery.beat:Scheduler",
    "task_serializer": "json",
    "accept_content": ["json"],
    "task_ignore_result": True,
    "task_acks_late": True,
    "task_reject_on_worker_lost": True,
    "worker_prefetch_multiplier": 1,
    # A task is over before its row's lease is: nobody else can have taken the row meanwhile.
    "task_soft_time_limit": WORK_LEASE * 2 // 3,
    "task_time_limit": WORK_LEASE - 1,
    "timezone": "UTC",
    "worker_hijack_root_logger": False,
    "worker_enable_remote_control": False,
}

# --- cache: only rate limits of allauth live here ---------------------------------------------------------------------

CACHES = {
    "default": {"BACKEND": "membership.cache.RedisOrOwnMemory", "LOCATION": ENV.redis_url}
    if ENV.redis_url
    else {"BACKEND": "django.core.cache.backends.filebased.FileBasedCache", "LOCATION": VIP_DATA / "cache"}
}

# --- accounts --------------------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "membership.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
if VIP_MODE == "test":
    PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # the real ones are slow by intent
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "portal"
# How many proxies of ours stand before us: so far back in X-Forwarded-For is the address that rate limits count.
ALLAUTH_TRUSTED_PROXY_COUNT = int(PRODUCTION) if ENV.trusted_proxies is None else ENV.trusted_proxies
ACCOUNT_ADAPTER = "membership.accounts.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_FORMS = {
    "signup": "membership.forms.SignupForm",
    "login": "membership.forms.LoginForm",
    "request_login_code": "membership.forms.RequestLoginCodeForm",
    "confirm_login_code": "membership.forms.ConfirmLoginCodeForm",
    "confirm_email_verification_code": "membership.forms.ConfirmEmailForm",
    "confirm_password_reset_code": "membership.forms.ConfirmResetForm",
    "reset_password": "membership.forms.ResetForm",
    "reset_password_from_key": "membership.forms.NewPasswordForm",
    "change_password": "membership.forms.ChangePasswordForm",
    "set_password": "membership.forms.SetPasswordForm",
    "reauthenticate": "membership.forms.ReauthenticateForm",
    "add_email": "membership.forms.ChangeEmailForm",
}
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
ACCOUNT_EMAIL_VERIFICATION_SUPPORTS_RESEND = True
ACCOUNT_LOGIN_BY_CODE_ENABLED = True
ACCOUNT_LOGIN_BY_CODE_SUPPORTS_RESEND = True
ACCOUNT_PASSWORD_RESET_BY_CODE_ENABLED = True
# In seconds; the mails say so. Long enough for a mail that is slow to come, and to look for it.
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_TIMEOUT = 15 * 60
ACCOUNT_LOGIN_BY_CODE_TIMEOUT = ACCOUNT_PASSWORD_RESET_BY_CODE_TIMEOUT = 10 * 60
ACCOUNT_PREVENT_ENUMERATION = True
# One mail in ten seconds would answer a second click with a refusal; membership.limits counts by the hour as well.
ACCOUNT_RATE_LIMITS = {"confirm_email": "5/m/key"}
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_LOGOUT_REDIRECT_URL = "home"
ACCOUNT_CHANGE_EMAIL = True  # one address an account; a new one counts once its code is entered
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
MFA_FORMS = {
    "authenticate": "membership.forms.SecondStepForm",
    "reauthenticate": "membership.forms.SecondStepAgainForm",
    "activate_totp": "membership.forms.ActivateAppForm",
    "add_webauthn": "membership.forms.PasskeyForm",
    "edit_webauthn": "membership.forms.RenamePasskeyForm",
}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = PROGRAMME_NAME
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not PRODUCTION  # localhost speaks http
CONSOLE_SECOND_FACTOR = VIP_MODE != "demo"  # staff prove more than a password (membership/console/access.py)

# --- mail: every mail is a Message row; this is only the last step ------------------------------------------------

DEFAULT_FROM_EMAIL = ENV.email_from


def _mailer(url: str | None) -> dict[str, Any]:
    """smtp://user:password@host:587 (or smtps://…:465) as Django's MAILERS wants it; without one, nothing leaves."""
    if url is None:
        return {"BACKEND": "django.core.mail.backends.dummy.EmailBackend"}
    parts = urlsplit(url)
    options = {
        "host": parts.hostname,
        "port": parts.port or (465 if parts.scheme == "smtps" else 587),
        "username": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
        "use_ssl": parts.scheme == "smtps",
        "use_tls": parts.scheme == "smtp",
        "timeout": 10,
    }
    return {"BACKEND": "django.core.mail.backends.smtp.EmailBackend", "OPTIONS": options}


MAILERS = {"default": _mailer(ENV.email_url)}

# --- languages -------------------------------------------------------------------------------------------------------

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("de", _("German"))]
LOCALE_PATHS = [ROOT / "membership" / "locale"]
LANGUAGE_COOKIE_NAME = "vip_language"

# --- static files ----------------------------------------------------------------------------------------------------

STATIC_URL = "/static/"
STATIC_ROOT = VIP_DATA / "static"
STATICFILES_DIRS: list[Path] = []
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if VIP_MODE != "test"
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = VIP_MODE == "test"

# --- the door --------------------------------------------------------------------------------------------------------

_host = BASE_URL.split("://", 1)[1].split(":")[0].split("/")[0]
ALLOWED_HOSTS = [_host] if PRODUCTION else ["localhost", "127.0.0.1", "[::1]", "testserver", _host]
CSRF_TRUSTED_ORIGINS = [BASE_URL]
CSRF_FAILURE_VIEW = "membership.views.errors.csrf_failure"
SECURE_CSP = {
    "default-src": [CSP.NONE],
    "script-src": [CSP.SELF],
    "style-src": [CSP.SELF],
    "img-src": [CSP.SELF, "data:"],
    "font-src": [CSP.SELF],
    "connect-src": [CSP.SELF],
    "manifest-src": [CSP.SELF],
    "frame-src": [CSP.SELF],
    "form-action": [CSP.SELF, "https://checkout.stripe.com", "https://billing.stripe.com"],
    "base-uri": [CSP.NONE],
    "frame-ancestors": [CSP.NONE],
}
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_SSL_REDIRECT = PRODUCTION
SECURE_REDIRECT_EXEMPT = [r"^healthz$"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if PRODUCTION else None
SECURE_HSTS_SECONDS = 31_536_000 if PRODUCTION else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = PRODUCTION
SECURE_HSTS_PRELOAD = PRODUCTION
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = PRODUCTION
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = 60 * 60 * 24 * 30
# Cookies ignore ports: two demos on one machine would log each other out under one name.
SESSION_COOKIE_NAME = "__Host-session" if PRODUCTION else f"vip_session_{PORT}"
CSRF_COOKIE_NAME = "__Host-csrf" if PRODUCTION else f"vip_csrf_{PORT}"
DATA_UPLOAD_MAX_MEMORY_SIZE = 512 * 1024
CONCIERGE_FILE_LIMIT = 5 * 1024 * 1024  # bytes of a file that a member sends (perks/concierge/files.py)
# Files come through memory and no other way: what is larger is dropped as it comes, and fills no disk.
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.MemoryFileUploadHandler"]
FILE_UPLOAD_MAX_MEMORY_SIZE = CONCIERGE_FILE_LIMIT + 256 * 1024

# --- logs ------------------------------------------------------------------------------------------------------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(levelname)s %(name)s: %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {
        "vip": {"level": "INFO"},
        "vip.audit": {"level": "INFO" if PRODUCTION else "WARNING"},  # seals are for logs that are kept
    },
}
