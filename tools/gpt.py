# SPDX-License-Identifier: MIT
"""A GUID partition table with one partition (UEFI 2.10 5.3), as bytes. sgdisk takes a second for it."""
import struct
import uuid
import zlib

SECTOR = 512
ENTRIES = 128
ENTRY_SIZE = 128
TABLE_SECTORS = ENTRIES * ENTRY_SIZE // SECTOR
# Sectors of the second table and its header at the disk's end, and of the first with the MBR.
END_SECTORS = TABLE_SECTORS + 1
FRONT_SECTORS = TABLE_SECTORS + 2
ESP_TYPE = uuid.UUID("c12a7328-f81f-11d2-ba4b-00a0c93ec93b")


def protective_mbr(sectors):
    """One partition of type EE over the whole disk (5.2.3)."""
    partition = struct.pack("<B3sB3sII", 0, b"\x00\x02\x00", 0xEE, b"\xff\xff\xff", 1,
                            min(sectors - 1, 0xFFFFFFFF))
    return bytes(446) + partition + bytes(48) + b"\x55\xaa"


def entry(guid, first, last, name):
    return struct.pack("<16s16sQQQ72s", ESP_TYPE.bytes_le, guid.bytes_le, first, last, 0,
                       name.encode("utf-16-le"))


def header(disk_guid, sectors, here, other, table, table_crc):
    def packed(crc):
        return struct.pack("<8sIIIIQQQQ16sQIII", b"EFI PART", 0x00010000, 92, crc, 0, here, other,
                           FRONT_SECTORS, sectors - END_SECTORS - 1, disk_guid.bytes_le, table,
                           ENTRIES, ENTRY_SIZE, table_crc)
    return packed(zlib.crc32(packed(0))).ljust(SECTOR, b"\0")


def tables(sectors, disk_guid, partition_guid, first, name):
    """(front, back): the first and the last sectors of a disk of `sectors` whose one partition
    reaches from sector `first` to the last usable one."""
    last = sectors - END_SECTORS - 1
    if not FRONT_SECTORS <= first <= last:
        raise ValueError(f"a partition from sector {first} on a disk of {sectors}")
    table = entry(uuid.UUID(partition_guid), first, last, name).ljust(ENTRIES * ENTRY_SIZE, b"\0")
    disk, crc = uuid.UUID(disk_guid), zlib.crc32(table)
    front = protective_mbr(sectors) + header(disk, sectors, 1, sectors - 1, 2, crc) + table
    back = table + header(disk, sectors, sectors - 1, 1, sectors - END_SECTORS, crc)
    return front, back
