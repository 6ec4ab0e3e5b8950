"""Child processes, on real ones."""

import asyncio
import os
import signal
import sys
import textwrap
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from continuo.errors import InputError
from continuo.testing.processes import until
from continuo.workers.local import processes
from continuo.workers.local.processes import Child

Make = Callable[..., Child]

STEADY = "print('ready at http://here', flush=True); signal.pause()"


@pytest.fixture
async def make(tmp_path: Path) -> AsyncIterator[Make]:
    """Children that run a Python text; all are ended with the test."""
    made: list[Child] = []

    def child(text: str, ready: str | Callable[[], Awaitable[bool]] = "ready") -> Child:
        line = [sys.executable, "-c", f"import os, signal, sys\n{textwrap.dedent(text)}"]
        made.append(Child("baker", line, tmp_path / "logs" / f"{len(made)}.log", ready, os.environ))
        return made[-1]

    yield child
    for one in made:
        await one.stop()


async def test_a_child_is_ready_at_the_line_that_says_so_and_the_line_is_kept(make: Make) -> None:
    child = make(f"print('hello', flush=True); {STEADY}")
    await child.start()
    assert child.ready_line == "ready at http://here"


async def test_a_child_is_ready_when_it_can_do_what_it_is_asked_for(make: Make, tmp_path: Path) -> None:
    loaf = tmp_path / "loaf"

    async def baked() -> bool:
        return loaf.exists()

    await make(f"open({str(loaf)!r}, 'w'); signal.pause()", baked).start()
    assert loaf.exists()


async def test_a_child_gets_the_environment_it_was_given_and_nothing_on_its_input(make: Make) -> None:
    child = make(f"print(os.environ.get('FLOUR'), sys.stdin.read() == '', flush=True); {STEADY}")
    child.environment = {"FLOUR": "rye"}
    await child.start()
    assert child.log.read_text(encoding="utf-8").startswith("rye True\n")


async def test_a_child_that_ends_at_its_start_is_an_error_with_its_last_line(make: Make) -> None:
    child = make("print('heating'); sys.exit('error: no flour')")
    with pytest.raises(InputError, match=r"the baker ended at its start: no flour \(see .*0\.log\)"):
        await child.start()


async def test_a_child_that_never_gets_ready_is_an_error_that_names_its_log(make: Make) -> None:
    child = make("signal.pause()")
    child.patience = 0.2
    with pytest.raises(InputError, match=r"the baker is not ready after 0\.2 s; see .*0\.log"):
        await child.start()


async def test_a_child_may_end_in_its_own_way(make: Make) -> None:
    child = make(f"signal.signal(signal.SIGTERM, lambda *_: sys.exit('bye')); {STEADY}")
    await child.start()
    await child.stop()
    assert child.log.read_text(encoding="utf-8").endswith("bye\n")


async def test_a_child_deaf_to_sigterm_is_killed(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "GRACE", 0.2)
    child = make(f"signal.signal(signal.SIGTERM, signal.SIG_IGN); {STEADY}")
    await child.start()
    await child.stop()
    assert child.process is not None
    assert child.process.returncode == -signal.SIGKILL


async def test_to_stop_what_never_started_or_has_ended_does_nothing(make: Make) -> None:
    child = make(STEADY)
    await child.stop()
    await child.start()
    os.kill(child.pid, signal.SIGKILL)
    await child.ended()
    await child.stop()


async def test_a_child_started_again_adds_to_its_log_and_is_not_ready_for_what_it_said_before(
    make: Make, tmp_path: Path
) -> None:
    once = tmp_path / "once"
    child = make(f"""
        if os.path.exists({str(once)!r}): sys.exit('no second time')
        open({str(once)!r}, 'w')
        {STEADY}
    """)
    await child.start()
    await child.stop()
    with pytest.raises(InputError, match="no second time"):
        await child.start()
    assert child.log.read_text(encoding="utf-8") == "ready at http://here\nno second time\n"


async def test_a_start_that_is_cancelled_leaves_a_child_that_can_be_stopped(make: Make) -> None:
    child = make("print(os.getpid(), flush=True); signal.pause()")
    start = asyncio.create_task(child.start())
    await until(lambda: _said_something(child))
    start.cancel()
    await asyncio.wait([start])
    await child.stop()
    assert child.process is not None
    assert child.process.returncode == -signal.SIGTERM


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's death")
async def test_a_child_dies_with_a_parent_that_was_killed(make: Make, tmp_path: Path) -> None:
    heir = tmp_path / "heir.log"
    parent = make(f"""
        import asyncio
        from pathlib import Path
        from continuo.workers.local.processes import Child
        async def main():
            line = [sys.executable, '-c', "print('ready', flush=True); import signal; signal.pause()"]
            child = Child('heir', line, Path({str(heir)!r}), 'ready', os.environ)
            await child.start()
            print('ready', child.pid, flush=True)
            await asyncio.Event().wait()
        asyncio.run(main())
    """)
    await parent.start()
    os.kill(parent.pid, signal.SIGKILL)
    await until(lambda: _ended(int(parent.ready_line.split()[1])))


async def _said_something(child: Child) -> bool:
    return child.log.exists() and child.log.read_text(encoding="utf-8") != ""


async def _ended(pid: int) -> bool:
    return not _runs(pid)


def _runs(pid: int) -> bool:
    """Whether it is there, and more than a zombie that nobody waits for."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False
