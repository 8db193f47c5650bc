"""Who may see billing's pages."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from django.contrib.auth.decorators import login_required
from django.shortcuts import redirect

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse

    from membership.models import Member


def member_required(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """For people on the roll. Others log in first; an account without a person goes to its portal."""

    @functools.wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return view(request, *args, **kwargs) if hasattr(request.user, "member") else redirect("portal")

    return login_required(guarded)


def member_of(request: HttpRequest) -> Member:
    """The person behind the request, in a view that is `member_required`."""
    return request.user.member  # type: ignore[union-attr]
