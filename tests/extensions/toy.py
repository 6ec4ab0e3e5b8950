"""A distribution that adds a pattern, a provider and a store: a package laid out as ours, and one entry point."""

from pathlib import Path

FILES = {
    "toy-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: toy\nVersion: 1.0\n",
    "toy-1.0.dist-info/entry_points.txt": "[continuo]\ntoy = toy\n",
    "toy/__init__.py": "import continuo.patterns\n",
    "toy/patterns/__init__.py": "",
    "toy/patterns/checked.py": '''
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Literal

from continuo.patterns import Call, Spec
from continuo.patterns.base import ModelName

if TYPE_CHECKING:
    from continuo.patterns import Step


class Checked(Spec):
    """Ask `step`, and let the model `checker` say what it thinks of the answer."""

    kind: Literal["checked"] = "checked"
    step: "Step"
    checker: ModelName

    def nested(self) -> "Mapping[str, Step]":
        return {"answer": self.step, "check": Call(model=self.checker)}

    def answering(self) -> Iterable[str]:
        return ("answer",)

    def given(self) -> "Iterable[Step]":
        return (self.step,)

    def about(self, price: Callable[[str], str]) -> list[str]:
        return [f"checked by {self.checker}"]
''',
    "toy/workflows/__init__.py": "",
    "toy/workflows/checked.py": """
from temporalio import workflow

from continuo.jobs import Job, Outcome
from continuo.workflows.base import PatternWorkflow
from continuo.workflows.step import run_inline, run_step
from toy.patterns.checked import Checked


@run_inline.register
async def checked(step: Checked, job: Job) -> Outcome:
    nested = step.nested()
    answer = await run_step(nested["answer"], job, "answer")
    check = await run_step(nested["check"], job.asking(answer.text), "check")
    return answer.model_copy(update={"reasons": (f"check: {check.text}",)})


@workflow.defn(name="Checked")
class CheckedWorkflow(PatternWorkflow):
    @workflow.run
    async def run(self, job: Job) -> Outcome:
        return await self.answer(job)
""",
    "toy/providers/__init__.py": "",
    "toy/providers/parrot.py": """
from continuo.messages import Message, ModelResponse, Usage
from continuo.parts import Reasoning, Text
from continuo.providers.embeddings import embedding
from continuo.providers.protocol import WireProtocol, WireRequest


class Embeddings:
    def encode(self, base_url, model, request):
        return WireRequest(f"{base_url}/embed", {"text": request.prompt})

    def decode(self, body):
        return embedding([body["vector"]], None)


class Parrot(WireProtocol):
    lacks = frozenset({"seed"})
    embeddings = Embeddings()

    def key_headers(self, key):
        return {"X-Parrot": key}

    def encode(self, base_url, model, request, *, stream, media):
        return WireRequest(f"{base_url}/say", {"model": model, "text": request.prompt})

    def decode(self, body):
        thought = Reasoning(protocol="parrot", text="Hm.", signature="s")
        message = Message(role="assistant", content=(thought, Text(text=body["said"])))
        return ModelResponse(message=message, finish_reason="stop", usage=Usage(input_tokens=2, output_tokens=3))

    def stream_decoder(self):
        raise NotImplementedError
""",
    "toy/stores/__init__.py": "",
    "toy/stores/single/__init__.py": """
from pathlib import Path

from continuo.stores.backend import Backend
from continuo.stores.migrations import PARTS


class SingleFile(Backend):
    schemes = frozenset({"single"})

    def database(self, url, part):
        from continuo.stores.sqlite.database import Sqlite

        return Sqlite(Path(url.partition(":")[2]), [script for scripts in PARTS.values() for script in scripts])
""",
}

CATALOG = """
[providers.parrot]
protocol = "parrot"
base_url = "{url}"
simulated = true

[models.polly]
provider = "parrot"
price = {{ input = 1.0, output = 1.0, source = "simulated", date = 2026-11-21 }}

[aliases]
checkers = ["polly"]
"""

PATTERN = """\
description: An answer, checked.
pattern:
  kind: fallback
  steps:
    - kind: checked
      isolate: true
      checker: checkers
      step: {kind: call, model: sim-mid}
"""


def written(folder: Path) -> None:
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.lstrip("\n"), encoding="utf-8")
