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

EMBEDDINGS = {
    "sim-embed-alone": ("without limits", "one each"),
    "sim-embed-shared": ("without limits", "micro-batches"),
    "sim-embed-alone-limited": ("5 calls at once", "one each"),
    "sim-embed-shared-limited": ("5 calls at once", "micro-batches"),
}
"""Models by what is limited and how they are called; the micro-batches are those of the shipped catalog."""


def embedding_models() -> str:
    return "".join(
        f'[models.{model}]\nprovider = "sim-openai"\nembeds = true\n'
        + ("micro_batch = {}\n" if "shared" in model else "")
        + ("limits = { concurrency = 5 }\n" if "limited" in model else "")
        for model in EMBEDDINGS
    )


def write_configuration(folder: Path) -> tuple[Path, Path]:
    """A model under every limit, and a tenant with a budget; none of them is ever reached."""
    catalog, tenants = folder / "catalog.toml", folder / "tenants.toml"
    catalog.write_text(LIMITED + embedding_models(), encoding="utf-8")
    tenants.write_text(f"[tenants.{TENANT}]\ndaily_usd = 1000000.0\n", encoding="utf-8")
    return catalog, tenants
