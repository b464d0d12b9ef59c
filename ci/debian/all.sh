# SPDX-License-Identifier: MIT; all.sh NAME...: the parts, each in a folder of its own. What a system's init does before comes first.
export LC_ALL=C.UTF-8 PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin HOME=/root TERM=linux TZ=UTC SHELL=/bin/bash
ulimit -c 0
[ -e /dev/fd ] || ln -s /proc/self/fd /dev/fd
mount -t tmpfs none /tmp
for kind in "tmpfs /dev/shm" "devpts /dev/pts"; do
	grep -q " ${kind#* } " /proc/mounts || { mkdir -p ${kind#* }; mount -t ${kind% *} none ${kind#* }; }
done
ldconfig
for name; do
	echo "== $name"
	mkdir -p /tmp/$name
	cd /tmp/$name
	bash /scripts/$name.sh 2>&1 < /dev/null
	cd /
	rm -rf /tmp/$name
done
