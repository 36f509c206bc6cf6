"""first tables

Why: people, texts, attempts with their journal, and the weak-key counters.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "texts",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("language", sa.String(length=16), nullable=False),
        sa.Column("length", sa.String(length=16), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_texts")),
    )
    with op.batch_alter_table("texts", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_texts_language_length"), ["language", "length"], unique=False
        )

    op.create_table(
        "users",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("guest", sa.Boolean(), nullable=False),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("disabled_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("token_version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
    )
    op.create_table(
        "attempts",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("user_id", sa.String(length=36), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("source", sa.JSON(), nullable=False),
        sa.Column("category", sa.String(length=128), nullable=False),
        sa.Column("rule", sa.String(length=16), nullable=False),
        sa.Column("language", sa.String(length=16), nullable=True),
        sa.Column("layout", sa.String(length=32), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("opened_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("outage_ms", sa.Integer(), nullable=False),
        sa.Column("got", sa.Boolean(), nullable=False),
        sa.Column("started_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("finished_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("position", sa.Integer(), nullable=True),
        sa.Column("duration_ms", sa.Integer(), nullable=True),
        sa.Column("wpm", sa.Float(), nullable=True),
        sa.Column("raw_wpm", sa.Float(), nullable=True),
        sa.Column("accuracy", sa.Float(), nullable=True),
        sa.Column("errors", sa.Integer(), nullable=True),
        sa.Column("uncorrected", sa.Integer(), nullable=True),
        sa.Column("consistency", sa.Float(), nullable=True),
        sa.Column("keys", sa.JSON(), nullable=True),
        sa.Column("text_length", sa.Integer(), nullable=True),
        sa.Column("events", sa.Integer(), nullable=True),
        sa.Column("late_ms", sa.Integer(), nullable=True),
        sa.Column("scorer", sa.Integer(), nullable=True),
        sa.Column("personal_best", sa.Float(), nullable=True),
        sa.Column("verdict", sa.String(length=16), nullable=True),
        sa.Column("why", sa.JSON(), nullable=True),
        sa.Column("keystroke_log", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_attempts_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempts")),
    )
    with op.batch_alter_table("attempts", schema=None) as batch_op:
        batch_op.create_index(
            "ix_attempts_open",
            ["opened_at_ms"],
            unique=False,
            sqlite_where=sa.text("state IN ('armed', 'running')"),
            postgresql_where=sa.text("state IN ('armed', 'running')"),
        )
        batch_op.create_index(
            "ix_attempts_personal_best",
            ["user_id", "category", "wpm"],
            unique=False,
            sqlite_where=sa.text("verdict = 'ranked'"),
            postgresql_where=sa.text("verdict = 'ranked'"),
        )
        batch_op.create_index(
            batch_op.f("ix_attempts_user_id_finished_at_ms"),
            ["user_id", "finished_at_ms"],
            unique=False,
        )

    op.create_table(
        "key_confusions",
        sa.Column("user_id", sa.String(length=36), nullable=False),
        sa.Column("language", sa.String(length=16), nullable=False),
        sa.Column("layout", sa.String(length=32), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("typed", sa.String(length=64), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
            name=op.f("fk_key_confusions_user_id_users"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "user_id", "language", "layout", "key", "typed", name=op.f("pk_key_confusions")
        ),
    )
    op.create_table(
        "key_counters",
        sa.Column("user_id", sa.String(length=36), nullable=False),
        sa.Column("language", sa.String(length=16), nullable=False),
        sa.Column("layout", sa.String(length=32), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("presses", sa.Integer(), nullable=False),
        sa.Column("errors", sa.Integer(), nullable=False),
        sa.Column("latency_sum_ms", sa.BigInteger(), nullable=False),
        sa.Column("latency_count", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
            name=op.f("fk_key_counters_user_id_users"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "user_id", "language", "layout", "key", name=op.f("pk_key_counters")
        ),
    )
    op.create_table(
        "journal",
        sa.Column("attempt_id", sa.String(length=36), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("arrived_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("keystrokes", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["attempt_id"],
            ["attempts.id"],
            name=op.f("fk_journal_attempt_id_attempts"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("attempt_id", "seq", name=op.f("pk_journal")),
    )


def downgrade() -> None:
    op.drop_table("journal")
    op.drop_table("key_counters")
    op.drop_table("key_confusions")
    with op.batch_alter_table("attempts", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_attempts_user_id_finished_at_ms"))
        batch_op.drop_index(
            "ix_attempts_personal_best",
            sqlite_where=sa.text("verdict = 'ranked'"),
            postgresql_where=sa.text("verdict = 'ranked'"),
        )
        batch_op.drop_index(
            "ix_attempts_open",
            sqlite_where=sa.text("state IN ('armed', 'running')"),
            postgresql_where=sa.text("state IN ('armed', 'running')"),
        )

    op.drop_table("attempts")
    op.drop_table("users")
    with op.batch_alter_table("texts", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_texts_language_length"))

    op.drop_table("texts")
