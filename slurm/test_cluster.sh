#!/usr/bin/env bash
# A real Slurm of two nodes on this host, for tests: daemons, ports, key and files of its own below one folder, so that a
# Slurm that is installed here never hears of it. Exit code 77: it cannot run here, with the reason.
set -euo pipefail

usage() {
  cat <<'TEXT'
usage: slurm/test_cluster.sh start FOLDER | stop FOLDER | check
       slurm/test_cluster.sh kill-node FOLDER NODE | power-off FOLDER NODE | start-node FOLDER NODE

  start       starts nodes n0 and n1, two processors each, and waits until both are idle; SLURM_CONF=FOLDER/slurm.conf
              makes sbatch, squeue, scancel talk to them
  stop        ends every daemon and every job of it
  kill-node   kills a node's slurmd (SIGKILL); its jobs' processes go on, as on a node that lost its network
  power-off   kills a node's slurmd and whatever runs there
  start-node  starts that slurmd again
  check       says whether it could run here

example: slurm/test_cluster.sh start /tmp/cluster && SLURM_CONF=/tmp/cluster/slurm.conf sinfo
TEXT
}

fail() {
  printf 'test_cluster: %s\n' "$1" >&2
  exit "${2:-1}"
}

check() {
  (($(id -u) == 0)) || fail "skipped: Slurm's daemons need root" 77
  local program
  for program in munged slurmctld slurmd sbatch squeue scancel scontrol; do
    command -v "$program" >/dev/null || fail "skipped: there is no $program (apt-get install slurm-wlm munge)" 77
  done
}

# The first of $1 TCP ports in a row that nobody listens on.
free_ports() {
  local first port
  for ((first = 20000 + RANDOM % 20000; first < 60000; first += $1)); do
    for ((port = first; port < first + $1; port++)); do
      ! { : <"/dev/tcp/127.0.0.1/$port"; } 2>/dev/null || continue 2
    done
    echo "$first"
    return
  done
  fail "no free ports"
}

write_configuration() {
  local port
  port="$(free_ports 3)"
  # Short time-outs: what takes minutes on a cluster takes seconds here. cred_expire: a requeued job waits that long
  # before it may start again (less than 5 counts as the default, 120).
  cat >"$folder/slurm.conf" <<TEXT
ClusterName=ditscale_test
SlurmctldHost=$(hostname -s)(127.0.0.1)
SlurmctldPort=$port
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$folder/munge.socket,cred_expire=6
CryptoType=crypto/munge
CredType=cred/munge
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=1,bf_interval=1,batch_sched_delay=0,sched_min_interval=0
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
JobAcctGatherType=jobacct_gather/none
JobRequeue=1
ReturnToService=2
SlurmctldTimeout=10
SlurmdTimeout=5
KillWait=20
UnkillableStepTimeout=120
InactiveLimit=0
MinJobAge=300
OverTimeLimit=0
StateSaveLocation=$folder/state
SlurmctldPidFile=$folder/slurmctld.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdSpoolDir=$folder/spool-%n
SlurmdPidFile=$folder/slurmd-%n.pid
SlurmdLogFile=$folder/slurmd-%n.log
SlurmdParameters=config_overrides
PrologFlags=NoHold
NodeName=n0 NodeHostname=localhost NodeAddr=127.0.0.1 Port=$((port + 1)) CPUs=2 RealMemory=1000 State=UNKNOWN
NodeName=n1 NodeHostname=localhost NodeAddr=127.0.0.1 Port=$((port + 2)) CPUs=2 RealMemory=1000 State=UNKNOWN
PartitionName=main Nodes=n0,n1 Default=YES MaxTime=INFINITE State=UP PriorityTier=1 GraceTime=20
PartitionName=urgent Nodes=n0,n1 MaxTime=INFINITE State=UP PriorityTier=10 PreemptMode=OFF
PartitionName=fragile Nodes=n0,n1 MaxTime=INFINITE State=UP PriorityTier=1 PreemptMode=CANCEL GraceTime=20
TEXT
  : >"$folder/cgroup.conf"
}

# wait_until <seconds> <what> <command…>
wait_until() {
  local looks=$(($1 * 10)) what="$2"
  shift 2
  until "$@"; do
    ((looks-- > 0)) || fail "$what; see the logs in $folder"
    sleep 0.1
  done
}
# It returns before it has left the caller's process group, which may be ended: a daemon that has written its number is
# out of it.
start_node() {
  rm -f "$folder/slurmd-$1.pid"
  SLURM_CONF="$folder/slurm.conf" slurmd -N "$1"
  wait_until 30 "slurmd of $1 does not start" test -s "$folder/slurmd-$1.pid"
}

both_idle() { [[ "$(SLURM_CONF="$folder/slurm.conf" sinfo -h -N -p main -t idle -o %N 2>/dev/null | wc -l)" == 2 ]]; }

start() {
  check
  mkdir -p "$folder"/{state,spool-n0,spool-n1}
  chmod 0711 "$folder"  # munged wants its socket reachable by all
  head -c 128 /dev/urandom >"$folder/munge.key"
  chmod 0400 "$folder/munge.key"
  munged --socket="$folder/munge.socket" --key-file="$folder/munge.key" --pid-file="$folder/munged.pid" \
    --log-file="$folder/munged.log" --seed-file="$folder/munged.seed" --num-threads=2
  write_configuration
  SLURM_CONF="$folder/slurm.conf" slurmctld -c
  start_node n0
  start_node n1
  wait_until 20 "the nodes did not come up" both_idle
}

# Kills the process of a pid file, if it is the program it should be.
end() {
  local pid
  pid="$(cat "$folder/$1.pid" 2>/dev/null)" || return 0
  [[ "$(cat "/proc/$pid/comm" 2>/dev/null)" == "$2" ]] || return 0
  kill "-$3" "$pid" 2>/dev/null || true
  wait_until 15 "$2 does not end" gone "$pid"
}
# An ended process may wait long for its parent to take note.
gone() { [[ "$(ps -o state= -p "$1")" =~ ^Z?$ ]]; }

# What runs on a node: its slurmstepds, which keep its log open, all that came from them, and what they have lost sight
# of.
processes_of() {
  local pid
  for pid in $(find /proc/[0-9]*/fd -lname "$folder/slurmd-$1.log" 2>/dev/null | cut -d / -f 3 | sort -u); do
    echo "$pid"
    descendants_of "$pid"
  done
  for pid in $(grep -lzsxF "SLURM_CONF=$folder/slurm.conf" /proc/[0-9]*/environ | cut -d / -f 3); do
    ! grep -qzsxF "SLURMD_NODENAME=$1" "/proc/$pid/environ" || echo "$pid"
  done
}
descendants_of() {
  local child
  for child in $(pgrep -P "$1"); do
    echo "$child"
    descendants_of "$child"
  done
}

# All at once, children before parents: an srun whose parent ends runs again (it is in an orphaned process group then),
# and ends its step.
kill_steps() {
  local pids
  mapfile -t pids < <(processes_of "$1" | sort -rnu)
  ((${#pids[@]} > 0)) || return 0
  kill -STOP "${pids[@]}" 2>/dev/null || true
  kill -KILL "${pids[@]}" 2>/dev/null || true
}

# What starts jobs first, then what would start steps, then the steps.
stop() {
  end slurmctld slurmctld KILL
  end slurmd-n0 slurmd KILL
  end slurmd-n1 slurmd KILL
  kill_steps n0
  kill_steps n1
  end munged munged TERM
}

((${#} >= 1)) || { usage >&2 && exit 2; }
verb="$1"
case "$verb" in
  --help | -h) usage && exit 0 ;;
  check) check && exit 0 ;;
esac
((${#} >= 2)) || { usage >&2 && exit 2; }
folder="$(realpath -m "$2")"
case "$verb" in
  start) start ;;
  stop) stop ;;
  kill-node) end "slurmd-$3" slurmd KILL ;;
  power-off) end "slurmd-$3" slurmd KILL && kill_steps "$3" ;;
  start-node) start_node "$3" ;;
  *) usage >&2 && exit 2 ;;
esac
