"""Stripe: what is asked of it, and which of its messages are believed. No secret is ever logged.

Its library waits in threads of its own, a few seconds at most; whoever asks gets BillingAway then.
"""

import asyncio
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeVar

import stripe

from server.core.plan import Account, Paid, Plan, Status, Subscription

log = logging.getLogger(__name__)

Period = Literal["monthly", "yearly"]
ANSWER_S = 8.0
THREADS = 4
WAITING_MAX = 32
TOLERANCE_S = 300
PRICES_KEPT_S = 3_600
AWAY_KEPT_S = 30
PERIODS: tuple[Period, ...] = ("monthly", "yearly")
# Currencies whose least unit is not a hundredth: ISO 4217, as Stripe writes amounts.
WHOLE = frozenset(
    {
        *("bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga"),
        *("pyg", "rwf", "ugx", "vnd", "vuv", "xaf", "xof", "xpf"),
    }
)
INVOICES = ("invoice.paid", "invoice.payment_succeeded", "invoice.payment_failed")
TAKEN_BACK = ("charge.refunded", "charge.dispute.created")
MALFORMED = (
    stripe.SignatureVerificationError,
    *(ValueError, TypeError, KeyError, AttributeError),
)
_signed_at = re.compile(r"^t=(\d{1,12}),")
_statuses = {
    "active": Status.ACTIVE,
    "trialing": Status.ACTIVE,
    "past_due": Status.PAST_DUE,
    "canceled": Status.CANCELED,
    "unpaid": Status.CANCELED,
    "paused": Status.CANCELED,
    "incomplete_expired": Status.EXPIRED,
}

T = TypeVar("T")


class BillingAway(Exception):
    """Stripe does not answer, or not what it should."""


class NotSigned(Exception):
    """The message was not signed with our secret, or too long ago, or is none of Stripe's."""


@dataclass(frozen=True, slots=True)
class Price:
    """What is paid for a period, in whole units of the currency."""

    amount: float
    currency: str


@dataclass(frozen=True, slots=True)
class Checkout:
    """Stripe's page on which somebody pays."""

    id: str
    url: str
    price: Price


@dataclass(frozen=True, slots=True)
class Invoice:
    """`amount` in the least unit of the currency; the periods it is for begin at `periods_ms`."""

    id: str
    subscription: str | None
    amount: int
    currency: str
    paid: Paid
    created_at_ms: int
    paid_at_ms: int | None
    periods_ms: frozenset[int]

    def took_back(self, subscription: Subscription) -> bool:
        """Whether all that was paid for the period that runs now has been given back."""
        return self.paid is Paid.REFUNDED and subscription.period_start_ms in self.periods_ms


@dataclass(frozen=True, slots=True)
class Event:
    """What Stripe tells: that something became of a subscription, by an invoice perhaps.

    Of a `payment` that was taken back it only says which: what it was for has to be asked.
    """

    id: str
    kind: str
    subscription: str | None = None
    invoice: str | None = None
    payment: str | None = None

    @property
    def concerns_us(self) -> bool:
        """Whether it can be about a subscription at all."""
        return self.subscription is not None or self.payment is not None


class Billing:
    """Asks Stripe for one account. Each question raises BillingAway."""

    def __init__(
        self,
        account: Account,
        page_url: str,
        now_s: Callable[[], float],
        answer_s: float = ANSWER_S,
    ) -> None:
        # It would write each request to the log, and tell Stripe how long the last one took.
        logging.getLogger("stripe").setLevel(logging.WARNING)
        stripe.enable_telemetry = False
        self._client = stripe.StripeClient(
            account.secret_key,
            base_addresses={"api": account.api_base},
            http_client=stripe.RequestsClient(timeout=answer_s),
            max_network_retries=0,
        )
        self._webhook_secret = account.webhook_secret
        self._prices = account.prices
        self._plans = {price: plan for (plan, _), price in account.prices.items()}
        self._page_url = page_url
        self._now_s = now_s
        self._answer_s = answer_s
        self._threads = ThreadPoolExecutor(THREADS, "stripe")
        self._waiting = 0
        self._shown: dict[tuple[Plan, str], tuple[float, Price | None]] = {}

    async def _ask(self, question: Callable[[], T]) -> T:
        if self._waiting >= WAITING_MAX:
            raise BillingAway
        self._waiting += 1
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._answer_s):
                return await loop.run_in_executor(self._threads, question)
        except stripe.StripeError as error:
            # Its sentence may hold a part of the key.
            log.warning("stripe refuses: %s %s", type(error).__name__, error.code)
            raise BillingAway from None
        except (TimeoutError, OSError) as error:
            log.warning("stripe does not answer: %s", type(error).__name__)
            raise BillingAway from None
        finally:
            self._waiting -= 1

    # Paying

    async def checkout(
        self, user_id: str, email: str, customer: str | None, plan: Plan, period: Period
    ) -> Checkout:
        """A page on which this person pays for a plan for the first time."""
        payer = {"customer": customer} if customer else {"customer_email": email}
        mine = {"user_id": user_id}
        given: Any = {
            **payer,
            "mode": "subscription",
            "line_items": [{"price": self._prices[plan, period], "quantity": 1}],
            "client_reference_id": user_id,
            "metadata": mine,
            "subscription_data": {"metadata": mine},
            "success_url": f"{self._page_url}#paid",
            "cancel_url": self._page_url,
        }
        made = await self._ask(lambda: self._client.v1.checkout.sessions.create(given))
        price = _price(made.amount_total or 0, made.currency or "")
        return Checkout(made.id, made.url or "", price)

    async def portal(self, customer: str) -> str:
        """Stripe's page on which they change or end it, and see what was paid."""
        given: Any = {"customer": customer, "return_url": self._page_url}
        made = await self._ask(lambda: self._client.v1.billing_portal.sessions.create(given))
        return made.url

    async def end(self, subscription_id: str, at_once: bool = False) -> None:
        """Let it end with its period, or at once. One that has ended already stays so."""
        subscriptions = self._client.v1.subscriptions

        def ended() -> None:
            try:
                if at_once:
                    subscriptions.cancel(subscription_id)
                else:
                    subscriptions.update(subscription_id, {"cancel_at_period_end": True})
            except stripe.InvalidRequestError as error:
                if error.code != "resource_missing":
                    raise

        await self._ask(ended)

    async def price(self, plan: Plan, period: Period) -> Price | None:
        """What a plan costs; None while Stripe is away. Asked once an hour."""
        until_s, known = self._shown.get((plan, period), (0.0, None))
        if self._now_s() < until_s:
            return known
        price_id = self._prices[plan, period]
        try:
            asked = await self._ask(lambda: self._client.v1.prices.retrieve(price_id))
            known, kept_s = _price(asked.unit_amount or 0, asked.currency), PRICES_KEPT_S
        except BillingAway:
            kept_s = AWAY_KEPT_S
        self._shown[plan, period] = self._now_s() + kept_s, known
        return known

    # What has become of it

    async def subscription(self, subscription_id: str) -> Subscription | None:
        """A subscription as it is now; None for one that has not begun or is none of ours."""

        def asked() -> dict[str, Any] | None:
            try:
                return self._client.v1.subscriptions.retrieve(subscription_id).to_dict()
            except stripe.InvalidRequestError as error:
                if error.code == "resource_missing":
                    return None
                raise

        found = await self._ask(asked)
        return None if found is None else self._subscription(found)

    def _subscription(self, found: Mapping[str, Any]) -> Subscription | None:
        item: Mapping[str, Any] = next(iter(found["items"]["data"]), {})
        plan = self._plans.get(item.get("price", {}).get("id"))
        user_id = (found.get("metadata") or {}).get("user_id")
        status = _statuses.get(found["status"])
        if plan is None or user_id is None or status is None:
            log.info("a subscription that is none of ours, or has not begun: %s", found["status"])
            return None
        ends_at_s = found.get("cancel_at") or item["current_period_end"]
        return Subscription(
            id=found["id"],
            customer=_id(found["customer"]) or "",
            user_id=user_id,
            plan=plan,
            status=status,
            started_at_ms=found["created"] * 1_000,
            period_start_ms=item["current_period_start"] * 1_000,
            period_end_ms=ends_at_s * 1_000,
            ends_at_period_end=bool(found.get("cancel_at_period_end") or found.get("cancel_at")),
            canceled_at_ms=_ms(found.get("canceled_at")),
        )

    async def invoice(self, invoice_id: str) -> Invoice:
        """An invoice as it is now, and what was given back of it."""
        given: Any = {"expand": ["payments"]}

        def asked() -> tuple[Mapping[str, Any], list[Mapping[str, Any]]]:
            found = self._client.v1.invoices.retrieve(invoice_id, given).to_dict()
            payments = (found.get("payments") or {}).get("data", [])
            charges = [self._charge(one["payment"]) for one in payments if one["status"] == "paid"]
            return found, [charge for charge in charges if charge is not None]

        found, charges = await self._ask(asked)
        paid = found["status"] == "paid"
        return Invoice(
            id=invoice_id,
            subscription=_subscription_of(found),
            amount=found["amount_paid"] if paid else found["amount_due"],
            currency=found["currency"],
            paid=_paid(found["amount_paid"], charges) if paid else Paid.FAILED,
            created_at_ms=found["created"] * 1_000,
            paid_at_ms=_ms((found.get("status_transitions") or {}).get("paid_at")),
            periods_ms=frozenset(
                line["period"]["start"] * 1_000 for line in found["lines"]["data"]
            ),
        )

    def _charge(self, payment: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """The charge by which an invoice was paid; None if it was not paid through Stripe."""
        intent, charge = _id(payment.get("payment_intent")), _id(payment.get("charge"))
        if intent is not None:
            given: Any = {"expand": ["latest_charge"]}
            found = self._client.v1.payment_intents.retrieve(intent, given).to_dict()
            latest: Mapping[str, Any] | None = found.get("latest_charge")
            return latest
        return None if charge is None else self._client.v1.charges.retrieve(charge).to_dict()

    async def event_in_full(self, event: Event) -> Event:
        """The event with the invoice and the subscription that its payment was for, if any."""
        if event.payment is None:
            return event
        paid_by: Any = {"type": "payment_intent", "payment_intent": event.payment}

        def asked() -> str | None:
            found = self._client.v1.invoice_payments.list({"payment": paid_by, "limit": 1})
            return next((_id(one["invoice"]) for one in found.to_dict()["data"]), None)

        invoice_id = await self._ask(asked)
        if invoice_id is None:
            return replace(event, payment=None)
        invoice = await self.invoice(invoice_id)
        return replace(event, payment=None, invoice=invoice_id, subscription=invoice.subscription)

    # What it tells

    def read_event(self, raw: bytes, signature: str) -> Event:
        """A message of Stripe's. Raises NotSigned.

        Its own check lets messages from the future pass; ours does not.
        """
        signed = _signed_at.match(signature)
        if signed is None or abs(self._now_s() - int(signed[1])) > TOLERANCE_S:
            raise NotSigned
        try:
            told = self._client.construct_event(raw, signature, self._webhook_secret, 0).to_dict()
            return _event(told)
        except MALFORMED:
            raise NotSigned from None


def _event(told: Mapping[str, Any]) -> Event:
    kind, about = told["type"], told["data"]["object"]
    subscription = invoice = payment = None
    if kind.startswith("customer.subscription."):
        subscription = about["id"]
    elif kind == "checkout.session.completed":
        subscription = _id(about.get("subscription"))
    elif kind in INVOICES:
        invoice = about["id"]
        subscription = _subscription_of(about)
    elif kind in TAKEN_BACK:
        payment = _id(about.get("payment_intent"))
    return Event(told["id"], kind, subscription, invoice, payment)


def _subscription_of(invoice: Mapping[str, Any]) -> str | None:
    # Where it stands depends on the version of the API that the endpoint was made with.
    details = (invoice.get("parent") or {}).get("subscription_details") or invoice
    return _id(details.get("subscription"))


def _paid(amount: int, charges: Sequence[Mapping[str, Any]]) -> Paid:
    """What has become of that amount, which was paid by these charges."""
    refunded = sum(charge["amount_refunded"] for charge in charges)
    if refunded >= amount > 0:
        return Paid.REFUNDED
    if any(charge["disputed"] for charge in charges):
        return Paid.DISPUTED
    return Paid.PARTLY_REFUNDED if refunded else Paid.COMPLETED


def _id(found: Any) -> str | None:
    """The id of what Stripe names, or gives whole."""
    known: str | None = found["id"] if isinstance(found, Mapping) else found
    return known


def _ms(at_s: int | None) -> int | None:
    return None if at_s is None else at_s * 1_000


def _price(amount: int, currency: str) -> Price:
    return Price(amount if currency.lower() in WHOLE else amount / 100, currency.upper())
