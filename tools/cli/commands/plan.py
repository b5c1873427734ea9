"""Prints what to submit for a campaign on many machines; submits nothing.

Each shard is the same binary with the same flags, runs its share of the
executions, and writes to a folder of its own. clotho merge combines them.
"""

from __future__ import annotations

import argparse
import os
import shlex

from cli import campaigns, options
from cli.targets import (find_workspace, from_workspace, is_label,
                         need_workspace, resolve)
from cli.trouble import Trouble, quote

HELP = "prints what to submit for a campaign on many machines"
EXAMPLE = """tools/clotho plan --engine=slurm --shards=1000 --schedules=1e9 \\
    bazel-bin/examples/job_queue_hunt 'JobQueueTest.*'
tools/clotho plan --engine=bazel --shards=50 --schedules=5_000_000 \\
    //examples:job_queue_hunt"""

BAZEL_SHARDS_MAX = 50
_KUBERNETES_SHARDS_MAX = 100_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--engine", required=True, choices=ENGINES,
                        help="the engine that runs the shards")
    parser.add_argument("--shards", metavar="N", type=campaigns.count,
                        required=True, help="how many processes in total")
    parser.add_argument("--parallel", metavar="N", type=campaigns.count,
                        help="how many of them at a time")
    parser.add_argument("--max_array_size", metavar="N", default=1001,
                        type=campaigns.count,
                        help="Slurm's MaxArraySize (default: 1001; scontrol show "
                             "config prints it)")
    parser.add_argument("--image", metavar="IMAGE", default="IMAGE",
                        help="Kubernetes: the container image with the binary")
    parser.add_argument("--claim", metavar="NAME", default="clotho-out",
                        help="Kubernetes: the volume claim for results")
    campaigns.add_arguments(parser)
    options.add_common(parser)


def run(arguments: argparse.Namespace) -> int:
    asked = campaigns.asked(arguments)
    if arguments.schedules is None:
        raise Trouble("--schedules is missing: expected the number of "
                      "executions of each test, over all shards")
    text = ENGINES[arguments.engine](arguments, asked)
    arguments.answer.add(engine=arguments.engine, shards=arguments.shards,
                         schedules=arguments.schedules, plan=text)
    print(text, end="")
    return 0


def _program(arguments: argparse.Namespace, asked: campaigns.Asked) -> str:
    """The path of the binary in a plan."""
    target = resolve(arguments.target, arguments.bazel_flag)
    campaigns.chosen_tests(target, asked.tests)
    workspace = find_workspace()
    if is_label(arguments.target) and workspace:
        return os.path.relpath(target.binary)
    path = arguments.target
    return path if "/" in path else "./" + path


def _flags(asked: campaigns.Asked) -> list[str]:
    return [*campaigns.filter_flags(asked.tests), *asked.flags,
            "--clotho_shard_by=schedules", "--clotho_failures=0",
            "--clotho_resume=1"]


def _command(program: str, flags: list[str], *raw: str) -> str:
    """A shell command, wrapped if it is long; `raw` is not quoted."""
    words = [shlex.quote(program), *map(shlex.quote, flags), *raw]
    lines = [words[0]]
    for word in words[1:]:
        if len(lines[-1]) + len(word) > 72:
            lines[-1] += " \\"
            lines.append("    " + word)
        else:
            lines[-1] += " " + word
    return "\n".join(lines)


def _bazel(arguments: argparse.Namespace, asked: campaigns.Asked) -> str:
    if not is_label(arguments.target):
        raise Trouble(f"{quote(arguments.target)} is not a label: expected "
                      f"one for Bazel, such as //examples:job_queue_hunt")
    label = from_workspace(arguments.target,
                           need_workspace(arguments.target))
    shards, runs = arguments.shards, 1
    if shards > BAZEL_SHARDS_MAX:
        runs = -(-shards // BAZEL_SHARDS_MAX)
        shards = -(-shards // runs)
    # Each run has its own executions, --schedules of them.
    each = -(-arguments.schedules // runs)
    package, _, name = label.partition(":")
    name = name or package.rsplit("/", 1)[-1]
    campaign = name.removesuffix("_test").removesuffix("_hunt") + "_campaign"
    settings = "".join(
        f"    {key} = \"{value}\",\n" for key, value in (
            ("strategy", arguments.strategy), ("seed", arguments.seed),
            ("tests", ":".join(asked.tests))) if value)
    note = ""
    if runs > 1:
        note = (f"# A Bazel test has at most {BAZEL_SHARDS_MAX} shards, so "
                f"{arguments.shards} shards are {runs} runs\n# of {shards}; "
                f"each run has {each} executions of its own.\n")
    run_flags = f" --runs_per_test={runs}" if runs > 1 else ""
    jobs = f" --jobs={arguments.parallel}" if arguments.parallel else ""
    logs = "/".join(["bazel-testlogs", package.removeprefix("//"), campaign])
    return f"""\
{note}# In {package.removeprefix("//") or "the root"}/BUILD.bazel:
load("//tools/build_defs:clotho.bzl", "clotho_campaign")

clotho_campaign(
    name = "{campaign}",
    schedules = {each},
    shards = {shards},
{settings}    test = ":{name}",
)

# Then (with --config=remote, or the name of your remote execution config):
bazel test --keep_going{run_flags}{jobs} {package}:{campaign}
clotho merge {logs.replace("//", "/")}
"""


def _slurm(arguments: argparse.Namespace, asked: campaigns.Asked) -> str:
    program = _program(arguments, asked)
    shards, most = arguments.shards, arguments.max_array_size
    at_a_time = f"%{arguments.parallel}" if arguments.parallel else ""
    if shards <= most:
        array = f"#SBATCH --array=0-{shards - 1}{at_a_time}\n"
        which = "--clotho_shard=auto"
        folder = "$SLURM_ARRAY_TASK_ID"
        submit = "sbatch campaign.sh"
    else:
        array = ""
        which = f"--clotho_shard=$((OFFSET + SLURM_ARRAY_TASK_ID))/{shards}"
        folder = "$((OFFSET + SLURM_ARRAY_TASK_ID))"
        submit = "\n".join(
            [f"# An array has at most {most} tasks (MaxArraySize): "
             f"{-(-shards // most)} arrays."] + [
                f"sbatch --array=0-{min(most, shards - first) - 1}"
                f"{at_a_time} --export=ALL,OFFSET={first} campaign.sh"
                for first in range(0, shards, most)])
    command = _command(program, _flags(asked), which,
                       f"--clotho_out=clotho-out/{folder}")
    comment = "\n".join("# " + line.removeprefix("# ")
                        for line in submit.splitlines())
    return f"""\
#!/bin/bash
#SBATCH --job-name=clotho-campaign
{array}#SBATCH --output=clotho-out/%A_%a.log
#SBATCH --requeue

# Save this as campaign.sh, and make the folder for its logs:
#   mkdir -p clotho-out
{comment}
# When all shards have ended, whatever they found (not afterok, since a shard
# that finds a bug exits with 1):
#   sbatch --dependency=afterany:JOB --wrap='clotho merge clotho-out'
exec srun {command}
"""


def _parallel(arguments: argparse.Namespace, asked: campaigns.Asked) -> str:
    program = _program(arguments, asked)
    command = _command(
        program, _flags(asked), f"--clotho_shard={{}}/{arguments.shards}",
        "--clotho_out=clotho-out/{}")
    jobs = f" --jobs={arguments.parallel}" if arguments.parallel else ""
    indented = command.replace("\n", "\n  ")
    return f"""\
# --sshlogin spreads the shards over machines that share this folder.
seq 0 {arguments.shards - 1} | parallel --quote{jobs} --joblog=clotho-out.log \\
  {indented}
clotho merge clotho-out
# If it hit a limit or was killed, run the same line again to resume.
"""


def _kubernetes(arguments: argparse.Namespace, asked: campaigns.Asked) -> str:
    shards = arguments.shards
    if shards > _KUBERNETES_SHARDS_MAX:
        raise Trouble(f"--shards={shards}: expected at most "
                      f"{_KUBERNETES_SHARDS_MAX}, the limit of an indexed job "
                      f"with a retry limit for each index")
    program = _program(arguments, asked)
    # The image has the binary in its working directory.
    words = ["exec", "./" + os.path.basename(program), *_flags(asked)]
    command = " ".join(map(shlex.quote, words))
    command += " --clotho_out=/results/$JOB_COMPLETION_INDEX"
    return f"""\
# kubectl apply -f campaign.yaml. When the job has ended, run this in a pod with
# the volume:
#   clotho merge /results
# A bug that is found fails its index at once; exit code 75 is retried; a pod
# that is evicted does not count.
apiVersion: batch/v1
kind: Job
metadata:
  name: clotho-campaign
spec:
  completionMode: Indexed
  completions: {shards}
  parallelism: {arguments.parallel or min(shards, 100)}
  backoffLimitPerIndex: 1
  maxFailedIndexes: {shards}
  podFailurePolicy:
    rules:
    - action: FailIndex
      onExitCodes:
        operator: In
        values: [1, 2, 3, 4, 5]
    - action: Ignore
      onPodConditions:
      - type: DisruptionTarget
  template:
    spec:
      restartPolicy: Never
      containers:
      - name: shard
        image: {arguments.image}
        command: ["/bin/sh", "-c", {_yaml(command)}]
        env:
        - {{name: CLOTHO_SHARD, value: auto}}
        - {{name: CLOTHO_TOTAL_SHARDS, value: "{shards}"}}
        volumeMounts:
        - {{name: results, mountPath: /results}}
      volumes:
      - name: results
        persistentVolumeClaim: {{claimName: {arguments.claim}}}
"""


def _yaml(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


ENGINES = {"bazel": _bazel, "slurm": _slurm, "k8s": _kubernetes,
           "parallel": _parallel}
