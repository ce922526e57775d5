"""A site of nothing but drfpasswordless: what a test may vary comes from the environment.

Everything that is not set here is the product's default.
"""

import os

SECRET_KEY = "of-the-tests-only"
ALLOWED_HOSTS = ["127.0.0.1"]
ROOT_URLCONF = "drfpasswordless.urls"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "rest_framework",
    "rest_framework.authtoken",
    "drfpasswordless",
    "accounts",
]
AUTH_USER_MODEL = "accounts.User"  # users by their address, as the product wants them
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ["SITE_DATABASE"],
        "OPTIONS": {  # wait for other writers; the database need not outlive the machine
            "timeout": 20,
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;",
        },
    }
}
EMAIL_HOST, _, EMAIL_PORT = os.environ["SITE_MAIL"].rpartition(":")
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ("rest_framework.authentication.TokenAuthentication",)
}

# --- the product -----------------------------------------------------------------------------

PASSWORDLESS_AUTH = {
    "PASSWORDLESS_AUTH_TYPES": ["EMAIL"],
    "PASSWORDLESS_EMAIL_NOREPLY_ADDRESS": "site@example.com",
    "PASSWORDLESS_TOKEN_EXPIRE_TIME": int(os.environ.get("SITE_CODE_TIMEOUT", "900")),
}
