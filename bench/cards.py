"""Cards a second on one core, beside the loop of WeasyPrint's own documentation. `python -m bench.cards [rounds]`

All make the same card: the same template, stylesheet, fonts and tags; the text that can be extracted and the code that
is scanned are compared before anything is measured.

- plain: HTML(string=page).write_pdf(), the stylesheet in the page, the code as segno makes it
- warm: the same with one FontConfiguration for all cards
- ours: membership.card_pdf
"""

from __future__ import annotations

import io
import json
import os
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import django
import pypdf
import segno
import weasyprint
from weasyprint.text.fonts import FontConfiguration

from tests.scanner import scanned

if TYPE_CHECKING:
    from collections.abc import Callable

CARDS_A_ROUND = 8
GOAL_RATIO = 2.8  # times the plain loop
GOAL_BYTES = 60_000
NAMES = ("Ada Lovelace", "Grace Hopper", "Emmy Noether", "Sofja Kowalewskaja", "Maria Gaetana Agnesi", "Hypatia")


def main(rounds: int) -> int:
    with tempfile.TemporaryDirectory() as folder:
        makers = prepare(folder)
        check_that_all_make_the_same_card(makers)
        seconds = measure(makers, rounds)
        size = max(len(makers["ours"](name)) for name in NAMES)
    return report(seconds, size)


def prepare(folder: str) -> dict[str, Callable[[str], bytes]]:
    """The three makers: name -> PDF, over one card in a database of their own."""
    os.environ |= {"VIP_MODE": "test", "VIP_DATA": folder, "DJANGO_SETTINGS_MODULE": "membership.settings"}
    django.setup()
    from django.core.management import call_command

    from membership import card_face, card_pdf, card_token
    from tests.membership.card_cast import SUMMER, gold_card

    call_command("migrate", verbosity=0)
    card = gold_card()
    face, url, fonts = card_face.face(card, SUMMER), card_token.url(card), FontConfiguration()

    def ours(name: str) -> bytes:
        return card_pdf.draw(replace(face, name=name), url, SUMMER)

    def plain(name: str, **options: Any) -> bytes:
        code = segno.make_qr(url, error="m", boost_error=False).png_data_uri(scale=4, border=4)
        page = card_pdf.html(replace(face, name=name), SUMMER)
        page = page.replace("packaged:qr.png", code).replace("</head>", style + "</head>")
        document: bytes = weasyprint.HTML(string=page).write_pdf(pdf_variant="pdf/ua-1", **options)
        return document

    style = f"<style>{stylesheet_of_files(card_pdf.PACKAGED)}</style>"
    return {"plain": plain, "warm": lambda name: plain(name, font_config=fonts), "ours": ours}


def stylesheet_of_files(packaged: Path) -> str:
    """The card's stylesheet as WeasyPrint's own fetcher can read it: files by their address."""
    css = (packaged / "card.css").read_text(encoding="utf-8")
    css = css.replace("packaged:sprig.svg", (packaged / "sprig.svg").as_uri())
    return css.replace("packaged:", (packaged / "fonts").as_uri() + "/")


def check_that_all_make_the_same_card(makers: dict[str, Callable[[str], bytes]]) -> None:
    seen = {name: (text(make("Ada Lovelace")), scanned(make("Ada Lovelace"))) for name, make in makers.items()}
    if not (seen["plain"] == seen["warm"] == seen["ours"]) or "/c/" not in seen["ours"][1]:
        raise SystemExit(f"the makers differ, so there is nothing to compare: {seen}")


def text(pdf: bytes) -> str:
    (page,) = pypdf.PdfReader(io.BytesIO(pdf)).pages
    return page.extract_text()


def measure(makers: dict[str, Callable[[str], bytes]], rounds: int) -> dict[str, float]:
    """Median seconds of processor time a card, the makers taking turns."""
    seconds: dict[str, list[float]] = {name: [] for name in makers}
    for _ in range(rounds):
        for name, make in makers.items():
            started = time.process_time()
            for number in range(CARDS_A_ROUND):
                make(NAMES[number % len(NAMES)])
            seconds[name].append((time.process_time() - started) / CARDS_A_ROUND)
    return {name: median(values) for name, values in seconds.items()}


def report(seconds: dict[str, float], size: int) -> int:
    ratio = seconds["plain"] / seconds["ours"]
    print(f"{'maker':<8}{'ms a card':>12}{'cards/s':>10}{'times warm':>12}")
    for name, value in seconds.items():
        print(f"{name:<8}{value * 1000:>12.1f}{1 / value:>10.1f}{seconds['warm'] / value:>12.2f}")
    good = ratio >= GOAL_RATIO and size <= GOAL_BYTES
    figures = {
        "bench": "cards",
        "ratio_to_plain": round(ratio, 2),
        "ratio_to_warm": round(seconds["warm"] / seconds["ours"], 2),
    }
    figures |= {"largest_bytes": size, "goal_ratio": GOAL_RATIO, "goal_bytes": GOAL_BYTES, "holds": good}
    print(json.dumps(figures | {f"{name}_ms": round(value * 1000, 1) for name, value in seconds.items()}))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 5))
