"""Who may open a console page. Every console route is declared here, with the permission it needs.

tests/console/test_access.py reads the declarations from the URL resolver: a route without one fails.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from allauth.account.authentication import get_authentication_records
from allauth.account.decorators import reauthentication_required
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods, require_safe

from membership import staff
from membership.roles import ALLOWS, Role

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse

    from membership.models import Staff
    from membership.roles import Permission

    View = Callable[..., HttpResponse]

FACTORS = [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]


def page(permission: Permission) -> Callable[[View], View]:
    """A console page that only shows: anybody of the staff with `permission` may open it."""
    return lambda view: _declared(require_safe(view), permission, acts=False)


def act(permission: Permission, *, fresh: bool = False) -> Callable[[View], View]:
    """A console page that changes something, by POST alone. `fresh`: who acts has proven themselves just now."""

    def declare(view: View) -> View:
        guarded = require_http_methods(["GET", "HEAD", "POST"])(view)
        return _declared(reauthentication_required(guarded) if fresh else guarded, permission, acts=True)

    return declare


def _declared(view: View, permission: Permission, *, acts: bool) -> View:
    @functools.wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        held = staff.of(request.user)
        if held is None:
            raise Http404  # members learn nothing, not even that there is something
        if missing := _second_factor(request, held):
            return missing
        if not held.may(permission):
            return not_theirs(request, held, permission)
        request.staff = held  # type: ignore[attr-defined]
        return view(request, *args, **kwargs)

    inside = login_required(guarded)
    inside.permission, inside.acts = permission, acts  # type: ignore[attr-defined]
    return inside


def not_theirs(request: HttpRequest, held: Staff, permission: Permission) -> HttpResponse:
    """What answers somebody of the staff whose role may not: whose it is, and whom to ask."""
    roles = [role for role in Role if permission in ALLOWS[role]]
    context = {"staff": held, "roles": [role.label for role in roles], "colleagues": staff.who_hold(roles)}
    return render(request, "console/forbidden.html", context, status=403)


def _second_factor(request: HttpRequest, held: Staff) -> HttpResponse | None:
    """What stands between them and the page: no second factor at all, or one that this session has not shown."""
    if not settings.CONSOLE_SECOND_FACTOR or _has_shown_it(request, held):
        return None
    if not is_mfa_enabled(held.user, FACTORS):
        return render(request, "console/second_factor.html", status=403)
    back = urlencode({"next": request.get_full_path()})
    return redirect(f"{reverse('mfa_reauthenticate')}?{back}")


def _has_shown_it(request: HttpRequest, held: Staff) -> bool:
    return any(record.get("method") == "mfa" for record in get_authentication_records(request, held.user))


def staff_of(request: HttpRequest) -> Staff:
    """Who is behind the request, in a view that is declared here."""
    held: Staff = request.staff  # type: ignore[attr-defined]
    return held
