#!/usr/bin/env bash
# Installs the agent on a gateway, as root, from the folder that this file is in: the published agent in agent/, and beside
# it agent.json, password, ca.pem and telemetry-agent.service. Calling it again installs what has changed; the outbox stays.
set -euo pipefail
cd "$(dirname "$0")"

program=/opt/telemetry-agent settings=/etc/telemetry-agent outbox=/var/lib/telemetry-agent
install -d -m 755 "$program" "$settings"
# With systemd's DynamicUser= this is a link into /var/lib/private after the first start.
[ -e "$outbox" ] || install -d -m 700 "$outbox"
install -m 755 agent/* "$program"
install -m 644 agent.json ca.pem "$settings"
install -m 600 password "$settings"

if [ ! -d /run/systemd/system ]; then
  echo "systemd does not run here. Start it so: $program/Telemetry.Agent run --config $settings/agent.json"
  exit
fi

install -m 644 telemetry-agent.service /etc/systemd/system/
systemctl daemon-reload
systemctl enable --quiet telemetry-agent
systemctl restart telemetry-agent
