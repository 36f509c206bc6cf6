"""A Chromium for the tests: the machine's, Playwright's, or one installed now."""

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path


def chromium_path(playwrights_own: str) -> str:
    """The Chromium to drive: $CHROMIUM, the machine's, Playwright's own; else install one."""
    present = _present(playwrights_own)
    if present is not None:
        return present
    # One of the processes that run the tests installs it, the others wait.
    with (Path(tempfile.gettempdir()) / "typing-trainer-chromium.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return _present(playwrights_own) or _installed(playwrights_own)


def _present(playwrights_own: str) -> str | None:
    named = os.environ.get("CHROMIUM")
    if named:
        return named
    candidates = (shutil.which("chromium"), "/usr/bin/chromium", playwrights_own)
    return next((path for path in candidates if path and Path(path).exists()), None)


def _installed(playwrights_own: str) -> str:
    if os.geteuid() == 0 and Path("/etc/debian_version").exists():
        subprocess.run(["apt-get", "update"], check=False)
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "install", "-y", "chromium"], check=False, env=environment)
    if _present(playwrights_own) is None:
        subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=False)
    found = _present(playwrights_own)
    if found is None:
        raise RuntimeError("There is no Chromium here: install one, or name it in CHROMIUM.")
    return found
