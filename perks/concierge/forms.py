"""What members fill in: a new request, and what they write in one."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from perks.concierge import asking, files

if TYPE_CHECKING:
    from django.http import HttpRequest

TAKEN = ".pdf,.png,.jpg,.jpeg,.webp,.heic"


class WriteForm(forms.Form):
    """`once` names this one filling-in, so that a form that is sent twice asks once."""

    text = forms.CharField(
        label=_("Your message"), max_length=asking.LONGEST, widget=forms.Textarea({"rows": 6, "autocomplete": "off"})
    )
    file = forms.FileField(
        label=_("A file"),
        required=False,
        max_length=500,
        help_text=_("A picture or a PDF, up to 5 MB. Only you and our staff can open it."),
        widget=forms.FileInput({"accept": TAKEN}),
    )
    once = forms.RegexField(r"^[\w-]{22}$", widget=forms.HiddenInput)

    def __init__(self, request: HttpRequest, *, sent: bool) -> None:
        initial = {"once": secrets.token_urlsafe(16)}
        super().__init__(request.POST if sent else None, request.FILES if sent else None, initial=initial)
        # Files larger than the limit were dropped as they came: what is left of them is how long the whole was.
        length = request.META.get("CONTENT_LENGTH") or "0"
        self.dropped = sent and int(length) > settings.FILE_UPLOAD_MAX_MEMORY_SIZE

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        cleaned["checked"] = None
        if self.dropped:
            self.add_error("file", gettext(str(files.TooLarge.message)))
        elif cleaned.get("file"):
            try:
                cleaned["checked"] = files.check(cleaned["file"])
            except files.NotTaken as refusal:
                self.add_error("file", gettext(str(refusal)))
        return cleaned


class AskForm(WriteForm):
    subject = forms.CharField(label=_("What is it about?"), max_length=120)

    field_order = ["subject", "text", "file"]
