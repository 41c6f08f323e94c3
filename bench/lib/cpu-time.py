"""
Runs a command and prints, as the last line of standard error, the CPU seconds (user + system) of it and of all its
descendants, detached ones included: as a "child subreaper" (prctl(2)), it inherits orphans and waits for them.
Orphans that do not end by themselves within a few seconds are killed, and counted in the line.
"""
import ctypes, json, os, resource, signal, subprocess, sys, time

PR_SET_CHILD_SUBREAPER = 36
ORPHANS_END_WITHIN_S = 20


def children():
    with open(f"/proc/{os.getpid()}/task/{os.getpid()}/children") as file:
        return [int(pid) for pid in file.read().split()]


ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
command = subprocess.Popen(sys.argv[1:])
signal.signal(signal.SIGINT, signal.SIG_IGN)  # the command gets it from the terminal too
status, deadline, killed = None, None, set()
while True:
    try:
        pid, ended = os.waitpid(-1, 0 if status is None else os.WNOHANG)
    except ChildProcessError:
        break
    if pid == command.pid:
        status = os.waitstatus_to_exitcode(ended)
        deadline = time.monotonic() + ORPHANS_END_WITHIN_S
    elif pid == 0 and time.monotonic() > deadline:
        for orphan in children():
            os.kill(orphan, signal.SIGKILL)
            killed.add(orphan)
    if pid == 0:
        time.sleep(0.05)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps({"status": status, "seconds": used.ru_utime + used.ru_stime, "killed": len(killed)}), file=sys.stderr)
