# SPDX-License-Identifier: MIT; GNU coreutils: files, their metadata, text, numbers.
mkdir -p c/d/e && cd c
seq 1 1000 > numbers; wc numbers; md5sum numbers; sha256sum numbers; cksum numbers; sum numbers; b2sum numbers
head -n 3 numbers | tac; tail -c 10 numbers; tail -n +998 numbers
split -n 3 numbers part.; ls part.*; cat part.* | cmp - numbers && echo same
csplit -s numbers 500; wc -l xx00 xx01
ln numbers hard; ln -s numbers soft; ln -sr d/e up; readlink soft up; realpath --relative-to=. soft; stat -c '%h %s %F %a' numbers soft
cp -a . ../copy; diff -r . ../copy && echo equal; cp --reflink=auto --sparse=always numbers sparse; cmp numbers sparse && echo same
cp -n numbers hard; cp -u numbers newer; install -D -m 750 numbers a/b/installed; stat -c %a a/b/installed
mv -v a/b moved; mv -T moved other; rmdir -v a; rm -rv d
touch -d '2020-01-02 03:04:05.678901234 UTC' dated; TZ=UTC stat -c '%y %x' dated; touch -r dated numbers; TZ=UTC date -r numbers +%FT%T.%N
TZ=UTC ls -l --time-style=full-iso dated; chmod u=rw,go=r,+x dated; stat -c '%A %a' dated
truncate -s 1M hole; stat -c %s hole; dd if=/dev/zero of=hole bs=4k count=3 seek=2 conv=notrunc status=none; stat -c %s hole
dd if=numbers bs=7 skip=3 count=5 iflag=fullblock status=none; echo; dd if=numbers of=direct bs=512 conv=fsync,swab status=none; md5sum direct
printf '%s\n' b a c | sort | paste -sd, ; sort -t: -k2,2n -k1,1r <<< $'x:3\ny:1\nz:3'; printf '%s\n' a a b | uniq -c
cut -d' ' -f2- <<< 'one two three'; join <(printf '1 a\n2 b\n') <(printf '1 c\n2 d\n'); comm <(printf '1\n2\n') <(printf '2\n3\n')
tr a-z A-Z <<< shout; fold -w 5 <<< 'abcdefghijk'; fmt -w 20 <<< 'some words that are too many for one line'; nl <<< x; expand <<< $'a\tb' | od -c; pr -2 -t -l 5 <<< $'1\n2\n3\n4'
base64 numbers | tail -n 1; base32 <<< x; basenc --base16 <<< x; od -A x -t x1z -N 20 numbers; numfmt --to=iec 123456789; factor 1234567890123; shuf -i 1-5 | sort -n | paste -sd+
expr 6 \* 7; test -L soft && echo link; [ numbers -nt dated ] || echo not newer; printf '%5.2f|%-5s|%x\n' 3.14159 ab 255; echo -e 'a\tb\x41'
mkfifo fifo; (echo through > fifo &); cat fifo; mknod zero c 1 5; head -c 4 /dev/zero | od -An -tx1
tee one two <<< both > /dev/null; cat one two; env -i A=1 env; id -u; id -gn; whoami; groups; nproc > /dev/null && echo cpus; pwd; basename /a/b.c .c; dirname /a/b
timeout 0.3 sleep 1000; echo $?; timeout -s KILL 0.3 sleep 1000; echo $?; nice -n 5 nice; nohup echo kept < /dev/null 2>/dev/null; stdbuf -oL echo line; chroot / /bin/echo rooted
df -P /dev/shm > /dev/null && echo df; du -s --apparent-size -b numbers; ls -laR .. | wc -l; ls -1 --color=always numbers; vdir numbers | wc -l; dircolors | wc -l
chown 12:34 one; stat -c '%u:%g' one; chgrp 5 one; stat -c %g one; unlink one; link two three; sync; pathchk -p ok && echo ok; mktemp -u XXXX | wc -c; tsort <<< 'a b b c'
cat nothing; echo $?; ls nothing; cp nothing x; mkdir other; rmdir /proc; rm other; mv nothing x; ln numbers hard; chmod 999 numbers; cat .
shred -n 1 -u sparse; ls sparse; yes | head -n 2; seq -s ' ' 1 0.5 3; sleep 0.01; true; false; echo $?; uname -s; arch; tty; logname 2>/dev/null; printenv HOME; stty 2>&1 | head -n 1
