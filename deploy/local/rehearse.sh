#!/usr/bin/env bash
# Installs what is missing, builds, and becomes the rehearsal. No build server stays behind.
set -euo pipefail
cd "$(dirname "$0")/../.."

if ! command -v dotnet >/dev/null; then
  echo "The .NET SDK is missing; global.json says which." >&2
  exit 2
fi

deploy/local/install-servers.sh
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 DOTNET_CLI_UI_LANGUAGE=en
export MSBUILDDISABLENODEREUSE=1 DOTNET_CLI_USE_MSBUILD_SERVER=0 UseSharedCompilation=false
echo "building"
dotnet build tests/Telemetry.Rehearsal -c Release -v q -clp:ErrorsOnly -nologo -nodeReuse:false
exec dotnet tests/Telemetry.Rehearsal/bin/Release/net10.0/Telemetry.Rehearsal.dll "$@"
