"""What becomes of personal data, secrets and attacks in what is asked: `guardrails.toml`."""

import re
from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, Field, model_validator

from continuo.config.toml_file import checked, read_toml
from continuo.data import Data
from continuo.jobs import TenantName
from continuo.patterns.guard import BY_MODEL
from continuo.regex import compiled

Action = Literal["off", "flag", "redact", "reject"]
"""What becomes of a finding: nothing, a note of it in the audit, a placeholder in its place, or an error for the whole
request."""

Kind = Literal[
    "EMAIL", "PHONE", "CARD", "IBAN", "NATIONAL_ID", "IP", "MAC", "URL_CREDENTIALS", "CRYPTO", "BIRTH_DATE",
    "PERSON", "LOCATION", "ADDRESS",
]  # fmt: skip
"""Of personal data. The last three are looked for where `kinds` names them alone; PERSON and LOCATION take the extra
`presidio`."""

KINDS: tuple[str, ...] = get_args(Kind)


def _own_name(name: str) -> str:
    if not re.fullmatch(r"[A-Z][A-Z0-9_]{0,39}", name) or name in (*KINDS, "SECRET", "TEXT"):
        raise ValueError(f"{name[:50]!r} is no name of an own kind; write capitals, digits and _, and no kind of ours")
    return name


def _pattern(text: str) -> str:
    compiled(text)
    return text


def _region(code: str) -> str:
    # It takes a while to load, and only who names regions needs it.
    from phonenumbers import SUPPORTED_REGIONS

    if code not in SUPPORTED_REGIONS:
        raise ValueError(f"{code[:20]!r} is no region; write a country's two capitals, such as DE")
    return code


OwnKind = Annotated[str, AfterValidator(_own_name)]
Pattern = Annotated[str, Field(min_length=1, max_length=1000), AfterValidator(_pattern)]
Region = Annotated[str, AfterValidator(_region)]


class Classifier(Data):
    """A `model` of the catalog that says whether a text is an attack. It is asked of texts of which the layers without
    a model are *unsure*, of all that they do not take for an attack (*always*), or *never*."""

    model: str = Field(min_length=1, max_length=200)
    asks: Literal["unsure", "always", "never"] = "unsure"


class Policy(Data):
    """What holds for a request.

    `personal` is what becomes of personal data, `kinds` of single kinds of it, `secrets` of keys, tokens and passwords,
    and `injection` of what looks like an attack on a model, of which a `classifier` gives a second opinion. Names,
    places and addresses are left alone unless `kinds` names them, since a model has to look for them.
    `canary` is what becomes of an answer that repeats a token which stands in the instructions then.
    `regions` are those in whose form phone numbers are looked for. `own` are an operator's own kinds,
    each a regular expression without backtracking; what becomes of them is `personal`, or what `kinds` says.
    With `restore` the caller's answer has the values again in place of their placeholders.
    """

    personal: Action = "redact"
    kinds: dict[str, Action] = {}
    secrets: Action = "redact"
    injection: Literal["off", "flag", "reject"] = "flag"
    classifier: Classifier | None = None
    canary: Literal["off", "redact", "reject"] = "off"
    regions: tuple[Region, ...] = Field(
        default=("US", "GB", "DE", "FR", "ES", "IT", "NL", "IN", "BR"), min_length=1, max_length=50
    )
    own: dict[OwnKind, Pattern] = Field(default={}, max_length=50)
    restore: bool = True

    def over(self, under: "Policy") -> "Policy":
        """This one where it says something, and `under` where it does not."""
        update = {name: getattr(self, name) for name in self.model_fields_set}
        for name in ("kinds", "own"):
            update[name] = {**getattr(under, name), **getattr(self, name)}
        return under.model_copy(update=update)

    def check(self) -> None:
        """Raise `ValueError` for a kind that is none."""
        for name in self.kinds:
            if name not in KINDS and name not in self.own:
                raise ValueError(f"kinds: {name[:50]!r} is none; known: {', '.join([*KINDS, *self.own])}")

    def action(self, kind: str) -> Action:
        """What becomes of a finding of this kind."""
        if kind == "SECRET":
            return self.secrets
        return self.kinds.get(kind, "off" if kind in BY_MODEL else self.personal)

    @property
    def redacting(self) -> "Policy":
        """The same for what leaves the house: all that it says anything of is redacted, and whatever is looked for by
        default; placeholders that are there stay."""
        kinds = {kind: action for kind, action in self.kinds.items() if kind in BY_MODEL and action == "off"}
        redacted = {kind: "redact" for kind in self.kinds if kind not in kinds}
        update = {"personal": "redact", "secrets": "redact", "kinds": {**redacted, **kinds}, "restore": False}
        return self.model_copy(update=update)

    @property
    def wanted(self) -> frozenset[str]:
        """The kinds that are looked for."""
        return frozenset(kind for kind in (*KINDS, *self.own, "SECRET") if self.action(kind) != "off")


class Guardrails(Data):
    """`default` holds for everybody; what a table of a tenant, of a pattern or of an API key says counts more, each
    more than the one before."""

    default: Policy = Policy()
    tenants: dict[TenantName, Policy] = {}
    patterns: dict[str, Policy] = {}
    keys: dict[str, Policy] = {}

    @model_validator(mode="after")
    def _kinds_are_known(self) -> "Guardrails":
        self.default.check()
        for policies in (self.tenants, self.patterns, self.keys):
            for policy in policies.values():
                policy.over(self.default).check()
        return self

    @property
    def _policies(self) -> tuple[Policy, ...]:
        return (self.default, *self.tenants.values(), *self.patterns.values(), *self.keys.values())

    @property
    def needs_model(self) -> bool:
        """Whether anybody's names or places are looked for."""
        return any(policy.over(self.default).wanted & {*BY_MODEL} for policy in self._policies)

    @property
    def classifiers(self) -> frozenset[str]:
        """The models that classify."""
        return frozenset(policy.classifier.model for policy in self._policies if policy.classifier)

    def of(self, tenant: str, pattern: str, key: str | None) -> Policy:
        """What holds for a request of the tenant, for a pattern or a model, with the API key of this id."""
        policy = self.default
        for own in (
            self.tenants.get(tenant),
            self.patterns.get(pattern.removeprefix("model:")),
            self.keys.get(key or ""),
        ):
            policy = policy if own is None else own.over(policy)
        return policy


def load_guardrails(path: Path) -> Guardrails:
    """Read a file of guardrails. Raises `InputError` naming the file and the field."""
    return checked(Guardrails, read_toml(path, "guardrails"), path)
