# SPDX-License-Identifier: MIT
"""Turns the vDSO's shared object into a C array for the kernel: image.py VDSO.SO OUT.C"""
import struct
import sys

PAGE = 4096


def check(elf):
    """The object must be mappable as it is: one loadable segment, read and execute, from byte 0."""
    if elf[:6] != b'\x7fELF\x02\x01':
        return 'not a 64-bit little-endian ELF file'
    kind, machine = struct.unpack_from('<HH', elf, 16)
    offset = struct.unpack_from('<Q', elf, 32)[0]
    size, count = struct.unpack_from('<HH', elf, 54)
    if (kind, machine) != (3, 62):
        return 'not a shared object for x86-64'
    loads = []
    for i in range(count):
        p_type, flags, at, address, _, in_file, in_memory, _ = struct.unpack_from('<IIQQQQQQ', elf, offset + i * size)
        if p_type == 1:
            loads.append((flags, at, address, in_file == in_memory, in_memory))
    if len(loads) != 1 or loads[0][:4] != (5, 0, 0, True):
        return 'its loadable segments are %s; one is wanted, R-X, at 0 of file and memory' % loads
    if loads[0][4] > len(elf):
        return 'its segment is longer than the file'
    return None


def main():
    with open(sys.argv[1], 'rb') as file:
        elf = file.read()
    wrong = check(elf)
    if wrong:
        sys.exit('image.py: %s: %s' % (sys.argv[1], wrong))
    lines = ['/* Made by kernel/vdso/image.py. */', '#include "vdso/vdso.h"', '', 'const uint8_t vdso_image[] = {']
    for at in range(0, len(elf), 16):
        lines.append('\t' + ' '.join('0x%02x,' % byte for byte in elf[at:at + 16]))
    lines += ['};', 'const size_t vdso_image_size = sizeof(vdso_image);', '']
    with open(sys.argv[2], 'w') as file:
        file.write('\n'.join(lines))


main()
