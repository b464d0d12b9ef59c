// SPDX-License-Identifier: MIT

//! What Rust's library leans on: threads, locks, thread-locals, unwinding, the guard page, processes, UNIX sockets, files.
//! Prints what is the same in every run.
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{symlink, FileExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::panic;
use std::process::{self, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{mpsc, Arc, Barrier, Condvar, Mutex, Once, RwLock};
use std::thread;
use std::time::{Duration, Instant};

struct Dropped(Arc<AtomicUsize>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

thread_local! {
    static MINE: RefCell<Vec<Dropped>> = RefCell::new(Vec::new());
}

fn threads() {
    let sum = Arc::new(Mutex::new(0u64));
    let barrier = Arc::new(Barrier::new(8));
    let destroyed = Arc::new(AtomicUsize::new(0));
    let leaders = Arc::new(AtomicUsize::new(0));
    let handles: Vec<_> = (0..8u64)
        .map(|i| {
            let (sum, barrier, destroyed, leaders) =
                (sum.clone(), barrier.clone(), destroyed.clone(), leaders.clone());
            thread::Builder::new()
                .name(format!("worker {i}"))
                .spawn(move || {
                    MINE.with(|mine| mine.borrow_mut().push(Dropped(destroyed)));
                    if barrier.wait().is_leader() {
                        leaders.fetch_add(1, Ordering::SeqCst);
                    }
                    for n in 0..5000 {
                        *sum.lock().unwrap() += n % (i + 1);
                    }
                    thread::current().name().map(str::len)
                })
                .unwrap()
        })
        .collect();
    let names: Vec<_> = handles.into_iter().map(|handle| handle.join().unwrap().unwrap()).collect();
    println!("{} {:?} {:?} {:?}", sum.lock().unwrap(), names, destroyed, leaders);

    let (sender, receiver) = mpsc::sync_channel(4);
    for i in 0..4 {
        let sender = sender.clone();
        thread::spawn(move || (0..1000).for_each(|n| sender.send(i * 1000 + n).unwrap()));
    }
    drop(sender);
    println!("{}", receiver.iter().sum::<i32>());
    let (_kept, silent) = mpsc::channel::<()>();
    println!("{:?}", silent.recv_timeout(Duration::from_millis(30)));

    let pair = (Mutex::new(0), Condvar::new());
    thread::scope(|scope| {
        for turn in 0..3 {
            let pair = &pair;
            scope.spawn(move || {
                for _ in 0..100 {
                    let mut now = pair.1.wait_while(pair.0.lock().unwrap(), |now| *now % 3 != turn).unwrap();
                    *now += 1;
                    pair.1.notify_all();
                }
            });
        }
    });
    let shared = RwLock::new(vec![1, 2, 3]);
    thread::scope(|scope| {
        (0..4).for_each(|_| drop(scope.spawn(|| (0..500).for_each(|_| drop(shared.read().unwrap())))));
        (0..2).for_each(|_| drop(scope.spawn(|| (0..50).for_each(|n| shared.write().unwrap().push(n)))));
    });
    static ONCE: Once = Once::new();
    let ran = AtomicUsize::new(0);
    thread::scope(|scope| {
        (0..6).for_each(|_| drop(scope.spawn(|| ONCE.call_once(|| { ran.fetch_add(1, Ordering::SeqCst); }))))
    });
    println!("{} {} {ran:?}", pair.0.lock().unwrap(), shared.read().unwrap().len());
    let parked = thread::spawn(|| thread::park());
    parked.thread().unpark();
    parked.join().unwrap();
    let begun = Instant::now();
    thread::sleep(Duration::from_millis(20));
    println!("{} {}", begun.elapsed() >= Duration::from_millis(20), thread::available_parallelism().is_ok());
}

fn panics() {
    panic::set_hook(Box::new(|_| ()));
    let list = vec![1, 2, 3];
    let caught = panic::catch_unwind(|| list[list.len()]);
    println!("{}", caught.unwrap_err().downcast_ref::<String>().unwrap());
    let dropped = Arc::new(AtomicUsize::new(0));
    let inside = dropped.clone();
    let result = thread::spawn(move || {
        let _kept = [Dropped(inside.clone()), Dropped(inside)];
        panic!("as told");
    })
    .join();
    println!("{:?} {dropped:?}", result.unwrap_err().downcast_ref::<&str>());
    let lock = Arc::new(Mutex::new(1));
    let poisoner = lock.clone();
    let _ = thread::spawn(move || {
        let _held = poisoner.lock().unwrap();
        panic!();
    })
    .join();
    println!("poisoned {}", lock.is_poisoned());
    let _ = panic::take_hook();
}

fn processes() -> io::Result<()> {
    let mut cat = Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let mut input = cat.stdin.take().unwrap();
    let writer = thread::spawn(move || input.write_all(&[b'x'; 300_000]));
    let output = cat.wait_with_output()?;
    writer.join().unwrap()?;
    println!("{} {}", output.stdout.len(), output.status);
    println!("{}", Command::new("sh").args(["-c", "exit 9"]).status()?);
    println!("{}", Command::new("nothing-of-that-name").status().unwrap_err());
    let mut sleeper = Command::new("sleep").arg("100").spawn()?;
    println!("{:?}", sleeper.try_wait()?);
    sleeper.kill()?;
    println!("{:?}", sleeper.wait()?.signal());
    let output = Command::new("sh").args(["-c", "echo $0 $WORD; pwd; echo e >&2"]).arg0("other")
        .env_clear().env("WORD", "value").env("PATH", "/usr/bin:/bin").current_dir("/").output()?;
    print!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    for role in ["panic", "overflow", "thread overflow", "abort", "exit"] {
        let output = Command::new(std::env::current_exe()?).arg(role).output()?;
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        println!("{role}: {} {}", output.status, text.trim().lines().next().unwrap_or("").split(" at ").next().unwrap());
    }
    Ok(())
}

fn sockets() -> io::Result<()> {
    let listener = UnixListener::bind("stream")?;
    let server = thread::spawn(move || {
        let handles: Vec<_> = listener.incoming().take(20).map(|stream| {
            thread::spawn(move || {
                let mut stream = stream.unwrap();
                let mut line = String::new();
                BufReader::new(stream.try_clone().unwrap()).read_line(&mut line).unwrap();
                stream.write_all(line.to_uppercase().as_bytes()).unwrap();
            })
        }).collect();
        handles.into_iter().for_each(|handle| handle.join().unwrap());
    });
    let mut answers: Vec<_> = (0..20).map(|i| {
        thread::spawn(move || {
            let mut stream = UnixStream::connect("stream").unwrap();
            writeln!(stream, "client {i:02}").unwrap();
            let mut text = String::new();
            stream.read_to_string(&mut text).unwrap();
            text.trim().to_string()
        })
    }).map(|handle| handle.join().unwrap()).collect();
    server.join().unwrap();
    answers.sort();
    println!("{} {} {}", answers.len(), answers[0], answers[19]);
    let (mut a, b) = UnixStream::pair()?;
    b.set_read_timeout(Some(Duration::from_millis(20)))?;
    println!("{:?}", (&b).read(&mut [0; 4]).unwrap_err().kind());
    a.write_all(b"1234567")?;
    b.set_nonblocking(true)?;
    let mut buffer = [0; 20];
    println!("{} {:?}", (&b).read(&mut buffer)?, (&b).read(&mut buffer).unwrap_err().kind());
    drop(b);
    println!("{:?}", a.write_all(b"x").unwrap_err().kind());
    println!("{}", UnixStream::connect("nobody").unwrap_err());
    let (first, second) = (UnixDatagram::bind("first")?, UnixDatagram::bind("second")?);
    first.send_to(b"packet", "second")?;
    let (size, from) = second.recv_from(&mut buffer)?;
    println!("{size} {:?}", from.as_pathname());
    Ok(())
}

fn files() -> io::Result<()> {
    fs::create_dir_all("r/a/b")?;
    let mut file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o640).open("r/a/x")?;
    file.write_all(b"0123456789")?;
    file.write_all_at(b"ab", 4)?;
    file.seek(SeekFrom::Current(-3))?;
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    file.set_len(1 << 20)?;
    file.sync_all()?;
    println!("{text} {} {:o}", file.metadata()?.len(), file.metadata()?.mode());
    println!("{}", File::create_new_error());
    symlink("a/x", "r/link")?;
    fs::hard_link("r/a/x", "r/hard")?;
    fs::set_permissions("r/hard", fs::Permissions::from_mode(0o604))?;
    println!("{} {} {:o}", fs::copy("r/link", "r/copy")?, fs::metadata("r/link")?.nlink(), fs::metadata("r/a/x")?.mode());
    fs::rename("r/copy", "r/a/b/moved")?;
    let names: BTreeMap<_, _> = fs::read_dir("r")?.map(|entry| {
        let entry = entry.unwrap();
        (entry.file_name(), entry.file_type().unwrap().is_dir())
    }).collect();
    println!("{names:?} {:?}", fs::read_link("r/link")?);
    println!("{} {}", fs::remove_dir("r").unwrap_err(), fs::read("r/none").unwrap_err());
    println!("{:?}", fs::canonicalize("r/a/../link")?.file_name());
    fs::remove_dir_all("r")?;
    println!("{:?} {}", fs::metadata("r").unwrap_err().kind(), fs::read_to_string("/proc/self/comm")?.trim());
    Ok(())
}

trait CreateNew {
    fn create_new_error() -> io::Error;
}

impl CreateNew for File {
    fn create_new_error() -> io::Error {
        OpenOptions::new().write(true).create_new(true).open("r/a/x").unwrap_err()
    }
}

#[allow(unconditional_recursion)]
fn overflow(n: u64) -> u64 {
    let frame = [n; 64];
    let deeper = overflow(n + 1);
    // Read after the call, so that the frame is kept.
    deeper + unsafe { std::ptr::read_volatile(&frame[(n % 64) as usize]) }
}

fn role(name: &str) {
    match name {
        "panic" => panic!("as told"),
        "overflow" => println!("{}", overflow(0)),
        "thread overflow" => println!("{}", thread::Builder::new().name("deep".into()).spawn(|| overflow(0)).unwrap().join().unwrap()),
        "abort" => process::abort(),
        _ => process::exit(7),
    }
}

fn main() {
    if let Some(name) = std::env::args().nth(1) {
        return role(&name);
    }
    threads();
    panics();
    processes().unwrap();
    sockets().unwrap();
    files().unwrap();
    let table: HashMap<_, _> = (0..10000).map(|i| (i, i * 2)).collect();
    println!("{}", table.values().sum::<i32>());
}
