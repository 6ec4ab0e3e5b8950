"""Media that come with a request: their bytes, which the caller keeps, and the parts that stand for them."""

from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field

from continuo.decisions.media_type import part_of
from continuo.parts import Media
from continuo.wire.errors import WireError, refusing

NOTHING_FETCHED: Mapping[str, bytes] = {}


@dataclass
class Blobs:
    """The bytes of each medium. `fetched` is what the caller has loaded, by its URL."""

    fetched: Mapping[str, bytes] = field(default_factory=dict)
    content: dict[Media, bytes] = field(default_factory=dict)

    def given(self, kind: str, given: str, name: str, param: str) -> Media:
        """A medium of this kind, given as `data:…;base64,…`, by a URL, or as base64 alone."""
        head, _, data = given.partition(",")
        if head.startswith("data:") and head.endswith(";base64"):
            part = self.base64(data, name, param)
        elif "://" in head and not head.startswith("data:"):
            part = self.url(given, name, param)
        else:
            part = self.base64(given, name, param)
        if part.kind != kind:
            raise WireError(400, f"{param}: this is of type {part.media_type}, no {kind}", param, "invalid_value")
        return part

    def base64(self, data: str, name: str, param: str) -> Media:
        try:
            content = b64decode(data, validate=True)
        except ValueError:
            raise WireError(400, f"{param}: this is no base64", param, "invalid_base64") from None
        return self.add(content, name, param)

    def url(self, url: str, name: str, param: str) -> Media:
        if url not in self.fetched:
            message = f"{param}: media behind a URL are not taken here; send the content as base64"
            raise WireError(400, message, param, "unsupported_url")
        return self.add(self.fetched[url], name, param)

    def add(self, content: bytes, name: str, param: str) -> Media:
        with refusing(param):
            part = part_of(content, name)
        self.content[part] = content
        return part
