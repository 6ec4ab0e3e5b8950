"""What docs/runtimes.md shows is a right catalog."""

import re
from pathlib import Path

from continuo.config.catalog import load_catalog
from continuo.config.kserve import ParameterTensors, Tensors
from tests.support.repository import ROOT

PAGE = (ROOT / "docs" / "runtimes.md").read_text(encoding="utf-8")


def test_the_catalog_is_a_right_one(tmp_path: Path) -> None:
    [text] = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "catalog.toml").write_text(text, encoding="utf-8")
    catalog = load_catalog(tmp_path / "catalog.toml")
    llama, e5 = catalog.models["triton-llama"], catalog.models["triton-e5"]
    assert not catalog.refused_by(llama) & {"temperature", "seed"}
    assert catalog.refused_by(llama) >= {"top_p", "tools", "stop"}
    assert catalog.protocol(e5).embeds == 32
    assert catalog.aliases["local"] == ("triton-llama", "sim-free")


def test_every_field_is_in_the_table() -> None:
    rows = re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)
    assert {*rows} == {*Tensors.model_fields}
    assert [name for name in ParameterTensors.model_fields if f"`{name}`" not in PAGE] == []
