# SPDX-License-Identifier: MIT; vim.tiny and less without a terminal of their own; fzf (Go).
seq 10 > v; vim.tiny -es -u NONE -c '%s/1/one/g' -c '3d' -c 'normal Goend' -c 'wq' v < /dev/null; cat v; vim.tiny --version | head -n 1; vim.tiny -es -u NONE -c 'r !echo ran' -c 'w out' -c q < <(sleep 20); cat out; less v | head -n 2; less -V | head -n 1; LESSOPEN='|cat %s' less -F v | wc -l
printf "%s\n" apple banana cherry | fzf --filter=an; echo $?
