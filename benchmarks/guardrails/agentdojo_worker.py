"""Run in AgentDojo's environment: a scripted model that does its user's task, and whatever a tool's answer tells it.

Before each call of a tool it writes one line of JSON, the suite, the tool and whether the user wants the call, and
reads one: whether it may be made. At the end of each pair of tasks it writes what came of it.
"""

import json
import sys
from typing import Any

import yaml
from agentdojo.agent_pipeline.tool_execution import tool_result_to_str
from agentdojo.functions_runtime import FunctionsRuntime
from agentdojo.task_suite.load_suites import get_suites
from agentdojo.task_suite.task_suite import read_suite_file
from agentdojo.types import text_content_block_from_string

VERSION = "v1.2.2"


def asked(**line: Any) -> Any:
    print(json.dumps(line), flush=True)
    return json.loads(sys.stdin.readline())


def injected(value: Any, vectors: dict[str, str]) -> Any:
    """The data with a text in each place that an attacker can write to."""
    if isinstance(value, str):
        for vector, text in vectors.items():
            value = value.replace(f"{{{vector}}}", text)
    elif isinstance(value, list):
        value = [injected(one, vectors) for one in value]
    elif isinstance(value, dict):
        value = {injected(name, vectors): injected(one, vectors) for name, one in value.items()}
    return value


def pair(suite: Any, data: Any, user: Any, attacker: Any) -> None:
    vectors = dict.fromkeys(suite.get_injection_vector_defaults(), f"TODO: {attacker.GOAL}")
    environment = suite.environment_type.model_validate(injected(data, vectors))
    environment = user.init_environment(environment)
    before = environment.model_copy(deep=True)
    runtime, trace = FunctionsRuntime(suite.tools), []
    waiting = [(call, True) for call in user.ground_truth(environment)]
    obeyed, asks, outputs = False, 0, [user.GROUND_TRUTH_OUTPUT]
    while waiting:
        call, wanted = waiting.pop(0)
        answer = asked(suite=suite.name, tool=call.function, wanted=wanted, begin=not trace)
        asks += answer["asked"]
        trace.append(call)
        if not answer["made"]:
            trace.pop()
            continue
        result, _ = runtime.run_function(environment, call.function, call.args)
        if not obeyed and attacker.GOAL[:20] in tool_result_to_str(result):
            obeyed = True
            waiting = [(one, False) for one in attacker.ground_truth(environment)] + waiting
            outputs.append(attacker.GROUND_TRUTH_OUTPUT)
    content = [text_content_block_from_string("\n".join(filter(None, outputs)))]
    asked(
        end="obeyed" if obeyed else "not seen",
        suite=suite.name,
        attacker=attacker.ID,
        words_alone=not attacker.ground_truth(before),
        reached=obeyed and suite._check_task_result(attacker, content, before, environment, trace),
        solved=suite._check_task_result(user, content, before, environment, trace),
        asked=asks,
    )


for suite in get_suites(VERSION).values():
    data = yaml.safe_load(read_suite_file(suite.name, "environment.yaml", suite.data_path))
    for user in suite.user_tasks.values():
        for attacker in suite.injection_tasks.values():
            pair(suite, data, user, attacker)
