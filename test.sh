#!/usr/bin/env bash
# Builds, checks the format and runs all test suites; installs the servers that they start, if missing. Logs go to
# .run/test/. The last line is "N passed, N failed, N skipped"; the exit code is 0 only when nothing failed, every
# suite ran some test, and nothing was left running. Skipped are the tests with a Kafka broker where
# TELEMETRY_KAFKA_DIR names none, those in containers where no Docker engine answers (TELEMETRY_CONTAINERS_REQUIRED=true:
# they fail), and, unless CI=true, those whose server could not be installed.
set -uo pipefail
cd "$(dirname "$0")"

suites=(Telemetry.Tests Telemetry.Integration Telemetry.Simulation Telemetry.Containers)
unit_seconds_max=20
suite_time_max=30m
logs=.run/test
problems=()
passed=0 failed=0 skipped=0

export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 DOTNET_CLI_UI_LANGUAGE=en
# No build server stays behind.
export MSBUILDDISABLENODEREUSE=1 DOTNET_CLI_USE_MSBUILD_SERVER=0 UseSharedCompilation=false
# Every process that comes from here carries this mark, so that leftovers are known as ours.
export TELEMETRY_TEST_RUN="$$-$(date +%s%N)"

begin() { stage=$1; stage_began=$SECONDS; }
report() { printf '%-24s %-40s %4d s\n' "$stage" "$1" $((SECONDS - stage_began)); }
problem() { problems+=("$1"); }

finish() {
  rm -rf "$TMPDIR"
  for line in "${problems[@]}"; do echo "problem: $line"; done
  echo "$passed passed, $failed failed, $skipped skipped"
  [ ${#problems[@]} -eq 0 ] && [ "$failed" -eq 0 ]
  exit
}

# In a subshell without the mark: the search would find itself else.
leftover_processes() (
  mark=$TELEMETRY_TEST_RUN
  unset TELEMETRY_TEST_RUN
  grep -lsxz "TELEMETRY_TEST_RUN=$mark" /proc/[0-9]*/environ | cut -d/ -f3
)

# Ports that a process listens on: its sockets, looked up in the kernel's tables (state 0A).
listening_ports() {
  local sockets
  sockets=$(ls -l "/proc/$1/fd" 2>/dev/null | sed -n 's/.*socket:\[\([0-9]*\)\]/\1/p')
  awk -v sockets="$sockets" '
    BEGIN { split(sockets, list, "\n"); for (i in list) ours[list[i]] = 1 }
    $4 == "0A" && ($10 in ours) { split($2, address, ":"); print address[2] }' /proc/net/tcp /proc/net/tcp6 |
    while read -r hex; do printf ' %d' "0x$hex"; done
}

# Of the tests in containers, by the label that all of them carry: "kind id" a line.
leftover_containers() {
  local label="label=telemetry.test-run=$TELEMETRY_TEST_RUN"
  timeout 10s docker version >/dev/null 2>&1 || return 0
  docker ps --all --quiet --filter "$label" | sed 's/^/container /'
  docker network ls --quiet --filter "$label" | sed 's/^/network /'
  docker image ls --quiet --filter "$label" | sort -u | sed 's/^/image /'
}

check_leftovers() {
  local process ports folder kind id
  while read -r kind id; do
    problem "left in the Docker engine: $kind $id"
    if [ "$kind" = container ]; then docker rm --force --volumes "$id"; else docker "$kind" rm "$id"; fi >/dev/null
  done < <(leftover_containers)
  for _ in $(seq 100); do
    [ -n "$(leftover_processes)" ] || break
    sleep 0.1 # It may be on its way out.
  done
  for process in $(leftover_processes); do
    ports=$(listening_ports "$process")
    problem "left running: $process $(tr '\0' ' ' <"/proc/$process/cmdline")${ports:+, listens on$ports}"
    kill -KILL "$process"
  done
  for folder in "$TMPDIR"/telemetry-*; do
    [ ! -e "$folder" ] || problem "left in the temporary folder: ${folder##*/}"
  done
}

run_suite() {
  local suite=$1 log=$logs/$1.log code counts
  begin "$suite"
  timeout --kill-after=10s "$suite_time_max" \
    dotnet test "tests/$suite" -c Release --no-build -nodeReuse:false >"$log" 2>&1 </dev/null
  code=$?
  counts=$(awk '/^(Passed|Failed|Skipped)! +- Failed:/ {
      gsub(/[^0-9 ]/, " "); failed += $1; passed += $2; skipped += $3; lines++
    } END { if (lines) print passed, failed, skipped }' "$log")
  if [ -z "$counts" ]; then
    report "ran nothing"
    if [ $code -eq 0 ]; then problem "$suite ran no test"; else problem "$suite crashed ($code), see $log"; fi
    [ $code -eq 0 ] || tail -n 20 "$log"
    return
  fi
  read -r p f s <<<"$counts"
  passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
  report "$p passed, $f failed, $s skipped"
  [ $((p + f)) -gt 0 ] || problem "$suite only skipped"
  if [ $code -ne 0 ] || [ "$f" -gt 0 ]; then
    problem "$suite failed ($code), see $log"
    grep -A 12 '^ *Failed ' "$log" | head -n 100
  fi
  if [ "$suite" = Telemetry.Tests ] && [ $((SECONDS - stage_began)) -gt $unit_seconds_max ]; then
    echo "note: the unit tests took more than $unit_seconds_max s"
  fi
}

# Of its own, to see what tests leave in it; open to pass through, as servers may run as another user.
TMPDIR=$(mktemp -d "${TMPDIR:-/tmp}/telemetry-tests.XXXXXX")
export TMPDIR
chmod 755 "$TMPDIR"
trap 'rm -rf "$TMPDIR"' EXIT
rm -rf "$logs"
mkdir -p "$logs"

if ! command -v dotnet >/dev/null; then
  problem "the .NET SDK is missing (global.json says which)"
  finish
fi

begin servers
if ! eng/install-servers.sh --tests; then
  if [ "${CI:-}" = true ]; then problem "servers are missing"; finish; fi
  echo "Going on without them: their tests are skipped."
fi
report "present"

begin build
if ! dotnet build Telemetry.sln -c Release -v q -clp:ErrorsOnly -nodeReuse:false >"$logs/build.log" 2>&1; then
  cat "$logs/build.log"
  problem "the build failed"
  finish
fi
report "Release, no warnings"

begin format
# Whitespace alone: the build has enforced style and analysis already.
if dotnet format whitespace Telemetry.sln --verify-no-changes --no-restore >"$logs/format.log" 2>&1; then
  report "as it should be"
else
  report "differs"
  head -n 20 "$logs/format.log"
  problem "dotnet format would change something"
fi

export TELEMETRY_SIMULATION_REPORT=$PWD/$logs/simulation.txt TELEMETRY_CONTAINERS_REPORT=$PWD/$logs/containers.txt
for suite in "${suites[@]}"; do run_suite "$suite"; done
# What the servers said of themselves, and what became of the faults; nothing where no engine answered.
cat "$TELEMETRY_CONTAINERS_REPORT" 2>/dev/null
cat "$TELEMETRY_SIMULATION_REPORT" 2>/dev/null || problem "the simulation did not say how often each fault struck"
check_leftovers
finish
