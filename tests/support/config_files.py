"""The catalog and the tenants that tests run with."""

from pathlib import Path

MODELS = """
[models.sim-narrow]
provider = "sim-openai"
limits = { concurrency = 2 }
price = { input = 1.0, output = 1.0, source = "simulated", date = 2026-11-21 }

[models.sim-throttled]
provider = "sim-openai"
limits = { requests_per_minute = 10 }
cheaper = "sim-free"
price = { input = 1.0, output = 1.0, source = "simulated", date = 2026-11-21 }

[models.sim-once]
provider = "sim-openai"
limits = { requests_per_minute = 1 }
cheaper = "sim-seedless"

[models.sim-seedless]
provider = "sim-openai"
cheaper = "sim-free"
refuses = ["seed"]

[models.sim-unpriced]
provider = "sim-openai"

[models.sim-sees-throttled]
provider = "sim-openai"
limits = { requests_per_minute = 10 }
cheaper = "sim-blind"
inputs = ["text", "image"]

[models.sim-google-embed]
provider = "sim-google"
embeds = true

[models.sim-fixed-embed]
provider = "sim-openai"
embeds = true
refuses = ["dimensions"]

[models.sim-blind]
provider = "sim-openai"
cheaper = "sim-free"
"""

TENANTS = """
[tenants.modest]
daily_usd = 0.1

[tenants.roomy]
daily_usd = 10.0

[tenants.spender]
daily_usd = 1.0

[tenants.broke]
daily_usd = 0.0
zone = "Europe/Berlin"
"""


def written_catalog(folder: Path) -> Path:
    """More simulated models than the shipped ones, and breakers that stay closed whatever tests make fail."""
    closed = "".join(
        f"[providers.sim-{protocol}]\nbreaker = {{ failures = 1000000 }}\n"
        for protocol in ("openai", "anthropic", "google")
    )
    path = folder / "catalog.toml"
    path.write_text(closed + MODELS, encoding="utf-8")
    return path


def written_tenants(folder: Path) -> Path:
    path = folder / "tenants.toml"
    path.write_text(TENANTS, encoding="utf-8")
    return path
