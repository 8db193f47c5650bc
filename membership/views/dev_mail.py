"""/dev/mail: in the demo, the mail that was written, since none leaves the house. Production has no such route."""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING

from django import forms
from django.contrib import messages as notes
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.csp import CSP
from django.utils.translation import gettext_lazy as _
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.csp import csp_override
from django.views.decorators.http import require_http_methods, require_safe

from membership import clock, mail_in
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


WHAT_CAME_OF_IT = {
    mail_in.Outcome.TAKEN: _("Your answer has arrived."),
    mail_in.Outcome.NOT_OURS: _("Nobody reads mail at this address."),
    mail_in.Outcome.WRONG_SENDER: _("It came from another address than we wrote to, so it was not taken."),
    mail_in.Outcome.AUTOMATIC: _("Automatic mail is not taken."),
    mail_in.Outcome.REFUSED: _("It came too late, too often, or said nothing: it was not taken."),
}


class AnswerForm(forms.Form):
    """An answer as a mail program would send it. `message_id` is that of the mail: sent twice, it arrives once."""

    sender = forms.EmailField(label=_("From"), max_length=254)
    text = forms.CharField(label=_("Your answer"), max_length=mail_in.LONGEST, widget=forms.Textarea({"rows": 5}))
    message_id = forms.CharField(max_length=250, widget=forms.HiddenInput)


@require_http_methods(["GET", "HEAD", "POST"])
def mail(request: HttpRequest, pk: int) -> HttpResponse:
    """One mail; where an answer to it is taken, the form that sends one."""
    message = get_object_or_404(Message, pk=pk)
    new = {"sender": message.to, "message_id": f"{secrets.token_hex(16)}@mail.example"}
    form = AnswerForm(request.POST if request.method == "POST" else None, initial=new)
    if request.method == "POST" and message.reply_to and form.is_valid():
        letter = mail_in.Letter(to=message.reply_to, **form.cleaned_data)
        notes.info(request, WHAT_CAME_OF_IT[mail_in.receive(letter, at=clock.now())])
        return redirect("dev-mail-one", pk=pk)
    context = {"message": message, "code": code_in(message), "form": form if message.reply_to else None}
    return render(request, "membership/dev_mail_one.html", context, status=422 if form.is_bound else 200)


@require_safe
@xframe_options_sameorigin
@csp_override(MAIL_CSP)
def mail_html(request: HttpRequest, pk: int) -> HttpResponse:
    """The HTML part as a document of its own, with nothing it could fetch or run."""
    message = get_object_or_404(Message, pk=pk)
    if not message.html:
        raise Http404
    return HttpResponse(message.html)
