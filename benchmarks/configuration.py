"""The catalog and the tenants that are measured with."""

from pathlib import Path

TENANT, MODEL = "protected", "sim-protected"

LIMITED = f"""
[models.{MODEL}]
provider = "sim-openai"
limits = {{ concurrency = 1000, requests_per_minute = 1000000, requests_per_hour = 1000000, \
tokens_per_minute = 1000000000, tokens_per_hour = 1000000000 }}
price = {{ input = 1.0, output = 1.0, source = "simulated", date = 2026-11-21 }}
"""


def write_configuration(folder: Path) -> tuple[Path, Path]:
    """A model under every limit, and a tenant with a budget; none of them is ever reached."""
    catalog, tenants = folder / "catalog.toml", folder / "tenants.toml"
    catalog.write_text(LIMITED, encoding="utf-8")
    tenants.write_text(f"[tenants.{TENANT}]\ndaily_usd = 1000000.0\n", encoding="utf-8")
    return catalog, tenants
