"""Goodwill through staff's command: given with a reason and an end, and it never takes anything."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from membership import audit
from membership.models import AuditEntry, TimelineEntry
from perks.goodwill import take_back
from perks.models import Grant
from tests.perks.conftest import basket, number

REASON = ("--reason", "parcel came late", "--actor", "staff:3")


def goodwill(membership, *args):
    out = StringIO()
    call_command("goodwill", membership.member.number, *args, stdout=out)
    return out.getvalue()


def give(membership, perk, *more, until="2026-03-31"):
    return goodwill(membership, perk, "--until", until, *REASON, *more, "--yes")


class TestGiven:
    def test_to_somebody_whose_tier_lacks_it_until_the_end_of_their_own_day(self, shop, joined, clock):
        membership = joined("silver-year")
        assert shop.reason("standing-discount", member=number(membership), basket=basket()) == "not_in_tier"
        assert "5 % off everything, always, until 2026-03-31" in give(membership, "standing-discount")
        answer = shop.check(member=number(membership), basket=basket(), perks=["standing-discount"])
        assert (answer["decisions"][0]["reason"], answer["totals"]["discount"]) == ("granted", 645)
        clock.move(days=29)  # 31 March, noon
        assert shop.check(member=number(membership), perks=["standing-discount"])["valid_until"][:16] == (
            "2026-03-31T22:00"  # Amsterdam's midnight
        )
        clock.move(hours=12)
        assert shop.reason("standing-discount", member=number(membership), basket=basket()) == "not_in_tier"

    def test_with_reason_and_owner_kept_where_people_look(self, joined):
        membership = joined("silver-year")
        give(membership, "concierge", "--set", '{"allowance": {"uses": 1}}')
        grant = Grant.objects.get(source="goodwill")
        assert (grant.reason, grant.owner, grant.settings["allowance"]["uses"]) == ("parcel came late", "staff:3", 1)
        assert AuditEntry.objects.get(verb="give_perk").data["reason"] == "parcel came late"
        assert TimelineEntry.objects.get(kind="give_perk").member == membership.member

    def test_and_taken_back(self, shop, joined):
        membership = joined("silver-year")
        give(membership, "concierge")
        assert shop.reason("concierge", member=number(membership)) == "granted"
        goodwill(membership, "--take-back", str(Grant.objects.get(source="goodwill").pk), "--yes")
        assert shop.reason("concierge", member=number(membership)) == "not_in_tier"

    def test_taken_back_for_a_reason_of_its_own(self, joined, clock):
        give(joined("silver-year"), "concierge")
        at = clock.move(days=2)
        with audit.because("given to the wrong member"):
            take_back(grant=Grant.objects.get(source="goodwill"), at=at, actor="staff:4")
        kept = AuditEntry.objects.get(verb="take_perk_back").data
        assert (kept["reason"], kept["until"]) == ("given to the wrong member", at.isoformat())

    def test_beside_what_was_bought_and_used_first(self, shop, joined):
        membership = joined("gold-year")
        give(membership, "alterations", "--set", '{"allowance": {"uses": 1}}')
        left = []
        for n in range(3):
            check = shop.check(member=number(membership), perks=["alterations"])
            left.append(check["decisions"][0]["uses_left"])
            shop.commit(shop.hold(check, "alterations", order=str(n)))
        assert left == [1, 2, 1]  # the gesture, then the two that were bought
        assert shop.reason("alterations", member=number(membership)) == "used_up"


class TestRefused:
    @pytest.mark.parametrize(
        ("args", "told"),
        [
            (("concierge", "--until", "2026-03-31", "--yes"), "no_reason"),
            (("concierge", "--until", "2026-03-01", *REASON, "--yes"), "ends_too_early"),
            (("concierge", *REASON, "--yes"), "--until which day"),
            (("juggling", "--until", "2026-03-31", *REASON, "--yes"), "Name a perk"),
            (("--take-back", "999", "--yes"), "no such grant"),
            (
                ("concierge", "--until", "2026-03-31", *REASON, "--set", '{"first_answer_hours": 0}', "--yes"),
                "“Hours to the first answer”: must be at least 1.",
            ),
        ],
    )
    def test_in_words(self, joined, args, told):
        with pytest.raises(CommandError, match=told):
            goodwill(joined("silver-year"), *args)

    def test_what_was_bought_is_not_taken_back(self, joined):
        membership = joined("gold-year")
        bought = Grant.objects.filter(membership=membership, source="term").first()
        with pytest.raises(CommandError, match="not_given"):
            goodwill(membership, "--take-back", str(bought.pk), "--yes")

    def test_without_yes_nothing_is_done(self, joined):
        assert "Nothing is done yet" in goodwill(joined(), "concierge", "--until", "2026-03-31", *REASON)
        assert not Grant.objects.filter(source="goodwill").exists()
