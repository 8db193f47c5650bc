"""The printed card: facts -> template -> WeasyPrint -> bytes, never stored. The only module that knows WeasyPrint.

What makes it quick (measured by bench/cards.py): fonts and stylesheet are read once a process; the fetcher is our own
(WeasyPrint's default loads the machine's CA store for each document); fonts are small pieces that subset fast; the QR
skips the search for the best mask, which differs only in taste.
"""

from __future__ import annotations

import logging
import struct
import threading
import zlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import segno
from django.conf import settings
from django.template.loader import render_to_string
from django.utils import translation

from membership import card_face, card_token
from membership.errors import DomainError

if TYPE_CHECKING:
    from datetime import datetime

    from membership.models import Card

PACKAGED = Path(__file__).parent / "static" / "membership" / "cards"
KINDS = {".woff2": "font/woff2", ".svg": "image/svg+xml", ".png": "image/png"}
QR_VERSION = 8  # 49 modules; more of them would be too fine for a home printer at 28.5 mm
QR_MASK = 2
QR_PIXELS = 4  # a module; viewers that smooth pictures then blur little
QR_LEVELS = ("m", "l")  # a long BASE_URL costs error correction rather than size
NAME_BOX = {"width": 39.0, "height": 19.0, "sizes": (17, 15, 13, 11, 9, 8, 7, 6, 5)}
PROGRAMME_BOX = {"width": 50.0, "height": 8.0, "sizes": (15, 13, 11, 9, 8, 7, 6, 5)}
TIER_BOX = {"width": 26.0, "height": 6.0, "sizes": (13, 11, 9, 8, 7, 6, 5)}

log = logging.getLogger("vip.cards")
_one_at_a_time = threading.Lock()  # Pango's font maps are not made for several threads


class PdfIsOff(DomainError):
    """WeasyPrint cannot work on this machine; the message names the missing library and how to get it."""

    code = "pdf_is_off"
    status = 503
    message = "Cards cannot be drawn on this machine."


class CodeDoesNotFit(DomainError):
    """The address in the QR is too long for a code that a home printer can print: BASE_URL must be shorter."""

    code = "card_code_does_not_fit"
    status = 500
    message = "The card's address is too long for its QR code; use a shorter BASE_URL."


def render(card: Card, at: datetime) -> bytes:
    """The PDF of `card` as it stands at `at`, in the member's language: one tagged A6 page.

    Raises card_face.NoCardToShow, or PdfIsOff where WeasyPrint's system libraries are missing.
    """
    with translation.override(card.member.user.language):
        page = html(card, at)
    return press().print(page, qr_png(card_token.url(card)))


def html(card: Card, at: datetime) -> str:
    """The page that is printed. It names its pictures and fonts; only the press can find them."""
    face = card_face.face(card, at)
    fit = card_face.size_that_fits
    size = {
        "name": fit(face.name, **NAME_BOX),
        "programme": fit(settings.PROGRAMME_NAME, **PROGRAMME_BOX),
        "tier": fit(face.tier.name, **TIER_BOX),
    }
    language = translation.get_language() or "en"
    context = {
        "face": face,
        "size": size,
        "at": at,
        "programme_name": settings.PROGRAMME_NAME,
        "LANGUAGE_CODE": language,
    }
    return render_to_string("cards/card.html", context)


def qr_png(url: str) -> bytes:
    """A QR code of `url` as a PNG, quiet zone included. Raises CodeDoesNotFit."""
    for level in QR_LEVELS:
        try:
            code = segno.make_qr(url, error=level, version=QR_VERSION, mask=QR_MASK, boost_error=False)
        except segno.DataOverflowError:
            continue
        return _png([[not dark for dark in row] for row in code.matrix_iter(border=4)])
    raise CodeDoesNotFit


def _png(light: list[list[bool]]) -> bytes:
    """Modules as an 8-bit gray PNG, the one kind that WeasyPrint embeds without converting it first."""
    side = len(light) * QR_PIXELS
    lines = (b"\0" + b"".join((b"\xff" if on else b"\0") * QR_PIXELS for on in row) for row in light)
    body = b"".join(line * QR_PIXELS for line in lines)
    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(body)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*chunk) for chunk in chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


@cache
def packaged_files() -> dict[str, bytes]:
    """Name -> content of all that a card may load."""
    return {path.name: path.read_bytes() for path in PACKAGED.rglob("*") if path.suffix in KINDS}


class Fetcher:
    """Hands out packaged files and this card's code. Whatever else is asked for is refused: no file, no network.

    It stands in for weasyprint.urls.URLFetcher, whose making is what costs time, and so is not made from it.
    """

    _fail_on_errors = False  # read by weasyprint.urls.fetch: a refused picture is left out, the card is printed

    def __init__(self, qr: bytes = b"") -> None:
        self.qr = qr

    def __call__(self, url: str) -> Any:
        from weasyprint.urls import URLFetcherResponse

        scheme, _, name = url.partition(":")
        body = self.qr if name == "qr.png" else packaged_files().get(name)
        if scheme != "packaged" or body is None:
            log.error("a card asked for something that is not packaged; refused")
            raise ValueError("refused")
        return URLFetcherResponse(url, body, {"Content-Type": KINDS[Path(name).suffix]})


@dataclass(frozen=True)
class Press:
    """WeasyPrint, warm: the fonts and the stylesheet are read once."""

    weasyprint: Any
    fonts: Any
    stylesheet: Any

    def print(self, page: str, qr: bytes) -> bytes:
        with _one_at_a_time:
            document = self.weasyprint.HTML(string=page, base_url="packaged:", url_fetcher=Fetcher(qr))
            pdf: bytes = document.write_pdf(
                stylesheets=[self.stylesheet], font_config=self.fonts, finisher=_at_true_size, pdf_variant="pdf/ua-1"
            )
        return pdf


@cache
def press() -> Press:
    """The process's press, made when the first card is printed. Raises PdfIsOff."""
    try:
        import weasyprint
        from weasyprint.text.fonts import FontConfiguration
    except (ImportError, OSError) as error:
        raise PdfIsOff(
            f"Cards cannot be drawn: {str(error).splitlines()[0]}. Install Pango: `apt install libpango-1.0-0 "
            "libpangoft2-1.0-0 libharfbuzz-subset0` on Debian and Ubuntu, `brew install pango` on macOS."
        ) from error
    fonts = FontConfiguration()
    css = (PACKAGED / "card.css").read_text(encoding="utf-8")
    stylesheet = weasyprint.CSS(string=css, font_config=fonts, base_url="packaged:", url_fetcher=Fetcher())
    return Press(weasyprint, fonts, stylesheet)


def _at_true_size(_document: Any, pdf: Any) -> None:
    """Ask the viewer not to scale the page when it prints, so that the card keeps a bank card's size."""
    pdf.catalog["ViewerPreferences"]["PrintScaling"] = "/None"
