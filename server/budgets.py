"""How often somebody may do what costs us or others something: at most so often in any hour.

With Redis the budgets are those of all processes. What this process saw is counted here as well,
so that they hold, if only for one process, while Redis is away.
"""

import hashlib
import math
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Mapping
from ipaddress import IPv6Address, ip_address
from typing import TypeVar

from limits import RateLimitItem, RateLimitItemPerHour
from limits.aio.storage import MovingWindowSupport, RedisStorage, Storage
from limits.aio.strategies import MovingWindowRateLimiter
from redis.asyncio import Redis

from server.core.plan import GRANTS
from server.redis_link import RedisLink

HOUR_S = 3_600
PER_HOUR: Mapping[str, int] = {
    "login": 5,  # from one address at one account
    "login_all": 50,  # from one address at all accounts, and at one account from all addresses
    "register": 10,
    "mail": 5,
    "import": 40,  # files of one person, and looks at them
    "requests_address": 1_000,
    # Of a person with that plan; guests have what `free` has.
    **{f"requests_{plan.value}": grants.requests_per_hour for plan, grants in GRANTS.items()},
}
PAUSE_S_MAX = 900
SUBJECTS_MAX = 100_000  # in memory; the longest unheard are forgotten first

T = TypeVar("T")
V = TypeVar("V")


class OverBudget(Exception):
    """Too often; it may be tried again in `retry_s` whole seconds."""

    def __init__(self, retry_s: int) -> None:
        super().__init__(f"again in {retry_s} s")
        self.retry_s = retry_s


def counted_address(host: str) -> str:
    """As which address a host is counted: one of IPv6 can take any address of its /64."""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if not isinstance(address, IPv6Address) or address.is_loopback:
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return f"{IPv6Address(int(address) >> 64 << 64)}/64"


class Budgets:
    """Budgets by name; a subject (a person, an address) has each of them for itself."""

    def __init__(
        self,
        now_s: Callable[[], float],
        per_hour: Mapping[str, int] = PER_HOUR,
        link: RedisLink | None = None,
        enabled: bool = True,
    ) -> None:
        self._enabled = enabled
        self._items = {
            name: RateLimitItemPerHour(most, namespace=name) for name, most in per_hour.items()
        }
        self._memory = Store(Memory(now_s), now_s)
        self._link = link or RedisLink()
        redis = self._link.redis
        self._in_redis = None if redis is None else _in_redis(redis, now_s)

    async def spend(self, budget: str, subject: str) -> None:
        """Count one. Raises OverBudget, and counts nothing, if there were too many of late."""
        if not self._enabled:
            return
        item, key = self._items[budget], _key(subject)
        _refuse(await self._memory.wait_s(item, key))
        _refuse(await self._shared(lambda shared: shared.take(item, key)) or 0.0)
        _refuse(await self._memory.take(item, key))

    async def failed(self, budget: str, subject: str) -> None:
        """What was spent was of no use: the next must wait 1 s, then 2, 4, … until `succeeded`."""
        if not self._enabled:
            return
        item, key = self._items[budget], _key(subject)
        await self._shared(lambda shared: shared.pause(item, key))
        await self._memory.pause(item, key)

    async def succeeded(self, budget: str, subject: str) -> None:
        """What was spent was of use: what failed before is forgotten, what was spent is not."""
        item, key = self._items[budget], _key(subject)
        await self._shared(lambda shared: shared.calm(item, key))
        await self._memory.calm(item, key)

    async def forgive(self, budget: str, subject: str) -> None:
        """Forget what this subject has spent of this budget, and what failed."""
        item, key = self._items[budget], _key(subject)
        await self._shared(lambda shared: shared.forget(item, key))
        await self._memory.forget(item, key)

    async def _shared(self, ask: Callable[["Store"], Awaitable[T]]) -> T | None:
        store = self._in_redis
        return None if store is None else await self._link.ask(lambda _: ask(store))


class Store:
    """What is done with a budget in one storage. Waits are in seconds, 0 for none."""

    def __init__(self, storage: Storage, now_s: Callable[[], float]) -> None:
        self._storage = storage
        self._window = MovingWindowRateLimiter(storage)
        self._now_s = now_s

    async def wait_s(self, item: RateLimitItem, key: str) -> float:
        """How long until one more fits."""
        if wait_s := await self._pause_s(item, key):
            return wait_s
        return 0.0 if await self._window.test(item, key) else await self._full_s(item, key)

    async def take(self, item: RateLimitItem, key: str) -> float:
        """Count one if it fits; how long to wait if not."""
        if wait_s := await self._pause_s(item, key):
            return wait_s
        return 0.0 if await self._window.hit(item, key) else await self._full_s(item, key)

    async def pause(self, item: RateLimitItem, key: str) -> None:
        failures = await self._storage.incr(_failures_key(item, key), HOUR_S)
        await self._storage.clear(_pause_key(item, key))
        await self._storage.incr(_pause_key(item, key), min(2 ** (failures - 1), PAUSE_S_MAX))

    async def calm(self, item: RateLimitItem, key: str) -> None:
        for name in (_failures_key(item, key), _pause_key(item, key)):
            await self._storage.clear(name)

    async def forget(self, item: RateLimitItem, key: str) -> None:
        await self.calm(item, key)
        await self._storage.clear(item.key_for(key))

    async def _pause_s(self, item: RateLimitItem, key: str) -> float:
        # Its end is on another process's clock perhaps; that it stands does not depend on clocks.
        if not await self._storage.get(_pause_key(item, key)):
            return 0.0
        return max(1.0, await self._storage.get_expiry(_pause_key(item, key)) - self._now_s())

    async def _full_s(self, item: RateLimitItem, key: str) -> float:
        stats = await self._window.get_window_stats(item, key)
        return max(1.0, stats.reset_time - self._now_s())


class Memory(Storage, MovingWindowSupport):
    """Moving windows and counters of this process, for the strategies of `limits`.

    Its own storage looks at every key again at every hit, each in a thread of its own: half a
    second of work with 10,000 addresses. Here a hit costs the same however many there are.
    """

    STORAGE_SCHEME = None

    def __init__(self, now_s: Callable[[], float]) -> None:
        super().__init__()
        self._now_s = now_s
        self._hits: OrderedDict[str, deque[float]] = OrderedDict()
        self._counts: OrderedDict[str, tuple[int, float]] = OrderedDict()  # with their end

    @property
    def base_exceptions(self) -> type[Exception]:
        return ValueError

    async def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        hits = self._recent(key, expiry)
        if len(hits) + amount > limit:
            return False
        hits.extend([self._now_s()] * amount)
        self._hits[key] = hits
        _keep_newest(self._hits, key)
        return True

    async def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        hits = self._recent(key, expiry)
        return (hits[0] if hits else self._now_s()), len(hits)

    def _recent(self, key: str, expiry: int) -> deque[float]:
        hits = self._hits.get(key) or deque()
        since_s = self._now_s() - expiry
        while hits and hits[0] <= since_s:
            hits.popleft()
        return hits

    async def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        count, ends_at_s = await self.get(key), await self.get_expiry(key)
        ends_at_s = ends_at_s if count else self._now_s() + expiry
        self._counts[key] = count + amount, ends_at_s
        _keep_newest(self._counts, key)
        return count + amount

    async def get(self, key: str) -> int:
        count, ends_at_s = self._counts.get(key, (0, 0.0))
        return count if ends_at_s > self._now_s() else 0

    async def get_expiry(self, key: str) -> float:
        return self._counts[key][1] if key in self._counts else self._now_s()

    async def check(self) -> bool:
        return True

    async def reset(self) -> int:
        count = len(self._hits) + len(self._counts)
        self._hits.clear()
        self._counts.clear()
        return count

    async def clear(self, key: str) -> None:
        self._hits.pop(key, None)
        self._counts.pop(key, None)


def _keep_newest(by_key: OrderedDict[str, V], key: str) -> None:
    by_key.move_to_end(key)
    if len(by_key) > SUBJECTS_MAX:
        by_key.popitem(last=False)


def _in_redis(redis: Redis, now_s: Callable[[], float]) -> Store:
    storage = RedisStorage(
        "redis://",  # where it is, the pool knows
        implementation="redispy",
        key_prefix="budget",
        connection_pool=redis.connection_pool,  # type: ignore[arg-type] # too narrow a type
    )
    return Store(storage, now_s)


def _refuse(wait_s: float) -> None:
    if wait_s > 0:
        raise OverBudget(min(math.ceil(wait_s), HOUR_S))


def _key(subject: str) -> str:
    """Subjects may be e-mail addresses, which nobody shall find in Redis."""
    return hashlib.blake2b(subject.encode(errors="replace"), digest_size=16).hexdigest()


def _pause_key(item: RateLimitItem, key: str) -> str:
    return f"{item.namespace}/{key}/pause"


def _failures_key(item: RateLimitItem, key: str) -> str:
    return f"{item.namespace}/{key}/failures"
