"""Messages stand in a cookie of the installation's own name, so that it has the prefix of the others."""

from django.conf import settings
from django.contrib.messages.storage.cookie import CookieStorage
from django.contrib.messages.storage.fallback import FallbackStorage
from django.contrib.messages.storage.session import SessionStorage


class NamedCookieStorage(CookieStorage):
    cookie_name = settings.MESSAGE_COOKIE_NAME


class Storage(FallbackStorage):
    """A cookie, or the session for what does not fit into it."""

    storage_classes = (NamedCookieStorage, SessionStorage)
