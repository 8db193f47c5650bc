"""What a demo holds: migrated databases, the Laurel programme, a prepared local Stripe, personas, and demo.json."""

from __future__ import annotations

import io
import json
import os
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import DEFAULT_DB_ALIAS

from membership import card_token
from membership.bootstrap import colleagues, lives, personas
from membership.models import Card, Member

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from membership.bootstrap.personas import Persona

PROGRAMME = "laurel"
PROMOTION_CODE = "LAUREL10"  # ten percent off the first payment
SHOP = "Laurel & Co, demo shop"


def prepare() -> None:
    """Everything that needs no web server. Safe to repeat; raises CommandError outside demo mode."""
    if settings.VIP_MODE != "demo":
        raise CommandError(f"A demo runs with VIP_MODE=demo, not {settings.VIP_MODE}.")
    migrate()
    lives.begin()
    _quietly("load_programme", PROGRAMME, *([] if lives.over() else ["--without-dates"]))
    if settings.LOCAL_STRIPE_INSTALLED:
        _quietly(
            "local_stripe_boot",
            f"--url={settings.BASE_URL}/webhooks/stripe/",
            f"--secret={settings.STRIPE_WEBHOOK_SECRETS[0]}",
            f"--code={PROMOTION_CODE}=10",
        )
    _quietly("stripe_setup")


def was_finished() -> bool:
    """Whether it was ready once: nothing of its start needs a worker then."""
    return (settings.VIP_DATA / "demo.json").exists()


def migrate() -> None:
    """Every database. One beside the default holds the tables of the app it is named for; the others' would be planned
    and left out one by one."""
    for alias in settings.DATABASES:
        apps = [] if alias == DEFAULT_DB_ALIAS else [alias]
        call_command("migrate", *apps, database=alias, verbosity=0, interactive=False)


def _quietly(command: str, *args: str) -> None:
    """Upper apps' commands are reached by name alone."""
    with open(os.devnull, "w", encoding="utf-8") as nowhere:
        call_command(command, *args, stdout=nowhere)


def finish(say: Callable[[str], object]) -> None:
    """Once the web server answers: live the personas' lives to the present, write demo.json, say where to look.

    Raises what lives.live raises.
    """
    personas.wait_for_web(settings.BASE_URL)
    if not lives.over():
        lives.live(say)
        _quietly("load_programme", PROGRAMME)  # its sales and events begin soon, counted from the present
    colleagues.bring_in(settings.BASE_URL)
    facts = describe()
    _write(settings.VIP_DATA / "demo.json", facts)
    _welcome(facts, say)


def describe() -> dict[str, Any]:
    """demo.json, for scripts: where the demo is, a shop's key, who works there and who is a member."""
    return {
        "base_url": settings.BASE_URL,
        "api_key": _api_key(),
        "staff": colleagues.describe(),
        "members": [_describe_member(persona) for persona in personas.PERSONAS],
    }


def _describe_member(persona: Persona) -> dict[str, Any]:
    member = Member.objects.get(user__email=persona.email)
    card = Card.objects.filter(member=member, revoked_at=None).first()
    return {
        "persona": persona.persona,
        "name": persona.name,
        "email": persona.email,
        "password": persona.password,
        "number": member.number,
        "card_token": card_token.issue(card.id) if card else None,
    }


def _api_key() -> str:
    """The demo shop's key. Only its hash is in the database, so it is made once and kept beside it."""
    path: Path = settings.VIP_DATA / "demo_key"
    if not path.exists():
        told = io.StringIO()
        call_command("shop_key", "create", "--shop", SHOP, stdout=told)
        path.touch(mode=0o600)
        path.write_text(told.getvalue().strip(), encoding="ascii")
    return path.read_text(encoding="ascii")


def _write(path: Path, facts: dict[str, Any]) -> None:
    """Written beside and renamed: whoever waits for the file never reads half of it."""
    draft = path.with_suffix(".json.draft")
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(facts, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    draft.replace(path)


def _welcome(facts: dict[str, Any], say: Callable[[str], object]) -> None:
    url = facts["base_url"]
    say("")
    say(f"{settings.PROGRAMME_NAME} is open: {url}")
    say(f"  mail      {url}/dev/mail/   (nothing leaves this machine)")
    say(f"  shop      {url}/demo/shop/  (a checkout that asks the API)")
    say(f"  code      {PROMOTION_CODE}  (ten percent off, to type where you pay)")
    say(f"  log in as (password: {personas.PASSWORD})")
    for member in facts["members"]:
        say(f"    {member['persona']:<11}{member['email']:<22}{member['number']}")
    say(f"  staff     {url}/console/    (the same password)")
    for one in facts["staff"]:
        say(f"    {one['role']:<11}{one['email']}")
    say(f"  all of it for scripts: {settings.VIP_DATA / 'demo.json'}")
    say("Ctrl-C stops everything; the next start goes on from here.")
