"""The audit log's pages: who, what, when, from where, old and new; filters, files, and whether it is as it was."""

import csv
import io
import json
import re
from datetime import timedelta
from html import unescape

import pytest

from provisioning.actor import Actor
from provisioning.audit_texts import TITLES, changes
from provisioning.license_types import LicenseType
from provisioning.models import AuditEntry, AuditHead, LoginAccount, Subscription
from provisioning.queries import audit as queries
from provisioning.services import audit
from provisioning.services.group_settings import set_group_license
from tests.factories import ACTOR, NOON, make_admin, make_subscription
from tests.provisioning.test_audit_tampering import tamper

LATER = NOON + timedelta(days=1)


@pytest.fixture
def page(contoso):
    return contoso.url("audit/")


@pytest.fixture
def ann():
    return Actor(kind="person", name="ann", role="Access admin", address="192.0.2.7", request_id="request-of-ann")


@pytest.fixture
def acts(contoso, ann):
    """Three acts of a day on which nothing else was done."""
    for number, action in enumerate(["order licenses", "create vault", "order licenses"], 1):
        audit.record(
            subscription_id=contoso.subscription.pk,
            actor=ann if number < 3 else ACTOR,
            action=action,
            target=f"Thing {number}",
            at=LATER + timedelta(minutes=number),
            changes={"named": [number, number + 1]},
        )


def shown(client, url):
    """Return what was acted on, newest first."""
    return re.findall(r'<span class="under">(Thing \d)</span>', client.get(url).content.decode())


def entry(number=1):
    return AuditEntry.objects.get(target=f"Thing {number}")


def test_the_list_says_who_did_what_when_and_from_where(contoso, admin, page):
    set_group_license(group=contoso.legal, license_type=LicenseType.CONCURRENT, actor=ACTOR, at=NOON)

    text = admin.get(page).content.decode()

    for words in ("manage.py tests", "Operator", "Set license type of user group", "Legal", "named", "concurrent"):
        assert words in text


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", [3, 2, 1]),
        ("who=ann", [2, 1]),
        ("who=NN", [2, 1]),
        ("who=manage.py+tests", [3]),
        ("who=nobody", []),
        ("action=order+licenses", [3, 1]),
        ("action=order+licenses&who=ann", [1]),
        ("action=order+licenses&who=nn", [1]),
        ("q=thing+2", [2]),
        ("q=request-of-ann", [2, 1]),
        ("q=request-of", []),
        ("first_day=2026-05-14", []),
        ("first_day=2026-05-13&last_day=2026-05-13&action=create+vault", [2]),
        ("last_day=2026-05-12", []),
        ("action=nonsense&first_day=nonsense&last_day=0000-00-00&q=%00&who=%00", [3, 2, 1]),
        ("page=nonsense", [3, 2, 1]),
    ],
)
def test_filters_stand_in_the_address_and_nonsense_narrows_nothing(query, found, admin, page, acts):
    assert shown(admin, f"{page}?{query}") == [f"Thing {number}" for number in found]


def test_days_are_those_of_the_subscriptions_time_zone(admin, page, acts):
    Subscription.objects.update(time_zone="Pacific/Kiritimati")  # 14 hours ahead: noon is already the next day

    assert shown(admin, f"{page}?first_day=2026-05-14") == ["Thing 3", "Thing 2", "Thing 1"]


def test_the_filter_offers_what_was_ever_done_in_the_subscription(contoso, admin, page, acts):
    audit.record(subscription_id=make_subscription().pk, actor=ACTOR, action="elsewhere", target="", at=NOON)

    text = admin.get(page).content.decode()

    assert text.count('<option value="order licenses">Order licenses</option>') == 1
    assert "elsewhere" not in text
    rows = AuditEntry.objects.filter(subscription=contoso.subscription)
    assert queries.actions(contoso.subscription, "") == sorted(set(rows.values_list("action", flat=True)))


def test_pages_lead_to_older_acts_and_back(contoso, admin, page):
    with audit.recorded_last():
        for _ in range(60):
            audit.record(subscription_id=contoso.subscription.pk, actor=ACTOR, action="try", target="Thing 1", at=LATER)

    first = admin.get(f"{page}?action=try").content.decode()
    older = unescape(re.search(r'href="([^"]+)" rel="next"', first)[1])
    second = admin.get(page + older).content.decode()

    assert len(shown(admin, f"{page}?action=try")) == 50
    assert len(shown(admin, page + older)) == 10
    assert 'rel="prev"' in second


def test_a_search_in_a_long_log_stops_says_so_and_goes_on(admin, page, acts, monkeypatch):
    monkeypatch.setattr(queries.fetch, "__kwdefaults__", {**queries.fetch.__kwdefaults__, "stretch": 2})

    first = admin.get(f"{page}?q=Thing+1").content.decode()
    onward = unescape(re.search(r'href="([^"]+)" rel="next"', first)[1])

    assert "Nothing so far" in first
    assert "Searched 2 acts, to <time" in first
    assert shown(admin, page + onward) == ["Thing 1"]


def test_nothing_fits_is_said(admin, page):
    assert "No act fits this filter." in admin.get(f"{page}?q=nobody").content.decode()


def test_htmx_gets_the_list_alone(admin, page):
    assert "<html" not in admin.get(page, headers={"HX-Request": "true"}).content.decode()


def test_an_acts_page_shows_all_of_it_and_leads_on(contoso, admin, page, acts):
    text = admin.get(f"{page}{entry().pk}/").content.decode()

    for words in ("Order licenses", "Thing 1", "ann", "Access admin", "192.0.2.7", "request-of-ann", entry().digest):
        assert words in text
    assert "<del>1</del>" in text
    assert "<ins>2</ins>" in text
    assert '<span class="badge good">Verified</span>' in text
    assert f'href="{page}?who=ann"' in text


def test_an_acts_page_of_very_many_changes_shows_the_first(contoso, admin, page):
    many = {f"user_{number:03}@contoso.example": [None, "named"] for number in range(502)}
    audit.record(
        subscription_id=contoso.subscription.pk, actor=ACTOR, action="pin", target="Thing 1", at=NOON, changes=many
    )

    text = admin.get(f"{page}{entry().pk}/").content.decode()

    assert "user_499@contoso.example" in text
    assert "user_500@contoso.example" not in text
    assert "And 2 more, which the export has." in text


def test_a_time_among_the_values_is_that_of_the_subscriptions_time_zone(contoso, admin, page):
    Subscription.objects.update(time_zone="Europe/Helsinki")
    values = {"expires_at": [None, NOON.isoformat()], "name": ["2026-13-99T12:00:00+00:00", "<b>2026</b>"]}
    audit.record(
        subscription_id=contoso.subscription.pk, actor=ACTOR, action="rotate", target="Thing 1", at=NOON, changes=values
    )

    for url in (page, f"{page}{entry().pk}/"):
        text = admin.get(url).content.decode()
        assert f'<ins><time datetime="{NOON.isoformat()}">12 May 2026, 15:00:00</time></ins>' in text
        assert "<del>2026-13-99T12:00:00+00:00</del>" in text
        assert "<ins>&lt;b&gt;2026&lt;/b&gt;</ins>" in text


def test_values_are_texts_and_a_name_with_an_underscore_stays_one():
    assert list(changes({"license_type": ["named", None], "a_b@x": [None, ["c"]], "rows": 7})) == [
        ("a_b@x", "", '[\n  "c"\n]'),
        ("license type", "named", ""),
        ("rows", "", "7"),
    ]


def test_a_page_says_that_it_verifies_and_when_the_whole_log_was_checked(contoso, admin, page, acts):
    assert "that has not happened yet" in admin.get(page).content.decode()

    AuditHead.objects.update(verified_at=NOON, verified_number=1234)
    text = admin.get(page).content.decode()

    assert "every entry on this page is as it was written" in text
    assert "to entry 1,234." in text


def test_a_page_marks_the_entries_that_are_not_as_they_were_written(contoso, admin, page, acts):
    tamper(contoso.subscription, f"UPDATE {{t}} SET target = 'Thing 9' WHERE id = {entry(2).pk}")

    text = admin.get(page).content.decode()

    number = entry(9).number
    assert f"Not verified: entry {number} is not what was written there" in text
    assert text.count('<span class="badge problem">Not verified</span>') == 1
    assert "This entry is not what was written here" in admin.get(f"{page}{entry(9).pk}/").content.decode()
    assert "This entry is not" not in admin.get(f"{page}{entry(1).pk}/").content.decode()


def test_a_page_says_what_the_last_check_of_the_whole_log_found(admin, page, acts):
    AuditHead.objects.update(verified_at=NOON, differences=3)

    assert "found 3 differences." in admin.get(page).content.decode()


@pytest.fixture
def billing(contoso, sign_in):
    """A billing admin who has done one thing, and sees nothing else."""
    account = make_admin(contoso.subscription, "billing@contoso.example", role=LoginAccount.Role.BILLING_ADMIN)
    audit.record(
        subscription_id=contoso.subscription.pk,
        actor=Actor(kind="person", name=account.user.username, role="Billing admin"),
        action="order more",
        target="Thing 7",
        at=LATER,
    )
    return sign_in(account)


def test_a_billing_admin_sees_the_own_acts_and_no_others(billing, page, acts):
    text = billing.get(page).content.decode()

    assert shown(billing, page) == shown(billing, f"{page}?who=ann") == ["Thing 7"]
    assert shown(billing, f"{page}?action=create+vault") == ["Thing 7"]  # no such choice, so nothing is narrowed
    assert "Order licenses" not in text
    assert 'name="who"' not in text
    assert billing.get(f"{page}{entry(7).pk}/").status_code == 200
    assert billing.get(f"{page}{entry(1).pk}/").status_code == 404
    assert "Thing 7" in text_of(billing.get(f"{page}acts.csv?who=ann"))
    assert "Thing 1" not in text_of(billing.get(f"{page}acts.json"))


def text_of(answer):
    assert answer.status_code == 200
    return b"".join(answer.streaming_content).decode()


def test_csv_has_every_act_of_the_filter_harmless_in_a_spreadsheet(contoso, admin, page, acts):
    audit.record(subscription_id=contoso.subscription.pk, actor=ACTOR, action="try", target='=cmd|"/c calc"', at=LATER)

    answer = admin.get(f"{page}acts.csv?first_day=2026-05-13&last_day=2026-05-13")

    assert answer["Content-Disposition"] == 'attachment; filename="audit-log.csv"'
    rows = list(csv.DictReader(io.StringIO(text_of(answer))))
    assert list(rows[0]) == list(TITLES)
    assert [row["Acted on"] for row in rows] == ["Thing 3", "Thing 2", "Thing 1", '\'=cmd|"/c calc"']
    assert (rows[1]["Who"], rows[1]["Role"], rows[1]["From"]) == ("ann", "Access admin", "192.0.2.7")
    assert rows[1]["Changes"] == "named: 2 → 3"
    assert rows[1]["Digest"] == entry(2).digest


def test_json_is_one_array_of_all_that_an_entry_holds(contoso, admin, page, acts):
    answer = admin.get(f"{page}acts.json?who=ann&action=create+vault")

    [document] = json.loads(text_of(answer))
    assert document["changes"] == {"named": [2, 3]}
    assert (document["number"], document["digest"]) == (entry(2).number, entry(2).digest)
    fields = {field.attname for field in AuditEntry._meta.concrete_fields} - {"id", "subscription_id", "actor_name"}
    assert set(document) - {"actor", "role"} == fields - {"actor_role"}


def test_who_took_the_log_stands_in_it(admin, page, acts):
    text_of(admin.get(f"{page}acts.csv?who=ann"))

    taken = AuditEntry.objects.get(action="export")
    assert (taken.target, taken.changes) == ("audit log as CSV", {"who": [None, "ann"]})


def test_a_file_is_read_in_pieces(contoso, monkeypatch, django_assert_num_queries):
    monkeypatch.setattr(queries, "_EXPORT_CHUNK", 4)
    with audit.recorded_last():
        for _ in range(9):
            audit.record(subscription_id=contoso.subscription.pk, actor=ACTOR, action="many", target="", at=LATER)

    with django_assert_num_queries(3):
        assert len(list(queries.all_acts(contoso.subscription, queries.Wanted(action="many")))) == 9
