#!/usr/bin/env bash
# probe PORT PATH: prints what http://127.0.0.1:PORT/PATH says, and fails unless its status is 200. The images have neither
# curl nor wget, and need none for this.
set -euo pipefail
exec 3<>"/dev/tcp/127.0.0.1/$1"
printf 'GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n' "$2" >&3
read -r _ status _ <&3
while IFS= read -r header <&3 && [ "$header" != $'\r' ]; do :; done
cat <&3
[ "$status" = 200 ]
