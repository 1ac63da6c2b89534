"""The page of held changes, as an admin uses it (1-product §1.3)."""

import re
from html import unescape

import pytest

from provisioning.models import HeldChange, LoginAccount, Subscription
from provisioning.services import held as services
from tests.factories import ACTOR, NOON, make_account, make_admin, make_configuration, make_subscription
from tests.provisioning.held_people import OPEN, become, disable, remove, state


@pytest.fixture
def url(contoso):
    """The address of the page; from now on everything beyond two users an hour is held."""
    Subscription.objects.filter(pk=contoso.subscription.pk).update(protection_least=2, protection_percent=0)
    return contoso.url("provisioning/held/")


def text(answer):
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", answer.content.decode())).split())


def many(contoso, number, *, configuration=None, change=disable):
    """Return the accounts whose change is held, after the two that are within the limit."""
    everybody = [make_account(configuration or contoso.configuration) for _ in range(number + 2)]
    for account in everybody:
        change(account)
    return everybody[2:]


def ids(*accounts):
    return list(HeldChange.objects.filter(account__in=accounts, decision=OPEN).values_list("pk", flat=True))


def test_an_empty_page_explains_the_limit(admin, url):
    page = text(admin.get(url))

    assert "Nothing is held" in page
    assert "Up to 2 in an hour by Contoso Entra ID" in page
    assert "may disable or remove 2 users in an hour, or 0 % of its users where that is more" in page


def test_the_page_lists_what_is_held(contoso, admin, url):
    [ann] = many(contoso, 1)
    [ben] = many(contoso, 1, change=remove, configuration=make_configuration(contoso.subscription, "Second"))

    answer = admin.get(url)

    page = text(answer)
    assert "1 change of Contoso Entra ID is held." in page
    assert f"{ann.full_name} {ann.username.replace('@', '@ ')} Disable Contoso Entra ID" in page
    assert f"{ben.full_name} {ben.username.replace('@', '@ ')} Remove Second" in page
    assert "Decided last" not in page
    assert answer.content.decode().count('aria-current="page">') >= 1


def test_the_navigation_and_home_lead_to_it(contoso, admin, url):
    many(contoso, 3)

    home = admin.get(contoso.url()).content.decode()

    assert "3 changes of Contoso Entra ID are held: allow or reject them." in home
    assert home.count(f'href="{url}"') == 2


def test_the_users_page_says_what_is_held(contoso, admin, url):
    [ann] = many(contoso, 1)
    [ben] = many(contoso, 1, change=remove, configuration=make_configuration(contoso.subscription, "Second"))

    first, second = (admin.get(contoso.url(f"users/{account.pk}/")) for account in (ann, ben))

    assert "that this user be disabled. That is held" in text(first)
    assert "that this user be removed. That is held" in text(second)
    assert '<span class="badge good">Enabled</span>' in second.content.decode()


def test_after_a_rejected_removal_the_users_page_says_that_the_account_stays_enabled(contoso, admin, url):
    [ann] = many(contoso, 1, change=remove)
    services.reject(subscription=contoso.subscription, ids=ids(ann), actor=ACTOR, at=NOON)

    assert "The account stays, enabled" in text(admin.get(contoso.url(f"users/{ann.pk}/")))


@pytest.mark.parametrize(("decision", "word"), [("allow", "allowed"), ("reject", "rejected")])
def test_what_is_selected_is_decided_after_a_page_that_says_what_will_happen(decision, word, contoso, admin, url):
    everybody = many(contoso, 3)
    chosen = {"decision": decision, "ids": ids(*everybody[:2])}

    asked = admin.get(f"{url}decide/", chosen)
    assert [state(account) for account in everybody] == [(True, False)] * 3
    done = admin.post(f"{url}decide/", chosen, follow=True)

    assert f"{decision.title()} 2 held changes?" in text(asked)
    assert "Disable 2 users" in text(asked)
    assert everybody[0].full_name in text(asked)
    assert everybody[2].full_name not in text(asked)
    assert done.redirect_chain == [(url, 303)]
    assert f"2 changes are {word}." in text(done)
    assert "Decided last" in text(done)
    enabled = decision == "reject"
    assert [state(account)[0] for account in everybody] == [enabled, enabled, True]
    assert HeldChange.objects.filter(decided_by="root@contoso.example").count() == 2


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        ("keep", "They keep their licenses."),
        ("at_once", "Their licenses are released at once."),
        ("after_days", "Their licenses are released after 7 days."),
    ],
)
def test_the_page_that_asks_says_what_becomes_of_the_licenses(policy, words, contoso, admin, url):
    [ann] = many(contoso, 1)
    Subscription.objects.filter(pk=contoso.subscription.pk).update(release_policy=policy)

    assert words in text(admin.get(f"{url}decide/", {"decision": "allow", "ids": ids(ann)}))


def test_all_of_a_configuration_are_decided_but_none_that_came_after_the_question(contoso, admin, url):
    everybody = many(contoso, 2)
    others = many(contoso, 1, configuration=make_configuration(contoso.subscription, "Second"))
    chosen = {"decision": "allow", "configuration": contoso.configuration.pk}
    asked = admin.get(f"{url}decide/", chosen)
    late = make_account(contoso.configuration)
    disable(late)

    fields = dict(
        re.findall(r'type="hidden" name="(decision|configuration|last)" value="(\w+)"', asked.content.decode())
    )
    admin.post(f"{url}decide/", fields)

    assert "Allow 2 held changes?" in text(asked)
    assert [state(account)[0] for account in everybody] == [False, False]
    assert [state(account)[0] for account in (late, *others)] == [True, True]


def test_a_decision_that_comes_too_late_is_told(contoso, admin, url):
    [ann] = many(contoso, 1)
    chosen = {"decision": "allow", "ids": ids(ann)}
    become(ann, active=True)

    for answer in (admin.get(f"{url}decide/", chosen, follow=True), admin.post(f"{url}decide/", chosen, follow=True)):
        assert "None of these changes is held any more" in text(answer)
    assert state(ann) == (True, True)


def test_who_stays_held_is_told(contoso, admin, url):
    [ann] = many(contoso, 1)
    LoginAccount.objects.filter(pk=ann.pk).update(role=LoginAccount.Role.SUBSCRIPTION_ADMIN)
    LoginAccount.objects.filter(email="root@contoso.example").update(role=LoginAccount.Role.ACCESS_ADMIN)

    done = admin.post(f"{url}decide/", {"decision": "allow", "ids": ids(ann)}, follow=True)

    assert f"Held still: {ann.username}. Only a Subscription admin decides" in text(done)
    assert state(ann) == (True, False)


@pytest.mark.parametrize(
    "chosen",
    [
        {"decision": "allow"},
        {"decision": "perhaps", "ids": "1"},
        {"decision": "allow", "ids": "one"},
        {"decision": "allow", "ids": "99999999999999999999"},
        {"decision": "allow", "configuration": "0"},
        {"decision": "allow", "configuration": "x"},
    ],
)
def test_a_choice_of_nothing_is_told(chosen, admin, url):
    for answer in (admin.get(f"{url}decide/", chosen, follow=True), admin.post(f"{url}decide/", chosen, follow=True)):
        assert answer.redirect_chain == [(url, 303)]
        assert "Nothing was chosen. Select at least one change" in text(answer)


def test_another_subscription_is_out_of_reach(contoso, admin, url):
    other = make_configuration(make_subscription(), "Elsewhere")
    Subscription.objects.filter(pk=other.subscription_id).update(protection_least=0, protection_percent=0)
    ann = make_account(other)
    disable(ann)

    admin.post(f"{url}decide/", {"decision": "allow", "ids": ids(ann)})
    admin.post(f"{url}decide/", {"decision": "allow", "configuration": other.pk})

    assert "Elsewhere" not in text(admin.get(url))
    assert state(ann) == (True, False)


def test_a_billing_admin_finds_no_page(contoso, sign_in, url):
    billing = sign_in(make_admin(contoso.subscription, role=LoginAccount.Role.BILLING_ADMIN))
    [ann] = many(contoso, 1)

    assert billing.get(url).status_code == 404
    assert billing.post(f"{url}decide/", {"decision": "allow", "ids": ids(ann)}).status_code == 404
    assert state(ann) == (True, False)
    assert "are held" not in text(billing.get(contoso.url()))


def test_long_lists_are_paged(contoso, admin, url):
    Subscription.objects.filter(pk=contoso.subscription.pk).update(protection_least=0)
    everybody = [make_account(contoso.configuration) for _ in range(52)]
    for account in everybody:
        disable(account)

    first = admin.get(url)
    second = admin.get(re.search(r'href="(\?page=[^"]+)" rel="next"', first.content.decode())[1].join([url, ""]))

    assert first.content.decode().count('name="ids"') == 50
    assert second.content.decode().count('name="ids"') == 2
    assert "52 changes of Contoso Entra ID are held." in text(second)
