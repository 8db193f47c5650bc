"""Notes of staff about a member."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from membership import audit, timeline
from membership.models import Note

if TYPE_CHECKING:
    from datetime import datetime

    from membership.models import Member


@transaction.atomic
def write(*, member: Member, text: str, once: str, at: datetime, actor: str) -> Note:
    """Keep a note in the member's story, for staff. The same filling-in (`once`) sent again is the note there is."""
    facts = {"member": member, "text": text.replace("\r\n", "\n"), "written_at": at, "written_by": actor}
    note, new = Note.objects.get_or_create(once=once, defaults=facts)
    if new:
        data = {"note": note.pk}
        timeline.write(member=member, kind="note.written", at=at, actor=actor, data=data)
        with audit.because(""):  # the text is personal, and stands in its own row alone
            audit.write(actor=actor, verb="write_note", subject=f"member:{member.pk}", at=at, data=data)
    return note
