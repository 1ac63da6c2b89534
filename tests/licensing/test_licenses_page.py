"""The Licenses page: who sees and orders, the queue, the charts, and files."""

import csv
from datetime import timedelta

import pytest
from django.utils import timezone

from licensing.models import LicenseDay, LicenseGrant
from licensing.plans.licenses import SourceKind
from licensing.services import pools, previews, queue
from provisioning.models import AuditEntry, LoginAccount, ProvisioningConfiguration, Subscription
from provisioning.queries.pages import SIZE
from tests.factories import NOON, make_account, make_configuration, make_group, make_subscription
from tests.licensing.people import CONCURRENT, DAY, NAMED, READ_ONLY, purchase, reconcile
from tests.licensing.test_portal import signed_in

NUMBERS = {"named": 2, "concurrent": 0, "read-only": 20}


@pytest.fixture
def subscription(db):
    """Five people ask for Named, of which there is one; four have Read only meanwhile."""
    subscription = make_subscription()
    configuration = make_configuration(subscription, "Contoso Entra ID", default_license_type=READ_ONLY)
    purchase(subscription, named=1, read_only=20)
    people = [make_account(configuration, f"user{number}@contoso.example") for number in range(5)]
    reconcile(subscription)
    make_group(configuration, "Legal", members=people, license_type=NAMED)
    reconcile(subscription)
    return subscription


@pytest.fixture
def client(subscription):
    return signed_in(subscription)


def url(subscription, path=""):
    return f"/s/{subscription.number}/licenses/{path}"


def get(client, subscription, path="", status=200, **query):
    answer = client.get(url(subscription, path), query, secure=True)
    assert answer.status_code == status
    return answer.content.decode()


def lines(client, subscription, path, **query):
    answer = client.get(url(subscription, path), query, secure=True)
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    return list(csv.reader(b"".join(answer.streaming_content).decode().splitlines()))


def wait_for(subscription, number, license_type=CONCURRENT):
    """Make that many more wait; the engine is not asked."""
    configuration = ProvisioningConfiguration.objects.get(subscription=subscription)
    for _ in range(number):
        account = make_account(configuration)
        LicenseGrant.objects.create(
            subscription=subscription,
            account=account,
            username_key=account.username_key,
            wanted_type=license_type,
            asked_at=NOON,
            source_kind=SourceKind.DEFAULT,
        )


def test_every_pool_is_there_with_all_its_numbers(client, subscription):
    purchase(subscription, read_only=2)

    content = get(client, subscription)

    for label, number in (("Purchased", 1), ("Granted", 1), ("In use", 1), ("Waiting", 4), ("Free", 0)):
        assert f'data-label="{label}">' in content
        assert str(number) in content
    assert "2 more granted than purchased: no further license is granted until it is balanced" in content
    assert "Full now" in content


@pytest.mark.parametrize(
    ("role", "status"), [("SUBSCRIPTION_ADMIN", 200), ("BILLING_ADMIN", 200), ("ACCESS_ADMIN", 404)]
)
def test_who_may_order(subscription, role, status):
    client = signed_in(subscription, LoginAccount.Role[role])

    assert ("Order more or fewer" in get(client, subscription)) == (status == 200)
    get(client, subscription, "order/", status)
    get(client, subscription, "order/preview/", status, **NUMBERS)
    answer = client.post(url(subscription, "order/preview/"), NUMBERS, secure=True)

    assert (answer.status_code, pools.purchased(subscription)[NAMED]) == ((303, 2) if status == 200 else (404, 1))


@pytest.mark.parametrize("path", ["", "order/", "order/preview/", "history.csv", "queue.csv"])
def test_strangers_find_nothing(subscription, path):
    get(signed_in(make_subscription()), subscription, path, 404)


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("-1", "Named: -1 is not between 0 and 10,000,000 licenses."),
        ("10000001", "Named: 10,000,001 is not between 0 and 10,000,000 licenses."),
        ("10,000,001", "Enter a whole number in digits only, like 1200."),
        ("many", "Enter a whole number in digits only, like 1200."),
        ("1.5", "Enter a whole number in digits only, like 1200."),
        ("9" * 5000, "Enter a whole number in digits only, like 1200."),
        ("", "Enter how many licenses there shall be; 0 for none."),
    ],
)
def test_numbers_that_make_no_sense_are_said_and_what_was_typed_stays(client, subscription, typed, sentence):
    wrong = {**NUMBERS, "named": typed, "read-only": "17"}

    for content in (
        get(client, subscription, "order/preview/", 422, **wrong),
        client.post(url(subscription, "order/preview/"), wrong, secure=True).content.decode(),
    ):
        assert sentence in content
        assert 'name="read-only" value="17"' in content
        assert not typed or f'name="named" value="{typed}"' in content
    assert pools.purchased(subscription) == {NAMED: 1, CONCURRENT: 0, READ_ONLY: 20}


def test_the_form_begins_with_the_numbers_there_are_and_keeps_what_the_preview_was_asked(client, subscription):
    assert 'name="named" value="1"' in get(client, subscription, "order/")
    assert 'name="named" value="7"' in get(client, subscription, "order/", named=7)

    content = get(client, subscription, "order/preview/", **NUMBERS)
    assert f"{url(subscription, 'order/')}?named=2&amp;concurrent=0&amp;read-only=20" in content


def test_the_preview_is_what_happens(client, subscription):
    content = get(client, subscription, "order/preview/", **{**NUMBERS, "named": 3})
    expected = previews.purchased(subscription=subscription, purchases={NAMED: 3}, at=NOON)
    named = [line["username"] for line in expected["accounts"]]
    assert (expected["gain"], len(named)) == (2, 2)
    assert all(name in content for name in named)
    assert "1 → <strong>3</strong>" in content

    before = set(LicenseGrant.objects.filter(granted_type=NAMED).values_list("account__username", flat=True))
    answer = client.post(url(subscription, "order/preview/"), {**NUMBERS, "named": 3}, secure=True)
    reconcile(subscription)

    assert answer.headers["Location"] == url(subscription)
    after = set(LicenseGrant.objects.filter(granted_type=NAMED).values_list("account__username", flat=True))
    assert after - before == set(named)
    act = AuditEntry.objects.get(action="change purchased licenses", actor_kind="person")
    assert act.changes == {"named": [1, 3]}


def test_unchanged_numbers_are_no_order(client, subscription):
    content = get(client, subscription, "order/preview/", **{**NUMBERS, "named": 1})

    assert "The purchased numbers stay as they are" in content
    assert "Change purchased numbers</button>" not in content


def test_the_queue_says_place_user_license_and_reason(client, subscription):
    content = get(client, subscription)

    waiters = queue.page_of(queue.waiting(subscription, NAMED), "")[1]
    assert [(one.place, one.has, one.reason) for one in waiters] == [
        (place, READ_ONLY, "from group Legal") for place in (1, 2, 3, 4)
    ]
    for waiter in waiters:
        assert f'href="/s/{subscription.number}/users/{waiter.account.pk}/"' in content
    assert "From group Legal" in content
    assert "Nobody waits" in get(client, subscription, type=2)


def test_the_queue_that_is_shown_first_is_the_highest_for_which_anybody_waits(client, subscription):
    wait_for(subscription, 1)
    assert "Waiting for Named" in get(client, subscription)
    assert "Waiting for Named" in get(client, subscription, type="nonsense", days="12", page="nonsense")

    LicenseGrant.objects.filter(wanted_type=NAMED).update(granted_type=NAMED)
    content = get(client, subscription)
    assert "Waiting for Concurrent" in content
    assert "The default of Contoso Entra ID" in content


def test_pages_of_the_queue_lead_on_with_their_places(subscription):
    wait_for(subscription, SIZE + 2)
    waiting = queue.waiting(subscription, CONCURRENT)

    first, placed = queue.page_of(waiting, "")
    second, rest = queue.page_of(waiting, first.next)

    assert [one.place for one in placed + rest] == list(range(1, SIZE + 3))
    assert queue.page_of(waiting, second.previous)[1] == placed
    names = [one.account.username_key for one in placed + rest]
    assert names == sorted(names)
    assert [one.place for one in queue.everybody(waiting)] == list(range(1, SIZE + 3))


@pytest.mark.parametrize("number", [5, 500])
def test_the_page_takes_no_more_statements_however_many_wait(
    client, subscription, number, django_assert_max_num_queries
):
    wait_for(subscription, number)

    with django_assert_max_num_queries(12):
        get(client, subscription, type=2, days=365)


def test_the_whole_queue_is_read_in_pieces(subscription, monkeypatch, django_assert_num_queries):
    monkeypatch.setattr(queue, "_CHUNK", 3)
    wait_for(subscription, 8)

    with django_assert_num_queries(3):
        assert len(list(queue.everybody(queue.waiting(subscription, CONCURRENT)))) == 8
    assert list(queue.everybody(queue.waiting(subscription, READ_ONLY))) == []


def grow(subscription, days=20):
    """Every day one more has a Named license."""
    LicenseDay.objects.filter(subscription=subscription).delete()
    today = timezone.now().date()
    LicenseDay.objects.bulk_create(
        LicenseDay(
            subscription=subscription,
            license_type=NAMED,
            day=today - ago * DAY,
            purchased=40,
            granted=days - ago,
            waiting=0,
            in_use=days - ago,
        )
        for ago in range(1, days)
    )


def test_charts_show_the_period_that_is_asked_for_with_the_numbers_in_a_table(client, subscription):
    grow(subscription, 60)
    purchase(subscription, named=90, at=timezone.now())

    month = get(client, subscription, days=30)
    quarter = get(client, subscription)

    assert "Purchased: from 40 to 90; Granted: from 31 to 1; Waiting: from 0 to 4" in month
    assert "Purchased: from 40 to 90; Granted: from 1 to 1; Waiting: from 0 to 4" in quarter.replace(
        "Granted: 1;", "Granted: from 1 to 1;"
    )
    assert '<polyline class="line purchased" points="' in month
    assert 'style="' not in month
    assert (month.count('<td class="nowrap">'), quarter.count('<td class="nowrap">')) == (30 + 1 + 1, 60 + 1 + 1)
    assert "History begins today" in month


def test_home_has_a_sparkline_and_a_forecast(client, subscription):
    purchase(subscription, named=40, at=timezone.now())
    grow(subscription)
    LicenseGrant.objects.filter(subscription=subscription).update(wanted_type=READ_ONLY, granted_type=READ_ONLY)
    pools.LicensePool.objects.filter(subscription=subscription, license_type=NAMED).update(granted=20)

    content = client.get(f"/s/{subscription.number}/", secure=True).content.decode()

    assert "Full in about 20 days" in content
    assert "Purchased: 40; Granted: from 1 to 20; Waiting: 0" in content
    assert content.count("From tomorrow") == 2


def test_a_chart_of_concurrent_shows_sessions_because_nobody_waits(client, subscription):
    LicenseDay.objects.all().delete()
    today = timezone.now().date()
    days = [LicenseDay(subscription=subscription, day=today - ago * DAY, in_use=ago) for ago in range(1, 5)]
    for one in days:
        one.license_type, one.purchased, one.granted, one.waiting = CONCURRENT, 9, 8, 0
    LicenseDay.objects.bulk_create(days)

    assert "Purchased: from 9 to 0; Granted: from 8 to 0; Sessions: from 4 to 0" in get(client, subscription)


def test_policies_are_said_and_lead_to_the_settings_of_who_may_change_them(client, subscription):
    Subscription.objects.filter(pk=subscription.pk).update(release_after_days=1, fill_policy="on_purchase")

    content = get(client, subscription)
    assert "Its license is released after 1 day<" in content
    assert "Only when the purchased number changes" in content
    assert "Change in the settings" in content
    other = get(signed_in(subscription, LoginAccount.Role.BILLING_ADMIN), subscription)
    assert "Change in the settings" not in other


def test_history_is_sent_as_csv_day_by_day(client, subscription):
    grow(subscription, 60)

    titles, *rows = lines(client, subscription, "history.csv", days=30)

    today = timezone.now().date()
    assert titles == ["Day", "License type", "Purchased", "Granted", "Waiting", "In use"]
    assert rows[0] == [str(today - 29 * DAY), "Named", "40", "31", "0", "31"]
    assert rows[29:] == [
        [str(today), "Named", "1", "1", "4", "1"],
        [str(today), "Concurrent", "0", "0", "0", "0"],
        [str(today), "Read only", "20", "4", "0", "4"],
    ]
    act = AuditEntry.objects.get(action="export")
    assert (act.target, act.changes) == ("license history as CSV", {"days": [None, 30]})


def test_the_queue_is_sent_as_csv_that_no_spreadsheet_runs(client, subscription):
    LoginAccount.objects.filter(license_grant__wanted_type=NAMED).update(full_name='=1+1, "x"')

    titles, *rows = lines(client, subscription, "queue.csv")

    assert titles == list(queue.TITLES)
    assert [row[0] for row in rows] == ["1", "2", "3", "4"]
    assert rows[0][2:5] == ['\'=1+1, "x"', "Named", "Read only"]
    assert rows[0][6] == "from group Legal"
    assert lines(client, subscription, "queue.csv", type=2) == [list(queue.TITLES)]
    assert AuditEntry.objects.filter(action="export", target="waiting queue as CSV").count() == 2


def test_a_new_day_of_someone_elses_subscription_changes_nothing_here(client, subscription):
    purchase(make_subscription(), named=7_654_321, at=timezone.now() - timedelta(days=3))

    assert "7,654,321" not in get(client, subscription)
