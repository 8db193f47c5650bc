"""The token behind the QR: one spelling a card, nothing forged is read, keys come and go."""

from __future__ import annotations

import base64
import secrets
import uuid

import pytest
import segno
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings
from hypothesis import given
from hypothesis import strategies as st

from membership import card_token
from membership.models import CardKey

pytestmark = pytest.mark.django_db

CARD_ID = uuid.UUID(bytes=bytes(range(16)))


def new_key(settings) -> None:
    settings.CARD_PRIVATE_KEY = secrets.token_bytes(32)
    card_token.forget_keys()


def signed_by(private_key: Ed25519PrivateKey, body: bytes, audience: bytes = card_token.AUDIENCE) -> str:
    return base64.urlsafe_b64encode(body + private_key.sign(audience + body)).decode()


class TestIssue:
    def test_is_the_same_each_time(self):
        assert card_token.issue(CARD_ID) == card_token.issue(CARD_ID)

    def test_has_one_length_without_padding(self):
        token = card_token.issue(CARD_ID)
        assert len(token) == card_token.LENGTH
        assert "=" not in token

    def test_fits_a_version_8_code_at_level_m(self):
        longest = "https://" + "m" * 33
        code = segno.make(f"{longest}/c/{card_token.issue(CARD_ID)}", error="m", boost_error=False)
        assert code.version <= 8


class TestRead:
    def test_gives_the_card_id_back(self):
        assert card_token.read(card_token.issue(CARD_ID)) == CARD_ID

    @pytest.mark.parametrize(
        "form",
        ["{b}/c/{t}", "https://elsewhere.example/c/{t}", "{b}/c/{t}?utm=x", " {t}\r\n", "{b}/c/{t}/", "/c/{t}#a"],
    )
    def test_takes_what_a_scanner_gives(self, form):
        scanned = form.format(b=settings.BASE_URL, t=card_token.issue(CARD_ID))
        assert card_token.read(scanned) == CARD_ID

    def test_refuses_each_flipped_bit(self):
        raw = base64.urlsafe_b64decode(card_token.issue(CARD_ID))
        accepted = 0
        for bit in range(len(raw) * 8):
            flipped = bytearray(raw)
            flipped[bit // 8] ^= 1 << bit % 8
            accepted += card_token.read(base64.urlsafe_b64encode(flipped).decode()) is not None
        assert accepted == 0

    def test_refuses_a_token_signed_by_a_stranger_under_our_key_id(self):
        body = bytes([card_token.current_key_id()]) + CARD_ID.bytes
        assert card_token.read(signed_by(Ed25519PrivateKey.generate(), body)) is None

    def test_refuses_what_our_key_signed_for_another_audience(self):
        ours = Ed25519PrivateKey.from_private_bytes(settings.CARD_PRIVATE_KEY)
        body = bytes([card_token.current_key_id()]) + CARD_ID.bytes
        assert card_token.read(signed_by(ours, body, audience=b"gift-code/1:")) is None
        assert card_token.read(signed_by(ours, body)) == CARD_ID

    @given(st.text(max_size=200) | st.text("abcXYZ019-_", min_size=108, max_size=108))
    def test_answers_garbage_with_none(self, garbage):
        assert card_token.read(garbage) is None

    @pytest.mark.parametrize("text", ["", "\x00" * 108, "A" * 108, "é" * 108, "A" * 100_000, "/c/", "\ud800" * 108])
    def test_answers_hostile_texts_with_none(self, text):
        assert card_token.read(text) is None


class TestRotation:
    def test_gives_the_next_key_the_next_id(self, settings):
        first = card_token.current_key_id()
        new_key(settings)
        assert card_token.current_key_id() == first + 1

    def test_reads_old_cards_while_their_key_stands(self, settings):
        old = card_token.issue(CARD_ID)
        new_key(settings)
        new = card_token.issue(CARD_ID)
        assert old != new
        assert card_token.read(old) == card_token.read(new) == CARD_ID

    def test_refuses_old_cards_once_their_key_is_withdrawn(self, settings):
        old, old_key = card_token.issue(CARD_ID), card_token.current_key_id()
        new_key(settings)
        new = card_token.issue(CARD_ID)
        CardKey.objects.filter(key_id=old_key).delete()
        card_token.forget_keys()
        assert card_token.read(old) is None
        assert card_token.read(new) == CARD_ID

    def test_never_gives_out_id_0_or_256(self, settings):
        CardKey.objects.create(key_id=255, public_key=b"x" * 32, first_used_at="2026-01-01T00:00Z")
        new_key(settings)
        with pytest.raises(card_token.NoKeyIdLeft):
            card_token.issue(CARD_ID)
