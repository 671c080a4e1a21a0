#!/usr/bin/env bash
# Ends a PostgreSQL server of tests when nobody has wanted it for a while.
#
#   watch.sh OFFICE HOME SECONDS
#
# Who wants the server holds OFFICE/wanted shared; the kernel lets go of it however that process ends. When it was free
# SECONDS times in a row, a second apart, this takes it whole, ends the server in HOME, and removes HOME.
set -euo pipefail
office=$1 home=$2 seconds=$3

exec 8>>"$home/watched" 9>>"$office/wanted"
flock --exclusive --nonblock 8 || exit 0

unwanted=0
while [ "$unwanted" -lt "$seconds" ]; do
  sleep 1
  if flock --exclusive --nonblock 9; then
    unwanted=$((unwanted + 1))
    [ "$unwanted" -eq "$seconds" ] || flock --unlock 9
  else
    unwanted=0
  fi
done

# The process number may be another's by now: only one that was started on HOME is ended.
runs() { [ -n "$process" ] && tr '\0' ' ' 2>/dev/null <"/proc/$process/cmdline" | grep --quiet --fixed-strings "$home"; }

process=$(head --lines=1 "$home/data/postmaster.pid" 2>/dev/null || true)
if runs; then
  kill -QUIT "$process"
  for _ in $(seq 50); do
    runs || break
    sleep 0.1
  done
  if runs; then kill -KILL "$process"; fi
fi

if grep --quiet --fixed-strings "$home" "$office/address" 2>/dev/null; then
  rm --force "$office/address"
fi
rm --recursive --force "$home"
