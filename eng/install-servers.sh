#!/usr/bin/env bash
# Installs, on Debian or Ubuntu, the servers and clients that test.sh and demo.sh start for themselves, if they
# are missing. The distribution's own services are not started, and no database cluster is made.
#
# With --tests also what only test.sh needs: Chromium, Alertmanager, Node.js, and packages of npm (TimescaleDB in WebAssembly, and
# what the dashboard's pages are checked with).
set -euo pipefail
cd "$(dirname "$0")/.."

node_folders="tests/Telemetry.TestKit/Servers/Timescale tests/Telemetry.Integration/Dashboard/types"
tests=no
[ "${1:-}" != --tests ] || tests=yes

policy=/usr/sbin/policy-rc.d
clusters=/etc/postgresql-common/createcluster.conf
saved=

has() { command -v "$1" >/dev/null || [ -x "/usr/sbin/$1" ]; }

missing_packages() {
  has nats-server || echo nats-server
  compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || has initdb || echo postgresql
  has mosquitto || echo mosquitto
  has mosquitto_passwd && has mosquitto_pub || echo mosquitto-clients mosquitto
  /usr/bin/python3 -c 'import paho.mqtt.client' 2>/dev/null || echo python3-paho-mqtt
  [ -z "${TELEMETRY_KAFKA_DIR:-}" ] || has java || echo openjdk-17-jre-headless
  has setpriv && has ipcrm || echo util-linux
  [ "$tests" = no ] || { has node && has npm; } || echo nodejs npm
  [ "$tests" = no ] || has chromium || echo chromium
  [ "$tests" = no ] || has prometheus-alertmanager || echo prometheus-alertmanager
}

# Those that the lock file names, by their checksums. The copy of the lock file says which ones are there.
install_node_packages() {
  local folder
  [ "$tests" = yes ] || return 0
  for folder in $node_folders; do
    cmp -s "$folder/package-lock.json" "$folder/node_modules/installed.json" && continue
    echo "Installing the packages of $folder from npm's registry."
    npm ci --loglevel=error --prefix "$folder"
    cp "$folder/package-lock.json" "$folder/node_modules/installed.json"
  done
}

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

install_packages() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

# While packages are set up: 101 forbids every start of a service (invoke-rc.d(8)).
forbid_services() {
  saved=$(mktemp -d)
  [ ! -e "$policy" ] || as_root cp -a "$policy" "$saved/policy"
  printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
  as_root chmod 755 "$policy"
}

forbid_cluster() {
  as_root cp -a "$clusters" "$saved/clusters"
  as_root sed -i 's/^[# ]*create_main_cluster.*/create_main_cluster = false/' "$clusters"
}

restore() {
  [ -n "$saved" ] || return 0
  as_root rm -f "$policy"
  [ ! -e "$saved/policy" ] || as_root cp -a "$saved/policy" "$policy"
  [ ! -e "$saved/clusters" ] || as_root cp -a "$saved/clusters" "$clusters"
  as_root rm -rf "$saved"
  saved=
}

# Nor at the next boot. Only services that came with what was installed here.
disable_services() {
  local service
  has systemctl || return 0
  for service in mosquitto nats-server postgresql; do
    [[ " $* " != *" $service "* ]] || as_root systemctl disable --quiet "$service" 2>/dev/null ||
      echo "note: systemd could not disable the service $service"
  done
}

mapfile -t packages < <(missing_packages | tr ' ' '\n' | sort -u)
if [ ${#packages[@]} -eq 0 ]; then
  install_node_packages
  exit
fi
if ! has apt-get || { [ "$(id -u)" != 0 ] && ! has sudo; }; then
  echo "Missing: ${packages[*]}. Install them as root, without starting their services:" >&2
  echo "  apt-get install --no-install-recommends ${packages[*]}" >&2
  exit 1
fi

echo "Installing ${packages[*]} (their services are not started)."
trap restore EXIT
as_root apt-get update -qq
forbid_services
if [[ " ${packages[*]} " == *" postgresql "* ]]; then
  # Its settings must be there before the server's own package asks them whether to make a cluster.
  install_packages postgresql-common
  forbid_cluster
fi
install_packages "${packages[@]}"
disable_services "${packages[@]}"
restore

mapfile -t packages < <(missing_packages)
if [ ${#packages[@]} -gt 0 ]; then
  echo "Still missing after the installation: ${packages[*]}" >&2
  exit 1
fi
install_node_packages
