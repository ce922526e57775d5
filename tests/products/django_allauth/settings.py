"""A site of nothing but django-allauth: what a test may vary comes from the environment.

Everything that is not set here is the product's default.
"""

import os

SECRET_KEY = "of-the-tests-only"
ALLOWED_HOSTS = ["127.0.0.1"]
ROOT_URLCONF = "urls"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "allauth",
    "allauth.account",
    "allauth.headless",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
    }
]
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ["SITE_DATABASE"],
        "OPTIONS": {  # wait for other writers; the database need not outlive the machine
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;",
        },
    }
}
CACHES = {  # where the product counts for its rate limits: one for all processes
    "default": {
        "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
        "LOCATION": os.environ["SITE_CACHE"],
    }
}
EMAIL_HOST, _, EMAIL_PORT = os.environ["SITE_MAIL"].rpartition(":")
DEFAULT_FROM_EMAIL = "site@example.com"

# --- the product -----------------------------------------------------------------------------

HEADLESS_ONLY = True
HEADLESS_FRONTEND_URLS = {"account_signup": "http://127.0.0.1/signup"}
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*"]  # sign-up by the e-mail address alone, without a password
ACCOUNT_EMAIL_VERIFICATION = "none"  # the first login by code verifies the address
ACCOUNT_LOGIN_BY_CODE_ENABLED = True
ACCOUNT_LOGIN_BY_CODE_SUPPORTS_RESEND = True
ACCOUNT_LOGIN_BY_CODE_TIMEOUT = int(os.environ.get("SITE_CODE_TIMEOUT", "180"))
if limit := os.environ.get("SITE_STARTS_LIMIT"):  # else the default, "20/m/ip,3/m/key"
    # A whole run comes from one address, in a minute or less.
    ACCOUNT_RATE_LIMITS = {"signup": None, "request_login_code": limit}
