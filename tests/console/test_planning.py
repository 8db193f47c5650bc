"""Another plan by staff in a member's place: less begins with the renewal; more is the member's alone to confirm."""

from __future__ import annotations

import pytest

from billing.models import PlanQuote
from membership import stories
from membership.models import AuditEntry, Consent, Member, Membership, Tier
from perks.models import Perk, TierPerk
from tests.billing.changing import at_stripe, paid, tier
from tests.billing.conftest import mails
from tests.billing.test_plan_at_the_renewal import through_the_renewal
from tests.console import clerks
from tests.console.test_membership_acts import REASON, Desk, said
from tests.console.test_terms import plan, text_of
from tests.invariants import breached_once_worked_off

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def desk(silver, clock) -> Desk:
    """A clerk at the page of Ada, half way through a year of silver."""
    return Desk()


class TestWhatCostsNoMore:
    def test_begins_with_the_renewal_and_is_told(self, desk, clock):
        shown = desk.look("plan", plan=plan("bronze-year"))
        assert said(shown)[:2] == [
            "They hold Silver until 2 March 2027. Nothing is charged or given back now.",
            "On 2 March 2027 the renewal buys Bronze for € 29, in place of € 59.",
        ]
        desk.confirm(shown)
        assert (paid(), tier(clock), Membership.objects.get().plan.code) == ([5900], "silver", "bronze-year")
        (letter,) = mails("plan_at_renewal")
        assert "renews on 2 March 2027 as Bronze, for € 29.00." in letter.text.replace("\xa0", " ")
        line = next(one for one in stories.of(Member.objects.get()).lines if "will buy" in one.words)
        assert (line.who, line.reason) == ("Vik Rao", REASON)
        assert breached_once_worked_off() == set()

    def test_is_charged_so_when_the_day_comes(self, desk, clock, live):
        desk.do("plan", plan=plan("bronze-year"))
        through_the_renewal(live)
        assert (paid(), tier(clock)) == ([5900, 2900], "bronze")

    def test_is_taken_back_at_what_was_agreed(self, desk):
        desk.do("plan", plan=plan("bronze-year"))
        desk.do("plan", plan=plan("silver-year"), once="another")
        assert Membership.objects.get().plan.code == "silver-year"
        assert at_stripe()["items"].data[0].price.unit_amount == 5900


class TestWhatCostsMore:
    def test_is_only_offered_with_its_quote(self, desk, clock):
        perk = Perk.objects.create(code="five", kind="percent_discount", settings={"percent": "5"}, names={"en": "5 %"})
        TierPerk.objects.create(perk=perk, tier=Tier.objects.get(code="gold"), settings={})
        shown = desk.look("plan", plan=plan("gold-year"))
        lines = said(shown)
        assert lines[0].startswith("It costs more than the member has agreed to, so only they can take it.")
        assert lines[1:2] == [
            "At this moment Gold would cost € 30.00, for the rest of the term. It renews for € 119.00 on 2 March 2027.",
        ]
        assert lines[2].startswith("New: 5 %")
        assert desk.confirm(shown).status_code == 302
        desk.confirm(shown)  # sent twice, it is one mail
        (letter,) = mails("plan_offered")
        assert "/portal/change-plan/" in letter.text
        assert (paid(), tier(clock), Membership.objects.get().plan.code) == ([5900], "silver", "silver-year")
        assert not PlanQuote.objects.exists()
        assert not Consent.objects.filter(kind="plan-change").exists()
        assert AuditEntry.objects.get(verb="offer_plan").data["reason"] == REASON
        assert breached_once_worked_off() == set()

    def test_twin_no_button_of_staff_charges_it(self, desk, clock):
        for words in ({"confirmed": "yes"}, {"theirs": ""}):
            desk.look("plan", plan=plan("gold-year"), **words)
        assert (paid(), tier(clock), mails("plan_offered")) == ([5900], "silver", [])


def test_is_offered_only_where_it_fits_and_to_nobody_for_themselves(desk, clock):
    desk.do("cancel")  # what does not renew buys nothing less at its renewal
    refused = desk.look("plan", plan=plan("bronze-year"))
    assert (refused.status_code, "cannot be changed right now" in text_of(refused)) == (409, True)
    desk.clerk.user = Member.objects.get().user
    desk.clerk.save()
    desk.client = clerks.at_desk(desk.clerk)
    assert desk.look("plan", plan=plan("gold-year")).status_code == 403
