"""What is known of each key and bigram: how often it goes wrong, how long it takes, how surely.

Errors are a Beta posterior, latency is a robust running mean of its logarithm; both begin at what
the person's other keys say, and these at what the population says. Evidence fades: by half in
DAYS_HALF_LIFE days, as skill that is not used, and in PRESSES_HALF_LIFE further presses of the
same key, as skill that has grown since. Formulas and sources: docs/practice.md.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import exp, log, sqrt

from server.core.beta import beta_quantile
from server.core.bigrams import Counts, Packed
from server.core.key_stats import KeyStats
from server.core.text import graphemes, key_name

DAY_MS = 86_400_000
DAYS_HALF_LIFE = 30
PRESSES_HALF_LIFE = 150
# Of what was pressed before all attempts looked at, when nobody knows, no more counts than this.
BEFORE_PRESSES_MAX = 30
# So many of the newest presses are enough to know how fast each key is. Errors are rare, and need
# all that there is.
CLOSELY_PRESSES = 4_000
BIGRAM_PRESSES_MIN = 5.0  # fewer say nothing of a bigram

# The population (136 million keystrokes, Aalto): a person's key latencies spread by 0.57 in
# ln ms, of which about 0.25 is between keys, so about 0.5 remains within one key.
POPULATION_LATENCY_MS = 169.0
WITHIN_KEY = 0.5
BETWEEN_KEYS = 0.25
BETWEEN_BIGRAMS = 0.15  # that end with the same key
SKEW = WITHIN_KEY**2 / 2  # ln of the mean of such latencies is so much above the mean of their ln
POPULATION_ERROR_RATE = 0.065
PERSON_PRIOR_PRESSES = 100.0  # so much does the population say of a person's error rate
KEY_PRIOR_ERRORS = 1.0  # and their rate as much of one key's as one error does
LATENCY_PRIOR_PRESSES = (WITHIN_KEY / BETWEEN_KEYS) ** 2
PAUSE = 0.8  # Huber's bound in ln ms: what is further off counts as being so far off

CREDIBLE = 0.9  # each bound holds with this chance, so both with 0.8
BOUND = 1.2816  # standard deviations of a normal distribution to that bound


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one attempt has counted, and when it ended."""

    at_ms: int
    counts: Counts


@dataclass(slots=True)
class _Heap:
    """Faded evidence of one key or bigram."""

    presses: float = 0.0
    errors: float = 0.0
    timed: float = 0.0  # presses that say how fast it is
    latency: float = 0.0  # the running estimate in ln ms
    last_at_ms: int | None = None
    last_presses: int = 0
    last_errors: int = 0
    ever: int = 0
    bigrams: int = 0  # how many different ones say how fast the key is
    instead: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of one key or bigram. `presses` are faded, `ever` is a plain count.

    A rate or latency lies above its low bound with a chance of CREDIBLE, below its high one too.
    """

    presses: float
    ever: int
    wrong: float  # the two parameters of the Beta posterior
    right: float
    latency: float  # the middle of ln ms, and its standard deviation
    latency_sd: float
    last_at_ms: int | None
    last_presses: int
    last_errors: int
    instead: Mapping[str, float]  # the keys that were hit for it, faded

    @property
    def error_rate(self) -> float:
        return self.wrong / (self.wrong + self.right)

    @property
    def error_low(self) -> float:
        return beta_quantile(1 - CREDIBLE, self.wrong, self.right)

    @property
    def error_high(self) -> float:
        return beta_quantile(CREDIBLE, self.wrong, self.right)

    @property
    def latency_ms(self) -> float:
        """The mean, which is what counts for the speed: above the middle."""
        return exp(self.latency + SKEW)

    @property
    def latency_low_ms(self) -> float:
        return exp(self.latency + SKEW - BOUND * self.latency_sd)

    @property
    def latency_high_ms(self) -> float:
        return exp(self.latency + SKEW + BOUND * self.latency_sd)


@dataclass(frozen=True, slots=True)
class KeyModel:
    """All keys with evidence, the bigrams with enough of it, and the person as a whole.

    `before` is what was known of the keys without the newest attempt.
    """

    keys: Mapping[str, Known]
    bigrams: Mapping[str, Known]
    presses: float
    ever: int
    error_rate: float
    latency: float  # ln ms
    before: Mapping[str, Known] = field(default_factory=dict)

    def key(self, name: str) -> Known:
        """What is known of a key; of one without evidence, what the others say."""
        return self.keys.get(name) or _known(_Heap(), self.latency, self.error_rate)


def read_evidence(
    newest_first: Sequence[Evidence], totals: Mapping[str, KeyStats], now_ms: int
) -> KeyModel:
    """The state of all keys at `now_ms`.

    `totals` counts everything ever pressed, that of the evidence included; what it counts beyond
    is older, or of imports, and says a little.
    """
    keys: dict[str, _Heap] = {}
    bigrams: dict[str, _Heap] = {}
    typical = _typical_latency(newest_first, totals)
    _begin(keys, newest_first, totals, now_ms, typical)
    before: Mapping[str, Known] = {}
    closely = _looked_at_closely(newest_first)
    for place, evidence in reversed(list(enumerate(newest_first))):
        if place == 0:
            before = _judge(keys, {}).keys
        age_days = max(0, now_ms - evidence.at_ms) / DAY_MS
        weight = 0.5 ** (age_days / DAYS_HALF_LIFE)
        for name, packed in evidence.counts.keys.items():
            heap = _heap(keys, name, typical)
            _press(heap, packed, weight, evidence.at_ms)
            if place >= closely and packed[3]:
                _time(heap, _middle(packed), weight * packed[3])
        if place < closely:
            for name, packed in evidence.counts.bigrams.items():
                _press_second(keys, _heap(bigrams, name, typical), name, packed, weight)
    return replace(_judge(keys, bigrams), before=before)


def _looked_at_closely(newest_first: Sequence[Evidence]) -> int:
    """How many of the newest attempts are read bigram by bigram; the others key by key."""
    presses = 0
    for count, evidence in enumerate(newest_first):
        presses += sum(packed[0] for packed in evidence.counts.keys.values())
        if presses >= CLOSELY_PRESSES:
            return count + 1
    return len(newest_first)


def _typical_latency(evidence: Iterable[Evidence], totals: Mapping[str, KeyStats]) -> float:
    """A first guess in ln ms, where the running means begin."""
    ms = count = 0.0
    for one in evidence:
        for packed in one.counts.keys.values():
            ms += packed[2]
            count += packed[3]
    if not count:
        ms = sum(stats.latency_sum_ms for stats in totals.values())
        count = sum(stats.latency_count for stats in totals.values())
    return log(ms / count) - SKEW if ms and count else log(POPULATION_LATENCY_MS)


def _begin(
    keys: dict[str, _Heap],
    newest_first: Sequence[Evidence],
    totals: Mapping[str, KeyStats],
    now_ms: int,
    typical: float,
) -> None:
    """What was pressed before all attempts that are looked at."""
    seen: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    for evidence in newest_first:
        for name, packed in evidence.counts.keys.items():
            seen[name] += packed[0]
            wrong[name] += packed[1]
    oldest_ms = newest_first[-1].at_ms if newest_first else now_ms
    fade = 0.5 ** (max(0, now_ms - oldest_ms) / DAY_MS / DAYS_HALF_LIFE)
    for name, stats in totals.items():
        presses = stats.presses - seen[name]
        if presses <= 0:
            continue
        heap = _heap(keys, name, typical)
        heap.ever = presses
        heap.presses = fade * min(presses, BEFORE_PRESSES_MAX)
        rate = max(0, stats.errors - wrong[name]) / presses
        heap.errors = heap.presses * min(1.0, rate)
        if stats.latency_count:
            mean = stats.latency_sum_ms / stats.latency_count
            heap.timed = fade * min(stats.latency_count, BEFORE_PRESSES_MAX)
            heap.latency = log(max(1.0, mean)) - SKEW


def _heap(heaps: dict[str, _Heap], name: str, typical: float) -> _Heap:
    heap = heaps.get(name)
    if heap is None:
        heap = heaps[name] = _Heap(latency=typical)
    return heap


_DECAYS = [0.5 ** (presses / PRESSES_HALF_LIFE) for presses in range(2_000)]


def _decay(presses: int) -> float:
    return _DECAYS[presses] if presses < len(_DECAYS) else 0.0


def _press(heap: _Heap, packed: Packed, weight: float, at_ms: int) -> None:
    presses, errors = packed[0], packed[1]
    decay = _decay(presses)
    heap.presses = heap.presses * decay + weight * presses
    heap.errors = heap.errors * decay + weight * errors
    heap.timed *= decay
    heap.ever += presses
    heap.last_at_ms = at_ms
    heap.last_presses, heap.last_errors = presses, errors
    for typed in heap.instead:
        heap.instead[typed] *= decay
    if len(packed) == 5:
        for typed, count in packed[4].items():
            name = key_name(typed)
            heap.instead[name] = heap.instead.get(name, 0.0) + weight * count


def _press_second(
    keys: Mapping[str, _Heap], bigram: _Heap, name: str, packed: Packed, weight: float
) -> None:
    """Count a bigram. The latencies of those that end with a key are that key's."""
    bigram.presses += weight * packed[0]
    bigram.errors += weight * packed[1]
    bigram.ever += packed[0]
    if packed[3]:
        middle, more = _middle(packed), weight * packed[3]
        key = keys.get(_second(name))
        if key is not None:
            key.bigrams += not bigram.timed
            _time(key, middle, more)
        _time(bigram, middle, more)


def _middle(packed: Packed) -> float:
    """The middle of so many latencies, in ln ms, by their mean."""
    count: int = packed[3]
    # The mean of several is nearer to the mean of all than to their middle.
    mean: float = max(1.0, packed[2] / count)
    return log(mean) - SKEW * (1 - 1 / count)


def _time(heap: _Heap, latency: float, more: float) -> None:
    """Move the estimate towards what was seen; what is far off moves it by PAUSE at most."""
    heap.timed += more
    off_by = latency - heap.latency
    if off_by > PAUSE:
        off_by = PAUSE
    elif off_by < -PAUSE:
        off_by = -PAUSE
    heap.latency += more / (heap.timed + 1) * off_by


def _second(bigram: str) -> str:
    return bigram[1] if len(bigram) == 2 else graphemes(bigram)[-1]


def _judge(keys: Mapping[str, _Heap], bigrams: Mapping[str, _Heap]) -> KeyModel:
    presses = sum(heap.presses for heap in keys.values())
    errors = sum(heap.errors for heap in keys.values())
    prior = PERSON_PRIOR_PRESSES
    rate = (prior * POPULATION_ERROR_RATE + errors) / (prior + presses)
    # The person's latency: of all keys as often as they are pressed, and a little the population's.
    timed = LATENCY_PRIOR_PRESSES + sum(heap.timed for heap in keys.values())
    latency = LATENCY_PRIOR_PRESSES * log(POPULATION_LATENCY_MS)
    latency = (latency + sum(heap.timed * heap.latency for heap in keys.values())) / timed
    known = {
        name: _known(heap, latency, rate, BETWEEN_BIGRAMS / sqrt(max(1, heap.bigrams)))
        for name, heap in keys.items()
    }
    pairs = {}
    for name, heap in bigrams.items():
        if heap.presses < BIGRAM_PRESSES_MIN:
            continue
        key = known.get(_second(name))
        # A bigram is at first expected to go as its second key does.
        priors = (key.latency, key.error_rate) if key else (latency, rate)
        pairs[name] = _known(heap, *priors)
    ever = sum(heap.ever for heap in keys.values())
    return KeyModel(known, pairs, presses, ever, rate, latency)


def _known(heap: _Heap, latency: float, rate: float, unlike: float = 0.0) -> Known:
    """The posterior of one heap under a prior latency in ln ms and a prior error rate.

    `unlike` is by how much what was timed may be unlike what the latency is asked of.
    """
    timed = LATENCY_PRIOR_PRESSES + heap.timed
    return Known(
        presses=heap.presses,
        ever=heap.ever,
        wrong=KEY_PRIOR_ERRORS + heap.errors,
        right=KEY_PRIOR_ERRORS * (1 - rate) / rate + max(0.0, heap.presses - heap.errors),
        latency=(LATENCY_PRIOR_PRESSES * latency + heap.timed * heap.latency) / timed,
        latency_sd=sqrt(WITHIN_KEY**2 / timed + unlike**2 * heap.timed / timed),
        last_at_ms=heap.last_at_ms,
        last_presses=heap.last_presses,
        last_errors=heap.last_errors,
        instead=dict(heap.instead),
    )
