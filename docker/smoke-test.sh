#!/usr/bin/env bash
# Builds the images, starts a second, separate service (its own project, port and volumes), and tests that it does what
# docs/deploy.md says. Takes about five minutes, longer the first time.
#   docker/smoke-test.sh [cpu|gpu]   default: gpu if nvidia-smi lists a GPU and Docker has NVIDIA's runtime, else cpu
# Environment: PORT (3999); KEEP=1 leaves the service running.
set -euo pipefail
cd "$(dirname "$0")/.."

has_gpu() { nvidia-smi -L >/dev/null 2>&1 && docker info 2>/dev/null | grep -qi nvidia; }
mode=${1:-$(has_gpu && echo gpu || echo cpu)}
case $mode in
  cpu) files=(-f docker-compose.yml -f docker-compose.cpu.yml) ;;
  gpu) files=(-f docker-compose.yml) ;;
  *) sed -n '2,6s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
export TAG=smoke COMPOSE_PROJECT_NAME=trainyard-smoke PORT=${PORT:-3999} PUBLISH=127.0.0.1 FIRST_MODEL=false API_KEY=
url=http://127.0.0.1:$PORT
compose() { docker compose "${files[@]}" "$@"; }

passed=0
pass() { passed=$((passed + 1)); printf '✓ %s\n' "$*"; }
fail() {
  compose logs --tail 20 >&2 || true
  printf '✗ %s\n' "$*" >&2
  exit 1
}
step() { [ -t 1 ] && printf '  %s …\r' "$*" || true; }
clean_up() { [ -n "${KEEP:-}" ] || compose down --volumes --timeout 10 >/dev/null 2>&1; }
trap clean_up EXIT

call() { curl -sS --max-time 10 "$@"; }
# Prints the first value of a field in JSON.
field() { grep -o "\"$1\":[^,}]*" | head -n 1 | sed 's/^[^:]*://; s/"//g'; }
train() { call -X POST "$url/jobs/train" -H 'content-type: application/json' -d "$1" | field id; }
job() { call "$url/jobs/$1"; }
# until_true SECONDS WHAT COMMAND…: repeats the command every half second until it succeeds.
until_true() {
  local seconds=$1 what=$2 began=$SECONDS
  shift 2
  step "$what"
  until "$@"; do
    [ $((SECONDS - began)) -lt "$seconds" ] || fail "expected $what within $seconds s"
    sleep 0.5
  done
}
job_is() { [ "$(job "$1" | field status)" = "$2" ]; }
job_is_at() { [ "$(job "$1" | grep -o '"step":[0-9]*' | head -n 1 | cut -d: -f2)" -ge "$2" ] 2>/dev/null; }
succeeded() {
  case $(job "$1" | field status) in
    succeeded) return 0 ;;
    failed | cancelled) fail "expected job $1 to succeed: $(job "$1")" ;;
  esac
  return 1
}

printf 'Trainyard on %s, %s\n' "$(docker version --format '{{.Server.Platform.Name}} {{.Server.Version}}')" "$mode"

docker compose -f docker-compose.yml config -q
docker compose -f docker-compose.yml -f docker-compose.cpu.yml config -q
pass 'both compose files are valid'

step 'building and starting'
compose down --volumes --timeout 10 >/dev/null 2>&1 # left by a run with KEEP=1
began=$SECONDS
compose up -d --build --wait --wait-timeout 300 >/tmp/trainyard-smoke.$$ 2>&1 ||
  { tail -n 30 /tmp/trainyard-smoke.$$ >&2; rm -f /tmp/trainyard-smoke.$$; fail 'expected the service to be up'; }
rm -f /tmp/trainyard-smoke.$$
pass "the service is up and healthy after $((SECONDS - began)) s"
printf '  %s\n' "$(call "$url/health/ready" | grep -o '[0-9]* connected, training on [^"]*')"

for service in redis server worker; do
  said=$(compose exec -T --user root $service touch /written 2>&1) && fail "expected the root file system of $service to be read-only"
  grep -q 'Read-only file system' <<<"$said" || fail "expected the root file system of $service to be read-only, got: $said"
  user=$(compose exec -T $service id -u) || fail "expected $service to run"
  [ "$user" -gt 0 ] || fail "expected $service not to be root"
done
pass 'no service runs as root, and every root file system is read-only'

id=$(train '{"recipe": "fast", "promote": "always"}')
until_true 600 'a training to succeed' succeeded "$id"
pass "a job has trained to $(job "$id" | field testAccuracy) in $(job "$id" | field seconds | cut -c1-4) s on $(job "$id" | grep -o '"device":"[^"]*' | cut -d'"' -f4)"
[ "$mode" = cpu ] || [ "$(job "$id" | field gpu)" = true ] || fail 'expected the job to have run on a GPU'

version=$(job "$id" | field modelVersion)
served() { [ "$(call "$url/models/$version" | field served)" = true ]; }
until_true 20 'the model to be served' served
call "$url/datasets/mnist/test/0.png" -o /tmp/trainyard-smoke.png
digit=$(call "$url/predict" -H 'content-type: image/png' --data-binary @/tmp/trainyard-smoke.png | field digit)
rm -f /tmp/trainyard-smoke.png
[ "$digit" = 7 ] || fail "expected the first test image to be read as 7, got ${digit:-nothing}"
pass 'it reads a 7 as 7, through the published port'

id=$(train '{"epochs": 2, "trainImages": 30000}')
until_true 120 'a job to reach step 100' job_is_at "$id" 100
compose restart worker >/dev/null 2>&1
until_true 600 'the interrupted job to succeed' succeeded "$id"
from=$(job "$id" | field resumedFromStep)
[ "${from:-null}" != null ] || fail 'expected the job to resume from a step'
used=$(compose exec -T redis redis-cli hget "trainyard:train:$id" atm | tr -d '\r"')
[ "$used" = 1 ] || fail "expected one attempt to be used, the one that succeeded, got $used"
pass "a job whose worker was restarted resumed from step $from and succeeded at its first attempt"

compose up -d --wait --scale worker=2 >/dev/null 2>&1 || fail 'expected two workers to start'
first=$(train '{"epochs": 50}')
second=$(train '{"epochs": 50}')
both_run() { job_is_at "$first" 1 && job_is_at "$second" 1; }
until_true 120 'two jobs to run at once' both_run
pass 'two workers run two jobs at once'

workers=$(compose ps -q worker)
worker=${workers%%$'\n'*} # no `| head`: compose ends with an error when nobody reads its second line
began=$SECONDS
docker stop "$worker" >/dev/null
[ $((SECONDS - began)) -lt 10 ] || fail "expected a worker in the middle of a job to stop in less than 10 s, took $((SECONDS - began))"
pass "a worker in the middle of a job stops in $((SECONDS - began)) s"
for id in "$first" "$second"; do call -X POST "$url/jobs/$id/cancel" >/dev/null; done
until_true 30 'the jobs to be cancelled' job_is "$first" cancelled
until_true 30 'the jobs to be cancelled' job_is "$second" cancelled

if [ "$mode" = cpu ]; then
  said=$(compose run --rm -T --no-deps -e REQUIRE_GPU=true worker 2>&1) && fail 'expected a worker with REQUIRE_GPU=true to end'
  grep -q 'GPU_REQUIRED: .*no NVIDIA driver was found' <<<"$(tr '\n' ' ' <<<"$said")" || fail "expected the reason, got: $said"
  pass 'a worker with REQUIRE_GPU=true and no GPU ends, and says that there is no NVIDIA driver'
  said=$(docker compose -f docker-compose.yml up -d --no-build --no-deps worker 2>&1) && fail 'expected the reservation of a GPU to fail'
  grep -q 'could not select device driver' <<<"$said" || fail "expected Docker's error message, got: $said"
  pass "the unmodified docker-compose.yml is refused by Docker: could not select device driver"
else
  compose exec -T worker node dist/doctor.js || fail 'expected the doctor to find a working GPU'
  pass 'the doctor finds a working GPU'
fi

printf '%d passed, 0 failed\n' "$passed"
