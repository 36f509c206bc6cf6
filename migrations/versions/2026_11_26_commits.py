"""commits

Why: keystrokes of a crowd, each put among those of its own attempt, touch a page of the store for
each person in every commit. In the order in which they come they touch a few.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "commits",
        sa.Column(
            "n",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("batches", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("n", name=op.f("pk_commits")),
    )


def downgrade() -> None:
    op.drop_table("commits")
