"""Mails: written once, in the member's words, sent with the card; and 200 names that want to break them."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from django.core import mail

from membership import card_pdf, cards, emails, lifecycle, messages, work
from membership.models import Member, Membership, Message
from tests import factories, hostile
from tests.factories import moment

pytestmark = pytest.mark.django_db
AT = moment("2026-03-10T09:00")


def joined(member: Member) -> Membership:
    plan = factories.plan("gold-year")
    membership = lifecycle.reserve(member=member, plan=plan, currency="EUR", at=AT, actor="member")
    lifecycle.add_term(
        membership=membership, source="offline", source_ref=f"cash:{member.pk}", plan=plan, at=AT, actor="staff:1"
    )
    return Membership.objects.with_facts().get(pk=membership.pk)


def welcome(member: Member) -> Message:
    card = cards.issue(member=member, at=AT, actor="member")
    return emails.welcome(membership=joined(member), card=card, at=AT)


class TestWrite:
    def test_writes_once_per_key(self):
        member = factories.member()
        first = welcome(member)
        again = emails.welcome(
            membership=Membership.objects.with_facts().get(), card=member.cards.get(), at=moment("2026-03-11T09:00")
        )
        assert again == first
        assert Message.objects.count() == 1

    def test_speaks_the_members_language(self):
        german = welcome(factories.member(language="de"))
        assert german.language == "de"
        assert "Willkommen" in german.subject
        assert '<html lang="de">' in german.html

    def test_dates_are_the_members_own(self):
        assert "10 March 2027" in welcome(factories.member()).text


class TestSend:
    def _send(self) -> None:
        assert work.drain(Message.objects.all(), messages.send, at=AT) == 1

    def test_sends_text_html_and_the_card(self, monkeypatch, clock):
        clock.move_to(AT)
        monkeypatch.setattr(card_pdf, "render", lambda card, at: b"%PDF-1.7")
        message = welcome(factories.member())
        self._send()
        (sent,) = mail.outbox
        assert (sent.to, sent.body) == ([message.to], message.text)
        assert [type(part).__name__ for part in sent.alternatives] == ["EmailAlternative"]
        assert sent.attachments[0].mimetype == "application/pdf"

    def test_goes_without_the_card_where_none_can_be_drawn(self, monkeypatch):
        def off(card, at):
            raise card_pdf.PdfIsOff

        monkeypatch.setattr(card_pdf, "render", off)
        welcome(factories.member())
        self._send()
        assert mail.outbox[0].attachments == []

    def test_a_repeat_after_a_crash_carries_the_same_id(self, monkeypatch):
        monkeypatch.setattr(card_pdf, "render", lambda card, at: b"%PDF-1.7")
        message = welcome(factories.member())
        messages.send(message)
        messages.send(message)
        first, second = (m.extra_headers["Message-ID"] for m in mail.outbox)
        assert first == second

    def test_names_its_sender_by_the_host_alone(self, settings):
        settings.BASE_URL = "https://vip.example:8443/club"
        messages.send(welcome(factories.member()))
        assert mail.outbox[0].extra_headers["Message-ID"].endswith("@vip.example>")


class TestOneTimeCodes:
    @pytest.fixture
    def message(self) -> Message:
        code = {"email": "a@example.org", "code": "ABCD-EFGH"}
        return messages.write(key="c", kind="account_login_code", at=AT, context=code, to="a@example.org")

    def _kept(self) -> str:
        row = Message.objects.get()
        return row.subject + row.text + row.html

    def test_are_forgotten_in_production_once_sent(self, message, settings):
        settings.PRODUCTION = True
        assert "ABCD-EFGH" in self._kept()
        work.drain(Message.objects.all(), messages.send, at=AT)
        assert "ABCD-EFGH" in mail.outbox[0].body
        assert "ABCD-EFGH" not in self._kept()

    def test_are_never_sent_as_an_empty_letter(self, message, settings):
        settings.PRODUCTION = True
        messages.send(message)
        assert work.drain(Message.objects.all(), messages.send, at=AT) == 1  # the first worker died before it said so
        assert len(mail.outbox) == 1

    def test_stay_readable_in_the_demos_mailbox(self, message):
        work.drain(Message.objects.all(), messages.send, at=AT)
        assert "ABCD-EFGH" in self._kept()


class Tags(HTMLParser):
    """The tags and addresses that a mail program would act on."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.addresses: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.addresses |= {str(value) for name, value in attrs if name in {"src", "href", "background", "action"}}


class TestHostileNames:
    def test_two_hundred_of_them_stay_words(self, settings):
        """Nothing is run or fetched: no tag but the letter's own, no address but ours, one subject line."""
        names = hostile.names()
        assert len(names) == 200
        known = {"html", "head", "meta", "title", "body", "main", "h1", "p", "br", "a"}
        member = factories.member()
        membership = joined(member)
        card = cards.issue(member=member, at=AT, actor="member")
        for name in names:
            Message.objects.all().delete()
            member.name = membership.member.name = name
            message = emails.welcome(membership=membership, card=card, at=AT)
            page = Tags()
            page.feed(message.html)
            assert page.tags <= known, name
            assert page.addresses == {f"{settings.BASE_URL}/portal/"}, name
            assert "\n" not in message.subject
