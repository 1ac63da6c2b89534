"""Signing in by an organization's own identity provider, and confirming there that it is still the same person."""

from typing import Final

import structlog
from allauth.account.internal.flows.login import record_authentication
from allauth.account.internal.flows.reauthentication import resume_request
from allauth.core import ratelimit
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET

from provisioning import attempts
from provisioning.addresses import address
from provisioning.attempts import Attempt, UnderWay
from provisioning.models import LoginAccount, SingleSignOn
from provisioning.permissions import PortalRequest, vouched_for
from provisioning.sealing import Unreadable
from provisioning.services import id_tokens, openid_provider, sign_on
from provisioning.services.assertions import Untrusted
from provisioning.services.id_tokens import Expected, Identity
from provisioning.services.issuers import IssuerUnreachable
from provisioning.services.openid_provider import Provider, ProviderRefuses, host, providers, short
from provisioning.services.sign_ins import NoRole
from provisioning.services.sign_on import NotLetIn
from provisioning.services.single_sign_on import NoSingleSignOn, client_of, enabled, of_account
from provisioning.sign_in import open_session, visitor

_LONGEST_NAME: Final = 256
_METHOD: Final = "single sign-on"
_NOWHERE: Final = (
    "No organization of that domain signs in here by its own identity provider. Check what you typed, open the "
    "address that your organization gave you, or sign in with a password."
)
_STALE: Final = "This sign-in was used already, took longer than ten minutes, or began in another browser. Begin again."
_DENIED: Final = (
    "You did not sign in at your organization, or it does not let you use mfmanage. Begin again, or ask IT."
)
log = structlog.get_logger(__name__)


class Refused(Exception):
    """The provider's answer lets nobody in; the message says why."""


_PROBLEMS: Final = (Refused, ProviderRefuses, NotLetIn, NoSingleSignOn, NoRole)


def choose(request: HttpRequest) -> HttpResponse:
    """Ask for a username or an e-mail address, and show where people of its domain sign in."""
    following = _safe(request, request.POST.get("next") or request.GET.get("next", ""))
    name = request.POST.get("name", "").strip()[:_LONGEST_NAME]
    context: dict[str, object] = {"next": following, "name": name}
    if request.method == "POST":
        if not ratelimit.consume(request, action="login"):
            refusal: HttpResponse = ratelimit.respond_429(request)
            return refusal
        found = [(row, host(row.issuer)) for row in sign_on.organizations(name)]
        context |= {"found": found, "problem": "" if found else _NOWHERE}
    answer = render(request, "account/sign_on.html", context, status=422 if context.get("problem") else 200)
    if context.get("found"):
        browser = UnderWay.of(request)
        browser.hint = name
        browser.keep(answer)
    return answer


@require_GET
def begin(request: HttpRequest, number: str) -> HttpResponse:
    """Send the browser to the identity provider of the subscription."""
    try:
        row = enabled(number)
    except NoSingleSignOn as error:
        return _refused(request, "", str(error), status=404)
    following = _safe(request, request.GET.get("next", ""))
    return _leave(request, row, Attempt.of(row, at=timezone.now(), following=following))


def again(request: PortalRequest) -> HttpResponse:
    """Say why the person is to confirm, with a link to the provider: a form may not lead to another host."""
    row = of_account(vouched_for(request))
    if row is None:
        return redirect("account_login")
    context = {"row": row, "host": host(row.issuer), "next": _safe(request, request.GET.get("next", ""))}
    return render(request, "account/sign_on_again.html", context)


@require_GET
def confirm(request: PortalRequest, number: str) -> HttpResponse:
    """Send the browser to the provider that let the person in, which is to ask who they are."""
    try:
        row = enabled(number)
    except NoSingleSignOn as error:
        return _refused(request, "", str(error), status=404)
    if of_account(vouched_for(request)) != row:
        return redirect("start")
    following = _safe(request, request.GET.get("next", ""))
    attempt = Attempt.of(row, at=timezone.now(), following=following, user_id=request.user.pk)
    return _leave(request, row, attempt)


@require_GET
def callback(request: PortalRequest, number: str) -> HttpResponse:
    """Take what the provider answers by way of the browser; each answer counts once."""
    browser = UnderWay.of(request)
    attempt = browser.take(request.GET.get("state", ""), number=number, at=timezone.now())
    answer = _stale(request, number) if attempt is None else _answer(request, number, attempt)
    browser.keep(answer)
    return answer


def _stale(request: PortalRequest, number: str) -> HttpResponse:
    """Answer who went back, say."""
    return redirect("start") if request.user.is_authenticated else _refused(request, number, _STALE)


def _answer(request: PortalRequest, number: str, attempt: Attempt) -> HttpResponse:
    try:
        row = enabled(number)
        identity = _identity(request, row, attempt)
        if attempt.user_id is None:
            return _enter(request, row, identity, attempt.following)
        return _confirmed(request, row, identity, attempt)
    except _PROBLEMS as error:
        return _not_let_in(request, number, error, str(error))
    except Untrusted as error:
        problem = f"What your organization’s sign-in sent cannot be trusted. {error}"
        return _not_let_in(request, number, error, problem)
    except (IssuerUnreachable, Unreadable) as error:
        return _not_let_in(request, number, error, f"Your organization’s sign-in does not work now. {error}")


def _not_let_in(request: HttpRequest, number: str, error: Exception, problem: str) -> HttpResponse:
    """Note it where operators look, without a name, as a wrong password is."""
    address = str(request.META.get("REMOTE_ADDR", ""))
    log.warning("sign-in refused", address=address, single_sign_on=number, reason=type(error).__name__)
    return _refused(request, number, problem)


def _leave(request: HttpRequest, row: SingleSignOn, attempt: Attempt) -> HttpResponse:
    try:
        provider = providers.find(row.issuer)
    except IssuerUnreachable as error:
        problem = f"Your organization’s sign-in does not work now. {error}"
        return _refused(request, row.subscription.number, problem)
    browser = UnderWay.of(request)
    state, hint = browser.start(attempt), browser.hint
    browser.hint = ""
    answer = HttpResponseRedirect(attempts.address(provider, row, attempt, state, hint=hint))
    browser.keep(answer)
    return answer


def _identity(request: HttpRequest, row: SingleSignOn, attempt: Attempt) -> Identity:
    """Return who has signed in at the provider. Raises what ``callback`` has sentences for."""
    if (row.issuer, row.client_id) != (attempt.issuer, attempt.client_id):
        raise NoSingleSignOn
    provider = providers.find(row.issuer)
    code = _code(request, provider)
    token = openid_provider.exchange(provider, client_of(row), code=code, verifier=attempt.verifier)
    since = None if attempt.user_id is None else attempt.since
    expected = Expected(issuer=row.issuer, client_id=row.client_id, nonce=attempt.nonce, since=since)
    return id_tokens.identify(token, expected, at=timezone.now())


def _code(request: HttpRequest, provider: Provider) -> str:
    """Return the code that the provider sent (RFC 6749 §4.1.2, RFC 9207 §2.4).

    Raises ``Refused`` and ``ProviderRefuses``.
    """
    issuer, error = request.GET.get("iss"), short(request.GET.get("error", ""))
    if issuer not in ({provider.issuer} if provider.names_itself else {provider.issuer, None}):
        raise Refused("Another identity provider answered than the one you were sent to. Begin again.")
    if error == "access_denied":
        raise Refused(_DENIED)
    if error:
        raise ProviderRefuses(error, short(request.GET.get("error_description", "")))
    code = request.GET.get("code", "")
    if not code:
        raise Refused("Your organization’s sign-in answered nothing. Begin again.")
    return code


def _enter(request: PortalRequest, row: SingleSignOn, identity: Identity, following: str) -> HttpResponse:
    """Begin the session of who may come in; how long ago they proved who they are, only the provider knows."""
    at = timezone.now()

    def enter(account: LoginAccount) -> None:
        open_session(request, account, at, proved_at=identity.signed_in_at)

    sign_on.sign_on(subscription_id=row.subscription_id, identity=identity, enter=enter, actor=visitor(request), at=at)
    return HttpResponseRedirect(following or address(row.subscription, "home"))


def _confirmed(request: PortalRequest, row: SingleSignOn, identity: Identity, attempt: Attempt) -> HttpResponse:
    """Go on with what the person was about to do, if it still is the same person."""
    if request.user.pk != attempt.user_id:
        raise sign_on.OtherPerson
    sign_on.confirm(subscription_id=row.subscription_id, identity=identity, account_id=vouched_for(request))
    record_authentication(request, request.user, method=_METHOD, reauthenticated=True)
    asked = request.GET.copy()
    asked["next"] = attempt.following
    request.GET = asked  # type: ignore[assignment]
    answer: HttpResponse | None = resume_request(request)
    return answer or redirect("start")


def _safe(request: HttpRequest, following: str) -> str:
    """Return where to go afterwards, if that is a page of this host."""
    own = url_has_allowed_host_and_scheme(following, {request.get_host()}, require_https=request.is_secure())
    return following if own else ""


def _refused(request: HttpRequest, number: str, problem: str, *, status: int = 422) -> HttpResponse:
    begins = reverse("sign_on", args=[number]) if number else ""
    return render(request, "account/sign_on_refused.html", {"problem": problem, "begins": begins}, status=status)
