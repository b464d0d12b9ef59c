# SPDX-License-Identifier: MIT; programs of Rust: one of ours by Debian's rustc (rust.rs), Debian's ripgrep, bat, fd.
/made/rust; echo $?; RUST_BACKTRACE=1 /made/rust panic 2>&1 | grep -c 'rust::main'
mkdir -p t/a/b t/.git; for i in $(seq 40); do seq $i 200 > t/a/$i.c; done; echo 'fn main() { let needle = 1; }' > t/a/b/x.rs; echo 'a/1*.c' > t/.ignore; printf 'bin\0needle' > t/binary
rg -c '^19.$' t | sort; rg needle t; echo $?; rg -n --sort path -e '^200$' t | tail -n 2; rg --files t | wc -l; rg -l -j 4 --no-ignore '^3$' t | sort; rg -U 'main.*\n' -r replaced t/a/b; rg --pcre2 '(?<=let )n\w+' -o t/a/b; seq 10 | rg 1; rg nothing t; echo $?; rg x nowhere; echo $?; rg --stats -q needle t | tail -n 3 | head -n 1
batcat --version | cut -d' ' -f1; batcat -p --color=never t/a/b/x.rs; batcat -n --color=never --paging=never -r 2:3 t/a/2.c; batcat -p --color=always t/a/b/x.rs; batcat nowhere; echo $?
fdfind -e rs . t; fdfind -I -j 4 -e c . t | wc -l; fdfind -I '^3\d' t -x echo {/.} \; | sort; fdfind --changed-within 1h -t f -g 'x*' t
