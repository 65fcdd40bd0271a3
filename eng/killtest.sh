#!/usr/bin/env bash
# Kills every process again and again while readings flow, cuts the link, and harms log and database in every way that
# the design names; after each part the books must balance. Exit code 0: they do.
#   eng/killtest.sh [readings]            2,000,000 unless told otherwise
#   eng/killtest.sh --short               what the test suite runs
#   eng/killtest.sh --only SCENARIO       one of the scenarios of log or database, by its name
#   eng/killtest.sh [--short] --only alerts   the relay of alerts, against the Kafka that TELEMETRY_KAFKA_DIR names
set -euo pipefail
cd "$(dirname "$0")/.."
exec eng/local-cluster.sh kill "$@"
