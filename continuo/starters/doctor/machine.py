"""Python, and what stands in the way of our package."""

import platform
from pathlib import Path

import continuo
from continuo.authoring.library import Library
from continuo.starters.doctor.check import Finding


async def python(library: Library) -> Finding:
    # An older Python than ours could not have come so far.
    return Finding("ok", f"Python {platform.python_version()}, Continuo {continuo.__version__}")


async def package(library: Library) -> Finding:
    """Whether Python, started in the working folder, would load another `continuo` than ours."""
    ours = Path(continuo.__file__)
    for path in (Path("continuo", "__init__.py"), Path("continuo.py")):
        if path.exists() and not path.samefile(ours):
            other = path.parent if path.name == "__init__.py" else path
            message = f"{other.absolute()} hides the package from Python started in this folder"
            return Finding("warning", message, f"rename {other}")
    return Finding("ok", f"loaded from {ours.parent}")
