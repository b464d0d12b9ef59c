/* SPDX-License-Identifier: MIT */
/*
 * Random operations on a file of a tmpfs, against a model of it in memory: 100,000 steps from a fixed seed, so that a run
 * can be had again. What a read, a mapping, a copy or SEEK_DATA and SEEK_HOLE show must be what the model says.
 *
 *	fsx [STEPS [SEED]]
 *
 * The model is an array and a size; bytes past the size are 0 in it, as they must be when the file grows. A hole
 * may be reported as data, as a file system may choose; data may never be reported as a hole.
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/vfs.h>

#include "check.h"

#define TMPFS_MAGIC 0x01021994
#define MAX         (256u * 1024u)
#define PAGE        4096u
#define HISTORY     12u
#define ALL_EVERY   2000 /* steps between comparisons of the whole file */

static unsigned char model[MAX], buffer[MAX], other_bytes[MAX];
static size_t size;
static int file = -1, appending = -1, other = -1;
static char path[64], other_path[64];
static uint64_t state;
static bool failed;

struct step {
	const char *name;
	size_t offset, length;
};
static struct step history[HISTORY];
static long number;

/* xorshift64* */
static uint64_t next_random(void)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return state * 0x2545f4914f6cdd1du;
}

static size_t below(size_t bound)
{
	return bound ? (size_t)((next_random() >> 11) % bound) : 0;
}

/* Mostly short, at times long; at times whole pages, which take other ways. */
static size_t some_length(size_t bound)
{
	size_t most = below(8) ? 3000 : below(3) ? 20000 : 150000, length = below(most) + 1;

	if (below(6) == 0)
		length = (length + PAGE) & ~(size_t)(PAGE - 1);
	return length < bound ? length : bound;
}

static size_t some_offset(size_t bound)
{
	size_t offset = below(bound);

	return below(5) ? offset : offset & ~(size_t)(PAGE - 1);
}

static void fill(unsigned char *bytes, size_t length)
{
	uint64_t value = next_random();

	for (size_t i = 0; i < length; i++)
		bytes[i] = (unsigned char)((value >> i % 8 * 8) + i / 8);
}

static void complain(const char *what, long found, long expected)
{
	if (failed)
		return;
	failed = true;
	printf("# step %ld: %s: found %ld, expected %ld; size %zu; the last steps:\n", number, what,
		found, expected, size);
	for (long i = number < (long)HISTORY ? 0 : number - (long)HISTORY + 1; i <= number; i++) {
		const struct step *one = &history[(unsigned long)i % HISTORY];

		printf("# %ld %s %zu %zu\n", i, one->name, one->offset, one->length);
	}
}

static void want(long found, long expected, const char *what)
{
	if (found < 0)
		found = -errno;
	if (found != expected)
		complain(what, found, expected);
}

static void note(size_t offset, size_t length)
{
	history[(unsigned long)number % HISTORY].offset = offset;
	history[(unsigned long)number % HISTORY].length = length;
}

static void same(const unsigned char *found, size_t offset, size_t length, const char *what)
{
	if (memcmp(found, model + offset, length) == 0)
		return;
	for (size_t i = 0; i < length; i++) {
		if (found[i] != model[offset + i]) {
			printf("# the first difference is at %zu\n", offset + i);
			complain(what, found[i], model[offset + i]);
			return;
		}
	}
}

static void model_write(const unsigned char *bytes, size_t offset, size_t length)
{
	memcpy(model + offset, bytes, length);
	if (offset + length > size)
		size = offset + length;
}

/* A range within the file; false: the file is empty. */
static bool range(size_t *offset, size_t *length)
{
	if (size == 0)
		return false;
	*offset = some_offset(size);
	*length = some_length(size - *offset);
	note(*offset, *length);
	return true;
}

/* ---- The steps ---- */

static void step_write(void)
{
	size_t offset = some_offset(MAX), length = some_length(MAX - offset);

	note(offset, length);
	fill(buffer, length);
	want(pwrite(file, buffer, length, (off_t)offset), (long)length, "pwrite");
	model_write(buffer, offset, length);
}

static void step_read(void)
{
	size_t offset = some_offset(MAX), length = some_length(MAX - offset);
	size_t expected = offset >= size ? 0 : length < size - offset ? length : size - offset;

	note(offset, length);
	want(pread(file, buffer, length, (off_t)offset), (long)expected, "pread");
	same(buffer, offset, expected, "what pread gives");
}

static void step_vectors(void)
{
	size_t offset = some_offset(MAX), length = some_length(MAX - offset),
	       first = below(length + 1);
	struct iovec parts[3] = {{buffer, first}, {NULL, 0}, {buffer + first, length - first}};

	note(offset, length);
	fill(buffer, length);
	want(lseek(file, (off_t)offset, SEEK_SET), (long)offset, "lseek");
	want(writev(file, parts, 3), (long)length, "writev");
	model_write(buffer, offset, length);
	want(lseek(file, 0, SEEK_CUR), (long)(offset + length), "the position after writev");
	want(lseek(file, (off_t)offset, SEEK_SET), (long)offset, "lseek");
	memset(buffer, 0xa5, length);
	want(readv(file, parts, 3), (long)length, "readv");
	same(buffer, offset, length, "what readv gives");
}

static void step_append(void)
{
	size_t length = some_length(MAX - size);

	note(size, length);
	if (length == 0)
		return;
	fill(buffer, length);
	want(write(appending, buffer, length), (long)length, "write at the end");
	model_write(buffer, size, length);
}

static void step_truncate(void)
{
	size_t to = below(3) ? some_offset(MAX) : size - below(size < 5000 ? size + 1 : 5000);

	note(to, 0);
	want(below(2) ? ftruncate(file, (off_t)to) : truncate(path, (off_t)to), 0, "truncate");
	if (to < size)
		memset(model + to, 0, size - to);
	size = to;
}

/* A mapping of the range's pages: from which byte of the file on, and how long. */
static unsigned char *map(
	size_t offset, size_t length, int protection, int flags, size_t *skipped, size_t *mapped)
{
	unsigned char *memory;

	*skipped = offset % PAGE;
	*mapped = length + *skipped;
	memory = mmap(NULL, *mapped, protection, flags, file, (off_t)(offset - *skipped));
	if (memory == MAP_FAILED)
		complain("mmap", -errno, 0);
	return memory == MAP_FAILED ? NULL : memory;
}

static void step_map_read(void)
{
	size_t offset, length, skipped, mapped;
	unsigned char *memory;

	if (!range(&offset, &length))
		return;
	memory = map(
		offset, length, PROT_READ, below(2) ? MAP_SHARED : MAP_PRIVATE, &skipped, &mapped);
	if (memory == NULL)
		return;
	same(memory + skipped, offset, length, "what a mapping shows");
	if (offset + length == size) {
		size_t rest = (PAGE - size % PAGE) % PAGE;

		for (size_t i = 0; i < rest; i++) {
			if (memory[skipped + length + i] != 0)
				complain("a byte past the end in the last page",
					memory[skipped + length + i], 0);
		}
	}
	want(munmap(memory, mapped), 0, "munmap");
}

static void step_map_write(void)
{
	size_t offset, length, skipped, mapped;
	unsigned char *memory;

	if (!range(&offset, &length))
		return;
	memory = map(offset, length, PROT_READ | PROT_WRITE, MAP_SHARED, &skipped, &mapped);
	if (memory == NULL)
		return;
	fill(memory + skipped, length);
	memcpy(model + offset, memory + skipped, length);
	if (below(3) == 0)
		want(msync(memory, mapped, MS_SYNC), 0, "msync");
	want(pread(file, buffer, length, (off_t)offset), (long)length,
		"pread of what a mapping wrote");
	same(buffer, offset, length, "what a mapping wrote");
	want(munmap(memory, mapped), 0, "munmap");
}

/* A private mapping shows the file until it is written to, and the file does not see that. */
static void step_map_private(void)
{
	size_t offset, length, skipped, mapped;
	unsigned char *memory;

	if (!range(&offset, &length))
		return;
	memory = map(offset, length, PROT_READ | PROT_WRITE, MAP_PRIVATE, &skipped, &mapped);
	if (memory == NULL)
		return;
	same(memory + skipped, offset, length, "what a private mapping shows");
	memset(memory + skipped, 0x5a, length);
	want(pread(file, buffer, length, (off_t)offset), (long)length,
		"pread beside a private mapping");
	same(buffer, offset, length, "the file after a write to a private mapping");
	want(munmap(memory, mapped), 0, "munmap");
}

static void step_allocate(void)
{
	size_t offset = some_offset(MAX), length = some_length(MAX - offset);
	bool keep = below(2);

	note(offset, length);
	want(fallocate(file, keep ? FALLOC_FL_KEEP_SIZE : 0, (off_t)offset, (off_t)length), 0,
		"fallocate");
	if (!keep && offset + length > size)
		size = offset + length;
}

static void step_punch(void)
{
	size_t offset = some_offset(MAX), length = some_length(MAX - offset);

	note(offset, length);
	want(fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)offset,
		     (off_t)length),
		0, "a hole");
	memset(model + offset, 0, length);
}

/* Within the file, from one range to another that is apart. */
static void step_copy_range(void)
{
	size_t offset, length, to;
	loff_t in, out;

	if (!range(&offset, &length))
		return;
	to = some_offset(MAX - length + 1);
	if (to < offset + length && offset < to + length)
		return;
	in = (loff_t)offset;
	out = (loff_t)to;
	want(syscall(SYS_copy_file_range, file, &in, file, &out, length, 0), (long)length,
		"copy_file_range");
	want(in, (long)(offset + length), "where copy_file_range read up to");
	want(out, (long)(to + length), "where copy_file_range wrote up to");
	memcpy(buffer, model + offset, length);
	model_write(buffer, to, length);
}

/* Into another file at its position, and what lies there back to where it was. */
static void step_sendfile(void)
{
	size_t offset, length;
	off_t from, back = 0;

	if (!range(&offset, &length))
		return;
	from = (off_t)offset;
	want(lseek(other, 0, SEEK_SET), 0, "lseek");
	want(sendfile(other, file, &from, length), (long)length, "sendfile");
	want(from, (long)(offset + length), "where sendfile read up to");
	want(pread(other, other_bytes, length, 0), (long)length, "pread of what sendfile wrote");
	same(other_bytes, offset, length, "what sendfile wrote");
	fill(other_bytes, length);
	want(pwrite(other, other_bytes, length, 0), (long)length, "pwrite");
	want(lseek(file, (off_t)offset, SEEK_SET), (long)offset, "lseek");
	want(sendfile(file, other, &back, length), (long)length, "sendfile back");
	model_write(other_bytes, offset, length);
}

static bool is_zero(size_t from, size_t to)
{
	for (size_t i = from; i < to; i++) {
		if (model[i] != 0)
			return false;
	}
	return true;
}

/* Data and holes take turns up to the end, and no hole hides a byte. */
static void step_seek(void)
{
	size_t at = 0;

	note(0, size);
	while (at < size) {
		off_t data = lseek(file, (off_t)at, SEEK_DATA), hole;

		if (data < 0 && errno == ENXIO) {
			if (!is_zero(at, size))
				complain("SEEK_DATA finds none where there is some, from", (long)at,
					-1);
			break;
		}
		want(data, data < (off_t)at || data >= (off_t)size ? (long)at : (long)data,
			"SEEK_DATA");
		if (failed)
			return;
		if (!is_zero(at, (size_t)data))
			complain("SEEK_DATA goes past data, from", (long)at, (long)data);
		hole = lseek(file, data, SEEK_HOLE);
		want(hole, hole <= data || hole > (off_t)size ? (long)size : (long)hole,
			"SEEK_HOLE");
		if (failed)
			return;
		at = (size_t)hole;
	}
	if (lseek(file, (off_t)size, SEEK_DATA) != -1 || errno != ENXIO)
		complain("SEEK_DATA at the end gives no ENXIO", errno, ENXIO);
	if (lseek(file, (off_t)size, SEEK_HOLE) != -1 || errno != ENXIO)
		complain("SEEK_HOLE at the end gives no ENXIO", errno, ENXIO);
}

static void open_files(int more)
{
	file = open(path, O_RDWR | O_CLOEXEC | more, 0600);
	appending = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
	if (file < 0 || appending < 0)
		complain("open", -errno, 0);
}

static void step_reopen(void)
{
	struct stat found;
	bool empty = below(8) == 0;

	note(0, empty);
	want(close(file), 0, "close");
	want(close(appending), 0, "close");
	open_files(empty ? O_TRUNC : 0);
	if (empty) {
		memset(model, 0, sizeof model);
		size = 0;
	}
	want(fstat(file, &found), 0, "fstat");
	want(found.st_size, (long)size, "the size");
}

/* How often of a hundred; the sum is 100. */
static const struct {
	const char *name;
	int share;
	void (*step)(void);
} steps[] = {
	{"pwrite", 16, step_write},
	{"pread", 16, step_read},
	{"writev and readv", 6, step_vectors},
	{"append", 4, step_append},
	{"truncate", 8, step_truncate},
	{"read by a mapping", 8, step_map_read},
	{"write by a shared mapping", 10, step_map_write},
	{"write by a private mapping", 5, step_map_private},
	{"fallocate", 5, step_allocate},
	{"punch a hole", 7, step_punch},
	{"copy_file_range", 4, step_copy_range},
	{"sendfile", 5, step_sendfile},
	{"SEEK_DATA and SEEK_HOLE", 4, step_seek},
	{"close and open", 2, step_reopen},
};

static size_t choose(void)
{
	int left = (int)below(100);
	size_t which = 0;

	while (left >= steps[which].share)
		left -= steps[which++].share;
	return which;
}

static void whole(void)
{
	want(pread(file, buffer, MAX, 0), (long)size, "the whole file");
	same(buffer, 0, size, "the whole file");
}

static bool make_files(void)
{
	static const char *const folders[] = {"/dev/shm", "/tmp", "/"};
	struct statfs found;

	for (size_t i = 0; i < COUNT(folders); i++) {
		if (statfs(folders[i], &found) < 0 || found.f_type != TMPFS_MAGIC)
			continue;
		snprintf(path, sizeof path, "%s/fsx-%d", folders[i], getpid());
		snprintf(other_path, sizeof other_path, "%s/fsx-%d-other", folders[i], getpid());
		other = open(other_path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		open_files(O_CREAT | O_EXCL);
		return file >= 0 && appending >= 0 && other >= 0;
	}
	return false;
}

int main(int argc, char **argv)
{
	long wanted = argc > 1 ? atol(argv[1]) : 100000;
	static long times[COUNT(steps)];

	state = argc > 2 ? strtoull(argv[2], NULL, 0) : 0x9e3779b97f4a7c15u;
	if (wanted <= 0 || state == 0) {
		fprintf(stderr, "usage: fsx [STEPS [SEED]]: whole numbers above 0\n");
		return 2;
	}
	claim(make_files(), "files on a tmpfs");
	for (number = 0; number < wanted && !failed; number++) {
		size_t which = choose();

		history[(unsigned long)number % HISTORY] = (struct step){steps[which].name, 0, 0};
		steps[which].step();
		times[which] += !failed;
		if (number % ALL_EVERY == 0 && !failed)
			whole();
	}
	if (!failed)
		whole();
	for (size_t i = 0; i < COUNT(steps); i++)
		claim(times[i] > 0, "%s, %ld times", steps[i].name, times[i]);
	claim(!failed && number == wanted, "%ld steps are what the model says", wanted);
	claim(unlink(path) == 0 && unlink(other_path) == 0, "the files go");
	printf("1..%d\n", check.done);
	return check.failed != 0;
}
