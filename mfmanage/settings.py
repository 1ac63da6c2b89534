"""Django's settings, for both ways to run: embedded (nothing set), and production (on PostgreSQL)."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from celery.schedules import crontab
from csp.constants import NONE, SELF

from mfmanage import env, logs

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = Path(env.text("DATA_DIR", str(BASE_DIR / "var"))).resolve()
DATABASE = env.database(f"sqlite:///{DATA_DIR / 'mfmanage.sqlite3'}")
EMBEDDED = DATABASE["ENGINE"] == "django.db.backends.sqlite3"
"""Embedded: SQLite, an in-process queue, one machine; else PostgreSQL, Redis and any number of processes."""
REDIS_URL = env.text("REDIS_URL", "")

BASE_URL = env.address("BASE_URL", "http://127.0.0.1:8000")
"""The address by which browsers and identity providers reach this installation, without a trailing slash."""
SECURE = BASE_URL.startswith("https://")
DEBUG = env.flag("DEBUG", default=False)
SECRET_KEY = env.secret("SECRET_KEY", data_dir=DATA_DIR, embedded=EMBEDDED)
PEPPER = env.secret("PEPPER", data_dir=DATA_DIR, embedded=EMBEDDED)
"""Keys the digests of client secrets (docs/security.md); kept outside the database."""
PREVIOUS_PEPPERS = env.former_secrets("PEPPER_PREVIOUS")
"""Peppers that were replaced: secrets whose digests they key still open, and get a new digest when they are used."""
VAULT_AGENT_TOKEN = env.secret("VAULT_AGENT_TOKEN", data_dir=DATA_DIR, embedded=EMBEDDED)
"""The bearer token that vault agents of this installation accept (docs/vault-agent.md)."""
VAULT_AGENT_TLS = env.tls("VAULT_AGENT")
"""How vault agents are called by TLS, with a client certificate perhaps; None: by the system's authorities."""
VAULT_AGENT_HOSTS = env.words("VAULT_AGENT_HOSTS", "*" if EMBEDDED else "")
"""The hosts, perhaps with a port, whose vault agents admins may register vaults of; ``*`` allows all."""
ENTRA_AUTHORITY = env.address("ENTRA_AUTHORITY", "https://login.microsoftonline.com")
"""Where the keys of Microsoft Entra's tenants are read: another address in a national cloud."""
ISSUER_HOSTS = env.words("ISSUER_HOSTS", "*" if EMBEDDED else urlsplit(ENTRA_AUTHORITY).netloc)
"""The hosts, perhaps with a port, whose tokens admins may let in; ``*`` allows all."""
TRUSTED_PROXIES = env.number("TRUSTED_PROXIES", 0, least=0)
"""How many proxies stand in front, each of which adds who called it to ``X-Forwarded-For``."""
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", f"{urlsplit(BASE_URL).hostname},127.0.0.1,localhost")

INSTALLED_APPS = [
    "mfmanage",
    "licensing",
    "scim",
    "provisioning",
    "oauth2_provider",
    "rest_framework",
    "django_htmx",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "csp",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
]
MIDDLEWARE = [
    "mfmanage.proxies.ClientAddressMiddleware",
    "provisioning.middleware.RequestIdMiddleware",
    "provisioning.middleware.ScopeMiddleware",
    "scim.middleware.ScimErrorMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "mfmanage.middleware.MachineMiddleware",
    "mfmanage.middleware.PageHeadersMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "mfmanage.middleware.BodySizeMiddleware",
]
ROOT_URLCONF = "mfmanage.urls"
WSGI_APPLICATION = "mfmanage.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
TEMPLATES: list[dict[str, Any]] = [
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

UNSCOPED = ""
"""The scope of a thread that has entered none (``provisioning.tenancy``): nobody's rows."""

# The database. SQLite takes its write lock at BEGIN, so that two writers wait for each other instead of failing.
# PostgreSQL gets parameters apart from statements, plans a statement once per connection, and does not compile it:
# where it expects many rows and finds few, as for what is due, that takes seconds and saves nothing. What stands in the
# address of the database (docs/settings.md) counts more.
if EMBEDDED:
    DATABASE["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
else:
    DATABASE["OPTIONS"] = {
        "server_side_binding": True,
        "prepare_threshold": 2,
        "options": "-c jit=off",
        **DATABASE.get("OPTIONS", {}),
        "pool": {"min_size": 1, "max_size": 8, "timeout": 10},
    }
DATABASES = {"default": DATABASE}

CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}
    if REDIS_URL
    else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
}

# Signing in (docs/decisions/0004-sign-in-by-django-allauth.md).
AUTH_USER_MODEL = "provisioning.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "provisioning.passwords.ContextWordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "start"
ACCOUNT_ADAPTER = "provisioning.sign_in.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_REAUTHENTICATION_TIMEOUT = 300
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_FORMS = {"reset_password": "provisioning.sign_in_forms.ForgottenForm"}
ACCOUNT_RATE_LIMITS = {"reset_password": "20/m/ip,5/h/key", "change_password": "5/5m/user"}
# A second factor (decision 23). A code counts for its half minute and the ones before and after, once.
MFA_ADAPTER = "provisioning.factors.FactorAdapter"
MFA_FORMS = {
    "activate_totp": "provisioning.sign_in_forms.ActivateForm",
    "authenticate": "provisioning.sign_in_forms.CodeForm",
    "reauthenticate": "provisioning.sign_in_forms.CodeAgainForm",
}
MFA_TOTP_ISSUER = "mfmanage"
MFA_TOTP_TOLERANCE = 1
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_ALLOW_UNVERIFIED_EMAIL = True
# Our own pages ask for a recent sign-in, by whichever way the person came in.
MFA_REAUTHENTICATION_REQUIRED = False

# Over https, a cookie whose name begins so can be set by this host alone, and is sent to no other (RFC 6265bis §4.1.3).
_COOKIES = "__Host-" if SECURE else ""
SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = f"{_COOKIES}sessionid", f"{_COOKIES}csrftoken"
MESSAGE_COOKIE_NAME, THEME_COOKIE_NAME = f"{_COOKIES}messages", f"{_COOKIES}theme"
SIGN_ON_COOKIE_NAME = f"{_COOKIES}sign_on"
MESSAGE_STORAGE = "mfmanage.messages.Storage"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_ENGINE = "provisioning.session_store"
SESSION_COOKIE_AGE = 12 * 60 * 60
CSRF_TRUSTED_ORIGINS = [BASE_URL]
SECURE_SSL_REDIRECT = SECURE
# Machines are refused over plain http instead of led on: nobody would notice that their secrets travel in clear.
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^oauth/", r"^scim/"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60 if SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = SECURE
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "object-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    },
}

# The token endpoint and SCIM.
OAUTH2_PROVIDER_APPLICATION_MODEL = "oauth2_provider.Application"
OAUTH2_PROVIDER = {
    "OAUTH2_SERVER_CLASS": "provisioning.oauth.server.ClientCredentialsServer",
    "OAUTH2_VALIDATOR_CLASS": "provisioning.oauth.validator.ClientCredentialsValidator",
    "ACCESS_TOKEN_EXPIRE_SECONDS": 3600,
    "SCOPES": {"scim": "Provision users and groups"},
    "DEFAULT_SCOPES": ["scim"],
    "COMPLIANT_BCP_RFC9700_IMPLICIT_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PASSWORD_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PKCE_METHOD": True,
    "COMPLIANT_BCP_RFC9700_ACCESS_TOKEN_TRANSPORT": True,
    "COMPLIANT_BCP_RFC9700_AUTHZ_RESPONSE_ISS": True,
    "COMPLIANT_BCP_RFC9700_TOKEN_STORAGE": True,
    "COMPLIANT_BCP_RFC9700_REFRESH_TOKEN": True,
    "COMPLIANT_BCP_RFC9700_REDIRECT_URI_SCHEME": True,
    "COMPLIANT_BCP_RFC9700_REDIRECT_URI_MATCHING": True,
    "COMPLIANT_BCP_RFC9700_PKCE_REQUIRED": True,
    "REFRESH_TOKEN_REUSE_PROTECTION": True,
    "ALLOWED_REDIRECT_URI_SCHEMES": ["https"],
}
REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
    "UNAUTHENTICATED_USER": None,
    "UNAUTHENTICATED_TOKEN": None,
}
TOKEN_FAILURES = env.number("TOKEN_FAILURES", 20, least=0)
"""How many attempts at the token endpoint may fail in a minute, for an address and for a client ID; 0: any number."""
SCIM_RATE = env.number("SCIM_RATE", 100, least=0)
SCIM_BURST = env.number("SCIM_BURST", 400, least=1)
CALL_COUNT_SECONDS = 10
"""Requests a second of one configuration, and how many at once after a rest (``scim.rates``)."""
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024

# Celery. No result backend: what is due stands in the database (docs/architecture.md).
# Celery has its own spelling of a Unix socket (unix:///path?db=1).
CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://").replace("?db=", "?virtual_host=") or "memory://"
WORKER_SLOTS = env.number("WORKER_SLOTS", 2 if REDIS_URL else 4, least=1)
"""How many tasks all workers together run at a time; slow vaults have half of them (decision 20)."""
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_SERIALIZER = "json"
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0, "interval_step": 0.1, "interval_max": 0.1}
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "socket_timeout": 2,
    "socket_connect_timeout": 2,
    "visibility_timeout": 3600,
    # By default kombu tries for six seconds to connect, whatever the publish policy says.
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0,
    "interval_max": 0,
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# What is lost on the way to a worker is found by this; a sweep that waited too long in the queue is worth nothing.
CELERY_BEAT_SCHEDULE = {
    "sweep": {"task": "licensing.sweep", "schedule": 30, "options": {"expires": 30}},
    # Days end on quarters of an hour in all time zones.
    "history": {"task": "licensing.history", "schedule": crontab(minute="*/15"), "options": {"expires": 900}},
    "alerts": {"task": "licensing.alerts", "schedule": 60, "options": {"expires": 60}},
    "secrets": {"task": "provisioning.secrets", "schedule": crontab(minute="*/10"), "options": {"expires": 600}},
    "imports": {"task": "provisioning.imports", "schedule": 30, "options": {"expires": 30}},
    "prune": {"task": "provisioning.prune", "schedule": crontab(hour="3", minute="17")},
    "audit": {"task": "provisioning.audit", "schedule": crontab(hour="2", minute="41")},
}
LOG_RETENTION = env.duration("LOG_RETENTION", "90d")
"""How long the provisioning log keeps a call."""
AUDIT_HEADS = Path(env.text("AUDIT_HEADS", str(DATA_DIR / "audit-heads" / "heads.jsonl")))
"""The file that gets the end of every audit log once a day (docs/audit.md)."""

LANGUAGE_CODE = "en"
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"
STATIC_URL = "static/"
STATIC_ROOT = None if EMBEDDED else DATA_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "mfmanage" / "static"]
# Production serves what collectstatic gathered, compressed and under hashed names; embedded serves the sources.
_STATICFILES = (
    "django.contrib.staticfiles.storage.StaticFilesStorage"
    if EMBEDDED
    else "whitenoise.storage.CompressedManifestStaticFilesStorage"
)
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": _STATICFILES},
}
WHITENOISE_USE_FINDERS = EMBEDDED
WHITENOISE_ALLOW_ALL_ORIGINS = False
# Mail, until the operator names a server: files beside the database of an embedded installation, and else none.
globals().update(env.mail(f"file:{DATA_DIR / 'mail'}" if EMBEDDED else "off"))
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.sender("MAIL_FROM", f"mfmanage <noreply@{urlsplit(BASE_URL).hostname}>")

SECURITY_CONTACT = env.contact("SECURITY_CONTACT")
"""Where to report what is found, in ``/.well-known/security.txt``; empty: there is no such page."""
LOG_LEVEL = env.text("LOG_LEVEL", "WARNING" if EMBEDDED else "INFO").upper()
LOGGING = logs.configure(level=LOG_LEVEL, as_json=not EMBEDDED)
