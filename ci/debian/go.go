// SPDX-License-Identifier: MIT

// What Go's runtime and library lean on: goroutines on threads that are preempted by signals, the collector, timers,
// the poller, faults as panics, processes, signals, UNIX sockets, files. Prints what is the same in every run.
package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func goroutines() {
	numbers, sums := make(chan int), make(chan int)
	for w := 0; w < 8; w++ {
		go func() {
			sum := 0
			for n := range numbers {
				sum += n
			}
			sums <- sum
		}()
	}
	for i := 1; i <= 20000; i++ {
		numbers <- i
	}
	close(numbers)
	total := 0
	for w := 0; w < 8; w++ {
		total += <-sums
	}
	var group sync.WaitGroup
	var lock sync.Mutex
	var count, atomically int64
	for i := 0; i < 5000; i++ {
		group.Add(1)
		go func() {
			defer group.Done()
			runtime.Gosched()
			lock.Lock()
			count++
			lock.Unlock()
			atomic.AddInt64(&atomically, 2)
		}()
	}
	group.Wait()
	fmt.Println("goroutines", total, count, atomically)
	// Through 2,000 goroutines in a row.
	first := make(chan int)
	in := first
	for i := 0; i < 2000; i++ {
		out := make(chan int)
		go func(in, out chan int) { out <- 1 + <-in }(in, out)
		in = out
	}
	first <- 0
	fmt.Println("chain", <-in)
}

func preemption() {
	old := runtime.GOMAXPROCS(1)
	defer runtime.GOMAXPROCS(old)
	var stop int32
	ended := make(chan int)
	go func() {
		n := 0
		for atomic.LoadInt32(&stop) == 0 {
			n++
		}
		ended <- n
	}()
	runtime.Gosched() // comes back only when the loop is interrupted
	atomic.StoreInt32(&stop, 1)
	fmt.Println("preempted", <-ended > 0)
}

type node struct {
	left, right *node
	ballast     [4]int
}

func tree(depth int) *node {
	if depth == 0 {
		return &node{}
	}
	return &node{left: tree(depth - 1), right: tree(depth - 1)}
}

func (n *node) count() int {
	if n == nil {
		return 0
	}
	return 1 + n.left.count() + n.right.count()
}

func recurse(n int) int {
	var frame [128]int
	frame[n%128] = n
	if n == 0 {
		return 0
	}
	return recurse(n-1) + frame[n%128] - n + 1
}

func collector() {
	debug.SetGCPercent(20)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	kept := tree(12)
	var group sync.WaitGroup
	for w := 0; w < 4; w++ {
		group.Add(1)
		go func() {
			defer group.Done()
			for i := 0; i < 10; i++ {
				if tree(11).count() != 4095 {
					panic("a tree is damaged")
				}
			}
		}()
	}
	group.Wait()
	runtime.ReadMemStats(&after)
	finalized := make(chan bool, 1)
	object := &node{}
	runtime.SetFinalizer(object, func(*node) { finalized <- true })
	object = nil
	runtime.GC()
	select {
	case <-finalized:
	case <-time.After(20 * time.Minute):
		fmt.Println("no finalizer ran")
	}
	debug.FreeOSMemory()
	fmt.Println("collector", kept.count(), after.NumGC-before.NumGC > 2)
	done := make(chan int)
	go func() { done <- recurse(20000) }() // a stack of tens of MiB, copied as it grows
	fmt.Println("recursion", <-done)
}

func timers() {
	begun := time.Now()
	ticker := time.NewTicker(5 * time.Millisecond)
	for i := 0; i < 5; i++ {
		<-ticker.C
	}
	ticker.Stop()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	<-ctx.Done()
	order := make(chan int, 3)
	for _, n := range []int{3, 1, 2} {
		n := n
		time.AfterFunc(time.Duration(n)*200*time.Millisecond, func() { order <- n })
	}
	fired := []int{<-order, <-order, <-order} // two may be due at once, on a machine that stood still
	sort.Ints(fired)
	fmt.Println("timers", ctx.Err(), fired[0], fired[1], fired[2], time.Since(begun) >= 645*time.Millisecond)
}

func caught(what func()) (result interface{}) {
	defer func() { result = recover() }()
	what()
	return nil
}

func faults() {
	var pointer *node
	var table map[string]int
	zero, list := len(os.Args)-len(os.Args), []int{1}
	fmt.Println(caught(func() { pointer.left = nil }))
	fmt.Println(caught(func() { fmt.Println(1 / zero) }))
	fmt.Println(caught(func() { fmt.Println(list[zero+1]) }))
	fmt.Println(caught(func() { table["x"] = 1 }))
	debug.SetPanicOnFault(true)
	page, err := syscall.Mmap(-1, 0, 4096, syscall.PROT_READ, syscall.MAP_PRIVATE|syscall.MAP_ANON)
	must(err)
	fmt.Println(caught(func() { page[0] = 1 }) != nil)
	must(syscall.Munmap(page))
}

func processes() {
	cat := exec.Command("cat")
	cat.Stdin = strings.NewReader(strings.Repeat("0123456789", 30000))
	out, err := cat.Output()
	must(err)
	fmt.Printf("cat %d %x\n", len(out), sha256.Sum256(out))
	err = exec.Command("sh", "-c", "echo error >&2; exit 3").Run()
	fmt.Println(err)
	_, err = exec.Command("nothing-of-that-name").Output()
	fmt.Println(errors.Is(err, exec.ErrNotFound))
	ctx, cancel := context.WithCancel(context.Background())
	sleeper := exec.CommandContext(ctx, "sleep", "1000")
	must(sleeper.Start())
	cancel()
	fmt.Println(sleeper.Wait())
	var group sync.WaitGroup
	var sum int64
	for i := 0; i < 16; i++ {
		group.Add(1)
		go func(i int) {
			defer group.Done()
			var exit *exec.ExitError
			if errors.As(exec.Command("sh", "-c", fmt.Sprintf("exit %d", i)).Run(), &exit) {
				atomic.AddInt64(&sum, int64(exit.ExitCode()))
			}
		}(i)
	}
	group.Wait()
	fmt.Println("exits", sum)
	first, second := exec.Command("seq", "1000"), exec.Command("wc", "-l")
	second.Stdin, err = first.StdoutPipe()
	must(err)
	must(first.Start())
	out, err = second.Output()
	must(err)
	must(first.Wait())
	fmt.Print("pipe ", string(out))
	self, err := os.Executable()
	must(err)
	for _, role := range []string{"panic", "deadlock", "overflow", "exit"} {
		child := exec.Command(self, role)
		var errors bytes.Buffer
		child.Stderr = &errors
		err := child.Run()
		line, _, _ := strings.Cut(errors.String(), "\n")
		fmt.Println(role, err, line)
	}
	child := exec.Command(self, "wait")
	output, err := child.StdoutPipe()
	must(err)
	must(child.Start())
	line, err := bufio.NewReader(output).ReadString('\n')
	must(err)
	must(child.Process.Signal(syscall.SIGTERM))
	err = child.Wait()
	fmt.Println(strings.TrimSpace(line), err, child.ProcessState.Sys().(syscall.WaitStatus).Signal())
	child = exec.Command("sh", "-c", "echo $1 $VARIABLE; pwd; ulimit -n > /dev/null; test $$ = $(ps -o pgid= -p $$ 2>/dev/null || echo $$)", "sh", "argument")
	child.Env, child.Dir = append(os.Environ(), "VARIABLE=value"), "/"
	child.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	out, err = child.CombinedOutput()
	fmt.Printf("%s%v\n", out, err)
}

func signals() {
	got := make(chan os.Signal, 10)
	signal.Notify(got, syscall.SIGUSR1, syscall.SIGHUP)
	for _, number := range []syscall.Signal{syscall.SIGUSR1, syscall.SIGHUP} {
		must(syscall.Kill(os.Getpid(), number))
		fmt.Println("signal", <-got)
	}
	signal.Ignore(syscall.SIGHUP)
	must(syscall.Kill(os.Getpid(), syscall.SIGHUP))
	signal.Reset(syscall.SIGUSR1)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGUSR2)
	must(syscall.Kill(os.Getpid(), syscall.SIGUSR2))
	<-ctx.Done()
	stop()
	read, write, err := os.Pipe()
	must(err)
	must(read.Close())
	_, err = write.Write([]byte("x"))
	fmt.Println(errors.Is(err, syscall.EPIPE), ctx.Err())
}

func sockets() {
	listener, err := net.Listen("unix", "stream")
	must(err)
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer connection.Close()
				_, err := io.Copy(connection, connection)
				must(err)
			}()
		}
	}()
	var group sync.WaitGroup
	var bytesBack int64
	for i := 0; i < 40; i++ {
		group.Add(1)
		go func(i int) {
			defer group.Done()
			connection, err := net.Dial("unix", "stream")
			must(err)
			data := bytes.Repeat([]byte{byte(i)}, 50000)
			go func() {
				_, err := connection.Write(data)
				must(err)
				must(connection.(*net.UnixConn).CloseWrite())
			}()
			back, err := io.ReadAll(connection)
			must(err)
			if !bytes.Equal(back, data) {
				panic("other bytes came back")
			}
			atomic.AddInt64(&bytesBack, int64(len(back)))
			must(connection.Close())
		}(i)
	}
	group.Wait()
	fmt.Println("sockets", bytesBack)
	connection, err := net.Dial("unix", "stream")
	must(err)
	must(connection.SetReadDeadline(time.Now().Add(30 * time.Millisecond)))
	_, err = connection.Read(make([]byte, 1))
	fmt.Println(errors.Is(err, os.ErrDeadlineExceeded))
	must(connection.Close())
	must(listener.Close())
	_, err = os.Stat("stream")
	fmt.Println("gone", errors.Is(err, fs.ErrNotExist))
	_, err = net.Dial("unix", "nobody")
	fmt.Println(err)
	packets, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: "packets", Net: "unixgram"})
	must(err)
	sender, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: "packets", Net: "unixgram"})
	must(err)
	for _, text := range []string{"one", "two"} {
		_, err = sender.Write([]byte(text))
		must(err)
	}
	buffer := make([]byte, 100)
	for i := 0; i < 2; i++ {
		n, err := packets.Read(buffer)
		must(err)
		fmt.Println("packet", string(buffer[:n]))
	}
	abstract, err := net.Listen("unix", "@of no file")
	must(err)
	fmt.Println(abstract.Addr())
	must(abstract.Close())
}

func files() {
	must(os.MkdirAll("f/a/b", 0o750))
	for _, name := range []string{"f/x", "f/a/y", "f/a/b/z"} {
		must(os.WriteFile(name, []byte(name+"\n"), 0o640))
	}
	must(os.Symlink("x", "f/link"))
	must(os.Chtimes("f/x", time.Unix(1, 5), time.Unix(1000000000, 7)))
	must(filepath.WalkDir("f", func(path string, entry fs.DirEntry, err error) error {
		must(err)
		info, err := entry.Info()
		must(err)
		fmt.Println(path, info.Mode())
		return nil
	}))
	info, err := os.Stat("f/link")
	must(err)
	fmt.Println(info.ModTime().UTC().Format(time.RFC3339Nano), info.Size())
	file, err := os.OpenFile("f/x", os.O_RDWR|os.O_APPEND, 0)
	must(err)
	must(syscall.Flock(int(file.Fd()), syscall.LOCK_EX))
	other, err := os.Open("f/x")
	must(err)
	fmt.Println(syscall.Flock(int(other.Fd()), syscall.LOCK_EX|syscall.LOCK_NB))
	_, err = file.WriteString("more\n")
	must(err)
	must(file.Sync())
	_, err = other.Seek(2, io.SeekStart)
	must(err)
	text, err := io.ReadAll(other)
	must(err)
	copied, err := os.Create("f/copy")
	must(err)
	_, err = file.Seek(0, io.SeekStart)
	must(err)
	n, err := io.Copy(copied, file) // copy_file_range
	must(err)
	fmt.Printf("%q %d %v\n", text, n, os.Rename("f/nothing", "f/x"))
	entries, err := os.ReadDir("f")
	must(err)
	names := []string{}
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	sort.Strings(names)
	fmt.Println(names, os.Remove("f"), os.RemoveAll("f"))
}

func role(name string) {
	switch name {
	case "panic":
		panic("as told")
	case "deadlock":
		<-make(chan int)
	case "overflow":
		debug.SetMaxStack(1 << 20)
		fmt.Println(recurse(1 << 30))
	case "exit":
		defer panic("not to be seen")
		os.Exit(7)
	case "wait":
		fmt.Println("waiting")
		time.Sleep(time.Minute)
	}
}

func main() {
	if len(os.Args) > 1 {
		role(os.Args[1])
		return
	}
	for _, part := range []func(){goroutines, preemption, collector, timers, faults, processes, signals, sockets, files} {
		part()
	}
	runtime.LockOSThread()
	fmt.Println(syscall.Gettid() > 0, runtime.NumCPU() > 0, runtime.GOOS, runtime.GOARCH)
}
