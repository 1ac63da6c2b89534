"""Workload identity federation: an assertion instead of a secret (RFC 7523 §2.2, scim-cases A-7); a real issuer."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from django.utils import timezone
from oauth2_provider.models import AccessToken

from provisioning.models import AuditEntry, ProvisioningConfiguration
from provisioning.oauth.credentials import JWT_BEARER
from provisioning.services import access, assertions, configurations, issuers, tokens, trusted_issuers
from provisioning.services.assertions import Trust, Untrusted, check_claims
from provisioning.services.trust import BadIssuer
from tests.factories import ACTOR, make_credentials
from tests.provisioning.issuing import TENANT, Issuer, claims, ec_key, public, rsa_key, serving, signed

AUDIENCE = "api://mfmanage/.default"


@pytest.fixture(autouse=True)
def _fresh_keys():
    issuers.keys.cache_clear()


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with serving() as found:
        yield found


@pytest.fixture
def credentials(db, issuer, settings):
    settings.ISSUER_HOSTS = ["*"]
    made = make_credentials(at=timezone.now())
    trust(made.configuration, issuer.name)
    return made


def trust(configuration, issuer: str, subject: str = "sync-fabric", audience: str = AUDIENCE) -> None:
    trusted_issuers.trust_issuer(
        configuration=configuration,
        issuer=issuer,
        subject=subject,
        audience=audience,
        actor=ACTOR,
        at=timezone.now(),
    )
    configuration.refresh_from_db()


def ask(client, credentials, assertion: str, **changes):
    body = {
        "grant_type": "client_credentials",
        "client_id": credentials.configuration.client_id,
        "client_assertion_type": JWT_BEARER,
        "client_assertion": assertion,
        "scope": "scim",
    } | changes
    return client.post("/oauth/token", {name: value for name, value in body.items() if value is not None})


def refusal(credentials) -> str:
    credentials.configuration.refresh_from_db()
    return str(credentials.configuration.refusal)


def test_an_assertion_gets_a_token_that_opens_the_service(client, credentials, issuer):
    answer = ask(client, credentials, signed(claims(issuer.name, audience=AUDIENCE)))

    assert answer.status_code == 200
    configuration = tokens.authenticate(
        token=answer.json()["access_token"], public_id=credentials.configuration.public_id, at=timezone.now()
    )
    assert configuration == credentials.configuration
    assert AccessToken.objects.get().token == ""


def test_an_assertion_by_an_elliptic_curve(client, credentials, issuer):
    issuer.keys.append(public(ec_key(), "curve", alg="ES256"))
    token = signed(claims(issuer.name, audience=["other", AUDIENCE]), key=ec_key(), algorithm="ES256", kid="curve")

    assert ask(client, credentials, token).status_code == 200


def test_an_assertion_may_be_sent_again_while_it_is_valid(client, credentials, issuer):
    token = signed(claims(issuer.name, audience=AUDIENCE, jti="once"))

    assert [ask(client, credentials, token).status_code for _ in range(3)] == [200] * 3
    assert issuer.asked.count("/keys") == 1


def test_a_new_key_of_the_issuer_is_found(client, credentials, issuer, monkeypatch):
    ask(client, credentials, signed(claims(issuer.name, audience=AUDIENCE)))
    issuer.keys[:] = [public(rsa_key(1), "two")]
    monkeypatch.setattr(issuers, "_PAUSE", 0)

    new = signed(claims(issuer.name, audience=AUDIENCE), key=rsa_key(1), kid="two")

    assert ask(client, credentials, new).status_code == 200
    old = signed(claims(issuer.name, audience=AUDIENCE))
    assert ask(client, credentials, old).status_code == 401


NOW = 1_800_000_000
WRONG_CLAIMS: dict[str, dict[str, Any]] = {
    "no issuer": {"iss": None},
    "another issuer": {"iss": "https://evil.example"},
    "no audience": {"aud": None},
    "another audience": {"aud": "api://other"},
    "an audience that contains it": {"aud": f"x{AUDIENCE}"},
    "audiences without it": {"aud": ["a", "b"]},
    "an empty list of audiences": {"aud": []},
    "an audience of another type": {"aud": {AUDIENCE: 1}},
    "no subject": {"sub": None},
    "another subject": {"sub": "somebody"},
    "an empty subject": {"sub": ""},
    "a subject of another type": {"sub": ["sync-fabric"]},
    "no expiry": {"exp": None},
    "an expiry that is past": {"exp": NOW - assertions.LEEWAY},
    "an expiry in words": {"exp": "tomorrow"},
    "an expiry that is true": {"exp": True},
    "an expiry without end": {"exp": float("inf")},
    "no number": {"exp": float("nan")},
    "not yet valid": {"nbf": NOW + assertions.LEEWAY + 1},
    "made in the future": {"iat": NOW + assertions.LEEWAY + 1},
    "made at no time": {"iat": None, "nbf": []},
}
USUAL = {"iss": "https://a", "aud": AUDIENCE, "sub": "sync-fabric", "iat": NOW, "nbf": NOW, "exp": NOW + 60}


@pytest.mark.parametrize("changes", [one for one in WRONG_CLAIMS.values() if "iss" not in one])
def test_claims_that_are_wrong(changes):
    given = {name: value for name, value in (USUAL | changes).items() if value is not None}

    with pytest.raises(Untrusted):
        check_claims(given, Trust(("https://a",), AUDIENCE, "sync-fabric"), at=datetime.fromtimestamp(NOW, UTC))


@pytest.mark.parametrize(
    "changes",
    [{}, {"exp": NOW - 59}, {"nbf": NOW + 60}, {"iat": NOW + 60.5}, {"exp": NOW + 0.5}, {"aud": ["x", AUDIENCE]}],
)
def test_claims_that_are_right_but_for_another_clock(changes):
    at = datetime.fromtimestamp(NOW, UTC) + timedelta(seconds=0.5)

    check_claims(USUAL | changes, Trust(("https://a",), AUDIENCE, "sync-fabric"), at=at)


def test_the_subject_matters_only_where_one_is_named():
    check_claims(USUAL | {"sub": "x"}, Trust(("https://a",), AUDIENCE), at=datetime.fromtimestamp(NOW, UTC))


@pytest.mark.parametrize("changes", WRONG_CLAIMS.values(), ids=WRONG_CLAIMS.keys())
def test_a_wrong_claim_gets_no_token_and_reveals_nothing(client, credentials, issuer, changes):
    now = int(time.time())
    moved = {
        name: value - NOW + now if isinstance(value, int | float) and value > 1 else value
        for name, value in changes.items()
    }
    given = claims(issuer.name, audience=AUDIENCE) | moved

    answer = ask(client, credentials, signed_anything(given))

    assert (answer.status_code, answer.json()) == (401, {"error": "invalid_client"})
    assert refusal(credentials) == ProvisioningConfiguration.Refusal.UNTRUSTED_TOKEN


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def signed_anything(given: dict[str, Any]) -> str:
    """Return a token with whatever claims, which the library would not make."""
    kept = {name: value for name, value in given.items() if value is not None}
    return jwt.PyJWS().encode(json.dumps(kept).encode(), rsa_key(), "RS256", headers={"kid": "one"})


def by_hand(header: dict[str, Any], body: dict[str, Any], signature: bytes = b"x") -> str:
    return ".".join([b64(json.dumps(header).encode()), b64(json.dumps(body).encode()), b64(signature)])


def hs256_by_public_key(issuer) -> str:
    """Return a token keyed by the issuer's public key, as if that were a shared secret (RFC 8725 §2.1)."""
    body = claims(issuer.name, audience=AUDIENCE)
    start = by_hand({"alg": "HS256", "kid": "one"}, body).rpartition(".")[0]
    key = json.dumps(issuer.keys[0]).encode()
    return f"{start}.{b64(hmac.new(key, start.encode(), hashlib.sha256).digest())}"


FORGED = {
    "by another key": lambda issuer: signed(claims(issuer.name, audience=AUDIENCE), key=rsa_key(1)),
    "not at all": lambda issuer: by_hand({"alg": "none", "kid": "one"}, claims(issuer.name, audience=AUDIENCE), b""),
    "by a public key": hs256_by_public_key,
    "by a secret": lambda issuer: jwt.encode(
        claims(issuer.name, audience=AUDIENCE), "s" * 32, "HS256", headers={"kid": "one"}
    ),
    "by RS512": lambda issuer: signed(claims(issuer.name, audience=AUDIENCE), algorithm="RS512"),
    "by the other algorithm": lambda issuer: signed(
        claims(issuer.name, audience=AUDIENCE), key=ec_key(), algorithm="ES256"
    ),
    "by an unknown key": lambda issuer: signed(claims(issuer.name, audience=AUDIENCE), kid="nobody"),
    "by no key's name": lambda issuer: signed(claims(issuer.name, audience=AUDIENCE), kid=None),
    "under a condition": lambda issuer: by_hand(
        {"alg": "RS256", "kid": "one", "crit": ["b64"], "b64": False}, claims(issuer.name, audience=AUDIENCE)
    ),
    "by a key that it brings": lambda issuer: jwt.encode(
        claims(issuer.name, audience=AUDIENCE),
        rsa_key(1),
        "RS256",
        headers={"jwk": public(rsa_key(1), "one"), "kid": "one", "jku": "https://evil.example/keys"},
    ),
}


@pytest.mark.parametrize("forge", FORGED.values(), ids=FORGED.keys())
def test_a_forged_signature_gets_no_token(client, credentials, issuer, forge):
    assert ask(client, credentials, forge(issuer)).status_code == 401
    assert not AccessToken.objects.exists()


@pytest.mark.parametrize(
    "text",
    ["x", "a.b.c", "..", "é.é.é", "A" * 20_000, f"{b64(b'[' * 9000)}.{b64(b'{}')}.x", f"{b64(b'{}')}.{b64(b'1')}.x"],
)
def test_what_is_no_token_gets_none(client, credentials, text):
    assert ask(client, credentials, text).status_code == 401


BODIES = {
    "another type of assertion": {"client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:saml2-bearer"},
    "no type": {"client_assertion_type": None},
    "no client": {"client_id": None},
    "another client": {"client_id": "nobody"},
    "a type alone": {"client_assertion": None},
    "a secret besides": {"client_secret": "mfms_x"},
}


@pytest.mark.parametrize("changes", BODIES.values(), ids=BODIES.keys())
def test_an_assertion_stands_alone_with_its_type_and_client(client, credentials, issuer, changes):
    assert ask(client, credentials, signed(claims(issuer.name, audience=AUDIENCE)), **changes).status_code == 401


def test_a_right_secret_and_a_right_assertion_are_two_ways_at_once(client, credentials, issuer):  # RFC 6749 §2.3
    token = signed(claims(issuer.name, audience=AUDIENCE))

    assert ask(client, credentials, token, client_secret=credentials.client_secret).status_code == 401
    header = base64.b64encode(f"{credentials.configuration.client_id}:{credentials.client_secret}".encode()).decode()
    answer = client.post(
        "/oauth/token",
        {
            "grant_type": "client_credentials",
            "client_id": credentials.configuration.client_id,
            "client_assertion_type": JWT_BEARER,
            "client_assertion": token,
        },
        headers={"authorization": f"Basic {header}"},
    )
    assert answer.status_code == 401


def test_an_assertion_opens_the_configuration_that_trusts_it_alone(client, credentials, issuer):
    other = make_credentials(at=timezone.now())

    assert ask(client, other, signed(claims(issuer.name, audience=AUDIENCE))).status_code == 401


def test_an_unknown_client_costs_as_many_statements_as_a_known_one(
    client, credentials, issuer, django_assert_num_queries
):
    own = credentials.configuration.client_id
    with django_assert_num_queries(3):
        ask(client, credentials, signed(claims(issuer.name, audience="other")), client_id=own)
    with django_assert_num_queries(3):
        ask(client, credentials, signed(claims(issuer.name, audience="other")), client_id="nobody")


def test_an_assertion_costs_as_many_statements_as_a_secret(client, credentials, issuer, django_assert_num_queries):
    token = signed(claims(issuer.name, audience=AUDIENCE))
    ask(client, credentials, token)

    with django_assert_num_queries(5):
        ask(client, credentials, token)


def test_an_issuer_that_does_not_answer_is_no_fault_of_the_client_and_what_an_admin_is_told(
    client, credentials, issuer, settings
):
    settings.TOKEN_FAILURES = 1
    issuer.faults["/keys"] = lambda: (500, {}, b"")

    for _ in range(3):
        answer = ask(client, credentials, signed(claims(issuer.name, audience=AUDIENCE)))
        assert (answer.status_code, answer.json()["error"]) == (503, "temporarily_unavailable")
        assert "keys of the token's issuer cannot be read" in answer.json()["error_description"]
        assert (answer["Retry-After"], answer["Cache-Control"]) == ("30", "no-store")
    assert refusal(credentials) == ProvisioningConfiguration.Refusal.ISSUER_SILENT
    assert len([one for one in issuer.asked if one == "/keys"]) == 1


def test_an_assertion_that_could_not_be_trusted_anyway_is_refused_also_while_its_issuer_is_silent(
    client, credentials, issuer
):
    issuer.faults["/keys"] = lambda: (500, {}, b"")

    for wrong in (claims(issuer.name, audience="other"), claims("https://other.example", audience=AUDIENCE)):
        assert ask(client, credentials, signed(wrong)).status_code == 401


def test_entras_issuer_is_asked_at_its_authority(client, credentials, issuer, settings):
    settings.ENTRA_AUTHORITY = issuer.base
    entra = f"https://login.microsoftonline.com/{TENANT}/v2.0"
    trust(credentials.configuration, entra)

    assert ask(client, credentials, signed(claims(entra, audience=AUDIENCE))).status_code == 200
    assert issuer.asked == [f"/{TENANT}/v2.0/.well-known/openid-configuration", "/keys"]


def test_ending_the_trust_ends_the_tokens_that_came_by_it(client, credentials, issuer):
    token = signed(claims(issuer.name, audience=AUDIENCE))
    issued = ask(client, credentials, token).json()["access_token"]

    trusted_issuers.distrust_issuer(configuration=credentials.configuration, actor=ACTOR, at=timezone.now())

    assert ask(client, credentials, token).status_code == 401
    with pytest.raises(tokens.TokenUnknown):
        tokens.authenticate(token=issued, public_id=credentials.configuration.public_id, at=timezone.now())
    acts = AuditEntry.objects.order_by("id").values_list("action", "changes")
    action, changed = acts.last()
    assert action == "end trust in issuer"
    assert changed["issuer"] == [issuer.name, None]


def test_a_trust_that_is_so_already_is_no_deed(credentials, issuer):
    before = AuditEntry.objects.count()

    trust(credentials.configuration, issuer.name)

    assert AuditEntry.objects.count() == before


def test_disconnecting_ends_the_trust(client, credentials, issuer):
    configurations.disconnect_configuration(configuration=credentials.configuration, actor=ACTOR, at=timezone.now())

    assert ask(client, credentials, signed(claims(issuer.name, audience=AUDIENCE))).status_code == 401


def test_a_paused_configuration_issues_nothing(client, credentials, issuer):
    configurations.pause_configuration(configuration=credentials.configuration, actor=ACTOR, at=timezone.now())

    answer = ask(client, credentials, signed(claims(issuer.name, audience=AUDIENCE)))

    assert (answer.status_code, answer.json()["error"]) == (400, "unauthorized_client")


def test_a_token_that_was_on_its_way_when_the_trust_ended_is_gone(client, credentials, issuer, monkeypatch):
    is_open = access.is_open

    def ended_meanwhile(configuration):
        trusted_issuers.distrust_issuer(configuration=configuration, actor=ACTOR, at=timezone.now())
        return is_open(configuration)

    monkeypatch.setattr("provisioning.oauth.validator.is_open", ended_meanwhile)

    answer = ask(client, credentials, signed(claims(issuer.name, audience=AUDIENCE)))

    assert (answer.status_code, answer.json()) == (401, {"error": "invalid_client"})
    assert (answer["Content-Type"], answer["Cache-Control"]) == ("application/json", "no-store")
    assert not AccessToken.objects.exists()


BAD = {
    "over plain http": ("http://example.com", "s", "a", "https://"),
    "of another host": ("https://other.example", "s", "a", "MFMANAGE_ISSUER_HOSTS"),
    "without a subject": ("https://good.example", " ", "a", "subject"),
    "without an audience": ("https://good.example", "s", "", "audience"),
    "too long": ("https://good.example/" + "x" * 255, "s", "a", "too long"),
    "not printable": ("https://good.example", "s\0", "a", "printed"),
}


@pytest.mark.parametrize("fault", BAD.values(), ids=BAD.keys())
def test_what_cannot_be_trusted_is_said(db, settings, fault):
    *given, said = fault
    settings.ISSUER_HOSTS = ["good.example"]

    with pytest.raises(BadIssuer, match=said):
        trust(make_credentials().configuration, *given)
