"""Internal users, and one user's information."""

from dataclasses import dataclass

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render

from provisioning import columns
from provisioning.addresses import address
from provisioning.forms import UserFilter
from provisioning.models import LoginAccount
from provisioning.permissions import ROLES, Permission, PortalRequest, requires
from provisioning.queries import account_pages, accounts, held
from provisioning.services.invitations import invitation_of, mail_is_off
from provisioning.services.sign_on import needs_role_again
from provisioning.views.common import template_for, with_cells

_SORTED = {"Full name": "name", "Username": "username", "Email": "email", "Last change": "change"}


@dataclass(frozen=True, slots=True)
class Head:
    """A column's head; ``sort`` is what a click on it orders by, ``direction`` how the list is ordered by it now."""

    title: str
    sort: str
    direction: str


@requires(Permission.SEE)
def users(request: PortalRequest) -> HttpResponse:
    """List the internal users that fit the filter, in the chosen order, a page at a time."""
    form = UserFilter(request.GET, subscription=request.subscription)
    wanted, sort = form.wanted(), form.order()
    listing = account_pages.listing(request.subscription, wanted, sort=sort, cursor=request.GET.get("page", ""))
    first, *others = columns.titles("accounts") or [""]
    context = {
        "form": form,
        "listing": listing,
        "page": listing.page,
        "rows": with_cells("accounts", listing.page.rows),
        "heads": _heads(
            ["Full name", "Username", "Email", first, "State", "Role", "Source", *others, "Last change"], sort
        ),
        "deeds": [(one.label, address(request.subscription, one.page)) for one in _deeds(request)],
        "is_narrowed": wanted != accounts.Wanted(),
    }
    return render(request, template_for(request, "users"), context)


@requires(Permission.SEE)
def user(request: PortalRequest, pk: int) -> HttpResponse:
    """Show everything that is known of one user; whoever means an application account is led to its page."""
    account = accounts.find(request.subscription, pk)
    if account is None:
        raise Http404
    if account.kind == LoginAccount.Kind.APPLICATION:
        return redirect(address(request.subscription, "application", pk=pk))
    context = {
        "account": account,
        "invitation": invitation_of(account) if account.role else None,
        "needs_role_again": needs_role_again(account),
        "is_off": mail_is_off(),
        "held": held.open_change_of(account),
        "groups": accounts.groups_of(account),
        "calls": accounts.calls_about(account),
    }
    return render(request, "provisioning/user.html", context)


def _deeds(request: PortalRequest) -> list[columns.Deed]:
    return columns.deeds("accounts", ROLES[request.role])


def _heads(titles: list[str], sort: str) -> list[Head]:
    return [_head(title, sort) for title in titles if title]


def _head(title: str, sort: str) -> Head:
    """Return the head; a click on the one that the list is ordered by turns the order."""
    word = _SORTED.get(title, "")
    if not word or sort.removeprefix("-") != word:
        return Head(title, word, "")
    is_turned = sort.startswith("-")
    return Head(title, word if is_turned else f"-{word}", "descending" if is_turned else "ascending")
