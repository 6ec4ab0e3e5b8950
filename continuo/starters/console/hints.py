"""What to do about an argument that begins with a hyphen and so was taken for an option."""

from collections.abc import Sequence

from cyclopts import CycloptsError
from cyclopts.exceptions import MissingArgumentError, UnknownOptionError

from continuo.cut import cut


def hinted(error: CycloptsError, arguments: Sequence[str]) -> str:
    """What is wrong with the arguments and, where a hyphen may be the cause, how they are written."""
    message = str(error).rstrip(".")
    if isinstance(error, UnknownOptionError) and error.command_chain == ("run",) and "Did you mean" not in message:
        option = error.token.keyword or error.token.value
        what = f"{cut(option, 40)!r} is taken for an option" if " " in option else message
        return f'{what}; a prompt that begins with - stands last, after --: continuo run support -- "-5 is what?"'
    if isinstance(error, MissingArgumentError) and error.keyword in arguments:
        following = arguments[arguments.index(error.keyword) + 1 :]
        if following and following[0].startswith("-"):
            return f'{message}; one that begins with - is written {error.keyword}="- be brief"'
    return str(error)
