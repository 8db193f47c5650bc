"""The printed card: one tagged page with a code that scans, whatever the member is called."""

from __future__ import annotations

import io
import logging
import sys

import numpy
import pdfua
import pypdf
import pytest

from membership import card_face, card_pdf, card_token, cards, lifecycle
from tests import hostile
from tests.membership.card_cast import IN_GRACE, LAPSED, SUMMER, gold_card
from tests.scanner import code_width, picture, scanned

pytestmark = pytest.mark.django_db

POINT = 25.4 / 72  # mm
NAMES = hostile.names()


def text(pdf: bytes) -> str:
    return " ".join(pypdf.PdfReader(io.BytesIO(pdf)).pages[0].extract_text().split())


@pytest.fixture
def asked(monkeypatch):
    """Every address that WeasyPrint asks the fetcher for."""
    heard = []
    answer = card_pdf.Fetcher.__call__

    def listen(self, url):
        heard.append(url)
        return answer(self, url)

    monkeypatch.setattr(card_pdf.Fetcher, "__call__", listen)
    return heard


class TestRender:
    def test_is_one_small_page_whose_text_can_be_read(self):
        pdf = card_pdf.render(gold_card(), SUMMER)
        assert len(pypdf.PdfReader(io.BytesIO(pdf)).pages) == 1
        assert len(pdf) <= 60_000
        for words in ("Ada Lovelace", "Gold", "Laurel & Co", "10 March 2027"):
            assert words in text(pdf)

    def test_shows_the_number_in_groups(self):
        card = gold_card()
        number = card.member.number
        assert f"{number[:4]} {number[4:8]} {number[8:]}" in text(card_pdf.render(card, SUMMER))

    def test_has_a_code_that_scans_and_verifies(self):
        card = gold_card()
        found = scanned(card_pdf.render(card, SUMMER))
        assert found == card_token.url(card)
        assert cards.check(found, at=SUMMER).valid

    def test_has_a_code_at_least_28_mm_wide(self):
        assert code_width(card_pdf.render(gold_card(), SUMMER)) >= 28

    def test_is_tagged_and_clean_under_pdfua(self, tmp_path):
        path = tmp_path / "card.pdf"
        path.write_bytes(card_pdf.render(gold_card(), SUMMER))
        assert [f.message for f in pdfua.validate(path).findings] == []

    def test_has_a_title_a_language_and_true_size(self):
        reader = pypdf.PdfReader(io.BytesIO(card_pdf.render(gold_card(), SUMMER)))
        assert reader.metadata is not None
        assert str(reader.metadata.title).startswith("Gold card ")
        assert reader.trailer["/Root"]["/Lang"] == "en"
        assert reader.trailer["/Root"]["/ViewerPreferences"]["/PrintScaling"] == "/None"

    def test_speaks_the_member_s_language(self):
        card = gold_card(language="de")
        reader = pypdf.PdfReader(io.BytesIO(card_pdf.render(card, SUMMER)))
        assert reader.trailer["/Root"]["/Lang"] == "de"
        assert "10. M" in reader.pages[0].extract_text()

    def test_says_when_a_renewal_is_awaited(self):
        assert "goes on until 24 March 2027" in text(card_pdf.render(gold_card(), IN_GRACE))

    def test_says_when_a_membership_is_suspended(self):
        card = gold_card()
        membership = card.member.memberships.get()
        lifecycle.suspend(membership=membership, source="staff", source_ref="case 1", at=SUMMER, actor="staff:1")
        assert "suspended" in text(card_pdf.render(card, SUMMER))

    def test_refuses_a_lapsed_membership(self):
        with pytest.raises(card_face.NoCardToShow):
            card_pdf.render(gold_card(), LAPSED)

    def test_refuses_a_revoked_card(self):
        card = gold_card()
        cards.revoke(card=card, reason=cards.RevokeReason.LOST, at=SUMMER, actor="staff:1")
        with pytest.raises(card_face.NoCardToShow):
            card_pdf.render(card, SUMMER)

    def test_names_the_missing_library(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "weasyprint", None)
        monkeypatch.setattr(card_pdf, "press", card_pdf.press.__wrapped__)
        with pytest.raises(card_pdf.PdfIsOff, match="libpango"):
            card_pdf.render(gold_card(), SUMMER)


class TestFetcher:
    @pytest.mark.parametrize(
        "url",
        [
            "http://evil.example/x.png",
            "https://localhost/",
            "file:///etc/passwd",
            "data:image/png;base64,AA==",
            "packaged:../card.css",
            "packaged:/etc/passwd",
            "packaged:",
            "qr.png",
            "evil:qr.png",
            "ftp://evil.example/inter-latin-400.woff2",
        ],
    )
    def test_refuses_all_that_is_not_packaged(self, url):
        with pytest.raises(ValueError, match="refused"):
            card_pdf.Fetcher()(url)

    def test_leaves_a_refused_picture_out_and_prints_the_rest(self, asked, caplog):
        pictures = "<img alt=x src=http://evil.example/x.png><img alt=y src=packaged:qr.png>"
        page = f"<html lang=en><title>t</title><p>words{pictures}"
        caplog.set_level(logging.CRITICAL, "weasyprint")
        assert "words" in text(card_pdf.press().print(page, card_pdf.qr_bits("x")))
        assert "http://evil.example/x.png" in asked


class TestCode:
    def test_gives_up_error_correction_before_it_grows(self):
        side, _ = card_pdf.qr_bits("https://" + "m" * 60 + "/c/" + "x" * 108)
        assert side == (49 + 8) * card_pdf.MODULE

    def test_refuses_an_address_too_long_for_a_home_printer(self):
        with pytest.raises(card_pdf.CodeDoesNotFit):
            card_pdf.qr_bits("https://" + "m" * 200)


class TestHostileNames:
    def test_are_200_and_no_longer_than_the_roll_allows(self):
        assert len(set(NAMES)) == 200
        assert max(len(name) for name in NAMES) == hostile.LONGEST

    def test_leave_the_card_whole_and_fetch_nothing(self, asked, caplog):
        """All 200 onto cards: one page, only our own pictures asked for, the number legible, the code scans."""
        card = gold_card()
        caplog.set_level(logging.CRITICAL, "fontTools")
        for name in NAMES:
            card.member.name = name
            pdf = card_pdf.render(card, SUMMER)
            pages = pypdf.PdfReader(io.BytesIO(pdf)).pages
            assert len(pages) == 1, name
            assert tuple(round(float(x) * POINT) for x in pages[0].mediabox[2:]) == (105, 148), name
            assert len(pdf) <= 60_000, name
            assert card.member.number[:4] in pages[0].extract_text(), name
            assert not pypdf.PdfReader(io.BytesIO(pdf)).trailer["/Root"].get("/OpenAction"), name
        assert all(url.removeprefix("packaged:") in card_pdf.packaged_files() for url in asked)

    @pytest.mark.parametrize("name", NAMES[::8])
    def test_stay_inside_their_box(self, name):
        """Whatever the name, the rest of the page is the same to the pixel, so the code scans too."""
        card = gold_card()
        plain = picture(card_pdf.render(card, SUMMER), dpi=100)
        card.member.name = name
        other = picture(card_pdf.render(card, SUMMER), dpi=100)
        differs = numpy.argwhere((plain != other).any(axis=2)) * 25.4 / 100
        if len(differs):
            (top, left), (bottom, right) = differs.min(axis=0), differs.max(axis=0)
            assert top >= 24
            assert bottom <= 9.7 + 15.4 + 19.5
            assert left >= 14
            assert right <= 9.7 + 5 + 39.5

    def test_can_be_read_where_they_are_long(self):
        card = gold_card()
        card.member.name = "Maria Wilhelmina Josephina Antonia van der Oosterhuis Hoogenboom tot Westerbeek van Eerten"
        assert card.member.name in text(card_pdf.render(card, SUMMER))


class TestClean:
    @pytest.mark.parametrize(
        ("name", "shown"),
        [
            ("Ada Lovelace", "Ada Lovelace"),
            ("  Ada\t\r\n Lovelace ", "Ada Lovelace"),
            ("\u202eecalevoL", "ecalevoL"),
            ("A\u0301\u0301\u0301\u0301\u0301", "Á\u0301\u0301\u0301"),
            ("נוּר", "נוּר"),
            ("می\u200cخواهم", "می\u200cخواهم"),
            ("\u200b\x00", ""),
            ("x" * 500, "x" * 119 + "…"),
        ],
    )
    def test_leaves_one_line_that_can_be_set(self, name, shown):
        assert card_face.clean(name) == shown

    def test_that_leaves_nothing_is_called_member(self):
        card = gold_card()
        card.member.name = "\u200b\u200b"
        assert card_face.face(card, SUMMER).name == "Member"


class TestShortName:
    @pytest.mark.parametrize(
        ("name", "shown"),
        [
            ("Ada Lovelace", "Ada L."),
            ("Ada", "Ada"),
            ("", ""),
            ("Anna Maria van Dijk", "Anna D."),
            ("王 小明", "王 小."),
        ],
    )
    def test_is_first_name_and_last_initial(self, name, shown):
        assert card_face.short_name(name) == shown
