"""docs/proofs.md, made of the record: pure, the same entries give the same page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from tests.proofs.record import OF_TESTS, Entry, together

NOT_YET = "not run yet"
NOT_COVERED = (
    "The simulated API, channels and disk are ours: what the real ones do otherwise is found only by the tests beside"
    " the simulation, which speak the real SDKs to strict servers on loopback.",
    "A simulated crash loses no write that was committed, and none that was not is half there: what a disk does when"
    " the power goes is the matter of the power cuts.",
    "The process has one thread in the simulation; the thread of the database writer runs only in the other tests.",
    "An earlier version is simulated by its schema: today's rows are taken back to what it knew; its code never runs.",
    "Platforms' clocks differ and leap, but never go back.",
    "Lasting faults are one at a time, and one person floods, not many.",
    "Rendering, signatures, access policies, files and the command line have tests of their own and no seeds.",
    "Who reads the seeds is us: nobody outside has repeated them.",
)
HEAD = """# Proofs

What was run to break the promises, and what came of it. Made by `make proofs` from `docs/proofs.json`, to which every
run below has added its own figures; a test fails when this page says anything else. How to repeat one: `make hunt
SECONDS=600` runs new seeds, `python -m tests.simulation SEED` tells one as a story, `make prove` runs all proofs.

A commit with a + had changes that were not committed yet; one that the history does not have went into 51cf46f with
others. Seconds are of the machine that ran it, shared with other
work unless it says otherwise; simulated seconds are named so.
"""


def page(entries: Sequence[Entry]) -> str:
    """Make the page."""
    parts = [
        HEAD,
        _so_far(entries),
        _runs(_of(entries, "seeds")),
        _bugs(_of(entries, "deliberate bugs")),
        _attacks(_of(entries, "attacks")),
        _lasting(_of(entries, "lasting fault")),
        _shrunk(_of(entries, "shrunk")),
        _faults(_of(entries, "fault found")),
        "## Not covered\n\n" + "\n".join(f"- {one}" for one in NOT_COVERED) + "\n",
    ]
    return "\n".join(parts)


def _of(entries: Sequence[Entry], proof: str) -> list[Entry]:
    return [entry for entry in entries if entry["proof"] == proof]


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines) + "\n"


def _so_far(entries: Sequence[Entry]) -> str:
    seeds = _of(entries, "seeds")
    simulated = _seed_sums(seeds) if seeds else NOT_YET
    rows = [("simulated seeds", simulated)]
    for proof in OF_TESTS:
        in_short = _attacks_in_short if proof == "attacks" else _sums
        rows.append((proof, in_short(_of(entries, proof))))
    rows.append(("deliberate bugs", _bugs_in_short(_of(entries, "deliberate bugs"))))
    return "## So far\n\n" + _table(("proof", "all runs together"), rows)


def _seed_sums(seeds: Sequence[Entry]) -> str:
    counts = _counts(seeds)
    total, broken, seconds = (sum(one[name] for one in seeds) for name in ("seeds", "broken", "seconds"))
    rate = total / max(1, sum(one["seconds"] * one["cores"] for one in seeds))
    told = [f"{total:,} seeds, {broken} complaints of the judges, in {seconds:,} s: {rate:.1f} seeds/s a core"]
    told += [f"{name} {counts.pop(name, 0):,}" for name in ("questions", "crashes", "calls cut", "calls refused")]
    told += [f"{name} {counts.pop(name, 0):,}" for name in ("lost", "asked twice", "answered twice")]
    told += [f"{name} {number:,}" for name, number in counts.items()]
    return " · ".join(told)


def _counts(entries: Iterable[Entry]) -> dict[str, int]:
    sums: dict[str, int] = {}
    for entry in entries:
        for name, number in entry["counts"].items():
            sums[name] = sums.get(name, 0) + number
    return dict(sorted(sums.items()))


def _sums(entries: Sequence[Entry]) -> str:
    return " · ".join(f"{name.replace('_', ' ')} {number:,g}" for name, number in together(entries).items()) or NOT_YET


def _runs(seeds: Sequence[Entry]) -> str:
    rows = (
        (
            one["date"],
            one["commit"],
            f"{one['first']:,} to {one['last']:,}",
            one["broken"],
            f"{one['seconds']:,}",
            one["cores"],
            f"{one['seeds'] / max(1, one['seconds']):.1f}",
            one["beside"],
            one.get("note", ""),
        )
        for one in seeds
    )
    head = (
        "date",
        "commit",
        "seeds",
        "complaints",
        "seconds",
        "cores",
        "seeds/s",
        "also beside a lasting fault",
        "note",
    )
    return "## Runs of the simulation\n\n" + (_table(head, rows) if seeds else f"{NOT_YET}\n")


def known_seeds(entries: Sequence[Entry]) -> dict[str, int | None]:
    """Say which seed finds each deliberate bug, by the last run that looked."""
    found: dict[str, int | None] = {}
    for entry in _of(entries, "deliberate bugs"):
        found |= entry["found"]
    return found


def _bugs_in_short(entries: Sequence[Entry]) -> str:
    found = known_seeds(entries)
    seen = [seed for seed in found.values() if seed is not None]
    return f"{len(seen)} of {len(found)} found, all by seeds up to {max(seen):,}" if seen else NOT_YET


def _bugs(entries: Sequence[Entry]) -> str:
    rows = [(name.replace("_", " "), seed or "not found") for name, seed in known_seeds(entries).items()]
    head = "## Deliberate bugs\n\nEach was put into the core, and seeds of 1 to 1,000 run until a promise broke.\n\n"
    return head + (_table(("bug", "a seed that finds it"), rows) if rows else f"{NOT_YET}\n")


def _attacks(entries: Sequence[Entry]) -> str:
    head = (
        "## Attacks\n\nWhat everybody else notices while each runs against the real process, beside the quiet time of"
        " the same minutes: within so many ms 99 of 100 deliveries are acknowledged and `/healthz` answers.\n\n"
    )
    latest = {one["kind"]: one for one in entries}
    names = ("ack_p99_quiet", "ack_p99", "healthz_p99", "answers_ratio", "memory_mb", "refused")
    rows = [(kind, one["commit"], *(f"{one[name]:g}" for name in names)) for kind, one in latest.items()]
    columns = ("attack", "commit", "ack p99, quiet", "ack p99", "healthz p99", "answers, quiet = 1", "MB", "refused")
    return head + (_table(columns, rows) if rows else f"{NOT_YET}\n")


def _attacks_in_short(entries: Sequence[Entry]) -> str:
    latest = {one["kind"]: one for one in entries}.values()
    worst = {name: max((one[name] for one in latest), default=0.0) for name in ("ack_p99", "healthz_p99", "memory_mb")}
    told = f"{len(latest)} kinds · at most: ack p99 {worst['ack_p99']:g} ms, healthz p99 {worst['healthz_p99']:g} ms"
    return f"{told}, {worst['memory_mb']:g} MB" if latest else NOT_YET


def _lasting(entries: Sequence[Entry]) -> str:
    head = (
        "## Beside a lasting fault\n\nOne thing is broken for good, the rest is well. How long everybody else waits,"
        " from question to whole answer, in simulated seconds, beside the same seeds without the fault.\n\n"
    )
    latest = {one["kind"]: one for one in entries}
    names = ("seeds", "questions", "worst wait without", "worst wait beside", "later at most")
    rows = [(f"{kind}: {one['what']}", *(one[name] for name in names)) for kind, one in latest.items()]
    columns = (
        "fault",
        "seeds",
        "questions of others",
        "worst wait without",
        "worst wait beside",
        "one waits longer by",
    )
    return head + (_table(columns, rows) if rows else f"{NOT_YET}\n")


def _shrunk(entries: Sequence[Entry]) -> str:
    latest = {one["bug"]: one for one in entries}
    parts = ["## Failing seeds, shrunk", "", *(() if latest else (NOT_YET, ""))]
    for bug, one in latest.items():
        parts += [
            f"### {bug.replace('_', ' ')}, seed {one['seed']}",
            "",
            *_smaller(one),
            "",
            "```",
            *one["story"],
            "```",
            "",
        ]
    return "\n".join(parts)


def _smaller(one: Entry) -> Iterator[str]:
    yield ", ".join(f"{what} {before} → {one['after'][what]}" for what, before in one["before"].items())
    yield f"(in {one['runs']} runs)."


def _faults(entries: Sequence[Entry]) -> str:
    head = (
        "## Faults of our own\n\nWhat seeds have found in our code, by the history: commits that mend the core together"
        " with the simulation, or say so. Which of several a seed showed first, the history does not tell.\n\n"
    )
    return head + _table(("mended in", "fault"), [(one["mended in"], one["what"]) for one in entries])
