"""manage.py refund: the quote first, then exactly it."""

from __future__ import annotations

import io

import pytest
from django.core.management import CommandError, call_command

from billing import gateway
from billing.models import Refund
from membership.models import Membership

pytestmark = pytest.mark.django_db(transaction=True)


def staff(*words: str) -> str:
    out = io.StringIO()
    call_command("refund", Membership.objects.get().member.number, *words, stdout=out)
    return out.getvalue().replace("\xa0", " ")


def at_stripe() -> list[int]:
    return [refund.amount for refund in gateway.client().v1.refunds.list({"limit": 10}).data]


class TestTheCommand:
    def test_shows_the_quote_and_does_nothing(self, joined, clock):
        clock.move(days=91)
        told = staff("--basis", "house")
        for words in ("€ 119.00  paid", "92 of 365 days have begun", "€ 89.00  given back now", "end_now", "--yes"):
            assert words in told
        assert (at_stripe(), Membership.objects.get().status) == ([], "active")

    def test_gives_exactly_the_quote(self, joined, clock):
        clock.move(days=91)
        assert "succeeded" in staff("--basis", "house", "--yes", "--actor", "staff:3")
        assert (at_stripe(), Membership.objects.get().end_reason) == ([8900], "refunded")
        assert Refund.objects.get().actor == "staff:3"

    def test_said_twice_gives_once(self, joined):
        for _ in range(2):
            staff("--basis", "goodwill", "--amount", "20.00", "--reason", "late parcel", "--yes")
        assert (at_stripe(), Membership.objects.get().status) == ([2000], "active")

    def test_said_again_with_another_end_is_another(self, joined):
        said = ["--basis", "goodwill", "--amount", "20.00", "--reason", "late parcel", "--yes"]
        staff(*said)
        for _ in range(2):
            staff(*said, "--end-on", "2026-06-30")
        assert list(Refund.objects.order_by("pk").values_list("effect", flat=True)) == ["money_only", "end_at"]
        assert (at_stripe(), Membership.objects.get().cut_at is not None) == ([2000, 2000], True)

    def test_can_name_a_last_day(self, joined):
        staff("--basis", "goodwill", "--amount", "20", "--reason", "moves away", "--end-on", "2026-06-30", "--yes")
        assert f"{Membership.objects.get().cut_at:%Y-%m-%d %H:%M}" == "2026-06-30 22:00"  # midnight in Amsterdam

    @pytest.mark.parametrize(
        ("words", "refusal"),
        [
            (["--amount", "20", "--yes"], "reason"),
            (["--amount", "60", "--reason", "late", "--yes"], "second person"),
            (["--amount", "60", "--reason", "late", "--approved-by", "staff:console", "--yes"], "second person"),
            (["--amount", "60", "--reason", "late", "--approved-by", "staff:2", "--yes"], "second person"),
            (["--amount", "119.01", "--reason", "late", "--approved-by", "staff:2", "--yes"], "More than"),
            (["--amount", "1.005", "--reason", "late", "--yes"], "digits"),
            (["--amount", "many", "--reason", "late", "--yes"], "a number"),
        ],
    )
    def test_says_why_it_refuses(self, joined, words, refusal):
        with pytest.raises(CommandError, match=refusal):
            staff("--basis", "goodwill", *words)
        assert at_stripe() == []

    def test_knows_when_the_law_gives_no_right_any_more(self, joined, clock):
        clock.move(days=15)
        with pytest.raises(CommandError, match="nothing to give back"):
            staff("--basis", "cooling_off")
