"""What each plan may use, and until when a subscription gives it."""

from dataclasses import replace

import pytest

from server.core.plan import (
    DAY_MS,
    GRANTS,
    Plan,
    Status,
    Subscription,
    least_plan,
    may_open_lesson,
    plan_at,
)

MONTH_MS = 30 * DAY_MS
PAID = Subscription(
    id="sub",
    customer="cus",
    user_id="me",
    plan=Plan.BASIC,
    status=Status.ACTIVE,
    started_at_ms=0,
    period_start_ms=0,
    period_end_ms=MONTH_MS,
    ends_at_period_end=False,
    canceled_at_ms=None,
)


@pytest.mark.parametrize(
    ("plan", "last", "analysis", "stats", "requests"),
    [
        (Plan.FREE, 15, False, False, 100),
        (Plan.BASIC, 50, True, False, 500),
        (Plan.PREMIUM, 99, True, True, 1_000),
    ],
)
def test_the_table(plan: Plan, last: int, analysis: bool, stats: bool, requests: int) -> None:
    assert may_open_lesson(plan, last)
    assert may_open_lesson(plan, last + 1) is (plan is Plan.PREMIUM and last < 99)
    grants = GRANTS[plan]
    assert (grants.ai_analysis, grants.advanced_stats) == (analysis, stats)
    assert grants.requests_per_hour == requests


def test_a_dearer_plan_gives_nothing_less() -> None:
    for less, more in ((Plan.FREE, Plan.BASIC), (Plan.BASIC, Plan.PREMIUM)):
        for feature in GRANTS[less].__slots__:
            assert getattr(GRANTS[less], feature) <= getattr(GRANTS[more], feature), feature


def test_the_least_plan_that_gives_it() -> None:
    assert least_plan("ai_analysis") is Plan.BASIC
    assert least_plan("lessons", 51) is Plan.PREMIUM
    assert least_plan("collections", 101) is None


@pytest.mark.parametrize(
    ("changes", "tier", "until_days"),
    [
        ({}, Plan.BASIC, 37),
        ({"ends_at_period_end": True}, Plan.BASIC, 30),
        ({"status": Status.PAST_DUE, "period_start_ms": 3 * DAY_MS}, Plan.BASIC, 10),
        ({"status": Status.CANCELED}, Plan.FREE, None),
        ({"status": Status.EXPIRED}, Plan.FREE, None),
    ],
)
def test_how_long_a_subscription_gives_its_plan(
    changes: dict[str, object], tier: Plan, until_days: int | None
) -> None:
    subscription = replace(PAID, **changes)  # type: ignore[arg-type] # one field at a time
    until_ms = None if until_days is None else until_days * DAY_MS
    assert (subscription.tier, subscription.until_ms) == (tier, until_ms)
    if until_ms is not None:
        assert plan_at(tier, until_ms, until_ms - 1) is tier
        assert plan_at(tier, until_ms, until_ms) is Plan.FREE


def test_a_tier_without_an_end_is_for_good() -> None:
    assert plan_at("premium", None, 10**15) is Plan.PREMIUM
