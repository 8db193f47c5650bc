"""A clerk asks for a refund above the limit, by keyboard, at the page that has just asked who is there."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.journeys.rig import ROOT

if TYPE_CHECKING:
    from tests.journeys.person import Person

CODE = "from billing.models import AskedRefund; print(AskedRefund.objects.latest('pk').pk)"


def ask_above_the_limit(clerk: Person, amount: str = "60", reason: str = "a ruined party") -> str:
    """-> what its address holds"""
    page = clerk.page
    page.get_by_label("Why money goes back").select_option("goodwill")
    page.get_by_label("Amount").focus()
    page.keyboard.type(amount)
    page.get_by_label("Reason").focus()
    page.keyboard.type(reason)
    page.get_by_role("button", name="Show what will happen").press("Enter")
    expect(page.locator(".desk-preview li").last).to_contain_text("above the limit")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/console/members/\d+/$"))
    command = [sys.executable, "manage.py", "shell", "--no-imports", "-c", CODE]
    run = subprocess.run(command, cwd=ROOT, env=clerk.demo.variables(), check=True, capture_output=True, text=True)
    return run.stdout.strip()
