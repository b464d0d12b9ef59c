# SPDX-License-Identifier: MIT; programs of Go: one of ours by Debian's Go (go.go), another with C inside, Debian's fzf.
/made/go; echo $?; /made/go-and-c; echo $?; rm packets; GOMAXPROCS=1 GOGC=10 /made/go | md5sum; rm packets; GOMAXPROCS=8 /made/go | md5sum
seq 30000 | fzf --filter=777 | sort -n | tail -n 2; printf "%s\n" apple banana cherry | fzf --filter=an; echo $?; fzf --filter=x < /dev/null; echo $?
