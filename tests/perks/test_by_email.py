"""Finding a member by e-mail: only as they allow, and nobody learns from the answers who is one."""

import re

import pytest
from django.core import mail
from django.core.management import call_command

from membership import clock as product_clock
from membership import signup
from membership.models import Message
from perks import confirmations, keys
from perks.models import Decision, EmailConfirmation
from tests import factories
from tests.perks.conftest import basket

NOBODY = "nobody@example.org"


@pytest.fixture
def ada(joined):
    return joined("gold-year").member


def allow(member, clock):
    signup.choose(member=member, sale_letters=True, found_by_email=True, at=clock.now, actor="member:1")


def check(shop, email, **confirmed):
    return shop.check(member={"email": email, **confirmed}, basket=basket(), perks=["free-shipping"])


def ask(shop, email):
    response = shop.call("POST", "/email-confirmations", {"email": email})
    assert response.status_code == 200, response.content
    return response.json()["id"]


def confirm(shop, ident, code):
    return shop.call("POST", f"/email-confirmations/{ident}/confirm", {"code": code}).json()


def mailed_code():
    call_command("tick")
    (message,) = Message.objects.filter(kind="shop_code")
    return re.search(r"^(\d{3} \d{3})$", message.text, re.MULTILINE)[1]


class TestAnAddressAlone:
    def test_tells_nothing_of_a_member_who_did_not_allow_it(self, shop, ada):
        told, of_nobody = check(shop, ada.user.email), check(shop, NOBODY)
        assert told.pop("id") != of_nobody.pop("id")
        assert told == of_nobody
        assert told["decisions"][0]["reason"] == "email_unconfirmed"
        assert told["member"] is None

    def test_costs_the_same_reads_whoever_has_it(self, shop, ada, django_assert_num_queries):
        check(shop, NOBODY)
        for email in (NOBODY, ada.user.email):
            with django_assert_num_queries(2):
                check(shop, email)

    def test_answers_of_a_member_who_allows_it_in_any_spelling(self, shop, ada, clock):
        allow(ada, clock)
        told = check(shop, f"  {ada.user.email.upper()}  ".strip())
        assert (told["decisions"][0]["reason"], told["member"]["number"]) == ("granted", ada.number)

    def test_needs_its_scope(self, shop, ada, clock):
        shop.key = keys.create(shop_name="Till", scopes=["perks:check"], at=clock.now, actor="test")
        refused = shop.call("POST", "/perk-checks", {"member": {"email": ada.user.email}})
        assert (refused.status_code, refused.json()["code"]) == (403, "missing_scope")
        assert "members:email" in refused.json()["detail"]

    def test_is_not_kept_with_the_check(self, shop, ada, clock):
        allow(ada, clock)
        ident = check(shop, ada.user.email)["id"]
        replay = shop.call("GET", f"/perk-checks/{ident}").json()
        assert replay["today"]["decisions"][0]["reason"] == "granted"
        assert ada.user.email not in Decision.objects.get().question

    def test_that_was_allowed_once_is_told_of_no_more_when_it_is_not(self, shop, ada, clock):
        allow(ada, clock)
        ident = check(shop, ada.user.email)["id"]
        signup.choose(member=ada, sale_letters=True, found_by_email=False, at=clock.now, actor="member:1")
        assert check(shop, ada.user.email)["decisions"][0]["reason"] == "email_unconfirmed"
        replay = shop.call("GET", f"/perk-checks/{ident}").json()
        assert replay["today"]["member"] is None

    @pytest.mark.parametrize(
        "who", [{"email": "no address"}, {"email": "a@b", "number": "1"}, {"number": "1", "confirmation": "emc_1"}]
    )
    def test_is_refused_where_it_is_none_or_not_alone(self, shop, laurel, who):
        assert shop.call("POST", "/perk-checks", {"member": who}).status_code == 422


class TestACode:
    def test_opens_the_perks_to_this_shop_for_an_hour(self, shop, ada, monkeypatch):
        ident = ask(shop, ada.user.email)
        assert check(shop, ada.user.email, confirmation=ident)["decisions"][0]["reason"] == "email_unconfirmed"
        answer = confirm(shop, ident, mailed_code())
        assert (answer["confirmed"], answer["guesses_left"]) == (True, 4)
        assert check(shop, ada.user.email, confirmation=ident)["member"]["number"] == ada.number
        assert check(shop, NOBODY, confirmation=ident)["member"] is None
        later = product_clock.wall() + confirmations.HOLDS_FOR
        monkeypatch.setattr(product_clock, "wall", lambda: later)
        assert check(shop, ada.user.email, confirmation=ident)["member"] is None

    def test_is_mailed_to_the_member_and_names_the_shop(self, shop, ada):
        ask(shop, ada.user.email)
        code = mailed_code()
        call_command("tick")
        assert f"Your code for Loden & Sons: {code}" in [sent.subject for sent in mail.outbox]
        assert {to for sent in mail.outbox for to in sent.to} == {ada.user.email}
        assert EmailConfirmation.objects.get().email == ""

    def test_is_answered_for_nobody_as_for_a_member_and_mailed_to_none(self, shop, ada, django_assert_num_queries):
        answers = []
        for email in (ada.user.email, NOBODY):
            ask(shop, email)  # what is counted for the shop this hour is there from here on
            with django_assert_num_queries(5):
                answers.append(shop.call("POST", "/email-confirmations", {"email": email}).json())
        assert answers[0].keys() == answers[1].keys()
        call_command("tick")
        assert {m.to for m in Message.objects.filter(kind="shop_code")} == {ada.user.email}
        assert not EmailConfirmation.objects.exclude(email="").exists()

    def test_of_nobody_is_never_right(self, shop, laurel):
        ident = ask(shop, NOBODY)
        call_command("tick")
        assert confirm(shop, ident, confirmations.code_of(ident))["confirmed"] is False

    def test_may_be_guessed_five_times_and_then_not_even_the_right_one_counts(self, shop, ada):
        ident = ask(shop, ada.user.email)
        code = mailed_code()
        wrong = "000 000" if code != "000 000" else "111 111"
        assert [confirm(shop, ident, wrong)["guesses_left"] for _ in range(6)] == [4, 3, 2, 1, 0, 0]
        assert confirm(shop, ident, code)["confirmed"] is False

    def test_said_again_after_it_was_right_stays_right(self, shop, ada):
        ident = ask(shop, ada.user.email)
        code = mailed_code()
        first = confirm(shop, ident, code)
        assert confirm(shop, ident, code) == first

    def test_is_of_one_shop_and_for_a_quarter_of_an_hour(self, shop, ada, clock, monkeypatch):
        ident, right = ask(shop, ada.user.email), shop.key
        shop.key = keys.create(shop_name="Another", scopes=list(keys.SCOPES), at=clock.now, actor="test")
        assert confirm(shop, ident, "1")["code"] == "unknown_confirmation"
        shop.key, code = right, mailed_code()
        later = product_clock.wall() + confirmations.GOOD_FOR
        monkeypatch.setattr(product_clock, "wall", lambda: later)
        assert confirm(shop, ident, code)["code"] == "unknown_confirmation"

    def test_is_mailed_five_times_an_hour_and_then_refused_for_every_address_alike(self, shop, ada):
        for email in (ada.user.email, NOBODY):
            for _ in range(confirmations.MAILS_PER_ADDRESS):
                ask(shop, email)
            refused = shop.call("POST", "/email-confirmations", {"email": email})
            assert (refused.status_code, refused.json()["code"]) == (429, "too_many")

    def test_is_forgotten_after_a_day(self, shop, laurel, monkeypatch):
        ask(shop, NOBODY)
        assert confirmations.sweep() == 0
        later = product_clock.wall() + confirmations.GOOD_FOR + confirmations.FORGOTTEN_AFTER * 2
        monkeypatch.setattr(product_clock, "wall", lambda: later)
        assert confirmations.sweep() == 1


class TestTheSetting:
    def test_is_the_members_own_off_at_first_and_kept_when_it_changes(self, client, ada):
        client.force_login(ada.user)
        page = client.get("/portal/settings/").content.decode()
        assert re.search(r'<input type="checkbox" name="sale_letters"[^>]* checked>', page)
        assert re.search(r'<input type="checkbox" name="found_by_email"(?![^>]* checked)', page)
        form = {"name": ada.name, "language": "en", "time_zone": "Europe/Amsterdam"}
        client.post("/portal/settings/", form | {"found_by_email": "on", "sale_letters": "on"})
        ada.refresh_from_db()
        assert ada.found_by_email
        (told,) = ada.timeline.filter(kind="chose")
        assert told.data == {"found_by_email": True}

    def test_is_not_asked_of_staff(self, client, db):
        client.force_login(factories.user())
        assert "found_by_email" not in client.get("/portal/settings/").content.decode()
