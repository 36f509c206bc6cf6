"""All an operator may change, read once from the environment."""

import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

VAR = Path(__file__).resolve().parents[1] / "var"
SECRET_BYTES_MIN = 32
PORT_MAX = 65_535
ENVIRONMENTS = ("development", "production", "test")


class SettingsRefused(ValueError):
    """A setting is missing or makes no sense; the message says which and what to do."""


@dataclass(frozen=True)
class Settings:
    """Made by `from_environ`; docs/settings.md lists every variable."""

    database_url: str
    jwt_secret: str = field(repr=False)
    redis_url: str | None = None  # None: one process
    allowed_origins: frozenset[str] = frozenset()
    environment: str = "development"
    host: str = "127.0.0.1"
    port: int = 8000
    drain_ms: int = 5_000
    connections_per_address: int = 200
    handshakes_per_address_s: int = 20
    guests_per_address_hour: int = 300

    @property
    def production(self) -> bool:
        return self.environment == "production"

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "Settings":
        """Raises SettingsRefused. In development a missing JWT_SECRET is made and kept in var/."""
        environment = environ.get("ENVIRONMENT", "development")
        if environment not in ENVIRONMENTS:
            raise SettingsRefused(f"ENVIRONMENT must be one of: {', '.join(ENVIRONMENTS)}.")
        origins = environ.get("ALLOWED_ORIGINS", "").replace(",", " ").split()
        return cls(
            database_url=environ.get("DATABASE_URL") or f"sqlite:///{VAR / 'typing.db'}",
            jwt_secret=_secret(environ.get("JWT_SECRET"), environment),
            redis_url=environ.get("REDIS_URL") or None,
            allowed_origins=frozenset(origins),
            environment=environment,
            host=environ.get("HOST") or cls.host,
            port=port_number(environ.get("PORT") or str(cls.port)),
            drain_ms=_number(environ, "DRAIN_MS", cls.drain_ms),
            connections_per_address=_number(
                environ, "CONNECTIONS_PER_ADDRESS", cls.connections_per_address
            ),
            handshakes_per_address_s=_number(
                environ, "HANDSHAKES_PER_ADDRESS_S", cls.handshakes_per_address_s
            ),
            guests_per_address_hour=_number(
                environ, "GUESTS_PER_ADDRESS_HOUR", cls.guests_per_address_hour
            ),
        )


def port_number(value: str) -> int:
    """A port out of what an operator wrote. Raises SettingsRefused."""
    if not value.isdecimal() or int(value) > PORT_MAX:
        raise SettingsRefused(f"PORT must be a whole number from 0 to {PORT_MAX}.")
    return int(value)


def _number(environ: Mapping[str, str], name: str, default: int) -> int:
    value = environ.get(name)
    if not value:
        return default
    if not value.isdecimal():
        raise SettingsRefused(f"{name} must be a whole number.")
    return int(value)


def _secret(secret: str | None, environment: str) -> str:
    if not secret:
        if environment == "production":
            raise SettingsRefused("JWT_SECRET must be set in production: openssl rand -hex 32")
        secret = _kept_secret(VAR / "jwt_secret")
    if len(secret.encode()) < SECRET_BYTES_MIN:
        raise SettingsRefused(f"JWT_SECRET must have at least {SECRET_BYTES_MIN} bytes.")
    return secret


def _kept_secret(path: Path) -> str:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        made = path.with_name(f"{path.name}.{os.getpid()}")
        made.touch(mode=0o600)
        made.write_text(secrets.token_hex(SECRET_BYTES_MIN))
        # Whole or not at all, and the first of two processes wins.
        with suppress(FileExistsError):
            os.link(made, path)
        made.unlink()
    return path.read_text()
