#!/usr/bin/env bash
# curl in a loop: a token is kept until a 401 comes, then one new one and one retry.
set -u

echo ready
read -r login api _

renew() {
  token=$(curl -sS --max-time 30 -u "$GENESYS_CLOUD_CLIENT_ID:$GENESYS_CLOUD_CLIENT_SECRET" \
    -d grant_type=client_credentials "$login/oauth/token" 2>/dev/null |
    sed -n 's/.*"access_token":"\([^"]*\)".*/\1/p')
}

ask() {  # prints the status; 000 where no whole answer came
  local status
  status=$(curl -sS --max-time 30 -o /dev/null -w '%{http_code}' -H "Authorization: Bearer $token" \
    "$api/api/v2/tokens/me" 2>/dev/null) || status=000
  echo "$status"
}

now() {  # centiseconds that no clock of a scenario moves
  local uptime
  read -r uptime _ </proc/uptime
  echo "${uptime/./}"
}

token=
start=$(now)
for ((i = 0; i < BENCH_CALLS; i++)); do
  left=$((start + i * BENCH_EVERY_MS / 10 - $(now)))
  [ "$left" -le 0 ] || sleep "$(printf '%d.%02d' $((left / 100)) $((left % 100)))"
  [ -n "$token" ] || renew
  status=$(ask)
  if [ "$status" = 401 ]; then
    renew
    status=$(ask)
  fi
  echo "{\"status\": $((10#$status)), \"error\": null}"
done
