# SPDX-License-Identifier: MIT
# Shells on the serial line and on the second virtual terminal, one after the other, each on an empty screen.
# usage: start.sh ROWS COLUMNS [TERMINAL]
export TERM=linux PS1="$ " LANG=C.UTF-8
rows=$1 columns=$2 terminal=$3
if [ "$terminal" != tty2 ]; then # OVMF's -kernel adds a word of its own
	chvt 2
	loadfont </sessions/font 2>/dev/null # on Linux; Baton's is this one
	# Orders from outside; each is answered.
	(
		stty raw -echo
		while read -r line; do
			eval "$line"
			echo "done"
		done
	) <>/dev/ttyS2 >&0 2>&1 &
	# Not with &, which would have Ctrl-C ignored.
	start-stop-daemon -S -b -x /bin/sh -- /sessions/start.sh "$rows" "$columns" tty2
	terminal=ttyS0
fi
while :; do
	home=/tmp/$terminal
	rm -rf "$home"
	mkdir -p "$home"
	# -c takes the terminal from whoever has it as the controlling one.
	HOME=$home TMUX_TMPDIR=$home setsid -c sh -c "
		cd; stty sane rows $rows cols $columns; printf '\033c'; exec sh -i" <>/dev/$terminal >&0 2>&1
done
