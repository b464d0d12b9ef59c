# SPDX-License-Identifier: MIT
# Files: names, links, modes, times, archives. Read by sh -v.
rm -rf /tmp/files && mkdir /tmp/files && cd /tmp/files && umask 022
mkdir -p a/b/c a/d && echo one > a/one && echo two > a/b/two && echo three > a/b/c/three
find . | sort
find . -type f | sort
find . -name 't*' | sort
find . -type d -empty
find a -maxdepth 1 -type f -exec cat {} \;
find . -type f -exec grep -l t {} + | sort
find . -type f -size -1 | wc -l
find a -mindepth 2 -name '*ee' -print
find . -path './a/b/*' | sort
find . -type f -print0 | xargs -0 cat | sort
find . \( -name one -o -name two \) -prune -o -type f -print
find a -depth | tail -n 1
mkdir a; echo $?
mkdir -m 700 private && stat -c '%a %F' private
rmdir a; echo $?
rmdir a/d && ls a
mkdir -p x/y/z && rmdir -p x/y/z && ls -d x; echo $?
cp a/one copy && cmp a/one copy && echo same
cp -r a copied && diff -r a copied && echo equal
cp -a a archived && find archived | sort
cp a/one a/b/two copied 2>&1; ls copied
cp nothing there; echo $?
mv copy moved && cat moved && ls copy; echo $?
mv moved a/b/ && ls a/b
mv -n a/b/moved a/b/two; cat a/b/two
echo new > a/b/two && cat a/b/two
ln a/one hard && stat -c '%h' hard
ln -s a/one soft && readlink soft && cat soft
ln -s nowhere dangling; cat dangling; echo $?
ln -s a dirlink && ls dirlink
ln -sf a/b/two soft && readlink -f soft
ln -sn b dirlink2 && readlink dirlink2
link hard hard2 && stat -c %h hard2 && unlink hard2 && stat -c %h hard
realpath a/b/../b/./c
readlink -f dangling
ls -1
ls -a
ls -F
ls -p a
ls -R a
ls -l a/one | cut -c1-10
touch -d '2024-03-04 05:06:07' a/one a/b/two hard && ls -l --full-time a/one | tr -s ' ' | cut -d' ' -f1-8
stat -c '%n %s %a %u %g %h %Y %F' a/one
stat -c '%N' soft
stat -L -c '%F' soft
ls -ln a/one | tr -s ' '
touch old -d '2001-01-01 00:00:00'; touch new -d '2020-01-01 00:00:00'; [ new -nt old ] && echo newer
ls -t old new
ls -tr old new
find . -newer old -name new
touch -r old new && stat -c %Y new
chmod 640 a/one && stat -c %a a/one
chmod u+x,g-r,o=w a/one && stat -c %A a/one
chmod -R a+rX a && find a -type f | sort | xargs stat -c '%a %n'
chmod 4755 hard && stat -c '%a %A' hard
chmod 1777 private && stat -c '%A' private
(umask 077; touch tight; stat -c %a tight)
(umask 000; mkdir wide; stat -c %a wide)
chown 12:34 hard && stat -c '%u %g %a' hard
chgrp 56 hard && stat -c '%u %g' hard
id -u; id -g; id -un
whoami
mktemp -d /tmp/files/tmp.XXXXXX | sed 's/......$/XXXXXX/'
mktemp -u abc.XXXXXX | cut -c1-4
rm -r tmp.*
mkfifo pipe && stat -c %F pipe
(echo through the fifo > pipe &) ; cat pipe
mknod null c 1 3 && echo lost > null && stat -c '%F %t %T' null
echo text > file && truncate -s 10 file && od -c file
truncate -s 2 file && cat file; echo
fallocate -l 5000 allocated && stat -c %s allocated
shred -n 1 -z allocated && od -An -tx1 allocated | sort -u
dd if=/dev/zero of=zeros bs=1024 count=3 2>/dev/null && stat -c %s zeros
dd if=/dev/zero of=sparse bs=1 count=1 seek=9999 2>/dev/null && stat -c %s sparse
echo 0123456789 | dd bs=1 skip=3 count=4 2>/dev/null; echo
echo swap | dd conv=swab 2>/dev/null
echo XY | dd of=zeros conv=notrunc bs=1 seek=4 2>/dev/null; head -c 8 zeros | od -c
basename /usr/local/file.txt .txt
dirname /usr/local/file.txt
basename /
dirname file
pwd && cd a/b && pwd && cd - && pwd
cd dirlink && pwd && pwd -P && cd ..
test -f a/one && test -d a && test -L soft && test -p pipe && test -c null && echo all
[ -s a/one ] && [ ! -e missing ] && [ -x hard ] && [ -r a/one ] && echo all
case abc in a*) echo glob;; esac
echo a/* a/?ne a/b/[tm]*
echo a/{one,two} .[!.]*
tar cf all.tar a && tar tf all.tar | sort
mkdir out && tar xf all.tar -C out && diff -r a out/a && echo equal
tar czf all.tgz a && gunzip -c all.tgz | tar t | wc -l
tar cjf all.tbz a 2>/dev/null; tar xJf all.tbz 2>/dev/null; echo $?
tar xzf all.tgz -O a/b/two
tar cf - a/b | (cd out && tar xf - && ls a)
tar tvf all.tar a/b/two | tr -s ' ' | cut -d' ' -f1-3
find a | cpio -o -H newc 2>/dev/null > all.cpio && cpio -t < all.cpio 2>/dev/null | sort
mkdir out2 && (cd out2 && cpio -id < ../all.cpio 2>/dev/null && find . | sort)
ar r lib.a a/one a/b/two 2>/dev/null; ar t lib.a
ar p lib.a two
gzip -c a/b/two | gunzip
cp a/b/two z && gzip z && ls z* && zcat z.gz && gunzip z.gz && ls z*
bzip2 -c a/b/two | bunzip2
bzip2 -c a/b/two | bzcat
seq 2000 | gzip -9 | zcat | md5sum
seq 2000 | bzip2 | bzcat | md5sum
seq 2000 > s && lzop -c s 2>/dev/null | lzop -dc 2>/dev/null | md5sum
xz -dc all.tar 2>/dev/null; echo $?
(cd a && zip -q ../a.zip one 2>/dev/null); unzip -l a.zip 2>/dev/null; echo $?
du -a a | cut -f2 | sort
df . > /dev/null && echo df
sync && echo synced
fsync a/one 2>/dev/null; echo done
rm a/one && ls a
rm nothing; echo $?
rm -f nothing; echo $?
rm a; echo $?
rm -r a && ls -d a; echo $?
i=0; while [ $i -lt 500 ]; do : > "f$i"; i=$((i+1)); done; ls f[0-9]* | wc -l; rm f[0-9]*
mkdir many && cd many && seq 1000 | xargs touch && ls | wc -l && ls | sort -n | md5sum && cd .. && rm -r many
n=$(printf 'x%.0s' $(seq 255)); touch $n && ls | grep -c xxxx; rm $n
n=$(printf 'x%.0s' $(seq 256)); touch $n; echo $?
printf 'odd' > 'a
name' && ls | grep -c '^name$'; rm a?name
ln -s loop loop; cat loop; echo $?
install_dir=/tmp/files/bin; mkdir -p $install_dir && cp hard $install_dir/ && ls $install_dir
fatattr hard 2>/dev/null; echo $?
run-parts --test . 2>/dev/null | wc -l
mkdir parts && printf '#!/bin/sh\necho part one\n' > parts/one && chmod +x parts/one && run-parts parts
which cat sh | sort
cd / && rm -rf /tmp/files && ls -d /tmp/files; echo $?
