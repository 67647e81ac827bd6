#!/usr/bin/env bash
# Stands for `docker` where no engine runs: volumes are folders of $STATE/volumes, databases are files of $STATE/databases,
# and what is asked of Compose is written to $STATE/log. A release called `broken` does not come up.
set -euo pipefail
echo "$*" >>"$STATE/log"
case "$1 $2" in
  "compose exec")
    # compose exec -T NAME sh -c COMMAND
    mkdir -p "$STATE/databases/$4"
    cd "$STATE/databases/$4"
    exec sh -c "$7"
    ;;
  "compose up")
    if grep -q '^TAG=broken$' .env && [ $# -eq 5 ]; then
      exit 1
    fi
    ;;
  "compose ps") printf '%s\n' caddy shop shop-redis ;;
  "compose stop" | "compose build" | "compose pause" | "compose unpause") ;;
  "run --rm")
    shift 2
    [ "$1" != --interactive ] || shift
    volume=${2%%:*}
    place=${2#*:}
    place=${place%%:*}
    shift 3
    mkdir -p "$STATE/volumes/$volume"
    command=()
    for word in "$@"; do
      command+=("${word//$place/$STATE/volumes/$volume}")
    done
    exec "${command[@]}"
    ;;
  *) echo "docker: $*" >&2 && exit 2 ;;
esac
