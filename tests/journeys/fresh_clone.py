"""A stranger's first start: `python -m tests.journeys.fresh_clone`.

This commit is cloned into an empty folder, with an empty home, no virtual environment and no package cache in reach.
`./run demo` is started there, walked through, stopped, started again; the member must still be there, and no process
may be left behind. Each start takes no longer than is promised.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

from tests.journeys import walk
from tests.journeys.rig import ROOT, Demo

WITH_DOWNLOADS = 600.0  # seconds to the first start, packages fetched
ANEW, AGAIN = 60.0, 10.0  # seconds, packages there: with an empty database, and with yesterday's


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="vip-stranger-") as place:
        demo = strangers_demo(Path(place))
        try:
            tell(f"ready after {demo.start():.0f} s, packages fetched")
            email = walk.walk(demo.base_url, demo.api_key)
            tell("walked: signed up, paid, card verified, free shipping granted")
            finish(demo)
            expect_ready(demo, promised=AGAIN)
            walk.still_there(demo.base_url, demo.api_key, email)
            tell("the member is still there")
            finish(demo)
            demo.command = ("./run", "demo", "--fresh")
            expect_ready(demo, promised=ANEW)
            finish(demo)
            tell("no process left behind")
        finally:
            demo.stop()


def strangers_demo(place: Path) -> Demo:
    clone, home = place / "clone", place / "home"
    home.mkdir()
    git = ("git", "-c", "safe.directory=*")
    commit = subprocess.check_output([*git, "rev-parse", "HEAD"], cwd=ROOT, text=True).strip()
    subprocess.run([*git, "clone", "--quiet", "--no-hardlinks", str(ROOT), str(clone)], check=True)
    subprocess.run([*git, "checkout", "--quiet", commit], cwd=clone, check=True)
    ours = (str(ROOT / ".venv"), str(ROOT / ".tools"))
    path = [entry for entry in os.environ["PATH"].split(os.pathsep) if not entry.startswith(ours)]
    environment = {
        "PATH": os.pathsep.join(path),
        "HOME": str(home),
        **{
            name: str(home / name.lower())
            for name in ("XDG_CACHE_HOME", "XDG_DATA_HOME", "UV_CACHE_DIR", "PIP_CACHE_DIR")
        },
    }
    return Demo(
        folder=place / "data", cwd=clone, command=("./run", "demo"), environment=environment, ready=WITH_DOWNLOADS
    )


def expect_ready(demo: Demo, *, promised: float) -> None:
    """Start it, in no more seconds than the README promises. It is left running."""
    took = demo.start()
    tell(f"ready after {took:.1f} s of {promised:g}")
    assert took < promised


def finish(demo: Demo) -> None:
    """Stop it as Ctrl-C does. Raises AssertionError when something of it goes on."""
    code = demo.stop()
    assert code == 0, f"the demo ended with {code}:\n{demo.tail()}"
    assert demo.left_behind() == []


def tell(line: str) -> None:
    print(f"  {line}", flush=True)


if __name__ == "__main__":
    main()
