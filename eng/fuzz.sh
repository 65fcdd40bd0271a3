#!/usr/bin/env bash
# fuzz.sh [batches] [mutations] [seed] [comparisons]: so many random batches must come back bit for bit, so many mutated
# frames (right checksums, all versions) be read or refused, and of so many frames, sound and mutated ones, the decoder in
# Python must think the same. ./test.sh runs a thousand, ten thousand and three hundred.
set -euo pipefail
cd "$(dirname "$0")/.."
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
# No build server stays behind.
export MSBUILDDISABLENODEREUSE=1 DOTNET_CLI_USE_MSBUILD_SERVER=0 UseSharedCompilation=false
export TELEMETRY_CODEC_ROUNDS=${1:-1000000} TELEMETRY_CODEC_MUTATIONS=${2:-10000000} TELEMETRY_CODEC_SEED=${3:-1}
export TELEMETRY_CODEC_COMPARISONS=${4:-10000}
tests=CompactColumnsTests.Random_readings,MutatedFrameTests.Mutated_frames
tests+=,AnotherDecoderTests.Another_decoder
exec dotnet test tests/Telemetry.Tests -c Release -nologo -v q -nodeReuse:false --logger "console;verbosity=normal" \
  --filter "FullyQualifiedName~${tests//,/|FullyQualifiedName~}"
