"""What members send back to the address of a letter.

It is taken from the member's own mailbox only: the token says which request is meant, the sender who writes, and
neither alone is enough.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from membership import mail_in
from perks.concierge import asking
from perks.models import ConciergeRequest

if TYPE_CHECKING:
    from datetime import datetime


@mail_in.takes
def take(token: str, letter: mail_in.Letter, at: datetime) -> bool:
    """An answer by mail. Raises mail_in.WrongSender, NotPossible, asking.ClosedTooLong, limits.TooMany."""
    request = ConciergeRequest.objects.select_related("member__user").filter(reply_token=token).first()
    if request is None:
        return False
    if letter.sender.strip().lower() != request.member.user.email.lower():
        raise mail_in.WrongSender
    text = mail_in.written(letter.text)[: asking.LONGEST]
    if not text:
        raise mail_in.NotPossible
    asking.write(request=request, text=text, at=at, by_mail=True)
    return True
