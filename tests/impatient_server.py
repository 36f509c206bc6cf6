"""A server whose constants are others: CONSTANTS="module.NAME=value …" in its environment.

Its connections keep little in the kernel, so that a client that does not read is felt soon.
"""

import asyncio
import importlib
import os
import runpy
import socket
from typing import Any

from server import web

SEND_BYTES = 16 * 1_024


def make_shallow(protocol: Any) -> None:
    """Have a short way between the application and a full pipe."""
    connection_made = protocol.connection_made

    def made_shallow(self: Any, transport: asyncio.BaseTransport) -> None:
        connection: socket.socket = transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BYTES)
        connection_made(self, transport)

    protocol.connection_made = made_shallow


def set_constants(constants: str) -> None:
    """Set each constant that is named, which must be there."""
    for constant in constants.split():
        name, value = constant.split("=")
        module_name, attribute = name.rsplit(".", 1)
        module = importlib.import_module(module_name)
        setattr(module, attribute, type(getattr(module, attribute))(value))


if __name__ == "__main__":
    set_constants(os.environ.get("CONSTANTS", ""))
    make_shallow(web.HttpProtocol)
    make_shallow(web.WebSocketProtocol)
    runpy.run_module("server", run_name="__main__")
