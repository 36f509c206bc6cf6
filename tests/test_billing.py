"""Stripe's library against answers like Stripe's: nothing hangs, nothing unsigned is believed."""

import asyncio
import json
import logging
from collections.abc import Iterator
from dataclasses import replace

import pytest

from server.billing import TOLERANCE_S, Billing, BillingAway, NotSigned
from server.clock import Clock
from server.core.plan import Paid, Plan, Status
from server.settings import Settings
from tests.api.stripe_like import (
    SECRET_KEY,
    WEBHOOK_SECRET,
    StripeLike,
    signature,
    stripe_like,
    told,
)
from tests.processes import settings

# Nobody waits so long for an answer: one that comes takes a while where the machine is busy.
PATIENCE_S = 60.0
IMPATIENCE_S = 0.3  # and who is not to be answered need not wait long


@pytest.fixture
def like() -> Iterator[StripeLike]:
    with stripe_like() as like:
        yield like


def asking(like: StripeLike, answer_s: float) -> Billing:
    given = Settings.from_environ(settings("sqlite:///any.db") | like.environment)
    assert given.stripe is not None
    clock = Clock()
    return Billing(given.stripe, "https://page", lambda: clock.now_ms() / 1_000, answer_s)


@pytest.fixture
def billing(like: StripeLike) -> Billing:
    return asking(like, PATIENCE_S)


async def test_what_it_says_of_a_subscription(billing: Billing, like: StripeLike) -> None:
    made = like.subscribed("me", "price_basic_year", status="past_due", canceled_at=7)
    found = await billing.subscription(made["id"])
    assert found is not None
    assert (found.user_id, found.plan, found.status) == ("me", Plan.BASIC, Status.PAST_DUE)
    assert (found.customer, found.canceled_at_ms) == (made["customer"], 7_000)
    item = made["items"]["data"][0]
    assert found.period_end_ms == item["current_period_end"] * 1_000
    like.known[made["id"]] |= {"cancel_at": 9}
    found = await billing.subscription(made["id"])
    assert found is not None
    assert (found.period_end_ms, found.ends_at_period_end) == (9_000, True)


@pytest.mark.parametrize(
    "changes",
    [{"status": "incomplete"}, {"metadata": {}}, {"items": {"object": "list", "data": []}}],
)
async def test_what_is_none_of_ours_is_passed_over(
    billing: Billing, like: StripeLike, changes: dict[str, object]
) -> None:
    made = like.subscribed("me", **changes)  # type: ignore[arg-type] # not the price
    assert await billing.subscription(made["id"]) is None
    assert await billing.subscription("sub_nowhere") is None


@pytest.mark.parametrize(("mood", "answer_s"), [("broken", PATIENCE_S), ("silent", IMPATIENCE_S)])
async def test_whoever_asks_is_told_that_it_is_away(
    like: StripeLike, caplog: pytest.LogCaptureFixture, mood: str, answer_s: float
) -> None:
    caplog.set_level(logging.DEBUG)
    billing = asking(like, answer_s)
    like.mood = mood
    asked = (billing.checkout("me", "a@example.com", None, Plan.BASIC, "monthly") for _ in range(9))
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert {type(answer) for answer in answers} == {BillingAway}
    assert await billing.price(Plan.BASIC, "monthly") is None
    assert SECRET_KEY not in caplog.text


async def test_a_price_that_was_not_told_is_not_asked_for_again_at_once(
    billing: Billing, like: StripeLike
) -> None:
    like.mood = "broken"
    assert await billing.price(Plan.BASIC, "monthly") is None
    like.mood = "ok"
    asked = len(like.asked)
    assert await billing.price(Plan.BASIC, "monthly") is None
    assert len(like.asked) == asked
    assert (await billing.price(Plan.PREMIUM, "yearly")) is not None


def test_only_what_is_signed_now_is_believed(billing: Billing) -> None:
    raw = told("customer.subscription.updated", {"id": "sub_1"})
    event = billing.read_event(raw, signature(raw))
    assert (event.kind, event.subscription, event.invoice) == (
        "customer.subscription.updated",
        "sub_1",
        None,
    )
    good = signature(raw)
    wrong = [
        "",
        "nonsense",
        good.replace("v1=", "v0="),
        good.replace("t=", "x="),
        good[:-1],
        good + "é",
        signature(raw, "whsec_another"),
        signature(raw, age_s=TOLERANCE_S + 5),
        signature(raw, age_s=-TOLERANCE_S - 5),
    ]
    for header in wrong:
        with pytest.raises(NotSigned):
            billing.read_event(raw, header)
    for changed in (json.dumps(json.loads(raw)).encode(), raw + b" ", b"\xff" + raw, b""):
        with pytest.raises(NotSigned):
            billing.read_event(changed, good)
    for shape in (b"[]", b"{}", b'{"id":"evt_1","object":"event"}', b"nothing"):
        with pytest.raises(NotSigned):
            billing.read_event(shape, signature(shape))
    assert billing.read_event(raw, signature(raw, age_s=TOLERANCE_S - 5)) == event
    assert WEBHOOK_SECRET not in repr(billing)


async def test_what_was_given_back_of_an_invoice(billing: Billing, like: StripeLike) -> None:
    made = like.subscribed("me")
    subscription = await billing.subscription(made["id"])
    assert subscription is not None
    owed = await billing.invoice(like.invoice(made, paid=False)["id"])
    assert (owed.paid, owed.amount, owed.subscription) == (Paid.FAILED, 999, made["id"])
    invoice = like.invoice(made)

    async def now() -> tuple[Paid, bool]:
        found = await billing.invoice(invoice["id"])
        assert (found.amount, found.subscription) == (999, made["id"])
        return found.paid, found.took_back(subscription)

    assert await now() == (Paid.COMPLETED, False)
    like.refund(invoice, 1)
    assert await now() == (Paid.PARTLY_REFUNDED, False)
    like.dispute(invoice)
    assert await now() == (Paid.DISPUTED, False)
    like.refund(invoice, 998)
    assert await now() == (Paid.REFUNDED, True)
    later = replace(subscription, period_start_ms=subscription.period_end_ms)
    assert not (await billing.invoice(invoice["id"])).took_back(later)


async def test_what_costs_nothing_is_not_given_back(billing: Billing, like: StripeLike) -> None:
    """The invoice of a trial, and one that was paid by other means than Stripe's."""
    trial = like.invoice(like.subscribed("me")) | {"amount_paid": 0}
    like.known[trial["id"]] = trial
    like.paid_by.clear()
    assert (await billing.invoice(trial["id"])).paid is Paid.COMPLETED


@pytest.mark.parametrize("kind", ["charge.refunded", "charge.dispute.created"])
async def test_an_event_about_a_payment_is_found_to_be_about_its_invoice(
    billing: Billing, like: StripeLike, kind: str
) -> None:
    made = like.subscribed("me")
    invoice = like.invoice(made)
    raw = told(kind, like.charge(invoice))
    event = billing.read_event(raw, signature(raw))
    assert (event.subscription, event.invoice, event.concerns_us) == (None, None, True)
    whole = await billing.event_in_full(event)
    assert (whole.id, whole.subscription, whole.invoice) == (event.id, made["id"], invoice["id"])
    raw = told(kind, {"id": "ch_1", "payment_intent": None})
    assert not billing.read_event(raw, signature(raw)).concerns_us
    raw = told(kind, {"id": "ch_1", "payment_intent": "pi_of_another_shop"})
    nothing = await billing.event_in_full(billing.read_event(raw, signature(raw)))
    assert not nothing.concerns_us


def test_an_invoice_names_its_subscription_in_either_version(billing: Billing) -> None:
    older = {"id": "in_1", "subscription": {"id": "sub_1"}}
    newer = {"id": "in_1", "parent": {"subscription_details": {"subscription": "sub_1"}}}
    for invoice in (older, newer):
        raw = told("invoice.payment_failed", invoice)
        event = billing.read_event(raw, signature(raw))
        assert (event.subscription, event.invoice) == ("sub_1", "in_1")
    raw = told("checkout.session.completed", {"id": "cs_1", "subscription": None})
    assert billing.read_event(raw, signature(raw)).subscription is None
