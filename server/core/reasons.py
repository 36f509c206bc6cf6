"""Why something is practised, and when the target will be reached: in words."""

from collections.abc import Mapping
from dataclasses import dataclass

from server.core.forecast import ATTEMPTS_MIN, PRESSES_MIN, Forecast, Outlook, Side
from server.core.practice import Focus, Reason
from server.core.strength import Target


@dataclass(frozen=True, slots=True)
class Wording:
    """How one language says it."""

    space: str
    reasons: Mapping[Reason, str]
    maybe_errors: str
    slow_bigram: str
    outlooks: Mapping[Outlook, str]
    sides: Mapping[Side, str]
    at_least: str
    between: str
    point: str
    thousands: str


ENGLISH = Wording(
    space="Space",
    reasons={
        Reason.NEW: "{part} is new: it has hardly been pressed yet.",
        Reason.ERRORS: "{part} goes wrong {rate}% of the time, surely more than {low}%; the target"
        " allows {allowed}%.",
        Reason.MIXED_UP: "{part} goes wrong {rate}% of the time, mostly with {other} hit instead.",
        Reason.SLOW: "{part} takes {ms} ms; {wpm} wpm need {target_ms} ms.",
        Reason.UNSURE: "{part} looks good, but has been pressed too seldom to be sure.",
        Reason.KEPT: "{part} is strong; nothing has more need, so it is kept that way.",
        Reason.DUE: "{part} is strong, and has rested long enough to be due again.",
    },
    maybe_errors="{part} seems to go wrong {rate}% of the time, which is not sure yet; the target"
    " allows {allowed}%.",
    slow_bigram="{part} takes {ms} ms from key to key; {wpm} wpm need {target_ms} ms.",
    outlooks={
        Outlook.REACHED: "Speed and accuracy are there: {wpm} wpm at {accuracy}%.",
        Outlook.AHEAD: "{side}: about {presses} more key presses to the target, that is {days}"
        " at your pace{range}.",
        Outlook.TOO_LITTLE: "Not enough yet to look ahead: it takes {attempts} texts and"
        " {presses_min} key presses.",
        Outlook.STANDSTILL: "{side}: over your last texts no progress can be told from chance, so"
        " no day can be named either.",
    },
    sides={Side.SPEED: "Speed", Side.ACCURACY: "Accuracy"},
    at_least=" (at least {low})",
    between=" (between {low} and {high})",
    point=".",
    thousands=",",
)

RUSSIAN = Wording(
    space="Пробел",
    reasons={
        Reason.NEW: "{part}: новая клавиша, её почти не нажимали.",
        Reason.ERRORS: "{part}: ошибочны {rate}\u00a0% нажатий, наверняка больше"
        " {low}\u00a0%; цель допускает {allowed}\u00a0%.",
        Reason.MIXED_UP: "{part}: ошибочны {rate}\u00a0% нажатий, чаще всего нажата"
        " не та: {other}.",
        Reason.SLOW: "{part}: нажатие занимает {ms} мс, а для {wpm} слов/мин нужно {target_ms} мс.",
        Reason.UNSURE: "{part}: выглядит хорошо, но нажатий пока мало, чтобы сказать уверенно.",
        Reason.KEPT: "{part}: сильная клавиша; слабее ничего нет, поэтому просто поддержим её.",
        Reason.DUE: "{part}: сильная клавиша, но отдыхала достаточно, пора её освежить.",
    },
    maybe_errors="{part}: ошибочны, похоже, {rate}\u00a0% нажатий, но это пока не наверняка; цель"
    " допускает {allowed}\u00a0%.",
    slow_bigram="{part}: от клавиши к клавише проходит {ms} мс, а для {wpm} слов/мин нужно"
    " {target_ms} мс.",
    outlooks={
        Outlook.REACHED: "И скорость, и точность достигнуты: {wpm} слов/мин при {accuracy}\u00a0%.",
        Outlook.AHEAD: "{side}: до цели осталось нажатий: примерно {presses}, в вашем темпе это"
        " {days}{range}.",
        Outlook.TOO_LITTLE: "Данных для прогноза пока мало: нужно текстов: {attempts}, нажатий:"
        " {presses_min}.",
        Outlook.STANDSTILL: "{side}: по последним текстам продвижение неотличимо от случайности,"
        " поэтому и день назвать нельзя.",
    },
    sides={Side.SPEED: "Скорость", Side.ACCURACY: "Точность"},
    at_least=" (не меньше {low})",
    between=" (от {low} до {high})",
    point=",",
    thousands="\u202f",
)
WORDINGS = {"en": ENGLISH, "ru": RUSSIAN}


def why(focus: Focus, target: Target, language: str) -> str:
    """A sentence of why this was chosen, with the numbers that speak for it."""
    wording = WORDINGS[language]
    known = focus.known
    phrase = wording.reasons[focus.reason]
    if len(focus.part) > 1 and focus.reason is Reason.SLOW:
        phrase = wording.slow_bigram
    elif focus.reason is Reason.ERRORS and known.error_low <= target.error_rate:
        phrase = wording.maybe_errors
    return phrase.format(
        part=_named(focus.part, wording),
        other=_named(focus.other or "", wording),
        rate=_percent(known.error_rate, wording),
        low=_percent(known.error_low, wording),
        allowed=_percent(target.error_rate, wording),
        ms=round(known.latency_ms),
        wpm=round(target.wpm),
        target_ms=round(target.latency_ms),
    )


def outlook(found: Forecast, target: Target, language: str) -> str:
    """A sentence of when the target will be reached, or why that cannot be said."""
    wording = WORDINGS[language]
    presses = _rounded(found.presses[1]) if found.presses else 0
    days, between = "", ""
    if found.days:
        soonest, likely, latest = (
            None if one is None else max(1, round(one)) for one in found.days
        )
        days = _days(likely or 1, language)
        if latest is None:
            between = wording.at_least.format(low=_days(soonest or 1, language, counted=False))
        elif latest != soonest:
            between = wording.between.format(
                low=soonest, high=_days(latest, language, counted=False)
            )
    return wording.outlooks[found.outlook].format(
        side=wording.sides[found.side],
        presses=f"{presses:,}".replace(",", wording.thousands),
        days=days,
        range=between,
        wpm=round(target.wpm),
        accuracy=_percent(target.accuracy, wording),
        attempts=ATTEMPTS_MIN,
        presses_min=PRESSES_MIN,
    )


def _named(part: str, wording: Wording) -> str:
    return part.upper().replace(" ", wording.space) if len(part) == 1 else part


def _percent(share: float, wording: Wording) -> str:
    tenths = round(1_000 * share)
    whole = tenths % 10 == 0 or tenths >= 100
    return str(round(tenths / 10)) if whole else f"{tenths // 10}{wording.point}{tenths % 10}"


def _rounded(count: int) -> int:
    """To two digits: nobody knows it better."""
    return round(count, min(0, 2 - len(str(count))))


def _days(count: int, language: str, *, counted: bool = True) -> str:
    """So many days; in Russian in the genitive unless they are counted: 2 дня, but от 2 дней."""
    if language == "en":
        return f"{count} day" if count == 1 else f"{count} days"
    teen, ones = 10 < count % 100 < 20, count % 10
    if not counted:
        return f"{count} дня" if ones == 1 and not teen else f"{count} дней"
    form = "дней" if teen or ones == 0 or ones > 4 else "день" if ones == 1 else "дня"
    return f"{count} {form}"
