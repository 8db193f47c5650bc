"""A member asks: what is left, who may, what a file may be, and who may open it."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from membership import lifecycle
from membership.models import Message
from perks.models import ConciergeFile, ConciergeRequest, Redemption
from tests.invariants import breached
from tests.perks.concierge.conftest import Person, plain
from tests.perks.redeeming import wrong

pytestmark = pytest.mark.django_db
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 40


def upload(content: bytes = PNG, name: str = "coat.png", media_type: str = "image/png") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, media_type)


class TestAsk:
    def test_is_kept_promised_and_confirmed_by_mail(self, ada):
        request = ada.ask()
        assert request.due_at.isoformat() == "2026-03-02T14:00:00+00:00"  # four working hours, all of them today
        mail = Message.objects.get(kind="concierge_received")
        assert "You have our first answer by 2 March 2026, 15:00." in mail.text
        assert mail.reply_to == f"club+{request.reply_token}@laurel.example"
        assert "You have our answer by 2 March 2026, 15:00." in ada.page(f"/portal/concierge/{request.ident}/")

    def test_takes_one_of_the_allowance(self, ada):
        assert "12 of 12 requests left until 2 March 2027" in ada.page()
        ada.ask()
        assert "11 of 12 requests left until 2 March 2027" in ada.page()
        assert "11 left" in ada.page("/portal/")
        assert wrong() == set()

    def test_a_form_sent_twice_asks_once(self, ada):
        sent = {"subject": "A coat", "text": "Please", "once": "a" * 22}
        first, second = (ada.client.post("/portal/concierge/", sent) for _ in range(2))
        assert (first.status_code, second.status_code) == (302, 302)
        assert first["Location"] == second["Location"]
        assert ConciergeRequest.objects.count() == Redemption.objects.count() == 1

    def test_used_up_says_until_when(self, two_uses):
        bea = Person(two_uses.member)
        bea.ask("one")
        bea.ask("two")
        page = bea.page()
        assert "You have used the 2 requests that are yours until 2 March 2027." in page
        assert 'name="subject"' not in page
        answer = bea.client.post("/portal/concierge/", {"subject": "x", "text": "y", "once": "b" * 22})
        assert answer.status_code == 409
        assert ConciergeRequest.objects.count() == 2

    @pytest.mark.parametrize("missing", ["subject", "text"])
    def test_what_was_typed_is_kept(self, ada, missing):
        answer = ada.send(**({"subject": "Vienna", "text": "Size 40"} | {missing: ""}))
        assert answer.status_code == 422
        assert ("Size 40" if missing == "subject" else "Vienna") in plain(answer)


class TestWhoHasNone:
    def test_reads_what_it_is_and_which_tier_has_it(self, joined):
        page = Person(joined("silver-year").member).page()
        assert "Who has a concierge" in page
        assert "Gold: A personal concierge: 12 requests in each membership period" in page.replace("</strong>", "")
        assert 'name="subject"' not in page

    def test_cannot_ask_all_the_same(self, joined):
        bob = Person(joined("silver-year").member)
        answer = bob.client.post("/portal/concierge/", {"subject": "x", "text": "y", "once": "c" * 22})
        assert answer.status_code == 409
        assert not ConciergeRequest.objects.exists()

    def test_a_visitor_is_led_to_the_log_in(self, client):
        assert client.get("/portal/concierge/").status_code == 302


class TestWhoseMembershipIsOver:
    @pytest.fixture
    def over(self, ada):
        request = ada.ask()
        membership = ada.member.memberships.get()
        lifecycle.suspend(membership=membership, source="staff", source_ref="x", at=request.opened_at, actor="staff:1")
        return request

    def test_is_refused_a_new_one_kindly(self, ada, over):
        assert "The membership is on hold." in ada.page()
        assert 'name="subject"' not in ada.page()

    def test_has_the_open_one_answered_to_its_end(self, ada, over):
        assert "What you asked before is answered to its end all the same." in ada.page()
        assert ada.write(over, "Still there?").status_code == 302


class TestFile:
    def test_is_kept_and_handed_out_as_a_download(self, ada, desk):
        ada.ask(file=upload(name="../../../coat<b>.exe"))
        file = ConciergeFile.objects.get()
        assert (file.name, file.media_type, file.size) == ("coat_b_.png", "image/png", len(PNG))
        for reader, path in (
            (ada, f"/portal/concierge/files/{file.pk}/"),
            (desk, f"/console/concierge/files/{file.pk}/"),
        ):
            answer = reader.client.get(path)
            assert answer.content == PNG
            assert answer["Content-Disposition"] == 'attachment; filename="coat_b_.png"'
            assert (answer["X-Content-Type-Options"], answer["Content-Type"]) == ("nosniff", "image/png")

    @pytest.mark.parametrize(
        "content", [b"<html><script>alert(1)</script>", b"MZ\x90\x00", b"GIF89a", b"", b" %PDF-1.7"]
    )
    def test_is_known_by_its_content_and_not_by_its_name(self, ada, content):
        answer = ada.send(subject="x", text="y", file=upload(content))
        assert answer.status_code == 422
        assert not ConciergeRequest.objects.exists()

    @pytest.mark.parametrize(
        ("content", "name"),
        [
            (b"%PDF-1.7\n", "a.pdf"),
            (b"\xff\xd8\xff\xe0x", "a.jpg"),
            (b"RIFF\x01\x02\x03\x04WEBPVP8 ", "a.webp"),
            (b"\0\0\0\x18ftypheic", "a.heic"),
        ],
    )
    def test_gets_the_ending_of_what_it_is(self, ada, content, name):
        ada.ask(file=upload(content, "a.html", "text/html"))
        assert ConciergeFile.objects.get().name == name

    @pytest.mark.parametrize("size", [5 * 1024 * 1024 + 1, 6 * 1024 * 1024])  # over the limit; dropped as it comes
    def test_too_large_is_refused_in_words(self, ada, size):
        answer = ada.send(subject="x", text="y", file=upload(PNG + b"0" * size))
        assert answer.status_code == 422
        assert "This file is too large. Up to 5 MB can be sent." in plain(answer)

    def test_is_nobody_elses(self, ada, joined):
        ada.ask(file=upload())
        eve, pk = Person(joined("gold-year").member), ConciergeFile.objects.get().pk
        assert eve.client.get(f"/portal/concierge/files/{pk}/").status_code == 404
        assert eve.client.get(f"/console/concierge/files/{pk}/").status_code == 404


def test_a_request_is_nobody_elses(ada, joined):
    request, eve = ada.ask(), Person(joined("gold-year").member)
    path = f"/portal/concierge/{request.ident}/"
    assert (eve.client.get(path).status_code, eve.client.post(path, {"text": "x"}).status_code) == (404, 404)
    assert breached() & {"I4", "I5", "I6"} == set()
