"""The form in which staff set a perk, made from its kind's settings. A new kind needs none of its own.

    form = KindForm(request.POST or None, kind="service", sold=perk.settings, currencies=["EUR", "JPY"])
    if form.is_valid(): perk.settings = form.checked.model_dump(mode="json")

A setting with settings of its own, a sum and a text in several languages become one field for each part, named
`allowance__uses`, `minimum_basket__EUR`, `service__de`. Whatever the settings model refuses is said at its field.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext_lazy as _
from pydantic import ValidationError

from perks import kinds, setting_problems
from perks.setting_fields import filled, parts_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pydantic_core import ErrorDetails

    from perks.kinds import KindSettings


class KindForm(forms.Form):
    """Settings of a perk of `kind`. `sold`: those it has. `currencies`: in which sums can be entered; those that
    `sold` has are added."""

    def __init__(
        self, data: Any = None, *, kind: str, sold: Mapping[str, Any] | None = None, currencies: Iterable[str] = ()
    ) -> None:
        self.model = kinds.ALL[kind].Settings
        settings = self.model.model_validate(sold) if sold is not None else None
        self.parts = {part.name: part for part in parts_of(self.model, settings, currencies)}
        super().__init__(data, initial={name: part.initial for name, part in self.parts.items()})
        for name, part in self.parts.items():
            self.fields[name] = part.field
        self.checked: KindSettings | None = None

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if not self.errors:
            try:
                self.checked = self.model.model_validate(filled(self.model, self.parts, given))
            except ValidationError as error:
                for problem in error.errors():
                    self._say(problem)
        return given

    def _say(self, problem: ErrorDetails) -> None:
        """At the field that it is about: the longest part of its place that is a field, or the first of its group."""
        loc = [str(part) for part in problem["loc"]]
        names = ["__".join(loc[:length]) for length in range(len(loc), 0, -1)]
        found = next((name for name in names if name in self.fields), None)
        grouped = (field for name in names for field in self.fields if field.startswith(f"{name}__"))
        field = found or next(grouped, None)
        if field is None:
            self.add_error(None, setting_problems.sentence(self.model, problem))
        else:
            told = setting_problems.text(problem)
            self.add_error(field, f"{told[:1].upper()}{told[1:]}.")

    def sections(self) -> list[tuple[str, list[forms.BoundField]]]:
        """For a template: the kind's own settings, and those that all kinds have, each with its label."""
        own = self.model.__annotations__.keys()
        first = [self[name] for name, part in self.parts.items() if part.setting in own]
        rest = [self[name] for name, part in self.parts.items() if part.setting not in own]
        return [(str(_("This perk")), first), (str(_("Like every perk")), rest)]
