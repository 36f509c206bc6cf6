"""A server that stands still in the middle of a transaction, as soon as a file says so.

FREEZE_IN names the function it does not get into; FREEZE_FLAG the file, which it deletes first.
"""

import importlib
import os
import runpy
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any


def freezing(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, before which the process stands still if it is told to."""
    flag = Path(os.environ["FREEZE_FLAG"])

    def frozen(*values: Any) -> Any:
        if flag.exists():
            flag.unlink()
            os.kill(os.getpid(), signal.SIGSTOP)
        return function(*values)

    return frozen


if __name__ == "__main__":
    module_name, name = os.environ["FREEZE_IN"].rsplit(".", 1)
    module = importlib.import_module(module_name)
    setattr(module, name, freezing(getattr(module, name)))
    runpy.run_module("server", run_name="__main__")
