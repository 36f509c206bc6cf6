"""bests of leaderboards

Why: a leaderboard is answered from one row per person, not from all attempts ever made.
"""

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from alembic import op

from server.clock import Clock

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

RANKED = sa.text("verdict = 'ranked'")
BOARDS = (
    *(f"time:%:{seconds}" for seconds in (15, 30, 60, 120)),
    *(f"words:%:{count}" for count in (10, 25, 50, 100)),
    "text:%",
)
FILL = """
INSERT INTO bests (user_id, category, period, began_at_ms, wpm, accuracy, finished_at_ms)
SELECT user_id, category, :period, :began_at_ms, wpm, accuracy, finished_at_ms
FROM (
    SELECT user_id, category, wpm, accuracy, finished_at_ms, row_number() OVER (
        PARTITION BY user_id ORDER BY wpm DESC, accuracy DESC, finished_at_ms
    ) AS nth
    FROM attempts
    WHERE category = :category AND verdict = 'ranked' AND finished_at_ms >= :began_at_ms
) AS theirs
WHERE nth = 1
"""


def upgrade() -> None:
    op.create_table(
        "bests",
        sa.Column("user_id", sa.String(length=36), nullable=False),
        sa.Column("category", sa.String(length=128), nullable=False),
        sa.Column("period", sa.String(length=8), nullable=False),
        sa.Column("began_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("wpm", sa.Float(), nullable=False),
        sa.Column("accuracy", sa.Float(), nullable=False),
        sa.Column("finished_at_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_bests_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", "category", "period", name=op.f("pk_bests")),
    )
    op.create_table(
        "board_versions",
        sa.Column("category", sa.String(length=128), nullable=False),
        sa.Column("writer", sa.String(length=32), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("changed_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("category", "writer", name=op.f("pk_board_versions")),
    )
    op.create_index("ix_board_versions_changed_at_ms", "board_versions", ["changed_at_ms"])
    fill()
    op.create_index(
        "ix_bests_board",
        "bests",
        [
            "category",
            "period",
            "began_at_ms",
            "wpm",
            "accuracy",
            "finished_at_ms",
            "user_id",
        ],
    )
    op.drop_index("ix_attempts_board_of_late", "attempts")


def fill() -> None:
    connection = op.get_bind()
    category = sa.column("category", sa.String())
    question = sa.select(category).select_from(sa.table("attempts")).distinct()
    question = question.where(RANKED, sa.or_(*(category.like(board) for board in BOARDS)))
    day = datetime.fromtimestamp(Clock().now_ms() / 1_000, UTC)
    day = day.replace(hour=0, minute=0, second=0, microsecond=0)
    began = {"month": day.replace(day=1), "week": day - timedelta(days=day.weekday()), "day": day}
    began_at_ms = {period: int(at.timestamp()) * 1_000 for period, at in began.items()}
    for found in connection.execute(question).scalars().all():
        for period, at_ms in {"all": 0, **began_at_ms}.items():
            values = {"category": found, "period": period, "began_at_ms": at_ms}
            connection.execute(sa.text(FILL), values)


def downgrade() -> None:
    op.create_index(
        "ix_attempts_board_of_late",
        "attempts",
        ["category", "finished_at_ms", "user_id", "wpm", "accuracy", "id"],
        unique=False,
        sqlite_where=RANKED,
        postgresql_where=RANKED,
    )
    op.drop_table("board_versions")
    op.drop_table("bests")
