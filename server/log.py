"""What the log looks like: lines to read in development, JSON to collect in production.

Never in it: what was typed, a token, an e-mail. Callers do not log them; what a library puts into
its errors all the same is struck out here.
"""

import logging
import os
import re
import sys

import structlog
from structlog.types import EventDict, Processor, WrappedLogger

STRUCK = "[struck out]"
_secrets = re.compile(
    r"eyJ[\w-]{5,}\.[\w-]{5,}\.[\w-]*"  # a JWT
    r"|[\w.!#$%&'*+/=?^`{|}~-]+@[\w-]+(\.[\w-]+)+"
    r"|(?<=://)[^\s/@'\"]+(?=@)"  # user and password of a URL
    r"|(?<=\[parameters: ).*"  # of a statement: keystrokes, hashes
    r"|(?<=DETAIL: ).*"  # PostgreSQL repeats the row that broke a constraint
)


def configure(json_lines: bool) -> None:
    """From now on everything that is logged, by whomever, comes out in one form."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        add_process,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.stdlib.ExtraAdder(),
        structlog.processors.format_exc_info,
        strike_out,
    ]
    last: Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if json_lines
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    for name in ("uvicorn", "uvicorn.error"):  # they would print for themselves
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True
    logging.getLogger("alembic").setLevel(logging.WARNING)


def add_process(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """The same event with the id of the process, which is one of several perhaps."""
    event["pid"] = os.getpid()
    return event


def strike_out(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """The same event without what looks like a secret, wherever it stands."""
    return {
        name: _secrets.sub(STRUCK, value) if isinstance(value, str) else value
        for name, value in event.items()
    }
