# SPDX-License-Identifier: MIT
# UEFI's variables by Debian's efivar, efibootmgr and chattr, and by the files alone. Only what does not depend on how the
# machine was started is printed: ci/efivars.py compares that on Baton with that on Debian's kernel.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C
[ -e /modules/efivarfs.ko ] && /bin/busybox insmod /modules/efivarfs.ko
EFI=/sys/firmware/efi
VARS=$EFI/efivars
GLOBAL=8be4df61-93ca-11d2-aa0d-00e098032b8c
OWN=5f0bba7c-1e24-4c15-8a51-ba70a5c9d3f2
part() { echo "== $1"; }
try() { "$@" 2>&1 || echo "status $?"; }
# The file's bytes; the first four are the attributes.
show() { { od -An -tx1 -v "$1"; } 2>&1 || echo "status $?"; }
# FILE BYTES: one write.
put() { printf "$2" 2>&1 > "$1" || echo "status $?"; }
entries() { efibootmgr "$@" 2>&1 | grep -v -e ^BootCurrent; }
# DIGITS TEXT: an entry whose path is a file's name, as a boot manager would make it.
option() {
	put "$VARS/Boot$1-$GLOBAL" "\7\0\0\0\1\0\0\0\x16\0$2\0\0\0\4\4\x12\0\\\\\0a\0.\0e\0f\0i\0\0\0\x7f\xff\4\0"
}

part sysfs
for file in config_table efivars fw_platform_size fw_vendor runtime runtime-map systab; do
	[ $file = efivars ] || stat -c '%n %A %s' $EFI/$file
	[ -f $EFI/$file ] && cat $EFI/$file
done
for range in $EFI/runtime-map/*; do
	case $(cat $range/type) in # Linux keeps a range of its own
	0x5 | 0x6 | 0xb) echo $(cat $range/phys_addr $range/num_pages $range/type $range/attribute) ;;
	esac
done | sort
stat -c '%n %A %s' $EFI/runtime-map/0/* | sort

part mount
try mount -t efivarfs -o nonsense efivarfs $VARS
try mount -t efivarfs efivarfs $VARS
grep efivarfs /proc/mounts /proc/filesystems
stat -f -c '%t %T %l' $VARS
stat -c '%A %u %g %F' $VARS
try mount -t efivarfs efivarfs /mnt
ls /mnt | cmp - <(ls $VARS) && umount /mnt
ls $VARS | grep -v -e ^Loader -e '^Boot0' -e ^BootCurrent -e ^VMMBootOrder -e RandomSeed
for name in BootOrder-$GLOBAL Timeout-$GLOBAL PlatformLang-$GLOBAL SetupMode-$GLOBAL; do
	stat -c '%n %A %u %g %h %b' $VARS/$name
	lsattr $VARS/$name
done
show $VARS/PlatformLang-$GLOBAL
show $VARS/SetupMode-$GLOBAL

part names
cd $VARS
try stat -c %s nothing
try stat -c %s Nothing-$GLOBAL
try stat -c %s SetupMode-${GLOBAL^^}
try stat -c %s setupmode-$GLOBAL
try touch nothing
try touch -- -$GLOBAL
try touch x-${GLOBAL%c}g
try touch x-${GLOBAL%c}
try touch $(printf 'x%.0s' {1..219})-$GLOBAL
try mkdir x-$OWN
try mkfifo x-$OWN
try ln -s x y-$OWN
try ln BootOrder-$GLOBAL y-$OWN
try mv BootOrder-$GLOBAL y-$OWN
try rmdir BootOrder-$GLOBAL
try rm Nothing-$OWN
try touch New-$OWN
stat -c '%n %A %s %u %g %h' New-$OWN
lsattr New-$OWN
show New-$OWN
try touch new-${OWN^^}
ls | grep -i $OWN
try chattr -i New-$OWN new-$OWN
try rm New-$OWN new-$OWN
ls | grep -i $OWN
cd /

part write
FILE=$VARS/Lab-$OWN
put $FILE '\7\0\0\0abc'
show $FILE
stat -c %s $FILE
put $FILE '\7\0\0\0no'
try rm $FILE
try chmod 600 $FILE
try touch $FILE
lsattr $FILE
try chattr -i $FILE
lsattr $FILE
put $FILE '\7\0\0\0abcd'
put $FILE '\x47\0\0\0ef'
show $FILE
stat -c %s $FILE
put $FILE '\6\0\0\0other attributes'
put $FILE '\3\0\0\0other attributes'
put $FILE '\x87\0\0\0unknown attributes'
put $FILE '\7\0\0\x80unknown attributes'
put $FILE '\7\0\0'
show $FILE
: > $FILE
stat -c %s $FILE
show $FILE
(printf '\7\0\0\0one'; printf '\7\0\0\0three') | dd of=$FILE bs=7 count=2 iflag=fullblock 2>&1 | head -2
show $FILE
dd if=$FILE bs=1 skip=4 count=2 2>/dev/null | od -An -c
tail -c 3 $FILE | od -An -c
try chmod 600 $FILE
try chown 12:34 $FILE
stat -c '%A %u %g' $FILE
try truncate -s 3 $FILE
stat -c %s $FILE
put $FILE '\7\0\0\0'
ls $FILE 2>&1
put $FILE '\6\0\0\0volatile'
try chattr -i $FILE
put $FILE '\6\0\0\0volatile'
show $FILE
try rm $FILE
ls $FILE 2>&1
put $FILE '\2\0\0\0boot services only'
put $FILE '\7\0\0\0back'
try chattr -i $FILE
try rm $FILE
head -c 40000 /dev/zero | tr '\0' '\7' > /tmp/much
try dd if=/tmp/much of=$FILE bs=40000 2>&1 | head -1
show $FILE
try chattr -i $FILE
try rm $FILE

part rules
for bytes in '\7\0\0\0\1' '\7\0\0\0\1\0\2' '\7\0\0\0\1\0\2\0'; do
	put $VARS/BootOrder-$GLOBAL "$bytes"
	put $VARS/BootNext-$GLOBAL "$bytes"
	put $VARS/Timeout-$GLOBAL "$bytes"
	put $VARS/PlatformLang-$GLOBAL "$bytes"
	put $VARS/Boot1234-$GLOBAL "$bytes"
	put $VARS/Boot12345-$GLOBAL "$bytes"
	put $VARS/ConOut-$GLOBAL "$bytes"
done
put $VARS/PlatformLang-$GLOBAL '\7\0\0\0en\0'
put $VARS/Timeout-$GLOBAL '\7\0\0\0\3\0'
for name in BootOrder BootNext Timeout PlatformLang Boot1234 Boot12345 ConOut; do
	ls $VARS/$name-$GLOBAL 2>&1
done
rm -f $VARS/BootNext-$GLOBAL $VARS/Boot1234-$GLOBAL $VARS/Boot12345-$GLOBAL
for text in SetupMode SecureBoot OsIndicationsSupported; do
	put $VARS/$text-$GLOBAL '\6\0\0\0\1'
	try chattr -i $VARS/$text-$GLOBAL
	put $VARS/$text-$GLOBAL '\6\0\0\0\1'
	try rm $VARS/$text-$GLOBAL
	try chattr +i $VARS/$text-$GLOBAL
done
put $VARS/db-d719b2cb-3d3a-4596-a3bc-dad00e67656f '\x27\0\0\0unsigned'

part nobody
put $FILE '\7\0\0\0mine'
nobody() { setpriv --reuid=65534 --regid=65534 --clear-groups "$@" 2>&1 || echo "status $?"; }
nobody cat $VARS/SetupMode-$GLOBAL | od -An -tx1
nobody touch $VARS/Other-$OWN
nobody rm $FILE
nobody chattr -i $FILE
nobody lsattr $FILE
nobody dd if=/tmp/much of=$FILE bs=10 count=1
try setpriv --bounding-set=-linux_immutable --inh-caps=-linux_immutable chattr -i $FILE
try chattr -i $FILE
nobody rm $FILE
try setpriv --bounding-set=-linux_immutable --inh-caps=-linux_immutable chattr +i $FILE
nobody chattr +i $FILE
try chattr +d $FILE
try chattr +a $FILE
try rm $FILE

part readonly
put $FILE '\7\0\0\0mine'
try mount -o remount,ro $VARS
try chattr -i $FILE
try touch $VARS/New-$OWN
put $FILE '\7\0\0\0more'
show $FILE
try mount -o remount,rw $VARS
try chattr -i $FILE
try rm $FILE

part efivar
printf 'data of a file' > /tmp/data
try efivar -n $OWN-Made -w -t 7 -f /tmp/data
try efivar -n $OWN-Made -p
try efivar -n $OWN-Made -d
echo
printf ', more' > /tmp/data
try efivar -n $OWN-Made -a -t 7 -f /tmp/data
try efivar -n $OWN-Made -p
try efivar -l | grep $OWN
lsattr $VARS/Made-$OWN
try efivar -n $OWN-Missing -p
try efivar -n nonsense -p
try chattr -i $VARS/Made-$OWN
try rm $VARS/Made-$OWN
try efivar -l | grep $OWN
efivar -p -n $GLOBAL-PlatformLangCodes
efivar -L | head -3

part efibootmgr
rm -f $VARS/Boot0*-$GLOBAL $VARS/BootOrder-$GLOBAL
entries -v
option 0001 'F\0i\0r\0s\0t'
option 0A2B 'S\0e\0c\0o\0n\0d'
option 0003 'T\0h\0i\0r\0d'
entries -v
entries -o 1,a2b,3
entries -n 0A2B
show $VARS/BootNext-$GLOBAL
entries -N
entries -A -b 0003
entries -a -b 0003
entries -t 7
show $VARS/Timeout-$GLOBAL
entries -B -b 0A2B
entries -n 7777
entries -B -b 7777
entries -O
entries -T
entries -o 3,1,3
entries -D
entries -v
ls $VARS | grep ^Boot[0O]
show $VARS/Boot0001-$GLOBAL
truncate -s 1M /tmp/disk
entries -c -d /tmp/disk -p 1 -L Made -l '\\EFI\\x.efi' | sed 's/.*: //'

part again
umount $VARS && ls $VARS
try mount -t efivarfs -o ro,dirsync efivarfs $VARS
grep -c -e "$VARS efivarfs ro" /proc/mounts
umount $VARS
try mount -t efivarfs efivarfs $VARS
grep "$VARS efivarfs" /proc/mounts
entries
ls $VARS | grep -c -e $OWN
try umount $VARS
part end
