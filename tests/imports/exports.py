"""Small exports of every trainer and generation, as they are written there."""

import json
from typing import Any

NOW_MS = 1_795_000_000_000  # 2026-11-18
AT_MS = 1_700_000_000_000  # 2023-11-14T22:13:20Z

MONKEYTYPE_HEADER = (
    "_id,isPb,wpm,acc,rawWpm,consistency,charStats,mode,mode2,quoteLength,restartCount,"
    "testDuration,afkDuration,incompleteTestSeconds,punctuation,numbers,language,funbox,difficulty,"
    "lazyMode,blindMode,bailedOut,tags,timestamp"
)
TYPERACER_HEADER = "Race #,WPM,Accuracy,Rank,# Racers,Text ID,Date/Time (UTC)"


def monkeytype_row(**fields: Any) -> str:
    """A line of Monkeytype's CSV; its timed English test of a minute unless something else is."""
    usual = {
        "_id": "65528aa0c1d2e3f4a5b6c7d8", "isPb": "false", "wpm": "71.25", "acc": "96.43",
        "rawWpm": "74.4", "consistency": "81.2", "charStats": "356;4;1;2", "mode": "time",
        "mode2": "60", "quoteLength": "-1", "restartCount": "0", "testDuration": "60.02",
        "afkDuration": "0", "incompleteTestSeconds": "3.1", "punctuation": "false",
        "numbers": "false", "language": "english_1k", "funbox": "none", "difficulty": "normal",
        "lazyMode": "false", "blindMode": "false", "bailedOut": "false", "tags": "",
        "timestamp": str(AT_MS),
    }  # fmt: skip
    assert set(fields) <= set(usual)
    return ",".join(str(value) for value in (usual | fields).values())


def monkeytype(*rows: str) -> bytes:
    return "\n".join([MONKEYTYPE_HEADER, *rows]).encode()


def typeracer(*rows: str) -> bytes:
    return "\n".join([TYPERACER_HEADER, *rows]).encode()


def keybr_entry(generation: int = 3, **fields: Any) -> dict[str, Any]:
    """A lesson of 25 characters, 2 of them with a slip, in ten seconds."""
    code = "charCode" if generation == 1 else "codePoint"
    kind = {"lessonType": "auto"} if generation == 1 else {"textType": "generated"}
    return {
        "layout": "en-us" if generation == 3 else "us",
        **kind,
        "timeStamp": "2023-11-14T22:13:20.000Z",
        "length": 25,
        "time": 10_000,
        "errors": 2,
        "speed": 150 if generation == 1 else 150.00000000000003,
        "histogram": [
            {code: 32, "hitCount": 5, "missCount": 0, "timeToType": 210},
            {code: 101, "hitCount": 12, "missCount": 2, "timeToType": 300},
            {code: 110, "hitCount": 8, "missCount": 0, "timeToType": 6_000},
        ],
        **fields,
    }


def keybr(*entries: Any) -> bytes:
    return json.dumps(entries, ensure_ascii=False, separators=(",", ":")).encode()


def browser_entry(**fields: Any) -> dict[str, Any]:
    return {
        "timestamp": AT_MS,
        "level": "medium",
        "text": "быстрая коричневая лиса",
        "wpm": 45,
        "accuracy": 92,
        "errors": 5,
        "duration": 60_000,
        "totalChars": 150,
        **fields,
    }


def browser(*entries: Any, prefix: str = "typing_trainer_") -> dict[str, Any]:
    """What the page gathers of the browser's storage."""
    return {
        f"{prefix}best_stats": {"bestWPM": 67, "bestAccuracy": 98},
        f"{prefix}test_history": list(entries),
        f"{prefix}current_level": "medium",
        f"{prefix}user_settings": {"theme": "dark", "soundEnabled": False},
    }
