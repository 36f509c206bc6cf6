"""The lessons: what there is to learn, how far one has come, and what comes next."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import Field

from server.api.endpoint import ApiError, Call, Endpoint, Model, Parts, Query, plan_required
from server.api.history import LanguageName
from server.api.key_stats import LayoutName
from server.core.course import Block, Lesson
from server.core.lesson_words import LessonText
from server.core.plan import Plan, may_open_lesson
from server.core.source import DEFAULT_LAYOUTS
from server.db.lessons import Tried, list_tried
from server.lessons import LessonUnavailable

TAG = "lessons"


class FormQuery(Query):
    """In which language and on which layout a lesson is typed; `words_in` is that of the answer.

    Without a layout it is the usual one of the language.
    """

    language: LanguageName = "en"
    layout: LayoutName | None = None
    words_in: Literal["en", "ru"] = "en"

    @property
    def layout_chosen(self) -> str:
        return self.layout or DEFAULT_LAYOUTS.get(self.language, "")


class LessonsQuery(FormQuery):
    """Which lessons; all there are without a condition."""

    block_id: Annotated[int, Field(ge=1, le=len(Block))] | None = None
    difficulty_level: Block | None = None
    is_premium: bool | None = None
    include_content: bool = False

    def wants(self, lesson: Lesson) -> bool:
        """Whether the lesson meets all conditions."""
        return (
            self.block_id in (None, lesson.block_id)
            and self.difficulty_level in (None, lesson.block)
            and self.is_premium in (None, lesson.is_premium)
        )


class ContentAnswer(Model):
    """What is typed, and the keys it is about."""

    language: str
    layout: str
    text: str
    target_keys: list[str]


class OwnAnswer(Model):
    """How far the caller has come in a lesson, in this language on this layout.

    `attempts` were typed here, finished or not; the bests are of those that are ranked.
    `is_unlocked` says that the path has reached it; it forbids nothing.
    """

    attempts: int
    best_wpm: float | None
    best_errors: int | None
    is_passed: bool
    is_unlocked: bool


class LessonAnswer(Model):
    """A lesson, whose `title` is its block's and its step's. `content` is null where it was not
    asked for, `own` for nobody.

    It is passed by a ranked attempt with `target_wpm` or more and `max_errors` or fewer.
    """

    id: str
    block_id: int
    lesson_number: int
    title: str
    block_title: str
    step_title: str
    description: str
    difficulty_level: Block
    target_wpm: int
    max_errors: int
    is_premium: bool
    is_open: bool
    is_active: bool
    target_keys: list[str]
    content: ContentAnswer | None
    own: OwnAnswer | None


class LessonsAnswer(Model):
    """The lessons that meet the conditions, in the order of the course.

    `suggested` is the one to do next, whatever the conditions; null when all are passed.
    """

    total: int
    language: str
    layout: str
    passed: int
    suggested: str | None
    lessons: list[LessonAnswer]


class OneLessonAnswer(LessonAnswer):
    """A lesson; `next` is the one after it in the course, null after the last."""

    next: str | None


@dataclass(slots=True)
class Record:
    """A person's attempts at one lesson."""

    attempts: int = 0
    best_wpm: float | None = None
    best_errors: int | None = None
    is_passed: bool = False

    def add(self, lesson: Lesson, tried: Tried) -> None:
        """Count those with one number of errors, too."""
        self.attempts += tried.attempts
        if tried.best_wpm is None:
            return
        self.best_wpm = max(tried.best_wpm, self.best_wpm or 0.0)
        self.best_errors = min(
            tried.errors, tried.errors if self.best_errors is None else self.best_errors
        )
        self.is_passed = self.is_passed or lesson.passed(tried.best_wpm, tried.errors)


@dataclass(frozen=True, slots=True)
class Progress:
    """A person's way through the course; `course` is in order."""

    course: Sequence[Lesson]
    records: Mapping[str, Record] = field(default_factory=dict)

    @classmethod
    def made_of(cls, course: Sequence[Lesson], found: Iterable[Tried]) -> "Progress":
        by_mode = {lesson.mode: lesson for lesson in course}
        records: dict[str, Record] = {}
        for tried in found:
            lesson = by_mode.get(tried.mode)
            if lesson is not None:
                records.setdefault(lesson.id, Record()).add(lesson, tried)
        return cls(course, records)

    def record(self, lesson: Lesson) -> Record:
        return self.records.get(lesson.id) or Record()

    @property
    def passed(self) -> int:
        return sum(record.is_passed for record in self.records.values())

    @property
    def suggested(self) -> Lesson | None:
        """The first that is not passed after the furthest that is; else the first of all such."""
        places = [place for place, one in enumerate(self.course) if self.record(one).is_passed]
        after = places[-1] + 1 if places else 0
        in_turn = [*self.course[after:], *self.course[:after]]
        return next((one for one in in_turn if not self.record(one).is_passed), None)

    def is_unlocked(self, lesson: Lesson) -> bool:
        """Whether it is passed or comes right after one that is; the first always is."""
        place = self.course.index(lesson)
        return place == 0 or any(
            self.record(one).is_passed for one in self.course[place - 1 : place + 1]
        )

    def own(self, lesson: Lesson) -> OwnAnswer:
        record = self.record(lesson)
        return OwnAnswer(
            attempts=record.attempts,
            best_wpm=record.best_wpm,
            best_errors=record.best_errors,
            is_passed=record.is_passed,
            is_unlocked=self.is_unlocked(lesson),
        )


async def list_lessons(parts: Parts, call: Call) -> LessonsAnswer:
    query: LessonsQuery = call.query
    wanted = [lesson for lesson in parts.lessons.course if query.wants(lesson)]
    texts = await _texts(parts, wanted, query)
    progress = await _progress(parts, call, query)
    suggested = progress.suggested
    return LessonsAnswer(
        total=len(wanted),
        language=query.language,
        layout=query.layout_chosen,
        passed=progress.passed,
        suggested=None if suggested is None else suggested.id,
        lessons=[
            LessonAnswer(**_shown(parts, call, lesson, text, progress, query.include_content))
            for lesson, text in zip(wanted, texts, strict=True)
        ],
    )


async def one_lesson(parts: Parts, call: Call) -> OneLessonAnswer:
    query: FormQuery = call.query
    lesson_id = call.request.path_params["id"]
    lesson = next((one for one in parts.lessons.course if one.id == lesson_id), None)
    if lesson is None:
        raise ApiError(404, "not_found", "There is no such lesson here.")
    if not _is_open(parts, call, lesson):
        raise plan_required("lessons", lesson.place + 1) or LookupError(lesson_id)
    (text,) = await _texts(parts, [lesson], query)
    progress = await _progress(parts, call, query)
    following = parts.lessons.after(lesson)
    return OneLessonAnswer(
        **_shown(parts, call, lesson, text, progress, with_content=True),
        next=None if following is None else following.id,
    )


async def _texts(parts: Parts, lessons: Sequence[Lesson], query: FormQuery) -> list[LessonText]:
    ids = [lesson.id for lesson in lessons]
    try:
        return await parts.lessons.texts(ids, query.language, query.layout)
    except LessonUnavailable as missing:
        raise ApiError(404, "not_found", str(missing)) from None


async def _progress(parts: Parts, call: Call, query: FormQuery) -> Progress:
    course = parts.lessons.course
    if call.caller is None:
        return Progress(course)
    user_id = call.caller.user_id
    found = await list_tried(parts.database, user_id, query.language, query.layout_chosen)
    return Progress.made_of(course, found)


def _shown(
    parts: Parts,
    call: Call,
    lesson: Lesson,
    text: LessonText,
    progress: Progress,
    with_content: bool,
) -> dict[str, Any]:
    query: FormQuery = call.query
    keys = list(text.target_keys)
    is_open = _is_open(parts, call, lesson)
    content = ContentAnswer(
        language=query.language, layout=query.layout_chosen, text=text.text, target_keys=keys
    )
    return {
        "id": lesson.id,
        "block_id": lesson.block_id,
        "lesson_number": lesson.number,
        "title": parts.lessons.title(lesson, query.words_in),
        "block_title": parts.lessons.block_title(lesson, query.words_in),
        "step_title": parts.lessons.step_title(lesson, query.words_in),
        "description": parts.lessons.description(lesson, query.words_in),
        "difficulty_level": lesson.block,
        "target_wpm": lesson.target_wpm,
        "max_errors": lesson.max_errors,
        "is_premium": lesson.is_premium,
        "is_open": is_open,
        "is_active": True,
        "target_keys": keys,
        "content": content if with_content and is_open else None,
        "own": None if call.caller is None else progress.own(lesson),
    }


def _plan(parts: Parts, call: Call) -> Plan:
    """The caller's; nobody's is that of a guest."""
    if call.caller is not None:
        return call.caller.plan
    return Plan.FREE if parts.billing else Plan.PREMIUM


def _is_open(parts: Parts, call: Call, lesson: Lesson) -> bool:
    return may_open_lesson(_plan(parts, call), lesson.place + 1)


def as_published(parts: Parts, call: Call, _now_ms: int) -> str:
    """What an answer about lessons is made of besides the caller's history and the URL."""
    return f"{parts.lessons.version} {_plan(parts, call).value}"


ENDPOINTS: list[Endpoint] = [
    Endpoint(
        "GET",
        "/lessons",
        list_lessons,
        "The lessons, in the order of the course; with a token also how far you have come.",
        TAG,
        query=LessonsQuery,
        answer=LessonsAnswer,
        errors={404: ("not_found",)},
        kept=as_published,
    ),
    Endpoint(
        "GET",
        "/lessons/{id}",
        one_lesson,
        "One lesson with its text, and the one after it.",
        TAG,
        query=FormQuery,
        answer=OneLessonAnswer,
        errors={403: ("plan_required",), 404: ("not_found",)},
        path_patterns={"id": "[A-Za-z0-9_.-]{1,64}"},
        kept=as_published,
    ),
]
