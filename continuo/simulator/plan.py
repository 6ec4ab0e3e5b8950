"""What a simulated model answers where JSON is wanted: a plan where that is a plan, else any document that fits."""

from typing import Any

from continuo.simulator.example import example


def fitting(schema: dict[str, Any]) -> Any:
    """An example of the schema. Of `subtasks` two for each task, the second of which depends on the first: an example
    that knows of no meaning would depend on itself."""
    try:
        subtask = schema["properties"]["subtasks"]["items"]["properties"]
        tasks = int(subtask["task"].get("maximum", 1))
    except (KeyError, TypeError):
        return example(schema)
    return {
        "subtasks": [
            {
                "id": f"simulated {number}{part}",
                "instruction": f"[simulated] {what} of task {number}",
                "depends_on": [f"simulated {number}a"] if part == "b" else [],
                "task": number,
            }
            for number in range(1, tasks + 1)
            for part, what in (("a", "the first half"), ("b", "the second half"))
        ]
    }
