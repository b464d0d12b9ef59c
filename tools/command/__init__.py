# SPDX-License-Identifier: MIT
"""The Python half of tools/baton.

One module a verb (run, execute, tests, image, debug, bench, stop, symbolise), each with `add(verbs)`,
which declares its options, and a function that takes them and returns the exit code. Under them:

    tree      where things stand, messages, progress
    packages  what Debian must have installed
    build     meson and ninja
    firmware  firmware names and files
    machine   a machine in words -> QEMU's command line (pure)
    guest     a QEMU process of ours: start, record, monitor, end
    channel   the frames of include/baton/channel.h (pure)
    program   what a program from the host needs in the initrd
    boot      boot media

A failure of Baton itself is a tree.Failure with a text that says what, where, found and expected.
"""
