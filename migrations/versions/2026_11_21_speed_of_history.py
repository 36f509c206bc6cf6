"""history that is soon answered

Why: a person's history version says whether an answer made earlier is still right, in any process;
and what an attempt's keystrokes say of keys and bigrams is counted once, when it ends, not whenever
somebody asks. What has ended before is counted here, from its keystroke log: an hour for a million
attempts. The index of history finds all attempts of a person, not only those with a result: without
one their export, and their end, would read everybody's.
"""

import sqlalchemy as sa
from alembic import op

from server.core.bigrams import type_bigrams
from server.core.replay import unpack_log
from server.core.text import Text
from server.core.typed_text import ErrorRule, TypedText
from server.db.counts import pack_counts

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

CHUNK = 500
HISTORY = [
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
]
TABLE = sa.table(
    "attempts",
    sa.column("id", sa.String()),
    sa.column("finished_at_ms", sa.BigInteger()),
    sa.column("opened_at_ms", sa.BigInteger()),
    sa.column("source", sa.JSON()),
    sa.column("rule", sa.String()),
    sa.column("text", sa.String()),
    sa.column("keystroke_log", sa.LargeBinary()),
    sa.column("counts", sa.LargeBinary()),
)


def upgrade() -> None:
    op.add_column(
        "users", sa.Column("history_version", sa.Integer(), server_default="0", nullable=False)
    )
    op.add_column("attempts", sa.Column("counts", sa.LargeBinary(), nullable=True))
    fill()
    index_history(of_results_alone=False)


def index_history(of_results_alone: bool) -> None:
    op.drop_index("ix_attempts_history", "attempts")
    which = sa.text("finished_at_ms IS NOT NULL") if of_results_alone else None
    op.create_index(
        "ix_attempts_history",
        "attempts",
        HISTORY,
        unique=False,
        sqlite_where=which,
        postgresql_where=which,
    )


def fill() -> None:
    connection = op.get_bind()
    page = (
        sa.select(TABLE)
        .where(
            TABLE.c.id > sa.bindparam("after"),
            TABLE.c.finished_at_ms.is_not(None),
            TABLE.c.keystroke_log.is_not(None),
        )
        .order_by(TABLE.c.id)
        .limit(CHUNK)
    )
    count = TABLE.update().where(TABLE.c.id == sa.bindparam("attempt"))
    count = count.values(counts=sa.bindparam("found"))
    after = ""
    while rows := connection.execute(page, {"after": after}).mappings().all():
        connection.execute(count, [{"attempt": row["id"], "found": counted(row)} for row in rows])
        after = rows[-1]["id"]


def counted(row: sa.RowMapping) -> bytes:
    seconds = row["source"].get("seconds")
    limit_ms = None if seconds is None else int(seconds) * 1_000
    typed_text = TypedText(Text.of(row["text"]), ErrorRule(row["rule"]), limit_ms)
    batches = unpack_log(row["keystroke_log"], row["opened_at_ms"])
    bigrams = type_bigrams(typed_text, (key for batch in batches for key in batch.keystrokes))
    return pack_counts(typed_text.keys, bigrams)


def downgrade() -> None:
    index_history(of_results_alone=True)
    op.drop_column("attempts", "counts")
    op.drop_column("users", "history_version")
