# SPDX-License-Identifier: MIT
# Processes, users, the machine; nothing here may tell one machine from another. Read by sh -v.
rm -rf /tmp/system && mkdir /tmp/system && cd /tmp/system
uname -s; uname -m
nproc | grep -c '[0-9]'
hostname -s > /dev/null; echo $?
timeout 1 sleep 1000; echo $?
timeout -s KILL 1 sleep 1000; echo $?
timeout 1000 sh -c 'exit 3'; echo $?
setsid sh -c 'echo in a session'
setsid -c true 2>/dev/null; echo $?
time -f %x true 2>&1 | tail -n 1
sh -c 'time -p true' 2>&1 | cut -d' ' -f1
usleep 1000 && echo slept
sleep 0 && echo none
sleep 0.05 0.05 2>/dev/null; echo $?
watch -n 1 true < /dev/null > /dev/null 2>&1 & kill $! && echo killed; wait
sleep 2000 & p=$!; kill -0 $p && echo alive; kill $p; wait $p; echo $?
sleep 2000 & p=$!; kill -STOP $p; until grep '^State:.*T' /proc/$p/status; do usleep 10000; done; kill -CONT $p; kill -KILL $p; wait $p; echo $?
sleep 2000 & p=$!; until ps -o pid,comm | grep -c "^ *$p sleep"; do usleep 10000; done > seen; tail -n 1 seen; rm seen; kill $p; wait 2>/dev/null
sleep 2100 & until pidof sleep > /dev/null; do usleep 10000; done; echo found; killall sleep; wait 2>/dev/null; pidof sleep; echo $?
kill -l 9; kill -l 15; kill -l TERM
kill 999999 2>/dev/null; echo $?
start-stop-daemon -S -b -m -p pid -x /bin/sleep -- 3000; until [ -s pid ]; do usleep 10000; done; kill -0 $(cat pid) && start-stop-daemon -K -p pid > /dev/null; echo $?
taskset -p $$ | grep -c mask
chroot / /bin/echo in a root
mkdir -p root/bin && cp /bin/busybox root/bin/sh && chroot root /bin/sh -c 'pwd; echo *'
su -s /bin/sh nobody -c 'id -u' 2>/dev/null | head -n 1 | grep -c . > /dev/null; echo su
setpriv --dump 2>/dev/null | grep -c uid
setpriv --nnp true; echo $?
id | cut -c1-5
groups > /dev/null 2>&1; echo $?
logname > /dev/null 2>&1; echo $?
tty < /dev/null; echo $?
stty < /dev/null 2>/dev/null; echo $?
mesg 2>/dev/null < /dev/null; echo done
env | grep -c '^PATH='
which sh
test -e /dev/null && test -c /dev/zero && test -c /dev/urandom && echo devices
head -c 5 /dev/zero | od -An -tx1
head -c 100 /dev/urandom | wc -c
echo gone > /dev/null && cat /dev/null | wc -c
dd if=/dev/zero of=/dev/full bs=1 count=1 2>/dev/null; echo $?
echo x > /dev/full; echo $?
ls -l /dev/null /dev/zero /dev/full | cut -c1-10
cat /proc/self/comm
readlink /proc/self/exe | sed 's/.*busybox/busybox/'
tr '\0' ' ' < /proc/self/cmdline; echo
ls /proc/self/fd | head -n 3
grep -c . /proc/self/maps | grep -c '[0-9]'
cut -d' ' -f2,3 /proc/self/stat
grep '^Name\|^Threads' /proc/self/status
cat /proc/sys/kernel/ostype
cat /proc/sys/kernel/pid_max | grep -c '[0-9]'
grep -c MemTotal /proc/meminfo
free | head -n 1 | tr -s ' '
uptime | grep -c load
cat /proc/uptime | wc -w
cat /proc/loadavg | wc -w
mount | grep -c proc
mkdir m && mount -t tmpfs -o size=64k none m && echo in > m/file && ls m && cp m/file . && umount m && ls m && cat file
mount -t tmpfs -o size=16k none m; dd if=/dev/zero of=m/big bs=1k count=64 2>/dev/null; echo $?; stat -c %s m/big; umount m
mkdir src dst && echo bound > src/f && mount --bind src dst && cat dst/f && umount dst && ls dst
mount nothing /nowhere; echo $?
umount m 2>/dev/null; echo $?
mkswap sw 2>/dev/null; echo $?
sysctl kernel.ostype
dmesg > /dev/null; echo $?
logread 2>/dev/null; echo $?
getopt abc a
ipcalc -n 192.168.7.9/24
ping -c 1 localhost > /dev/null 2>&1; echo ping
wget -q -O - http://127.0.0.1/ 2>/dev/null; echo $?
nc 127.0.0.1 1 < /dev/null 2>/dev/null; echo $?
tty -s < /dev/null; echo $?
resize < /dev/null > /dev/null 2>&1; echo resized
clear | od -An -c | head -n 1
reset < /dev/null > /dev/null 2>&1; echo reset
crontab -l > /dev/null 2>&1; echo cron
openvt -c 63 -- true > /dev/null 2>&1; echo vt
echo q | ed system.none 2>&1 | wc -l
vi -c ':q' < /dev/null > /dev/null 2>&1; echo vi
less < /dev/null | wc -c
more < /dev/null | wc -c
echo page | more
echo page | less
top -b -n 1 | grep -c Mem
mkpasswd -m md5 -S abcdefgh secret
adjtimex 2>/dev/null | grep -c mode
hostid | wc -c
last < /dev/null > /dev/null 2>&1; echo last
linux64 uname -m
mdev -h > /dev/null 2>&1; echo mdev
nsenter --help 2>&1 | grep -c Usage
unshare --help 2>&1 | grep -c Usage
ionice 2>/dev/null | grep -c .
printf 'hello' | logger -s 2>&1 | grep -c hello
mknod p p; (echo piped > p &); cat p
while :; do :; done & p=$!; sleep 0.1; kill $p; wait $p 2>/dev/null; echo $?
for i in 1 2 3 4 5 6 7 8; do (sleep 0.1; exit $i) & done; wait; echo waited
for i in $(seq 40); do echo $i & done | sort -n | tail -n 1; wait
cd / && rm -r /tmp/system
