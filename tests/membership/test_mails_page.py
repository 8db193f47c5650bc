"""What was mailed to a member, in the portal."""

from __future__ import annotations

import pytest
from django.test import Client

from membership.messages import WITHDRAWN
from membership.models import Member, Message
from tests import factories

pytestmark = pytest.mark.django_db
AT = factories.moment("2026-05-03T10:00")


@pytest.fixture
def ada(client: Client) -> Member:
    member = factories.member("Ada Lovelace")
    client.force_login(member.user)
    return member


def mailed(member: Member, subject: str, *, kind: str = "welcome", sent: bool = True, reason: str = "") -> Message:
    return Message.objects.create(
        key=f"{member.pk} {subject}",
        kind=kind,
        member=member,
        to="ada@example.com",
        language="en",
        subject=subject,
        text=f"Text of {subject} <b>",
        written_at=AT,
        due_at=AT,
        done_at=AT if sent else None,
        parked_reason=reason,
    )


def test_asks_strangers_to_log_in(client: Client) -> None:
    for path in ("/portal/mails/", "/portal/mails/1/"):
        assert client.get(path).headers["Location"] == f"/account/login/?next={path}"


def test_lists_what_was_sent_and_shows_its_text(client: Client, ada: Member) -> None:
    letter = mailed(ada, "Welcome")
    assert f'href="/portal/mails/{letter.pk}/">Welcome</a>' in client.get("/portal/mails/").content.decode()
    assert "Text of Welcome &lt;b&gt;" in client.get(f"/portal/mails/{letter.pk}/").content.decode()
    assert 'href="/portal/mails/"' in client.get("/portal/").content.decode()


@pytest.mark.parametrize("kind", ["account_verify", "account_login_code", "account_reset_code", "shop_code"])
def test_never_tells_a_code_again(client: Client, ada: Member, kind: str) -> None:
    code = mailed(ada, "123456 is your code", kind=kind)
    for path in ("/portal/mails/", f"/portal/mails/{code.pk}/"):
        page = client.get(path).content.decode()
        assert "A one-time code" in page
        assert "123456" not in page


def test_shows_nothing_of_others_nor_what_did_not_go_out(client: Client, ada: Member) -> None:
    hidden = [
        mailed(factories.member("Bob", email="bob@example.com"), "Other"),
        mailed(ada, "Waiting", sent=False),
        mailed(ada, "Overtaken", reason=WITHDRAWN),
    ]
    assert "Nothing was mailed to you yet." in client.get("/portal/mails/").content.decode()
    assert [client.get(f"/portal/mails/{one.pk}/").status_code for one in hidden] == [404] * 3


def test_goes_on_on_a_second_page(client: Client, ada: Member) -> None:
    for n in range(51):
        mailed(ada, f"Letter {n:02}")
    first, second = (client.get(f"/portal/mails/?page={n}").content.decode() for n in (1, 2))
    assert 'href="?page=2"' in first
    assert ("Letter 50" in first, "Letter 00" in first, "Letter 00" in second) == (True, False, True)


def test_an_account_without_a_place_on_the_roll_has_no_mails(client: Client) -> None:
    client.force_login(factories.user(email="new@example.com"))
    assert "Nothing was mailed to you yet." in client.get("/portal/mails/").content.decode()
