"""``changepassword``: an operator's other password ends what the old one opened (docs/commands.md)."""

import getpass
import io
import sys

import pytest

from provisioning.models import AuditEntry, LoginAccount, PasswordMail, PortalSession, User
from tests.commandline import manage
from tests.factories import PASSWORD, make_admin, make_person, make_subscription
from tests.provisioning.test_sign_ins import session_of

NEW = "a passphrase that nobody knows"
BOB, ROOT = "bob@contoso.example", "root@contoso.example"
pytestmark = pytest.mark.django_db(transaction=True)


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def people():
    """Bob, who is signed in and has a link in the mail, beside another admin, who is signed in, too."""
    subscription = make_subscription("Contoso")
    bob = make_person(subscription, BOB, role=LoginAccount.Role.ACCESS_ADMIN)
    for user in (bob.user, make_admin(subscription, ROOT).user):
        session_of(user)


@pytest.fixture
def run(capsys, monkeypatch, people):
    def go(name, line, *words, stdin=io.StringIO):
        monkeypatch.setattr(sys, "stdin", stdin(f"{line}\n"))
        return manage(capsys, "changepassword", name, *words)

    return go


def has_password(name, password):
    return User.objects.get(email=name).check_password(password)


def test_it_ends_sessions_and_links_and_is_recorded(run):
    answer = run("Bob@Contoso.example", NEW, "--json")

    assert answer.document == {"user": BOB}
    assert has_password(BOB, NEW)
    assert PortalSession.objects.get().user.email == ROOT
    assert not PasswordMail.objects.exists()
    act = AuditEntry.objects.get(action="change password")
    assert (act.actor_name, act.target) == ("manage.py changepassword", BOB)
    assert NEW not in answer.out + answer.err + str(act.changes)


@pytest.mark.parametrize(
    ("name", "line", "sentence"),
    [
        ("nobody", NEW, "Nobody signs in as “nobody”."),
        (BOB, "short", "at least 12 characters"),
        (BOB, "", "at least 12 characters"),
        (BOB, BOB, "too similar"),
    ],
)
def test_what_is_refused_changes_nothing(run, name, line, sentence):
    answer = run(name, line)

    assert answer.code == 1
    assert sentence in answer.err
    assert not User.objects.get(email=BOB).has_usable_password()
    assert (PortalSession.objects.count(), PasswordMail.objects.count()) == (2, 1)


def test_a_dry_run_changes_nothing(run):
    assert run(ROOT, NEW, "--dry-run").code == 0

    assert has_password(ROOT, PASSWORD)
    assert PortalSession.objects.count() == 2


@pytest.mark.parametrize(("again", "code"), [(NEW, 0), ("something else", 1)])
def test_at_a_terminal_it_asks_twice_and_shows_nothing(run, monkeypatch, again, code):
    typed = iter([NEW, again])
    monkeypatch.setattr(getpass, "getpass", lambda _prompt: next(typed))

    assert run(BOB, "never read", stdin=Terminal).code == code

    assert has_password(BOB, NEW) == (code == 0)
