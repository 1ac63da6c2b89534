"""Internal users as a file: out, and in again with a preview."""

from collections import Counter
from itertools import islice
from typing import Any, Final

from django.contrib import messages
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_POST

from provisioning import exports
from provisioning.addresses import address
from provisioning.forms import UserFilter
from provisioning.models import UserImport
from provisioning.people_forms import ImportForm
from provisioning.permissions import Permission, PortalRequest, requires
from provisioning.queries import accounts, user_files
from provisioning.services import user_imports as services
from provisioning.services.exports import record_export
from provisioning.user_rows import MOST_BYTES, TITLES, Asked
from provisioning.views.common import SeeOther, file_answer

_SHOWN: Final = 100
"""How many rows a part of the preview lists."""
_AT_ONCE: Final = 200
"""How many rows are applied before the answer; workers do the others."""
_EFFECTS: Final = ("added", "changed", "disabled", "enabled", "deleted")


@requires(Permission.CHANGE_USERS)
def users_csv(request: PortalRequest) -> StreamingHttpResponse:
    """Send the users that fit the list's filter, as the file that can be imported again."""
    wanted = UserFilter(request.GET, subscription=request.subscription).wanted()
    narrowed = {name: [None, value] for name, value in request.GET.items() if value and name not in {"page", "sort"}}
    record_export(
        subscription=request.subscription, what="users", narrowed=narrowed, actor=request.actor, at=timezone.now()
    )
    rows = user_files.rows(accounts.internal_users(request.subscription, wanted))
    return file_answer(exports.csv_lines(TITLES, rows), "text/csv; charset=utf-8", "users.csv")


@requires(Permission.CHANGE_USERS)
def users_import(request: PortalRequest) -> HttpResponse:
    """Ask for a file; a POST checks it whole and shows its faults, or leads to its preview."""
    form = ImportForm(request.POST, request.FILES) if request.method == "POST" else ImportForm()
    faults: list[Any] = []
    if request.method == "POST" and form.is_valid():
        try:
            found = _upload(request, form.cleaned_data["file"])
        except services.FileFaulty as refusal:
            faults = refusal.faults
            form.add_error(None, str(refusal))
        except services.NothingToImport as refusal:
            form.add_error(None, str(refusal))
        else:
            return SeeOther(address(request.subscription, "user_import", pk=found.pk))
    context = {"form": form, "faults": faults, "titles": TITLES}
    return render(request, "provisioning/import.html", context, status=422 if form.errors else 200)


@requires(Permission.CHANGE_USERS)
def user_import(request: PortalRequest, pk: int) -> HttpResponse:
    """Show what a file asks for, before it is confirmed; afterwards, what became of it."""
    found = _found(request, pk)
    rows = [Asked.from_document(one) for one in found.rows]
    word = request.GET.get("part", "")
    part = int(word) if word.isdecimal() and len(word) < len(str(MOST_BYTES)) else 1
    begin = max(0, part - 1) * _SHOWN
    effects = Counter(effect for one in rows for effect in one.effects)
    context = {
        "import": found,
        "effects": [(effect, effects[effect]) for effect in _EFFECTS if effects[effect]] + _vault_effects(rows),
        "total": len(rows),
        "rows": list(islice(rows, begin, begin + _SHOWN)),
        "previous": part - 1 if begin else None,
        "next": part + 1 if begin + _SHOWN < len(rows) else None,
        "own_titles": (TITLES.account_type, TITLES.username, TITLES.state),
    }
    return render(request, "provisioning/import_preview.html", context)


@requires(Permission.CHANGE_USERS)
@require_POST
def user_import_confirm(request: PortalRequest, pk: int) -> HttpResponse:
    """Apply the file, once, however often it is confirmed."""
    found, now = _found(request, pk), timezone.now()
    if services.confirm(user_import=found, actor=request.actor, at=now):
        services.apply(import_id=pk, at=now, most=_AT_ONCE)
    else:
        messages.info(request, "The file was confirmed already.")
    return SeeOther(address(request.subscription, "user_import", pk=pk))


def _vault_effects(rows: list[Asked]) -> list[tuple[str, int]]:
    """Return how often access to a vault is given and taken away."""
    given, taken = (sum(len(names) for names in column) for column in zip(*(one.vaults for one in rows), strict=True))
    found = [("access to vaults given", given), ("access to vaults taken away", taken)]
    return [(words, number) for words, number in found if number]


def _upload(request: PortalRequest, file: Any) -> UserImport:
    data = file.read(MOST_BYTES + 1)
    return services.upload(
        subscription=request.subscription, file_name=file.name, data=data, actor=request.actor, at=timezone.now()
    )


def _found(request: PortalRequest, pk: int) -> UserImport:
    found = UserImport.objects.filter(subscription=request.subscription, pk=pk).first()
    if found is None:
        raise Http404
    return found
