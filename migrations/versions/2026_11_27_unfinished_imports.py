"""unfinished imports

Why: a file of our own takes what somebody brings along in slices, so that nobody waits who types.
What was cut off in the middle of it must be found again.
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "unfinished_imports",
        sa.Column("first_id", sa.String(length=36), nullable=False),
        sa.Column("last_id", sa.String(length=36), nullable=False),
        sa.Column("user_id", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
            name=op.f("fk_unfinished_imports_user_id_users"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("first_id", name=op.f("pk_unfinished_imports")),
    )
    op.create_index(op.f("ix_unfinished_imports_user_id"), "unfinished_imports", ["user_id"])


def downgrade() -> None:
    op.drop_index(op.f("ix_unfinished_imports_user_id"), "unfinished_imports")
    op.drop_table("unfinished_imports")
