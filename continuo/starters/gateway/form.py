"""A form with a file, as a request's body."""

import json
from dataclasses import dataclass
from hashlib import sha256

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request

from continuo.wire.errors import WireError

MAX_FIELDS = 32
MAX_FIELD = 256 * 1024
"""Bytes of a field that is no file."""


@dataclass(frozen=True)
class Form:
    """`fields` is a JSON object of the texts, in which a name that ends in `[]` is a list without that end."""

    fields: bytes
    file: bytes
    filename: str

    @property
    def identity(self) -> bytes:
        """The same for the same form: what stands between the parts is another with each request."""
        return b"%b %b %b" % (self.fields, self.filename.encode(), sha256(self.file).digest())


async def form_of(http: Request, what_file: str = "audio") -> Form:
    """The request's form with its one file, the field `file`, which has the `what_file`. Raises `WireError` for what is
    none."""
    if not http.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        raise WireError(400, "the body is no form; send it as multipart/form-data", code="invalid_form")
    fields: dict[str, str | list[str]] = {}
    file: bytes | None = None
    filename = ""
    try:
        # What is large it keeps in a file without a name, which is gone when it is closed.
        async with http.form(max_files=1, max_fields=MAX_FIELDS, max_part_size=MAX_FIELD) as form:
            for name, value in form.multi_items():
                if isinstance(value, UploadFile) and name == "file":
                    file, filename = await value.read(), value.filename or ""
                elif isinstance(value, UploadFile) or name == "file":
                    what = (
                        f"send the {what_file} as a file with a name"
                        if name == "file"
                        else "this is to be a text, no file"
                    )
                    raise WireError(400, f"{name[:80]}: {what}", name[:80], "invalid_value")
                elif name.endswith("[]"):
                    several = fields.setdefault(name.removesuffix("[]"), [])
                    if isinstance(several, list):
                        several.append(value)
                elif name in fields:
                    raise WireError(400, f"{name[:80]}: it is given twice; give it once", name[:80], "invalid_value")
                else:
                    fields[name] = value
    except (HTTPException, UnicodeError) as error:
        why = error.detail if isinstance(error, HTTPException) else str(error)
        raise WireError(400, f"the form cannot be read: {why}", code="invalid_form") from None
    if file is None:
        message = f"file: this field is required; send the {what_file} as a file with a name"
        raise WireError(400, message, "file", "missing_required_parameter")
    return Form(json.dumps(fields, sort_keys=True).encode(), file, filename)
