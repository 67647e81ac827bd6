#!/bin/sh
# Stands for `gen` in the checks of the runners. It "generates" `out/copy.txt` from
# `gen.yaml`, and misbehaves where that file says so.
set -eu
if [ "$1" = -C ]; then
  cd -- "$2"
  shift 2
fi
says() { grep -q "$1" gen.yaml; }
case "$*" in
  apply | "--quiet apply")
    if says crash; then exit 101; fi
    if says broken; then
      echo "the spec is broken" >&2
      if says quietly; then exit 0; fi
      exit 1
    fi
    if says warn; then echo "a warning of [$PWD]" >&2; fi
    if says nothing; then exit 0; fi
    mkdir -p out .gen/cache .gen/manifest
    cp gen.yaml out/copy.txt
    if says executable; then chmod +x out/copy.txt; fi
    if says half; then exit 1; fi
    if says eat; then rm eaten.txt; fi
    date >.gen/cache/index
    printf '# head\n0123 out/copy.txt fake/copy\n' >.gen/manifest/all.txt
    ;;
  "plan --detailed-exitcode")
    if says restless || ! cmp -s gen.yaml out/copy.txt; then
      if ! says "nothing\|quietly"; then echo "out/copy.txt would change" && exit 2; fi
    fi
    if says chatty; then echo "out/copy.txt"; fi
    ;;
  query*)
    printf '<%s>\n' "$@"
    if says fail; then exit 3; fi
    ;;
  *) echo "no such command: $*" >&2 && exit 64 ;;
esac
