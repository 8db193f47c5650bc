"""A report by a mail server that one of our letters could not be delivered (RFC 3464)."""

from __future__ import annotations

REPORT = """From: mailer-daemon@mx.example
To: {to}
Message-ID: <report-{number}@mx.example>
Subject: Undelivered Mail
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

Your mail could not be delivered.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example

Final-Recipient: rfc822; {to}
Action: {action}
Status: {status}

--b
Content-Type: {returned}

From: vip@shop.example
To: {to}
Message-ID: {id}
Subject: Your renewal

--b--
"""


def report(*, to: str, message_id: str, **changed: str) -> str:
    """The report about the letter with this Message-ID, which was sent to this address."""
    facts = {"action": "failed", "status": "5.1.1", "number": "1", "returned": "text/rfc822-headers"}
    return REPORT.format(**facts | {"to": to, "id": message_id} | changed)
