"""Client secrets: how they look, the digest that is stored, and a new pepper that ends none of them."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings as installation
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from provisioning.models import ClientSecret
from provisioning.services import peppers, rotation, secrets
from provisioning.services.refusals import record_refused_secret
from tests.factories import ACTOR, NOON, make_configuration, make_credentials

SECRET = secrets.make_secret()
NEW_PEPPER = "a new pepper of more than thirty-two characters"


def test_the_pattern_of_leak_scanners_finds_every_secret_and_token_in_a_text():
    for prefix in ("mfms_", "mfmt_"):
        for secret in (secrets.make_secret(prefix) for _ in range(200)):
            for text in (
                secret,
                f'{{"client_secret": "{secret}"}}',
                f"id={secret}&x=1",
                f"\n{secret}\n",
                f"({secret}).",
            ):
                assert re.search(secrets.PATTERN, text)[0] == secret
            assert secrets.is_well_formed(secret)


def test_the_pattern_stands_in_the_documentation():
    page = (Path(installation.BASE_DIR) / "docs" / "security.md").read_text(encoding="utf-8")

    assert secrets.PATTERN in page


@given(st.data())
def test_a_secret_with_one_character_changed_is_known_as_none(data):
    at = data.draw(st.integers(len(secrets.PREFIX), len(SECRET) - 1))
    other = data.draw(st.sampled_from("0aZ_-").filter(lambda one: one != SECRET[at]))

    assert not secrets.is_well_formed(SECRET[:at] + other + SECRET[at + 1 :])


@given(st.text(max_size=80))
def test_no_text_makes_the_check_fail(text):
    assert not secrets.is_well_formed(text)


def ask(credentials, secret=""):
    form = {
        "grant_type": "client_credentials",
        "client_id": credentials.configuration.client_id,
        "client_secret": secret or credentials.client_secret,
    }
    return Client().post("/oauth/token", form).status_code


@pytest.fixture
def credentials(db):
    return make_credentials(at=timezone.now())


@pytest.fixture
def new_pepper(credentials, settings):
    """The pepper is changed after a secret was made."""
    settings.PREVIOUS_PEPPERS = [settings.PEPPER]
    settings.PEPPER = NEW_PEPPER


@pytest.mark.usefixtures("new_pepper")
def test_a_secret_survives_a_new_pepper_and_gets_a_digest_under_it_when_it_is_used(credentials, settings):
    before = ClientSecret.objects.get()

    assert ask(credentials) == 200

    after = ClientSecret.objects.get()
    assert (after.digest, after.pepper_version) == (
        peppers.digest(credentials.client_secret),
        peppers.current_version(),
    )
    assert after.digest != before.digest
    settings.PREVIOUS_PEPPERS = []
    assert ask(credentials) == 200, "the old pepper is needed no more"


@pytest.mark.usefixtures("new_pepper")
def test_the_new_digest_costs_no_statement_more(credentials, django_assert_num_queries):
    ask(credentials)
    with django_assert_num_queries(5):
        ask(credentials)
    ClientSecret.objects.update(digest=peppers.digests(credentials.client_secret)[_old_version()], pepper_version="")

    with django_assert_num_queries(5):
        assert ask(credentials) == 200
    assert ClientSecret.objects.get().pepper_version == peppers.current_version()


def _old_version():
    return next(version for version in peppers.digests("x") if version != peppers.current_version())


def test_a_pepper_that_is_simply_replaced_ends_every_secret(credentials, settings):
    settings.PEPPER = NEW_PEPPER

    assert ask(credentials) == 401


def test_a_row_older_than_versions_is_matched_under_any_pepper(credentials, settings):
    ClientSecret.objects.update(pepper_version="")
    assert ask(credentials) == 200

    ClientSecret.objects.update(pepper_version="", digest=peppers.digest(credentials.client_secret))
    settings.PREVIOUS_PEPPERS, settings.PEPPER = [settings.PEPPER], NEW_PEPPER
    assert ask(credentials) == 200


@pytest.mark.usefixtures("new_pepper")
def test_a_digest_counts_only_under_the_pepper_of_its_version(credentials):
    ClientSecret.objects.update(pepper_version=peppers.current_version())

    assert ask(credentials) == 401


@pytest.mark.usefixtures("new_pepper")
def test_a_revoked_secret_is_named_as_such_under_the_old_pepper_too(credentials):
    ClientSecret.objects.update(revoked_at=timezone.now())

    record_refused_secret(
        client_id=credentials.configuration.client_id, secret=credentials.client_secret, at=timezone.now()
    )

    credentials.configuration.refresh_from_db()
    assert credentials.configuration.refusal == "revoked_secret"


def test_the_version_tells_nothing_of_the_pepper():
    assert peppers.current_version() not in installation.PEPPER
    assert re.fullmatch("[0-9a-f]{16}", peppers.current_version())


@pytest.mark.django_db
@pytest.mark.parametrize(("days", "is_allowed"), [(730, True), (731, False), (0, False), (-1, False)])
def test_a_secret_lives_for_two_years_at_most(days, is_allowed):
    configuration = make_configuration()
    start = {"configuration": configuration, "lifetime": timedelta(days=days), "actor": ACTOR, "at": NOON}

    if is_allowed:
        assert rotation.start_rotation(**start)
    else:
        with pytest.raises(secrets.LifetimeTooLong, match="two years at most"):
            rotation.start_rotation(**start)


@pytest.mark.django_db
@pytest.mark.parametrize(("hours", "is_allowed"), [(0, True), (24, True), (25, False), (-1, False)])
def test_the_old_secret_lives_on_for_a_day_at_most(hours, is_allowed):
    start = {"configuration": make_configuration(), "overlap": timedelta(hours=hours), "actor": ACTOR, "at": NOON}

    if is_allowed:
        assert rotation.start_rotation(**start)
    else:
        with pytest.raises(rotation.OverlapTooLong, match="24 hours at most"):
            rotation.start_rotation(**start)


@pytest.mark.django_db
def test_no_secret_stands_in_the_audit_log_or_the_database():
    configuration = make_configuration()

    secret = rotation.start_rotation(configuration=configuration, actor=ACTOR, at=NOON)

    entries = str(list(configuration.subscription.audit_entries.values()))
    assert secret not in entries
    assert f"…{secret[-4:]}" in entries
    assert secret not in str(list(ClientSecret.objects.values()))
