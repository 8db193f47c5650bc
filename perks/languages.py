"""The language of an answer: the best of ours that the shop asks for."""

from __future__ import annotations

from functools import lru_cache

from django.conf import settings
from django.utils.translation import get_supported_language_variant
from django.utils.translation.trans_real import parse_accept_lang_header


@lru_cache(maxsize=512)
def preferred(accept: str) -> str:
    """An Accept-Language header as one of our language codes; English if it names none of them."""
    for code, _quality in parse_accept_lang_header(accept[:200]):
        if code == "*":
            break
        try:
            return get_supported_language_variant(code)
        except LookupError:
            continue
    return settings.LANGUAGE_CODE
