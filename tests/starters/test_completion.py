"""What a shell offers after TAB, asked of a real one."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from continuo.starters.app import app

ASK = """
source "$1"
for line in "ru" "run sup" "costs --against prem"; do
  COMP_WORDS=(continuo $line) COMP_CWORD=$(wc -w <<< "$line") COMPREPLY=()
  _continuo continuo "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
  echo "${COMPREPLY[*]}"
done
"""


@pytest.mark.usefixtures("environ")
async def test_bash_completes_commands_and_the_names_that_files_hold(tmp_path: Path) -> None:
    (tmp_path / "sup.yaml").write_text("", encoding="utf-8")
    script = app.install_completion(shell="bash", output=tmp_path / "completion", add_to_startup=False)
    process = await asyncio.create_subprocess_exec(
        *("bash", "-c", ASK, "bash", str(script)),
        cwd=tmp_path,
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await asyncio.wait_for(process.communicate(), 120)
    assert out.decode().splitlines() == ["run runs rules", "support sup.yaml", "premium"]


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_are_given_the_commands_and_ask_for_the_names(shell: str) -> None:
    script = app.generate_completion(shell=shell)  # type: ignore[arg-type]
    assert all(word in script for word in ("dead-letters", "--against", "__complete"))
