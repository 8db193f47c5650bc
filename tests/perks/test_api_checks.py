"""POST /perk-checks through the door: the answer, every way to name a member, the log, what it costs."""

import orjson

from membership import card_token, cards, households
from membership.models import Card
from perks import decisions, keys
from perks.models import Decision, Perk, TierPerk
from tests import factories
from tests.perks.conftest import basket, number


class TestTheAnswer:
    def test_is_the_one_that_the_documentation_shows(self, shop, joined, clock):
        membership = joined("gold-year")
        asked = {"member": number(membership), "basket": basket(), "perks": ["free-shipping", "standing-discount"]}
        answer = shop.check(**asked, channel="web", if_joined=None)
        assert answer.pop("id").startswith("chk_")
        assert answer == {
            "decided_at": "2026-03-02T10:00:00Z",
            "valid_until": "2026-03-03T10:00:00Z",
            "stale": False,
            "member": {
                "number": membership.member.number,
                "tier": "gold",
                "standing": "current",
                "entitled_until": "2027-03-02T23:00:00Z",
            },
            "decisions": [
                {
                    "perk": "free-shipping",
                    "kind": "free_shipping",
                    "allowed": True,
                    "reason": "granted",
                    "message": "Free standard delivery to the Netherlands.",
                    "effect": {"target": "shipping", "amount_off": 495},
                    "uses_left": None,
                    "resets_at": None,
                    "opens_at": None,
                    "action_url": None,
                },
                {
                    "perk": "standing-discount",
                    "kind": "percent_discount",
                    "allowed": True,
                    "reason": "granted",
                    "message": "5 % off everything.",
                    "effect": {"target": "lines", "amount_off": 645, "lines": [{"id": "1", "amount_off": 645}]},
                    "uses_left": None,
                    "resets_at": None,
                    "opens_at": None,
                    "action_url": None,
                },
            ],
            "totals": {
                "lines": 12900,
                "shipping": 495,
                "discount": 645,
                "shipping_discount": 495,
                "other_discounts": 0,
                "payable": 12255,
            },
            "join_offer": None,
        }

    def test_decides_every_published_perk_where_none_is_named(self, shop, joined):
        answer = shop.check(member=number(joined("silver-year")), basket=basket())
        assert {d["perk"]: d["reason"] for d in answer["decisions"]} == {
            "free-shipping": "granted",
            "early-access": "not_open_yet",
            "standing-discount": "not_in_tier",
            "concierge": "not_in_tier",
            "alterations": "not_in_tier",
            "birthday-gift": "not_in_tier",
            "returns": "not_in_tier",
            "workshops": "not_in_tier",
        }

    def test_speaks_the_language_asked_for(self, shop, joined):
        asked = {"member": number(joined()), "basket": basket(), "perks": ["standing-discount"]}
        response = shop.call("POST", "/perk-checks", asked, Accept_Language="de-CH, en;q=0.5")
        assert response.headers["Content-Language"] == "de"

    def test_counts_yen_without_decimals(self, shop, joined):
        yen = basket(currency="JPY", shipping={"country": "JP", "method": "express", "amount": 900})
        totals = shop.check(member=number(joined()), basket=yen)["totals"]
        assert (totals["discount"], totals["shipping_discount"]) == (645, 900)

    def test_can_tell_what_joining_now_would_give(self, shop, laurel):
        answer = shop.check(basket=basket(), if_joined="gold-year")
        assert (answer["member"]["tier"], answer["totals"]["payable"]) == ("gold", 12255)

    def test_suggests_joining_where_this_basket_saves_a_fair_share_of_the_fee(self, shop, laurel):
        costly = basket(lines=[{"id": "1", "sku": "COAT-9", "quantity": 1, "unit_amount": 200000}])
        offer = shop.check(member={"number": "0"}, basket=costly)["join_offer"]
        assert (offer["plan"], offer["fee"], offer["saving"]) == ("gold-year", 11900, 10495)
        assert shop.check(member={"number": "0"}, basket=basket())["join_offer"] is None

    def test_of_a_household_seat_is_its_payers(self, shop, joined, clock):
        holder = factories.member()
        households.open_seat(membership=joined(), holder=holder, at=clock.now, actor="staff:1")
        assert shop.reason("concierge", member={"number": holder.number}) == "granted"


class TestNamingTheMember:
    def test_by_card_as_token_or_url(self, shop, joined, clock):
        membership = joined()
        card = cards.issue(member=membership.member, at=clock.now, actor="system")
        for text in (card_token.issue(card.pk), card_token.url(card)):
            answer = shop.check(member={"card": text}, perks=["concierge"])
            assert answer["member"]["number"] == membership.member.number

    def test_by_a_revoked_or_forged_card_names_nobody(self, shop, joined, clock):
        card = cards.issue(member=joined().member, at=clock.now, actor="system")
        token = card_token.issue(card.pk)
        cards.revoke(card=Card.objects.get(), reason=cards.RevokeReason.LOST, at=clock.now, actor="staff:1")
        for text in (token, token[:-1] + ("A" if token[-1] != "A" else "B"), "rubbish"):
            assert shop.reason("concierge", member={"card": text}) == "unknown_member"

    def test_by_the_shops_own_customer_id(self, shop, joined):
        membership = joined()
        shop.call("PUT", f"/members/{membership.member.number}/refs", {"customer_ref": "C-7"})
        answer = shop.check(member={"customer_ref": "C-7"}, perks=["concierge"])
        assert answer["member"]["number"] == membership.member.number
        assert shop.reason("concierge", member={"customer_ref": "C-8"}) == "unknown_member"

    def test_by_another_shops_customer_id_names_nobody(self, shop, joined, clock):
        shop.call("PUT", f"/members/{joined().member.number}/refs", {"customer_ref": "C-7"})
        shop.key = keys.create(shop_name="Another", scopes=["perks:check"], at=clock.now, actor="test")
        assert shop.reason("concierge", member={"customer_ref": "C-7"}) == "unknown_member"


class TestTheLog:
    def test_keeps_question_and_answer_for_a_replay(self, shop, joined):
        membership = joined()
        answer = shop.check(member=number(membership), basket=basket(), perks=["standing-discount"])
        perk = Perk.objects.get(code="standing-discount")
        Perk.objects.filter(pk=perk.pk).update(published=False)
        replay = shop.call("GET", f"/perk-checks/{answer['id']}").json()
        assert replay["question"]["basket"] == basket()
        assert replay["answer"] == answer
        assert replay["today"]["decisions"][0]["reason"] == "granted"  # sold is sold
        assert Decision.objects.get().member_id == membership.member_id

    def test_is_closed_to_other_shops(self, shop, laurel, clock):
        ident = shop.check(member={"number": "1"})["id"]
        shop.key = keys.create(shop_name="Another", scopes=["perks:check"], at=clock.now, actor="test")
        assert shop.call("GET", f"/perk-checks/{ident}").status_code == 404

    def test_keeps_no_card_token(self, shop, joined, clock):
        card = cards.issue(member=joined().member, at=clock.now, actor="system")
        ident = shop.check(member={"card": card_token.issue(card.pk)}, perks=["concierge"])["id"]
        replay = shop.call("GET", f"/perk-checks/{ident}").json()
        assert replay["question"]["member"] == {"card": "(not kept)"}
        assert replay["today"]["decisions"][0]["reason"] == "granted"

    def test_forgets_after_thirteen_months(self, shop, laurel, clock):
        shop.check(member={"number": "1"})
        decisions.flush()
        assert decisions.sweep(at=clock.move(days=395)) == 0
        assert decisions.sweep(at=clock.move(days=2)) == 1


class TestCost:
    def test_is_one_query_however_many_perks_are_asked_for(self, shop, joined, django_assert_num_queries):
        asked = {"member": number(joined()), "basket": basket()}
        for n in range(14):
            perk = Perk.objects.create(code=f"more-{n}", names={"en": "More"}, kind="concierge", settings={})
            TierPerk.objects.create(tier=factories.plan("silver-year").tier, perk=perk)
        silver = {"member": number(joined("silver-year")), "basket": basket()}
        every = Perk.objects.count()
        shop.check(**asked)  # key and catalogue are known for a second from here
        for question, count in ((asked, every), (asked | {"perks": ["concierge"]}, 1), (silver, every)):
            with django_assert_num_queries(1):
                response = shop.call("POST", "/perk-checks", question)
            assert len(orjson.loads(response.content)["decisions"]) == count
