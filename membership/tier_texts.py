"""What a tier is called, and the line under its name on the plans page, in every language. The only writer of both but
programmes that are loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.translation import gettext_noop

from membership import audit
from membership.errors import DomainError
from membership.models import Tier
from membership.signals import tier_renamed

if TYPE_CHECKING:
    from datetime import datetime


class NothingChanged(DomainError):
    code = "tier_unchanged"
    status = 422
    message = gettext_noop("The tier says this already.")


class NameTaken(DomainError):
    code = "tier_name_taken"
    status = 422
    message = gettext_noop("Another tier is called so already.")


class Overtaken(DomainError):
    code = "tier_overtaken"
    message = gettext_noop("Somebody else has changed this tier since you looked. Look again.")


def change(*, tier: Tier, name: str, lines: dict[str, str], at: datetime, actor: str) -> None:
    """Make of what `tier` was read with this name and these lines, by language. Raises NothingChanged, NameTaken,
    Overtaken."""
    check(tier, name, lines)
    with transaction.atomic():
        now = Tier.objects.select_for_update().get(pk=tier.pk)
        if (now.lines, now.name) != (tier.lines, tier.name):
            raise Overtaken
        Tier.objects.filter(pk=tier.pk).update(name=name, lines=lines)
        data = {"was": tier.lines, "is": lines, "name_was": tier.name, "name_is": name}
        audit.write(actor=actor, verb="change_tier_lines", subject=f"tier:{tier.code}", at=at, data=data)
        if name != tier.name:
            tier.name = name
            tier_renamed.send(Tier, tier=tier, at=at)


def check(tier: Tier, name: str, lines: dict[str, str]) -> None:
    """Raises NothingChanged, NameTaken."""
    if (name, lines) == (tier.name, tier.lines):
        raise NothingChanged
    if Tier.objects.filter(name__iexact=name).exclude(pk=tier.pk).exists():
        raise NameTaken
