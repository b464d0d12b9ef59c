# SPDX-License-Identifier: MIT; dash and bash: what scripts lean on.
dash -c 'for i in 1 2; do echo $i; done | while read x; do echo got $x; done; f() { return 4; }; f; echo $?; trap "echo bye" EXIT; echo $((7 % 4)) ${x:-unset} ${PATH%%:*}; cat <<X
here $((1 + 1))
X
set -- a "b c"; for w; do echo "$w"; done; case abc in a*) echo a;; esac; (exit 3) || echo $?; sleep 0.1 & wait $!; echo waited; kill -TERM $$; echo never'; echo $?
dash -c 'umask 077; umask; ulimit -n; ulimit -s; ulimit -v; test -t 0; echo $?; exec 3> f; echo three >&3; exec 3>&-; cat f; set -e; false; echo never'; echo $?
dash -c 'nothing'; echo $?; dash -c '/tmp'; echo $?; echo 'echo $0 $1' > s; dash s x; ./s; echo $?; chmod +x s; ./s y | sed 's/.*s y/s y/'; printf '#!/nowhere\n' > bad; chmod +x bad; ./bad; echo $?; printf '#!/bin/dash -e\nfalse\necho never\n' > e; chmod +x e; ./e; echo $?
shopt -s extglob nullglob globstar
mkdir -p q/w/e; touch q/{a,b}.c q/w/x.c; echo q/**/*.c; echo q/!(a).c; echo none*; [[ abc =~ b(.) ]] && echo ${BASH_REMATCH[1]}; declare -A m=([k]=v); echo ${m[k]} ${!m[@]}; x=hello; echo ${x^} ${x/l/L} ${x:1:3} ${#x} ${x@Q}
printf '%q %(%Y)T\n' 'a b' 0; mapfile -t l < <(seq 3); echo ${l[@]} ${#l[@]}; read -t 0.1 < <(exec sleep 1000 2> /dev/null); echo $?; kill $!; for ((i = 0; i < 3; i++)); do printf %d $i; done; echo; echo {1..5..2}; select w in a b; do echo $w; break; done <<< 2; time -p true 2>/dev/null; exec {fd}<> rw; echo w >&$fd; cat rw; exec {fd}>&-
set -o pipefail; false | true; echo $?; set +o pipefail; (kill -SEGV $BASHPID); echo $?; bash -c 'kill -STOP $$; echo continued' & until grep -qs 'State:.T' /proc/$!/status; do sleep 0.01; done; jobs -l > /dev/null; kill -CONT $!; wait $!; echo $?
set -m; sleep 50 & sleep 60 & jobs | sed 's/ *&//;s/  */ /g'; { kill %1 %2; wait; } 2> /dev/null; set +m; trap 'echo int' INT; kill -INT $$; trap - INT; trap 'echo chld' CHLD; true & wait; trap - CHLD; bash -c 'exec -a renamed bash -c "echo \$0"'; echo $BASH_SUBSHELL; (echo $BASH_SUBSHELL); enable -n echo; echo external; enable echo; ulimit -f 1; (trap '' XFSZ; head -c 4096 /dev/zero > big) 2>&1 | sed 's/.*: //'; ls -l big | cut -d' ' -f5
