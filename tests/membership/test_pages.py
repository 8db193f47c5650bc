"""The public pages and the portal's first page, in each standing a member can have."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.test import Client

from membership import lifecycle
from membership.models import Member, Membership, Plan, Price
from tests import factories

if TYPE_CHECKING:
    from tests.moment import Clock

pytestmark = pytest.mark.django_db


def text_of(client: Client, path: str, **headers: str) -> str:
    answer = client.get(path, headers=headers)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().replace("\u00a0", " ").split())


@pytest.fixture
def ada() -> Member:
    return factories.member("Ada Lovelace")


@pytest.fixture
def her(client: Client, ada: Member) -> Client:
    client.force_login(ada.user)
    return client


def reserved(member: Member, clock: Clock, plan: str = "gold-year") -> Membership:
    return lifecycle.reserve(member=member, plan=factories.plan(plan), currency="EUR", at=clock.now, actor="test")


def paid(member: Member, clock: Clock, plan: str = "gold-year") -> Membership:
    """A membership with its first paid term from now: to the end of 2 March 2027."""
    membership = reserved(member, clock, plan)
    fact: dict[str, Any] = {"source": "paid", "source_ref": f"in_{membership.pk}", "plan": membership.plan}
    lifecycle.add_term(membership=membership, at=clock.now, actor="test", **fact)
    return Membership.objects.with_facts().get(pk=membership.pk)


class TestPlans:
    def test_show_first_and_renewal_price_together_before_the_way_to_join(self, client: Client) -> None:
        factories.plan("gold-year")
        page = text_of(client, "/plans/")
        assert "€ 119 for the first year, renews at € 119 a year until you cancel." in page
        assert "Not now" in page

    def test_speak_the_currency_that_is_asked_for(self, client: Client) -> None:
        factories.plan("gold-year")
        assert "¥ 23,800" in text_of(client, "/plans/?currency=jpy")
        assert "€ 119" in text_of(client, "/plans/?currency=XXX")

    def test_say_that_a_plan_bought_once_does_not_renew(self, client: Client) -> None:
        factories.plan("gold-once")
        assert "It does not renew." in text_of(client, "/plans/")

    def test_leave_out_what_is_not_published_and_prices_that_are_retired(self, client: Client, clock: Clock) -> None:
        factories.plan("silver-year", published=False)
        factories.plan("gold-year")
        Price.objects.filter(currency="USD").update(retired_at=clock.now)
        page = text_of(client, "/plans/")
        assert "Silver" not in page
        assert "USD" not in page

    def test_say_so_when_nothing_is_on_sale(self, client: Client) -> None:
        assert "No membership is on sale today" in text_of(client, "/plans/")

    def test_show_a_member_what_they_have_instead(self, her: Client, ada: Member, clock: Clock) -> None:
        paid(ada, clock)
        page = text_of(her, "/plans/")
        assert "member until 2 March 2027" in page
        assert "This is what you have." in page
        assert "Join Gold" not in page
        assert "Not now" not in page

    def test_make_one_column_a_tier_however_many_there_are(self, client: Client) -> None:
        for code in ("bronze-year", "silver-year", "silver-month", "gold-year"):
            factories.plan(code)
        assert client.get("/plans/").content.count(b'class="plan tier-') == 3


class TestHome:
    def test_leads_to_the_plans(self, client: Client) -> None:
        assert "See what membership brings" in text_of(client, "/")

    def test_leads_a_member_to_the_portal(self, her: Client, ada: Member, clock: Clock) -> None:
        paid(ada, clock)
        assert "Go to my portal" in text_of(her, "/")


class TestPortal:
    def test_greets_and_names_the_number(self, her: Client, ada: Member, clock: Clock) -> None:
        page = text_of(her, "/portal/")
        assert "Good to see you, Ada Lovelace." in page
        assert f"{ada.number[:4]} {ada.number[4:8]} {ada.number[8:]}" in page

    def test_invites_who_has_no_membership(self, her: Client, clock: Clock) -> None:
        assert "no membership yet" in text_of(her, "/portal/")

    def test_waits_for_the_payment(self, her: Client, ada: Member, clock: Clock) -> None:
        reserved(ada, clock)
        page = text_of(her, "/portal/")
        assert "Your Gold membership waits for its payment." in page
        assert "Your card" not in page

    def test_names_the_last_day_that_counts(self, her: Client, ada: Member, clock: Clock) -> None:
        paid(ada, clock)
        page = text_of(her, "/portal/")
        assert "Your Gold membership is valid until 2 March 2027." in page
        assert "Member since 2 March 2026" in page

    def test_says_that_a_canceled_one_runs_on_to_that_day(self, her: Client, ada: Member, clock: Clock) -> None:
        lifecycle.cancel(membership=paid(ada, clock), at=clock.now, actor="test")
        assert "It does not renew. You keep everything until that day." in text_of(her, "/portal/")

    def test_tells_until_when_a_missed_renewal_is_waited_for(self, her: Client, ada: Member, clock: Clock) -> None:
        membership = paid(ada, clock)
        assert membership.entitled_until
        clock.move_to(membership.entitled_until + timedelta(days=1))
        page = text_of(her, "/portal/")
        assert "Your renewal has not been paid yet" in page
        assert "paid for ended on 2 March 2027. We keep your place until 16 March 2027" in page

    def test_welcomes_back_who_has_lapsed(self, her: Client, ada: Member, clock: Clock) -> None:
        paid(ada, clock)
        clock.move(days=500)
        page = text_of(her, "/portal/")
        assert "ran until 2 March 2027" in page
        assert "Join again" in page

    def test_says_that_it_ended_and_why(self, her: Client, ada: Member, clock: Clock) -> None:
        lifecycle.end(membership=paid(ada, clock), reason="refunded", at=clock.now, actor="test", cut_at=clock.now)
        page = text_of(her, "/portal/")
        assert "Your membership ended on 2 March 2026." in page
        assert "Your payment was refunded." in page

    def test_says_until_when_it_rests(self, her: Client, ada: Member, clock: Clock) -> None:
        lifecycle.pause(membership=paid(ada, clock), until=clock.now + timedelta(days=30), at=clock.now, actor="test")
        assert "rests until 1 April 2026" in text_of(her, "/portal/")

    @pytest.mark.parametrize(
        ("source", "words"), [("dispute", "Your bank is looking into"), ("staff", "We are looking into something")]
    )
    def test_is_kind_about_a_stop(self, her: Client, ada: Member, clock: Clock, source: str, words: str) -> None:
        lifecycle.suspend(membership=paid(ada, clock), source=source, source_ref="stop-1", at=clock.now, actor="test")
        page = text_of(her, "/portal/")
        assert words in page
        assert "club@laurel.example" in page

    def test_speaks_the_members_language(self, client: Client, clock: Clock) -> None:
        bob = factories.member("Bob", language="de")
        paid(bob, clock)
        client.force_login(bob.user)
        page = text_of(client, "/portal/")
        assert '<html lang="de">' in page
        assert "2. März 2027" in page

    def test_has_words_for_an_account_that_is_not_on_the_roll(self, client: Client) -> None:
        client.force_login(factories.user())
        assert "Good to see you." in text_of(client, "/portal/")


class TestLanguage:
    def test_follows_the_browser_then_the_choice(self, client: Client) -> None:
        assert '<html lang="de">' in text_of(client, "/", accept_language="de-AT")
        answer = client.post("/language/", {"language": "en", "next": "/plans/?currency=JPY"})
        assert answer.headers["Location"] == "/plans/?currency=JPY"
        assert '<html lang="en">' in text_of(client, "/", accept_language="de-AT")

    def test_is_kept_with_the_account(self, her: Client, ada: Member) -> None:
        her.post("/language/", {"language": "de"})
        ada.user.refresh_from_db()
        assert ada.user.language == "de"

    def test_leads_nowhere_else(self, client: Client) -> None:
        answer = client.post("/language/", {"language": "de", "next": "https://evil.example/"})
        assert answer.headers["Location"] == "/"


class TestHeaders:
    @pytest.mark.parametrize("path", ["/", "/plans/", "/account/login/", "/account/signup/", "/nothing/"])
    def test_forbid_strangers_and_keep_pages_out_of_caches(self, client: Client, path: str) -> None:
        answer = client.get(path)
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "no-store" in answer.headers["Cache-Control"]

    @pytest.mark.parametrize("path", ["/", "/plans/", "/account/login/", "/account/signup/"])
    def test_have_nothing_to_forbid(self, client: Client, path: str) -> None:
        page = client.get(path).content
        assert b"style=" not in page
        assert b"<script>" not in page
        assert b" onclick" not in page


class TestTrouble:
    def test_an_unknown_address_is_told_kindly(self, client: Client) -> None:
        answer = client.get("/nothing/")
        assert answer.status_code == 404
        assert b"There is nothing at this address" in answer.content

    def test_a_form_without_its_token_changes_nothing(self) -> None:
        answer = Client(enforce_csrf_checks=True).post("/language/", {"language": "de"})
        assert answer.status_code == 403
        assert b"The form had expired" in answer.content
        assert "vip_language" not in answer.cookies

    def test_an_error_of_ours_gets_a_reference(self, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("membership.views.pages._currency", lambda request: 1 / 0)
        client.raise_request_exception = False
        answer = client.get("/plans/")
        assert answer.status_code == 500
        assert b"mention this reference" in answer.content

    def test_a_refusal_of_the_domain_is_a_page_under_its_own_status(
        self, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(request: object) -> str:
            raise lifecycle.AlreadyMember

        monkeypatch.setattr("membership.views.pages._currency", refuse)
        answer = client.get("/plans/")
        assert answer.status_code == 409
        assert b"That was not possible" in answer.content


class TestHealth:
    def test_is_well_while_the_database_answers(self, client: Client) -> None:
        assert client.get("/healthz").json() == {"status": "ok"}


def test_a_plan_without_a_price_in_the_currency_is_not_offered(client: Client) -> None:
    factories.plan("gold-year")
    Price.objects.filter(plan=factories.plan("silver-year"), currency="JPY").delete()
    assert Plan.objects.count() == 2
    assert "Silver" not in text_of(client, "/plans/?currency=JPY")


class TestAddressesThatTakeFormsOnly:
    def test_are_a_page_for_whoever_types_them_in(self, client):
        answer = client.get("/language/", headers={"Accept": "text/html,*/*"})
        assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
        assert "only takes what a form sends" in answer.content.decode()

    def test_answer_programs_as_before(self, client):
        answer = client.get("/language/", headers={"Accept": "application/json"})
        assert (answer.status_code, answer.content) == (405, b"")
