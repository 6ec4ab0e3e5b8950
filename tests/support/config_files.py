"""The catalog, the tenants and the rules that tests run with."""

import json
import sys
from pathlib import Path

MODELS = """
[models.sim-retired]
provider = "sim-openai"
retires = 2020-01-02
replaced_by = "sim-mini"

[models.sim-narrow]
continues = "prefill"
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

[models.sim-batched-embed]
provider = "sim-openai"
embeds = true
micro_batch = { window = "10s", max_inputs = 20, max_tokens = 1000 }
price = { input = 0.123, output = 0.0, source = "simulated", date = 2026-11-21 }

[models.sim-batched-soon-embed]
provider = "sim-openai"
embeds = true
micro_batch = { window = "200ms", max_inputs = 20, max_tokens = 1000 }
price = { input = 0.123, output = 0.0, source = "simulated", date = 2026-11-21 }

[models.sim-batched-pair-embed]
provider = "sim-openai"
embeds = true
micro_batch = { window = "5s", max_inputs = 2 }
price = { input = 0.123, output = 0.0, source = "simulated", date = 2026-11-21 }

[models.sim-batched-narrow-embed]
provider = "sim-openai"
embeds = true
micro_batch = { window = "10s", max_inputs = 20 }
limits = { requests_per_minute = 3, concurrency = 1 }
price = { input = 0.123, output = 0.0, source = "simulated", date = 2026-11-21 }

[models.sim-batched-single-embed]
provider = "sim-openai"
embeds = true
micro_batch = { window = "10s", max_inputs = 20 }
limits = { concurrency = 1 }
price = { input = 0.123, output = 0.0, source = "simulated", date = 2026-11-21 }

[models.sim-batched-deployed-embed]
provider = "sim-openai"
strategy = "weight"
embeds = true
micro_batch = { window = "200ms" }
deployments = [
    { id = "crowded-embed", limits = { concurrency = 1 }, weight = 1000 },
    { id = "other-embed", limits = { concurrency = 1 }, weight = 0.001 },
]

[providers.sim-batched]
protocol = "openai"
base_url_env = "CONTINUO_SIM_URL"
path = "/v1"
simulated = true
breaker = { failures = 2 }

[models.sim-batched-ailing-embed]
provider = "sim-batched"
embeds = true
micro_batch = { window = "10s", max_inputs = 20 }

[models.sim-blind]
provider = "sim-openai"
cheaper = "sim-free"
"""

DEPLOYED = """
[models.sim-ailing]
provider = "sim-openai"
strategy = "weight"
price = { input = 1.0, output = 1.0, source = "simulated", date = 2026-11-21 }
[[models.sim-ailing.deployments]]
id = "ailing"
name = "sim-ailing-1"
weight = 1000
breaker = { failures = 3, cool_down = "3s" }
[[models.sim-ailing.deployments]]
id = "well"
name = "sim-ailing-2"
weight = 0.001
price = { input = 2.0, output = 2.0, source = "simulated", date = 2026-11-21 }

[models.sim-silent]
provider = "sim-openai"
strategy = "weight"
price = { input = 1.0, output = 1.0, source = "simulated", date = 2026-11-21 }
deployments = [
    { id = "silent", name = "sim-silent-1", weight = 1000 },
    { id = "talking", name = "sim-silent-2", weight = 0.001 },
]

[models.sim-unreachable]
provider = "sim-openai"
strategy = "weight"
deployments = [
    { id = "nowhere", base_url = "http://127.0.0.1:1", weight = 1000 },
    { id = "no-key", base_url = "http://127.0.0.1:1", key_env = "CONTINUO_TEST_NO_KEY", weight = 1000 },
    { id = "there", name = "sim-there", weight = 0.001 },
]

[models.sim-busy]
provider = "sim-openai"
deployments = [
    { id = "busy-1", name = "sim-busy-1" },
    { id = "busy-2", name = "sim-busy-2" },
    { id = "busy-3", name = "sim-busy-3", weight = 2 },
]

[models.sim-quick]
provider = "sim-openai"
strategy = "lowest_latency"
deployments = [{ id = "quick-1", name = "sim-quick-1" }, { id = "quick-2", name = "sim-quick-2" }]

[models.sim-cheap]
provider = "sim-openai"
strategy = "cost"
price = { input = 1.0, cached = 0.1, output = 1.0, source = "simulated", date = 2026-11-21 }
[[models.sim-cheap.deployments]]
id = "list-price"
name = "sim-cheap-1"
[[models.sim-cheap.deployments]]
id = "discount"
region = "nearby"
name = "sim-cheap-2"
price = { input = 0.5, cached = 0.1, output = 0.5, source = "simulated", date = 2026-11-21 }

[models.sim-crowded]
provider = "sim-openai"
deployments = [{ id = "crowded-1", limits = { concurrency = 1 } }, { id = "crowded-2", limits = { concurrency = 1 } }]

[models.sim-sticky]
provider = "sim-openai"
sticky = true
deployments = [{ id = "sticky-1" }, { id = "sticky-2" }]
"""

TENANTS = """
[groups]
editors = ["ann", "bob", "cy"]

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


RULES = """
[[rules]]
name = "hours"
when = { any_of = ["opening hours"], tenants = ["ruled"] }
answer = "We are open from 9 to 17."

[[rules]]
name = "parcel"
when = { any_of = ["parcel"], tenants = ["ruled"] }
answer = "Dear {name}, your parcel {number} is on its way."

[[rules]]
name = "secret"
when = { matches = '(?i)\\bsecret\\b', tenants = ["ruled"] }
refuse = "We do not talk about that."

[[rules]]
name = "complaint"
when = { like = ["I want to complain about my order"], tenants = ["ruled"] }
pattern = "model:sim-mini"
priority = "critical"
"""
"""Of one tenant, so that they decide nothing elsewhere."""


def written_catalog(folder: Path) -> Path:
    """More simulated models than the shipped ones, and breakers that stay closed whatever tests make fail."""
    closed = "".join(
        f"[providers.sim-{protocol}]\nbreaker = {{ failures = 1000000 }}\n"
        for protocol in ("openai", "anthropic", "google")
    )
    path = folder / "catalog.toml"
    tools = f"[mcp.notes]\n{tool_server(folder / 'notes.db')}"
    path.write_text(closed + MODELS + DEPLOYED + tools, encoding="utf-8")
    return path


def tool_server(file: Path) -> str:
    """The lines of a catalog that start the server of tools which keeps its state in `file`."""
    args = json.dumps([str(Path(__file__).with_name("tool_server.py")), str(file)])
    return f'command = {json.dumps(sys.executable)}\nargs = {args}\nenv = {{ TOKEN = "TOOLS_TEST_TOKEN" }}\n'


def written_tenants(folder: Path) -> Path:
    path = folder / "tenants.toml"
    path.write_text(TENANTS, encoding="utf-8")
    return path


def written_rules(folder: Path) -> Path:
    path = folder / "rules.toml"
    path.write_text(RULES, encoding="utf-8")
    return path
