// SPDX-License-Identifier: MIT

// Go and C in one dynamic program: threads of both, calls both ways, a fault in C.
package main

/*
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern int goTwice(int);

static int through_go(int n)
{
	return goTwice(n) + 1;
}

static void *body(void *argument)
{
	return (void *)(long)goTwice((int)(long)argument);
}

static long threads_into_go(void)
{
	pthread_t threads[8];
	long sum = 0;

	for (long i = 0; i < 8; i++)
		pthread_create(&threads[i], NULL, body, (void *)i);
	for (int i = 0; i < 8; i++) {
		void *result;

		pthread_join(threads[i], &result);
		sum += (long)result;
	}
	return sum;
}
*/
import "C"

import (
	"fmt"
	"os/user"
	"runtime"
	"sync"
	"unsafe"
)

//export goTwice
func goTwice(n C.int) C.int {
	runtime.Gosched()
	return 2 * n
}

func main() {
	text := C.CString("from Go")
	defer C.free(unsafe.Pointer(text))
	fmt.Println(C.strlen(text), C.through_go(20), C.threads_into_go())
	var group sync.WaitGroup
	sums := make([]int, 16)
	for i := range sums {
		group.Add(1)
		go func(i int) {
			defer group.Done()
			for n := 0; n < 200; n++ {
				sums[i] += int(C.through_go(C.int(n)))
			}
			runtime.GC()
		}(i)
	}
	group.Wait()
	fmt.Println(sums)
	root, err := user.LookupId("0")
	if err != nil {
		panic(err)
	}
	fmt.Println(root.Username, root.HomeDir)
}
