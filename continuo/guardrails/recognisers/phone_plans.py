"""Which digits are telephone numbers, abroad and in a region."""

import re
from functools import cache
from typing import NamedTuple

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata

KINDS = (
    "fixed_line", "mobile", "toll_free", "premium_rate", "shared_cost", "personal_number", "voip", "pager", "uan",
    "voicemail",
)  # fmt: skip


class Plan(NamedTuple):
    """A region's: its national numbers in use, how many digits they may have, and what is dialled before them there."""

    valid: re.Pattern[str]
    sizes: frozenset[int]
    trunk: re.Pattern[str] | None
    replaced: str | None
    prefix: str
    prefixed: tuple[re.Pattern[str], ...]
    """The beginnings of the numbers that are written with the prefix; the first that matches of `forms` tells."""
    forms: tuple[re.Pattern[str], ...]

    def nationals(self, digits: str) -> set[str]:
        """What may be the national number: the digits, and those after what is dialled before it."""
        match = self.trunk.match(digits) if self.trunk else None
        if match is None:
            return {digits}
        if self.replaced and match.lastindex and match[match.lastindex]:
            return {digits, match.expand(self.replaced) + digits[match.end() :]}
        return {digits, digits[match.end() :]}

    def lacks_prefix(self, national: str) -> bool:
        """Whether people write such a number with the prefix, when they leave the country's code out."""
        form = next((form for form in self.forms if form.match(national)), None)
        return form in self.prefixed


def international(digits: str) -> bool:
    """Whether they are a country's code and as many digits as its numbers have."""
    for size in (1, 2, 3):
        code = int(digits[:size])
        for region in COUNTRY_CODE_TO_REGION_CODE.get(code, ()):
            if any(
                len(national) in plan_of(region, code).sizes
                for national in plan_of(region, code).nationals(digits[size:])
            ):
                return True
    return False


@cache
def plan_of(region: str, code: int | None = None) -> Plan:
    """`code` is that of a network of no country, whose region is 001. Raises `ValueError` for a region that is none."""
    if region == "001" and code is not None:
        metadata = PhoneMetadata.metadata_for_nongeo_region(code)
    else:
        metadata = PhoneMetadata.metadata_for_region(region)
    if metadata is None:
        raise ValueError(f"{region!r} is no region of telephone numbers; write a country's two letters, such as US")
    kinds = [kind for kind in (getattr(metadata, name) for name in KINDS) if kind and kind.national_number_pattern]
    prefix, trunk = metadata.national_prefix or "", metadata.national_prefix_for_parsing
    forms = [
        (re.compile(form.leading_digits_pattern[-1]), form)
        for form in metadata.number_format
        if form.leading_digits_pattern
    ]
    return Plan(
        valid=re.compile("|".join(f"(?:{kind.national_number_pattern})" for kind in kinds)),
        sizes=frozenset(size for kind in kinds for size in kind.possible_length if size > 6),
        trunk=re.compile(trunk) if trunk else None,
        replaced=metadata.national_prefix_transform_rule,
        prefix=prefix,
        prefixed=tuple(
            pattern
            for pattern, form in forms
            if prefix
            and prefix in (form.national_prefix_formatting_rule or "")
            and not form.national_prefix_optional_when_formatting
        ),
        forms=tuple(pattern for pattern, _ in forms),
    )
