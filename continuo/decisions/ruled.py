"""What rules alone decide and how it is told: by a workflow, or by the door before there is one."""

from continuo.jobs import Job, Outcome
from continuo.patterns import Route, Template


def said(step: Template) -> Outcome:
    """The answer of a template."""
    if step.ruled:
        return Outcome(text=step.text, served_by="rule", cost_usd=0.0)
    return Outcome(text=step.text, served_by="template", fallback=True)


def by_rule(name: str) -> str:
    """The name of the checkpoint at which a rule had decided on the request."""
    return f"rule: {name}"


def hit(job: Job) -> str:
    """The name of the checkpoint at which the cache had the answer."""
    return f"{job.path or 'cache'}: hit"


def picked(step: Route, job: Job, label: str | None) -> str:
    """The name of the checkpoint at which a classifier gave this label, None where it found none."""
    return f"{job.path or 'route'}: {step.by.kind} {label or 'found no label'}, branch {step.branch(label)}"
