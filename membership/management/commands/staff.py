"""manage.py staff: who may enter the console. The first manager is let in here.

manage.py staff list
manage.py staff grant mara@shop.example manager --name "Mara Voss" --by "Ines, operations"
manage.py staff grant vik@shop.example support --name "Vik Rao" --by mara@shop.example
manage.py staff revoke vik@shop.example --by mara@shop.example
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError

from membership import clock, staff
from membership.errors import DomainError
from membership.models import Staff, User
from membership.roles import Role

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(BaseCommand):
    help = "List, grant or revoke the roles of the staff."

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
        verbs.add_parser("list", help="who holds which role")
        grant = verbs.add_parser("grant", help="give an account a role; the account is made if there is none")
        grant.add_argument("email")
        grant.add_argument("role", choices=Role.values)
        grant.add_argument("--name", required=True, help="what colleagues call them")
        revoke = verbs.add_parser("revoke", help="take the role away")
        revoke.add_argument("email")
        for verb in (grant, revoke):
            verb.add_argument("--by", required=True, help="a manager's address; for the first manager, who you are")

    def handle(self, *, verb: str, **options: Any) -> None:
        try:
            getattr(self, f"_{verb}")(**options)
        except DomainError as refusal:
            raise CommandError(str(refusal)) from None

    def _list(self, **_: Any) -> None:
        for held in Staff.objects.filter(revoked_at=None).select_related("user").order_by("role", "name"):
            self.stdout.write(f"{held.role:<8} {held.user.email:<32} {held.name}")

    def _grant(self, *, email: str, role: str, name: str, by: str, **_: Any) -> None:
        granter = _known(by)
        if granter is None and (staff.has_manager() or role != Role.MANAGER):
            raise CommandError("--by names a manager's address; only the first manager is let in without one.")
        at = clock.now()
        user = staff.account(email=email, at=at)
        staff.grant(user=user, role=Role(role), name=name, at=at, by=granter, said_by=by)
        self.stdout.write(f"{user.email} is {role}. They log in by a mailed code, or choose a password.")

    def _revoke(self, *, email: str, by: str, **_: Any) -> None:
        user = _known(email)
        if user is None:
            raise CommandError("There is no account with this address.")
        staff.revoke(user=user, at=clock.now(), by=_known(by))
        self.stdout.write(f"{user.email} has no role any more.")


def _known(email: str) -> User | None:
    return User.objects.filter(email=email.strip().lower()).first()
