#!/usr/bin/env python3
"""Draws docs/demo.svg from a recording of ./demo.sh:

  script -qec ./demo.sh /tmp/demo.txt && eng/demo-picture.py /tmp/demo.txt > docs/demo.svg

The recording is played as a terminal would. Shown are the screen at the moment at which most gateways were cut off and
held the most, with the events before it, and the verdict at the end. "…" stands for lines that are left out.
"""

import html
import re
import sys

EVENTS, GATEWAYS = 6, 6
WIDTH, LINE = 8.4, 18
STATES = {"cut": "#e3b341", "dead": "#f85149", "up": "#3fb950"}


def frames(text):
    """Screens as they were whenever the table had been drawn, and the last one."""
    lines = [""]
    for part in re.split(r"(\x1b\[\d+A\x1b\[J)", text.replace("\r", "")):
        if up := re.fullmatch(r"\x1b\[(\d+)A\x1b\[J", part):
            yield list(lines)
            lines = lines[: max(0, len(lines) - 1 - int(up[1]))] + [""]
            continue
        head, *rest = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", part).split("\n")
        lines[-1] += head
        lines += rest
    yield lines


def table_of(screen):
    starts = [i for i, line in enumerate(screen) if line.startswith("gateway    link")]
    return starts[-1] if starts else None


def trouble(screen):
    """How many gateways are cut off, and how many readings they hold."""
    at = table_of(screen)
    rows = [] if at is None else [line.split() for line in screen[at:] if re.match(r"\S+ +cut ", line)]
    return len(rows), sum(int(row[3]) for row in rows)


def some(rows):
    """The first gateways of a table, and those behind gw-19."""
    fleet = [row for row in rows if row.startswith("gw-")]
    return [row for row in rows if row not in fleet[GATEWAYS:]], f"… {len(fleet) - GATEWAYS} more"


def shortened(table):
    rows, more = some([line for line in table if line.strip()])
    at = max(i for i, row in enumerate(rows) if row.startswith("gw-")) + 1
    return rows[:at] + [more] + rows[at:]


def row(line, y):
    text = html.escape(line)
    state = re.match(r"(\S+ +)(cut|dead|up)( .*)$", text)
    if state:
        text = f'{state[1]}<tspan fill="{STATES[state[2]]}">{state[2]}</tspan>{state[3]}'
    elif line.startswith("gateway    link") or re.match(r" +\d+\.\d s  ", line):
        text = f'<tspan fill="#79c0ff">{text}</tspan>'
    elif "VERDICT" in line:
        text = f'<tspan fill="#3fb950" font-weight="bold">{text}</tspan>'
    return f'<text x="16" y="{y}" xml:space="preserve">{text}</text>'


def main():
    with open(sys.argv[1], encoding="utf-8", errors="replace") as file:
        screens = list(frames(file.read()))
    shown = max(screens, key=trouble)
    at = table_of(shown)
    end = next((i for i, line in enumerate(screens[-1]) if line.startswith("from the senders")), None)
    if at is None or end is None:
        sys.exit("the recording has no table or no verdict: record it on a terminal, to its end")
    events = [line for line in shown[:at] if line.strip()][-EVENTS:]
    verdict = shortened(screens[-1][end:])
    close = next(i for i, line in enumerate(verdict) if line.startswith("all "))
    good = [line for line in verdict if line.startswith("VERDICT")]
    lines = ["$ ./demo.sh", "…", *events, *shortened(shown[at:]), "…", *verdict[: close + 1], "…", *good]
    width, height = round(max(map(len, lines)) * WIDTH) + 32, len(lines) * LINE + 28
    print(f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
          'font-family="ui-monospace, Menlo, Consolas, monospace" font-size="14" fill="#c9d1d9">')
    print("<title>./demo.sh while all gateways are cut off, and its verdict</title>")
    print(f'<rect width="{width}" height="{height}" rx="8" fill="#0d1117"/>')
    for i, line in enumerate(lines):
        print(row(line, 26 + i * LINE))
    print("</svg>")


main()
