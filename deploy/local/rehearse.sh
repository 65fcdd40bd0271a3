#!/usr/bin/env bash
# Installs what is missing, builds, and runs the rehearsal. No build server stays behind, and no temporary file.
set -euo pipefail
cd "$(dirname "$0")/../.."

if ! command -v dotnet >/dev/null; then
  echo "The .NET SDK is missing; global.json says which." >&2
  exit 2
fi

deploy/local/install-servers.sh
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 DOTNET_CLI_UI_LANGUAGE=en
export MSBUILDDISABLENODEREUSE=1 DOTNET_CLI_USE_MSBUILD_SERVER=0 UseSharedCompilation=false
# Open to pass through, as PostgreSQL runs as another user.
TMPDIR=$(mktemp -d "${TMPDIR:-/tmp}/telemetry-rehearsal.XXXXXX")
export TMPDIR
chmod 755 "$TMPDIR"
trap 'rm -rf "$TMPDIR"' EXIT
echo "building"
dotnet build tests/Telemetry.SystemTests -c Release -v q -clp:ErrorsOnly -nologo -nodeReuse:false
# Beside this shell, so that a signal to the shell alone reaches the rehearsal too; it cleans up, and then we do.
dotnet tests/Telemetry.SystemTests/bin/Release/net10.0/Telemetry.SystemTests.dll "$@" &
rehearsal=$!
trap 'kill -TERM "$rehearsal" 2>/dev/null || true' INT TERM
while true; do
  code=0
  wait "$rehearsal" || code=$?
  # A signal ends the wait, not the rehearsal.
  kill -0 "$rehearsal" 2>/dev/null || exit "$code"
done
