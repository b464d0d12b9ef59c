# SPDX-License-Identifier: MIT
# Text: filters, sorting, sums, encodings. Read by sh -v: each line is shown before what it prints.
rm -rf /tmp/text && mkdir /tmp/text && cd /tmp/text
for i in 1 2 3 4 5 6 7 8 9 10 11 12; do echo "line $i of twelve"; done > lines
printf 'pear 3\napple 10\nfig 2\nbanana 7\napple 1\ncherry 3\n' > fruit
printf 'a\tb\tc\n1\t2\t3\n' > tabs
cat lines | wc
cat -n fruit
cat -A tabs
tac fruit
rev fruit
nl fruit
head -n 3 lines
head -c 20 lines; echo
tail -n 2 lines
tail -n +11 lines
tail -c 11 lines
sort fruit
sort -k2n fruit
sort -k1,1 -k2,2nr fruit
sort -u -k1,1 fruit
sort -r fruit | head -n 2
sort -t' ' -k2 -n -s fruit | cut -d' ' -f1
cut -d' ' -f2 fruit | sort -n | uniq -c
cut -c1-3 fruit | sort | uniq -d
cut -d' ' -f1 fruit | sort | uniq -u
tr a-z A-Z < fruit
tr -d aeiou < fruit
tr -s 'l' < lines | head -n 2
tr -c 'a-z\n' '#' < fruit
paste fruit lines | head -n 3
paste -s -d, fruit
paste -d: - - < fruit
expand tabs
expand -t 4 tabs
unexpand -a -t 8 < lines | head -n 1 | cat -A
fold -w 7 lines | head -n 5
fold -s -w 10 lines | head -n 4
grep apple fruit
grep -c e fruit
grep -v e fruit
grep -n '^[a-c]' fruit
grep -E '(fig|pear) [0-9]+' fruit
grep -F 'p' fruit | wc -l
grep -o '[0-9]*$' fruit
grep -i APPLE fruit
grep -l apple fruit lines
grep -L apple fruit lines
grep -q nothing fruit; echo $?
grep -w '1' lines
grep -A1 fig fruit
grep -B1 -m1 apple fruit
grep -x 'fig 2' fruit
grep -e fig -e pear fruit
egrep 'a(p|n)' fruit
fgrep 'fig 2' fruit
sed 's/apple/APPLE/' fruit
sed -n '2,4p' lines
sed -n '/5/,/7/p' lines
sed '1d;$d' fruit
sed 's/\([a-z]*\) \([0-9]*\)/\2 \1/' fruit
sed -e '/fig/a\' -e 'after fig' fruit
sed -e '/fig/i\' -e 'before fig' fruit
sed 'y/abc/xyz/' fruit
sed = fruit | sed 'N;s/\n/: /'
sed -n '$=' lines
sed 's/e/E/2' lines | head -n 2
sed -E 's/([0-9]+)/<\1>/g' fruit
sed '/apple/!d' fruit
sed -n 'H;${x;s/\n/+/g;p}' fruit
sed -i 's/fig/FIG/' fruit && cat fruit && sed -i 's/FIG/fig/' fruit
sed '3q' lines
sed -n 'l' tabs
awk '{print $2, $1}' fruit
awk '{s += $2} END {print s, NR, s / NR}' fruit
awk -F'\t' '{print NF, $3}' tabs
awk '/an/,/ch/' fruit
awk 'BEGIN {for (i = 0; i < 5; i++) printf "%d%s", i * i, i < 4 ? "," : "\n"}'
awk '{n[$1] += $2} END {for (k in n) print k, n[k]}' fruit | sort
awk 'length($1) > 4 {print toupper(substr($1, 1, 3))}' fruit
awk '{gsub(/[aeiou]/, "*"); print}' fruit
awk 'BEGIN {print index("hello", "ll"), match("foobar", /o+/), RSTART, RLENGTH, sprintf("%05.2f|%-5s|%x", 3.14159, "ab", 255)}'
awk -v x=5 'BEGIN {print x ^ 2, x % 3, int(7.9), sqrt(16), exp(0), log(1)}'
awk 'BEGIN {while (("echo a b; echo c d" | getline line) > 0) {split(line, w, " "); print w[2] w[1]}}'
awk 'NR % 2' fruit | awk '{print > "odd"} END {close("odd"); while ((getline l < "odd") > 0) print "odd:", l}'
awk 'function f(n) {return n < 2 ? 1 : n * f(n - 1)} BEGIN {print f(10)}'
printf '%s\n' 5 3 9 | awk '{a[NR] = $1} END {for (i = NR; i; i--) print a[i]}'
printf '%5d|%-5d|%05d|%x|%o|%e|%s|%c\n' 42 42 42 255 8 1234.5 text X
printf '%b' 'tab\there\nnew\n'
echo -e 'a\tb\\n\x41'
echo -n no newline; echo
seq 5 | paste -s -d+
seq 2 3 14
seq -w 8 11
seq 3 -1 1
seq -s, 1 5
seq 10 | shuf | sort -n | md5sum
factor 1 2 97 1001 4294967297
expr 3 + 4 \* 2
expr length abcdef
expr substr abcdef 2 3
expr index abcdef d
expr match foobar 'foo\(.*\)'
expr 5 \> 3
echo '7 * 6; 2 ^ 64; scale=5; 22 / 7; sqrt(2)' | bc
echo '6 7 * p 2 32 ^ p' | dc
md5sum lines
sha1sum fruit
sha256sum lines fruit > sums && sha256sum -c sums
sha512sum tabs
sha3sum tabs
crc32 lines
cksum=$(sum lines 2>/dev/null || echo none); echo "${cksum%% *}"
base64 fruit
base64 fruit | base64 -d | cmp - fruit && echo same
uuencode fruit < fruit
uuencode fruit < fruit | uudecode -o copy && cmp fruit copy && echo same
od -c tabs
od -An -tx1 tabs
od -t d2 fruit | head -n 2
hexdump -C fruit | head -n 3
hd=$(hexdump -e '4/1 "%02x " "\n"' tabs); echo "$hd"
xxd tabs
xxd -p fruit
xxd -p fruit | xxd -r -p | cmp - fruit && echo same
strings -n 4 lines | head -n 2
wc -l lines fruit
wc -w fruit
wc -c < fruit
wc -L lines
dos2unix < fruit | cmp - fruit && echo same
unix2dos < tabs | od -c
cmp fruit lines; echo $?
cp fruit fruit2 && echo extra >> fruit2
diff fruit fruit2; echo $?
diff -u fruit fruit2 | tail -n +3
diff -q fruit fruit2
diff -u fruit fruit2 > p; sed -i 's/fruit2/fruit/' p; patch -p0 < p && cmp fruit fruit2 && echo patched
printf 'b\na\nc\n' > s1; printf 'a\nb\nd\n' > s2; sort s1 > t1; sort s2 > t2
comm=$(grep -xF -f t1 t2); echo "$comm"
printf '1,q\nw out\nq\n' > /dev/null; printf '2d\nw\nq\n' | ed fruit2 && cat fruit2
echo one two three | xargs -n 1 echo item
printf 'a b\0c d\0' | xargs -0 -n 1 echo
seq 6 | xargs -n 2 | tr ' ' ,
echo a b c | xargs -I{} echo '<{}>'
yes | head -n 3
yes no | head -n 2
cal 2 2024
date -u -d '2024-02-29 12:34:56' '+%Y-%m-%dT%H:%M:%S %j %a %s'
date -u -d @0
TZ=UTC0 date -d @86400 +%F
ascii | head -n 3
head -n 5 lines > part.a; tail -n +6 lines > part.b; cat part.? | cmp - lines && echo whole
tee copy1 copy2 < fruit | wc -l; cmp copy1 copy2 && echo same
echo | ts '' 2>/dev/null | wc -l
mim=$(which mim); basename "$mim"
cd / && rm -r /tmp/text
