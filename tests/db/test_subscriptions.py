"""What Stripe has said is stored, but never an older answer over a newer one."""

from dataclasses import replace
from itertools import product

import pytest
from sqlalchemy import text

from server.core.plan import Paid, Plan, Status, Subscription
from server.db.queries import Person, keep_guest
from server.db.subscriptions import Overtaken, Payment, find_version, store_subscription
from tests.db.stored import opened_database, person, rows


def paid_by(who: Person) -> Subscription:
    return Subscription(
        id=f"sub of {who.id}",
        customer="cus",
        user_id=who.id,
        plan=Plan.PREMIUM,
        status=Status.ACTIVE,
        started_at_ms=0,
        period_start_ms=0,
        period_end_ms=1,
        ends_at_period_end=False,
        canceled_at_ms=None,
    )


async def test_an_answer_that_was_overtaken_is_asked_for_again(database_url: str) -> None:
    who = person()
    older = paid_by(who)
    newer = replace(older, status=Status.CANCELED)
    async with opened_database(database_url) as database:
        async with database.write() as connection:
            await keep_guest(connection, who, 0)
        known = await find_version(database, older.id)  # then two ask, and the later is quicker
        await store_subscription(database, newer, known, 0, event_id=f"2 {who.id}")
        with pytest.raises(Overtaken):
            await store_subscription(database, older, known, 0, event_id=f"1 {who.id}")
        (row,) = await rows(database, f"SELECT tier FROM users WHERE id = '{who.id}'")
        assert row["tier"] == "free"
        # Nothing of the older is left: its event may still have its effect.
        await store_subscription(database, newer, known + 1, 0, event_id=f"1 {who.id}")
        async with database.read() as connection:
            count = await connection.execute(text("SELECT count(*) FROM stripe_events"))
            assert count.scalar_one() == 2
        assert await find_version(database, older.id) == known + 2


async def test_a_payment_never_goes_back(database_url: str) -> None:
    """Payments of an old subscription are stored without a version that would tell which is new."""
    who = person()
    current = paid_by(who)
    old = replace(current, id=f"old of {who.id}", status=Status.CANCELED, started_at_ms=-1)
    order = list(Paid)
    async with opened_database(database_url) as database:
        async with database.write() as connection:
            await keep_guest(connection, who, 0)
        await store_subscription(database, current, 0, 0)
        for pair in product(Paid, Paid):
            invoice = f"{pair} of {who.id}".replace("'", "")
            for paid in pair:
                payment = Payment(invoice, 999, "usd", paid, 0, 0)
                await store_subscription(database, old, 0, 0, None, payment)
            question = f"SELECT status FROM payments WHERE stripe_invoice_id = '{invoice}'"
            (row,) = await rows(database, question)
            assert row["status"] == max(pair, key=order.index), pair
