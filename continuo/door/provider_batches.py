"""Which batches may go into those of a provider."""

from continuo.authoring.library import Library
from continuo.door.rules import answer_of
from continuo.errors import InputError
from continuo.jobs import Job
from continuo.operations.batches import Terms
from continuo.patterns import Call


def check_at_provider(library: Library, terms: Terms) -> None:
    """Raise `InputError` where the items are not calls of one model whose provider has batches."""
    if terms.off_peak is not None:
        raise InputError("off_peak: a provider does its batches when it likes; leave it out")
    step, pattern = terms.step, terms.context.pattern
    if not isinstance(step, Call):
        what = f"pattern {pattern!r} is a {step.kind}, and a provider's batch asks one model"
        raise InputError(f"{what}; name one as model:ID, or leave the provider's batches out")
    model = library.catalog.models[step.model]
    whose = f"model {model.id!r}"
    if model.deployments:
        raise InputError(f"{whose} has several deployments, and a batch is sent to one provider; name another model")
    if model.transcribes:
        raise InputError(f"{whose} transcribes, and no provider has batches of that; leave the provider's batches out")
    provider = library.catalog.providers[model.provider]
    if provider.batch_price is None:
        what = f"the provider {model.provider!r} of {whose} has no batches as far as the catalog says"
        raise InputError(f"{what}; give it a batch_price there, or leave the provider's batches out")
    if model.embeds and not library.catalog.protocol(model).embeds_batched:
        what = f"{whose} embeds, and its provider's protocol {provider.protocol!r} has no batches of embeddings"
        raise InputError(f"{what}; name another model, or leave the provider's batches out")
    if terms.budget_usd is not None and model.price is None:
        raise InputError(f"{whose} has no price, which a budget needs; give it one in the catalog")


def check_item(job: Job, terms: Terms) -> None:
    """Raise `InputError` for an item that goes into a provider's batch and is another step than that is for."""
    if terms.at_provider is not None and job.step != terms.step and answer_of(job) is None:
        what = "give all items the same model, and no canary in their instructions"
        raise InputError(f"a provider's batch asks one model, unchecked; {what}")
