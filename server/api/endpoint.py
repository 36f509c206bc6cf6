"""An endpoint as data. The routes and the OpenAPI document are made from the same list.

Every answer that is no success has one shape: {"error":{"code","message","fields"?},"request_id"}.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from server.api.kept import KeptAnswers, Shared
from server.auth import Passwords, Tokens
from server.billing import Billing
from server.boards import Boards
from server.budgets import Budgets
from server.clock import Clock
from server.coach import Coach
from server.core.plan import GRANTS, Plan, least_plan
from server.db.database import Database
from server.db.imports import Imports
from server.db.queries import Person
from server.db.stats import Day
from server.lessons import Lessons
from server.post import Post

BODY_BYTES_MAX = 1_048_576
# In a request's extensions: how to have its connection wait so many seconds for a long body.
PATIENCE = "typing.patience"


class ApiError(Exception):
    """A refusal with a status, a code and a sentence that repeats no input."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        fields: Sequence[Mapping[str, str]] | None = None,
        headers: Mapping[str, str] | None = None,
        plan: Plan | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.fields = fields
        self.headers = headers
        self.plan = plan


class Model(BaseModel):
    """A body, a query or an answer. Unknown fields of a request are refused."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Query(BaseModel):
    """Query parameters: strings on the wire, so they are converted."""

    model_config = ConfigDict(extra="forbid")


class FieldProblem(Model):
    field: str
    message: str


class Problem(Model):
    """What was wrong. `plan` is the least one that may do it, where a plan is missing."""

    code: str
    message: str
    fields: list[FieldProblem] | None = None
    plan: Plan | None = None


class ErrorAnswer(Model):
    """Every answer that is no success."""

    error: Problem
    request_id: str


class Who(Enum):
    """Who may call an endpoint."""

    ANYONE = auto()
    PERSON = auto()  # guests too
    MEMBER = auto()  # with an account


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: a guest has no login.

    `history` changes with everything stored of what they typed; None: there is nothing. `plan` says
    what they may use, everything where nothing is sold; `tier` how often they may ask.
    """

    user_id: str
    guest: bool
    login_id: str | None
    tier: Plan = Plan.FREE
    history: tuple[int, int] | None = None
    plan: Plan = Plan.PREMIUM
    plan_until_ms: int | None = None

    @property
    def person(self) -> Person:
        """Who a guest's row is made of, with the first thing that is theirs."""
        return Person(self.user_id, f"Guest {self.user_id[:4].upper()}", self.guest)


@dataclass(frozen=True, slots=True)
class Call:
    """A request that has been let in: everything validated."""

    request: Request
    caller: Caller | None
    body: Any = None
    query: Any = None

    @property
    def me(self) -> Caller:
        """The caller of an endpoint that is not for anyone."""
        if self.caller is None:
            raise RuntimeError("an endpoint for anyone asks who calls")
        return self.caller


@dataclass(frozen=True, slots=True)
class Answer:
    """A model with a status other than 200, or with headers."""

    model: BaseModel | None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Parts:
    """What every endpoint may use."""

    clock: Clock
    database: Database
    tokens: Tokens
    passwords: Passwords
    budgets: Budgets
    boards: Boards
    post: Post
    origins: frozenset[str]
    secure_cookies: bool
    kept: KeptAnswers
    billing: Billing | None  # None: nothing is sold here
    days: Shared[list[Day]]
    lessons: Lessons
    imports: Imports
    importing: list[str]  # whose files are read now, a name for each file
    coach: Coach


def plan_required(feature: str, amount: int = 1) -> ApiError | None:
    """403 that names the least plan that grants so much; None if none does."""
    plan = least_plan(feature, amount)
    if plan is None:
        return None
    return ApiError(403, "plan_required", f"That needs the plan {plan.value}.", plan=plan)


def must_grant(call: Call, feature: str) -> None:
    """Go on if the caller's plan grants that feature. Raises ApiError 403 plan_required."""
    if not getattr(GRANTS[call.me.plan], feature):
        refusal = plan_required(feature)
        raise refusal or RuntimeError(f"no plan grants {feature}")


Handler = Callable[[Parts, Call], Awaitable[BaseModel | Answer | Response]]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """`errors` maps a status to the codes it may carry; those of validation are added by itself.

    `kept` says, at a time, what an answer is made of besides the caller's history and the URL;
    for nobody it is made of that and the URL alone. `takes` are the types of a body that the
    handler reads itself, piece by piece.
    """

    method: str
    path: str
    handle: Handler
    summary: str
    tag: str
    who: Who = Who.ANYONE
    body: type[BaseModel] | None = None
    takes: Sequence[str] = ()
    query: type[BaseModel] | None = None
    status: int = 200
    answer: type[BaseModel] | None = None  # None: an empty 204, or `media`
    media: str = "application/json"
    errors: Mapping[int, Sequence[str]] = field(default_factory=dict)
    path_patterns: Mapping[str, str] = field(default_factory=dict)  # name -> regex of its values
    kept: Callable[[Parts, Call, int], object] | None = None  # None: made anew each time
    counted: bool = True  # of the requests that somebody may make in an hour


def json_error(error: ApiError, request_id: str) -> Response:
    """The one shape of every refusal."""
    problem = Problem(
        code=error.code,
        message=error.message,
        fields=[FieldProblem(**one) for one in error.fields] if error.fields else None,
        plan=error.plan,
    )
    answer = ErrorAnswer(error=problem, request_id=request_id)
    content = answer.model_dump(mode="json", exclude_none=True)
    return JSONResponse(content, error.status, dict(error.headers or {}))


async def read_body(request: Request, model: type[BaseModel]) -> BaseModel:
    """The JSON body. Raises ApiError 400, 413, 415 or 422."""
    require_json(request)
    read = bytearray()
    async for piece in read_pieces(request, BODY_BYTES_MAX):
        read += piece
    try:
        return model.model_validate_json(bytes(read))
    except ValidationError as invalid:
        if any(error["type"] == "json_invalid" for error in invalid.errors()):
            raise ApiError(400, "bad_json", "The body is not JSON.") from None
        raise invalid_fields(invalid) from None


def require_json(request: Request) -> None:
    """Raises ApiError 415 for a body that says it is something else."""
    content_type, _, parameters = request.headers.get("content-type", "").partition(";")
    if content_type.strip().lower() != "application/json" or "utf-16" in parameters.lower():
        raise ApiError(415, "unsupported_media_type", "The body must be application/json.")


async def read_pieces(
    request: Request, bytes_max: int, within_s: float | None = None
) -> AsyncIterator[bytes]:
    """The body, as it comes, `within_s` if it needs more time than others are given.

    Raises ApiError 400 if it breaks off, 413 or 415.
    """
    if within_s is not None and PATIENCE in request.scope.get("extensions", ()):
        request.scope["extensions"][PATIENCE](within_s)
    if request.headers.get("content-encoding"):
        raise ApiError(415, "unsupported_media_type", "The body must not be compressed.")
    count = 0
    try:
        async for chunk in request.stream():
            count += len(chunk)
            if count > bytes_max:
                raise ApiError(413, "too_large", f"The body is over {bytes_max} bytes.")
            yield chunk
    except ClientDisconnect:
        raise ApiError(400, "bad_json", "The body did not arrive whole.") from None


def read_query(request: Request, model: type[BaseModel]) -> BaseModel:
    """The query parameters. Raises ApiError 422; a parameter given twice is refused."""
    given = request.query_params.multi_items()
    if len({name for name, _ in given}) < len(given):
        raise ApiError(422, "invalid", "A parameter was given twice.")
    try:
        return model.model_validate(dict(given))
    except ValidationError as invalid:
        raise invalid_fields(invalid) from None


def invalid_fields(invalid: ValidationError) -> ApiError:
    """422 that names each field and what is wrong with it, and repeats no value."""
    fields = [
        {"field": ".".join(map(str, error["loc"])), "message": error["msg"]}
        for error in invalid.errors(include_url=False, include_input=False)
    ]
    return ApiError(422, "invalid", "Some fields are not as they should be.", fields)
