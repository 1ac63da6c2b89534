"""One's own sessions: where one is signed in, and how to end that."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from provisioning.browsers import browser_words
from provisioning.permissions import PortalRequest, vouched_for
from provisioning.services import sign_ins
from provisioning.session_store import digest
from provisioning.sign_in import visitor
from provisioning.views.common import SeeOther


def sessions(request: PortalRequest) -> HttpResponse:
    """List the person's sessions, this one first."""
    own = _own(request)
    rows = sorted(
        sign_ins.sessions_of(request.user, only=vouched_for(request), at=timezone.now()), key=lambda row: row.pk != own
    )
    context = {"rows": [(row, browser_words(row.browser), row.pk == own) for row in rows]}
    return render(request, "account/sessions.html", context)


@require_POST
def session_end(request: PortalRequest) -> HttpResponse:
    """End the session whose digest was posted; to end this one is to sign out."""
    key = request.POST.get("session", "")
    try:
        sign_ins.end_session(user=request.user, key=key, **_who(request))
    except sign_ins.SessionGone as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, "The session is ended.")
    return SeeOther(reverse("sessions"))


@require_POST
def sessions_end(request: PortalRequest) -> HttpResponse:
    """End all sessions but this one."""
    ended = sign_ins.end_other_sessions(user=request.user, but=_own(request), **_who(request))
    messages.success(request, f"{ended} other session{'s are' if ended != 1 else ' is'} ended.")
    return SeeOther(reverse("sessions"))


def _who(request: PortalRequest) -> dict[str, Any]:
    return {"only": vouched_for(request), "actor": visitor(request), "at": timezone.now()}


def _own(request: PortalRequest) -> str:
    return digest(request.session.session_key or "")
