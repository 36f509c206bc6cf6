"""All an operator may change, read once from the environment."""

import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from server.core.plan import GRANTS, Account, Plan

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
    mail_url: str | None = field(default=None, repr=False)  # None: no mail is sent
    public_url: str | None = None  # where mailed links lead
    rate_limit_enabled: bool = True
    allowed_origins: frozenset[str] = frozenset()
    environment: str = "development"
    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 1
    drain_ms: int = 5_000
    connections_per_address: int = 200
    handshakes_per_address_s: int = 20
    guests_per_address_hour: int = 300
    overload_ms: int = 50  # 0: nobody is refused however much there is to do
    overload_core_percent: int = 80
    logins_per_hour: int = 5
    registrations_per_hour: int = 10
    mails_per_hour: int = 5
    imports_per_hour: int = 40
    requests_free_per_hour: int = GRANTS[Plan.FREE].requests_per_hour
    requests_basic_per_hour: int = GRANTS[Plan.BASIC].requests_per_hour
    requests_premium_per_hour: int = GRANTS[Plan.PREMIUM].requests_per_hour
    requests_address_per_hour: int = 1_000
    forwarded_allow_ips: str | None = None  # None: no proxy is believed
    stripe_secret_key: str | None = field(default=None, repr=False)  # None: nothing is sold
    stripe_webhook_secret: str | None = field(default=None, repr=False)
    stripe_price_basic_monthly: str | None = None
    stripe_price_basic_yearly: str | None = None
    stripe_price_premium_monthly: str | None = None
    stripe_price_premium_yearly: str | None = None
    stripe_api_base: str = "https://api.stripe.com"
    websockets: str = "direct"  # or "sansio": uvicorn's own way, for when ours is in doubt

    def __post_init__(self) -> None:
        if self.workers > 1 and (self.database_url.startswith("sqlite") or not self.redis_url):
            raise SettingsRefused(
                "WORKERS above 1 needs PostgreSQL (DATABASE_URL) and Redis (REDIS_URL)."
            )
        sold = self.stripe
        if sold is not None and not (sold.webhook_secret and all(sold.prices.values())):
            raise SettingsRefused(
                "STRIPE_SECRET_KEY needs STRIPE_WEBHOOK_SECRET and four STRIPE_PRICE_… beside it."
            )
        if sold is not None and len(set(sold.prices.values())) < len(sold.prices):
            raise SettingsRefused("Each STRIPE_PRICE_… must be another price.")

    @property
    def stripe(self) -> Account | None:
        """What is sold, and through whose account; None: nothing, and everything is open."""
        if self.stripe_secret_key is None:
            return None
        prices = {
            (Plan.BASIC, "monthly"): self.stripe_price_basic_monthly or "",
            (Plan.BASIC, "yearly"): self.stripe_price_basic_yearly or "",
            (Plan.PREMIUM, "monthly"): self.stripe_price_premium_monthly or "",
            (Plan.PREMIUM, "yearly"): self.stripe_price_premium_yearly or "",
        }
        return Account(
            self.stripe_secret_key, self.stripe_webhook_secret or "", prices, self.stripe_api_base
        )

    @property
    def per_hour(self) -> dict[str, int]:
        """What each budget holds."""
        return {
            "login": self.logins_per_hour,
            "login_all": 10 * self.logins_per_hour,
            "register": self.registrations_per_hour,
            "mail": self.mails_per_hour,
            "import": self.imports_per_hour,
            "requests_free": self.requests_free_per_hour,
            "requests_basic": self.requests_basic_per_hour,
            "requests_premium": self.requests_premium_per_hour,
            "requests_address": self.requests_address_per_hour,
        }

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
            mail_url=environ.get("MAIL_URL") or None,
            public_url=_public_url(environ, environment),
            rate_limit_enabled=_switch(environ, "RATE_LIMIT_ENABLED", cls.rate_limit_enabled),
            environment=environment,
            host=environ.get("HOST") or cls.host,
            port=port_number(environ.get("PORT") or str(cls.port)),
            workers=workers_number(environ.get("WORKERS") or str(cls.workers)),
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
            overload_ms=_number(environ, "OVERLOAD_MS", cls.overload_ms),
            overload_core_percent=_number(
                environ, "OVERLOAD_CORE_PERCENT", cls.overload_core_percent
            ),
            logins_per_hour=_number(environ, "LOGINS_PER_HOUR", cls.logins_per_hour),
            registrations_per_hour=_number(
                environ, "REGISTRATIONS_PER_HOUR", cls.registrations_per_hour
            ),
            mails_per_hour=_number(environ, "MAILS_PER_HOUR", cls.mails_per_hour),
            imports_per_hour=_number(environ, "IMPORTS_PER_HOUR", cls.imports_per_hour),
            requests_free_per_hour=_number(
                environ, "REQUESTS_FREE_PER_HOUR", cls.requests_free_per_hour
            ),
            requests_basic_per_hour=_number(
                environ, "REQUESTS_BASIC_PER_HOUR", cls.requests_basic_per_hour
            ),
            requests_premium_per_hour=_number(
                environ, "REQUESTS_PREMIUM_PER_HOUR", cls.requests_premium_per_hour
            ),
            requests_address_per_hour=_number(
                environ, "REQUESTS_ADDRESS_PER_HOUR", cls.requests_address_per_hour
            ),
            forwarded_allow_ips=environ.get("FORWARDED_ALLOW_IPS") or None,
            stripe_secret_key=environ.get("STRIPE_SECRET_KEY") or None,
            stripe_webhook_secret=environ.get("STRIPE_WEBHOOK_SECRET") or None,
            stripe_price_basic_monthly=environ.get("STRIPE_PRICE_BASIC_MONTHLY") or None,
            stripe_price_basic_yearly=environ.get("STRIPE_PRICE_BASIC_YEARLY") or None,
            stripe_price_premium_monthly=environ.get("STRIPE_PRICE_PREMIUM_MONTHLY") or None,
            stripe_price_premium_yearly=environ.get("STRIPE_PRICE_PREMIUM_YEARLY") or None,
            stripe_api_base=environ.get("STRIPE_API_BASE") or cls.stripe_api_base,
            websockets=_websockets(environ),
        )


def port_number(value: str) -> int:
    """A port out of what an operator wrote. Raises SettingsRefused."""
    if not value.isdecimal() or int(value) > PORT_MAX:
        raise SettingsRefused(f"PORT must be a whole number from 0 to {PORT_MAX}.")
    return int(value)


def workers_number(value: str) -> int:
    """A number of processes out of what an operator wrote. Raises SettingsRefused."""
    if not value.isdecimal() or int(value) < 1:
        raise SettingsRefused("WORKERS must be a whole number from 1.")
    return int(value)


def _number(environ: Mapping[str, str], name: str, default: int) -> int:
    value = environ.get(name)
    if not value:
        return default
    if not value.isdecimal():
        raise SettingsRefused(f"{name} must be a whole number.")
    return int(value)


def _switch(environ: Mapping[str, str], name: str, default: bool) -> bool:
    value = (environ.get(name) or str(default)).lower()
    if value not in ("true", "false"):
        raise SettingsRefused(f"{name} must be true or false.")
    return value == "true"


def _websockets(environ: Mapping[str, str]) -> str:
    value = environ.get("WEBSOCKETS") or Settings.websockets
    if value not in ("direct", "sansio"):
        raise SettingsRefused("WEBSOCKETS must be direct or sansio.")
    return value


def _public_url(environ: Mapping[str, str], environment: str) -> str | None:
    url = (environ.get("PUBLIC_URL") or "").rstrip("/") or None
    if url is not None and not url.startswith(("http://", "https://")):
        raise SettingsRefused("PUBLIC_URL must begin with https:// or http://.")
    leads_back = environ.get("MAIL_URL") or environ.get("STRIPE_SECRET_KEY")
    if url is None and leads_back and environment == "production":
        # What a request says of its host is not to be believed: it may lead anywhere.
        raise SettingsRefused(
            "PUBLIC_URL must be set where mail is sent or plans are sold: links lead there."
        )
    return url


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
