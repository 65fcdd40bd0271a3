#!/usr/bin/env bash
# Runs one benchmark and prints its figures; docs/benchmarks/ has what was found.
#   eng/bench.sh agent|copy-columns|drain|end-to-end|ingress|layout|line-protocol|sessions|windows     --short: only whether it works
#   TELEMETRY_LAYOUT_READINGS=N eng/bench.sh layout         so many readings in the table that is queried
#   TELEMETRY_LAYOUT_SERVER=CONNECTION eng/bench.sh layout  on that TimescaleDB server; makes databases there and leaves them
#   TELEMETRY_TEST_DATA=FOLDER eng/bench.sh codec           recorded sensor data are in that folder
set -euo pipefail
cd "$(dirname "$0")/.."
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
export MSBUILDDISABLENODEREUSE=1 DOTNET_CLI_USE_MSBUILD_SERVER=0 UseSharedCompilation=false
dotnet build tests/Telemetry.Benchmarks -c Release -v q -clp:ErrorsOnly -nodeReuse:false >&2
exec dotnet tests/Telemetry.Benchmarks/bin/Release/net10.0/Telemetry.Benchmarks.dll "$@"
