"""POST /perk-checks through the door: every reason, every way to name a member, every bad request."""

from datetime import timedelta

import orjson
import pytest

from membership import card_token, cards, households, lifecycle
from membership.models import Card
from membership.signals import membership_changed
from perks import decisions, keys
from perks.models import ApiKey, Decision, Grant, Perk, TierPerk
from tests import factories
from tests.perks.conftest import basket


def number(membership):
    return {"number": membership.member.number}


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


class TestReasons:
    """Each through the door, with the programme of the demo or a small change to it."""

    @pytest.mark.parametrize(
        ("perk", "changes", "expected"),
        [
            ("free-shipping", {}, "granted"),
            ("free-shipping", {"shipping": None}, "nothing_eligible"),
            ("free-shipping", {"shipping": {"country": "BR", "method": "standard", "amount": 1}}, "country_excluded"),
            ("free-shipping", {"shipping": {"country": "NL", "method": "drone", "amount": 1}}, "method_excluded"),
            ("free-shipping", {"currency": "CHF"}, "currency_mismatch"),
            ("standing-discount", {"currency": "CHF"}, "currency_mismatch"),
            ("standing-discount", {"lines": []}, "nothing_eligible"),
            ("early-access", {}, "granted"),
            ("concierge", {}, "granted"),
            ("fortune-telling", {}, "unknown_perk"),
        ],
    )
    def test_that_follow_from_the_basket(self, shop, joined, perk, changes, expected):
        assert shop.reason(perk, member=number(joined()), basket=basket(**changes)) == expected

    @pytest.mark.parametrize(
        ("perk", "settings", "asked", "expected"),
        [
            ("free-shipping", {"minimum_basket": {"EUR": 20000}}, basket(), "below_minimum"),
            ("standing-discount", {"excluded_categories": ["coats"]}, basket(), "item_excluded"),
            (
                "standing-discount",
                {"stacking": "not_with_other_discounts"},
                basket(discounts=[{"code": "SPRING", "amount": 500}]),
                "not_stackable",
            ),
        ],
    )
    def test_that_follow_from_the_perks_own_rules(self, shop, laurel, joined, perk, settings, asked, expected):
        sold = TierPerk.objects.get(tier__code="gold", perk__code=perk)
        sold.settings = {**sold.settings, **settings}
        sold.save()
        assert shop.reason(perk, member=number(joined()), basket=asked) == expected

    @pytest.mark.parametrize(
        ("hours", "expected"), [(0, "not_open_yet"), (11, "not_open_yet"), (12, "granted"), (36 + 21 * 24, "closed")]
    )
    def test_that_follow_from_a_sales_dates(self, shop, joined, clock, hours, expected):
        membership = joined("silver-year")
        line = {"id": "1", "sku": "A", "quantity": 1, "unit_amount": 100, "sale": "winter-sale"}
        clock.move(hours=hours)
        assert shop.reason("early-access", member=number(membership), basket=basket(lines=[line])) == expected

    def test_of_somebody_unknown_and_of_somebody_without_membership(self, shop, laurel):
        assert shop.reason("free-shipping", member={"number": "1234567890"}) == "unknown_member"
        assert shop.reason("free-shipping", member={"number": "not a number"}) == "unknown_member"
        assert shop.reason("free-shipping", member={"number": factories.member().number}) == "not_a_member"

    def test_of_somebody_who_has_not_paid_yet_and_of_one_who_never_did(self, shop, laurel, clock):
        who, plan, at = factories.member(), factories.plan("gold-year"), clock.now
        membership = lifecycle.reserve(member=who, plan=plan, currency="EUR", at=at, actor="system")
        assert shop.reason("free-shipping", member={"number": who.number}) == "membership_pending"
        lifecycle.end(membership=membership, reason="expired", at=at, actor="system")
        assert shop.reason("free-shipping", member={"number": who.number}) == "not_a_member"

    def test_of_a_membership_that_is_stopped_paused_ended_or_over(self, shop, joined, clock):
        stopped, paused, ended, over = (joined() for _ in range(4))
        at, by = clock.now, "staff:1"
        lifecycle.suspend(membership=stopped, source="staff", source_ref="x", at=at, actor=by)
        lifecycle.pause(membership=paused, until=at + timedelta(days=5), at=at, actor=by)
        lifecycle.end(membership=ended, reason="refunded", at=at, actor=by)
        assert shop.reason("free-shipping", member=number(stopped), basket=basket()) == "membership_suspended"
        assert shop.reason("free-shipping", member=number(paused), basket=basket()) == "membership_paused"
        assert shop.reason("free-shipping", member=number(ended), basket=basket()) == "membership_ended"
        clock.move(days=400)
        assert shop.reason("free-shipping", member=number(over), basket=basket()) == "membership_lapsed"

    def test_in_grace_perks_go_on_or_stop_as_they_were_sold(self, shop, joined, clock):
        membership = joined()
        clock.move(days=368)
        answer = shop.check(member=number(membership), basket=basket())
        assert answer["member"]["standing"] == "grace"
        reasons = {d["perk"]: d["reason"] for d in answer["decisions"]}
        assert (reasons["free-shipping"], reasons["concierge"]) == ("granted", "payment_overdue")

    def test_of_a_perk_used_up(self, shop, joined, clock):
        membership = joined()
        Grant.objects.filter(perk__code="concierge", term__isnull=False).update(
            settings={**Grant.objects.filter(perk__code="concierge").first().settings, "allowance": {"uses": 1}}
        )
        grant = Grant.objects.get(perk__code="concierge", term__isnull=False)
        at = clock.now
        grant.redemptions.create(
            shop=ApiKey.objects.get().shop,
            period="term",
            slot=1,
            allowance=1,
            idempotency_key="k",
            request_hash="h",
            order_ref="o",
            currency="EUR",
            held_at=at,
            expires_at=at,
        )
        membership_changed.send(sender=type(membership), membership=membership, at=at)
        (decision,) = shop.check(member=number(membership), perks=["concierge"])["decisions"]
        assert (decision["reason"], decision["uses_left"]) == ("used_up", 0)


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


class TestBadRequests:
    @pytest.mark.parametrize(
        ("question", "field"),
        [
            ({}, "member"),
            ({"member": {}}, "member"),
            ({"member": {"number": "1", "card": "x"}}, "member"),
            ({"member": {"number": "1"}, "baskets": {}}, "baskets"),
            ({"member": {"number": "1"}, "basket": basket(currency="euro")}, "basket.currency"),
            ({"member": {"number": "1"}, "basket": {"lines": []}}, "basket.currency"),
            ({"member": {"number": "1"}, "basket": basket(lines=[{"id": "1"}])}, "basket.lines.0.sku"),
            (
                {"member": {"number": "1"}, "basket": basket(lines=[basket()["lines"][0] | {"quantity": 0}])},
                "basket.lines.0.quantity",
            ),
            (
                {"member": {"number": "1"}, "basket": basket(lines=[basket()["lines"][0] | {"unit_amount": 1.5}])},
                "basket.lines.0.unit_amount",
            ),
            (
                {"member": {"number": "1"}, "basket": basket(lines=[basket()["lines"][0] | {"unit_amount": -1}])},
                "basket.lines.0.unit_amount",
            ),
            (
                {"member": {"number": "1"}, "basket": basket(lines=[basket()["lines"][0] | {"unit_amount": 10**13}])},
                "basket.lines.0.unit_amount",
            ),
            ({"member": {"number": "1"}, "basket": basket(lines=basket()["lines"] * 2)}, "basket"),
            ({"member": {"number": "1"}, "perks": "all"}, "perks"),
        ],
    )
    def test_that_cannot_be_understood_name_the_field(self, shop, question, field):
        response = shop.call("POST", "/perk-checks", question)
        problem = response.json()
        assert (response.status_code, response.headers["Content-Type"]) == (422, "application/problem+json")
        assert (problem["code"], problem["status"]) == ("invalid_request", 422)
        assert field in [e["field"] for e in problem["errors"]]

    def test_with_an_unknown_plan(self, shop, laurel):
        response = shop.call("POST", "/perk-checks", {"if_joined": "platinum-year"})
        assert (response.status_code, response.json()["code"]) == (422, "unknown_plan")

    @pytest.mark.parametrize("body", [b"{", b"\xff", b'{"member": NaN}'])
    def test_that_are_not_json(self, shop, body):
        response = shop.call("POST", "/perk-checks", body)
        assert (response.status_code, response.json()["code"]) == (400, "invalid_json")

    def test_without_a_body_are_told_so(self, shop):
        response = shop.call("POST", "/perk-checks", b"")
        assert (response.status_code, response.json()["detail"]) == (422, "Field required")

    def test_that_are_too_big(self, shop):
        response = shop.call("POST", "/perk-checks", b" " * 600_000)
        assert (response.status_code, response.json()["code"]) == (413, "body_too_big")

    @pytest.mark.parametrize(
        ("method", "path", "status", "code"),
        [
            ("GET", "/perk-checks", 405, "method_not_allowed"),
            ("DELETE", "/members/1", 405, "method_not_allowed"),
            ("GET", "/nothing", 404, "not_found"),
            ("GET", "/", 404, "not_found"),
            ("GET", "/perk-checks/chk_unknown", 404, "unknown_check"),
            ("GET", "/members/1", 404, "unknown_member"),
        ],
    )
    def test_to_the_wrong_door(self, shop, method, path, status, code):
        response = shop.call(method, path)
        assert (response.status_code, response.json()["code"]) == (status, code)
        assert response.headers["Content-Type"] == "application/problem+json"


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
        shop.check(**asked)  # key and catalogue are known for a second from here
        for question, count in ((asked, 18), (asked | {"perks": ["concierge"]}, 1), (silver, 18)):
            with django_assert_num_queries(1):
                response = shop.call("POST", "/perk-checks", question)
            assert len(orjson.loads(response.content)["decisions"]) == count
