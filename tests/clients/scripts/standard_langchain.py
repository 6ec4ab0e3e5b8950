"""LangChain's own standard tests of chat models: what each of them comes to.

A simulated model is not clever enough for all of them, so some fail at the provider as well.
"""

import os
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest
from langchain_anthropic import ChatAnthropic
from langchain_openai import ChatOpenAI
from langchain_tests.integration_tests import ChatModelIntegrationTests
from seen import KEY, URL, tell

OPENAI = {"model": "openai-magic", "base_url": f"{URL}/v1", "api_key": KEY, "max_retries": 0, "stream_usage": True}
ANTHROPIC = {"model": "anthropic-magic", "base_url": URL, "api_key": KEY, "max_retries": 0, "max_tokens": 1000}


class TestChat(ChatModelIntegrationTests):
    chat_model_class = ChatOpenAI
    chat_model_params = OPENAI


class TestMessages(ChatModelIntegrationTests):
    chat_model_class = ChatAnthropic
    chat_model_params = ANTHROPIC


class Outcomes:
    def __init__(self) -> None:
        self.seen: dict[str, dict[str, Any]] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" or report.skipped:
            _, suite, test = report.nodeid.split("::")
            self.seen.setdefault(suite.removeprefix("Test").lower(), {})[test] = report.outcome


if __name__ == "__main__":
    outcomes = Outcomes()
    session = [f"asyncio_default_{what}_loop_scope=session" for what in ("fixture", "test")]
    options = [part for option in ("asyncio_mode=auto", *session) for part in ("-o", option)]
    with redirect_stdout(sys.stderr):
        # With nothing of the folder that it lies in.
        alone = ["-c", os.devnull, "--rootdir", str(Path(__file__).parent), "--noconftest", "-p", "no:cacheprovider"]
        pytest.main([__file__, *alone, "--tb=line", *options], plugins=[outcomes])
    tell(**outcomes.seen)
