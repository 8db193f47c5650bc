"""Keys and scopes, the other routes, and the OpenAPI document that describes them all."""

import types
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.http import Http404
from django.test import override_settings
from django.urls import path as route

from membership import card_token, cards, lifecycle
from perks import auth, decisions, fresh, keys
from perks.models import ApiKey, Shop
from perks.schemas import CheckOut, MemberDetail
from tests import factories


class TestKeys:
    def test_are_kept_as_hashes(self, shop):
        row = ApiKey.objects.get()
        assert shop.key.startswith(f"{row.prefix}_")
        assert shop.key not in str(ApiKey.objects.values().get())

    def test_work_two_at_a_time_and_no_more(self, shop, clock):
        prefix = ApiKey.objects.get().prefix
        second = keys.rotate(prefix=prefix, overlap=None, at=clock.now, actor="test")
        with pytest.raises(keys.TooManyKeys):
            keys.rotate(prefix=prefix, overlap=None, at=clock.now, actor="test")
        for key in (shop.key, second):
            shop.key = key
            assert shop.call("GET", "/perks").status_code == 200

    def test_are_refused_within_a_second_of_their_revocation(self, shop, clock, monkeypatch):
        times = iter([100.0, 100.5, 101.1])
        monkeypatch.setattr(fresh.time, "monotonic", lambda: now)
        now = next(times)
        assert shop.call("GET", "/cards/verify").status_code == 405  # does not even ask for the key
        assert shop.call("GET", "/members/1").status_code == 404
        keys.revoke(prefix=shop.key, at=clock.now, actor="test")
        now = next(times)
        assert shop.call("GET", "/members/1").status_code == 404
        now = next(times)
        assert shop.call("GET", "/members/1").status_code == 401

    def guess(self, shop):
        right, shop.key = shop.key, "vip_test_abcdefgh_" + "A" * 43
        answers = [shop.call("GET", "/perks").status_code for _ in range(auth.GUESSES_A_MINUTE + 1)]
        assert answers == [401] * auth.GUESSES_A_MINUTE + [429]
        return right

    def test_guessed_in_bursts_are_slowed_down_and_one_that_was_right_before_still_works(self, shop):
        assert shop.call("GET", "/perks").status_code == 200
        shop.key = self.guess(shop)
        fresh.forget_all()
        assert shop.call("GET", "/perks").status_code == 200

    def test_guessed_on_and_on_cost_no_query(self, shop, django_assert_num_queries):
        self.guess(shop)
        with django_assert_num_queries(0):
            answer = shop.call("GET", "/perks")
        assert (answer.status_code, answer.json()["code"]) == (429, "too_many_wrong_keys")
        assert answer.headers["Retry-After"] == "60"

    def test_may_be_tried_again_a_minute_after_a_burst(self, shop, monkeypatch):
        monkeypatch.setattr(auth.time, "monotonic", lambda: now)
        now = 1000.0
        shop.key = self.guess(shop)
        now = 1060.0
        assert shop.call("GET", "/perks").status_code == 200

    def test_of_the_other_mode_are_told_apart(self, shop):
        shop.key = "vip_live_abcdefgh_" + "A" * 43
        assert "takes test keys" in shop.call("GET", "/perks").json()["detail"]

    def test_last_use_is_noted(self, shop, clock):
        shop.call("GET", "/perks")
        decisions.flush()
        assert ApiKey.objects.get().last_used_at == clock.now

    def test_last_use_is_written_where_nothing_was_ever_decided(self, settings, monkeypatch):
        started = []
        monkeypatch.setattr(decisions, "_start", lambda: started.append(True))
        settings.VIP_MODE = "demo"
        decisions.key_was_used(1)
        assert started == [True]

    def test_more_than_two_live_ones_are_refused_by_the_database(self, shop, clock):
        row = ApiKey.objects.get()
        for slot in (1, 3):
            with pytest.raises(IntegrityError), transaction.atomic():
                ApiKey.objects.create(
                    shop=row.shop, prefix=f"p{slot}", secret_hash="h", live_slot=slot, created_at=clock.now
                )


class TestTheCommand:
    def run(self, *args):
        out = StringIO()
        call_command("shop_key", *args, stdout=out)
        return out.getvalue().strip()

    def test_creates_rotates_lists_and_revokes(self, db, client):
        first = self.run("create", "--shop", "Loden", "--scopes", "perks:check,members:read")
        second = self.run("rotate", "--shop", "Loden", "--overlap", "24")
        assert "works until" in self.run("list")
        self.run("revoke", first)
        headers = {"Authorization": f"Bearer {second}"}
        assert client.get("/api/v1/members/1", headers=headers).status_code == 404
        assert [line.split("  ")[2][:7] for line in self.run("list").splitlines()] == ["revoked", "live"]

    def test_tells_what_it_cannot_do(self, db):
        with pytest.raises(CommandError, match="no scope called fly"):
            self.run("create", "--shop", "Loden", "--scopes", "fly")
        with pytest.raises(CommandError, match="no live key"):
            self.run("rotate", "--shop", "Nobody", "--overlap", "24")
        with pytest.raises(CommandError, match="no live key"):
            self.run("revoke", "vip_test_nothing1")
        assert not Shop.objects.exists()


class TestMembers:
    def test_are_told_with_their_perks(self, shop, joined):
        membership = joined("gold-year")
        told = shop.call("GET", f"/members/{membership.member.number}").json()
        concierge = next(perk for perk in told["perks"] if perk["perk"] == "concierge")
        assert (told["standing"], told["tier"]) == ("current", "gold")
        assert told["next_change"] == "2027-03-02T10:00:00Z"  # the renewal's window opens with the term's end
        assert (concierge["perk"], concierge["uses_left"]) == ("concierge", 12)
        assert "12 requests" in concierge["words"]

    def test_without_membership_hold_nothing(self, shop, laurel):
        told = shop.call("GET", f"/members/{factories.member().number}").json()
        assert (told["standing"], told["perks"]) == (None, [])

    def test_are_tied_to_one_customer_id_once(self, shop, joined):
        ada, bob = joined().member.number, joined().member.number
        path = "/members/{}/refs".format
        assert shop.call("PUT", path(ada), {"customer_ref": "C-1"}).json() == {"number": ada, "customer_ref": "C-1"}
        assert shop.call("PUT", path(ada), {"customer_ref": "C-1"}).status_code == 200
        taken = shop.call("PUT", path(bob), {"customer_ref": "C-1"})
        assert (taken.status_code, taken.json()["code"]) == (409, "ref_taken")


class TestCatalogue:
    def test_of_perks_tells_what_each_tier_gets(self, shop, laurel):
        perks = {p["perk"]: p["tiers"] for p in shop.call("GET", "/perks").json()}
        assert perks["free-shipping"] == {
            "bronze": "Free standard delivery on every order, to 31 countries",
            "silver": "Free standard delivery on every order, to 31 countries",
            "gold": "Free delivery on every order, express too, to 31 countries",
        }
        assert perks["standing-discount"] == {"gold": "5 % off everything, always"}

    def test_of_sales_tells_when_they_open_and_for_whom(self, shop, joined, clock):
        number = joined("silver-year").member.number
        (sale,) = shop.call("GET", f"/sales?member={number}").json()
        assert sale["opens_at"] == "2026-03-03T22:00:00Z"
        assert sale["tiers"] == {"silver": "2026-03-02T22:00:00Z", "gold": "2026-03-01T22:00:00Z"}
        assert sale["member_opens_at"] == sale["tiers"]["silver"]
        assert shop.call("GET", "/sales?member=1").status_code == 404


class TestCards:
    def verify(self, shop, token):
        return shop.call("POST", "/cards/verify", {"token": token}).json()

    def test_that_are_good_tell_tier_and_end(self, shop, joined, clock):
        card = cards.issue(member=joined().member, at=clock.now, actor="system")
        assert self.verify(shop, card_token.url(card)) == {
            "valid": True,
            "tier": "gold",
            "standing": "current",
            "entitled_until": "2027-03-02T23:00:00Z",
        }

    def test_that_are_not_all_get_the_same_no(self, shop, joined, clock):
        shop.key = keys.create(shop_name="A till", scopes=["cards:verify"], at=clock.now, actor="test")
        membership, replaced = joined(), joined()
        at = clock.now
        expired = cards.issue(member=membership.member, at=at, actor="system")
        lifecycle.end(membership=membership, reason="refunded", at=at, actor="stripe")
        old = cards.issue(member=replaced.member, at=at, actor="system")
        cards.reissue(member=replaced.member, reason=cards.RevokeReason.LOST, at=at, actor="staff:1")
        tokens = [card_token.issue(expired.pk), card_token.issue(old.pk), "A" * 108, "rubbish", ""]
        assert [self.verify(shop, t) for t in tokens] == [{"valid": False, "reason": "not_valid"}] * 5

    def test_replaced_are_told_to_keys_that_read_members(self, shop, joined, clock):
        member = joined().member
        old = cards.issue(member=member, at=clock.now, actor="system")
        cards.reissue(member=member, reason=cards.RevokeReason.LOST, at=clock.now, actor="staff:1")
        assert self.verify(shop, card_token.issue(old.pk)) == {"valid": False, "reason": "replaced"}


class TestTheLane:
    def test_sets_no_cookie_and_keeps_out_of_caches(self, shop, laurel):
        response = shop.call("GET", "/perks")
        assert response.headers["Cache-Control"] == "no-store"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert not response.cookies

    def test_answers_what_a_plain_view_raises_as_well(self, client, monkeypatch):
        def nothing_here(request):
            raise Http404

        routes = types.ModuleType("routes")
        routes.urlpatterns = [route("api/v1/plain", nothing_here)]
        with override_settings(ROOT_URLCONF=routes):
            assert client.get("/api/v1/plain").json()["code"] == "not_found"

    def test_answers_its_own_mistakes_as_problems(self, shop, laurel, monkeypatch, caplog):
        def broken(**_):
            raise RuntimeError("never told outside")

        monkeypatch.setattr("perks.checks.answer", broken)
        response = shop.call("POST", "/perk-checks", {"member": {"number": "1"}})
        assert (response.status_code, response.json()["code"]) == (500, "internal_error")
        assert "never told outside" not in response.content.decode()


class TestTheSchema:
    def test_is_served_and_declares_every_refusal_as_a_problem(self, client):
        schema = client.get("/api/v1/openapi.json").json()
        for path in schema["paths"].values():
            for operation in path.values():
                assert {"200", "401", "403", "429", "500"} <= set(operation["responses"])
                for status, answer in operation["responses"].items():
                    kind = "application/json" if status == "200" else "application/problem+json"
                    assert list(answer["content"]) == [kind]

    def test_knows_the_answers_that_routes_give(self, shop, joined):
        membership = joined()
        answer = shop.check(member={"number": membership.member.number})
        assert set(CheckOut.model_validate(answer).model_dump()) == set(answer)
        detail = shop.call("GET", f"/members/{membership.member.number}").json()
        assert set(MemberDetail.model_validate(detail).model_dump()) == set(detail)


def test_a_term_ends_and_the_answer_changes_without_any_job(shop, joined, clock):
    membership = joined()
    lifecycle.cancel(membership=membership, at=clock.now, actor="member:1")
    membership.refresh_from_db()
    asked = {"member": {"number": membership.member.number}}
    clock.move_to(membership.entitled_until - timedelta(seconds=1))
    assert shop.reason("concierge", **asked) == "granted"
    clock.move(seconds=1)
    assert shop.reason("concierge", **asked) == "membership_lapsed"
