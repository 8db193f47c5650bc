from __future__ import annotations

from django import forms


class SignupDetails(forms.Form):
    """What sign-up asks beside e-mail and password."""

    def signup(self, request: object, user: object) -> None: ...
