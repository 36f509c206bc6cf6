"""Subscriptions and payments as they are stored, each event once, and the tier that follows."""

from dataclasses import dataclass

from sqlalchemy import RowMapping, bindparam, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.core.plan import Paid, Status, Subscription
from server.db.database import Database
from server.db.queries import users
from server.db.statements import INSERT
from server.db.subscription_tables import SubscriptionRow

_tables = SubscriptionRow.metadata.tables
subscriptions = _tables["subscriptions"]
payments = _tables["payments"]
stripe_events = _tables["stripe_events"]

# Stripe sends an event again for three days.
EVENTS_KEPT_MS = 30 * 86_400_000


class Overtaken(Exception):
    """Something newer may have been stored since Stripe was asked: ask again."""


@dataclass(frozen=True, slots=True)
class Payment:
    """An invoice of a subscription. `amount` in the least unit of the currency."""

    invoice: str
    amount: int
    currency: str
    paid: Paid
    created_at_ms: int
    paid_at_ms: int | None


async def find_subscription(database: Database, user_id: str) -> RowMapping | None:
    """The subscription that decides a person's tier, with its status."""
    question = select(subscriptions).where(subscriptions.c.user_id == user_id)
    async with database.read() as connection:
        return (await connection.execute(question)).mappings().one_or_none()


async def find_version(database: Database, subscription_id: str) -> int:
    """How often this subscription was written; to be known before Stripe is asked for it."""
    async with database.read() as connection:
        found = await connection.execute(_version, {"id": subscription_id})
        return int(found.scalar_one_or_none() or 0)


_version = select(subscriptions.c.version).where(
    subscriptions.c.stripe_subscription_id == bindparam("id")
)


async def is_known(database: Database, event_id: str) -> bool:
    """Whether an event has had its effect."""
    question = select(stripe_events.c.id).where(stripe_events.c.id == event_id)
    async with database.read() as connection:
        return (await connection.execute(question)).scalar_one_or_none() is not None


async def store_subscription(
    database: Database,
    fetched: Subscription,
    version: int,
    now_ms: int,
    event_id: str | None = None,
    payment: Payment | None = None,
) -> None:
    """Store what Stripe has said, and the tier that follows from it; an event has no effect twice.

    `version` was that of the subscription before Stripe was asked. Raises Overtaken: it is another
    one by now. Nothing happens for somebody who is not here any more.
    """
    async with database.write() as connection:
        lock = select(users.c.id).where(users.c.id == fetched.user_id)
        person = await connection.execute(lock.with_for_update(key_share=True))
        if person.scalar_one_or_none() is None:
            return
        if event_id is not None and not await _first_time(connection, event_id, now_ms):
            return
        found = await connection.execute(_version, {"id": fetched.id})
        if int(found.scalar_one_or_none() or 0) != version:
            raise Overtaken
        if payment is not None:
            await _store_payment(connection, fetched, payment)
        await _store(connection, fetched, version)


async def _first_time(connection: AsyncConnection, event_id: str, now_ms: int) -> bool:
    old = stripe_events.c.received_at_ms < now_ms - EVENTS_KEPT_MS
    await connection.execute(delete(stripe_events).where(old))
    insert = INSERT[connection.dialect.name](stripe_events).on_conflict_do_nothing()
    added = insert.values(id=event_id, received_at_ms=now_ms).returning(stripe_events.c.id)
    return (await connection.execute(added)).scalar_one_or_none() is not None


async def _store(connection: AsyncConnection, fetched: Subscription, version: int) -> None:
    """A person has one subscription: a dead one never takes the place of a live one."""
    mine = select(subscriptions).where(subscriptions.c.user_id == fetched.user_id)
    row = (await connection.execute(mine)).mappings().one_or_none()
    if row is not None and row["stripe_subscription_id"] != fetched.id:
        if not _takes_over(fetched, row):
            return
        await connection.execute(
            delete(subscriptions).where(subscriptions.c.user_id == fetched.user_id)
        )
    values = {
        "stripe_subscription_id": fetched.id,
        "stripe_customer_id": fetched.customer,
        "user_id": fetched.user_id,
        "plan": fetched.plan.value,
        "status": fetched.status.value,
        "started_at_ms": fetched.started_at_ms,
        "expires_at_ms": fetched.period_end_ms,
        "ends_at_period_end": fetched.ends_at_period_end,
        "canceled_at_ms": fetched.canceled_at_ms,
        "version": version + 1,
    }
    insert = INSERT[connection.dialect.name](subscriptions).values(values)
    await connection.execute(
        insert.on_conflict_do_update(index_elements=["stripe_subscription_id"], set_=values)
    )
    tier = {"tier": fetched.tier.value, "tier_until_ms": fetched.until_ms}
    await connection.execute(update(users).where(users.c.id == fetched.user_id).values(tier))


def _takes_over(fetched: Subscription, row: RowMapping) -> bool:
    if not Status(row["status"]).live:
        return fetched.status.live or fetched.started_at_ms > row["started_at_ms"]
    return fetched.status.live and fetched.started_at_ms > row["started_at_ms"]


async def _store_payment(
    connection: AsyncConnection, fetched: Subscription, payment: Payment
) -> None:
    values = {
        "stripe_invoice_id": payment.invoice,
        "user_id": fetched.user_id,
        "stripe_subscription_id": fetched.id,
        "amount": payment.amount,
        "currency": payment.currency,
        "status": payment.paid.value,
        "created_at_ms": payment.created_at_ms,
        "completed_at_ms": payment.paid_at_ms,
    }
    insert = INSERT[connection.dialect.name](payments).values(values)
    await connection.execute(
        insert.on_conflict_do_update(
            index_elements=["stripe_invoice_id"],
            set_=values,
            # What was paid, or given back, stays so, whatever was asked before and heard later.
            where=payments.c.status.in_([before.value for before in payment.paid.may_follow]),
        )
    )
