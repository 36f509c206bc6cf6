"""Plans: what each may use, in one table, and which one holds at a time.

Where nothing is sold everybody has what PREMIUM has.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

DAY_MS = 86_400_000
# How long a plan holds on while a payment has failed, or while Stripe has not said that it came.
GRACE_MS = 7 * DAY_MS


class Plan(StrEnum):
    FREE = "free"
    BASIC = "basic"
    PREMIUM = "premium"


@dataclass(frozen=True, slots=True)
class Grants:
    """What a plan may use."""

    lessons: int  # the first so many
    ai_analysis: bool
    advanced_stats: bool
    priority_support: bool
    requests_per_hour: int
    collections: int
    collection_texts: int  # in each


GRANTS: Mapping[Plan, Grants] = {
    Plan.FREE: Grants(
        lessons=15,
        ai_analysis=False,
        advanced_stats=False,
        priority_support=False,
        requests_per_hour=100,
        collections=10,
        collection_texts=100,
    ),
    Plan.BASIC: Grants(
        lessons=50,
        ai_analysis=True,
        advanced_stats=False,
        priority_support=False,
        requests_per_hour=500,
        collections=50,
        collection_texts=500,
    ),
    Plan.PREMIUM: Grants(
        lessons=99,
        ai_analysis=True,
        advanced_stats=True,
        priority_support=True,
        requests_per_hour=1_000,
        collections=100,
        collection_texts=1_000,
    ),
}


def may_open_lesson(plan: Plan, number: int) -> bool:
    """Whether a plan opens the lesson of that number, counted from 1 over all blocks."""
    return number <= GRANTS[plan].lessons


def least_plan(feature: str, amount: int = 1) -> Plan | None:
    """The least plan whose grant of that name is at least `amount`; None if there is none."""
    return next((plan for plan in Plan if getattr(GRANTS[plan], feature) >= amount), None)


def plan_at(tier: str, until_ms: int | None, now_ms: int) -> Plan:
    """The plan of who has that tier until then; None is for good."""
    over = until_ms is not None and now_ms >= until_ms
    return Plan.FREE if over else Plan(tier)


# Subscriptions


class Status(StrEnum):
    """What has become of a subscription. EXPIRED: its first payment was never made."""

    ACTIVE = "active"
    PAST_DUE = "past_due"
    CANCELED = "canceled"
    EXPIRED = "expired"

    @property
    def live(self) -> bool:
        return self in (Status.ACTIVE, Status.PAST_DUE)


@dataclass(frozen=True, slots=True)
class Subscription:
    """A paid subscription as Stripe has it just now. `canceled_at_ms`: when that was asked for."""

    id: str
    customer: str
    user_id: str
    plan: Plan
    status: Status
    started_at_ms: int
    period_start_ms: int
    period_end_ms: int
    ends_at_period_end: bool
    canceled_at_ms: int | None

    @property
    def tier(self) -> Plan:
        """The plan it pays for, while it holds."""
        return self.plan if self.status.live else Plan.FREE

    @property
    def until_ms(self) -> int | None:
        """How long the tier holds if nothing more is heard; None for one that has ended.

        A period that began with a payment that failed has the grace alone.
        """
        if not self.status.live:
            return None
        if self.status is Status.PAST_DUE:
            return self.period_start_ms + GRACE_MS
        return self.period_end_ms + (0 if self.ends_at_period_end else GRACE_MS)


class Paid(StrEnum):
    """What has become of a payment. None ever goes back to one that stands before."""

    FAILED = "failed"
    COMPLETED = "completed"
    PARTLY_REFUNDED = "partly_refunded"
    DISPUTED = "disputed"
    REFUNDED = "refunded"

    @property
    def may_follow(self) -> Sequence["Paid"]:
        """What it takes the place of."""
        every = list(Paid)
        return every[: every.index(self) + 1]


@dataclass(frozen=True, slots=True)
class Account:
    """An operator's account with Stripe: `prices` has its id of each plan's price for a period."""

    secret_key: str = field(repr=False)
    webhook_secret: str = field(repr=False)
    prices: Mapping[tuple[Plan, str], str]
    api_base: str
