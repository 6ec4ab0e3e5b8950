"""Any tree of patterns that the specs accept, for property tests."""

from collections.abc import Sequence

from hypothesis import strategies as st

from continuo.patterns import (
    Agent,
    AgentTool,
    Auto,
    Cached,
    Call,
    Cascade,
    Compress,
    Deadline,
    Ensemble,
    Fallback,
    FanOut,
    Guard,
    Orchestrate,
    Pipeline,
    PipelineStep,
    Retry,
    Review,
    Route,
    Saga,
    SagaStep,
    Split,
    Step,
    Template,
    Variant,
)
from continuo.patterns.choices import (
    Average,
    Collect,
    Combine,
    Complexity,
    Concatenate,
    Intent,
    Keywords,
    Learned,
    Length,
    Majority,
    Merge,
    Meta,
    Preference,
    UnanimousOrWeighted,
    WeightedVote,
)

Steps = st.SearchStrategy[Step]
QUICK = Retry(attempts=2, initial=0.01)


def trees(models: Sequence[str], *, depth: int, sagas: bool = True, local: bool = False) -> Steps:
    """Steps of at most `depth` levels whose calls ask `models`, half of them as local activities where that may be."""
    here = st.sampled_from((False, local))
    calls = st.tuples(st.sampled_from(models), here).map(
        lambda drawn: Call(model=drawn[0], retry=QUICK, local=drawn[1])
    )
    found: Steps = calls | st.builds(Template, text=st.text("abc ,.", min_size=1, max_size=20))
    for _ in range(depth - 1):
        found |= _composed(found, models, sagas=sagas)
    return found


def _composed(inner: Steps, models: Sequence[str], *, sagas: bool) -> Steps:
    several = st.lists(inner, min_size=2, max_size=3).map(tuple)
    branches = several.map(lambda steps: {f"branch {number}": step for number, step in enumerate(steps)})
    inline = st.booleans()
    kinds: list[Steps] = [
        st.builds(Fallback, steps=several),
        st.builds(Cascade, steps=several, thresholds=st.sampled_from([(0.85, 0.8), (0.5,), (1.0,)])),
        _routes(inner),
        several.map(lambda steps: Pipeline(steps=_named(steps))),
        st.builds(
            FanOut,
            branches=branches,
            merge=st.sampled_from([Collect(), Concatenate()]) | st.builds(Merge, step=inner),
            min_successes=st.none() | st.just(1),
            branch_timeout=st.none() | st.just(600.0),
            inline=inline,
        ),
        st.builds(Ensemble, members=several, combine=_combined(inner), otherwise=st.none() | inner, inline=inline),
        st.builds(lambda step, ttl: Cached(step, ttl=ttl), inner, st.sampled_from([60.0, 3600.0])),
        st.builds(lambda step, last: Deadline(step, limit=600, otherwise=last), inner, st.none() | inner),
        st.builds(
            lambda step, retries, last: Guard(
                step,
                checks={"blocked": ["b"], "links": []},
                retries=retries,
                on_failure="otherwise" if last else "redact",
                otherwise=last,
            ),
            inner,
            st.sampled_from([0, 1]),
            st.none() | inner,
        ),
        st.builds(
            lambda step, model: Compress(step, tokens=100, summary=model and Call(model=model, retry=QUICK)),
            inner,
            st.none() | st.sampled_from(models),
        ),
        # Nobody decides there: it is answered otherwise, or fails.
        st.builds(Review, due=st.just(0.05), step=st.none() | inner, otherwise=st.none() | inner),
        st.builds(
            Orchestrate,
            planner=st.none() | inner,
            executors=several,
            validator=st.none() | inner,
            merge=st.sampled_from([Collect(), Concatenate()]) | st.builds(Merge, step=inner),
            max_subtasks=st.just(2),
        ),
        st.builds(
            lambda tool, model: Agent(model=Call(model=model, retry=QUICK), tools={"tool": AgentTool(step=tool)}),
            inner,
            st.sampled_from(models),
        ),
        st.builds(
            lambda wish, by: Auto(wish=wish, by=by and Call(model=by, retry=QUICK), models=tuple(models)),
            st.sampled_from(["Answer", "Answer reliably", "Accurate answers to the same questions"]),
            st.none() | st.sampled_from(models),
        ),
        st.builds(
            Split,
            variants=several.map(lambda steps: {f"variant {n}": Variant(step=step) for n, step in enumerate(steps)}),
        ),
    ]
    if sagas:
        # A name is any text that can stand in a path.
        names = st.text("abc-_ ", min_size=1, max_size=8)
        step = st.builds(SagaStep, name=names, do=inner, undo=st.none() | inner)
        unique = st.lists(step, min_size=1, max_size=2, unique_by=lambda one: one.name)
        kinds.append(st.builds(Saga, steps=unique.map(tuple)))
    return st.one_of(kinds)


def _routes(inner: Steps) -> Steps:
    def by(classifier: Complexity | Length | Preference | Learned, labels: tuple[str, ...]) -> Steps:
        return st.fixed_dictionaries(dict.fromkeys(labels, inner)).map(
            lambda found: Route(by=classifier, branches=found)
        )

    two = st.fixed_dictionaries({"order": inner, "other": inner})
    keywords = Keywords(labels={"order": ("order", "parcel")})
    return st.one_of(
        by(Complexity(), ("low", "medium", "high")),
        by(Length(), ("local", "mini", "premium")),
        by(Preference(), ("cost", "speed", "quality")),
        by(Learned(weights={"small": {"one": 0.5}, "large": {"words": 0.1}}), ("small", "large")),
        two.map(lambda found: Route(by=keywords, branches=found, default="other")),
        st.builds(lambda step, found: Route(by=Intent(step=step), branches=found, default="other"), inner, two),
    )


def _combined(inner: Steps) -> st.SearchStrategy[Combine]:
    fixed: list[Combine] = [UnanimousOrWeighted(), Majority(), Majority(quorum=2), WeightedVote(), Average()]
    return st.sampled_from(fixed) | st.builds(Meta, step=inner)


def _named(steps: tuple[Step, ...]) -> tuple[PipelineStep, ...]:
    return tuple(
        PipelineStep(name=f"step {number}", step=step, prompt="Of {input}: {previous}" if number else None)
        for number, step in enumerate(steps)
    )
