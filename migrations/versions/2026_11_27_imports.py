"""results that were brought along

Why: a result from another trainer says where it comes from, and by its key it is known when the
same file comes again.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("attempts", sa.Column("imported_from", sa.String(length=16), nullable=True))
    op.add_column("attempts", sa.Column("import_key", sa.String(length=32), nullable=True))
    which = sa.text("import_key IS NOT NULL")
    op.create_index(
        "uq_attempts_import",
        "attempts",
        ["user_id", "import_key"],
        unique=True,
        sqlite_where=which,
        postgresql_where=which,
    )


def downgrade() -> None:
    op.drop_index("uq_attempts_import", "attempts")
    op.drop_column("attempts", "import_key")
    op.drop_column("attempts", "imported_from")
