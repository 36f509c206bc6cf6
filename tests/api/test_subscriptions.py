"""Plans that are paid for: a subscription's life, whatever Stripe's messages do on their way."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from server.core.course import LESSONS
from server.core.plan import DAY_MS
from tests.api.people import PASSWORD, Member, Site, code
from tests.api.postbox import Postbox
from tests.api.stripe_like import (
    SECRET_KEY,
    WEBHOOK_SECRET,
    Json,
    StripeLike,
    signature,
    stripe_like,
    told,
)
from tests.live.guest import new_id
from tests.postgres import Postgres
from tests.processes import ServerProcess

MONTHLY = {"plan": "premium", "billing_period": "monthly"}


@dataclass
class Shop:
    """A server that sells plans, and the Stripe it sells them through."""

    site: Site
    like: StripeLike

    async def post_raw(self, raw: bytes, signed: str) -> httpx.Response:
        headers = {"Stripe-Signature": signed, "Content-Type": "application/json"}
        return await self.site.ask("POST", "/payments/webhook", None, headers, content=raw)

    async def tell(self, kind: str, about: Json, event_id: str | None = None) -> httpx.Response:
        """What Stripe posts about something that happened."""
        raw = told(kind, about, event_id)
        return await self.post_raw(raw, signature(raw))

    async def told(self, kind: str, about: Json, event_id: str | None = None) -> None:
        answer = await self.tell(kind, about, event_id)
        assert (answer.status_code, answer.json()) == (200, {"received": True})

    async def status(self, member: Member) -> Any:
        answer = await self.site.ask("GET", "/subscription/status", member.access)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def plan(self, member: Member) -> tuple[str, str]:
        found = await self.status(member)
        profile = await self.site.ask("GET", "/users/me", member.access)
        assert profile.json()["subscription_tier"] == found["plan"]
        return found["plan"], found["status"]

    async def payments(self, member: Member) -> list[tuple[str, int]]:
        rows = await self.site.stored(
            "SELECT status, amount FROM payments WHERE user_id = :user", user=member.id
        )
        return [(row.status, row.amount) for row in rows]

    async def subscribed(self, **changes: Any) -> tuple[Member, Json]:
        member = await self.site.register()
        made = self.like.subscribed(member.id, **changes)
        await self.told("customer.subscription.created", made)
        return member, made


@pytest.fixture(scope="module")
def like() -> Iterator[StripeLike]:
    with stripe_like() as like:
        yield like


async def opened(url: str, folder: Path, like: StripeLike, postbox: Postbox) -> AsyncIterator[Shop]:
    environment = {"ENVIRONMENT": "test", "RATE_LIMIT_ENABLED": "false", **like.environment}
    process = ServerProcess(url, folder / "server.log", environment=environment)
    await process.start()
    yield Shop(Site(process, url, postbox), like)
    log = process.log()
    await process.kill()
    assert SECRET_KEY not in log
    assert WEBHOOK_SECRET not in log


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def shop_on_sqlite(
    sqlite_template: Path,
    tmp_path_factory: pytest.TempPathFactory,
    like: StripeLike,
    postbox: Postbox,
) -> AsyncIterator[Shop]:
    folder = tmp_path_factory.mktemp("shop")
    shutil.copy(sqlite_template, folder / "typing.db")
    url = f"sqlite+aiosqlite:///{folder / 'typing.db'}"
    async for shop in opened(url, folder, like, postbox):
        yield shop


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def shop_on_postgresql(
    postgres: Postgres,
    postgres_template: str,
    tmp_path_factory: pytest.TempPathFactory,
    like: StripeLike,
    postbox: Postbox,
) -> AsyncIterator[Shop]:
    name = await postgres.create(template=postgres_template)
    async for shop in opened(postgres.url(name), tmp_path_factory.mktemp("shop"), like, postbox):
        yield shop
    await postgres.drop(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def shop(request: pytest.FixtureRequest) -> Shop:
    """The test runs once on either store."""
    found: Shop = request.getfixturevalue(f"shop_on_{request.param}")
    return found


@pytest.fixture(autouse=True)
def at_ease(like: StripeLike) -> None:
    like.mood = "ok"


async def check_out(shop: Shop, me: Member) -> Json:
    """Begin as somebody who has nothing, go to Stripe's page, and pay there."""
    site, like = shop.site, shop.like
    before = await shop.status(me)
    assert (before["plan"], before["status"], before["expires_at"]) == ("free", "active", None)
    assert (before["billing"], before["features"]["max_lessons"]) == (True, 15)
    refused = await site.post("/ai/weak-keys-analysis", {}, me.access)
    assert (refused.status_code, code(refused)) == (403, "plan_required")
    assert refused.json()["error"]["plan"] == "basic"

    checkout = (await site.post("/subscription/upgrade", MONTHLY, me.access)).json()
    assert checkout["checkout_url"].startswith("https://checkout.example/")
    assert (checkout["price"], checkout["currency"], checkout["plan"]) == (9.99, "USD", "premium")
    _, path, given = like.asked[-1]
    assert path == "/v1/checkout/sessions"
    assert (given["mode"], given["customer_email"]) == ("subscription", me.email)
    assert given["subscription_data[metadata][user_id]"] == me.id
    assert await shop.plan(me) == ("free", "active")

    made = like.subscribed(me.id)
    session = {"id": checkout["checkout_session_id"], "subscription": made["id"]}
    await shop.told("checkout.session.completed", session)
    await shop.told("invoice.payment_succeeded", like.invoice(made))
    return made


async def test_a_subscriptions_life_from_checkout_to_its_end(shop: Shop) -> None:
    site, like = shop.site, shop.like
    me = await site.register()
    made = await check_out(shop, me)
    assert await shop.plan(me) == ("premium", "active")
    assert await shop.payments(me) == [("completed", 999)]
    assert (await site.post("/ai/weak-keys-analysis", {}, me.access)).status_code == 200
    again = await site.post("/subscription/upgrade", MONTHLY, me.access)
    assert (again.status_code, code(again)) == (409, "subscribed")
    portal = await site.post("/subscription/portal", {}, me.access)
    assert portal.json()["url"] == f"https://portal.example/{made['customer']}"

    ending = (await site.post("/subscription/cancel", {}, me.access)).json()
    assert ending["ends_at_period_end"] is True
    assert ending["until"] == ending["expires_at"]
    assert (ending["plan"], ending["canceled_at"] is None) == ("premium", False)
    status = await shop.status(me)
    assert status["until"] == status["expires_at"]

    made |= {"status": "canceled"}
    await shop.told("customer.subscription.deleted", made)
    assert await shop.plan(me) == ("free", "canceled")
    refused = await site.post("/subscription/cancel", {}, me.access)
    assert (refused.status_code, code(refused)) == (409, "not_subscribed")
    assert (await site.post("/subscription/upgrade", MONTHLY, me.access)).status_code == 200
    assert like.asked[-1][2]["customer"] == made["customer"]


async def test_who_has_not_paid_keeps_the_plan_for_a_week(shop: Shop) -> None:
    me, made = await shop.subscribed()
    failed = shop.like.invoice(made, paid=False)
    item = made["items"]["data"][0]
    now_s = item["current_period_start"]
    made |= {"status": "past_due"}
    item["current_period_start"] = now_s - 6 * DAY_MS // 1_000
    await shop.told("invoice.payment_failed", failed)
    assert await shop.plan(me) == ("premium", "past_due")
    assert await shop.payments(me) == [("failed", 999)]

    item["current_period_start"] = now_s - 8 * DAY_MS // 1_000
    await shop.told("customer.subscription.updated", made)
    assert await shop.plan(me) == ("free", "past_due")

    made |= {"status": "active"}
    failed |= {"status": "paid", "amount_paid": 999}
    await shop.told("invoice.payment_succeeded", failed)
    assert await shop.plan(me) == ("premium", "active")
    # The message of the failure, late: the invoice is paid by now.
    await shop.told("invoice.payment_failed", failed | {"status": "open"})
    assert await shop.payments(me) == [("completed", 999)]


async def believes_no_signature_but_stripes(shop: Shop, raw: bytes) -> None:
    """None, a forged one, one too old, and one of a time to come."""
    forged = signature(raw, "whsec_forged")
    for signed in ("", forged, signature(raw, age_s=301), signature(raw, age_s=-400)):
        answer = await shop.post_raw(raw, signed)
        assert (answer.status_code, code(answer)) == (400, "bad_signature")


async def test_no_message_is_believed_that_is_not_stripes_of_now(shop: Shop) -> None:
    me = await shop.site.register()
    made = shop.like.subscribed(me.id)
    raw = told("customer.subscription.created", made)
    await believes_no_signature_but_stripes(shop, raw)
    assert (await shop.post_raw(raw + b"\n", signature(raw))).status_code == 400
    huge = b'{"x":"' + b"x" * 1_048_576 + b'"}'
    assert (await shop.post_raw(huge, signature(huge))).status_code == 413
    await shop.told("customer.created", {"id": "cus_1"})
    await shop.told("customer.subscription.created", {"id": "sub_of_another_shop"})
    assert await shop.plan(me) == ("free", "active")
    await shop.told("customer.subscription.created", made)
    assert await shop.plan(me) == ("premium", "active")


async def test_the_same_message_twenty_times_has_one_effect(shop: Shop) -> None:
    me, made = await shop.subscribed()
    invoice = shop.like.invoice(made)
    event_id = f"evt_{made['id']}"
    answers = await asyncio.gather(
        *(shop.tell("invoice.payment_succeeded", invoice, event_id) for _ in range(20))
    )
    assert {answer.status_code for answer in answers} == {200}
    (row,) = await shop.site.stored(
        "SELECT version FROM subscriptions WHERE user_id = :user", user=me.id
    )
    assert row.version == 2
    assert await shop.payments(me) == [("completed", 999)]


async def test_the_order_of_messages_does_not_matter(shop: Shop) -> None:
    """The end comes before the beginning, and an old subscription's end during a new one."""
    me = await shop.site.register()
    old = shop.like.subscribed(me.id, status="canceled", created=1)
    await shop.told("customer.subscription.deleted", old)
    await shop.told("checkout.session.completed", {"id": "cs_1", "subscription": old["id"]})
    assert await shop.plan(me) == ("free", "canceled")
    new = shop.like.subscribed(me.id, "price_basic_month")
    await shop.told("customer.subscription.created", new)
    await shop.told("customer.subscription.deleted", old)
    assert await shop.plan(me) == ("basic", "active")


async def test_of_messages_at_once_the_last_state_holds(shop: Shop) -> None:
    me, made = await shop.subscribed()

    async def change() -> None:
        for price in ("price_basic_month", "price_premium_year", "price_basic_year"):
            made["items"]["data"][0]["price"]["id"] = price
            # What is answered 503, where all change at once, Stripe sends again.
            while (await shop.tell("customer.subscription.updated", made)).status_code == 503:
                pass

    await asyncio.gather(*(change() for _ in range(4)))
    assert await shop.plan(me) == ("basic", "active")


# What is taken back


async def paid(shop: Shop) -> tuple[Member, Json, Json]:
    """Somebody with a plan, the subscription, and its invoice, which they have paid."""
    me, made = await shop.subscribed()
    invoice = shop.like.invoice(made)
    await shop.told("invoice.payment_succeeded", invoice)
    assert await shop.plan(me) == ("premium", "active")
    return me, made, invoice


async def test_a_part_that_is_given_back_takes_nothing_away_and_the_rest_ends_the_plan(
    shop: Shop,
) -> None:
    me, made, invoice = await paid(shop)
    await shop.told("charge.refunded", shop.like.refund(invoice, 400))
    assert await shop.payments(me) == [("partly_refunded", 999)]
    assert await shop.plan(me) == ("premium", "active")
    await shop.told("charge.refunded", shop.like.refund(invoice, 599))
    assert await shop.payments(me) == [("refunded", 999)]
    assert await shop.plan(me) == ("free", "canceled")
    assert (await shop.status(me))["until"] is None
    # Nothing more is taken: it is ended at Stripe, too. What that says of it changes nothing.
    assert made["status"] == "canceled"
    await shop.told("customer.subscription.deleted", made)
    assert await shop.plan(me) == ("free", "canceled")
    assert (await shop.site.post("/subscription/upgrade", MONTHLY, me.access)).status_code == 200


async def test_a_payment_that_is_disputed_is_marked_and_the_plan_holds(shop: Shop) -> None:
    me, _, invoice = await paid(shop)
    await shop.told("charge.dispute.created", shop.like.dispute(invoice))
    assert await shop.payments(me) == [("disputed", 999)]
    assert await shop.plan(me) == ("premium", "active")
    # What is heard late of the payment does not hide the dispute.
    await shop.told("invoice.payment_succeeded", invoice)
    assert await shop.payments(me) == [("disputed", 999)]
    await shop.told("charge.refunded", shop.like.refund(invoice))
    assert await shop.payments(me) == [("refunded", 999)]
    assert await shop.plan(me) == ("free", "canceled")


async def test_the_payment_of_a_period_that_is_over_is_given_back(shop: Shop) -> None:
    me, made, invoice = await paid(shop)
    period = made["items"]["data"][0]
    period["current_period_start"] = period["current_period_end"]
    period["current_period_end"] += 30 * DAY_MS // 1_000
    await shop.told("invoice.payment_succeeded", shop.like.invoice(made))
    await shop.told("charge.refunded", shop.like.refund(invoice))
    assert sorted(await shop.payments(me)) == [("completed", 999), ("refunded", 999)]
    assert (await shop.plan(me), made["status"]) == (("premium", "active"), "active")


async def test_what_is_given_back_is_so_in_whatever_order_it_is_heard(shop: Shop) -> None:
    """The refund before the payment and the subscription; and of an old one during a new one."""
    me = await shop.site.register()
    made = shop.like.subscribed(me.id)
    invoice = shop.like.invoice(made)
    charge = shop.like.refund(invoice)
    await shop.told("charge.refunded", charge)
    assert await shop.plan(me) == ("free", "canceled")
    await shop.told("invoice.payment_succeeded", invoice)
    await shop.told("customer.subscription.created", made)
    assert await shop.plan(me) == ("free", "canceled")
    assert await shop.payments(me) == [("refunded", 999)]

    new = shop.like.subscribed(me.id, "price_basic_month", created=made["created"] + 1)
    await shop.told("customer.subscription.created", new)
    await shop.told("charge.refunded", charge)
    assert (await shop.plan(me), new["status"]) == (("basic", "active"), "active")


async def test_a_payment_heard_of_after_it_was_given_back_ends_the_plan(shop: Shop) -> None:
    """The refund's own message may be lost: whatever is heard of the invoice tells as much."""
    me, made = await shop.subscribed()
    invoice = shop.like.invoice(made)
    shop.like.refund(invoice)
    await shop.told("invoice.payment_succeeded", invoice)
    assert await shop.payments(me) == [("refunded", 999)]
    assert (await shop.plan(me), made["status"]) == (("free", "canceled"), "canceled")


async def test_the_same_refund_twenty_times_has_one_effect(shop: Shop) -> None:
    me, made, invoice = await paid(shop)
    charge, event_id = shop.like.refund(invoice), f"evt_refund_{made['id']}"
    answers = await asyncio.gather(
        *(shop.tell("charge.refunded", charge, event_id) for _ in range(20))
    )
    # Who finds the others at it too often is answered 503, and Stripe sends it again.
    assert {answer.status_code for answer in answers} <= {200, 503}
    await shop.told("charge.refunded", charge, event_id)
    (row,) = await shop.site.stored(
        "SELECT version FROM subscriptions WHERE user_id = :user", user=me.id
    )
    assert row.version == 3
    assert await shop.payments(me) == [("refunded", 999)]
    asked = len(shop.like.asked)
    await shop.told("charge.refunded", charge, event_id)
    assert len(shop.like.asked) == asked


@pytest.mark.parametrize("kind", ["charge.refunded", "charge.dispute.created"])
async def test_nothing_is_taken_back_that_stripe_does_not_sign_now(shop: Shop, kind: str) -> None:
    me, made, invoice = await paid(shop)
    shop.like.refund(invoice)
    raw = told(kind, shop.like.charge(invoice))
    asked = len(shop.like.asked)
    await believes_no_signature_but_stripes(shop, raw)
    assert len(shop.like.asked) == asked
    assert await shop.payments(me) == [("completed", 999)]
    assert (await shop.plan(me), made["status"]) == (("premium", "active"), "active")
    # A refund that is none, well signed: Stripe is asked, and knows better.
    me, made, invoice = await paid(shop)
    claimed = shop.like.charge(invoice) | {"refunded": True, "amount_refunded": 999}
    await shop.told(kind, claimed)
    assert await shop.payments(me) == [("completed", 999)]
    assert (await shop.plan(me), made["status"]) == (("premium", "active"), "active")


@pytest.mark.parametrize("kind", ["charge.refunded", "charge.dispute.created"])
async def test_what_was_paid_for_something_else_is_passed_over(shop: Shop, kind: str) -> None:
    for intent in (None, "pi_of_another_shop", {"id": "pi_of_another_shop"}):
        await shop.told(kind, {"id": "ch_1", "payment_intent": intent})
    other = shop.like.invoice({"id": None, "items": {"data": [dict.fromkeys(PERIOD, 1)]}})
    await shop.told(kind, shop.like.refund(other))


PERIOD = ("current_period_start", "current_period_end")


async def test_while_stripe_is_away_a_refund_waits(shop: Shop) -> None:
    me, made, invoice = await paid(shop)
    charge, event_id = shop.like.refund(invoice), f"evt_away_{made['id']}"
    shop.like.mood = "broken"
    answer = await shop.tell("charge.refunded", charge, event_id)
    assert (answer.status_code, code(answer)) == (503, "stripe")
    assert await shop.payments(me) == [("completed", 999)]
    assert await shop.plan(me) == ("premium", "active")
    shop.like.mood = "ok"
    await shop.told("charge.refunded", charge, event_id)
    assert await shop.payments(me) == [("refunded", 999)]
    assert await shop.plan(me) == ("free", "canceled")


async def test_while_stripe_is_away_nothing_is_lost(shop: Shop) -> None:
    me = await shop.site.register()
    made = shop.like.subscribed(me.id)
    shop.like.mood = "broken"
    wanted = {"plan": "basic", "billing_period": "yearly"}
    event_id = f"evt_{made['id']}"
    for answer in (
        await shop.site.post("/subscription/upgrade", wanted, me.access),
        await shop.tell("customer.subscription.created", made, event_id),
    ):
        assert (answer.status_code, code(answer)) == (503, "stripe")
        assert int(answer.headers["retry-after"]) > 0
    assert await shop.plan(me) == ("free", "active")
    shop.like.mood = "ok"
    await shop.told("customer.subscription.created", made, event_id)
    assert await shop.plan(me) == ("premium", "active")


async def test_who_goes_pays_no_more(shop: Shop) -> None:
    me, made = await shop.subscribed()
    export = (await shop.site.ask("GET", "/users/me/export", me.access)).json()
    assert [one["plan"] for one in export["subscriptions"]] == ["premium"]
    gone: dict[str, Any] = {"json": {"password": PASSWORD}}
    shop.like.mood = "broken"
    refused = await shop.site.ask("DELETE", "/users/me", me.access, **gone)
    assert (refused.status_code, code(refused)) == (503, "stripe")
    assert await shop.site.is_good(me.access)
    shop.like.mood = "ok"
    assert (await shop.site.ask("DELETE", "/users/me", me.access, **gone)).status_code == 204
    assert made["status"] == "canceled"
    await shop.told("customer.subscription.deleted", made)  # of nobody any more


async def test_a_lesser_plan_hides_and_keeps(shop: Shop) -> None:
    """Collections beyond the plan stay; only more of them need another plan."""
    me, made = await shop.subscribed()
    token = me.access
    for n in range(11):
        answer = await shop.site.post("/collections", {"name": str(n)}, token)
        assert answer.status_code == 201
    made |= {"status": "canceled"}
    await shop.told("customer.subscription.deleted", made)
    listed = (await shop.site.ask("GET", "/collections", token)).json()
    assert (len(listed["results"]), listed["collections_max"]) == (11, 10)
    refused = await shop.site.post("/collections", {"name": "x"}, token)
    assert (refused.status_code, code(refused)) == (403, "plan_required")
    assert refused.json()["error"]["plan"] == "basic"


# Where a plan begins to be needed: the number of the first lesson that it opens, and its name.
LOCKED = [(16, "basic"), (50, "basic"), (51, "premium"), (99, "premium")]


async def lessons_open(shop: Shop, token: str | None) -> int:
    """How many lessons the course shows to be open: the first so many, and these have a text."""
    path = "/lessons?include_content=true"
    course = (await shop.site.ask("GET", path, token)).json()["lessons"]
    count = [one["is_open"] for one in course].count(True)
    assert [one["is_open"] for one in course] == [True] * count + [False] * (99 - count)
    assert [one["content"] is not None for one in course] == [one["is_open"] for one in course]
    # What it is about is told of each: only its text is kept back.
    assert all(one["title"] and one["target_keys"] for one in course)
    return count


async def open_lesson(shop: Shop, token: str, number: int) -> str:
    """What comes of an `open` with the lesson of that number: its type, or the code of an error.

    A race over it is refused with the same code.
    """
    source = {"kind": "lesson", "lesson": LESSONS[number - 1].id}
    async with shop.site.socket(token) as client:
        await client.send(type="open", id=1, attempt=new_id(), source=source)
        answer = await client.receive()
        assert answer["re"] == 1
        await client.send(type="race.create", id=2, source=source, private=True)
        raced = await client.receive()
        came = str(answer.get("code", answer["type"]))
        assert (raced["code"] if raced["type"] == "error" else "opened") == came
        return came


async def must_be_locked(shop: Shop, token: str, number: int, plan: str) -> None:
    """Neither way leads to the lesson, and that plan is named as what would open it."""
    path = f"/lessons/{LESSONS[number - 1].id}"
    refused = await shop.site.ask("GET", path, token)
    assert (refused.status_code, code(refused)) == (403, "plan_required")
    error = refused.json()["error"]
    assert (error["plan"], plan in error["message"]) == (plan, True)
    assert await open_lesson(shop, token, number) == "forbidden"


async def must_be_open(shop: Shop, token: str, number: int) -> None:
    path = f"/lessons/{LESSONS[number - 1].id}"
    answer = await shop.site.ask("GET", path, token)
    assert (answer.status_code, bool(answer.json()["content"]["text"])) == (200, True)
    assert await open_lesson(shop, token, number) == "opened"


async def test_a_lesson_beyond_the_plan_is_locked_until_that_is_paid(shop: Shop) -> None:
    me, visitor = await shop.site.register(), await shop.site.guest()
    assert await lessons_open(shop, None) == 15
    for token in (visitor.token, me.access):
        assert await lessons_open(shop, token) == 15
        await must_be_open(shop, token, 15)
        for number, plan in LOCKED:
            await must_be_locked(shop, token, number, plan)

    made = shop.like.subscribed(me.id, "price_basic_month")
    await shop.told("customer.subscription.created", made)
    assert await lessons_open(shop, me.access) == 50
    for number in (16, 50):
        await must_be_open(shop, me.access, number)
    await must_be_locked(shop, me.access, 51, "premium")

    made["items"]["data"][0]["price"]["id"] = "price_premium_month"
    await shop.told("customer.subscription.updated", made)
    assert await lessons_open(shop, me.access) == 99
    await must_be_open(shop, me.access, 99)

    made |= {"status": "canceled"}
    await shop.told("customer.subscription.deleted", made)
    assert await lessons_open(shop, me.access) == 15
    await must_be_locked(shop, me.access, 16, "basic")


async def test_what_a_browser_keeps_of_the_lessons_is_not_good_for_another_plan(
    shop: Shop,
) -> None:
    me = await shop.site.register()
    shown = await shop.site.ask("GET", "/lessons", me.access)
    known = {"If-None-Match": shown.headers["etag"]}
    assert (await shop.site.ask("GET", "/lessons", me.access, known)).status_code == 304
    await shop.told("customer.subscription.created", shop.like.subscribed(me.id))
    assert (await shop.site.ask("GET", "/lessons", me.access, known)).status_code == 200


OLD = "UPDATE attempts SET finished_at_ms = 0 WHERE id = :id"


async def test_days_of_longer_than_a_year_ago_are_hidden(shop: Shop) -> None:
    me = await shop.site.register()
    result = {"wpm": 60, "accuracy": 0.97, "errors": 3, "duration_ms": 30_000}
    for _ in range(2):
        made = (await shop.site.post("/progress", result, me.access)).json()
    await shop.site.change(OLD, id=made["id"])

    async def charts() -> tuple[int, bool]:
        answer = await shop.site.ask("GET", "/progress/charts", me.access)
        return len(answer.json()["days"]), answer.json()["hidden_before"] is not None

    assert await charts() == (1, True)
    paid = shop.like.subscribed(me.id)
    await shop.told("customer.subscription.created", paid)
    assert await charts() == (2, False)
    paid |= {"status": "canceled"}
    await shop.told("customer.subscription.deleted", paid)
    assert await charts() == (1, True)


async def test_the_plans_and_what_they_cost(shop: Shop) -> None:
    answer = (await shop.site.ask("GET", "/subscription/plans")).json()
    free, basic, premium = answer["plans"]
    assert [one["plan"] for one in (free, basic, premium)] == ["free", "basic", "premium"]
    assert (free["prices"], basic["features"]["max_lessons"]) == ([], 50)
    assert premium["prices"] == [
        {"billing_period": "monthly", "price": 9.99, "currency": "USD"},
        {"billing_period": "yearly", "price": 99.9, "currency": "USD"},
    ]


async def test_where_nothing_is_sold_everything_is_open(sqlite_site: Site) -> None:
    visitor = await sqlite_site.guest()
    member = await sqlite_site.register()
    for token in (visitor.token, member.access):
        status = (await sqlite_site.ask("GET", "/subscription/status", token)).json()
        assert (status["billing"], status["features"]["max_lessons"]) == (False, 99)
        answer = await sqlite_site.post("/ai/weak-keys-analysis", {}, token)
        assert answer.status_code == 200
