"""Print how every form keeps the hard answers: `python -m tests.render.table`."""

from __future__ import annotations

from tests.render.figures import COLUMNS, table


def main() -> None:
    """Print a row a form; shares are of lines, pieces of code and addresses that are there, whole and in order."""
    print(f"{'':18}" + "".join(f"{column:>12}" for column in COLUMNS))
    for form, row in table().items():
        cells = [
            f"{1 - row[column] / row[f'{column} of']:.2%}" if f"{column} of" in row else str(row[column])
            for column in COLUMNS
        ]
        print(f"{form:18}" + "".join(f"{cell:>12}" for cell in cells))


if __name__ == "__main__":
    main()
