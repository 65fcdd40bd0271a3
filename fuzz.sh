#!/usr/bin/env bash
# fuzz.sh [frames] [mutations] [seed]: so many random frames must come back bit for bit, and so many mutated ones be read or
# refused. ./test.sh runs a thousand of the ones and ten thousand of the others.
set -euo pipefail
cd "$(dirname "$0")"
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
export TELEMETRY_CODEC_ROUNDS=${1:-1000000} TELEMETRY_CODEC_MUTATIONS=${2:-10000000} TELEMETRY_CODEC_SEED=${3:-1}
dotnet test tests/Telemetry.Tests -c Release -nologo -v q --logger "console;verbosity=normal" \
  --filter "FullyQualifiedName~CompactColumnsTests.Random_readings|FullyQualifiedName~CompactColumnsTests.Mutated_columns"
