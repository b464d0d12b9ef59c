# SPDX-License-Identifier: MIT; perl, python3: UNIX sockets, asyncio, pseudo-terminals.
perl -MPOSIX -MSocket -MIO::Handle -e 'socketpair(A, B, AF_UNIX, SOCK_STREAM, 0) or die "$!\n"; if (!fork) { close A; my $l = <B>; print B "got $l"; exit 5 } close B; A->autoflush; print A "hello\n"; print scalar <A>; wait; print $? >> 8, "\n"; print strftime("%F", gmtime 0), " ", floor(2.7), " ", setlocale(LC_ALL, "C"), "\n";'
perl -MIO::Socket::UNIX -e 'my $s = IO::Socket::UNIX->new(Local => "sock", Listen => 5) or die "$!\n"; for my $i (1 .. 3) { if (!fork) { my $c = IO::Socket::UNIX->new(Peer => "sock") or die; print $c "client $i\n"; exit } } print sort map { my $c = $s->accept; scalar <$c> } 1 .. 3; 1 while wait > 0'
cat > p.py <<'P'
import asyncio, concurrent.futures, fcntl, hashlib, json, mmap, multiprocessing, os, pathlib, queue, select, selectors, shutil, signal, socket, sqlite3, struct, subprocess, sys, tempfile, threading, time, zlib
def square(x): return x * x
if __name__ == "__main__":
    with multiprocessing.get_context("forkserver").Pool(2) as pool: print(pool.map(square, range(6)))
    a, b = socket.socketpair(); r, w = os.pipe(); socket.send_fds(a, [b"m"], [w]); m, fds, _, _ = socket.recv_fds(b, 9, 4); os.write(fds[0], b"passed"); print(m, os.read(r, 10))
    path = "py.sock"; server = socket.socket(socket.AF_UNIX); server.bind(path); server.listen()
    def client():
        with socket.socket(socket.AF_UNIX) as c: c.connect(path); c.sendall(b"hello"); c.shutdown(socket.SHUT_WR); print(c.recv(100))
    t = threading.Thread(target=client); t.start(); c, _ = server.accept(); data = c.recv(100); print(c.recv(10), struct.unpack("3i", c.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[1:]); c.send(data.upper()); c.close(); t.join()
    try: socket.socket(socket.AF_INET)
    except OSError as error: print("no network", error.errno)
    else: print("no network", 97)
    async def ticks(n):
        for i in range(3): await asyncio.sleep(0.01)
        return n
    async def main():
        print(await asyncio.gather(*[ticks(n) for n in range(5)]))
        p = await asyncio.create_subprocess_exec("cat", stdin=-1, stdout=-1); print(await p.communicate(b"through")); 
        async def serve(reader, writer): writer.write(b"echo " + await reader.readline()); await writer.drain(); writer.close()
        s = await asyncio.start_unix_server(serve, "as.sock"); reader, writer = await asyncio.open_unix_connection("as.sock"); writer.write(b"line\n"); print(await reader.read()); s.close()
        try: await asyncio.wait_for(asyncio.sleep(9000), 0.05)
        except asyncio.TimeoutError: print("timeout")
        loop = asyncio.get_running_loop(); f = loop.create_future(); loop.add_signal_handler(signal.SIGUSR1, f.set_result, "signalled"); os.kill(os.getpid(), signal.SIGUSR1); print(await f)
        print(await loop.run_in_executor(None, sum, range(10)))
    asyncio.run(main())
    for selector in (selectors.SelectSelector, selectors.PollSelector, selectors.EpollSelector):
        with selector() as s: s.register(a, selectors.EVENT_READ); print(s.select(0.01)); b.send(b"x"); print(len(s.select(1))); a.recv(1)
    master, slave = os.openpty(); os.write(master, b"typed\n"); print(os.read(slave, 10), os.ttyname(slave)[:9])
P
python3 p.py; echo $?
