"""How mail goes out: the environment names it, and a real server gets it."""

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import get_connection, send_mail
from django.core.management import call_command

from mfmanage import env
from tests.mailserver import MailServer

SMTP = "django.core.mail.backends.smtp.EmailBackend"


@pytest.fixture
def mail(monkeypatch):
    """Read a value of ``MFMANAGE_MAIL``."""

    def read(value):
        monkeypatch.setenv("MFMANAGE_MAIL", value)
        return env.mail("off")

    return read


@pytest.mark.parametrize(
    ("value", "host", "port", "security"),
    [
        ("smtp://mail.example.com", "mail.example.com", 25, (None, None)),
        ("smtp+tls://mail.example.com", "mail.example.com", 587, (True, None)),
        ("smtp+ssl://mail.example.com:4650", "mail.example.com", 4650, (None, True)),
    ],
)
def test_an_address_names_a_mail_server(mail, value, host, port, security):
    read = mail(value)

    assert read["EMAIL_BACKEND"] == SMTP
    assert (read["EMAIL_HOST"], read["EMAIL_PORT"]) == (host, port)
    assert (read.get("EMAIL_USE_TLS"), read.get("EMAIL_USE_SSL")) == security


@pytest.mark.parametrize(
    ("value", "backend"), [("off", "dummy"), ("console", "console"), ("file:/var/mail out", "filebased")]
)
def test_a_word_names_another_way(mail, value, backend):
    assert mail(value)["EMAIL_BACKEND"] == f"django.core.mail.backends.{backend}.EmailBackend"


def test_a_folder_is_taken_as_it_is_written(mail):
    assert mail("file:/var/mail+out%20")["EMAIL_FILE_PATH"] == "/var/mail+out%20"


@pytest.mark.parametrize(
    "value",
    ["", "on", "smtp", "smtp://", "smtp://:25", "file:mail", "https://mail.example.com", "memorymail://x", "a:b"],
)
def test_another_value_is_refused_by_name(mail, value):
    with pytest.raises(ImproperlyConfigured, match=r"^MFMANAGE_MAIL must be off, console, file:/FOLDER, or like smtp"):
        mail(value)


@pytest.mark.parametrize("value", ["smtp://me:hunter2@mail.example.com:many", "smtp://me:hunter2/3@mail.example.com"])
def test_a_password_is_never_told(mail, value):
    with pytest.raises(ImproperlyConfigured, match=r"^MFMANAGE_MAIL must be off") as refusal:
        mail(value)
    assert "hunter" not in str(refusal.value)


def test_the_sender_is_an_address(monkeypatch):
    assert env.sender("MAIL_FROM", "mfmanage <noreply@127.0.0.1>") == "mfmanage <noreply@127.0.0.1>"
    monkeypatch.setenv("MFMANAGE_MAIL_FROM", "Licenses <noreply@example.com>")
    assert env.sender("MAIL_FROM", "x@y") == "Licenses <noreply@example.com>"


@pytest.mark.parametrize("value", ["nobody", "@example.com", "a@", "a@b\nBcc: c@d"])
def test_another_sender_is_refused_by_name(monkeypatch, value):
    monkeypatch.setenv("MFMANAGE_MAIL_FROM", value)

    with pytest.raises(ImproperlyConfigured, match=r"^MFMANAGE_MAIL_FROM must be like Licenses <noreply@example.com>"):
        env.sender("MAIL_FROM", "x@y")


def connect(mail, server):
    """Return a connection made of the settings that name ``server``, user and password with them."""
    read = mail(f"smtp://me%40example.com:a%2Fb@127.0.0.1:{server.port}")
    return get_connection(
        read["EMAIL_BACKEND"],
        host=read["EMAIL_HOST"],
        port=read["EMAIL_PORT"],
        username=read["EMAIL_HOST_USER"],
        password=read["EMAIL_HOST_PASSWORD"],
    )


def test_a_server_that_is_named_gets_the_mail_after_signing_in(mail):
    with MailServer() as server:
        send_mail("Hello", "Ångström", "a@contoso.example", ["b@contoso.example"], connection=connect(mail, server))

    (got,) = server.mails
    assert (got.sender, got.recipients) == ("a@contoso.example", ["b@contoso.example"])
    assert got.message["Subject"] == "Hello"
    assert got.message.get_content().strip() == "Ångström"
    assert server.signed_in == [("me@example.com", "a/b")]


def test_an_operator_tries_the_server_from_the_command_line(settings):
    with MailServer() as server:
        settings.EMAIL_BACKEND, settings.EMAIL_HOST, settings.EMAIL_PORT = SMTP, "127.0.0.1", server.port
        call_command("sendtestemail", "ops@contoso.example")

    assert [mail.recipients for mail in server.mails] == [["ops@contoso.example"]]
