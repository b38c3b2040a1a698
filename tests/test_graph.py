"""The import graph itself, on packages made for it; and the rules that count, on functions made for them."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

from tests import graph
from tests.test_house_rules import Function, length, parameters, same_job


def house(folder: Path, files: dict[str, str]) -> list[graph.Module]:
    for name, source in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source, encoding="utf-8")
    return graph.read(folder)


TOWER = {
    "bot/__init__.py": "__version__ = '1'\n",
    "bot/__main__.py": "from bot.cli import main\n",
    "bot/cli/__init__.py": "import bot\ndef main():\n    from bot.app import run\n",
    "bot/app.py": "import adapters.x.adapter\nfrom bot import errors\nimport bot.store.rows\n",
    "bot/store/__init__.py": "from bot.store import rows\n",
    "bot/store/rows.py": "if TYPE_CHECKING:\n    import bot.app\nelse:\n    import bot.errors\n",
    "bot/errors.py": "import json\n",
    "bot/testing/wire.py": "from bot.app import run\n",
    "adapters/x/adapter.py": "from adapters.x import ids\nfrom bot.errors import Unavailable\n",
    "adapters/x/ids.py": "",
}


def test_names_and_layers(tmp_path: Path) -> None:
    names = graph.name_graph(house(tmp_path, TOWER))
    assert names.layers == [["errors"], ["adapters", "store"], ["app"], ["cli"], ["__main__"]]
    assert names.lines["store"] == 5
    assert sorted(names.arrows) == [
        ("__main__", "cli"), ("adapters", "errors"), ("app", "adapters"), ("app", "errors"), ("app", "store"),
        ("cli", "app"), ("store", "errors"),
    ]  # fmt: skip
    assert sorted(names.type_arrows) == [("store", "app")]
    assert (names.circles, names.back) == ([], [])


def test_modules(tmp_path: Path) -> None:
    modules = graph.module_graph(house(tmp_path, TOWER))
    assert ("bot.store", "bot.store.rows") in modules.arrows
    assert ("bot.app", "bot.store.rows") in modules.arrows
    assert ("bot.app", "bot.store") not in modules.arrows
    assert ("bot.cli", "bot") in modules.arrows
    assert not any("testing" in name for name in modules.lines)


def test_what_stands_apart_and_on_the_landing(tmp_path: Path) -> None:
    data = graph.report(house(tmp_path, TOWER))
    assert data["testing"] == {"modules": 1, "lines": 1, "imports": ["app"], "imported_by": []}
    assert data["landing"] == ["__init__.py", "__main__.py", "app.py", "errors.py"]


def test_a_circle_is_shown_with_what_ties_it(tmp_path: Path) -> None:
    circle = {**TOWER, "bot/errors.py": "def late():\n    import bot.app\n"}
    modules = house(tmp_path, circle)
    names = graph.name_graph(modules)
    assert names.circles == [["adapters", "app", "errors", "store"]]
    assert names.layers == [["adapters", "app", "errors", "store"], ["cli"], ["__main__"]]
    assert ("errors", "app") in names.back
    written = graph.text(graph.report(modules))
    assert "circle of adapters, app, errors, store" in written
    assert "bot.errors:2 imports bot.app" in written


@pytest.mark.parametrize(("module", "name"), [("bot.store.rows", "store"), ("bot", ""), ("adapters.x", "adapters")])
def test_first_level(module: str, name: str) -> None:
    assert graph.first_level(module) == name


def test_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    graph.main(["--json"])
    data = json.loads(capsys.readouterr().out)
    assert data["names"]["names"] == sum(len(layer) for layer in data["names"]["table"])
    graph.main(["--arrows"])
    assert "__main__ → cli" in capsys.readouterr().out


def function(source: str) -> Function:
    node = ast.parse(source).body[0]
    assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    return node


def test_how_functions_are_measured() -> None:
    assert parameters(function("def f(self, a, /, b, *c, d=1, **e): ...")) == 5
    assert parameters(function("def f(a, self): ...")) == 2
    assert length(function("@cache\ndef f():\n    '''Words.'''\n\n    return 1\n")) == 4


def test_what_the_same_job_is() -> None:
    assert same_job(["adapters/slack/client.py", "adapters/telegram/client.py"])
    assert not same_job(["adapters/slack/client.py", "adapters/telegram/users.py"])
    assert not same_job(["adapters/slack/compose.py", "adapters/telegram/compose.py"])
    assert not same_job(["adapters/slack/client.py", "bot/api/client.py"])
    assert not same_job(["adapters/slack/client.py", "adapters/slack/client.py"])
