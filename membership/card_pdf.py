"""The printed card: facts -> template -> WeasyPrint -> bytes, never stored. The only module that knows WeasyPrint.

What makes it quick (measured by bench/cards.py): fonts and stylesheet are read once a process; the fetcher is our own
(WeasyPrint's default loads the machine's CA store for each document); fonts are small pieces that subset fast; the
QR skips the search for the best mask, which differs only in taste, and is stamped onto the finished page.
"""

from __future__ import annotations

import logging
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

    from membership.card_face import Face
    from membership.models import Card

PACKAGED = Path(__file__).parent / "static" / "membership" / "cards"
KINDS = {".woff2": "font/woff2", ".svg": "image/svg+xml", ".png": "image/png"}
QR_VERSION = 8  # 49 modules; more of them would be too fine for a home printer at 28.5 mm
QR_MASK = 2
QR_LEVELS = ("m", "l")  # a long BASE_URL costs error correction rather than size
QUIET = 4  # modules of white around the code, which scanners need
MODULE = 8  # pixels a module, so that in an image of one bit a pixel a module is a byte
LIGHT_AND_DARK = bytes([0xFF, 0x00]) + bytes(254)  # for bytes.translate
NAME_BOX = card_face.Box(width=39.0, height=19.0, sizes=(17, 15, 13, 11, 9, 8, 7, 6, 5))
PROGRAMME_BOX = card_face.Box(width=50.0, height=8.0, sizes=(15, 13, 11, 9, 8, 7, 6, 5))
TIER_BOX = card_face.Box(width=26.0, height=6.0, sizes=(13, 11, 9, 8, 7, 6, 5))

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
    face = card_face.face(card, at)
    with translation.override(card.member.user.language):
        return draw(face, card_token.url(card), at)


def draw(face: Face, url: str, at: datetime) -> bytes:
    """The PDF of a face with `url` in its code, in the active language. Asks no database."""
    return press().print(html(face, at), qr_bits(url))


def html(face: Face, at: datetime) -> str:
    """The page that is printed. It names its pictures and fonts; only the press can find them."""
    fit = card_face.size_that_fits
    size = {
        "name": fit(face.name, NAME_BOX),
        "programme": fit(settings.PROGRAMME_NAME, PROGRAMME_BOX),
        "tier": fit(face.tier.name, TIER_BOX),
    }
    language = translation.get_language() or "en"
    words = {"programme_name": settings.PROGRAMME_NAME, "LANGUAGE_CODE": language}
    return render_to_string("cards/card.html", {"face": face, "size": size, "at": at} | words)


def qr_bits(url: str) -> tuple[int, bytes]:
    """A QR code of `url`, quiet zone included, as its side in pixels and its rows, one bit a pixel, 1 is white.

    Raises CodeDoesNotFit.
    """
    for level in QR_LEVELS:
        try:
            code = segno.make_qr(url, error=level, version=QR_VERSION, mask=QR_MASK, boost_error=False)
        except segno.DataOverflowError:
            continue
        side = len(code.matrix) + 2 * QUIET
        quiet, margin = b"\xff" * side * QUIET * MODULE, b"\xff" * QUIET
        rows = ((margin + row.translate(LIGHT_AND_DARK) + margin) * MODULE for row in code.matrix)
        return side * MODULE, b"".join((quiet, *rows, quiet))
    raise CodeDoesNotFit


@cache
def packaged_files() -> dict[str, bytes]:
    """Name -> content of all that a card may load."""
    return {path.name: path.read_bytes() for path in PACKAGED.rglob("*") if path.suffix in KINDS}


class Fetcher:
    """Hands out packaged files. Whatever else is asked for is refused: no other file, no network.

    It stands in for weasyprint.urls.URLFetcher, whose making is what costs time, and so is not made from it.
    """

    _fail_on_errors = False  # read by weasyprint.urls.fetch: a refused picture is left out, the card is printed

    def __call__(self, url: str) -> Any:
        from weasyprint.urls import URLFetcherResponse

        scheme, _, name = url.partition(":")
        body = packaged_files().get(name)
        if scheme != "packaged" or body is None:
            log.error("a card asked for something that is not packaged; refused")
            raise ValueError("refused")
        return URLFetcherResponse(url, body, {"Content-Type": KINDS[Path(name).suffix]})


@dataclass(frozen=True)
class Press:
    """WeasyPrint, warm: fonts, stylesheet and pictures are read once."""

    weasyprint: Any
    fonts: Any
    stylesheet: Any
    pictures: dict[str, Any]  # WeasyPrint's cache; safe to share because all our pictures are packaged files

    def print(self, page: str, code: tuple[int, bytes]) -> bytes:
        def finish(_document: Any, pdf: Any) -> None:
            _stamp(pdf, code)
            # Ask the viewer not to scale the page when it prints, so that the card keeps a bank card's size.
            pdf.catalog["ViewerPreferences"]["PrintScaling"] = "/None"

        with _one_at_a_time:
            document = self.weasyprint.HTML(string=page, base_url="packaged:", url_fetcher=Fetcher())
            pdf: bytes = document.write_pdf(
                stylesheets=[self.stylesheet],
                font_config=self.fonts,
                cache=self.pictures,
                finisher=finish,
                pdf_variant="pdf/ua-1",
            )
        return pdf


def _stamp(pdf: Any, code: tuple[int, bytes]) -> None:
    """Put the code in the place of the one picture on the page, qr.png, which is a single white pixel.

    So WeasyPrint need not decode a PNG and encode it again for each card.
    """
    (picture,) = (o for o in pdf.objects if getattr(o, "extra", {}).get("Subtype") == "/Image")
    side, rows = code
    picture.stream = [zlib.compress(rows)]
    picture.extra |= {"Width": side, "Height": side, "BitsPerComponent": 1, "Filter": "/FlateDecode"}
    del picture.extra["DecodeParms"]


def load() -> tuple[Any, Any]:
    """WeasyPrint and its fonts' class, imported when first asked for. Raises PdfIsOff.

    The worker asks before it forks: a task's time limit that struck in the middle of this import would leave half a
    module behind, and every later card of that process would fail.
    """
    try:
        import weasyprint
        from weasyprint.text.fonts import FontConfiguration
    except (ImportError, OSError) as error:
        raise PdfIsOff(
            f"Cards cannot be drawn: {str(error).splitlines()[0]}. Install Pango: `apt install libpango-1.0-0 "
            "libpangoft2-1.0-0 libharfbuzz-subset0` on Debian and Ubuntu, `brew install pango` on macOS."
        ) from error
    return weasyprint, FontConfiguration


@cache
def press() -> Press:
    """The process's press, made when the first card is printed. Raises PdfIsOff."""
    weasyprint, font_configuration = load()
    fonts = font_configuration()
    css = (PACKAGED / "card.css").read_text(encoding="utf-8")
    stylesheet = weasyprint.CSS(string=css, font_config=fonts, base_url="packaged:", url_fetcher=Fetcher())
    return Press(weasyprint, fonts, stylesheet, {})
