"""The rows. `AttemptRow` is the row; `core.attempt.Attempt` the thing."""

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    UniqueConstraint,
    false,
    text,
    true,
)
from sqlmodel import Field, SQLModel

# Constraints carry the same names in every database, so that migrations can speak of them.
metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Row(SQLModel):
    metadata = metadata


def at_ms(nullable: bool = False) -> Any:
    return Field(default=None if nullable else ..., sa_column=Column(BigInteger, nullable=nullable))


def json_value(nullable: bool = False) -> Any:
    return Field(
        default=None if nullable else ...,
        sa_column=Column(JSON(none_as_null=True), nullable=nullable),
    )


def _owner() -> Any:
    return Field(foreign_key="users.id", ondelete="CASCADE", max_length=36)


GUEST_VERSION, ACCOUNT_VERSION = 0, 1  # of tokens, to begin with

# Leaderboards leave the few out whose account is disabled.
DISABLED_INDEX = Index(
    "ix_users_disabled",
    "id",
    sqlite_where=text("disabled_at_ms IS NOT NULL"),
    postgresql_where=text("disabled_at_ms IS NOT NULL"),
)


class UserRow(Row, table=True):
    """A person; a guest is one who has not registered. `token_version` ends older tokens."""

    __tablename__ = "users"
    __table_args__ = (DISABLED_INDEX,)

    id: str = Field(primary_key=True, max_length=36)
    name: str = Field(max_length=64)
    guest: bool
    created_at_ms: int = at_ms()
    disabled_at_ms: int | None = at_ms(nullable=True)
    token_version: int = GUEST_VERSION

    # An account; all but the first three are set at registration.
    updated_at_ms: int | None = at_ms(nullable=True)
    tier: str = Field(sa_column=Column(String(16), nullable=False, server_default="free"))
    tier_until_ms: int | None = at_ms(nullable=True)  # None: for good
    settings: dict[str, Any] | None = json_value(nullable=True)
    email: str | None = Field(default=None, max_length=254, unique=True, index=True)
    password_hash: str | None = Field(default=None, max_length=256)
    full_name: str | None = Field(default=None, max_length=255)
    verified_at_ms: int | None = at_ms(nullable=True)
    last_login_at_ms: int | None = at_ms(nullable=True)

    # Counts what was stored of theirs: whatever was made of their history before is old.
    history_version: int = Field(default=0, sa_column_kwargs={"server_default": "0"})


class TextRow(Row, table=True):
    """A passage to type. `length` is short, medium or long."""

    __tablename__ = "texts"
    __table_args__ = (Index(None, "language", "length"),)

    id: str = Field(primary_key=True, max_length=64)
    language: str = Field(max_length=16)
    length: str = Field(max_length=16)
    title: str
    text: str


class LessonRow(Row, table=True):
    """A lesson of the course; title and description by language. Its texts are in files."""

    __tablename__ = "lessons"
    __table_args__ = (UniqueConstraint("block_id", "lesson_number"),)

    id: str = Field(primary_key=True, max_length=64)
    block_id: int
    lesson_number: int
    difficulty_level: str = Field(max_length=16)
    title: dict[str, Any] = json_value()
    description: dict[str, Any] = json_value()
    target_wpm: int
    max_errors: int
    is_premium: bool
    is_active: bool = Field(default=True, sa_column_kwargs={"server_default": true()})


# History is answered from these alone: the rows themselves, with their texts and keystrokes, are
# wide, and a person may have very many.
HISTORY_INDEXES = (
    # Holds all attempts, not those with a result alone: it also finds what goes with a person.
    Index(
        "ix_attempts_history",
        "user_id",
        "finished_at_ms",
        "id",
        "kind",
        "mode",
        "language",
        "layout",
        "verdict",
        "state",
        "self_reported",
        "wpm",
        "raw_wpm",
        "accuracy",
        "consistency",
        "errors",
        "duration_ms",
    ),
    # Finds the personal best, and all that leaderboards are counted from.
    Index(
        "ix_attempts_board",
        "category",
        "user_id",
        "wpm",
        "accuracy",
        "finished_at_ms",
        "id",
        sqlite_where=text("verdict = 'ranked'"),
        postgresql_where=text("verdict = 'ranked'"),
    ),
    # Says which lessons are passed, whatever else was typed.
    Index(
        "ix_attempts_lessons",
        "user_id",
        "language",
        "layout",
        "mode",
        "errors",
        "finished_at_ms",
        "verdict",
        "state",
        "self_reported",
        "wpm",
        "kind",
        sqlite_where=text("kind = 'lesson'"),
        postgresql_where=text("kind = 'lesson'"),
    ),
)
# The same result is brought along once.
IMPORT_INDEX = Index(
    "uq_attempts_import",
    "user_id",
    "import_key",
    unique=True,
    sqlite_where=text("import_key IS NOT NULL"),
    postgresql_where=text("import_key IS NOT NULL"),
)


class AttemptRow(Row, table=True):
    """An attempt from its first `open` on; the columns after `got` are set when it has ended.

    `epoch` counts the connections that took it: a write with an older one is refused.
    `category` names the attempts that may be compared with this one.
    """

    __tablename__ = "attempts"
    __table_args__ = (
        Index(
            "ix_attempts_open",
            "opened_at_ms",
            sqlite_where=text("state IN ('armed', 'running')"),
            postgresql_where=text("state IN ('armed', 'running')"),
        ),
        *HISTORY_INDEXES,
        IMPORT_INDEX,
    )

    id: str = Field(primary_key=True, max_length=36)
    user_id: str = _owner()
    state: str = Field(max_length=16)
    epoch: int
    source: dict[str, Any] = json_value()
    category: str = Field(max_length=128)
    rule: str = Field(max_length=16)
    language: str | None = Field(default=None, max_length=16)
    layout: str = Field(max_length=32)
    text: str
    opened_at_ms: int = at_ms()
    outage_ms: int = 0
    got: bool = False

    started_at_ms: int | None = at_ms(nullable=True)
    finished_at_ms: int | None = at_ms(nullable=True)
    position: int | None = None
    duration_ms: int | None = None
    wpm: float | None = None
    raw_wpm: float | None = None
    accuracy: float | None = None
    errors: int | None = None
    uncorrected: int | None = None
    consistency: float | None = None
    keys: dict[str, Any] | None = json_value(nullable=True)
    text_length: int | None = None
    events: int | None = None
    late_ms: int | None = None
    scorer: int | None = None
    personal_best: float | None = None
    verdict: str | None = Field(default=None, max_length=16)
    why: list[dict[str, Any]] | None = json_value(nullable=True)
    keystroke_log: bytes | None = Field(default=None, sa_column=Column(LargeBinary, nullable=True))

    # `mode` is the source without its language; `self_reported` was typed elsewhere.
    kind: str = Field(default="", max_length=16, sa_column_kwargs={"server_default": ""})
    mode: str = Field(default="", max_length=80, sa_column_kwargs={"server_default": ""})
    self_reported: bool = Field(default=False, sa_column_kwargs={"server_default": false()})

    # What the keystrokes say of keys and bigrams, as `core.bigrams` packs it.
    counts: bytes | None = Field(default=None, sa_column=Column(LargeBinary, nullable=True))

    # Where a result was brought along from, and what it is known by when it comes again.
    imported_from: str | None = Field(default=None, max_length=16)
    import_key: str | None = Field(default=None, max_length=32)


class UnfinishedImportRow(Row, table=True):
    """A file that is being stored in slices; its results have ids from the first to the last.

    Where none is being stored, it was cut off, and they are to be deleted.
    """

    __tablename__ = "unfinished_imports"

    first_id: str = Field(primary_key=True, max_length=36)
    last_id: str = Field(max_length=36)
    user_id: str = Field(foreign_key="users.id", ondelete="CASCADE", max_length=36, index=True)


class JournalRow(Row, table=True):
    """Keystrokes `seq` and on of a running attempt, as they arrived; gone when it has ended."""

    __tablename__ = "journal"

    attempt_id: str = Field(
        sa_column=Column(ForeignKey("attempts.id", ondelete="CASCADE"), primary_key=True)
    )
    seq: int = Field(primary_key=True)
    arrived_at_ms: int = at_ms()
    keystrokes: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class CommitRow(Row, table=True):
    """The batches of one commit, as `db.batches` packs them, until they are sorted into journal."""

    __tablename__ = "commits"

    n: int | None = Field(
        default=None,
        sa_column=Column(
            BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=True
        ),
    )
    batches: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class KeyCounterRow(Row, table=True):
    """The weak-key counters: every press a person ever made for one key of one layout."""

    __tablename__ = "key_counters"

    user_id: str = Field(
        primary_key=True, foreign_key="users.id", ondelete="CASCADE", max_length=36
    )
    language: str = Field(primary_key=True, max_length=16)
    layout: str = Field(primary_key=True, max_length=32)
    key: str = Field(primary_key=True, max_length=64)
    presses: int
    errors: int
    latency_sum_ms: int = Field(sa_column=Column(BigInteger, nullable=False))
    latency_count: int


class KeyConfusionRow(Row, table=True):
    """How often `typed` was hit where `key` was expected."""

    __tablename__ = "key_confusions"

    user_id: str = Field(
        primary_key=True, foreign_key="users.id", ondelete="CASCADE", max_length=36
    )
    language: str = Field(primary_key=True, max_length=16)
    layout: str = Field(primary_key=True, max_length=32)
    key: str = Field(primary_key=True, max_length=64)
    typed: str = Field(primary_key=True, max_length=64)
    count: int


# Leaderboards: what they are answered from, instead of from all attempts ever made.


class BestRow(Row, table=True):
    """A person's best ranked attempt of a category in a period that began at `began_at_ms`.

    One row for each period's name: a new day's first attempt takes the place of yesterday's best.
    """

    __tablename__ = "bests"
    __table_args__ = (
        Index(
            "ix_bests_board",
            "category",
            "period",
            "began_at_ms",
            "wpm",
            "accuracy",
            "finished_at_ms",
            "user_id",
        ),
    )

    user_id: str = Field(
        primary_key=True, foreign_key="users.id", ondelete="CASCADE", max_length=36
    )
    category: str = Field(primary_key=True, max_length=128)
    period: str = Field(primary_key=True, max_length=8)
    began_at_ms: int = at_ms()
    wpm: float
    accuracy: float
    finished_at_ms: int = at_ms()


class BoardVersionRow(Row, table=True):
    """How often a writer has changed the boards of a category: what a copy must have reached.

    Each process is a writer of its own, so that none waits for another to commit.
    """

    __tablename__ = "board_versions"
    __table_args__ = (Index(None, "changed_at_ms"),)

    category: str = Field(primary_key=True, max_length=128)
    writer: str = Field(primary_key=True, max_length=32)
    version: int = Field(sa_column=Column(BigInteger, nullable=False))
    changed_at_ms: int = at_ms()


# Accounts: logins and what is sent by mail. Tokens are stored as SHA-256 hashes only.


class LoginRow(Row, table=True):
    """One sign-in on one device: the family of all refresh tokens that came from it."""

    __tablename__ = "logins"

    id: str = Field(primary_key=True, max_length=36)
    user_id: str = Field(foreign_key="users.id", ondelete="CASCADE", max_length=36, index=True)
    created_at_ms: int = at_ms()
    expires_at_ms: int = at_ms()
    revoked_at_ms: int | None = at_ms(nullable=True)


class RefreshTokenRow(Row, table=True):
    """A refresh token; once used it lives on, so that showing it again is noticed."""

    __tablename__ = "refresh_tokens"

    hash: str = Field(primary_key=True, max_length=64)
    login_id: str = Field(foreign_key="logins.id", ondelete="CASCADE", max_length=36, index=True)
    issued_at_ms: int = at_ms()
    used_at_ms: int | None = at_ms(nullable=True)


class MailLinkRow(Row, table=True):
    """A link that was mailed to `email`. `purpose` is verify, reset or change (of the address).

    Each works once, and only while the account's address and password are what they were.
    """

    __tablename__ = "mail_links"

    hash: str = Field(primary_key=True, max_length=64)
    user_id: str = Field(foreign_key="users.id", ondelete="CASCADE", max_length=36, index=True)
    purpose: str = Field(max_length=16)
    email: str = Field(max_length=254, sa_column_kwargs={"server_default": ""})
    expires_at_ms: int = at_ms()
    used_at_ms: int | None = at_ms(nullable=True)


class MailRow(Row, table=True):
    """A mail to send, committed with what it speaks of. `kind` names its words.

    `payload` holds the seed of the mailed link, from which only the server makes the token. With no
    `user_id` it is for whoever turns out to have an account with that address.
    """

    __tablename__ = "mails"
    __table_args__ = (
        Index(
            "ix_mails_waiting",
            "due_at_ms",
            sqlite_where=text("sent_at_ms IS NULL"),
            postgresql_where=text("sent_at_ms IS NULL"),
        ),
    )

    id: str = Field(primary_key=True, max_length=36)
    user_id: str | None = Field(
        default=None, foreign_key="users.id", ondelete="CASCADE", max_length=36, index=True
    )
    to: str = Field(max_length=254)
    kind: str = Field(max_length=16)
    language: str = Field(max_length=16)
    payload: dict[str, Any] = json_value()
    due_at_ms: int = at_ms()
    tries: int = 0
    sent_at_ms: int | None = at_ms(nullable=True)
