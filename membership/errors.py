"""DomainError: a refusal the caller can understand. Each lives beside the verb that raises it."""

from __future__ import annotations

from typing import ClassVar


class DomainError(Exception):
    """A verb could not act. `code` is stable for programs, `status` is the HTTP answer, str() is for people."""

    code: ClassVar[str] = "refused"
    status: ClassVar[int] = 409
    message: ClassVar[str] = "This cannot be done."

    def __init__(self, message: str = "", **details: object) -> None:
        super().__init__(message or str(self.message))
        self.details = details
