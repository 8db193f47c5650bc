"""The line that stands under a tier's name on the plans page, in every language. The only writer of Tier.lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.translation import gettext_noop

from membership import audit
from membership.errors import DomainError
from membership.models import Tier

if TYPE_CHECKING:
    from datetime import datetime


class NothingChanged(DomainError):
    code = "tier_unchanged"
    status = 422
    message = gettext_noop("The tier says this already.")


class Overtaken(DomainError):
    code = "tier_overtaken"
    message = gettext_noop("Somebody else has changed this tier since you looked. Look again.")


def change(*, tier: Tier, lines: dict[str, str], at: datetime, actor: str) -> None:
    """Make of the lines that `tier` was read with these, by language. Raises NothingChanged, Overtaken."""
    check(tier, lines)
    with transaction.atomic():
        if Tier.objects.select_for_update().get(pk=tier.pk).lines != tier.lines:
            raise Overtaken
        Tier.objects.filter(pk=tier.pk).update(lines=lines)
        data = {"was": tier.lines, "is": lines}
        audit.write(actor=actor, verb="change_tier_lines", subject=f"tier:{tier.code}", at=at, data=data)


def check(tier: Tier, lines: dict[str, str]) -> None:
    """Raises NothingChanged."""
    if lines == tier.lines:
        raise NothingChanged
