"""Everything that is stored about oneself, as a file to keep."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from allauth.account.decorators import reauthentication_required
from django.contrib.auth.decorators import login_required
from django.http import FileResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from membership import audit, clock, limits, own_data

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponseBase

A_DAY = 10


@login_required
@reauthentication_required(allow_get=True)  # type: ignore[untyped-decorator]
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def own(request: HttpRequest) -> HttpResponseBase:
    """What is in the file; and the file, to somebody who has just shown who they are."""
    if request.method != "POST":
        return render(request, "membership/own_data.html")
    at = clock.now()
    try:
        limits.hit(f"own-data:{request.user.pk}", limit=A_DAY, per=timedelta(days=1), at=clock.wall())
    except limits.TooMany as refusal:
        return render(request, "membership/own_data.html", {"problem": refusal}, status=refusal.status)
    made = own_data.zipped(request.user, at=at)  # type: ignore[arg-type]
    audit.write(actor=f"user:{request.user.pk}", verb="take_own_data", subject=f"user:{request.user.pk}", at=at)
    return FileResponse(made, as_attachment=True, filename=f"my-data-{at:%Y-%m-%d}.zip", content_type="application/zip")
