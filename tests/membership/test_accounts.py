"""Accounts through their own pages: sign up, verify, log in, and what strangers may not learn."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from django.core.cache import cache
from django.db import connection
from django.test import Client

from membership import accounts
from membership.models import Member, Message, SearchKey, TimelineEntry, User

if TYPE_CHECKING:
    from django.http import HttpResponse

pytestmark = pytest.mark.django_db

EMAIL = "ada@example.org"
PASSWORD = "correct horse battery"


def newest_code(to: str = EMAIL) -> str:
    """The code in the newest mail to an address, as a person would read it."""
    found = re.search(r"^([A-Z0-9]{4}-[A-Z0-9]{4})$", Message.objects.filter(to=to)[0].text, re.MULTILINE)
    assert found
    return found.group(1)


def sign_up(client: Client, **more: str) -> HttpResponse:
    form = {"name": "Ada Lovelace", "email": EMAIL, "password1": PASSWORD, **more}
    return client.post("/account/signup/", form)  # type: ignore[return-value]


def plain(answer: Any) -> str:
    """A page without what differs each time."""
    return re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"', "", answer.content.decode())


def joined(client: Client, **more: str) -> User:
    """Ada with a verified account, logged in."""
    sign_up(client, **more)
    client.post("/account/confirm-email/", {"code": newest_code()})
    return User.objects.get(email=EMAIL)


class TestSignUp:
    def test_enters_the_person_on_the_roll_and_writes_the_code(self, client: Client) -> None:
        answer = sign_up(client, time_zone="Asia/Tokyo")
        member = Member.objects.get()
        assert answer.headers["Location"] == "/account/confirm-email/"
        assert (member.name, member.user.email, member.user.time_zone) == ("Ada Lovelace", EMAIL, "Asia/Tokyo")
        assert TimelineEntry.objects.filter(member=member, kind="signed_up").exists()
        assert Message.objects.get().kind == "account_verify"

    def test_takes_the_house_zone_where_the_browser_names_none_that_exists(self, client: Client) -> None:
        sign_up(client, time_zone="Mars/Olympus")
        assert User.objects.get().time_zone == "Europe/Amsterdam"

    def test_remembers_the_language_of_the_page_and_writes_in_it(self, client: Client) -> None:
        client.post("/language/", {"language": "de"})
        sign_up(client)
        assert User.objects.get().language == "de"
        assert Message.objects.get().language == "de"

    @pytest.mark.django_db(transaction=True)
    def test_hashes_the_password_before_any_transaction(
        self, client: Client, settings: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Hashing is slow by intent; on SQLite everybody who writes would wait for it."""
        held = []

        def encode(hasher: MD5PasswordHasher, password: str, salt: str) -> str:
            held.append(connection.in_atomic_block)
            return quickly(hasher, password, salt)

        quickly = MD5PasswordHasher.encode
        monkeypatch.setattr(MD5PasswordHasher, "encode", encode)
        sign_up(client)
        sign_up(Client(), name="Somebody Else")
        assert held == [False, False]
        assert User.objects.get().check_password(PASSWORD)

    def test_logs_in_once_the_code_is_entered(self, client: Client) -> None:
        sign_up(client)
        answer = client.post("/account/confirm-email/", {"code": newest_code().lower().replace("-", "")})
        assert answer.headers["Location"] == "/portal/"
        assert client.get("/portal/").status_code == 200

    def test_refuses_a_wrong_code_beside_its_field(self, client: Client) -> None:
        sign_up(client)
        answer = client.post("/account/confirm-email/", {"code": "WRON-GONE"})
        assert answer.status_code == 200
        assert b'aria-invalid="true"' in answer.content
        assert client.get("/portal/").status_code == 302

    def test_leaves_nothing_half_done_when_the_roll_refuses(
        self, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(**_: object) -> None:
            raise RuntimeError

        monkeypatch.setattr("membership.signup.create_member", refuse)
        with pytest.raises(RuntimeError):
            sign_up(client)
        assert not User.objects.exists()

    def test_keeps_what_was_typed(self, client: Client) -> None:
        answer = sign_up(client, password1="short")
        assert b'value="Ada Lovelace"' in answer.content
        assert not User.objects.exists()


class TestTakenAddress:
    def test_looks_the_same_on_the_page_and_is_told_by_mail(self, client: Client) -> None:
        first = sign_up(Client())
        again = sign_up(client, name="Somebody Else")
        assert again.headers["Location"] == first.headers["Location"]
        assert client.get("/account/confirm-email/").status_code == 200
        assert Message.objects.filter(to=EMAIL)[0].kind == "account_exists"
        assert User.objects.count() == 1

    def test_shows_the_very_same_page(self, client: Client) -> None:
        first = Client()
        sign_up(first)
        sign_up(client, name="Somebody Else")
        assert plain(client.get("/account/confirm-email/")) == plain(first.get("/account/confirm-email/"))

    def test_is_told_in_the_same_way_when_two_sign_up_at_once(
        self, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        sign_up(Client())
        monkeypatch.setattr("allauth.account.forms.flows.manage_email.email_already_exists", lambda e: (e, False))
        answer = sign_up(client, name="Ada in another tab")
        assert answer.headers["Location"] == "/account/confirm-email/"
        assert (User.objects.count(), Member.objects.count()) == (1, 1)

    def test_an_unknown_address_looks_the_same_when_a_code_is_asked_for(self, client: Client) -> None:
        joined(Client())
        known = Client().post("/account/login/code/", {"email": EMAIL})
        unknown = client.post("/account/login/code/", {"email": "nobody@example.org"})
        assert known.headers["Location"] == unknown.headers["Location"]
        assert Message.objects.filter(to="nobody@example.org")[0].kind == "account_unknown"


class TestLogIn:
    def test_by_password(self, client: Client) -> None:
        joined(Client())
        answer = client.post("/account/login/", {"login": EMAIL, "password": PASSWORD})
        assert answer.headers["Location"] == "/portal/"

    def test_by_code(self, client: Client) -> None:
        joined(Client())
        client.post("/account/login/code/", {"email": EMAIL})
        answer = client.post("/account/login/code/confirm/", {"code": newest_code()})
        assert answer.headers["Location"] == "/portal/"

    def test_says_no_more_than_that_the_two_do_not_belong_together(self, client: Client) -> None:
        joined(Client())
        wrong = client.post("/account/login/", {"login": EMAIL, "password": "not this one"})
        unknown = client.post("/account/login/", {"login": "nobody@example.org", "password": "not this one"})
        sentence = b"This e-mail address and password do not belong together."
        assert sentence in wrong.content
        assert sentence in unknown.content

    def test_brings_back_to_where_an_ended_session_was(self, client: Client) -> None:
        joined(Client())
        sent_away = client.get("/portal/settings/")
        answer = client.post(sent_away.headers["Location"], {"login": EMAIL, "password": PASSWORD})
        assert sent_away.headers["Location"] == "/account/login/?next=/portal/settings/"
        assert answer.headers["Location"] == "/portal/settings/"

    def test_never_goes_to_a_stranger_afterwards(self, client: Client) -> None:
        joined(Client())
        answer = client.post("/account/login/?next=https://evil.example/", {"login": EMAIL, "password": PASSWORD})
        assert answer.headers["Location"] == "/portal/"


class TestNext:
    def test_is_kept_from_sign_up_through_the_code(self, client: Client) -> None:
        page = client.get("/account/signup/?next=/plans/%3Fcurrency%3DUSD")
        assert b'name="next" value="/plans/?currency=USD"' in page.content
        sign_up(client, next="/plans/?currency=USD")
        answer = client.post("/account/confirm-email/", {"code": newest_code()})
        assert answer.headers["Location"] == "/plans/?currency=USD"

    def test_is_kept_through_a_code_to_log_in(self, client: Client) -> None:
        joined(Client())
        asked = client.post("/account/login/code/", {"email": EMAIL, "next": "/portal/settings/"})
        page = client.get(asked.headers["Location"])
        assert b'name="next" value="/portal/settings/"' in page.content
        answer = client.post("/account/login/code/confirm/", {"code": newest_code(), "next": "/portal/settings/"})
        assert answer.headers["Location"] == "/portal/settings/"

    def test_is_kept_by_the_way_from_log_in_to_sign_up(self, client: Client) -> None:
        assert b"/account/signup/?next=%2Fplans%2F" in client.get("/account/login/?next=/plans/").content


class TestPassword:
    def test_is_chosen_anew_by_code_and_told_by_mail(self, client: Client) -> None:
        joined(Client())
        client.post("/account/password/reset/", {"email": EMAIL})
        client.post("/account/password/reset/confirm/", {"code": newest_code()})
        new = {"password1": "another long phrase", "password2": "another long phrase"}
        client.post("/account/password/reset/complete/", new)
        assert Message.objects.filter(to=EMAIL)[0].subject == "Your password was reset"
        assert User.objects.get().check_password("another long phrase")


class TestAddress:
    def test_changes_once_its_code_is_entered_and_search_follows(self, client: Client) -> None:
        joined(client)
        client.post("/account/email/", {"email": "countess@example.org", "action_add": ""})
        assert User.objects.get().email == EMAIL
        client.post("/account/confirm-email/", {"code": newest_code("countess@example.org")})
        assert User.objects.get().email == "countess@example.org"
        assert SearchKey.objects.get(kind="email").value == "countess@example.org"
        assert Message.objects.filter(to=EMAIL)[0].kind == "account_notice"


class TestPasskey:
    def test_is_named_after_the_device_until_its_owner_names_it(self, client: Client) -> None:
        joined(client)
        client.post("/account/reauthenticate/", {"password": PASSWORD})
        agent = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
        page = client.get("/account/2fa/webauthn/add/", headers={"User-Agent": agent}).content.decode()
        assert 'value="Firefox, Linux"' in page
        assert "checked" in page


class TestTooOften:
    def test_asking_for_codes_in_a_burst_ends_in_a_page_that_says_so(self, client: Client) -> None:
        joined(Client())
        for _ in range(20):
            answer = Client().post("/account/password/reset/", {"email": EMAIL})
            if answer.status_code == 429:
                break
        assert answer.status_code == 429
        assert b"too often" in answer.content
        assert b"<main" in answer.content

    def _ask_all_hour_for_resets(self) -> set[int]:
        answers = set()
        for n in range(accounts.MAILS_PER_HOUR + 2):
            cache.clear()  # spread over minutes and addresses
            answer = Client().post("/account/password/reset/", {"email": EMAIL}, REMOTE_ADDR=f"203.0.113.{n}")
            answers.add(answer.status_code)
        cache.clear()
        return answers

    def test_no_more_mails_are_written_and_the_page_does_not_tell(self, client: Client) -> None:
        joined(Client())
        assert self._ask_all_hour_for_resets() == {302}
        assert Message.objects.filter(kind="account_reset_code").count() == accounts.MAILS_PER_HOUR

    def test_resets_asked_for_by_a_stranger_leave_the_codes_to_log_in(self, client: Client) -> None:
        joined(Client())
        self._ask_all_hour_for_resets()
        client.post("/account/login/code/", {"email": EMAIL})
        answer = client.post("/account/login/code/confirm/", {"code": newest_code()})
        assert answer.headers["Location"] == "/portal/"

    def test_signing_up_is_limited_by_where_it_comes_from(
        self, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("membership.forms.SIGNUPS_PER_HOUR", 1)
        sign_up(Client())
        assert sign_up(client, email="bob@example.org").status_code == 429
        assert User.objects.count() == 1


class TestSessions:
    def test_the_others_are_ended(self, client: Client) -> None:
        joined(client)
        other = Client()
        other.post("/account/login/", {"login": EMAIL, "password": PASSWORD})
        assert other.get("/portal/").status_code == 200
        client.get("/account/sessions/")
        client.post("/account/sessions/")
        assert other.get("/portal/").status_code == 302
        assert client.get("/portal/").status_code == 200
