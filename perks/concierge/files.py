"""Files that come with a request. What they are is read from their content, never from their name or their sender.

Kept are pictures and PDF; they are handed out under that type only, as downloads, to their member and to staff.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING

from django.conf import settings
from django.http import HttpResponse
from django.utils.translation import gettext_noop

from membership.errors import DomainError
from perks.models import ConciergeFile

if TYPE_CHECKING:
    from django.core.files.uploadedfile import UploadedFile

    from perks.models import ConciergeEntry

# Type -> (its beginning, the ending its name gets). WebP and HEIC say at byte 8 or 4 what their container holds.
BEGINNINGS = {
    "application/pdf": (re.compile(rb"%PDF-[12]\."), "pdf"),
    "image/png": (re.compile(rb"\x89PNG\r\n\x1a\n"), "png"),
    "image/jpeg": (re.compile(rb"\xff\xd8\xff"), "jpg"),
    "image/webp": (re.compile(rb"RIFF.{4}WEBP", re.DOTALL), "webp"),
    "image/heic": (re.compile(rb".{4}ftyp(?:heic|heix|mif1)", re.DOTALL), "heic"),
}
UNSAFE = re.compile(r"[^\w .()+-]")
LONGEST_NAME = 80


class NotTaken(DomainError):
    """The file is too large, empty, or of a kind that is not taken."""

    code = "file_not_taken"
    status = 422


class TooLarge(NotTaken):
    code = "file_too_large"
    message = gettext_noop("This file is too large. Up to 5 MB can be sent.")


class WrongKind(NotTaken):
    code = "file_of_wrong_kind"
    message = gettext_noop("We do not take this kind of file. A picture (JPEG, PNG, WebP, HEIC) or a PDF can be sent.")


@dataclass(frozen=True)
class Checked:
    """A file that may be kept."""

    name: str
    media_type: str
    content: bytes


def check(file: UploadedFile[bytes]) -> Checked:
    """Raises TooLarge, WrongKind."""
    if (file.size or 0) > settings.CONCIERGE_FILE_LIMIT:
        raise TooLarge
    content = file.read()
    for media_type, (beginning, ending) in BEGINNINGS.items():
        if beginning.match(content):
            return Checked(_name(file.name or "", ending), media_type, content)
    raise WrongKind


def _name(given: str, ending: str) -> str:
    """What the member called it, in signs that are harmless everywhere, with the ending of what it is."""
    stem = UNSAFE.sub("_", PurePath(given.replace("\\", "/")).stem).strip(" .")[:LONGEST_NAME]
    return f"{stem or 'file'}.{ending}"


def keep(checked: Checked | None, *, entry: ConciergeEntry) -> None:
    if checked is not None:
        told = {"name": checked.name, "media_type": checked.media_type, "content": checked.content}
        ConciergeFile.objects.create(entry=entry, size=len(checked.content), **told)


def response(file: ConciergeFile) -> HttpResponse:
    """As a download, never shown within our pages: no browser guesses what it is or runs what is in it."""
    answer = HttpResponse(bytes(file.content), content_type=file.media_type)
    plain = file.name.encode("ascii", "replace").decode().replace("?", "_")
    answer["Content-Disposition"] = f'attachment; filename="{plain}"'
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return answer
