"""How an amount is written."""


def money(usd: float | None) -> str:
    """USD with the digits that a small cost needs; an unknown cost says so."""
    if usd is None:
        return "unknown"
    return f"${usd:.2f}" if usd >= 1 or usd == 0 else f"${usd:.6f}"
