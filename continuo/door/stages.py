"""What a request passes before it is a run."""

import json
from collections.abc import Callable

from continuo.authoring.files import is_file
from continuo.authoring.functions import check_functions, with_schemas
from continuo.authoring.guards import check_guards
from continuo.authoring.inputs import check_embedding, check_media, check_parameters
from continuo.authoring.library import Library
from continuo.authoring.notified import check_notified
from continuo.authoring.prepare import check_data, check_services, check_size, check_text
from continuo.authoring.schemas import check_schemas
from continuo.authoring.tools import check_tools
from continuo.decided import noted
from continuo.door.attacks import attacks
from continuo.door.canary import with_canary
from continuo.door.private import Withholding
from continuo.door.request import Request
from continuo.door.rules import answer_of, by_rule, ruled
from continuo.errors import InputError
from continuo.jobs import WANTED, Context, Job
from continuo.messages import Message, ModelRequest, content_of
from continuo.parts import Text
from continuo.patterns import Agent, Http, Step
from continuo.patterns.walk import given


def accepted(library: Library, request: Request, context: Context) -> Job:
    """The job that does what is asked, or what a rule wants in its place. Raises `InputError` for whatever cannot run
    here, and for what a rule refuses. It blocks, see `Library`."""
    prompt = request.prompt
    if prompt is None:
        prompt = "" if request.data is None else json.dumps(request.data, ensure_ascii=False)
    content = content_of([*request.media, Text(text=prompt)])
    messages = request.messages or (Message(role="user", content=content),)
    job = Job(
        step=library.step(request.pattern),
        context=context.model_copy(update={"pattern": request.pattern_name}),
        request=ModelRequest(messages=messages, system=request.system, **dict(request.parameters)),
        data=request.data or {},
        stream=WANTED if request.stream else None,
    )
    if context.conversation is not None and request.id is not None:
        raise InputError("there is an id and a conversation; leave one out: a conversation is gone on with, an id not")
    return _passed(library, ruled(library, job), request.pattern)


def again(library: Library, job: Job, name: str | None = None) -> Job:
    """A job that has run before, after all that a request passes now; for the named pattern `name`, if an operator
    chose that, over which no rule's counts. Raises `InputError`; blocks, see `Library`."""
    job = job.model_copy(update={"step": library.step(job.step)}) if name is None else _renamed(library, job, name)
    job, private = Withholding(library).again(job)
    decided = [private.decision, attacks(private.policy, job.request.messages, job.data)]
    job = _passed(library, ruled(library, job.model_copy(update={"rule": None}), chosen=name is not None), job.step)
    return job.model_copy(update={"decisions": noted(*decided, by_rule(job))})


def afresh(library: Library, job: Job, name: str) -> Job:
    """The same after all that a request passes now: an earlier time's rules do not count. Raises `InputError`."""
    return _passed(library, ruled(library, _renamed(library, job, name)), name)


def _renamed(library: Library, job: Job, name: str) -> Job:
    if is_file(name):
        raise InputError(f"pattern {name!r} is a file; name a pattern of {library.settings.patterns}")
    context = job.context.model_copy(update={"pattern": name})
    return job.model_copy(update={"step": library.step(name), "context": context, "rule": None})


def _passed(library: Library, job: Job, pattern: str | Step) -> Job:
    with library.located(pattern):
        # No model gets to see what a rule has answered.
        for stage in STAGES if answer_of(job) is None else (_fits,):
            job = stage(library, job)
    return job


def _has_input(library: Library, job: Job) -> Job:
    if not job.data and any(isinstance(spec, Http) and written is None for spec, written in given(job.step)):
        name = job.context.pattern
        raise InputError(f"pattern {name!r} acts on data; give it, as in: continuo run {name} --data FILE")
    if job.request.prompt.strip() or not job.request.media:
        check_text("the prompt", job.request.prompt)
    check_data(job.data)
    return job


def _converses(library: Library, job: Job) -> Job:
    if job.context.conversation is not None and not isinstance(job.step, Agent):
        raise InputError(f"pattern {job.context.pattern!r} is no agent, and has no conversation; leave that out")
    if job.request.tools and isinstance(job.step, Agent):
        raise InputError(f"pattern {job.context.pattern!r} is an agent, which has tools of its own; leave tools out")
    return job


def _reaches_services(library: Library, job: Job) -> Job:
    check_services(job.step, library.catalog, library.environ, job.data)
    check_tools(job.step, library.catalog, library.environ, job.data)
    return job


def _calls_functions(library: Library, job: Job) -> Job:
    step = with_schemas(job.step, library.functions)
    check_functions(step, library.functions, job.data)
    check_schemas(step)
    check_guards(step, library.guardrails.of(job.context.tenant, job.context.pattern, job.context.key_id))
    return job.model_copy(update={"step": step})


def _reads_media(library: Library, job: Job) -> Job:
    check_media(job.step, job.request, library.catalog)
    return job


def _embeds_or_speaks(library: Library, job: Job) -> Job:
    check_embedding(job.step, job.request, library.catalog)
    return job


def _takes_parameters(library: Library, job: Job) -> Job:
    check_parameters(job.step, job.request, library.catalog)
    return job


def _tells_reviewers(library: Library, job: Job) -> Job:
    check_notified(job.step, private=library.settings.webhook_private)
    return job


def _fits(library: Library, job: Job) -> Job:
    check_size(job)
    return job


Stage = Callable[[Library, Job], Job]
"""Gives the job, perhaps changed, or raises `InputError`."""

STAGES: tuple[Stage, ...] = (
    _converses, _reaches_services, _has_input, _calls_functions, _reads_media, _embeds_or_speaks, _takes_parameters,
    _tells_reviewers, with_canary, _fits,
)  # fmt: skip
"""What every job passes, in this order. There is no other way to a run, so this is no argument of anything."""
