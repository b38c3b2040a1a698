"""Puts a list of what the bot runs with into the wheel: CycloneDX, in its `sboms/` (PEP 770), from the lock."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from packaging.requirements import Requirement


def bill(name: str, version: str, lock: str) -> dict[str, Any]:
    """The CycloneDX document: the project, and each package of the lock in the version that is tested.

    Same project and lock, same document: it holds no time and no random number.
    """
    components = []
    for line in lock.splitlines():
        if not line or line[0] in " #":  # hashes, comments
            continue
        needed = Requirement(line.rstrip(" \\"))
        (pin,) = needed.specifier
        component = _component("library", needed.name, pin.version)
        if needed.marker:  # installed only where this holds
            component["properties"] = [{"name": "python:marker", "value": str(needed.marker)}]
        components.append(component)
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": _component("application", name, version)},
        "components": components,
        "dependencies": [
            {"ref": f"pkg:pypi/{name}@{version}", "dependsOn": [component["bom-ref"] for component in components]}
        ],
    }


def _component(kind: str, name: str, version: str) -> dict[str, Any]:
    url = f"pkg:pypi/{name}@{version}"
    return {"type": kind, "bom-ref": url, "name": name, "version": version, "purl": url}


class CustomBuildHook(BuildHookInterface[Any]):
    """What hatchling calls before it packs a wheel; an editable one is not for others and gets none."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Write the document to a place of its own, from where hatchling takes it."""
        if version == "editable":
            return
        project = self.metadata
        made = bill(project.name, project.version, (Path(self.root) / "requirements.lock").read_text(encoding="utf-8"))
        self._place = tempfile.TemporaryDirectory()
        path = Path(self._place.name) / f"{project.name}.cdx.json"
        path.write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")
        build_data["sbom_files"].append(str(path))

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """The wheel is packed: the place is no longer needed."""
        if version != "editable":
            self._place.cleanup()
