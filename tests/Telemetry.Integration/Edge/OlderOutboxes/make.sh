#!/usr/bin/env bash
# Makes an outbox as an older agent leaves it, by running that agent: see README.md.
#   make.sh TREE NAME    TREE: the built sources of the older commit; NAME: what its files are called here
set -euo pipefail
tree=$(realpath "$1")
name=$2
here=$(realpath "$(dirname "$0")")
work=$(mktemp -d)
agent="$tree/edge/Telemetry.Agent/bin/Debug/net10.0/Telemetry.Agent.dll"
cloud="$tree/cloud/Telemetry.Cloud/bin/Debug/net10.0/Telemetry.Cloud.dll"
read -r nats_port mqtt_port ingress_port status_port http_port < <(shuf -i 20000-29999 -n 5 | xargs)
declare -A pid=()

finish() {
    for who in "${!pid[@]}"; do end "$who" KILL; done
    rm -rf "$work"
}
trap finish EXIT

say() { echo "$(date +%T) $*"; }

end() { # end WHO SIGNAL
    kill "-$2" "${pid[$1]}"
    wait "${pid[$1]}" 2> /dev/null || true
    unset "pid[$1]"
}

status() { # status KEY
    local value
    value=$(curl -sf "http://127.0.0.1:$status_port/status" | sed -n "s/^ *\"$1\": *\([a-z0-9]*\),*$/\1/p") || true
    case $value in true) echo 1 ;; false | "") echo 0 ;; *) echo "$value" ;; esac
}

until_status() { # until_status KEY AT_LEAST
    for _ in $(seq 300); do
        if [ "$(status "$1")" -ge "$2" ]; then say "$1 is $(status "$1")"; return; fi
        sleep 0.1
    done
    say "$1 did not come to $2"
    exit 1
}

accept() { until_status accepted "$(($(status accepted) + $1))"; }

start_agent() { # start_agent DEVICES
    cat > "$work/agent.json" <<JSON
{
  "gateway": "gw-1",
  "journal": "$work/journal",
  "outbox": { "file": "$work/outbox", "commitDeadline": "200 ms" },
  "uplink": { "host": "127.0.0.1", "port": $mqtt_port, "password": "one", "backoffMin": "100 ms", "backoffMax": "500 ms" },
  "generator": { "readingsPerSecond": 150, "devices": $1, "interval": "100 ms", "commitDeadline": "100 ms", "criticalEvery": 5 },
  "http": { "port": $http_port, "commitDeadline": "0 s" },
  "status": { "port": $status_port }
}
JSON
    TELEMETRY_TEST_DROP_EVERY=50 dotnet "$agent" run --config "$work/agent.json" > "$work/agent.log" 2>&1 &
    pid[agent]=$!
    until_status outboxOpen 1
}

start_cloud() {
    echo "gw-1:one" > "$work/gateways"
    cat > "$work/ingress.json" <<JSON
{
  "role": "ingress", "partitions": 2,
  "nats": { "servers": "nats://127.0.0.1:$nats_port", "requestTimeout": "30 s" },
  "ingress": { "port": $mqtt_port, "gateways": "$work/gateways", "plainPasswords": true },
  "http": { "port": $ingress_port }
}
JSON
    nats-server -js -sd "$work/jetstream" -a 127.0.0.1 -p "$nats_port" > "$work/nats.log" 2>&1 &
    pid[nats]=$!
    until (: < "/dev/tcp/127.0.0.1/$nats_port") 2>/dev/null; do sleep 0.1; done
    # No processor: nothing is ever stored, so nothing leaves the outbox.
    dotnet "$cloud" run --config "$work/ingress.json" > "$work/ingress.log" 2>&1 &
    pid[ingress]=$!
}

post() { # post KEY FILE
    curl -sf --retry 20 --retry-connrefused --retry-delay 1 -H "Idempotency-Key: $1" \
        --data-binary "@$here/$2" "http://127.0.0.1:$http_port/api/v2/write?precision=us"
    say "posted $2 under the key $1"
}

say "first run, nobody to talk to: segments"
start_agent 2
post first first.lines
accept 300

say "the link comes: backlog, live and critical frames get their receipts"
start_cloud
until_status linkUp 1
accept 850

say "the log hangs: frames go up and no PUBACK comes"
kill -STOP "${pid[nats]}"
until_status framesAwaitingPubAck 8
end agent KILL

say "second run, with more series: another epoch"
kill -CONT "${pid[nats]}"
start_agent 3
post second second.lines
accept 250
kill -STOP "${pid[nats]}"
until_status framesAwaitingPubAck 8

say "the link breaks: more segments"
end ingress KILL
accept 400
end agent TERM

if [ -e "$work/outbox-wal" ]; then say "the agent left a -wal file"; exit 1; fi
cp "$work/outbox" "$here/$name.outbox"
cp "$work/journal" "$here/$name.journal"
ls -l "$here"
