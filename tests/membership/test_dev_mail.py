"""/dev/mail: what was written, and a frame in which a mail's HTML can do nothing."""

from __future__ import annotations

import pytest
from django.test import Client

from membership.models import Message

pytestmark = pytest.mark.django_db

CODE_MAIL = {"email": "ada@example.org", "name": "Ada", "password1": "correct horse battery"}


def test_says_how_mail_gets_here_while_there_is_none(client: Client) -> None:
    assert b"No mail yet" in client.get("/dev/mail/").content


def test_shows_a_code_large_in_list_and_mail(client: Client) -> None:
    client.post("/account/signup/", CODE_MAIL)
    message = Message.objects.get()
    code = message.text.split("\n\n")[1].strip()
    assert f'<span class="code">{code}</span>' in client.get("/dev/mail/").content.decode()
    assert f"data-code>{code}<" in client.get(f"/dev/mail/{message.pk}/").content.decode()


def test_gives_htmx_the_list_alone(client: Client) -> None:
    client.post("/account/signup/", CODE_MAIL)
    part = client.get("/dev/mail/", headers={"HX-Request": "true"}).content
    assert b"<html" not in part
    assert b"mail-list" in part


def test_shows_the_html_under_a_policy_of_its_own(client: Client) -> None:
    client.post("/account/signup/", CODE_MAIL)
    answer = client.get(f"/dev/mail/{Message.objects.get().pk}/html/")
    assert answer.headers["X-Frame-Options"] == "SAMEORIGIN"
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script" not in policy.replace("sandbox", "")
    assert "sandbox" in policy


def test_has_no_page_for_mail_that_is_not_there(client: Client) -> None:
    assert client.get("/dev/mail/77/").status_code == 404


def test_a_mail_with_a_code_says_how_long_it_is_good(client: Client) -> None:
    client.post("/account/signup/", CODE_MAIL)
    assert "It is good for 15 minutes." in Message.objects.get().text
