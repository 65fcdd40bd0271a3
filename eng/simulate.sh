#!/usr/bin/env bash
# eng/simulate.sh [first] [count]: runs worlds by seed beyond the 300 of ./test.sh; prints how often each fault struck.
# eng/simulate.sh trace <seed> <file>: runs one world and writes everything that happened in it to a file.
set -euo pipefail
cd "$(dirname "$0")/.."
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
filter=SeedsTests
if [ "${1:-}" = trace ]; then
    export TELEMETRY_SIMULATION_FIRST=${2:?which seed} TELEMETRY_SIMULATION_TRACE=${3:?which file}
    filter=OneSeedTests
else
    export TELEMETRY_SIMULATION_FIRST=${1:-1} TELEMETRY_SIMULATION_COUNT=${2:-1000}
    TELEMETRY_SIMULATION_REPORT=$(mktemp)
    export TELEMETRY_SIMULATION_REPORT
    trap 'cat "$TELEMETRY_SIMULATION_REPORT"; rm -f "$TELEMETRY_SIMULATION_REPORT"' EXIT
fi
dotnet test tests/Telemetry.Simulation -c Release --filter "FullyQualifiedName~$filter" -nologo -v q --logger "console;verbosity=normal"
