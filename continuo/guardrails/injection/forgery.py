"""Text that poses as what only the program around a model writes: turns of other roles, tokens of chat templates,
results of tools."""

import re
from collections.abc import Iterator

from continuo.guardrails.injection.signals import Signal

ROLE = "INJECTION_ROLE"

_TOKENS = re.compile(
    r"<\|(?:im_start|im_end|im_sep|system|user|assistant|tool|end|endoftext|begin_of_text|eot_id|eom_id|start_header_id"
    r"|end_header_id|start|message|channel|return|call|endofprompt|end_of_turn|start_of_role|end_of_role|python_tag)\|>"
    r"|<</?SYS>>|\[/?INST\]|\[/?(?:SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_RESULTS|TOOL_CALLS)\]"
    r"|<(?:start|end)_of_turn>|<｜(?:begin▁of▁sentence|end▁of▁sentence|User|Assistant)｜>",
    re.IGNORECASE,
)
"""Tokens by which templates of well-known models mark turns."""

_TURN = re.compile(r"[ \t]{0,4}\n?[ \t]{0,4}(?:system|developer|assistant|tool)\b", re.IGNORECASE)
"""A role right behind such a token."""

_LINE = re.compile(
    r"^[ \t>#*=_\[(<|-]{0,12}(system|developer|admin(?:istrator)?|assistant|human)"
    r"(?: (?:prompt|message|note|instructions?|update|override|alert|notice|notification|role))?"
    r"[ \t]{0,3}[\])*_>#|-]{0,6}[ \t]{0,3}"
    r"(?::|\](?=[ \t(])|\|>|(?=\n))",
    re.IGNORECASE | re.MULTILINE,
)
"""A line that begins as a turn of another role, such as `### System:` or `[system](#instructions)`."""

_FIELD = re.compile(r"""["']role["'][ \t]{0,3}:[ \t]{0,3}["'](system|developer|tool)["']""", re.IGNORECASE)
_TAG = re.compile(
    r"</?(?:antml:)?(?:system|system_prompt|system-reminder|developer|function_results?|function_calls?|tool_results?"
    r"|tool_response|tool_calls?|invoke|instructions?|admin|user_query|information|important)(?:[ \t][^<>\n]{0,80})?>",
    re.IGNORECASE,
)
_END = re.compile(
    r"[-=#*\[<]{2,8}[ \t]{0,3}(?:end|begin|start|stop)[ \t](?:of[ \t])?(?:the[ \t])?(?:user|system|document"
    r"|conversation|context|untrusted|trusted|data|new|prompt|input|instructions?)\b[^\n]{0,40}",
    re.IGNORECASE,
)
"""A mark that poses as the end of what a user or a document says."""

_STRONG, _WEAK = 0.7, 0.4


def forgeries(text: str) -> Iterator[Signal]:
    """Those of a text."""
    if "<" in text or "[" in text:
        for match in _TOKENS.finditer(text):
            # Its beginning and its end are one: a text that asks about both uses none.
            name = re.sub("start|end|begin|[^a-z]", "", match[0].lower())
            yield Signal(ROLE, f"token {name}", 0.5, *match.span())
            if _TURN.match(text, match.end()):
                yield Signal(ROLE, "token-role", _STRONG, *match.span())
    if "<" in text:
        for match in _TAG.finditer(text):
            yield Signal(ROLE, "tag", _WEAK, *match.span())
    for match in _LINE.finditer(text):
        own = match[1].lower()
        weight = 0.2 if own in ("assistant", "human") else 0.5
        yield Signal(ROLE, f"line-{own}", weight, *match.span())
    for match in _FIELD.finditer(text):
        yield Signal(ROLE, "field", _WEAK, *match.span())
    for match in _END.finditer(text):
        yield Signal(ROLE, "boundary", _WEAK, *match.span())
