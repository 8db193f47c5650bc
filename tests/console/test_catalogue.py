"""The catalogue: a manager drafts, previews and publishes; nothing reaches anybody before, nothing sold is taken."""

from __future__ import annotations

import pytest

from membership.models import AuditEntry
from perks import drafts, fresh, spreading
from perks.models import Perk, Publication, TierPerk
from tests.console import clerks
from tests.perks.conftest import basket, joined, laurel, number, shop
from tests.perks.redeeming import wrong
from tests.perks.test_kind_forms import typed

__all__ = ["joined", "laurel", "shop"]
pytestmark = pytest.mark.django_db
AT = "/console/catalogue/perks/standing-discount/"
GOLD = f"{AT}tiers/gold/"


@pytest.fixture
def desk(laurel):
    return clerks.at_desk(clerks.hired("manager", "Mara Voss"))


@pytest.fixture
def colleague(laurel):
    return clerks.at_desk(clerks.hired("manager", "Ines Roth"))


def filled(desk, path, **changes):
    """What a browser sends of the page's form with `changes`."""
    context = desk.get(path).context
    return {**typed(context["form"]), "saw": context["saw"], **changes}


def save(desk, path=GOLD, **changes):
    return desk.post(path, filled(desk, path, **changes))


def page(desk, path=AT):
    return " ".join(desk.get(path).content.decode().split())


def publish(desk, at=AT, **asked):
    """Both looks of the step."""
    told = {"reason": "Spring campaign", **asked}
    first = desk.post(f"{at}publish/", told)
    assert first.status_code == 200, first.content.decode()
    answer = desk.post(f"{at}publish/", told | {"confirmed": first.context["mark"]})
    fresh.forget_all()
    return answer


def payable(shop, membership):
    return shop.check(member=number(membership), basket=basket(), perks=["standing-discount"])["totals"]["payable"]


FIVE, TEN = 12900 + 495 - 645, 12900 + 495 - 1290


class TestADraft:
    def test_changes_nothing_for_anybody(self, desk, shop, joined):
        membership = joined("gold-year")
        assert save(desk, percent="10")["Location"] == AT
        assert payable(shop, membership) == FIVE
        assert payable(shop, joined("gold-year")) == FIVE

    def test_says_who_saved_it_and_what_it_would_do(self, desk, joined):
        joined("gold-year")
        save(desk, percent="10")
        told = page(desk)
        assert "Draft 1, saved by Mara Voss" in told
        assert "Gold: “5 % off everything, always” becomes “10 % off everything, always”." in told
        assert "Gold, Percent off: 5 → 10." in told
        assert "It takes nothing from anybody in Gold: it may be given to 1 membership now." in told
        assert "<del>5 % off everything, always</del>" in told
        assert "<ins>10 % Nachlass auf alles" in told

    def test_that_takes_something_away_says_from_how_many_and_what(self, desk, joined):
        joined("gold-year"), joined("gold-year")
        save(desk, percent="4")
        assert "It takes something from 2 memberships of Gold: “Percent off”." in page(desk)

    def test_that_cannot_be_is_said_at_its_field_and_kept_as_typed(self, desk):
        answer = save(desk, percent="101")
        assert answer.status_code == 422
        assert "at most 100 percent" in answer.content.decode()
        assert answer.context["form"]["percent"].value() == "101"
        assert not drafts.current(Perk.objects.get(code="standing-discount"))

    def test_of_what_is_on_sale_already_is_none(self, desk):
        answer = save(desk)
        assert (answer.status_code, "there is nothing to draft" in answer.content.decode()) == (409, True)

    @pytest.mark.parametrize("code", ["free-shipping", "early-access", "concierge", "birthday-gift", "workshops"])
    def test_of_no_kind_is_made_by_saving_what_is_shown(self, desk, code):
        assert save(desk, f"/console/catalogue/perks/{code}/tiers/gold/").status_code == 409

    def test_is_thrown_away_and_with_it_a_perk_that_was_nothing_else(self, desk):
        desk.post("/console/catalogue/new-perk/", {"name_en": "Wrap", "code": "wrap", "kind": "service"})
        assert Perk.objects.filter(code="wrap").exists()
        desk.post("/console/catalogue/perks/wrap/put/", {"do": "discard", "number": "1"})
        assert not Perk.objects.filter(code="wrap").exists()


class TestTwoAtOnce:
    def test_the_second_is_told_and_loses_nothing(self, desk, colleague):
        hers = filled(desk, GOLD, percent="10")
        save(colleague, percent="7")
        answer = desk.post(GOLD, hers)
        told = answer.content.decode()
        assert answer.status_code == 409
        assert "Ines Roth saved a draft on" in told
        assert "Percent off: theirs 7, yours 10" in told
        assert answer.context["form"]["percent"].value() == "10"

    def test_the_second_may_put_theirs_in_its_place_once_told(self, desk, colleague):
        hers = filled(desk, GOLD, percent="10")
        save(colleague, percent="7")
        seen = desk.post(GOLD, hers).context["saw"]
        assert desk.post(GOLD, hers | {"saw": seen})["Location"] == AT
        perk = Perk.objects.get(code="standing-discount")
        assert [d.content["tiers"]["gold"]["percent"] for d in perk.drafts.all()] == ["7", "10"]

    def test_what_was_read_is_published_or_shown_anew(self, desk, colleague):
        save(desk, percent="10")
        told = {"reason": "Spring"}
        read = desk.post(f"{AT}publish/", told).context["mark"]
        save(colleague, percent="7")
        answer = desk.post(f"{AT}publish/", told | {"confirmed": read})
        assert (answer.status_code, Publication.objects.count()) == (409, 0)
        assert "becomes “7 % off everything, always”" in answer.content.decode()

    def test_what_was_drafted_on_another_catalogue_is_not_published(self, desk):
        save(desk, percent="10")
        TierPerk.objects.filter(perk__code="standing-discount").update(settings={"percent": "6"})
        first = desk.post(f"{AT}publish/", {"reason": "Spring"})
        answer = desk.post(f"{AT}publish/", {"reason": "Spring", "confirmed": first.context["mark"]})
        assert (answer.status_code, Publication.objects.count()) == (409, 0)


class TestPublishing:
    def test_reaches_who_joins_from_then_on_and_leaves_what_was_sold(self, desk, shop, joined):
        before = joined("gold-year")
        save(desk, percent="10")
        assert publish(desk)["Location"] == AT
        spreading.sweep(at=Publication.objects.get().published_at)
        assert (payable(shop, before), payable(shop, joined("gold-year"))) == (FIVE, TEN)
        assert wrong() == set()

    def test_reaches_everybody_now_where_it_takes_nothing(self, desk, shop, joined, clock):
        members = [joined("gold-year"), joined("gold-year")]
        save(desk, percent="10")
        publish(desk, now_for=["gold"])
        spreading.sweep(at=clock.now)
        assert [payable(shop, m) for m in members] == [TEN, TEN]
        assert "2 memberships got it at once." in page(desk)
        assert wrong() == set()

    def test_is_not_offered_now_where_it_takes_something(self, desk, joined):
        joined("gold-year")
        save(desk, percent="4")
        answer = desk.post(f"{AT}publish/", {"reason": "Less", "now_for": ["gold"]})
        assert answer.status_code == 200
        assert "now_for" not in answer.context["form"].fields

    def test_keeps_the_reason_with_who_did_it(self, desk):
        save(desk, percent="10")
        publish(desk)
        entry = AuditEntry.objects.get(verb="publish_perk")
        assert (entry.data["reason"], entry.subject) == ("Spring campaign", "perk:standing-discount")
        assert "Mara Voss: “Spring campaign”" in page(desk)

    def test_lets_a_renewal_that_is_awaited_follow(self, desk, joined, clock):
        membership = joined("gold-year")
        save(desk, percent="4")
        publish(desk)
        spreading.sweep(at=clock.now)
        held = membership.grants.filter(perk__code="standing-discount").order_by("starts_at")
        assert [grant.settings["percent"] for grant in held] == ["5", "4"]
        assert wrong() == set()


class TestAPerkOnATier:
    def test_that_did_not_carry_it_is_sold_to_who_joins(self, desk, shop, joined, clock):
        silver = joined("silver-year")
        save(desk, f"{AT}tiers/silver/", percent="3")
        assert "Silver gets it anew: “3 % off everything, always”." in page(desk)
        publish(desk, now_for=["silver"])
        spreading.sweep(at=clock.now)
        assert payable(shop, silver) == payable(shop, joined("silver-year")) == 12900 + 495 - 387
        assert payable(shop, joined("gold-year")) == FIVE
        assert wrong() == set()

    def test_that_is_new_is_drafted_and_published(self, desk, shop, joined):
        made = {"name_en": "Gift wrap", "name_de": "Geschenkpapier", "code": "wrap", "kind": "service"}
        answer = desk.post("/console/catalogue/new-perk/", made)
        at = "/console/catalogue/perks/wrap/"
        assert answer["Location"] == at
        assert desk.post(f"{at}publish/", {"reason": "x"}).status_code == 200
        save(desk, f"{at}tiers/gold/", service__en="Gift wrap", service__de="Geschenkpapier")
        assert shop.reason("wrap", member=number(joined("gold-year"))) == "unknown_perk"
        publish(desk, at)
        assert shop.reason("wrap", member=number(joined("gold-year"))) == "granted"

    def test_goes_from_sale_and_stays_with_who_bought_it(self, desk, shop, joined, clock):
        before = joined("gold-year")
        desk.post(f"{AT}put/", {"do": "retire", "saw": desk.get(AT).context["saw"]})
        assert "1 membership of Gold has bought it, and keeps it until its term ends." in page(desk)
        publish(desk)
        spreading.sweep(at=clock.now)
        assert payable(shop, before) == FIVE
        assert shop.reason("standing-discount", member=number(joined("gold-year"))) == "unknown_perk"
        assert wrong() == set()

    def test_whose_code_is_taken_is_refused(self, desk):
        made = {"name_en": "Again", "code": "returns", "kind": "service"}
        answer = desk.post("/console/catalogue/new-perk/", made)
        assert (answer.status_code, "already" in answer.content.decode()) == (422, True)
