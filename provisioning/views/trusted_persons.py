"""Trusted persons: who gets incident mail about vaults."""

from collections.abc import Callable

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from provisioning.addresses import address
from provisioning.models import TrustedPerson
from provisioning.permissions import Permission, PortalRequest, requires
from provisioning.queries import trusted_persons as queries
from provisioning.services import trusted_persons as services
from provisioning.trusted_forms import TrustedPersonForm
from provisioning.views.common import SeeOther


@requires(Permission.SEE)
def trusted_persons(request: PortalRequest) -> HttpResponse:
    page = queries.page_of(request.subscription, request.GET.get("page", ""))
    return render(request, "provisioning/trusted_persons.html", {"page": page})


@requires(Permission.CHANGE_VAULT_RIGHTS)
def trusted_person_add(request: PortalRequest) -> HttpResponse:
    """Ask who is to be trusted, with the vault of ``?vault=`` chosen; a POST adds them."""
    initial = {"vault": request.GET.get("vault", "")}
    form = TrustedPersonForm(request.POST or None, subscription=request.subscription, initial=initial, is_new=True)

    def add() -> None:
        subscription, now = request.subscription, timezone.now()
        services.add_trusted_person(subscription=subscription, actor=request.actor, at=now, **form.cleaned_data)

    return _form_page(request, form, None, add)


@requires(Permission.CHANGE_VAULT_RIGHTS)
def trusted_person_edit(request: PortalRequest, pk: int) -> HttpResponse:
    person = _found(request, pk)
    initial = {"name": person.name, "email": person.email}
    form = TrustedPersonForm(request.POST or None, subscription=request.subscription, initial=initial, is_new=False)

    def change() -> None:
        services.change_trusted_person(person=person, actor=request.actor, at=timezone.now(), **form.cleaned_data)

    return _form_page(request, form, person, change)


@requires(Permission.CHANGE_VAULT_RIGHTS)
def trusted_person_remove(request: PortalRequest, pk: int) -> HttpResponse:
    """Ask before a trusted person is removed."""
    person = _found(request, pk)
    if request.method != "POST":
        return render(request, "provisioning/trusted_person_remove.html", {"person": person})
    try:
        services.remove_trusted_person(person=person, actor=request.actor, at=timezone.now())
    except services.TrustedPersonGone as gone:
        messages.error(request, str(gone))
    else:
        messages.success(request, f"{person.email} is not a trusted person any more.")
    return SeeOther(address(request.subscription, "trusted_persons"))


def _found(request: PortalRequest, pk: int) -> TrustedPerson:
    person = queries.find(request.subscription, pk)
    if person is None:
        raise Http404
    return person


def _form_page(
    request: PortalRequest, form: TrustedPersonForm, person: TrustedPerson | None, save: Callable[[], None]
) -> HttpResponse:
    """Save what a valid form holds; what is refused stands in it."""
    if request.method == "POST" and form.is_valid():
        try:
            save()
        except services.REFUSALS as refusal:
            form.add_error("name" if isinstance(refusal, services.NameTooLong) else "email", str(refusal))
        else:
            messages.success(request, f"{form.cleaned_data['email']} is a trusted person.")
            return SeeOther(address(request.subscription, "trusted_persons"))
    context = {"form": form, "person": person}
    return render(request, "provisioning/trusted_person.html", context, status=422 if form.errors else 200)
