"""What the README tells a stranger to do is done, word for word."""

from __future__ import annotations

import json
import os
import re
import subprocess

from tests.journeys.rig import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_its_curl_works_as_it_stands(demo):
    (block,) = re.findall(r"```sh\n(demo=.*?curl .*?)```", README, re.DOTALL)
    answer = subprocess.run(
        ["sh", "-eu", "-c", block],
        cwd=ROOT,
        env=os.environ | {"VIP_DATA": str(demo.folder)},
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    decisions = {d["perk"]: d for d in json.loads(answer.stdout)["decisions"]}
    assert decisions["free-shipping"]["allowed"]
    assert decisions["free-shipping"]["effect"]["amount_off"] == 495


def test_the_people_it_names_are_there(demo):
    for email in re.findall(r"`(\w+@example\.com)`", README):
        assert email in {one["email"] for one in demo.facts["members"] + demo.facts["staff"]}


def test_every_file_it_links_is_there():
    for link in re.findall(r"\]\(([^)#]+)\)", README):
        if not link.startswith("http"):
            assert (ROOT / link).exists(), link
