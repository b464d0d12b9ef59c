# SPDX-License-Identifier: MIT
"""Sizes of the machine: memory, CPUs, initrd; other firmware."""
import gzip
import hashlib
import random
import re

import harness
from harness import STORY_HELD, Boot, boot, build, check, guest, run_program

MIB = 1 << 20


def _story(**what):
    with Boot(**what) as machine:
        machine.until(STORY_HELD)
        machine.power_off()
        return machine.text()


def least_memory():
    """The least that OVMF itself starts with is 48 MiB."""
    _story(mem=64)


def memory_256():
    _story(mem=256)


def memory_4g():
    """RAM below and above 4 GiB, with a hole in between."""
    _story(mem=4096)


def memory_20g():
    _story(mem=20480)


def one_cpu():
    _story(cpus=1)


def _cpus_run(text, count):
    found = re.search(r"smp: (\d+) CPUs?\b", text)
    check(found and int(found[1]) == count, f"the log says {found and found[0]!r}, expected {count} CPUs")
    check("left out" not in text, "a CPU was left out")


def eight_cpus():
    _cpus_run(_story(cpus=8), 8)


def sixty_four_cpus():
    """The most that are used: a program goes from one to the next and finds itself on each."""
    result = run_program(build.IMAGE.parent / "user" / "sched", ["sched_setaffinity: the caller"], cpus=64, mem=1024)
    text = result.stdout.decode(errors="replace")
    check(result.code == 0 and text.startswith("ok 1 ") and "not ok" not in text, text)
    _cpus_run(result.log, 64)


def _with_option(option, used, declined):
    """Tests of page tables, timers and other CPUs with an option that needs what this CPU may lack. The log says whether."""
    result = run_program(build.RUNNER, ["shootdown", "memory-fork", "timers"], cpus=4, cmdline=option)
    text = result.stdout.decode(errors="replace")
    check(result.code == 0 and text.count("exited with 0") == 3 and "not ok" not in text, text[-3000:])
    said = [line for line in (used, declined) if line in result.log]
    check(len(said) == 1, f"{option}: the log says {said}, expected one of {used!r}, {declined!r}")


def pcid_on():
    _with_option("pcid=on", "cpu: PCID on", "pcid=on: this CPU has no PCID")


def tscdeadline_on():
    _with_option("tscdeadline=on", "cpu: timer by TSC deadline", "tscdeadline=on: this CPU has no TSC deadline")


def nosmp():
    _cpus_run(_story(cpus=4, options="nosmp"), 1)


def maxcpus():
    """Three of eight, and page-table isolation."""
    _cpus_run(_story(cpus=8, options="maxcpus=3 pti=on"), 3)


def clock_without_tsc():
    """The clock is the HPET: time goes on as it should, on every CPU."""
    result = run_program("/bin/busybox", ["sh", "-c", "for i in 1 2 3 4; do sleep 0.2; done; echo slept"],
                         cpus=4, cmdline="notsc")
    check((result.code, result.stdout) == (0, b"slept\n"), f"{result.code} {result.stdout}")
    check(re.search(r"clock: by the HPET", result.log), "the clock is not the HPET")
    stamps = [float(at) for at in re.findall(r"^\[ *(\d+\.\d+)\]", result.log, re.M)]
    check(stamps == sorted(stamps), "the log's time goes back")
    check(stamps[-1] - stamps[0] > 0.8, f"four times 0.2 s took {stamps[-1] - stamps[0]} s")


def big_initrd():
    """300 MiB of initrd: Baton's own and a second archive, whose last bytes must have arrived."""
    import mkcpio  # pylint: disable=import-outside-toplevel
    rng = random.Random(300)
    block = rng.randbytes(MIB)
    archive = mkcpio.Archive()
    for i in range(300):
        archive.data(block, f"/big/{i:03}")
    archive.data(b"the very last file\n", "/big/zzz")
    with Boot("-- cat /big/zzz", more=archive, mem=1024) as machine:
        machine.until(r"^the very last file$")
        machine.until_off()


def gzip_initrds():
    """Baton's own initrd and a second one, both compressed by gzip: every byte unpacked."""
    import mkcpio  # pylint: disable=import-outside-toplevel
    archive, data = mkcpio.Archive(), random.Random(1952).randbytes(3 * MIB + 5) + b"words " * MIB
    archive.data(data, "/unpacked")
    with guest.private_folder() as folder:
        plain = boot.write_archive(archive, folder / "plain.cpio")
        files = []
        for path in (build.INITRD, plain):
            files.append(folder / f"{path.name}.gz")
            files[-1].write_bytes(gzip.compress(path.read_bytes(), mtime=0))
        with Boot("-- sha256sum /unpacked", more=files[1], parts={"initrd": files[0]}, mem=256) as machine:
            machine.until(rf"^{hashlib.sha256(data).hexdigest()}  /unpacked$")
            machine.until_off()
    check("initrd: byte" not in machine.text() and "gzip file at" not in machine.text(), "the initrd was not unpacked whole")


def _firmware(name, **what):
    with Boot(firmware=name, **what) as machine:
        machine.until(STORY_HELD)
        machine.power_off()


def ovmf_2m():
    _firmware("ovmf-2m")


def ovmf_secboot():
    """The build with Secure Boot and SMM; without keys, so Secure Boot is off."""
    _firmware("ovmf-secboot")


def uboot():
    _firmware("uboot", mem=256)


def cpu_qemu64():
    """A CPU without SMEP, SMAP, UMIP, XSAVE, RDRAND, RDTSCP and 1 GiB pages."""
    _story(cpu="qemu64")


def program_on_small_cpu():
    result = run_program("/bin/busybox", ["echo", "hello"], cpu="qemu64", cpus=1)
    check((result.code, result.stdout) == (0, b"hello\n"), f"{result.code} {result.stdout}")


if __name__ == "__main__":
    harness.main([least_memory, memory_256, memory_4g, memory_20g, one_cpu, eight_cpus, sixty_four_cpus, pcid_on,
                  tscdeadline_on, nosmp,
                  maxcpus, clock_without_tsc, big_initrd, gzip_initrds,
                  ovmf_2m, ovmf_secboot, uboot, cpu_qemu64, program_on_small_cpu])
