"""A member answers by mail: once, to the right request, and only from their own mailbox."""

from __future__ import annotations

import io
import sys

import pytest
from django.core.management import call_command

from membership import mail_in
from membership.models import IncomingMail, Message
from perks.models import ConciergeRequest
from tests.perks.concierge.conftest import Person, plain

pytestmark = pytest.mark.django_db
QUOTED = "Yes please.\n\nOn Mon, 2 Mar 2026 at 12:00, Laurel & Co wrote:\n> It is put aside.\n"


@pytest.fixture
def letter(ada, desk):
    """The mail with the answer, as it lies in the member's mailbox."""
    desk.answer(ada.ask())
    return Message.objects.get(kind="concierge_answer")


def questions() -> list[str]:
    request = ConciergeRequest.objects.get()
    return list(request.entries.filter(kind="question").values_list("text", flat=True))


def sent(letter, **changed):
    told = {"message_id": "<1@mail.example>", "sender": letter.to, "to": letter.reply_to, "text": QUOTED}
    return mail_in.Letter(**(told | changed))


class TestMailbox:
    def test_has_a_form_that_answers(self, ada, letter, desk):
        page = f"/dev/mail/{letter.pk}/"
        form = {"sender": letter.to, "text": QUOTED, "message_id": "a@mail.example"}
        answers = [ada.client.post(page, form, follow=True) for _ in range(2)]  # the carrier brings it twice
        assert ["Your answer has arrived." in plain(answer) for answer in answers] == [True, True]
        assert questions() == ["Size 40, please.", "Yes please."]
        assert "by mail" in desk.page(f"/console/concierge/{ConciergeRequest.objects.get().pk}/")

    def test_refuses_another_sender(self, ada, letter):
        form = {"sender": "eve@example.org", "text": "Send it to me.", "message_id": "b@mail.example"}
        answer = ada.client.post(f"/dev/mail/{letter.pk}/", form, follow=True)
        assert "It came from another address than we wrote to, so it was not taken." in plain(answer)
        assert questions() == ["Size 40, please."]

    def test_has_none_where_no_answer_is_taken(self, ada, letter):
        Message.objects.filter(pk=letter.pk).update(reply_to="")
        assert "Answer this mail" not in plain(ada.client.get(f"/dev/mail/{letter.pk}/"))


class TestReceive:
    def test_reopens_a_request_that_was_closed(self, letter, desk, clock):
        desk.close(ConciergeRequest.objects.get())
        assert mail_in.receive(sent(letter), at=clock.now) == "taken"
        request = ConciergeRequest.objects.get()
        assert (request.closed_at, request.due_at is not None) == (None, True)

    @pytest.mark.parametrize(
        ("changed", "outcome"),
        [
            ({"to": "club@laurel.example"}, "not_ours"),
            ({"to": "club+0123456789abcdef0123456789@laurel.example"}, "not_ours"),
            ({"automatic": True}, "automatic"),
            ({"text": "> It is put aside.\n"}, "refused"),
            ({"sender": "eve@example.org"}, "wrong_sender"),
        ],
    )
    def test_tells_what_it_did_not_take(self, letter, clock, changed, outcome):
        assert mail_in.receive(sent(letter, **changed), at=clock.now) == outcome
        assert questions() == ["Size 40, please."]

    def test_of_another_member_is_not_taken(self, letter, joined, clock):
        eve = Person(joined("gold-year").member)
        assert mail_in.receive(sent(letter, sender=eve.member.user.email), at=clock.now) == "wrong_sender"

    def test_that_fails_midway_can_be_brought_again(self, letter, clock, monkeypatch):
        monkeypatch.setattr(mail_in, "written", lambda text: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            mail_in.receive(sent(letter), at=clock.now)
        assert not IncomingMail.objects.exists()
        monkeypatch.undo()
        assert mail_in.receive(sent(letter), at=clock.now) == "taken"


class TestCommand:
    def test_takes_a_mail_as_a_mail_server_pipes_it(self, letter, monkeypatch, capsys):
        raw = f"From: Ada <{letter.to}>\nTo: {letter.reply_to}\nMessage-ID: <7@x>\n\n{QUOTED}".encode()
        for _ in range(2):
            monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(raw)))
            call_command("receive_mail")
        assert capsys.readouterr().out.split() == ["taken", "taken"]
        assert questions() == ["Size 40, please.", "Yes please."]

    def test_does_not_answer_an_absence_notice(self, letter, monkeypatch, capsys):
        head = f"From: {letter.to}\nTo: {letter.reply_to}\nAuto-Submitted: auto-replied\nMessage-ID: <8@x>\n\nAway."
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(head.encode())))
        call_command("receive_mail")
        assert capsys.readouterr().out.split() == ["automatic"]
