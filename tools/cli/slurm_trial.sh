#!/bin/bash
# Tries a campaign under Slurm on this machine: a controller and two nodes on the
# loopback address run an array of 16 tasks, one of which is killed halfway.
# `clotho merge` must name its shard. After that shard has been run again, the
# result must be the same as that of one process.
#
#   apt-get install slurm-wlm munge
#   tools/cli/slurm_trial.sh PROGRAM         (as root; PROGRAM: a test binary)
#
# Changes nothing outside a temporary folder, and ends every process that it
# starts.
set -euo pipefail

program=$(realpath "${1:?which test binary?}")
clotho=$(realpath "$(dirname "$0")/../clotho")
schedules=8000000
folder=$(mktemp -d -t clotho-slurm.XXXXXX)
cd "$folder"
started=()
done=0
say() { echo "slurm_trial: $*"; }
finish() {
  local pid
  for pid in "${started[@]}"; do kill "$pid" 2>/dev/null || true; done
  wait || true
  if ((done)); then
    rm -rf "$folder"
  else
    say "the files are left in $folder"
  fi
}
trap finish EXIT

# ---- A cluster of two nodes with a core each. ----

mkdir munge state node1 node2
chmod 700 munge
head -c 1024 /dev/urandom >munge/key
chmod 400 munge/key
munged --foreground --force --socket="$folder/munge/socket" \
  --key-file="$folder/munge/key" --pid-file="$folder/munge/pid" \
  --log-file="$folder/munge/log" --seed-file="$folder/munge/seed" >munge.log 2>&1 &
started+=($!)
cat >slurm.conf <<EOF
ClusterName=clotho
SlurmctldHost=$(hostname)(127.0.0.1)
SlurmctldPort=16817
SlurmctldPidFile=$folder/state/pid
SlurmUser=$(id -un)
SlurmdUser=$(id -un)
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/%n
SlurmdPidFile=$folder/%n/pid
AuthType=auth/munge
AuthInfo=socket=$folder/munge/socket
CryptoType=crypto/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
MpiDefault=none
ReturnToService=2
NodeName=node1 NodeHostname=$(hostname) NodeAddr=127.0.0.1 Port=16818 CPUs=1
NodeName=node2 NodeHostname=$(hostname) NodeAddr=127.0.0.1 Port=16819 CPUs=1
PartitionName=main Nodes=node1,node2 Default=YES State=UP
EOF
export SLURM_CONF=$folder/slurm.conf
slurmctld -D >controller.log 2>&1 &
started+=($!)
for node in node1 node2; do
  slurmd -D -N "$node" >"$node.log" 2>&1 &
  started+=($!)
done
for _ in $(seq 60); do
  [[ $(sinfo --noheader --format=%T 2>/dev/null | sort -u) != idle ]] || break
  sleep 1
done
sinfo

# ---- The result of one process. ----

test_flags=(--clotho_schedules=$schedules --clotho_shard_by=schedules
  --clotho_failures=0)
ln -s "$program" program
"$folder/program" "${test_flags[@]}" --clotho_out=alone >/dev/null || true
"$clotho" merge alone --into=one >/dev/null || true

# ---- The campaign, as `clotho plan` prints it. ----

mkdir clotho-out
"$clotho" plan --engine=slurm --shards=16 --schedules=$schedules \
  "$folder/program" >campaign.sh
# A killed task must stay killed here, and must not be requeued.
job=$(sbatch --parsable --no-requeue campaign.sh)
say "array $job of 16 tasks"
victim=
while [[ -z $victim ]]; do
  victim=$(squeue --noheader --states=RUNNING --format=%K | tail -n 1)
done
# Halfway: its record exists and is not complete.
while ! ls clotho-out/"$victim"/*/shard-*.json >/dev/null 2>&1; do
  squeue --noheader --states=RUNNING --format=%K | grep -qx "$victim" || break
done
scancel --signal=KILL "${job}_$victim"
say "killed task $victim"
while [[ -n $(squeue --noheader) ]]; do sleep 1; done
set +e
"$clotho" merge clotho-out --into=merged >first.txt
set -e
cat first.txt
grep -E "(missing|not finished): shards $victim of 16" first.txt
say "the merge names shard $victim"

# ---- The missing shard is run again. ----

sbatch --wait --array="$victim" \
  --wrap="$(sed -n '/^exec/,$p' campaign.sh |
    sed "s|--clotho_shard=auto|--clotho_shard=$victim/16|")" || true
set +e
"$clotho" merge clotho-out merged --into=merged
set -e
diff -r one merged
done=1
say "16 shards, one of them run twice, have found what one process finds"
