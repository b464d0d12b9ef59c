# SPDX-License-Identifier: MIT
# Odd input: bytes that are no text, endless lines, closed and full outputs, arguments near their limits, names of any
# byte. Read by sh -v: each line is shown before what it prints.
rm -rf /tmp/odd && mkdir /tmp/odd && cd /tmp/odd
printf 'a\0b\nc\377d\n\0\0\n' > bin; head -c 100000 /dev/zero | tr '\0' x > long
i=0; while [ $i -lt 300 ]; do printf "\\$(printf %o $((i % 256)))"; i=$((i + 1)); done > all
for c in cat sort uniq tac rev expand nl strings wc md5sum cksum sum base64 'fold -w 3' 'cut -c1-3'; do echo "$c: $($c bin all 2>&1 | md5sum)"; done
for c in 'head -n 1' 'tail -n 2' 'grep -a b' 'grep c' 'sed s/b/X/' 'xxd' 'hexdump -C' 'od -An -tx1'; do echo "$c: $($c bin 2>&1 | md5sum)"; done
for c in sort 'wc -L' 'grep -c x' 'cut -c99999-' 'tail -c 3' 'sed -n p' fold; do echo "$c: $($c long 2>&1 | md5sum)"; done
gzip -c all | gunzip -c | cmp - all && echo same
cmp bin all; diff bin all; echo $?
awk '{print length}' long; split -b 30000 long P; ls P*; rm P*
cat <&-; sort <&-; wc <&-; head <&-; echo $?
cat bin >&-; echo $?
dd if=bin of=/dev/full; cat bin > /dev/full; echo $?
cat /dev/zero | head -c 5 | od -An -tx1; yes | head -n 3 | wc -l
cat .; head .; tail .; cp . x; mv . x; rm .; rmdir .; rmdir /; echo $?
mkdir ''; touch ''; ls ''; cat ''; ln -s '' e; cd ''; echo $?
touch "$(printf 'a\nb')" "$(printf '\377')"; ls | od -c; find . -name '*
*'; rm -f "$(printf 'a\nb')" "$(printf '\377')"; touch -- -x; rm -- -x; ls
touch "$(head -c 255 long)" && ls | wc -L; rm xxx*; touch "$(head -c 256 long)" 2>&1 | tail -c 20
mkdir -p "$(yes d/ | head -n 600 | tr -d '\n')"; find d | wc -l; rm -r d
cat "$(head -c 4095 long)" 2>&1 | tail -c 20; cat "$(head -c 5000 long)" 2>&1 | tail -c 20
mkdir small; mount -t tmpfs -o size=1m x small; dd if=/dev/zero of=small/big bs=64k count=99 2>&1 | head -n 1; stat -c %s small/big
fallocate -l 2M small/more; echo $?; umount small
dd if=/dev/zero of=far bs=1 seek=9223372036854775806 count=1; dd if=/dev/zero of=far bs=1 seek=9223372036854775807 count=1
truncate -s 9223372036854775807 far; stat -c %s far; truncate -s -5 far; rm far
printf '#!\n' > s; chmod +x s bin; ./s; echo $?; ./bin; echo $?
for line in '#! ' '#!/none' '#!/tmp' '#!./s' '#!/bin/'"$(head -c 300 long)"; do echo "$line" > s; ./s 2>&1 | tail -c 40; done
printf '#!/bin/busybox echo a b  c \nx' > s; ./s d; printf '#!/bin/busybox' > s; ./s echo 2>&1 | tail -n 1; : > s; ./s; echo $?
printf '\177ELF' > s; ./s; echo $?; head -c 63 /bin/busybox > s; ./s 2>&1 | tail -n 1
A=$(head -c 131000 /tmp/odd/long; head -c 31069 long) /bin/busybox true; echo $?
A=$(cat long; head -c 31069 long) /bin/busybox true; echo $?; A=$(cat long; head -c 31070 long) /bin/busybox true; echo $?
/bin/busybox echo "$(cat long long | head -c 131071)" | wc -c; /bin/busybox echo "$(cat long long | head -c 131072)" 2>&1 | wc -c
seq 100000 | xargs -n 5000 echo | wc; printf 'a\0b\0' | xargs -0; xargs echo < bin | od -c
(ulimit -n 5; ls / > /dev/null; echo $?); (ulimit -f 1; dd if=/dev/zero of=f bs=1k count=9 2> /dev/null; echo $?); rm -f f
sh -c 'exit 300'; echo $?; sh -c 'kill -SEGV $$'; echo $?; sh none; echo $?
chmod 7777 bin; chown 12345:54321 bin; stat -c '%A %u:%g' bin; chmod 0 bin; wc -c < bin; mknod n c 1 3; echo x > n; stat -c '%t:%T %F' n
mkfifo q; mkfifo q; ln q q2; stat -c '%h %F %t' q; ln -s l l; cat l; readlink -f l; echo $?
echo x > /proc/version; echo abc > /proc/sys/kernel/pid_max; dd if=/proc/version bs=1 skip=3 count=4 2> /dev/null; echo
cat /proc/self/mem 2>&1 | head -c 60; kill -0 999999; kill -99 1; hostname "$(head -c 65 long)"; echo $?
mkdir m; mount --bind m m; rmdir m; umount m; rmdir m; umount m; echo $?
mv bin /proc/x; cp bin /proc/x; mkdir r; mv r r/x; mkdir -p r/s; mv r/s/ t; rm -r r t; echo $?
chroot none sh; chroot bin sh; mkdir z; cd z; rmdir ../z; pwd; touch x; cd /tmp/odd; echo $?
tar cf a.tar none; cpio -t < bin; gunzip -c bin; unzip bin 2>&1 | head -n 1; echo $?
cd / && rm -r /tmp/odd
