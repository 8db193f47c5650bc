"""/dev/mail: in the demo, the mail that was written, since none leaves the house. Production has no such route."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.csp import CSP
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.csp import csp_override
from django.views.decorators.http import require_safe

from membership.messages import WITHDRAWN
from membership.models import Message

if TYPE_CHECKING:
    from django.http import HttpRequest

SHOWN = 100
# A line that is nothing but a code, as the mails write it.
CODE_LINE = re.compile(r"^ {0,4}([A-Z0-9]{3,4}-[A-Z0-9]{3,4}|[A-Z0-9]{6})$", re.MULTILINE)
MAIL_CSP: dict[str, list[str] | str] = {
    "default-src": [CSP.NONE],
    "style-src": [CSP.UNSAFE_INLINE],
    "img-src": ["data:"],
    "frame-ancestors": [CSP.SELF],
    "sandbox": "",
}


def code_in(message: Message) -> str:
    """The code a mail carries, or an empty string."""
    found = CODE_LINE.search(message.text)
    return found.group(1) if found else ""


@require_safe
def mailbox(request: HttpRequest) -> HttpResponse:
    """The newest first. Asked by HTMX it answers with the list alone, so new mail appears by itself."""
    found = Message.objects.exclude(parked_reason=WITHDRAWN).select_related("member")[:SHOWN]
    mails = [{"message": message, "code": code_in(message)} for message in found]
    template = "membership/dev_mail.html" + ("#list" if request.headers.get("HX-Request") else "")
    return render(request, template, {"mails": mails})


@require_safe
def mail(request: HttpRequest, pk: int) -> HttpResponse:
    message = get_object_or_404(Message, pk=pk)
    return render(request, "membership/dev_mail_one.html", {"message": message, "code": code_in(message)})


@require_safe
@xframe_options_sameorigin
@csp_override(MAIL_CSP)
def mail_html(request: HttpRequest, pk: int) -> HttpResponse:
    """The HTML part as a document of its own, with nothing it could fetch or run."""
    message = get_object_or_404(Message, pk=pk)
    if not message.html:
        raise Http404
    return HttpResponse(message.html)
