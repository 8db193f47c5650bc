"""Amounts and days in words."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.utils import timezone, translation

from membership import money
from membership.templatetags import vip


@pytest.mark.parametrize(
    ("amount", "currency", "language", "words"),
    [
        (11900, "EUR", "en", "€ 119"),
        (11950, "EUR", "en", "€ 119.50"),
        (5, "EUR", "en", "€ 0.05"),
        (123456789, "EUR", "en", "€ 1,234,567.89"),
        (123456789, "EUR", "de", "1.234.567,89 €"),
        (17500, "JPY", "en", "¥ 17,500"),
        (17500, "JPY", "de", "17.500 ¥"),
        (1234, "KWD", "en", "KWD 1.234"),
        (-500, "USD", "en", "−$ 5"),
        (0, "EUR", "de", "0 €"),
    ],
)
def test_an_amount_reads_as_its_reader_expects(amount: int, currency: str, language: str, words: str) -> None:
    assert money.text(amount, currency, language).replace("\u00a0", " ") == words


def test_columns_keep_their_decimals() -> None:
    assert money.text(11900, "EUR", "en", exact=True) == "€\u00a0119.00"


@pytest.mark.parametrize(("language", "words"), [("en", "3 May 2026"), ("de", "3. Mai 2026")])
def test_a_moment_is_read_in_the_readers_zone(language: str, words: str) -> None:
    late = datetime(2026, 5, 2, 22, 30, tzinfo=UTC)
    with translation.override(language), timezone.override("Europe/Amsterdam"):
        assert vip.day(late) == words


def test_the_last_day_comes_before_an_exclusive_end() -> None:
    assert vip.last_day(datetime(2027, 3, 2, 23, 0, tzinfo=UTC), "Europe/Amsterdam") == "2 March 2027"


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Mobile Safari/604.1", "Safari, iPhone"),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/140.0 Safari/537.36 Edg/140.0", "Edge, Windows"),
        ("curl/8.0", "curl/8.0"),
        ("", "A browser"),
    ],
)
def test_a_browser_is_named_plainly(said: str, words: str) -> None:
    assert vip.browser(said) == words
