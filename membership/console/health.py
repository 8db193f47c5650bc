"""Programme health: every report as a page and as a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import Http404, HttpResponse
from django.shortcuts import render

from membership import audit, clock
from membership.console import drawing, reports
from membership.console.access import act, page, staff_of
from membership.roles import Permission

if TYPE_CHECKING:
    from django.http import HttpRequest

    from membership.models import Staff


@page(Permission.SEE)
def health(request: HttpRequest) -> HttpResponse:
    """Which reports there are, and what each tells."""
    staff = staff_of(request)
    return render(request, "console/health.html", {"staff": staff, "reports": reports.of(staff)})


@page(Permission.SEE)
def report(request: HttpRequest, code: str) -> HttpResponse:
    """One report: the drawing, the table, how each figure is reckoned."""
    staff, at = staff_of(request), clock.now()
    found = _found(code, staff)
    table = found.make(at)
    told = {"report": found, "reports": reports.of(staff), "table": table, "drawing": drawing.of(table)}
    may_export = staff.may(Permission.EXPORT)
    return render(request, "console/report.html", {"staff": staff, "at": at, "may_export": may_export, **told})


@act(Permission.EXPORT, fresh=True)
def export(request: HttpRequest, code: str) -> HttpResponse:
    """The same table as a file. Who took it stands in the audit: it leaves the house."""
    staff, at = staff_of(request), clock.now()
    found = _found(code, staff)
    if request.method != "POST":
        return render(request, "console/export.html", {"staff": staff, "report": found})
    text = reports.as_csv(found.make(at))
    audit.write(actor=staff.actor, verb="export", subject=f"report:{code}", at=at)
    answer = HttpResponse(text, content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{code}-{at:%Y-%m-%d}.csv"'
    answer["Cache-Control"] = "no-store"
    return answer


def _found(code: str, staff: Staff) -> reports.Report:
    found = reports.named(code, staff)
    if found is None:
        raise Http404
    return found
