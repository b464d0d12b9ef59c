# SPDX-License-Identifier: MIT; GNU grep, sed, gawk, diffutils.
seq 100 > n; grep -c 7 n; grep -n '^9.$' n | head -n 2; grep -E '(1|2)0$' n | tr '\n' ' '; echo; grep -P '^(?=.*3)\d{2}$' n | wc -l; grep -v . n; echo $?
mkdir -p g/h; echo needle > g/h/a; printf 'bin\0needle' > g/b; grep -r needle g | sort; grep -rl needle g | sort; grep -w -i NEEDLE g/h/a; grep --color=always e g/h/a; grep -o '[ae]' g/h/a | uniq -c; grep x nothing; echo $?
sed -n '3,5p;$p' n; sed 's/\([0-9]\)\([0-9]\)/\2\1/;10q' n | tail -n 1; sed -i.bak '2d;s/^1$/one/' n; head -n 2 n n.bak; sed -E ':a;N;$!ba;s/\n/,/g' n | cut -c 1-20; sed 'y/123/abc/;5!d' n; sed -n '/^20$/,/^22$/{=;p}' n; sed '1e echo run' <<< x; sed s 2>&1 | head -n 1
gawk 'BEGIN { for (i = 0; i < 3; i++) a[i] = i * i; PROCINFO["sorted_in"] = "@ind_num_desc"; for (i in a) print i, a[i] }'
gawk -F: '{ s += $1 } END { printf "%d %.3f\n", s, s / NR }' n.bak; gawk 'BEGIN { "echo sub" | getline x; print x; print "b\na" | "sort"; close("sort"); print system("exit 3"); print strftime("%F", 0, 1), toupper("x"), gensub(/(a)(b)/, "\\2\\1", 1, "ab") }'
gawk 'BEGIN { c = "cat"; print "two ways" |& c; close(c, "to"); c |& getline l; print l; print length(ENVIRON["PATH"]) > 0 }'; gawk --bignum 'BEGIN { print 2^100 }'; awk 'BEGIN { print ARGC, substr("hello", 2, 3), index("abc", "c"), match("foobar", /o+/), RSTART, RLENGTH }'
printf '%s\n' 1 2 3 4 > x; printf '%s\n' 1 3 4 5 > y; diff x y; echo $?; diff --label a --label b -u x y; cmp x y; diff3 x y x; sdiff -w 20 x y; diff -q x y; cmp x x; echo $?
