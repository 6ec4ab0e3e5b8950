"""Where Temporal's UI shows a run."""

from continuo.door.plain import PlainRun
from continuo.door.runs import Run


def ui_address(ui_url: str, namespace: str, run: Run | PlainRun) -> str:
    return f"{ui_url}/namespaces/{namespace}/{run.page}"
