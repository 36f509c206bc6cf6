"""A server whose constants are others: CONSTANTS="module.NAME=value …" in its environment.

Its connections keep little in the kernel, so that a client that does not read is felt soon.
"""

import asyncio
import importlib
import os
import runpy
import socket

from server import web

SEND_BYTES = 16 * 1_024


connection_made = web.WebSocketProtocol.connection_made


def made_shallow(self: web.WebSocketProtocol, transport: asyncio.BaseTransport) -> None:
    """The product's, with a short way between the application and a full pipe."""
    connection: socket.socket = transport.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BYTES)
    connection_made(self, transport)


def set_constants(constants: str) -> None:
    """Set each constant that is named, which must be there."""
    for constant in constants.split():
        name, value = constant.split("=")
        module_name, attribute = name.rsplit(".", 1)
        module = importlib.import_module(module_name)
        setattr(module, attribute, type(getattr(module, attribute))(value))


if __name__ == "__main__":
    set_constants(os.environ.get("CONSTANTS", ""))
    web.WebSocketProtocol.connection_made = made_shallow  # type: ignore[method-assign]
    runpy.run_module("server", run_name="__main__")
