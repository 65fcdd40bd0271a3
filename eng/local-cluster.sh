#!/usr/bin/env bash
# Runs the whole system as processes of this machine; demo.sh and eng/killtest.sh call it (tests/Telemetry.SystemTests).
# Installs what is missing and builds first. No build server stays behind, and no temporary file.
#   eng/local-cluster.sh demo|kill [OPTION ...]
set -euo pipefail
cd "$(dirname "$0")/.."

if ! command -v dotnet >/dev/null; then
  echo "The .NET SDK is missing; global.json says which." >&2
  exit 2
fi

eng/install-servers.sh
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 DOTNET_CLI_UI_LANGUAGE=en
export MSBUILDDISABLENODEREUSE=1 DOTNET_CLI_USE_MSBUILD_SERVER=0 UseSharedCompilation=false
# Open to pass through, as PostgreSQL runs as another user.
TMPDIR=$(mktemp -d "${TMPDIR:-/tmp}/telemetry-cluster.XXXXXX")
export TMPDIR
chmod 755 "$TMPDIR"
trap 'rm -rf "$TMPDIR"' EXIT
echo "building"
dotnet build tests/Telemetry.SystemTests -c Release -v q -clp:ErrorsOnly -nologo -nodeReuse:false
# Beside this shell, so that a signal to the shell alone reaches the system tests too; they clean up, and then we do.
dotnet tests/Telemetry.SystemTests/bin/Release/net10.0/Telemetry.SystemTests.dll "$@" &
tests=$!
trap 'kill -TERM "$tests" 2>/dev/null || true' INT TERM
while true; do
  code=0
  wait "$tests" || code=$?
  # A signal ends the wait, not the system tests.
  kill -0 "$tests" 2>/dev/null || exit "$code"
done
