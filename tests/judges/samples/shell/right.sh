#!/bin/sh
set -eu
for file in "$@"; do
  cat -- "$file"
done
