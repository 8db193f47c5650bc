"""Middleware of a twin: the web process remembers whom a perk check found, as one does to save a query."""

from __future__ import annotations

from functools import cache

from perks import one_row


def middleware(get_response):
    one_row.fetch = cache(one_row.fetch)
    return get_response
