# SPDX-License-Identifier: MIT; inotify-tools, and coreutils' tail, which follows files by inotify.
# until_in FILE TEXT: it comes, however long it takes.
until_in() { for i in $(seq 6000); do grep -q -- "$2" "$1" 2> /dev/null && return; sleep 0.1; done; echo "no $2 in $1:"; cat "$1"; }
mkdir d d/sub; echo old > d/old
inotifywait -m -r --format '%w %e %f' d > out 2> told & p=$!
until_in told 'Watches established'
echo text > d/new; cat d/new; cp d/new d/copy; mv d/copy d/sub/moved; ln -s new d/link; chmod 600 d/old; touch -d @1 d/old
echo more >> d/sub/moved; truncate -s 1 d/sub/moved; ls d/sub; rm d/new; mkdir d/made; until_in out 'CREATE,ISDIR made'
until [ $(cat /proc/$p/fdinfo/* | grep -c '^inotify') = 3 ]; do sleep 0.1; done # the new directory is watched
touch d/made/inner; until_in out 'made/ CREATE inner'; rm -r d/made; rmdir d/sub 2>&1; rm -r d/sub; touch d/end; until_in out 'CLOSE_WRITE,CLOSE end'
kill $p; wait $p 2>/dev/null; cat told out
for how in "-e create,delete" "-e open" "-e attrib" "-e moved_to" "-e close_write"; do
	inotifywait $how d > out 2> told & p=$!
	until_in told 'Watches established'
	case $how in *create*) touch d/a ;; *open*) cat d/a ;; *attrib*) chmod 640 d/a ;; *moved*) mv d/a d/b ;; *close*) : > d/b ;; esac
	wait $p; echo $?; cat out
done
inotifywait -t 1 d; echo $?
inotifywait nothing; echo $?
inotifywatch -t 15 d > out 2> told & p=$!
until_in told 'Finished establishing'
cat d/b d/b; touch d/c; wait $p; echo $?; cat out
echo first > log; tail -f log > followed & p=$!
until_in followed first; echo second >> log; until_in followed second; echo third >> log; until_in followed third; kill $p; wait $p 2>/dev/null; cat followed
echo one > log; tail -F log > followed 2>&1 & p=$!
until_in followed one; mv log log.1; until_in followed inaccessible; echo two > log; until_in followed two; rm log; until [ $(grep -c inaccessible followed) = 2 ]; do sleep 0.1; done; echo three > log; until_in followed three
kill $p; wait $p 2>/dev/null; cat followed
sleep 1 & s=$!; echo begun > log; tail -f --pid=$s log; echo $?
tail -F -n 1 late > followed 2>&1 & p=$!
until_in followed 'cannot open'; echo there > late; until_in followed there; echo again >> late; until_in followed again; kill $p; wait $p 2>/dev/null; cat followed
