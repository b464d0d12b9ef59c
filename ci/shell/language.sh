# SPDX-License-Identifier: MIT
# The shell itself: words, expansion, redirection, control, functions, traps. Read by sh -v.
rm -rf /tmp/language && mkdir /tmp/language && cd /tmp/language
x=value; echo "$x" '$x' ${x}s \$x
echo ${y:-unset} ${y:=now set} $y ${x:+given} ${z:+none}.
(: ${none:?is needed}) 2>&1 | sed 's/.*none/none/'; echo go on
p=/usr/lib/name.tar.gz; echo ${p##*/} ${p#*/} ${p%.*} ${p%%.*} ${#p}
echo ${x:1:3} ${x/al/AL} ${x//u/U}
set -- one 'two words' three; echo $# "$1" "$2"; for w in "$@"; do echo "<$w>"; done
shift; echo $# $1; set -- ; echo $#
IFS=:; set -- a:b:c; v=a:b:c; for w in $v; do echo $w; done; unset IFS
echo $((1 + 2 * 3)) $((7 / 2)) $((7 % 3)) $((1 << 10)) $((0x1f)) $((010)) $((5 > 3 && 2 > 1)) $((-7 / 2))
i=5; echo $((i++)) $i $((++i)) $((i -= 2)) $((i ? 10 : 20))
echo $(echo nested $(echo deeper `echo deepest`))
for i in 1 2 3; do [ $i = 2 ] && continue; echo $i; done
i=0; while :; do i=$((i + 1)); [ $i -gt 3 ] && break; echo $i; done
until [ $i -le 1 ]; do i=$((i - 1)); echo $i; done
for i in a b; do for j in 1 2; do [ $j = 2 ] && continue 2; echo $i$j; done; done
case foo.c in *.h) echo header;; *.c | *.cc) echo source;; *) echo other;; esac
if false; then echo no; elif true; then echo elif; else echo else; fi
f() { local x=inner; echo "$x $1 $#"; return 3; }; f arg; echo $? $x
g() { echo "$FUNCNAME$*"; }; g a b
fib() { [ $1 -lt 2 ] && echo $1 || echo $(($(fib $(($1 - 1))) + $(fib $(($1 - 2))))); }; fib 9
true && echo and || echo or
false && echo and || echo or
! true; echo $?
(exit 7); echo $?
sh -c 'exit 300'; echo $?
sh -c 'kill -9 $$'; echo $?
sh -c 'kill -TERM $$'; echo $?
{ echo group; echo of two; } | wc -l
(cd / && pwd); pwd
echo out > f1; echo more >> f1; cat < f1
echo err 2> f2 >&2; cat f2
ls nothing > f3 2>&1; cat f3
{ echo to out; echo to err >&2; } 2>&1 | sort
exec 3> f4; echo through three >&3; exec 3>&-; cat f4
exec 4< f1; read line <&4; echo $line; read line <&4; echo $line; read line <&4; echo $?; exec 4<&-
echo noclobber > f5; (set -C; echo again > f5) 2>/dev/null; echo $?; cat f5
cat <<END
here $x $((1 + 1)) $(echo command)
END
cat <<'END'
here $x $((1 + 1))
END
cat <<-END
	tabs are stripped
	END
printf 'one two\nthree four\n' | while read a b; do echo "$b-$a"; done
echo 'a\tb' | { read -r l; echo "$l"; }
echo 'x y z' | { read a b; echo "[$a][$b]"; }
printf 'no newline' | { read l; echo "$? $l"; }
echo a b | read c d; echo "[$c]"
echo abc | (read -n 2 q; echo $q)
printf '%s\n' * | sort
echo [[:digit:]]* f[1-3] 'f*'
set -f; echo f*; set +f
alias hi='echo hello'; hi 2>/dev/null; unalias hi
eval 'v1=evaluated; echo $v1'
v2=indirect; name=v2; eval echo \$$name
readonly ro=1; (ro=2) 2>/dev/null; echo $?
export ex=exported; sh -c 'echo $ex'; env -u ex sh -c 'echo [$ex]'
A=1 sh -c 'echo $A'; echo [$A]
env -i P=q env
unset x; echo [${x-unset}]
type cd echo f | sed 's/ is.*builtin/ builtin/' | head -n 2
command -v cat > /dev/null && echo there; command -v nosuch; echo $?
nosuch 2>/dev/null; echo $?
./f1 2>/dev/null; echo $?
printf '#!/bin/sh\necho script $0 $1\n' > s.sh; chmod +x s.sh; ./s.sh arg
printf '#!/bin/awk -f\nBEGIN { print "an awk script" }\n' > s.awk; chmod +x s.awk; ./s.awk
printf 'echo without a line\n' > s2; chmod +x s2; ./s2
. ./s2
trap 'echo exit trap' EXIT; trap - EXIT
(trap 'echo leaving' EXIT; exit 4); echo $?
sh -c 'trap "echo got USR1" USR1; kill -USR1 $$; echo after'
sh -c 'trap "" TERM; kill $$; echo ignored'
sh -c 'trap "echo int; exit 9" INT; kill -INT $$'; echo $?
sh -c 'echo $PPID' | grep -c '[0-9]'
sleep 0.1 & wait $!; echo $?
(exit 5) & wait $!; echo $?
sh -c 'sleep 5 & kill $!; wait $!; echo $?' 2>/dev/null
a() { echo a; }; b() { a | tr a b; }; b
echo one | tee f6 | tr o 0 | rev; cat f6
true | false | true; echo $?
set -o pipefail; false | true; echo $?; set +o pipefail
set -e; (false; echo not reached) || echo caught; set +e
set -u; (echo $undefined) 2>/dev/null; echo $?; set +u
set -- -a -b val rest; while getopts ab: o; do echo "$o $OPTARG"; done; shift $((OPTIND - 1)); echo $1
getopt -o ab: -- -b v -a x
test 1 -eq 1 -a 2 -gt 1 && echo -a; test 1 -eq 2 -o 2 -gt 1 && echo -o
[ "" ] || echo empty; [ -n x -a ! -z x ] && echo both; [ abc \< abd ] && echo less
times | wc -l
umask 027; umask; umask -S; umask 022
ulimit -n; ulimit -c; (ulimit -n 20; ulimit -n)
echo $- | grep -c v
echo $0 | wc -l
let k=3*4 2>/dev/null; echo $k
i=0; while [ $i -lt 200 ]; do i=$((i + 1)); (exit $((i % 7))); s=$((${s:-0} + $?)); done; echo $s
seq 300 | while read n; do echo $((n * n)); done | tail -n 1
dd if=/dev/zero bs=1000 count=300 2>/dev/null | cat | cat | wc -c
yes | head -c 100000 | md5sum
(while :; do echo endless; done) | head -n 2
mkfifo ff; (cat ff | tr a-z A-Z) & echo through > ff; wait
cd / && rm -r /tmp/language
