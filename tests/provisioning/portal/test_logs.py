"""The provisioning log."""

import re
from datetime import timedelta
from html import unescape

import pytest

from provisioning.call_texts import INFO
from provisioning.models import ProvisioningLogEntry, Subscription, UserGroup
from provisioning.queries import logs
from provisioning.services.calls import record_failure
from tests.factories import NOON, make_account, make_call, make_configuration


@pytest.fixture
def log(contoso):
    return contoso.url("provisioning/log/")


@pytest.fixture
def refused(contoso):
    """A call that was refused on the next day, in another configuration."""
    other = make_configuration(contoso.subscription, "Test tenant")
    call = make_call(other, operation="update", request_id="request-refused", at=NOON + timedelta(days=1))
    record_failure(
        call, status=409, detail='userName "cy@contoso.example" is already in use', resource_name="cy@contoso"
    )
    return ProvisioningLogEntry.objects.latest("id")


def shown(client, url):
    """Return what the list says of each call: operation and resource, newest first."""
    page = client.get(url).content.decode()
    rows = re.findall(r"<tr>\s*<td>.*?</tr>", page, re.DOTALL)
    return [re.search(r"</td>\s*<td>(\w+ \w+)</td>\s*<td>([^<]+)</td>", row).groups() for row in rows]


ANN, BO, LEGAL = (
    ("Create user", "ann@contoso.example"),
    ("Create user", "bo@contoso.example"),
    ("Create group", "Legal"),
)
CY = ("Update user", "cy@contoso")


def test_the_newest_call_comes_first(log, admin, refused):
    assert shown(admin, log) == [CY, LEGAL, BO, ANN]
    assert "already in use" in admin.get(log).content.decode()


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("result=failed", [CY]),
        ("result=succeeded", [LEGAL, BO, ANN]),
        ("operation=update", [CY]),
        ("operation=delete", []),
        ("type=Group", [LEGAL]),
        ("type=User&result=succeeded", [BO, ANN]),
        ("result=failed&operation=create", []),
        ("q=ann", [ANN]),
        ("q=LEGAL", [LEGAL]),
        ("q=request-refused", [CY]),
        ("first_day=2026-05-13", [CY]),
        ("last_day=2026-05-12", [LEGAL, BO, ANN]),
        ("first_day=2026-05-12&last_day=2026-05-13&result=failed", [CY]),
        ("first_day=nonsense&result=nonsense&configuration=x&operation=x&type=x", [CY, LEGAL, BO, ANN]),
        ("first_day=0001-01-01&last_day=9999-12-31", [CY, LEGAL, BO, ANN]),
        ("q=%00", [CY, LEGAL, BO, ANN]),
    ],
)
def test_filters_stand_in_the_address_and_nonsense_narrows_nothing(query, found, log, admin, refused):
    assert shown(admin, f"{log}?{query}") == found


def test_one_configurations_calls(log, admin, refused):
    assert shown(admin, f"{log}?configuration={refused.configuration_id}") == [CY]


def test_a_users_scim_id_finds_their_calls(contoso, log, admin):
    assert shown(admin, f"{log}?q={contoso.ann.scim_id}") == [ANN]


def test_one_users_calls_are_found_by_their_id_and_the_filter_says_whose(contoso, log, admin):
    make_account(contoso.configuration, "ann@contoso.example.org")
    url = f"{log}?resource={contoso.ann.scim_id}"

    assert shown(admin, url) == [ANN]
    assert "Only calls about <strong>ann@contoso.example</strong>" in admin.get(url).content.decode()
    assert shown(admin, f"{url}&configuration={contoso.configuration.pk}&result=succeeded") == [ANN]
    assert shown(admin, f"{url}&result=failed") == []


@pytest.mark.parametrize(("search", "name"), [("ANN@contoso.example", "ann"), ("legal", "legal")])
def test_a_whole_name_leads_to_every_call_about_it(search, name, contoso, log, admin):
    page = admin.get(f"{log}?q={search}&result=succeeded").content.decode()

    assert f'href="?result=succeeded&amp;resource={getattr(contoso, name).scim_id}"' in page


def test_a_search_in_a_long_log_stops_says_so_and_goes_on(contoso, log, admin, monkeypatch):
    monkeypatch.setattr(logs.fetch, "__kwdefaults__", {**logs.fetch.__kwdefaults__, "stretch": 2})

    first = admin.get(f"{log}?q=ann").content.decode()
    onward = unescape(re.search(r'href="([^"]+)" rel="next"', first)[1])
    rest = admin.get(log + onward).content.decode()

    assert "Nothing so far" in first
    assert "Searched 2 calls, to <time" in first
    assert "ann@contoso.example" in rest
    assert 'rel="next"' not in rest


def test_days_are_those_of_the_subscriptions_time_zone(contoso, log, admin, refused):
    Subscription.objects.update(time_zone="Pacific/Kiritimati")  # 14 hours ahead: noon is already the next day

    assert shown(admin, f"{log}?first_day=2026-05-14") == [CY]
    assert "14 May 2026, 02:00:00" in admin.get(log).content.decode()


def test_nothing_fits_is_said(log, admin):
    assert "No call fits this filter." in admin.get(f"{log}?q=nobody").content.decode()


def test_pages_lead_to_older_calls_and_back(contoso, log, admin):
    for number in range(60):
        record_failure(make_call(contoso.configuration), status=409, detail="", resource_name=f"name {number}")

    first = admin.get(log).content.decode()
    older = re.search(r'href="([^"]+)" rel="next"', first)[1]
    newer = re.search(r'href="([^"]+)" rel="prev"', admin.get(log + older).content.decode())[1]

    names = [name for _, name in shown(admin, log) + shown(admin, log + older)]
    assert names == [
        *(f"name {number}" for number in reversed(range(60))),
        "Legal",
        "bo@contoso.example",
        "ann@contoso.example",
    ]
    assert shown(admin, log + newer) == shown(admin, log)


def test_htmx_gets_the_list_alone(log, admin, refused):
    assert "<html" not in admin.get(log, headers={"HX-Request": "true"}).content.decode()


def test_a_calls_page_shows_old_and_new(contoso, log, admin):
    entry = ProvisioningLogEntry.objects.get(resource_name="ann@contoso.example")
    entry.changes = {
        "displayName": ["Ann <Old>", "Ann New"],
        "emails": [None, [{"value": "a@b.example", "type": "work"}]],
        INFO: [None, {"info1": "1001"}],
        "password": [None, "secret"],
    }
    entry.save()

    page = admin.get(f"{log}{entry.pk}/").content.decode()

    assert "<del>Ann &lt;Old&gt;</del>" in page
    assert "<ins>Ann New</ins>" in page
    assert "a@b.example (work)" in page
    assert "Additional information 1" in page
    assert "secret" not in page
    assert entry.resource_id in page
    assert f'<a href="{contoso.url(f"users/{contoso.ann.pk}/")}">Ann Ångström</a>' in page
    assert "Succeeded" in page


def test_a_groups_call_leads_to_the_group_and_a_lost_ones_says_so(contoso, log, admin):
    entry = ProvisioningLogEntry.objects.get(resource_name="Legal")
    link = f'<a href="{contoso.url(f"provisioning/groups/{contoso.legal.pk}/")}">Legal</a>'

    assert link in admin.get(f"{log}{entry.pk}/").content.decode()

    UserGroup.objects.update(deleted_at=NOON)
    page = admin.get(f"{log}{entry.pk}/").content.decode()
    assert "(not here any more)" in page
    assert link not in page


def test_a_refused_calls_page_says_why_and_what_to_do(log, admin, refused):
    page = admin.get(f"{log}{refused.pk}/").content.decode()

    assert "is already in use" in page
    assert "Rename one of the two" in page
    assert "The call changed nothing." in page
    assert "request-refused" in page
