"""Answers like Stripe's, served here, for what the server asks of it: its state is set by tests."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs
from uuid import uuid4

import stripe

from server.clock import Clock

SECRET_KEY = "sk_test_only_for_these_tests"
WEBHOOK_SECRET = "whsec_only_for_these_tests"
PRICES = {
    "STRIPE_PRICE_BASIC_MONTHLY": "price_basic_month",
    "STRIPE_PRICE_BASIC_YEARLY": "price_basic_year",
    "STRIPE_PRICE_PREMIUM_MONTHLY": "price_premium_month",
    "STRIPE_PRICE_PREMIUM_YEARLY": "price_premium_year",
}
AMOUNTS = dict(zip(PRICES.values(), (499, 4990, 999, 9990), strict=True))
_clock = Clock()
MONTH_S = 30 * 86_400
Json = dict[str, Any]


@dataclass
class StripeLike:
    """What it knows, by id, and what it was asked. `mood`: ok, broken or silent."""

    port: int = 0
    mood: str = "ok"
    known: dict[str, Json] = field(default_factory=dict)
    paid_by: dict[str, str] = field(default_factory=dict)  # invoices by their payment intent
    asked: list[tuple[str, str, Json]] = field(default_factory=list)
    let_go: threading.Event = field(default_factory=threading.Event)

    @property
    def environment(self) -> dict[str, str]:
        """The settings of a server that sells through it."""
        return {
            "STRIPE_SECRET_KEY": SECRET_KEY,
            "STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET,
            "STRIPE_API_BASE": f"http://127.0.0.1:{self.port}",
            **PRICES,
        }

    def subscribed(self, user_id: str, price: str = "price_premium_month", **changes: Any) -> Json:
        """A subscription that is paid from now on."""
        at_s = now_s()
        found: Json = {
            "id": f"sub_{uuid4().hex}",
            "object": "subscription",
            "customer": f"cus_{uuid4().hex}",
            "status": "active",
            "created": at_s,
            "cancel_at": None,
            "cancel_at_period_end": False,
            "canceled_at": None,
            "metadata": {"user_id": user_id},
            "items": {"object": "list", "data": [_item(price, at_s)]},
            **changes,
        }
        self.known[found["id"]] = found
        return found

    def invoice(self, subscription: Json, paid: bool = True) -> Json:
        """An invoice for its period, and a charge if it is paid."""
        at_s = now_s()
        period = subscription["items"]["data"][0]
        line = {"start": period["current_period_start"], "end": period["current_period_end"]}
        found: Json = {
            "id": f"in_{uuid4().hex}",
            "object": "invoice",
            "status": "paid" if paid else "open",
            "amount_due": 999,
            "amount_paid": 999 if paid else 0,
            "currency": "usd",
            "created": at_s,
            "status_transitions": {"paid_at": at_s if paid else None},
            "parent": {
                "type": "subscription_details",
                "subscription_details": {"subscription": subscription["id"]},
            },
            "lines": {"object": "list", "data": [{"object": "line_item", "period": line}]},
        }
        self.known[found["id"]] = found
        if paid:
            self._charge(found)
        return found

    def _charge(self, invoice: Json) -> None:
        charge: Json = {
            "id": f"ch_{uuid4().hex}",
            "object": "charge",
            "amount": invoice["amount_paid"],
            "amount_refunded": 0,
            "refunded": False,
            "disputed": False,
            "payment_intent": f"pi_{uuid4().hex}",
        }
        intent = {"id": charge["payment_intent"], "object": "payment_intent"}
        self.known[intent["id"]] = intent | {"latest_charge": charge}
        self.paid_by[intent["id"]] = invoice["id"]

    def charge(self, invoice: Json) -> Json:
        """The charge by which it was paid."""
        (intent,) = [one for one, paid in self.paid_by.items() if paid == invoice["id"]]
        found: Json = self.known[intent]["latest_charge"]
        return found

    def refund(self, invoice: Json, amount: int = 999) -> Json:
        """Give back so much of what was paid; the charge as it is then."""
        charge = self.charge(invoice)
        charge["amount_refunded"] += amount
        charge["refunded"] = charge["amount_refunded"] == charge["amount"]
        return charge

    def dispute(self, invoice: Json) -> Json:
        """The payer's bank asks for the money back."""
        charge = self.charge(invoice)
        charge["disputed"] = True
        about = {"charge": charge["id"], "payment_intent": charge["payment_intent"]}
        return {"id": f"dp_{uuid4().hex}", "object": "dispute", "status": "needs_response", **about}

    def answer(self, method: str, path: str, given: Json) -> tuple[int, Json]:
        kind, *names = path.removeprefix("/v1/").split("/")
        if kind == "checkout":
            amount = AMOUNTS[given["line_items[0][price]"]]
            session = f"cs_{uuid4().hex}"
            url = f"https://checkout.example/{session}"
            shown = {"amount_total": amount, "currency": "usd", "url": url}
            return 200, {"id": session, "object": "checkout.session", **shown}
        if kind == "billing_portal":
            url = f"https://portal.example/{given['customer']}"
            return 200, {"id": "bps_1", "object": "billing_portal.session", "url": url}
        if kind == "prices":
            amount = AMOUNTS[names[0]]
            shown = {"unit_amount": amount, "currency": "usd"}
            return 200, {"id": names[0], "object": "price", **shown}
        if kind == "invoice_payments":
            invoice = self.paid_by.get(given["payment[payment_intent]"])
            return 200, {"object": "list", "data": [{"invoice": invoice}] if invoice else []}
        found = self.known.get(names[0])
        if found is None:
            missing = {"type": "invalid_request_error", "code": "resource_missing"}
            return 404, {"error": {**missing, "message": f"No such thing: {names[0]}"}}
        if method == "DELETE":
            found |= {"status": "canceled", "canceled_at": now_s()}
        elif given.get("cancel_at_period_end") == "true":
            found |= {"cancel_at_period_end": True, "canceled_at": now_s()}
        return 200, self._expanded(found, given.get("expand[0]"))

    def _expanded(self, found: Json, expand: str | None) -> Json:
        """What Stripe tells whole only if it is asked to; else it gives an id, or nothing."""
        if expand == "payments":
            intents = [one for one, paid in self.paid_by.items() if paid == found["id"]]
            payments = [{"type": "payment_intent", "payment_intent": one} for one in intents]
            data = [{"status": "paid", "payment": one} for one in payments]
            return found | {"payments": {"object": "list", "data": data}}
        if "latest_charge" in found and expand != "latest_charge":
            return found | {"latest_charge": found["latest_charge"]["id"]}
        return found


def now_s() -> int:
    return _clock.now_ms() // 1_000


def _item(price: str, start_s: int) -> Json:
    return {
        "id": f"si_{uuid4().hex}",
        "object": "subscription_item",
        "price": {"id": price, "object": "price"},
        "current_period_start": start_s,
        "current_period_end": start_s + MONTH_S,
    }


def told(kind: str, about: Json, event_id: str | None = None) -> bytes:
    """An event as Stripe posts it."""
    event = {
        "id": event_id or f"evt_{uuid4().hex}",
        "object": "event",
        "type": kind,
        "created": now_s(),
        "data": {"object": about},
    }
    return json.dumps(event, indent=2).encode()


def signature(raw: bytes, secret: str = WEBHOOK_SECRET, age_s: int = 0) -> str:
    """Stripe's own signature of it, made so long ago."""
    made: str = stripe.WebhookSignature.generate_signature_header(
        raw.decode(), secret, now_s() - age_s
    )
    return made


class _Handler(BaseHTTPRequestHandler):
    like: StripeLike

    def log_message(self, *_: Any) -> None:
        """Nothing is written: what is asked is kept."""

    def _reply(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        path, _, query = self.path.partition("?")
        sent = query or self.rfile.read(length).decode()
        given = {name: one[0] for name, one in parse_qs(sent).items()}
        like = self.like
        like.asked.append((self.command, path, given))
        if like.mood == "silent":
            like.let_go.wait(30)
            return
        status, body = (500, {"error": {"type": "api_error", "message": "broken"}})
        if like.mood == "ok":
            status, body = like.answer(self.command, path, given)
        raw = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    do_GET = do_POST = do_DELETE = _reply


@contextmanager
def stripe_like() -> Iterator[StripeLike]:
    """One that answers until the block ends."""
    like = StripeLike()
    handler = type("Handler", (_Handler,), {"like": like})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    like.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield like
    finally:
        like.let_go.set()
        server.shutdown()
        server.server_close()
        thread.join()
