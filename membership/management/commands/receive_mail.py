"""manage.py receive_mail < one mail: takes an answer to a letter of ours, or a report that one could not be delivered,
as a mail server pipes it in.

Exit code 0 whatever came of it, so that the server does not bring it again; what cannot be read is 65 (EX_DATAERR).
"""

from __future__ import annotations

import email
import email.policy
import hashlib
import sys
from email.utils import parseaddr
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError

from membership import bounces, clock, mail_in

if TYPE_CHECKING:
    from email.message import EmailMessage

MOST = 30 * 1024 * 1024


class Command(BaseCommand):
    help = "Take one incoming mail (RFC 5322) from standard input: an answer to a letter, or a report that one bounced."

    def handle(self, *args: Any, **options: Any) -> None:
        raw = sys.stdin.buffer.read(MOST + 1)
        if not raw.strip() or len(raw) > MOST:
            raise CommandError("No mail, or one that is too large.", returncode=65)
        outcome = mail_in.receive(_letter(raw), at=clock.now())
        self.stdout.write(str(outcome.value))


def _letter(raw: bytes) -> mail_in.Letter:
    message: EmailMessage = email.message_from_bytes(raw, policy=email.policy.default)
    body = message.get_body(preferencelist=("plain",))
    automatic = message.get("Auto-Submitted", "no").lower() != "no" or message.get("Precedence", "") in {"bulk", "junk"}
    return mail_in.Letter(
        message_id=message.get("Message-ID") or hashlib.sha256(raw).hexdigest(),
        sender=parseaddr(message.get("From", ""))[1],
        to=message.get("Delivered-To") or message.get("To") or "",
        text=body.get_content() if body is not None else "",
        automatic=automatic,
        report=bounces.read(message),
    )
