"""The card's doors: the member's PDF, the page behind the QR, the key set."""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.urls import reverse

from membership import card_pdf, card_token, cards, lifecycle
from membership.models import Card
from tests import factories
from tests.membership.card_cast import IN_GRACE, JOINED, LAPSED, SUMMER, gold_card, gold_membership

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _summer(clock):
    clock.move_to(SUMMER)


def scan(client, card: Card, **headers: str):
    return client.get(reverse("card-page", args=[card_token.issue(card.pk)]), headers=headers)


def said(response) -> str:
    return " ".join(response.text.split())


class TestPdf:
    def test_is_shown_in_the_browser_under_a_name_worth_keeping(self, client):
        card = gold_card()
        client.force_login(card.member.user)
        response = client.get(reverse("card-pdf"))
        assert response.content.startswith(b"%PDF-")
        assert response["Content-Type"] == "application/pdf"
        assert response["Content-Disposition"] == f'inline; filename="laurel-co-card-{card.member.number}.pdf"'
        assert "no-store" in response["Cache-Control"]

    def test_asks_strangers_to_log_in(self, client):
        response = client.get(reverse("card-pdf"))
        assert response.status_code == 302
        assert response["Location"].startswith(reverse("account_login"))

    def test_issues_the_first_card_when_it_is_first_asked_for(self, client):
        member = gold_membership().member
        client.force_login(member.user)
        assert client.get(reverse("card-pdf")).status_code == 200
        assert Card.objects.get().member == member

    def test_is_not_there_for_a_member_without_membership(self, client):
        member = factories.member()
        client.force_login(member.user)
        response = client.get(reverse("card-pdf"))
        assert response.status_code == 404
        assert "no card to show" in said(response)
        assert not Card.objects.exists()

    def test_is_not_there_before_the_membership_is_paid(self, client):
        member = factories.member()
        lifecycle.reserve(member=member, plan=factories.plan(), currency="EUR", at=JOINED, actor="system")
        client.force_login(member.user)
        assert client.get(reverse("card-pdf")).status_code == 404

    def test_is_not_there_for_an_account_off_the_roll(self, client):
        client.force_login(factories.user())
        assert client.get(reverse("card-pdf")).status_code == 404

    def test_does_not_come_back_after_it_was_taken_away(self, client):
        card = gold_card()
        cards.revoke(card=card, reason=cards.RevokeReason.ABUSED, at=SUMMER, actor="staff:1")
        client.force_login(card.member.user)
        assert client.get(reverse("card-pdf")).status_code == 404

    def test_says_so_where_it_cannot_be_drawn(self, client, monkeypatch):
        def off(card, at):
            raise card_pdf.PdfIsOff

        monkeypatch.setattr(card_pdf, "render", off)
        client.force_login(gold_card().member.user)
        response = client.get(reverse("card-pdf"))
        assert response.status_code == 503
        assert "our fault" in said(response)


class TestPage:
    def test_shows_a_valid_card_to_anybody(self, client):
        response = scan(client, gold_card())
        assert response.status_code == 200
        for words in ("Valid: Gold", "Ada L.", "10 March 2027", "1 June 2026, 14:00"):
            assert words in said(response)

    def test_tells_no_more_of_the_member_than_a_first_name(self, client):
        card = gold_card()
        page = scan(client, card).text
        for secret in ("Lovelace", card.member.user.email, card.member.number, str(card.pk)):
            assert secret not in page

    def test_is_kept_by_no_cache_and_no_search_engine(self, client):
        response = scan(client, gold_card())
        assert response["Cache-Control"] == "no-store"
        assert response["X-Robots-Tag"] == "noindex"

    def test_shows_the_end_of_grace_and_not_that_it_is_one(self, client, clock):
        card = gold_card()
        clock.move_to(IN_GRACE)
        page = said(scan(client, card))
        assert "Valid: Gold" in page
        assert "24 March 2027" in page
        assert "renewal" not in page

    def test_shows_a_lapsed_card_without_a_name(self, client, clock):
        card = gold_card()
        clock.move_to(LAPSED)
        page = said(scan(client, card))
        assert "Not valid" in page
        assert "ran out on 10 March 2027" in page
        assert "Ada" not in page

    def test_shows_a_suspended_card(self, client):
        card = gold_card()
        membership = card.member.memberships.get()
        lifecycle.suspend(membership=membership, source="fraud", source_ref="f1", at=SUMMER, actor="staff:1")
        page = said(scan(client, card))
        assert "Not valid" in page
        assert "suspended" in page

    def test_shows_a_replaced_card(self, client):
        card = gold_card()
        cards.reissue(member=card.member, reason=cards.RevokeReason.LOST, at=SUMMER, actor="staff:1")
        page = said(scan(client, card))
        assert "Replaced" in page
        assert "Gold" not in page

    def test_shows_a_card_whose_member_has_no_membership(self, client):
        member = factories.member()
        card = cards.issue(member=member, at=JOINED, actor="system")
        assert "no longer honored" in said(scan(client, card))

    @pytest.mark.parametrize("token", ["x", "A" * 108, "%00%ff", "<script>", "A" * 3000, "..%2f..%2fetc"])
    def test_does_not_know_a_forged_code(self, client, token):
        response = client.get(f"/c/{token}")
        assert response.status_code == 404
        assert "<script>" not in response.text.split("<main")[1]

    def test_speaks_the_scanner_s_language(self, client):
        assert scan(client, gold_card(), accept_language="de")["Content-Language"] == "de"

    def test_takes_no_post(self, client):
        assert client.post(f"/c/{card_token.issue(gold_card().pk)}").status_code == 405


class TestKeys:
    def test_verify_a_card_without_us(self, client):
        raw = base64.urlsafe_b64decode(card_token.issue(gold_card().pk))
        published = client.get(reverse("vip-keys")).json()
        (key,) = [key for key in published["keys"] if key["kid"] == str(raw[0])]
        public = Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(key["x"] + "="))
        public.verify(raw[17:], published["audience"].encode() + raw[:17])

    def test_may_be_kept_for_five_minutes(self, client):
        response = client.get("/.well-known/vip-keys.json")
        assert response["Cache-Control"] == "public, max-age=300"
        assert {"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA"}.items() <= response.json()["keys"][0].items()
