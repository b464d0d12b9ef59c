# SPDX-License-Identifier: MIT; gcc, binutils, make: C programs compiled and run here.
cat > one.h <<'C'
int twice(int);
C
cat > one.c <<'C'
#include "one.h"
int twice(int x) { return 2 * x; }
C
cat > main.c <<'C'
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "one.h"
static void *body(void *x) { return (void *)(long)twice((int)(long)x); }
int main(int argc, char **argv)
{
	pthread_t t;
	void *r;
	pthread_create(&t, NULL, body, (void *)21);
	pthread_join(t, &r);
	printf("%ld %.6f %d %s\n", (long)r, sqrt(2 + argc), argc, strerror(2));
	return 3;
}
C
cat > Makefile <<'M'
CFLAGS = -O2 -g -Wall -Wextra
all: main static
main: main.o libone.a
	$(CC) -o $@ main.o -L. -lone -lm -pthread
static: main.c one.c
	$(CC) $(CFLAGS) -static -o $@ $^ -lm -pthread
libone.a: one.o
	ar rcsD $@ $^
main.o one.o: one.h
shared: one.c
	$(CC) -shared -fPIC -Wl,-soname,libone.so -o libone.so one.c && $(CC) -o $@ main.c -L. libone.so -lm -Wl,-rpath,'$$ORIGIN'
clean:
	rm -f main static *.o *.a
.PHONY: all clean
M
make -j4 --output-sync 2>&1 | sort; ./main a; echo $?; ./static; echo $?; make shared; ./shared; make; touch one.h; make main | wc -l; make -n clean; make nothing; echo $?
nm libone.a; size main.o | tail -n 1; strip -o stripped main; ./stripped; readelf -h static | grep Type; objdump -d one.o | grep -c ret; objcopy -O binary one.o one.bin; wc -c < one.bin; strings -n 6 main | grep -c pthread; addr2line -e main -f main | sed 's/ .*//' | head -n 1; ar t libone.a; c++filt _Z3foov
gcc -E - <<< '__linux__ __x86_64__' | tail -n 1; gcc -O3 -S -o - one.c | grep -c twice; gcc -x c - <<< 'int main(void) { return x; }'; echo $?; gcc nothing.c; echo $?; as -o a.o <<< 'nop' && objdump -d a.o | tail -n 1; ld -o none a.o; ./none; echo $?
