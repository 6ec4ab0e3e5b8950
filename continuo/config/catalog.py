"""Providers, models, prices and services: lines of a `catalog.toml`, never code."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, Field, model_validator

from continuo.config.defaults import DEFAULTS
from continuo.config.kserve import Tensors
from continuo.config.mcp import McpServer, ServerName
from continuo.config.protocols import ProviderProtocol, check_protocol, protocol
from continuo.config.toml_file import checked, read_toml
from continuo.data import Data, Int, Number, Seconds
from continuo.errors import InputError, unknown
from continuo.messages import ModelRequest, Usage
from continuo.parameters import Demand, Hint, Parameter, Tuning
from continuo.parts import Input


class Endpoint(Data):
    """Where something is reached. The variable `base_url_env` names, where it is set, wins over `base_url`.

    `path` follows whichever of the two it is, so that one server can be several endpoints.
    """

    base_url: str | None = None
    path: str = Field(default="", pattern=r"^(/[^/]+)*$")
    base_url_env: str | None = None
    key_env: str | None = None

    def url(self, environ: Mapping[str, str]) -> str | None:
        base = environ.get(self.base_url_env or "") or self.base_url
        return base.rstrip("/") + self.path if base else None


class BreakerPolicy(Data):
    """When a provider is left alone: after so many `failures` in a row it is not called for `cool_down` seconds, then
    by one probe at a time, until so many `successes`.

    Time-outs, connection errors and a status from 500 count as failures, 429 only `on_rate_limit`.
    """

    failures: Int = Field(default=5, ge=1, le=1_000_000)
    cool_down: Seconds = 60.0
    successes: Int = Field(default=2, ge=1, le=1_000_000)
    on_rate_limit: bool = False


class Limits(Data):
    """What a provider, or a model, may be asked by all workers together; None is no limit.

    A minute and an hour are the last 60 and 3,600 seconds; tokens are input and output. From `throttle_at` (a share in
    0..1) of a rate on, the model's `cheaper` one answers, or the call waits its turn; `concurrency` is used up whole.
    """

    concurrency: Int | None = Field(default=None, ge=1, le=10**12)
    requests_per_minute: Int | None = Field(default=None, ge=1, le=10**12)
    requests_per_hour: Int | None = Field(default=None, ge=1, le=10**12)
    tokens_per_minute: Int | None = Field(default=None, ge=1, le=10**12)
    tokens_per_hour: Int | None = Field(default=None, ge=1, le=10**12)
    throttle_at: Number = Field(default=0.8, gt=0, le=1)


class Upstream(Endpoint):
    """What answers for models. `key_header` replaces the protocol's own way of sending the key (Azure's `api-key`).

    `region` is for people to read. `probe` marks a local server that counts as available only while it accepts
    connections, and says that it is ready where its protocol has a way to ask. `idempotent`: a request repeated with
    the same `Idempotency-Key` gets the first one's answer and is billed once; `false`: each is billed.
    """

    key_header: str | None = None
    headers: dict[str, str] = {}
    region: str | None = None
    probe: bool = False
    idempotent: bool = True
    breaker: BreakerPolicy = BreakerPolicy()
    limits: Limits = Limits()


class Provider(Upstream):
    """Who serves models, in the words of one `protocol`.

    `batch_price` is the share of a model's price that is paid where it is asked by a batch of the provider's own; None
    where those are not used.
    """

    protocol: Annotated[str, AfterValidator(check_protocol)]
    simulated: bool = False
    batch_price: Number | None = Field(default=None, ge=0, le=1)


class Price(Data):
    """USD per 1 M tokens, with the page it was read from and the day. `cached` None costs as much as `input`.

    `written` and `written_1h` are for tokens that a provider writes into its cache for 5 minutes and for an hour, where
    it counts these; None is what Anthropic publishes, 1.25 and 2 times `input`.
    `minute` is USD per minute of audio, for a model that is not paid by tokens.
    """

    input: Number = Field(ge=0, le=1e6)
    output: Number = Field(ge=0, le=1e6)
    cached: Number | None = Field(default=None, ge=0, le=1e6)
    written: Number | None = Field(default=None, ge=0, le=1e6)
    written_1h: Number | None = Field(default=None, ge=0, le=1e6)
    minute: Number = Field(default=0.0, ge=0, le=1e6)
    source: str
    date: date

    def cost(self, usage: Usage) -> float:
        """What `usage` costs in USD."""
        cached = self.input if self.cached is None else self.cached
        fresh = max(0, usage.input_tokens - usage.cached_tokens - usage.written_tokens)
        tokens = fresh * self.input + usage.cached_tokens * cached + usage.output_tokens * self.output
        tokens += (usage.written_tokens - usage.written_1h_tokens) * self.of_writing("5m")
        tokens += usage.written_1h_tokens * self.of_writing("1h")
        return tokens / 1e6 + usage.seconds / 60 * self.minute

    def of_writing(self, kept: Literal["5m", "1h"]) -> float:
        """USD per 1 M tokens that are written into a provider's cache, to be kept there so long."""
        if kept == "5m":
            return 1.25 * self.input if self.written is None else self.written
        return 2 * self.input if self.written_1h is None else self.written_1h


class Deployment(Upstream):
    """One of several places that serve a model. What it does not say is as its `provider` has it, by default the
    model's; of `base_url` and `base_url_env` it takes both over or none. Breaker and limits are its own in any case.

    It is known as `PROVIDER/ID` wherever a provider is named. `name` is what the model is called there and `price` what
    it costs there, by default as the model says. `weight` is its share beside the others'.
    """

    id: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")
    provider: str | None = None
    name: str | None = None
    weight: Number = Field(default=1.0, ge=0.001, le=1000)
    price: Price | None = None

    def at(self, provider: Provider) -> Provider:
        """The provider as this deployment has it."""
        said = {field: getattr(self, field) for field in self.model_fields_set & Upstream.model_fields.keys()}
        if said.keys() & {"base_url", "base_url_env"}:
            said = {"base_url": None, "base_url_env": None, **said}
        return provider.model_copy(update=said)


class MicroBatch(Data):
    """How an embedding model's small requests are sent as one: those that come to one worker within the `window`, in
    seconds, which the first one opens; at most so many `max_inputs` (texts) and `max_tokens` (estimated) together.

    A request that is as large by itself waits for no other.
    """

    window: Annotated[Seconds, Field(le=10)] = 0.005
    max_inputs: Int = Field(default=256, ge=2, le=1_000_000)
    max_tokens: Int = Field(default=50_000, ge=1, le=10**9)


Strategy = Literal["least_busy", "lowest_latency", "weight", "cost"]
"""How a call's deployment is chosen. What each worker has seen itself counts, not what others have."""

_EVERY = frozenset(get_args(Demand) + get_args(Tuning) + get_args(Hint))
_EMBEDDING: frozenset[Parameter] = frozenset({"embed", "dimensions", "tokens"})
_NO_WORDS: frozenset[Parameter] = frozenset({*_EMBEDDING, "segments"})
"""What every model refuses that answers in words of its own."""


class Model(Data):
    """A model as the catalog lists it: `name` is what the provider calls it, by default the id.

    From the day of `retires` (UTC) on its provider answers no more, and `replaced_by` does in its place; without a day
    that is so at once.
    `logprobs` says that the provider gives the probabilities of its tokens when asked; most reasoning models refuse.
    `cheaper` is the model that answers while a limit of this one, or of its provider, is used up. `local` makes every
    call of it a local one, see `Call`. `inputs` are the kinds of parts that it can be given.
    `refuses` are the parameters of a request that it answers with an error; `tool_choice` is one that demands a call.
    `transcribes` says that it takes one audio, by OpenAI's protocol for transcriptions, and answers what is said in it.
    `embeds` says that it answers with embeddings and not with words, and `micro_batch` that its requests share calls of
    the provider.
    `tensors` are what a model of the protocol `kserve` takes and gives.
    `deployments` are the places that serve it, where there are several; each call goes to one, chosen by `strategy`. A
    `sticky` model's conversations stay at one each, as far as it can be asked; by default those do that are long enough
    to be kept in a cache of prompts, where cached tokens are cheaper.
    `continues` says how it goes on with an answer that broke off: with *prefill* that is given as the last turn, the
    assistant's; with *instruction* a user's turn behind it asks to go on; None is not at all.
    """

    id: str
    provider: str
    name: str
    price: Price | None = None
    replaced_by: str | None = None
    retires: date | None = None
    logprobs: bool = False
    limits: Limits = Limits()
    cheaper: str | None = None
    local: bool = False
    inputs: tuple[Input, ...] = ("text",)
    refuses: tuple[Parameter, ...] = ()
    transcribes: bool = False
    embeds: bool = False
    micro_batch: MicroBatch | None = None
    tensors: Tensors | None = None
    deployments: tuple[Deployment, ...] = ()
    strategy: Strategy = "least_busy"
    sticky: bool | None = None

    @model_validator(mode="after")
    def _deployments_have_ids_of_their_own(self) -> "Model":
        ids = [deployment.id for deployment in self.deployments]
        if twice := next((id for at, id in enumerate(ids) if id in ids[:at]), None):
            raise ValueError(f"two deployments have the id {twice!r}; give each its own")
        return self

    @model_validator(mode="after")
    def _only_embeddings_are_batched(self) -> "Model":
        if self.micro_batch and not self.embeds:
            raise ValueError("micro_batch is for models that embed; take it out, or set `embeds = true`")
        return self

    @property
    def retired(self) -> bool:
        """Whether its day has come; one without a day has retired where something replaces it."""
        if self.retires is None:
            return self.replaced_by is not None
        return self.retires <= datetime.now(UTC).date()

    @property
    def deployed(self) -> "tuple[Model, ...]":
        """The model as each of its deployments serves it; itself where it has none."""
        return tuple(
            self.model_copy(
                update={
                    "provider": f"{one.provider or self.provider}/{one.id}",
                    "name": one.name or self.name,
                    "price": one.price or self.price,
                }
            )
            for one in self.deployments
        ) or (self,)

    continues: Literal["prefill", "instruction"] | None = None

    @model_validator(mode="before")
    @classmethod
    def _name_is_the_id(cls, value: object) -> object:
        return {"name": value.get("id"), **value} if isinstance(value, dict) else value


class Catalog(Data):
    """All that a `catalog.toml` lists. An alias names models in order of preference.

    Each deployment of a model is one of the `providers` too, by its name such as `openai/eu`.
    """

    providers: dict[str, Provider]
    models: dict[str, Model]
    aliases: dict[str, tuple[str, ...]] = {}
    services: dict[str, Endpoint] = {}
    mcp: dict[ServerName, McpServer] = {}

    @model_validator(mode="before")
    @classmethod
    def _ids_are_the_keys(cls, value: object) -> object:
        if isinstance(value, dict) and isinstance(value.get("models"), dict):
            lines = value["models"].items()
            return {
                **value,
                "models": {key: {"id": key, **line} if isinstance(line, dict) else line for key, line in lines},
            }
        return value

    @model_validator(mode="after")
    def _batches_are_known(self) -> "Catalog":
        for name, provider in self.providers.items():
            if provider.batch_price is not None and not protocol(provider.protocol).batched:
                what = f"provider {name!r} has a batch_price, and protocol {provider.protocol!r} no batches"
                raise ValueError(f"{what}; take it out")
        return self

    @model_validator(mode="after")
    def _names_are_known(self) -> "Catalog":
        for model in self.models.values():
            if model.provider not in self.providers:
                raise unknown(f"provider of model {model.id!r}:", model.provider, self.providers)
            if impossible := {*model.inputs} - self.protocol(model).carries:
                what = " or ".join(sorted(impossible))
                raise ValueError(
                    f"model {model.id!r}: its provider's protocol carries no {what}; take it from `inputs`"
                )
            if model.transcribes and (
                self.providers[model.provider].protocol != "openai" or {*model.inputs} != {"text", "audio"}
            ):
                raise ValueError(
                    f"model {model.id!r} transcribes; that needs a provider of protocol 'openai', and"
                    " `inputs` of text and audio"
                )
            tensors = self.providers[model.provider].protocol == "kserve"
            if tensors and model.tensors is None:
                what = 'tells no tensors; add `tensors = { input = "…", output = "…" }`, by their names at the server'
                raise ValueError(f"model {model.id!r} {what}")
            if model.tensors and not tensors:
                raise ValueError(f"model {model.id!r} has tensors; that needs a provider of protocol 'kserve'")
            if model.embeds and not self.protocol(model).embeds:
                what = "embeds, and its provider's protocol has no embeddings; take `embeds` from it"
                raise ValueError(f"model {model.id!r} {what}")
            for what, other in (("replacement", model.replaced_by), ("cheaper one", model.cheaper)):
                if other and other not in self.models:
                    raise unknown(f"{what} of model {model.id!r}:", other, self.models)
            self._add_deployments(model)
        for model in self.models.values():
            if self._last(model.id).replaced_by:
                raise ValueError(f"model {model.id!r} is replaced by itself in the end; name one that still answers")
        for alias, names in self.aliases.items():
            for name in names:
                if name not in self.models:
                    raise unknown(f"model in alias {alias!r}:", name, self.models)
        return self

    def resolve(self, name: str, unavailable: Callable[[Provider], str | None]) -> Model:
        """The model that answers for `name`: a model's own id, or an alias's first that is available.

        `unavailable` gives the reason why a provider cannot be used here, or None. A retired model is
        followed to its replacement. Raises `InputError` when nothing can answer.
        """
        if name not in self.models and name not in self.aliases:
            raise unknown("model", name, {*self.models, *self.aliases})
        reasons = []
        for candidate in self.aliases.get(name, (name,)):
            model = self.current(candidate)
            missing = []
            for deployed in model.deployed:
                if (reason := unavailable(self.providers[deployed.provider])) is None:
                    return model
                missing.append(reason)
            reasons.append(f"{model.id}: {' or '.join(dict.fromkeys(missing))}")
        raise InputError(f"model {name!r} cannot be used here; {'; '.join(reasons)}")

    def protocol(self, model: Model) -> ProviderProtocol:
        """The protocol that the model's provider speaks."""
        return protocol(self.providers[model.provider].protocol).of(model)

    def refused_by(self, model: Model) -> frozenset[Parameter]:
        """The parameters that cannot be sent to the model: it refuses them, or its protocol has none of the kind."""
        lacks = self.protocol(model).lacks
        if model.transcribes:
            return _EVERY - {"temperature", "segments"} | {*model.refuses}
        if model.embeds:
            return _EVERY - _EMBEDDING - {"user"} | (lacks or frozenset()) & _EMBEDDING | {*model.refuses}
        if lacks is None:
            return _NO_WORDS
        return lacks | {*model.refuses} | _NO_WORDS | (set() if model.logprobs else {"logprobs"})

    def takes(self, model: Model, request: ModelRequest) -> bool:
        """Whether the model, in place of another, can be given the request's parts and do what it demands. None that
        embeds can: the vectors of two models cannot be compared."""
        fits = request.inputs <= {*model.inputs} and not request.demands & self.refused_by(model)
        return fits and not model.embeds

    def _add_deployments(self, model: Model) -> None:
        """Make each of its deployments a provider. Raises `ValueError` for one that cannot be."""
        for deployment, deployed in zip(model.deployments, model.deployed, strict=False):
            which, name = f"deployment {deployment.id!r} of model {model.id!r}", deployed.provider
            of = deployment.provider or model.provider
            if of not in self.providers:
                raise unknown(f"provider of {which}:", of, self.providers)
            provider = deployment.at(self.providers[of])
            if provider.protocol != (protocol := self.providers[model.provider].protocol):
                what = f"is asked by the protocol {provider.protocol!r}, and its model by {protocol!r}"
                raise ValueError(f"{which} {what}; name a provider of the same, or make it a model of its own")
            if not (provider.base_url or provider.base_url_env):
                raise ValueError(f"{which} has no address; give it a base_url, or a base_url_env")
            if self.providers.get(name, provider) != provider:
                raise ValueError(f"{which} is called {name!r}, as another one is; give it another id")
            # What was read, and every one who looks a provider up, knows them from here on.
            self.providers[name] = provider

    def current(self, id: str) -> Model:
        """The model that answers for the model `id` today."""
        model = self.models[id]
        while model.retired and model.replaced_by:
            model = self.models[model.replaced_by]
        return model

    def _last(self, id: str) -> Model:
        """The model that stands for `id` in the end; in a circle any that has a replacement."""
        seen = {id}
        while (replacement := self.models[id].replaced_by) and replacement not in seen:
            id = replacement
            seen.add(id)
        return self.models[id]


SHIPPED = DEFAULTS / "catalog.toml"


def load_catalog(path: Path) -> Catalog:
    """Read a catalog file, laid over the shipped one. Raises `InputError` naming the file and the field.

    It says only what differs: entries of its own, and of a shipped entry those fields that replace the shipped ones.
    """
    own = read_toml(path, "catalog")
    return checked(Catalog, own if path == SHIPPED else _laid_over(read_toml(SHIPPED, "catalog"), own, 2), path)


def _laid_over(shipped: Mapping[str, Any], own: Mapping[str, Any], levels: int) -> dict[str, Any]:
    """`own` over `shipped`; so many levels of tables are laid over each other, those below are replaced."""
    laid = dict(shipped)
    for key, value in own.items():
        both = isinstance(value, dict) and isinstance(laid.get(key), dict)
        laid[key] = _laid_over(laid[key], value, levels - 1) if both and levels else value
    return laid
