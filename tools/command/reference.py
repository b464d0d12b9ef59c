# SPDX-License-Identifier: MIT
"""baton reference: what Debian's kernel gives, recorded under ci/reference/ with its version."""
import argparse
import json

from . import bench, build, linux, packages, tree


def command(_args):
    build.ready(*build.BOOT, "user/bench", needs=[packages.RUN])
    version = linux.version()
    # Debian's kernel decides about page-table isolation by the CPU; both are forced here.
    figures = bench.measure_costs((), "linux")
    figures.update(bench.measure_scale((), "linux"))
    bench.REFERENCE.parent.mkdir(parents=True, exist_ok=True)
    bench.write(bench.REFERENCE, json.dumps({"schema": 1, "version": version, "figures": figures}, indent=1)
                + "\n")
    print(f"{bench.REFERENCE.relative_to(tree.ROOT)}: {len(figures)} figures of {version}")
    return 0


def add(verbs):
    parser = verbs.add_parser(
        "reference", help="record what Debian's kernel gives",
        description="Runs the measurements on Debian's kernel in the same emulated machine and records "
                    "them under ci/reference/, with the kernel's version.",
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.set_defaults(function=command)
