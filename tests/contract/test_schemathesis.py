"""The running server keeps to its own OpenAPI document, whatever it is sent."""

import asyncio
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.conftest import MakeServer
from tests.processes import REPOSITORY, ServerProcess
from tests.valkey import Valkey

# More of them by SCHEMATHESIS_EXAMPLES=100.
EXAMPLES = os.environ.get("SCHEMATHESIS_EXAMPLES", "2")
PHASES = "examples,coverage,fuzzing,stateful"
DRAWN = "fuzzing,stateful"  # what `coverage` sends is the same each time, and costs the most
WITHIN_S = 900
BUDGETS = {
    "LOGINS_PER_HOUR": "1000000",
    "REGISTRATIONS_PER_HOUR": "1000000",
    "MAILS_PER_HOUR": "1000000",
    "IMPORTS_PER_HOUR": "1000000",
    "REQUESTS_FREE_PER_HOUR": "1000000",
    "REQUESTS_ADDRESS_PER_HOUR": "1000000",
}


async def findings(server: ServerProcess, folder: Path, phases: str) -> tuple[int, str]:
    """The exit code of Schemathesis with all checks on, and what it says."""
    command = Path(sys.executable).parent / "schemathesis"
    process = await asyncio.create_subprocess_exec(
        *(str(command), "--config-file", str(Path(__file__).parent / "schemathesis.toml")),
        *("run", f"{server.http_url}/openapi.json", "--checks", "all", "--no-color"),
        *("--max-examples", EXAMPLES, "--seed", "1", "--continue-on-failure"),
        *("--generation-database", "none", "--phases", phases),
        cwd=folder,
        env={
            **os.environ,
            "API_URL": server.http_url,
            "SCHEMATHESIS_HOOKS": "tests.contract.hooks",
            "PYTHONPATH": str(REPOSITORY),
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(WITHIN_S):
        output, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, output.decode(errors="replace")


async def check(server: ServerProcess, folder: Path, phases: str) -> None:
    await server.start()
    code, said = await findings(server, folder, phases)
    assert code == 0, said
    assert "Tested: 0" not in said, said
    assert "Traceback" not in server.log()


async def test_nothing_is_found_on_sqlite(
    make_server: MakeServer, sqlite_url: str, tmp_path: Path
) -> None:
    environment: Mapping[str, str] = {"ENVIRONMENT": "test", "RATE_LIMIT_ENABLED": "false"}
    await check(make_server(sqlite_url, environment=environment), tmp_path, PHASES)


async def test_nothing_is_found_on_postgresql_and_redis(
    make_server: MakeServer, postgresql_url: str, valkey: Valkey, tmp_path: Path
) -> None:
    environment = {"ENVIRONMENT": "test", "REDIS_URL": valkey.url, **BUDGETS}
    await check(make_server(postgresql_url, environment=environment), tmp_path, DRAWN)
