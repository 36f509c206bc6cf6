"""races

Why: a race is decided and remembered in these rows, whichever process asks what, and goes on from
them when the process that drove it is gone.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

LIVE = sa.text("phase IN ('lobby', 'countdown', 'running')")
OPEN = sa.text("phase = 'lobby' AND quick")


def upgrade() -> None:
    op.create_table(
        "processes",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("beat", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_processes")),
    )
    op.create_table(
        "races",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("code", sa.String(length=6), nullable=False),
        sa.Column("driver", sa.String(length=32), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("phase", sa.String(length=16), nullable=False),
        sa.Column("quick", sa.Boolean(), nullable=False),
        sa.Column("private", sa.Boolean(), nullable=False),
        sa.Column("racers_max", sa.Integer(), nullable=False),
        sa.Column("host", sa.Integer(), nullable=True),
        sa.Column("source", sa.JSON(), nullable=False),
        sa.Column("rule", sa.String(length=16), nullable=False),
        sa.Column("language", sa.String(length=16), nullable=True),
        sa.Column("layout", sa.String(length=32), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("speed_wpm", sa.Float(), nullable=False),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("gathered_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("starts_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("ended_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("again", sa.JSON(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_races")),
    )
    op.create_index("ix_races_code", "races", ["code", "created_at_ms"], unique=False)
    op.create_index(
        "uq_races_live_code",
        "races",
        ["code"],
        unique=True,
        sqlite_where=LIVE,
        postgresql_where=LIVE,
    )
    op.create_index("ix_races_ended", "races", ["ended_at_ms"], unique=False)
    op.create_index(
        "ix_races_live", "races", ["driver"], unique=False, sqlite_where=LIVE, postgresql_where=LIVE
    )
    op.create_index(
        "ix_races_quick",
        "races",
        ["language", "speed_wpm"],
        unique=False,
        sqlite_where=OPEN,
        postgresql_where=OPEN,
    )

    op.create_table(
        "race_events",
        sa.Column("race_id", sa.String(length=36), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("event", sa.String(length=16), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["race_id"], ["races.id"], name=op.f("fk_race_events_race_id_races"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("race_id", "n", name=op.f("pk_race_events")),
    )
    op.create_table(
        "racers",
        sa.Column("race_id", sa.String(length=36), nullable=False),
        sa.Column("slot", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.String(length=36), nullable=False),
        sa.Column("attempt_id", sa.String(length=36), nullable=False),
        sa.Column("ghost", sa.Boolean(), nullable=False),
        sa.Column("ready", sa.Boolean(), nullable=False),
        sa.Column("seat", sa.String(length=72), nullable=True),
        sa.Column("away_since_ms", sa.BigInteger(), nullable=True),
        sa.Column("back_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("duration_ms", sa.Integer(), nullable=True),
        sa.Column("place", sa.Integer(), nullable=True),
        sa.Column("dnf", sa.String(length=16), nullable=True),
        sa.ForeignKeyConstraint(
            ["race_id"], ["races.id"], name=op.f("fk_racers_race_id_races"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_racers_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("race_id", "slot", name=op.f("pk_racers")),
    )
    op.create_index("ix_racers_attempt_id", "racers", ["attempt_id"], unique=False)
    op.create_index("ix_racers_user_id", "racers", ["user_id"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_racers_user_id", "racers")
    op.drop_index("ix_racers_attempt_id", "racers")

    op.drop_table("racers")
    op.drop_table("race_events")
    op.drop_index("ix_races_quick", "races")
    op.drop_index("ix_races_live", "races")
    op.drop_index("ix_races_ended", "races")
    op.drop_index("uq_races_live_code", "races")
    op.drop_index("ix_races_code", "races")

    op.drop_table("races")
    op.drop_table("processes")
