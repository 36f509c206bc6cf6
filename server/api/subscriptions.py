"""Plans: which one somebody has, how it is paid for through Stripe, and what Stripe tells of it."""

import asyncio
import logging
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field
from starlette.requests import ClientDisconnect

from server.api.endpoint import (
    BODY_BYTES_MAX,
    ApiError,
    Call,
    Endpoint,
    Model,
    Parts,
    Who,
)
from server.billing import PERIODS, Billing, BillingAway, Event, NotSigned, Period
from server.core.plan import GRANTS, Plan, Status
from server.db.queries import find_user
from server.db.subscriptions import (
    Overtaken,
    Payment,
    find_subscription,
    find_version,
    is_known,
    store_subscription,
)

log = logging.getLogger(__name__)

TAG = "plans"
TRIES = 8
AWAY_RETRY_S = 10


class Features(Model):
    """What a plan may use. `max_lessons` are the first so many of the path."""

    max_lessons: int
    ai_analysis: bool
    advanced_stats: bool
    priority_support: bool
    requests_per_hour: int
    max_collections: int
    max_collection_texts: int


class SubscriptionStatus(Model):
    """The plan that holds now. Without `billing` nothing is sold here, and everybody has it all.

    `expires_at` is the end of what is paid, null without a subscription; `until` is when the plan
    ends if nothing more is paid.
    """

    user_id: str
    plan: Plan
    status: Status
    started_at: int | None
    expires_at: int | None
    until: int | None
    ends_at_period_end: bool
    canceled_at: int | None
    billing: bool
    features: Features


class PriceAnswer(Model):
    """What is paid for each period, in whole units of the currency."""

    billing_period: Period
    price: float
    currency: str


class PlanAnswer(Model):
    """A plan that is sold. `prices` are missing while Stripe is away."""

    plan: Plan
    features: Features
    prices: list[PriceAnswer]


class PlansAnswer(Model):
    plans: list[PlanAnswer]


class UpgradeBody(Model):
    plan: Literal["basic", "premium"]
    billing_period: Period


class UpgradeAnswer(Model):
    """Stripe's page on which it is paid."""

    checkout_session_id: str
    checkout_url: str
    plan: Plan
    price: float
    currency: str
    billing_period: Period


class PortalAnswer(Model):
    """Stripe's page on which a subscription is changed or ended."""

    url: str


class Received(Model):
    received: Annotated[bool, Field(description="always true")] = True


def no_plans() -> ApiError:
    return ApiError(404, "no_plans", "Nothing is sold here: everybody may use everything.")


def away() -> ApiError:
    headers = {"Retry-After": str(AWAY_RETRY_S)}
    return ApiError(503, "stripe", "Stripe does not answer; try again.", headers=headers)


def _billing(parts: Parts) -> Billing:
    if parts.billing is None:
        raise no_plans()
    return parts.billing


def features(plan: Plan) -> Features:
    """What a plan may use, by the names that clients know."""
    grants = GRANTS[plan]
    return Features(
        max_lessons=grants.lessons,
        ai_analysis=grants.ai_analysis,
        advanced_stats=grants.advanced_stats,
        priority_support=grants.priority_support,
        requests_per_hour=GRANTS[plan].requests_per_hour,
        max_collections=grants.collections,
        max_collection_texts=grants.collection_texts,
    )


# What somebody has


async def status(parts: Parts, call: Call) -> SubscriptionStatus:
    row = await find_subscription(parts.database, call.me.user_id)
    return _status(parts, call, row, call.me.plan_until_ms)


def _status(
    parts: Parts, call: Call, row: Mapping[Any, Any] | None, until_ms: int | None
) -> SubscriptionStatus:
    known, plan = row or {}, call.me.plan
    return SubscriptionStatus(
        user_id=call.me.user_id,
        plan=plan,
        status=Status(known.get("status", Status.ACTIVE)),
        started_at=known.get("started_at_ms"),
        expires_at=known.get("expires_at_ms"),
        until=until_ms,
        ends_at_period_end=known.get("ends_at_period_end", False),
        canceled_at=known.get("canceled_at_ms"),
        billing=parts.billing is not None,
        features=features(plan),
    )


async def plans(parts: Parts, _call: Call) -> PlansAnswer:
    billing = _billing(parts)
    return PlansAnswer(plans=[await _plan(billing, plan) for plan in Plan])


async def _plan(billing: Billing, plan: Plan) -> PlanAnswer:
    asked: tuple[Period, ...] = PERIODS if plan is not Plan.FREE else ()
    found = await asyncio.gather(*(billing.price(plan, period) for period in asked))
    prices = [
        PriceAnswer(billing_period=period, price=price.amount, currency=price.currency)
        for period, price in zip(asked, found, strict=True)
        if price is not None
    ]
    return PlanAnswer(plan=plan, features=features(plan), prices=prices)


# What is paid


async def upgrade(parts: Parts, call: Call) -> UpgradeAnswer:
    """Who pays for a plan already changes it on Stripe's own page: see the portal."""
    billing = _billing(parts)
    body: UpgradeBody = call.body
    row = await find_subscription(parts.database, call.me.user_id)
    if row is not None and Status(row["status"]).live:
        raise ApiError(409, "subscribed", "There is a subscription: change it in the portal.")
    person = await find_user(parts.database, call.me.user_id)
    customer = row["stripe_customer_id"] if row is not None else None
    email = person["email"] if person is not None else ""
    plan = Plan(body.plan)
    try:
        made = await billing.checkout(call.me.user_id, email, customer, plan, body.billing_period)
    except BillingAway:
        raise away() from None
    return UpgradeAnswer(
        checkout_session_id=made.id,
        checkout_url=made.url,
        plan=plan,
        price=made.price.amount,
        currency=made.price.currency,
        billing_period=body.billing_period,
    )


async def _subscribed(parts: Parts, call: Call) -> Mapping[Any, Any]:
    row = await find_subscription(parts.database, call.me.user_id)
    if row is None:
        raise ApiError(409, "not_subscribed", "There is no subscription.")
    return row


async def portal(parts: Parts, call: Call) -> PortalAnswer:
    billing = _billing(parts)
    row = await _subscribed(parts, call)
    try:
        return PortalAnswer(url=await billing.portal(row["stripe_customer_id"]))
    except BillingAway:
        raise away() from None


async def cancel(parts: Parts, call: Call) -> SubscriptionStatus:
    """The plan holds until the end of what is paid."""
    billing = _billing(parts)
    row = await _subscribed(parts, call)
    if not Status(row["status"]).live:
        raise ApiError(409, "not_subscribed", "The subscription has ended already.")
    subscription_id = row["stripe_subscription_id"]
    try:
        await billing.end(subscription_id)
        await _take_over(parts, billing, Event("", "", subscription_id))
    except BillingAway:
        raise away() from None
    after = await find_subscription(parts.database, call.me.user_id)
    person = await find_user(parts.database, call.me.user_id)
    until_ms = person["tier_until_ms"] if person is not None else None
    return _status(parts, call, after, until_ms)


async def end_subscription(parts: Parts, user_id: str) -> None:
    """Nothing more is taken from somebody who is about to go. Raises ApiError 503."""
    if parts.billing is None:
        return
    row = await find_subscription(parts.database, user_id)
    if row is None or not Status(row["status"]).live:
        return
    try:
        await parts.billing.end(row["stripe_subscription_id"], at_once=True)
    except BillingAway:
        raise away() from None


# What Stripe tells


async def webhook(parts: Parts, call: Call) -> Received:
    """Stripe's own messages alone: signed, not older or newer than five minutes, each once.

    A message says that something has happened, and Stripe is asked what holds now; so their order
    does not matter. What cannot be done now is answered 503, and Stripe sends it again.
    """
    billing = _billing(parts)
    raw = await _raw(call)
    try:
        event = billing.read_event(raw, call.request.headers.get("stripe-signature", ""))
    except NotSigned:
        raise ApiError(400, "bad_signature", "The message is not signed as it must be.") from None
    if not event.concerns_us or await is_known(parts.database, event.id):
        return Received()
    try:
        await _take_over(parts, billing, await billing.event_in_full(event))
    except BillingAway:
        raise away() from None
    return Received()


async def _raw(call: Call) -> bytes:
    read = bytearray()
    try:
        async for chunk in call.request.stream():
            read += chunk
            if len(read) > BODY_BYTES_MAX:
                raise ApiError(413, "too_large", f"The body is over {BODY_BYTES_MAX} bytes.")
    except ClientDisconnect:
        raise ApiError(400, "bad_signature", "The body did not arrive whole.") from None
    return bytes(read)


async def _take_over(parts: Parts, billing: Billing, event: Event) -> None:
    """Store what Stripe says now of a subscription. Raises BillingAway, or ApiError 503.

    One whose running period has been paid back is ended at Stripe first, so that nothing more is
    taken.
    """
    subscription_id = event.subscription
    if subscription_id is None:
        return
    for _ in range(TRIES):
        version = await find_version(parts.database, subscription_id)
        fetched = await billing.subscription(subscription_id)
        if fetched is None:
            return
        payment = None
        if event.invoice is not None:
            invoice = await billing.invoice(event.invoice)
            if fetched.status.live and invoice.took_back(fetched):
                await billing.end(subscription_id, at_once=True)
                fetched = await billing.subscription(subscription_id) or fetched
            payment = Payment(
                invoice=invoice.id,
                amount=invoice.amount,
                currency=invoice.currency,
                paid=invoice.paid,
                created_at_ms=invoice.created_at_ms,
                paid_at_ms=invoice.paid_at_ms,
            )
        now_ms = parts.clock.now_ms()
        try:
            await store_subscription(
                parts.database, fetched, version, now_ms, event.id or None, payment
            )
        except Overtaken:
            continue
        log.info("subscription", extra={"status": fetched.status.value, "event": event.kind})
        return
    raise away()


NO_PLANS = {404: ["no_plans"]}
AWAY = {503: ["stripe"]}
ENDPOINTS: list[Endpoint] = [
    Endpoint(
        "GET",
        "/subscription/status",
        status,
        "Your plan, and what it may use.",
        TAG,
        Who.PERSON,
        answer=SubscriptionStatus,
    ),
    Endpoint(
        "GET",
        "/subscription/plans",
        plans,
        "The plans there are, and what they cost.",
        TAG,
        answer=PlansAnswer,
        errors=NO_PLANS,
    ),
    Endpoint(
        "POST",
        "/subscription/upgrade",
        upgrade,
        "Begin to pay for a plan, on Stripe's page.",
        TAG,
        Who.MEMBER,
        body=UpgradeBody,
        answer=UpgradeAnswer,
        errors={**NO_PLANS, 409: ["subscribed"], **AWAY},
    ),
    Endpoint(
        "POST",
        "/subscription/portal",
        portal,
        "Change or end your subscription on Stripe's page.",
        TAG,
        Who.MEMBER,
        answer=PortalAnswer,
        errors={**NO_PLANS, 409: ["not_subscribed"], **AWAY},
    ),
    Endpoint(
        "POST",
        "/subscription/cancel",
        cancel,
        "Let your subscription end with what is paid.",
        TAG,
        Who.MEMBER,
        answer=SubscriptionStatus,
        errors={**NO_PLANS, 409: ["not_subscribed"], **AWAY},
    ),
    Endpoint(
        "POST",
        "/payments/webhook",
        webhook,
        "What Stripe tells of subscriptions, invoices, refunds and disputes.",
        TAG,
        answer=Received,
        errors={400: ["bad_signature"], **NO_PLANS, 413: ["too_large"], **AWAY},
        counted=False,
    ),
]
