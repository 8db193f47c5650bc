"""manage.py shop_key: create, rotate, revoke and list the keys with which shops call the API."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError

from membership import clock
from membership.errors import DomainError
from perks import keys
from perks.models import ApiKey

if TYPE_CHECKING:
    from datetime import datetime

    from django.core.management.base import CommandParser

ACTOR = "system"


class Command(BaseCommand):
    help = "Create, rotate, revoke and list shops' API keys. A new key is printed once and cannot be read again."

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        create = verbs.add_parser("create", help="a key for a shop, which is entered on first use")
        create.add_argument("--shop", required=True, metavar="NAME")
        create.add_argument(
            "--scopes", nargs="+", default=list(keys.SCOPES), metavar="SCOPE", help=", ".join(keys.SCOPES)
        )
        rotate = verbs.add_parser("rotate", help="a key with the scopes of the shop's newest, in its place")
        rotate.add_argument("--shop", required=True, metavar="NAME")
        rotate.add_argument(
            "--overlap",
            type=int,
            metavar="HOURS",
            help="how long the old one works on (0: not at all); without it, until it is revoked",
        )
        revoke = verbs.add_parser("revoke", help="refuse a key from now on")
        revoke.add_argument("prefix", help="the key's prefix (vip_test_abcd2345), or the whole key")
        verbs.add_parser("list", help="every key, by its prefix")

    def handle(self, *args: Any, verb: str, **options: Any) -> None:
        try:
            self._run(verb, options)
        except DomainError as error:
            raise CommandError(str(error)) from None

    def _run(self, verb: str, options: dict[str, Any]) -> None:
        at = clock.now()
        match verb:
            case "create":
                scopes = [scope for given in options["scopes"] for scope in given.split(",") if scope]
                self.stdout.write(keys.create(shop_name=options["shop"], scopes=scopes, at=at, actor=ACTOR))
            case "rotate":
                old, hours = keys.newest(shop_name=options["shop"], at=at), options["overlap"]
                overlap = None if hours is None else timedelta(hours=hours)
                self.stdout.write(keys.rotate(prefix=old.prefix, overlap=overlap, at=at, actor=ACTOR))
            case "revoke":
                keys.revoke(prefix=options["prefix"], at=at, actor=ACTOR)
                self.stdout.write("Revoked. Every process refuses it within a second.")
            case "list":
                for key in ApiKey.objects.select_related("shop"):
                    self.stdout.write(f"{key.prefix}  {key.shop.name}  {_state(key, at)}  {' '.join(key.scopes)}")


def _state(key: ApiKey, at: datetime) -> str:
    if key.revoked_at:
        return f"revoked {key.revoked_at:%Y-%m-%d}"
    if key.retires_at:
        return f"{'works until' if at < key.retires_at else 'ended'} {key.retires_at:%Y-%m-%d %H:%M}"
    return "live"
