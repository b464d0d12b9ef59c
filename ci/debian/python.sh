# SPDX-License-Identifier: MIT; python3: threads, processes, files.
cat > p.py <<'P'
import asyncio, concurrent.futures, faulthandler, fcntl, hashlib, json, mmap, multiprocessing, os, pathlib, queue, select, selectors, shutil, signal, socket, sqlite3, struct, subprocess, sys, tempfile, threading, time, zlib
from multiprocessing import shared_memory
def square(x): return x * x
def count(semaphore, barrier, queue, name, i):
    memory = shared_memory.SharedMemory(name)
    barrier.wait()
    for _ in range(50):
        with semaphore: memory.buf[0] += 1
    memory.buf[i + 1] = i * i; memory.close(); queue.put(i)
if __name__ == "__main__":
    q = queue.Queue()
    threads = [threading.Thread(target=lambda i=i: q.put(i * i)) for i in range(20)]
    [t.start() for t in threads]; [t.join() for t in threads]
    print(sorted(q.queue))
    event = threading.Event(); condition = threading.Condition(); print(event.wait(0.05))
    with concurrent.futures.ThreadPoolExecutor(4) as pool: print(list(pool.map(lambda x: x + 1, range(8))))
    for method in ("fork", "spawn"):
        with multiprocessing.get_context(method).Pool(2) as pool: print(method, pool.map(square, range(6)))
    done = subprocess.run("cat; echo error >&2; exit 9", shell=True, input=b"x" * 200000, capture_output=True); print(len(done.stdout), done.stderr, done.returncode)
    try: subprocess.run(["nothing"])
    except FileNotFoundError as error: print(error)
    p = subprocess.Popen(["sleep", "99"], start_new_session=True); print(p.poll()); p.kill(); print(p.wait())
    with tempfile.TemporaryDirectory() as d:
        f = pathlib.Path(d, "f"); f.write_text("ä\n" * 5000, encoding="utf-8"); print(f.stat().st_size, f.read_bytes()[:3], [x.name for x in pathlib.Path(d).iterdir()])
        with open(f, "r+b") as file, mmap.mmap(file.fileno(), 0) as m: m[0:2] = b"AB"; m.flush(); print(m.find(b"\n"), file.read(4))
        with open(f, "rb") as file: fcntl.flock(file, fcntl.LOCK_EX); fcntl.lockf(open(f, "r+"), fcntl.LOCK_EX | fcntl.LOCK_NB); print("locked")
        os.makedirs(d + "/a/b"); shutil.copytree(d + "/a", d + "/c"); os.symlink("f", d + "/l"); print(sorted(x for x in os.listdir(d)), os.path.realpath(d + "/l")[-2:], os.path.samefile(f, d + "/l")); os.replace(f, d + "/g"); print(os.path.exists(d + "/l"), os.sendfile(os.open("sf", os.O_RDWR | os.O_CREAT), os.open(d + "/g", os.O_RDONLY), 0, 100)); shutil.make_archive("arc", "gztar", d)
    print(hashlib.sha256(b"x").hexdigest()[:8], zlib.crc32(b"x"), json.dumps({"a": [1, None]}), len(os.urandom(8)), sqlite3.connect(":memory:").execute("select 1+1").fetchone())
    signal.signal(signal.SIGALRM, lambda *_: print("alarm")); signal.setitimer(signal.ITIMER_REAL, 1); signal.pause()
    print(signal.sigtimedwait([signal.SIGUSR2], 0.01)); pid = os.posix_spawn("/bin/sh", ["sh", "-c", "exit 6"], {}); print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])); pid = os.fork()
    if not pid: os._exit(7)
    print(os.waitid(os.P_PIDFD, os.pidfd_open(pid), os.WEXITED).si_status, os.sched_getaffinity(0) >= {0}, time.monotonic() > 0, os.getpriority(0, 0), sys.version_info[:2])
    m = shared_memory.SharedMemory(create=True, size=100); semaphore, barrier, done = multiprocessing.Semaphore(1), multiprocessing.Barrier(3), multiprocessing.Queue()
    print(os.stat("/dev/shm/" + m.name).st_size)
    children = [multiprocessing.Process(target=count, args=(semaphore, barrier, done, m.name, i)) for i in range(3)]
    [c.start() for c in children]; print(sorted(done.get(timeout=6000) for _ in children)); [c.join() for c in children]
    print(list(m.buf[:4]), [c.exitcode for c in children], multiprocessing.Lock().acquire()); m.close(); m.unlink(); print(os.path.exists("/dev/shm/" + m.name))
    with multiprocessing.Manager() as manager: d = manager.dict(a=1); d["b"] = [2]; print(dict(d))
    a, b = multiprocessing.Pipe(); a.send({"x": 1}); print(b.poll(1), b.recv(), b.poll())
    value = multiprocessing.Value("i", 5); p = multiprocessing.Process(target=value.__setattr__, args=("value", 6)); p.start(); p.join(); print(value.value)
    def stop(*_): raise KeyboardInterrupt
    signal.signal(signal.SIGUSR1, stop); threading.Timer(1, os.kill, (os.getpid(), signal.SIGUSR1)).start()
    try: time.sleep(3000)
    except KeyboardInterrupt: print("interrupted")
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR2}); signal.raise_signal(signal.SIGUSR2); print(signal.sigpending() == {signal.SIGUSR2}, signal.sigwait({signal.SIGUSR2}).name); faulthandler.enable()
P
python3 p.py; echo $?; python3 -c 'import os; os.abort()'; echo $?; python3 -c '1/0' 2>&1 | tail -n 1; echo 'print(6 * 7)' | python3; python3 -m json.tool <<< '{"a":1}'; python3 -m compileall -q p.py; ls __pycache__; python3 -m venv --help | head -n 1; python3 -m unittest -q nothing 2>&1 | tail -n 1
