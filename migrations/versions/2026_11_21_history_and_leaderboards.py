"""history and leaderboards

Why: history is filtered by what was typed, and no page of it may read the rows it does not show.
Columns are added in place: a table rebuilt on SQLite would take the journal with it, by cascade.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

PARAMETERS = {
    "text": "text",
    "random": "length",
    "words": "count",
    "time": "seconds",
    "lesson": "lesson",
    "custom": None,
    "practice": None,
    "race": None,
}
RANKED = sa.text("verdict = 'ranked'")
DISABLED = sa.text("disabled_at_ms IS NOT NULL")
FINISHED = sa.text("finished_at_ms IS NOT NULL")


def upgrade() -> None:
    op.add_column(
        "attempts", sa.Column("kind", sa.String(length=16), server_default="", nullable=False)
    )
    op.add_column(
        "attempts", sa.Column("mode", sa.String(length=80), server_default="", nullable=False)
    )
    op.add_column(
        "attempts",
        sa.Column("self_reported", sa.Boolean(), server_default=sa.false(), nullable=False),
    )
    fill()
    op.drop_index("ix_attempts_personal_best", "attempts")
    op.drop_index("ix_attempts_user_id_finished_at_ms", "attempts")
    op.create_index(
        "ix_attempts_history",
        "attempts",
        [
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
        ],
        unique=False,
        sqlite_where=FINISHED,
        postgresql_where=FINISHED,
    )
    op.create_index(
        "ix_attempts_board",
        "attempts",
        ["category", "user_id", "wpm", "accuracy", "finished_at_ms", "id"],
        unique=False,
        sqlite_where=RANKED,
        postgresql_where=RANKED,
    )
    op.create_index(
        "ix_attempts_board_of_late",
        "attempts",
        ["category", "finished_at_ms", "user_id", "wpm", "accuracy", "id"],
        unique=False,
        sqlite_where=RANKED,
        postgresql_where=RANKED,
    )
    op.create_index(
        "ix_users_disabled",
        "users",
        ["id"],
        unique=False,
        sqlite_where=DISABLED,
        postgresql_where=DISABLED,
    )


def fill() -> None:
    attempts = sa.table(
        "attempts",
        sa.column("source", sa.JSON()),
        sa.column("kind", sa.String()),
        sa.column("mode", sa.String()),
    )
    for kind, parameter in PARAMETERS.items():
        mode = sa.literal(kind)
        if parameter is not None:
            mode = mode + ":" + attempts.c.source[parameter].as_string()
        op.execute(
            attempts.update()
            .where(attempts.c.source["kind"].as_string() == kind)
            .values(kind=kind, mode=mode)
        )


def downgrade() -> None:
    op.drop_index("ix_users_disabled", "users")
    op.drop_index("ix_attempts_board_of_late", "attempts")
    op.drop_index("ix_attempts_board", "attempts")
    op.drop_index("ix_attempts_history", "attempts")
    op.create_index(
        "ix_attempts_user_id_finished_at_ms",
        "attempts",
        ["user_id", "finished_at_ms"],
        unique=False,
    )
    op.create_index(
        "ix_attempts_personal_best",
        "attempts",
        ["user_id", "category", "wpm"],
        unique=False,
        sqlite_where=RANKED,
        postgresql_where=RANKED,
    )
    op.drop_column("attempts", "self_reported")
    op.drop_column("attempts", "mode")
    op.drop_column("attempts", "kind")
