"""What to give somebody next: ours, words drawn evenly, and one like keybr's."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from random import Random

from server.coach import ATTEMPTS_MAX
from server.core.key_model import Evidence, read_evidence
from server.core.layout import key_places
from server.core.letters import letter_order
from server.core.lexicon import Lexicon
from server.core.practice import Practice, plan_practice
from server.core.practice_text import WORDS, compose
from server.core.strength import Target
from tests.learner.person import Person


class Policy(ABC):
    """Chooses texts for one person, knowing only what their attempts have counted."""

    name: str

    def __init__(self, person: Person, lexicon: Lexicon, seed: int) -> None:
        self._person = person
        self._lexicon = lexicon
        self._rng = Random(seed)
        self._newest_first: list[Evidence] = []

    @abstractmethod
    def words(self) -> Sequence[str]:
        """The next text."""

    @abstractmethod
    def weakest_first(self) -> Sequence[str]:
        """The letters, by what is known of them so far."""

    def learn(self, evidence: Evidence) -> None:
        """What came of the text."""
        self._newest_first = [evidence, *self._newest_first][:ATTEMPTS_MAX]

    def _model_order(self) -> list[str]:
        model = read_evidence(self._newest_first, self._person.ever, self._person.now_ms)
        target = Target(self._person.kind.target_wpm)

        def reached(key: str) -> float:
            known = model.key(key)
            return min(target.latency_ms / known.latency_ms, target.error_rate / known.error_rate)

        return sorted(self._lexicon.letters, key=reached)


class Ours(Policy):
    name = "ours"

    def words(self) -> Sequence[str]:
        return compose(self._plan(), self._lexicon, self._rng)

    def weakest_first(self) -> Sequence[str]:
        return self._model_order()

    def _plan(self) -> Practice:
        return plan_practice(
            self._newest_first,
            self._person.ever,
            self._lexicon,
            key_places(self._person.kind.layout),
            self._person.now_ms,
            self._person.kind.target_wpm,
        )


class Even(Policy):
    """Words drawn evenly from the list; what they show is read by our model."""

    name = "even"

    def words(self) -> Sequence[str]:
        return self._rng.sample(self._lexicon.words, WORDS)

    def weakest_first(self) -> Sequence[str]:
        return self._model_order()


class LikeKeybr(Policy):
    """As keybr is described: speed alone, letters by frequency, one letter in focus.

    A key's time is filtered (0.1 of the newest lesson's mean), its confidence is target over time.
    Six letters are open to who begins, and the next one when the best confidence of all that are
    open reaches 1; to others all are, as keybr's setting for them has it. The focus is the least
    confident letter below 1, as it is now. Words hold it and open letters alone; where there are
    fewer than 15, words that could be are put to them.
    """

    name = "like keybr"
    OPEN_MIN = 6
    WORDS_MIN, WORDS_MAX = 15, 1_000
    FILTER = 0.1

    def __init__(self, person: Person, lexicon: Lexicon, seed: int) -> None:
        super().__init__(person, lexicon, seed)
        shares: Mapping[str, float] = lexicon.letters
        self._order = sorted(shares, key=lambda letter: -shares[letter])
        if person.kind.beginner:
            self._order = letter_order(shares, key_places(person.kind.layout))
        self._time_ms: dict[str, float] = {}
        self._best_ms: dict[str, float] = {}

    def learn(self, evidence: Evidence) -> None:
        for key, packed in evidence.counts.keys.items():
            if packed[3]:
                mean = packed[2] / packed[3]
                known = self._time_ms.get(key, mean)
                self._time_ms[key] = self.FILTER * mean + (1 - self.FILTER) * known
                self._best_ms[key] = min(self._best_ms.get(key, mean), self._time_ms[key])

    def _confidence(self, times: Mapping[str, float], key: str) -> float:
        return 12_000 / self._person.kind.target_wpm / times[key] if key in times else 0.0

    def words(self) -> Sequence[str]:
        opened: list[str] = []
        for letter in self._order:
            all_there = all(self._confidence(self._best_ms, one) >= 1 for one in opened)
            there = self._confidence(self._best_ms, letter) >= 1
            everything = not self._person.kind.beginner
            if len(opened) < self.OPEN_MIN or there or all_there or everything:
                opened.append(letter)
        letters = frozenset(opened)
        behind = [key for key in opened if self._confidence(self._time_ms, key) < 1]
        focus = min(behind, key=lambda key: self._confidence(self._time_ms, key), default="")
        fit = [w for w in self._lexicon.words if len(w) > 2 and letters.issuperset(w)]
        words = [word for word in fit if focus in word][: self.WORDS_MAX]
        for _ in range(4 * self.WORDS_MIN):
            if len(words) >= self.WORDS_MIN:
                break
            made = self._lexicon.made.make(letters, focus or self._rng.choice(opened), self._rng)
            if made is None:
                break
            words.append(made)
        words = words or fit
        chosen: list[str] = []
        while len(chosen) < WORDS:
            word = self._rng.choice(words)
            if not chosen or chosen[-1] != word or len(words) == 1:
                chosen.append(word)
        return chosen

    def weakest_first(self) -> Sequence[str]:
        return sorted(self._lexicon.letters, key=lambda key: self._confidence(self._time_ms, key))


POLICIES: Sequence[type[Policy]] = (Ours, Even, LikeKeybr)
