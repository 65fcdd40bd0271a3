#!/usr/bin/env python3
"""Puts named mistakes ("mutations") into a copy of the tree, one at a time, and says which suite notices each.

  eng/mutations/run.py                 tries every mutation of list.toml that has no result for this commit yet
  eng/mutations/run.py NAME ...        tries these again
  eng/mutations/run.py --check         only: does every mutation still apply to this tree?
  eng/mutations/run.py --table         only: writes docs/internals/mutations.md from the results
  eng/mutations/run.py --without-integration    leaves the slowest suite out; what survives is tried again without it
  eng/mutations/run.py --unit                   as that, with the unit tests alone

A mutation replaces one piece of text of one file, which must occur there exactly once; not the value of a const, of
which other assemblies have copies: the file's project alone is built again. The suites run in rising cost
(unit tests, simulation, integration tests of the mutation's area) and stop at the first failed test: the mutation is
dead. One mutation takes at most four minutes; a suite that does not end within its part of them is killed, and the
mutation counts as dead only if the same suite ended within half of that time without any mutation. The first run in a
copy is such a control run, in which every suite must pass. Results are kept in .run/mutations/results, so that a run
that was interrupted goes on where it stopped. Needs what ./test.sh needs; run it on a quiet machine.
Exit code 0: every mutation died or is listed as surviving with a reason.
"""

import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LIST = ROOT / "eng/mutations/list.toml"
TABLE = ROOT / "docs/internals/mutations.md"
SECONDS_MAX = 240
SEEDS = 60

# Suite, its project, seconds that it may take, and what limits it to a part.
SUITES = [("unit", "Telemetry.Tests", 80), ("simulation", "Telemetry.Simulation", 90),
          ("integration", "Telemetry.Integration", 110)]

# The simulation has its own side of these ports: it never runs their code.
NOT_SIMULATED = ["Storage/Postgres/", "Alerting/Kafka/", "Outbox/Sqlite/", "MqttSessions/", "Uplink/Mqtt/",
                 "Streams/JetStream/"]


# The commit of a row whose commit is not known one by one: tried at b302132e98f8 or before it.
OLDER = "older"


def read_list():
    with open(LIST, "rb") as file:
        mutations = tomllib.load(file)["mutation"]
    names = [m["name"] for m in mutations]
    double = {n for n in names if names.count(n) > 1}
    if double:
        sys.exit(f"{LIST}: two mutations are called {', '.join(sorted(double))}")
    for mutation in mutations:
        lacking = {"name", "area", "file", "find", "replace", "harm"} - mutation.keys()
        if lacking:
            sys.exit(f"{LIST}: mutation {mutation.get('name', '?')} lacks {', '.join(sorted(lacking))}")
    return mutations


def applied(mutation, root):
    """The file's text with the mutation in it, or what is wrong."""
    path = root / mutation["file"]
    if not path.exists():
        return None, f"{mutation['file']} does not exist"
    text = path.read_text(encoding="utf-8")
    found = text.count(mutation["find"])
    if found != 1:
        return None, f"its text occurs {found} times in {mutation['file']}"
    if mutation["find"] == mutation["replace"]:
        return None, "it changes nothing"
    return text.replace(mutation["find"], mutation["replace"]), None


def check(mutations):
    bad = 0
    for mutation in mutations:
        wrong = applied(mutation, ROOT)[1]
        if wrong:
            bad += 1
            print(f"{mutation['name']}: {wrong}")
    print(f"{len(mutations)} mutations, {len(mutations) - bad} apply, {bad} do not")
    return bad == 0


class Copy:
    """A copy of the committed tree that is built once; of a mutation only its own project is built again."""

    def __init__(self, folder):
        self.root = folder / "tree"
        self.replaced = {}
        self.mark = f"mutations-{os.getpid()}-{time.time_ns()}"
        self.temporary = Path(tempfile.mkdtemp(prefix="telemetry-mutations."))
        os.chmod(self.temporary, 0o755)
        self.environment = os.environ | {
            "DOTNET_CLI_TELEMETRY_OPTOUT": "1", "DOTNET_NOLOGO": "1", "DOTNET_CLI_UI_LANGUAGE": "en",
            "MSBUILDDISABLENODEREUSE": "1", "DOTNET_CLI_USE_MSBUILD_SERVER": "0",
            "UseSharedCompilation": os.environ.get("UseSharedCompilation", "false"),
            "TELEMETRY_TEST_RUN": self.mark, "TMPDIR": str(self.temporary), "TELEMETRY_SIMULATION_COUNT": str(SEEDS),
        }

    def make(self, commit):
        if (self.root / ".commit").exists() and (self.root / ".commit").read_text() == commit:
            return
        if self.root.exists():
            shutil.rmtree(self.root)
        self.root.mkdir(parents=True)
        archive = subprocess.Popen(["git", "-C", str(ROOT), "archive", commit], stdout=subprocess.PIPE)
        subprocess.run(["tar", "-x", "-C", str(self.root)], stdin=archive.stdout, check=True)
        (self.root / ".commit").write_text(commit)

    def run(self, command, seconds):
        """Runs a command; returns its exit code (None: it did not end in time) and what it printed."""
        with tempfile.TemporaryFile(dir=self.temporary) as output:
            process = subprocess.Popen(command, cwd=self.root, env=self.environment, stdin=subprocess.DEVNULL,
                                       stdout=output, stderr=subprocess.STDOUT, start_new_session=True)
            try:
                code = process.wait(seconds)
            except subprocess.TimeoutExpired:
                code = None
            self.end_everything(process)
            output.seek(0)
            return code, output.read().decode("utf-8", "replace")

    def end_everything(self, process):
        """Ends what the command left running: every process that carries this run's mark."""
        mark = f"TELEMETRY_TEST_RUN={self.mark}".encode()
        for folder in Path("/proc").iterdir():
            if folder.name.isdigit() and int(folder.name) != os.getpid():
                try:
                    if mark in (folder / "environ").read_bytes().split(b"\0"):
                        os.kill(int(folder.name), signal.SIGKILL)
                except OSError:
                    pass  # It ended meanwhile, or is another user's.
        process.wait()
        for left in self.temporary.glob("telemetry-*"):
            shutil.rmtree(left, ignore_errors=True)

    def close(self):
        shutil.rmtree(self.temporary, ignore_errors=True)

    def build(self, project):
        return self.run(["dotnet", "build", f"tests/{project}", "-c", "Release", "-v", "q", "-clp:ErrorsOnly",
                         "-nodeReuse:false", "-p:RunAnalyzers=false", "-p:TreatWarningsAsErrors=false"], 400)

    def build_alone(self, file):
        """Builds the project of the file alone, and puts its assembly where the suites load it from."""
        project = Path(*Path(file).parts[:2])
        built = self.root / project / f"bin/Release/net10.0/{project.name}.dll"
        self.replaced.setdefault(built, built.read_bytes())
        code, output = self.run(["dotnet", "build", str(project), "-c", "Release", "-v", "q", "-clp:ErrorsOnly",
                                 "-nodeReuse:false", "-p:RunAnalyzers=false", "-p:TreatWarningsAsErrors=false",
                                 "--no-dependencies", "--no-restore"], 400)
        for copy in self.root.glob(f"*/*/bin/Release/net10.0/{project.name}.dll") if code == 0 else []:
            if copy != built:
                self.replaced.setdefault(copy, copy.read_bytes())
                copy.write_bytes(built.read_bytes())
        return code, output

    def put_back(self):
        """The assemblies are again as they were built without a mutation."""
        for path, content in self.replaced.items():
            path.write_bytes(content)
        self.replaced.clear()

    def test(self, project, tests, seconds):
        command = ["dotnet", "test", f"tests/{project}", "-c", "Release", "--no-build", "-nodeReuse:false"]
        if tests:
            command += ["--filter", "|".join(
                f"FullyQualifiedName!~{t[1:]}" if t[0] == "!" else f"FullyQualifiedName~{t}" for t in tests)]
        return self.run(command + ["--", "xUnit.StopOnFail=true"], seconds)


def filters(suite, mutation):
    """The tests to run, by parts of their names; "!" leaves out. A test of how sources look would prove nothing."""
    if suite == "simulation":
        return ["SeedsTests", "RelayTests"]
    if suite == "integration":
        return mutation.get("integration", ["Storage", "Processing", "Edge"])
    return ["!Tests.Architecture"]


def is_simulated(mutation):
    return not any(part in mutation["file"] for part in NOT_SIMULATED)


def what_failed(output):
    # The second form is all there is of it when stopping at the first failure ends the process.
    failed = (re.findall(r"^\s*Failed (\S+)", output, re.M)
              or re.findall(r"^\[xUnit.net [0-9:.]+\]\s+(\S+).* \[FAIL\]", output, re.M))
    seeds = re.search(r"(\d+) of (\d+) seeds fail", output)
    name = ".".join(failed[0].split("(")[0].split(".")[-2:]) if failed else "the test process ended early"
    return name, (int(seeds[1]), int(seeds[2])) if seeds else None


def attempt(copy, mutation, control, say, suites, seconds_max):
    """Tries one mutation (None: none, the control run). Returns its result."""
    began = time.monotonic()
    took = {}
    areas = mutation or {"integration": control}
    for suite, project, limit in suites:
        wanted = filters(suite, areas)
        if suite == "integration" and not wanted:
            continue
        if suite == "simulation" and mutation and not is_simulated(mutation):
            continue
        if mutation is None:
            code, output = copy.build(project)
        elif not took:
            code, output = copy.build_alone(mutation["file"])
        if code != 0:
            errors = sorted(set(re.findall(r"error [A-Z]+\d+: [^\[]*", output)))[:2]
            return {"state": "does not compile", "by": "; ".join(errors) or output[-300:]}
        left = seconds_max - (time.monotonic() - began) if mutation else 0
        if mutation and left < 15:
            return {"state": "survived", "by": f"time ran out before {suite}"}
        started = time.monotonic()
        code, output = copy.test(project, wanted, min(limit, left) if mutation else 900)
        took[suite] = round(time.monotonic() - started, 1)
        say(f"{suite} {took[suite]} s" + ("" if code == 0 else ", noticed" if code is not None else ", did not end"))
        if not re.search(r"^(Passed|Failed)! ", output, re.M) and code == 0:
            return {"state": "ran no test", "by": f"{suite}: {wanted}"}
        if code is None:
            usual = control.get(suite, 1e9) if mutation else 0
            if usual > limit / 2:
                return {"state": "unclear", "by": f"{suite} did not end in {limit} s, without the mutation {usual} s"}
            return {"state": "dead", "suite": suite, "by": "does not end", "seconds": time.monotonic() - began}
        if code != 0:
            name, seeds = what_failed(output)
            return {"state": "dead", "suite": suite, "by": name, "seeds": seeds, "seconds": time.monotonic() - began,
                    "output": output[-4000:]}
    tried = " and ".join(s[0] for s in suites)
    return {"state": "survived", "by": f"{tried} passed", "whole": len(suites) == len(SUITES), "took": took, "seconds": time.monotonic() - began}


def control_run(copy, results, commit, mutations, suites):
    """Every suite that these mutations need passes without one; its times are what a hang is held against."""
    path = results / f"control-{commit[:12]}.json"
    known = json.loads(path.read_text()) if path.exists() else {}
    every = sorted({t for m in mutations for t in filters("integration", m)})
    if not set(every) <= set(known.get("filters", [])):
        known.pop("integration", None)
    suites = [s for s in suites if s[0] not in known
              and (s[0] != "simulation" or any(is_simulated(m) for m in mutations))]
    if not suites:
        return known
    print("control run, no mutation:", flush=True)
    result = attempt(copy, None, every, lambda text: print("  " + text, flush=True), suites, None)
    if result["state"] != "survived":
        print(result.get("output", ""))
        sys.exit(f"the tree fails without any mutation: {result.get('suite', '')} {result['by']}")
    known |= result["took"] | {"filters": every}
    path.write_text(json.dumps(known))
    return known


def is_done(result, commit, suites):
    """True for a result of this commit that these suites would not change."""
    return result.get("commit") == commit[:12] and (
        result["state"] == "dead" or result.get("whole") or len(suites) < len(SUITES))


def rows_before():
    """State, what noticed it, and the commit, of each mutation in the table as it stands."""
    rows = {}
    for line in TABLE.read_text(encoding="utf-8").splitlines() if TABLE.exists() else []:
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| ") and len(cells) == 6 and cells[0] not in ("mutation", "---"):
            rows[cells[0]] = tuple(cells[3:])
    return rows


def row_of(mutation, results, before):
    path = results / f"{mutation['name']}.json"
    if not path.exists():
        return before.get(mutation["name"], ("not tried", "", "-"))
    result = json.loads(path.read_text())
    if result["state"] != "dead":
        return result["state"], mutation.get("survives", result["by"]), result["commit"]
    by = what_failed(result["output"])[0] if "output" in result else result["by"]
    if result.get("seeds"):
        failed, of = result["seeds"]
        by += f", {failed} of {of} seeds"
    return f"dead: {result['suite']}", by, result["commit"]


def write_table(mutations, results):
    """A mutation that has no result here keeps the row that it has, with the commit at which it was tried."""
    lines, dead, survived, open_, before = [], 0, [], [], rows_before()
    for mutation in mutations:
        state, by, commit = row_of(mutation, results, before)
        if state.startswith("dead"):
            dead += 1
        elif mutation.get("survives"):
            survived.append(mutation["name"])
        else:
            open_.append(mutation["name"])
        lines.append(f"| {mutation['name']} | {mutation['area']} | {mutation['harm']} | {state} | {by} | {commit} |")
    older = sum(line.endswith(f"| {OLDER} |") for line in lines)
    TABLE.write_text("\n".join([
        "# Mutations: which suite notices which mistake", "",
        "Written by `eng/mutations/run.py --table`; the mutations are in `eng/mutations/list.toml`. Each was put into a",
        "copy of the tree at the commit of its row, and the suites ran in rising cost until one failed. Simulation: so many",
        f"of {SEEDS} seeds failed.", "",
        f"{len(mutations)} mutations: {dead} dead, {len(survived)} survive with a reason, {len(open_)} open"
        + (f" ({', '.join(open_)})" if open_ else "") + ".",
        *([f"{older} of them (`{OLDER}`) were tried before the sources moved to the folders of today, and not since."]
          if older else []), "",
        "| mutation | area | what it does | state | noticed by, or why it survives | tried at |",
        "| --- | --- | --- | --- | --- | --- |", *lines, ""]), encoding="utf-8")
    print(f"{len(mutations)} mutations: {dead} dead, {len(survived)} survive with a reason, {len(open_)} open")
    return not open_


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="mutations to try again")
    parser.add_argument("--check", action="store_true", help="only whether they apply")
    parser.add_argument("--table", action="store_true", help="only write docs/internals/mutations.md")
    parser.add_argument("--without-integration", action="store_true", help="unit tests and simulation only")
    parser.add_argument("--unit", action="store_true", help="unit tests only")
    parser.add_argument("--slow", type=float, default=1, help="so many times the time limits, beside other work")
    parser.add_argument("--work", type=Path, default=ROOT / ".run/mutations", help="folder of the copy and the results")
    options = parser.parse_args()
    mutations = read_list()
    if options.check:
        sys.exit(0 if check(mutations) else 1)
    suites = [(suite, project, limit * options.slow) for suite, project, limit in SUITES]
    suites = suites[:1] if options.unit else suites[:2] if options.without_integration else suites
    results = options.work / "results"
    results.mkdir(parents=True, exist_ok=True)
    if options.table:
        sys.exit(0 if write_table(mutations, results) else 1)
    unknown = set(options.names) - {m["name"] for m in mutations}
    if unknown:
        sys.exit(f"no mutation is called {', '.join(sorted(unknown))}")
    if not check(mutations):
        sys.exit(1)

    commit = subprocess.run(["git", "-C", str(ROOT), "rev-parse", "HEAD"], capture_output=True, text=True,
                            check=True).stdout.strip()
    copy = Copy(options.work)
    try:
        copy.make(commit)
        chosen = [m for m in mutations if not options.names or m["name"] in options.names]
        control = control_run(copy, results, commit, chosen, suites)
        for suite, project, _ in suites:
            if suite in control:
                # A run that was cut off may have left a mutation in an assembly.
                code, output = copy.build(project)
                if code != 0:
                    sys.exit(f"{project} does not build without a mutation: {output[-300:]}")
        for mutation in mutations:
            path = results / f"{mutation['name']}.json"
            if options.names and mutation["name"] not in options.names:
                continue
            if not options.names and path.exists() and is_done(json.loads(path.read_text()), commit, suites):
                continue
            print(f"{mutation['name']}:", flush=True)
            text, wrong = applied(mutation, copy.root)
            if wrong:
                sys.exit(f"{mutation['name']}: {wrong}")
            target = copy.root / mutation["file"]
            original = target.read_text(encoding="utf-8")
            target.write_text(text, encoding="utf-8")
            try:
                result = attempt(copy, mutation, control, lambda said: print("  " + said, flush=True),
                                 suites, SECONDS_MAX * options.slow)
            finally:
                target.write_text(original, encoding="utf-8")
                copy.put_back()
            result["commit"] = commit[:12]
            path.write_text(json.dumps(result, indent=1))
            print(f"  {result['state']} {result.get('suite', '')} {result['by']}", flush=True)
    finally:
        copy.close()
    sys.exit(0 if write_table(mutations, results) else 1)


if __name__ == "__main__":
    main()
