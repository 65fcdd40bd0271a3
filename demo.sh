#!/usr/bin/env bash
# Shows the whole system on this machine: 20 gateways, the link cut and processes killed on a printed schedule, and at
# the end a verdict from the senders' journals and SQL. Installs with apt what is missing, builds, and leaves nothing
# behind but the build. Exit code 0: the books balance.
#   ./demo.sh            about a minute and a half after the first build
#   ./demo.sh --keep     leaves it running until Ctrl-C and says where everything is
#   ./demo.sh --corrupt delete|double|flip   corrupts one row of the finished database: the verdict must be wrong
set -euo pipefail
cd "$(dirname "$0")"
exec eng/local-cluster.sh demo "$@"
