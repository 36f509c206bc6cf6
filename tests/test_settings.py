"""What an operator may set, and what is refused with a sentence that helps."""

from pathlib import Path

import pytest

import server.settings
from server.core.plan import Plan
from server.settings import SECRET_BYTES_MIN, Settings, SettingsRefused

SECRET = "s" * SECRET_BYTES_MIN


@pytest.fixture
def var(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of this test alone in place of var/."""
    monkeypatch.setattr(server.settings, "VAR", tmp_path / "var")
    return tmp_path / "var"


def test_defaults_serve_a_developer() -> None:
    settings = Settings.from_environ({"JWT_SECRET": SECRET})
    assert settings.database_url.startswith("sqlite:///")
    assert (settings.host, settings.port, settings.environment) == (
        "127.0.0.1",
        8_000,
        "development",
    )
    assert (settings.redis_url, settings.allowed_origins) == (None, frozenset())
    assert not settings.production


def test_every_setting_is_read() -> None:
    settings = Settings.from_environ(
        {
            "DATABASE_URL": "postgresql://db/typing",
            "JWT_SECRET": SECRET,
            "REDIS_URL": "redis://bus",
            "ALLOWED_ORIGINS": "https://a.example, https://b.example",
            "ENVIRONMENT": "production",
            "HOST": "0.0.0.0",
            "PORT": "80",
            "WORKERS": "4",
            "DRAIN_MS": "0",
            "CONNECTIONS_PER_ADDRESS": "1",
            "OVERLOAD_MS": "0",
            "OVERLOAD_CORE_PERCENT": "40",
            "HANDSHAKES_PER_ADDRESS_S": "2",
            "GUESTS_PER_ADDRESS_HOUR": "3",
            "MAIL_URL": "smtp://mail?from=a@b.example",
            "PUBLIC_URL": "https://typing.example/",
            "RATE_LIMIT_ENABLED": "false",
            "LOGINS_PER_HOUR": "4",
            "REGISTRATIONS_PER_HOUR": "5",
            "MAILS_PER_HOUR": "6",
            "IMPORTS_PER_HOUR": "11",
            "REQUESTS_FREE_PER_HOUR": "7",
            "REQUESTS_BASIC_PER_HOUR": "8",
            "REQUESTS_PREMIUM_PER_HOUR": "9",
            "REQUESTS_ADDRESS_PER_HOUR": "10",
            "WEBSOCKETS": "sansio",
            "FORWARDED_ALLOW_IPS": "10.0.0.1",
        }
    )
    assert settings == Settings(
        database_url="postgresql://db/typing",
        jwt_secret=SECRET,
        redis_url="redis://bus",
        allowed_origins=frozenset({"https://a.example", "https://b.example"}),
        environment="production",
        host="0.0.0.0",
        port=80,
        workers=4,
        drain_ms=0,
        connections_per_address=1,
        overload_ms=0,
        overload_core_percent=40,
        handshakes_per_address_s=2,
        guests_per_address_hour=3,
        mail_url="smtp://mail?from=a@b.example",
        public_url="https://typing.example",
        rate_limit_enabled=False,
        logins_per_hour=4,
        registrations_per_hour=5,
        mails_per_hour=6,
        imports_per_hour=11,
        requests_free_per_hour=7,
        requests_basic_per_hour=8,
        requests_premium_per_hour=9,
        requests_address_per_hour=10,
        websockets="sansio",
        forwarded_allow_ips="10.0.0.1",
    )
    assert settings.production


def test_empty_variable_is_as_good_as_none() -> None:
    names = ["DATABASE_URL", "REDIS_URL", "ALLOWED_ORIGINS", "HOST", "PORT", "DRAIN_MS"]
    settings = Settings.from_environ({"JWT_SECRET": SECRET, **dict.fromkeys(names, "")})
    assert settings == Settings.from_environ({"JWT_SECRET": SECRET})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ENVIRONMENT", "staging"),
        ("PORT", "http"),
        ("PORT", "-1"),
        ("PORT", "80.5"),
        ("WORKERS", "0"),
        ("WORKERS", "all"),
        ("DRAIN_MS", "5s"),
        ("CONNECTIONS_PER_ADDRESS", "many"),
        ("OVERLOAD_MS", "-1"),
        ("OVERLOAD_CORE_PERCENT", "80%"),
        ("RATE_LIMIT_ENABLED", "perhaps"),
        ("WEBSOCKETS", "wsproto"),
        ("PUBLIC_URL", "typing.example"),
        ("JWT_SECRET", "short"),
        ("JWT_SECRET", "s" * (SECRET_BYTES_MIN - 1)),
    ],
)
def test_nonsense_is_refused_by_name_and_not_repeated(name: str, value: str) -> None:
    with pytest.raises(SettingsRefused, match=name) as refused:
        Settings.from_environ({"JWT_SECRET": SECRET, name: value})
    assert name != "JWT_SECRET" or value not in str(refused.value)


POSTGRESQL = {"DATABASE_URL": "postgresql://db/typing"}
REDIS = {"REDIS_URL": "redis://bus"}


@pytest.mark.parametrize("environ", [POSTGRESQL, REDIS, {}])
def test_several_processes_need_what_they_can_share(environ: dict[str, str]) -> None:
    shared = {"JWT_SECRET": SECRET, **environ}
    with pytest.raises(SettingsRefused, match="WORKERS"):
        Settings.from_environ({**shared, "WORKERS": "2"})
    assert Settings.from_environ({**shared, "WORKERS": "1"}).workers == 1
    assert Settings.from_environ({**POSTGRESQL, **REDIS, **shared, "WORKERS": "2"}).workers == 2


def test_production_wants_a_secret(var: Path) -> None:
    with pytest.raises(SettingsRefused, match="JWT_SECRET"):
        Settings.from_environ({"ENVIRONMENT": "production"})
    assert not var.exists()


def test_production_wants_to_know_where_mailed_links_lead() -> None:
    mails = {"MAIL_URL": "smtp://mail?from=a@b.example", "JWT_SECRET": SECRET}
    with pytest.raises(SettingsRefused, match="PUBLIC_URL"):
        Settings.from_environ({**mails, "ENVIRONMENT": "production"})
    assert Settings.from_environ(mails).public_url is None


def test_secret_is_made_once_for_a_developer_and_is_nobody_elses_to_read(var: Path) -> None:
    made = [Settings.from_environ({}).jwt_secret for _ in range(2)]
    assert made[0] == made[1]
    assert len(made[0].encode()) >= SECRET_BYTES_MIN
    assert [path.stat().st_mode & 0o777 for path in var.iterdir()] == [0o600]


def test_secret_file_left_empty_is_not_taken_for_a_secret(var: Path) -> None:
    var.mkdir()
    (var / "jwt_secret").touch()
    with pytest.raises(SettingsRefused, match="JWT_SECRET"):
        Settings.from_environ({})


def test_secret_does_not_show_when_settings_are_printed() -> None:
    assert SECRET not in repr(Settings.from_environ({"JWT_SECRET": SECRET}))


STRIPE = {
    "STRIPE_SECRET_KEY": "sk_test_secret",
    "STRIPE_WEBHOOK_SECRET": "whsec_secret",
    "STRIPE_PRICE_BASIC_MONTHLY": "one",
    "STRIPE_PRICE_BASIC_YEARLY": "two",
    "STRIPE_PRICE_PREMIUM_MONTHLY": "three",
    "STRIPE_PRICE_PREMIUM_YEARLY": "four",
}


def test_plans_are_sold_with_all_that_it_takes_or_not_at_all() -> None:
    given = {"JWT_SECRET": SECRET, **STRIPE}
    settings = Settings.from_environ(given)
    assert settings.stripe is not None
    assert settings.stripe.prices[Plan.PREMIUM, "yearly"] == "four"
    assert "secret" not in repr((settings, settings.stripe)).replace("_secret", "")
    assert Settings.from_environ({"JWT_SECRET": SECRET}).stripe is None
    for name in STRIPE.keys() - {"STRIPE_SECRET_KEY"}:
        with pytest.raises(SettingsRefused, match="STRIPE_SECRET_KEY needs"):
            Settings.from_environ(given | {name: ""})
    with pytest.raises(SettingsRefused, match="another price"):
        Settings.from_environ(given | {"STRIPE_PRICE_BASIC_YEARLY": "one"})
    with pytest.raises(SettingsRefused, match="PUBLIC_URL"):
        Settings.from_environ(given | {"ENVIRONMENT": "production"})
