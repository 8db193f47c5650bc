"""What can go wrong with a call. Either the API refused it (a 4xx: asking again alike changes nothing), or no answer
that could be used came in time."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """A field of the request that could not be understood: basket.lines.0.quantity."""

    field: str
    message: str


class PerkApiError(Exception):
    """`operation`: which call. `request_id`: as it was sent in X-Request-Id; the API's log names it with a failure.

    `status`: of the last answer, None where there was none.
    """

    def __init__(self, message: str, *, operation: str, request_id: str, status: int | None = None) -> None:
        super().__init__(message)
        self.operation, self.request_id, self.status = operation, request_id, status


class NoAnswer(PerkApiError):
    """No answer that could be used came within the seconds given, after `tries`.

    Of a call that changes something it is not known whether it was carried out: repeat it under the same key, later.
    """

    def __init__(
        self, message: str, *, operation: str, request_id: str, status: int | None = None, tries: int = 1
    ) -> None:
        super().__init__(message, operation=operation, request_id=request_id, status=status)
        self.tries = tries


class Refused(PerkApiError):
    """The API understood who asked, or what, and said no. Go by `code`, which is stable; `detail` is for people."""

    def __init__(
        self,
        *,
        operation: str,
        request_id: str,
        status: int,
        code: str,
        detail: str,
        errors: tuple[FieldProblem, ...] = (),
        retry_after: float | None = None,
    ) -> None:
        super().__init__(f"{status} {code}: {detail}", operation=operation, request_id=request_id, status=status)
        self.code, self.detail, self.errors, self.retry_after = code, detail, errors, retry_after


class BadRequest(Refused):
    """400, 413, 422: the request does not fit; `errors` name the fields."""


class BadKey(Refused):
    """401, 403: the key is unknown, revoked, of the other mode, or lacks the scope."""


class NotFound(Refused):
    """404: nobody, or nothing of your shop, has this number or id."""


class Conflict(Refused):
    """409: what changed meanwhile, such as `used_up`. Check again, and show the shopper the new total."""


class TooMany(Refused):
    """429. `retry_after`: seconds to wait, where the API said so; it was longer than this call could wait."""


KINDS: dict[int, type[Refused]] = {
    400: BadRequest,
    401: BadKey,
    403: BadKey,
    404: NotFound,
    409: Conflict,
    413: BadRequest,
    422: BadRequest,
    429: TooMany,
}
