#!/usr/bin/env bash
# Makes two outboxes as an older agent leaves them, by running that agent: NAME-killed, as a kill leaves it, with what
# stands in the write-ahead log alone, and NAME, the same one after a clean stop: see README.md.
#   make.sh TREE NAME    TREE: the built sources of the older commit; NAME: what its files are called here
set -euo pipefail
tree=$(realpath "$1")
name=$2
here=$(realpath "$(dirname "$0")")
work=$(mktemp -d)
agent="$tree/edge/Telemetry.Agent/bin/Debug/net10.0/Telemetry.Agent.dll"
cloud="$tree/cloud/Telemetry.Cloud/bin/Debug/net10.0/Telemetry.Cloud.dll"
read -r nats_port mqtt_port ingress_port status_port http_port sql_port < <(shuf -i 20000-29999 -n 6 | xargs)
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
  "outbox": { "file": "$work/outbox", "commitDeadline": "200 ms", "quotaBytes": "4 MiB" },
  "uplink": { "host": "127.0.0.1", "port": $mqtt_port, "password": "one", "backoffMin": "100 ms", "backoffMax": "500 ms" },
  "generator": { "readingsPerSecond": 60, "devices": $1, "interval": "100 ms", "commitDeadline": "100 ms", "criticalEvery": 5 },
  "http": { "port": $http_port, "commitDeadline": "0 s" },
  "status": { "port": $status_port }
}
JSON
    TELEMETRY_TEST_DROP_EVERY=50 dotnet "$agent" run --config "$work/agent.json" > "$work/agent.log" 2>&1 &
    pid[agent]=$!
    until_status outboxOpen 1
}

# The log's streams are made by a processor, which is ended before any frame comes.
make_streams() {
    local programs as=()
    # PostgreSQL refuses to run as root.
    if [ "$(id -u)" = 0 ]; then as=(setpriv --reuid postgres --regid postgres --clear-groups); fi
    programs=$(dirname "$(compgen -G '/usr/lib/postgresql/*/bin/initdb' | tail -n 1)")
    chmod 755 "$work"
    mkdir -m 777 "$work/sql"
    "${as[@]}" "$programs/initdb" -D "$work/sql/data" -A trust -U postgres --no-sync > "$work/sql.log"
    "${as[@]}" "$programs/postgres" -D "$work/sql/data" -p "$sql_port" -k "$work/sql" -h 127.0.0.1 \
        > "$work/sql.log" 2>&1 &
    pid[sql]=$!
    cat > "$work/processor.json" <<JSON
{
  "role": "processor", "partitions": 2,
  "nats": { "servers": "nats://127.0.0.1:$nats_port" },
  "database": { "connection": "Host=127.0.0.1;Port=$sql_port;Database=postgres;Username=postgres" },
  "http": { "port": $ingress_port }
}
JSON
    dotnet "$cloud" run --config "$work/processor.json" > "$work/processor.log" 2>&1 &
    pid[processor]=$!
    until curl -sf "http://127.0.0.1:$ingress_port/health/ready" > /dev/null; do sleep 0.1; done
    end processor TERM
    end sql TERM
    say "a processor has made the streams"
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
    make_streams
    # No processor from here on: nothing is ever stored, so nothing leaves the outbox.
    dotnet "$cloud" run --config "$work/ingress.json" > "$work/ingress.log" 2>&1 &
    pid[ingress]=$!
}

# Agents leave the write-ahead log where it is, with a quota as small as this one 256 KiB of it.
keep() { # keep NAME
    local file
    for file in outbox outbox-wal journal; do
        [ ! -e "$work/$file" ] || cp "$work/$file" "$here/$1.$file"
    done
}

post() { # post KEY FILE
    curl -sf --retry 20 --retry-connrefused --retry-delay 1 -H "Idempotency-Key: $1" \
        --data-binary "@$here/$2" "http://127.0.0.1:$http_port/api/v2/write?precision=us"
    say "posted $2 under the key $1"
}

say "first run, nobody to talk to: segments"
start_agent 2
post first first.lines
accept 200

say "the link comes: backlog, live and critical frames get their receipts"
start_cloud
until_status linkUp 1
# The backlog waits 10 s for a processor's answer.
sleep 11
accept 150

say "the log hangs: frames go up and no PUBACK comes"
kill -STOP "${pid[nats]}"
until_status framesAwaitingPubAck 8
end agent KILL

say "second run, with more series: another epoch"
kill -CONT "${pid[nats]}"
start_agent 3
post second second.lines
accept 150
kill -STOP "${pid[nats]}"
until_status framesAwaitingPubAck 8

say "the link breaks: more segments"
end ingress KILL
accept 200
end agent KILL
if [ ! -s "$work/outbox-wal" ]; then say "the killed agent left no -wal file"; exit 1; fi
keep "$name-killed"

say "third run: it is opened again, and stopped cleanly"
start_agent 3
accept 100
end agent TERM
keep "$name"
ls -l "$here"
