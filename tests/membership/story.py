"""One member's life, told in facts."""

from __future__ import annotations

from collections.abc import Callable

from membership import lifecycle, standing
from membership import terms as terms_module
from membership.models import Membership
from tests import factories
from tests.factories import moment


class Story:
    """One member's life, told in facts. `at` moves to a moment; the verbs happen there; `sees` asserts."""

    def __init__(self, *, zone: str = "Europe/Amsterdam", currency: str = "EUR") -> None:
        self.member = factories.member(time_zone=zone)
        self.currency = currency
        self.now = moment("2024-01-01T00:00")
        self.paid = 0

    def at(self, text: str) -> Story:
        self.now = moment(text)
        return self

    @property
    def membership(self) -> Membership:
        return Membership.objects.with_facts().filter(member=self.member).latest("reserved_at")

    def reserves(self, plan: str) -> Story:
        lifecycle.reserve(
            member=self.member, plan=factories.plan(plan), currency=self.currency, at=self.now, actor="member"
        )
        return self

    def gets(self, source: str, plan: str, days: int | None = None) -> Story:
        self.paid += 1
        lifecycle.add_term(
            membership=self.membership,
            source=source,
            source_ref=f"{source}:{self.member.pk}:{self.paid}",
            plan=factories.plan(plan),
            at=self.now,
            actor="stripe",
            length=terms_module.Length.days(days) if days else None,
        )
        return self

    def joins(self, plan: str) -> Story:
        return self.reserves(plan).gets("paid", plan)

    def tells(self, verb: Callable[..., object], **facts: object) -> Story:
        verb(membership=self.membership, at=self.now, actor="staff:1", **facts)
        return self

    def sees(self, expected: str, *, until: str | None = None, tier: str | None = None) -> Story:
        assert standing.at(self.membership, self.now) == expected
        assert standing.who_speak([self.member], self.now)[self.member.pk].standing == expected
        if until:
            assert self.membership.entitled_until == moment(until)
        if tier:
            held = standing.tier_at(self.membership, self.now)
            assert held is not None
            assert held.code == tier
        return self

    def has_terms(self, *expected: tuple[str, str]) -> Story:
        got = [(t.starts_at, t.ends_at) for t in self.membership.terms.all()]
        assert got == [(moment(start), moment(end)) for start, end in expected]
        return self
