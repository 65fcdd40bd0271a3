#!/usr/bin/env bash
# Publishes the agent as a native program (NativeAOT): one executable and SQLite's library; the gateway needs no .NET.
#   eng/publish-agent.sh [--output FOLDER] [linux-x64|linux-arm64 ...]
# Both platforms unless some are named; each goes to FOLDER/PLATFORM (.run/agent unless given). Installs what the compiler
# needs with apt where it is missing and this runs as root. Warnings of the trimmer and of the compiler are errors. Prints
# sizes and what --version says; arm64 is tried where qemu-aarch64-static is installed. Where the program runs, glibc 2.34
# and libssl3 are needed (Debian 12, Ubuntu 22.04, Raspberry Pi OS 12 or newer, 64 bits).
set -euo pipefail
cd "$(dirname "$0")/.."

output=.run/agent
platforms=()
while [ $# -gt 0 ]; do
  case $1 in
    --output) output=${2:?--output needs a folder}; shift 2 ;;
    linux-x64 | linux-arm64) platforms+=("$1"); shift ;;
    *) echo "usage: eng/publish-agent.sh [--output FOLDER] [linux-x64|linux-arm64 ...]" >&2; exit 2 ;;
  esac
done

case $(uname -m) in
  x86_64) own=linux-x64 ;;
  aarch64) own=linux-arm64 ;;
  *) echo "$(uname -m) is not supported: publish on x86_64 or aarch64" >&2; exit 2 ;;
esac
if [ ${#platforms[@]} -eq 0 ]; then
  platforms=("$own")
  [ "$own" = linux-arm64 ] || platforms+=(linux-arm64)
fi

has() { command -v "$1" >/dev/null; }

# Debian's packages; from x86_64 to arm64 with another linker and the other platform's C library.
missing_packages() {
  has clang || echo clang
  [ -e /usr/include/zlib.h ] || echo zlib1g-dev
  [[ " ${platforms[*]} " == *" linux-arm64 "* && $own = linux-x64 ]] || return 0
  has ld.lld || echo lld
  has aarch64-linux-gnu-gcc || echo gcc-aarch64-linux-gnu
  has aarch64-linux-gnu-objcopy || echo binutils-aarch64-linux-gnu
  [ -e /usr/aarch64-linux-gnu/lib/libc.so.6 ] || echo libc6-dev-arm64-cross
}

mapfile -t packages < <(missing_packages)
if [ ${#packages[@]} -gt 0 ]; then
  if ! has apt-get || [ "$(id -u)" != 0 ]; then
    echo "Missing: ${packages[*]}. Install them as root: apt-get install --no-install-recommends ${packages[*]}" >&2
    exit 1
  fi
  echo "Installing ${packages[*]}."
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
fi

export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
# No build server stays behind.
export MSBUILDDISABLENODEREUSE=1 DOTNET_CLI_USE_MSBUILD_SERVER=0 UseSharedCompilation=false

# Built beside the tree: a restore for one platform would otherwise be in the way of the next ordinary build.
publish() {
  local platform=$1 linker=()
  [ "$platform" = "$own" ] || linker=(-p:LinkerFlavor=lld)
  rm -rf "${output:?}/$platform"
  dotnet publish edge/Telemetry.Agent -c Release -r "$platform" -p:PublishAot=true "${linker[@]}" \
    -p:OptimizationPreference=Size -p:TrimmerSingleWarn=false -p:CopyOutputSymbolsToPublishDirectory=false \
    --artifacts-path .run/agent-build -o "$output/$platform" -v q -nologo -clp:ErrorsOnly -nodeReuse:false
  # Of the managed assemblies, which are compiled into the program.
  rm -f "$output/$platform"/*.pdb "$output/$platform"/*.xml
}

version() {
  if [ "$1" = "$own" ]; then
    "$output/$1/Telemetry.Agent" --version
  elif has qemu-aarch64-static; then
    qemu-aarch64-static -L /usr/aarch64-linux-gnu "$output/$1/Telemetry.Agent" --version
  else
    echo "not tried: qemu-aarch64-static (package qemu-user-static) is not installed"
  fi
}

for platform in "${platforms[@]}"; do
  case $platform-$own in linux-x64-linux-arm64)
    echo "linux-x64 is published on x86_64 alone" >&2; exit 2 ;;
  esac
  publish "$platform"
  for file in "$output/$platform"/*; do
    printf '%-12s %-20s %6.1f MB\n' "$platform" "${file##*/}" "$(($(stat -c %s "$file") / 1000))e-3"
  done
  printf '%-12s %s\n' "$platform" "$(version "$platform")"
done
echo "published to $output"
