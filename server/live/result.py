"""The result of an attempt: the columns that are stored, and the `done` that is sent.

Both come from the same columns, so that `done` says the same the first time and ever after.
"""

from collections.abc import Mapping
from typing import Any

from server.core.attempt import Attempt, AttemptState, EndReason
from server.core.bigrams import type_bigrams
from server.core.key_stats import KeyStats
from server.core.replay import pack_log
from server.core.score import SCORER_VERSION
from server.core.source import UNKNOWN_LANGUAGE
from server.core.typed_text import TypedText
from server.core.verdict import Verdict, judge
from server.db.counts import pack_counts
from server.db.journal import Ending
from server.protocol import encode

SCORE_COLUMNS = (
    "position",
    "duration_ms",
    "wpm",
    "raw_wpm",
    "accuracy",
    "errors",
    "uncorrected",
    "consistency",
    "keys",
)
RESULT_COLUMNS = (
    *SCORE_COLUMNS,
    "text_length",
    "events",
    "late_ms",
    "scorer",
    "started_at_ms",
    "finished_at_ms",
    "personal_best",
)


def ending(attempt: Attempt, row: Mapping[str, Any], reason: EndReason) -> Ending:
    """What to store for an attempt whose `end` has been called."""
    counted = attempt.seq > 0
    columns: dict[str, Any] = dict.fromkeys((*RESULT_COLUMNS, "why", "keystroke_log", "counts"))
    columns["state"] = attempt.state.value
    columns["verdict"] = Verdict.UNRANKED.value
    columns["why"] = [{"rule": "empty", "value": 0, "limit": 1}]
    columns["events"] = attempt.seq
    if attempt.state is AttemptState.VOID:
        columns["verdict"] = Verdict.VOID.value
        columns["why"] = [{"rule": "conflict", "value": 1, "limit": 0}]
    elif counted:
        columns |= _scored(attempt, reason)
    if counted:
        columns["keystroke_log"] = pack_log(attempt.batches, attempt.opened_at_ms)
    believable = counted and attempt.state is not AttemptState.VOID
    return Ending(
        user_id=row["user_id"],
        category=row["category"],
        language=row["language"] or UNKNOWN_LANGUAGE,
        layout=row["layout"],
        columns=columns,
        keys=attempt.typed_text.keys if believable else {},
    )


def _scored(attempt: Attempt, reason: EndReason) -> dict[str, Any]:
    score = attempt.typed_text.score(attempt.late_ms)
    verdict, why = judge(attempt, score, reason)
    return {
        **score.columns(),
        "text_length": len(attempt.typed_text.text),
        "events": attempt.seq,
        "late_ms": attempt.late_ms,
        "scorer": SCORER_VERSION,
        "started_at_ms": attempt.began_at_ms,
        "finished_at_ms": attempt.last_arrived_at_ms,
        "verdict": verdict.value,
        "why": [found._asdict() for found in why],
        "counts": pack_counts(attempt.typed_text.keys, _bigrams(attempt)),
    }


def _bigrams(attempt: Attempt) -> dict[str, KeyStats]:
    typed = attempt.typed_text
    again = TypedText(typed.text, typed.rule, typed.limit_ms, typed.from_start)
    return type_bigrams(again, attempt.log)


def done_message(row: Mapping[str, Any], re: int | None = None, h: int | None = None) -> str:
    """`done` for an ended attempt, from its stored columns."""
    handle = {} if h is None else {"h": h}
    return encode(
        "done",
        re,
        **handle,
        attempt=row["id"],
        seq=row["events"],
        result=_result(row),
        verdict=row["verdict"],
        why=row["why"],
    )


def _result(row: Mapping[str, Any]) -> dict[str, Any] | None:
    if row["scorer"] is None:
        return None
    result = {name: row[name] for name in RESULT_COLUMNS}
    result["source"] = row["source"]
    result["rules"] = {"errors": row["rule"]}
    if row["language"] is not None:
        result["language"] = row["language"]
    result["started_at"] = result.pop("started_at_ms")
    result["finished_at"] = result.pop("finished_at_ms")
    return result
