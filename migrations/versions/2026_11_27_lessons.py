"""lessons

Why: a lesson can be switched off by an operator, and whether one is passed is asked of a person's
attempts at lessons alone, however much else they have typed.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

LESSONS = sa.text("kind = 'lesson'")


def upgrade() -> None:
    op.create_table(
        "lessons",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("block_id", sa.Integer(), nullable=False),
        sa.Column("lesson_number", sa.Integer(), nullable=False),
        sa.Column("difficulty_level", sa.String(length=16), nullable=False),
        sa.Column("title", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("description", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("target_wpm", sa.Integer(), nullable=False),
        sa.Column("max_errors", sa.Integer(), nullable=False),
        sa.Column("is_premium", sa.Boolean(), nullable=False),
        sa.Column("is_active", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lessons")),
        sa.UniqueConstraint(
            "block_id", "lesson_number", name=op.f("uq_lessons_block_id_lesson_number")
        ),
    )
    op.create_index(
        "ix_attempts_lessons",
        "attempts",
        [
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
        ],
        sqlite_where=LESSONS,
        postgresql_where=LESSONS,
    )


def downgrade() -> None:
    op.drop_index("ix_attempts_lessons", "attempts")
    op.drop_table("lessons")
