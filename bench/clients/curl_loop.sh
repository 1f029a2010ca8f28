#!/usr/bin/env bash
# curl in a loop: a token is kept until a 401 comes, then one new one and one retry.
set -u

renew() {
  token=$(curl -sS --max-time 30 -u "$GENESYS_CLOUD_CLIENT_ID:$GENESYS_CLOUD_CLIENT_SECRET" \
    -d grant_type=client_credentials "$SKEWGUARD_LOGIN_URL/oauth/token" 2>/dev/null |
    sed -n 's/.*"access_token":"\([^"]*\)".*/\1/p')
}

ask() {
  curl -sS --max-time 30 -o /dev/null -w '%{http_code}' -H "Authorization: Bearer $token" \
    "$SKEWGUARD_API_URL/api/v2/tokens/me" 2>/dev/null
}

token=
for ((i = 0; i < BENCH_CALLS; i++)); do
  [ -n "$token" ] || renew
  status=$(ask)
  if [ "$status" = 401 ]; then
    renew
    status=$(ask)
  fi
  echo "{\"status\": $((10#$status)), \"error\": null}"
  sleep "$(printf '%d.%03d' $((BENCH_EVERY_MS / 1000)) $((BENCH_EVERY_MS % 1000)))"
done
