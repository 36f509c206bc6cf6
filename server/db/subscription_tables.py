"""The rows of subscriptions and payments. What Stripe says is the truth; these are what it said."""

from sqlalchemy import BigInteger, Column
from sqlmodel import Field

from server.db.tables import Row, at_ms


class SubscriptionRow(Row, table=True):
    """The subscription that decides a person's tier; `version` counts what was written of it."""

    __tablename__ = "subscriptions"

    stripe_subscription_id: str = Field(primary_key=True, max_length=255)
    stripe_customer_id: str = Field(max_length=255)
    user_id: str = Field(foreign_key="users.id", ondelete="CASCADE", max_length=36, unique=True)
    plan: str = Field(max_length=16)
    status: str = Field(max_length=16)
    started_at_ms: int = at_ms()
    expires_at_ms: int = at_ms()
    ends_at_period_end: bool
    canceled_at_ms: int | None = at_ms(nullable=True)
    version: int


class PaymentRow(Row, table=True):
    """What was paid, or should have been; `amount` in the least unit of the currency.

    `status` says whether it was (`plan.Paid`), and whether it was taken back.
    """

    __tablename__ = "payments"

    stripe_invoice_id: str = Field(primary_key=True, max_length=255)
    user_id: str = Field(foreign_key="users.id", ondelete="CASCADE", max_length=36, index=True)
    stripe_subscription_id: str = Field(max_length=255)
    amount: int = Field(sa_column=Column(BigInteger, nullable=False))
    currency: str = Field(max_length=8)
    status: str = Field(max_length=16)
    created_at_ms: int = at_ms()
    completed_at_ms: int | None = at_ms(nullable=True)


class StripeEventRow(Row, table=True):
    """An event that has had its effect, so that it has it once."""

    __tablename__ = "stripe_events"

    id: str = Field(primary_key=True, max_length=255)
    received_at_ms: int = Field(sa_column=Column(BigInteger, nullable=False, index=True))
