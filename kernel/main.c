/* SPDX-License-Identifier: MIT */
/*
 * The kernel's boot story, from the loader's jump to the first process.
 *
 * The hand-off is checked before anything in it is believed. Memory that the firmware used until
 * ExitBootServices is taken over once the tables in it are read. Everything on the way that cannot
 * be done without ends in a panic that says what was missing.
 */
#include "main.h"

#include <asm/fcntl.h>

#include "arch/arch.h"
#include "audit.h"
#include "baton/handoff.h"
#include "build_id.h"
#include "crash.h"
#include "devices/channel.h"
#include "devices/console.h"
#include "devices/console_tty.h"
#include "devices/fb.h"
#include "devices/kmsg.h"
#include "devices/pty.h"
#include "devices/random.h"
#include "devices/realtime.h"
#include "devices/serial.h"
#include "devices/serial_tty.h"
#include "devices/vt.h"
#include "files/file.h"
#include "files/procfs.h"
#include "files/sysfs.h"
#include "firmware/acpi.h"
#include "firmware/bars.h"
#include "firmware/clock.h"
#include "firmware/efi_device.h"
#include "firmware/handoff_intake.h"
#include "firmware/memory_map.h"
#include "firmware/runtime.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "memory/pages.h"
#include "memory/slab.h"
#include "memory/space.h"
#include "panic_record.h"
#include "process/clocks.h"
#include "process/futex.h"
#include "process/exec.h"
#include "process/oom.h"
#include "process/process.h"
#include "process/sched.h"
#include "syscall/trace.h"
#include "vdso/vdso.h"

struct cmdline options;
char kernel_command_line[4096];

static uint64_t usable_pages; /* RAM in the sanitised map that a kernel may use */

void kernel_start(struct handoff *handoff) NORETURN;

/* ---- Memory ---- */

static const struct handoff_memory *map_of(const struct handoff *handoff, size_t *count)
{
	*count = handoff->memory.size / sizeof(struct handoff_memory);
	return arch_phys_to_ptr(handoff->memory.base);
}

/* The page at 0 and the rest of the first MiB stay out: firmware writes there behind our back, and
 * the trampoline of the other CPUs needs a page there. */
#define LOW_MEMORY ((phys_t)1 << 20)

static struct pages_range clipped(const struct handoff_memory *entry)
{
	phys_t base = entry->base < LOW_MEMORY ? LOW_MEMORY : entry->base,
	       end = entry->base + entry->size;

	return (struct pages_range){base, end > base ? end - base : 0};
}

/* The first free ranges start the allocator; what is beyond them is handed over when it runs. */
static void memory_init(const struct handoff *handoff)
{
	static struct pages_range first[32];
	size_t count, used = 0, i;
	const struct handoff_memory *map = map_of(handoff, &count);

	for (i = 0; i < count; i++) {
		struct pages_range range = clipped(&map[i]);

		if (memory_map_is_usable(map[i].type))
			usable_pages += range.size / PAGE_SIZE;
		if (map[i].type != HANDOFF_MEMORY_FREE || !range.size)
			continue;
		if (used < ARRAY_SIZE(first))
			first[used++] = range;
	}
	memory_map_keep(map, count);
	pages_init_near(handoff->frames_virt, first, used, handoff->initrd.base);
	for (i = 0, used = 0; i < count; i++) {
		struct pages_range range = clipped(&map[i]);

		if (map[i].type == HANDOFF_MEMORY_FREE && range.size && used++ >= ARRAY_SIZE(first))
			pages_donate(range.base, range.size);
	}
}

/* Where the last usable RAM ends. */
static phys_t memory_top(const struct handoff *handoff)
{
	size_t count;
	const struct handoff_memory *map = map_of(handoff, &count);
	phys_t top = 0;

	for (size_t i = 0; i < count; i++) {
		if (memory_map_is_usable(map[i].type) && map[i].base + map[i].size > top)
			top = map[i].base + map[i].size;
	}
	return top;
}

/* What was in use until now by boot services and the loader; nobody looks there any more. */
static void memory_take_over(const struct handoff *handoff)
{
	size_t count;
	const struct handoff_memory *map = map_of(handoff, &count);

	for (size_t i = 0; i < count; i++) {
		struct pages_range range = clipped(&map[i]);

		if (map[i].type == HANDOFF_MEMORY_BOOT_SERVICES && range.size)
			pages_donate(range.base, range.size);
	}
}

static void log_memory(const struct handoff *handoff)
{
	struct pages_stats stats;
	uint64_t initrd = DIV_ROUND_UP(handoff->initrd.size, PAGE_SIZE);

	pages_statistics(&stats);
	log_info("memory: %lu MiB usable, %lu MiB free, %lu KiB for the kernel, initrd %lu KiB",
		usable_pages / 256, stats.free / 256, (usable_pages - stats.free - initrd) * 4,
		initrd * 4);
}

/* RAM in use at the first process, as the cost table counts it: without initrd, file data, and the
 * process's own pages. */
static void log_memory_in_use(void)
{
	struct pages_stats stats;
	struct space *space = current_space();
	uint64_t own = space ? space_resident(space) + space->arch.tables : 0;

	pages_statistics(&stats);
	log_info("boot: KiB: memory_in_use %lu",
		(usable_pages - stats.free - stats.by_state[FRAME_OBJECT] -
			stats.by_state[FRAME_INITRD] - own) *
			4);
}

/* What is mapped from here on is kernel_map's, which refuses it, and is looked at by the audit. */
static void check_mappings(void)
{
	struct arch_mappings mappings;
	const char *broken = arch_mappings_audit(&mappings);

	if (broken)
		panic("%s, at %#lx", broken, mappings.broken_at);
	log_info("memory: %lu ranges mapped by the kernel, %lu KiB executable, none writable too, "
		 "none for user mode",
		mappings.ranges, mappings.executable >> 10);
}

/* ---- Start ---- */

static void check_handoff(const struct handoff *handoff)
{
	char message[HANDOFF_MESSAGE_MAX];
	struct handoff_machine machine = {
		.build_id = BATON_BUILD_ID, .self = (virt_t)(uintptr_t)handoff};
	const char *wrong;

	arch_loaded_state(&machine);
	wrong = handoff_check(handoff, &machine, message);
	if (wrong)
		panic("the hand-off from the loader cannot be used: %s", wrong);
}

static void warn_option(void *context, const char *what, const char *word)
{
	(void)context;
	log_warn("command line: %s: %s", what, word);
}

static void read_command_line(const struct handoff *handoff)
{
	static char storage[4096];
	size_t length = handoff->command_line.size;

	if (length >= sizeof(storage)) {
		log_warn("command line: %zu bytes, of which the first %zu are used", length,
			sizeof(storage) - 1);
		length = sizeof(storage) - 1;
	}
	cmdline_parse(&options, length ? arch_phys_to_ptr(handoff->command_line.base) : "", length,
		storage, warn_option, NULL);
	log_set_console_level(options.quiet ? 4 : (unsigned)options.loglevel);
	if (length)
		memcpy(kernel_command_line, arch_phys_to_ptr(handoff->command_line.base), length);
	if (length)
		log_info("command line: %.*s", (int)length,
			(char *)arch_phys_to_ptr(handoff->command_line.base));
}

static void log_stages(const struct handoff *handoff, uint64_t first_user)
{
	static const char *const names[HANDOFF_STAGES] = {"entry", "config", "kernel", "initrd",
		"graphics", "tables", "paging", "exit", "jump"};
	const uint64_t *at = handoff->stage_tsc;
	char line[LOG_TEXT_MAX];
	int length = 0;

	for (unsigned i = 1; i < HANDOFF_STAGES; i++)
		length += format(line + length, sizeof(line) - (size_t)length, "loader_%s %lu, ",
			names[i], at[i] - at[i - 1]);
	log_info("boot: ticks: %skernel %lu, total %lu", line, first_user - at[HANDOFF_STAGE_JUMP],
		first_user - at[HANDOFF_STAGE_ENTRY]);
}

/* Process 1, in kernel mode still: its files, then its program. */
static void first_process(void *argument)
{
	const struct handoff *handoff = argument;
	struct exec_strings strings;
	struct file *file;
	int error;

	firmware_clock_init();
	exec_strings_init(&strings);
	error = exec_strings_add(&strings, options.init);
	strings.argc = 1;
	for (unsigned i = 0; !error && i < options.init_argc; i++, strings.argc++)
		error = exec_strings_add(&strings, options.init_argv[i]);
	if (!error)
		error = exec_strings_add(&strings, "HOME=/");
	if (!error)
		error = exec_strings_add(&strings, "TERM=linux");
	strings.envc = 2;
	for (unsigned i = 0; !error && i < options.init_envc; i++, strings.envc++)
		error = exec_strings_add(&strings, options.init_envp[i]);
	if (!error)
		error = program_open(options.init, &file);
	if (!error)
		error = process_exec(file, options.init, false, &strings);
	exec_strings_free(&strings);
	if (error)
		panic("the first program %s cannot be started: error %d", options.init, -error);
	if (options.crash)
		crash(options.crash);
	log_memory_in_use();
	log_stages(handoff, arch_cycles());
}

static void open_console(struct thread *thread)
{
	struct file *file;
	int error = file_open(thread->fs, "/dev/console", O_RDWR, 0, &file);

	for (int fd = 0; fd < 3 && !error; fd++) {
		file_get(file);
		error = files_install(thread->files, file, fd, false);
		if (error == fd)
			error = 0;
		else
			file_put(file);
	}
	if (error)
		panic("/dev/console cannot be opened for process 1: error %d", -error);
	file_put(file);
}

static void start_first_process(struct handoff *handoff)
{
	struct thread *thread;

	current_thread()->calls = syscalls_plain;
	thread = process_create_first(first_process, handoff);
	if (!thread)
		panic("no memory for process 1");
	open_console(thread);
	if (kernel_threads_init() || oom_init())
		panic("no memory for the kernel's threads");
	audit_start((uint32_t)options.audit);
	thread_wake(thread);
}

/* The first port has spoken before the command line was read. */
static void consoles_init(const struct handoff *handoff)
{
	static const char *const names[SERIAL_PORTS] = {"ttyS0", "ttyS1", "ttyS2", "ttyS3"};
	const char *frame;
	int error;

	if (!cmdline_console(&options, names[0]))
		serial_console_remove(0);
	for (unsigned i = 0; options.console[0] && i < SERIAL_PORTS; i++) {
		if (!cmdline_console(&options, names[i]))
			continue;
		if (serial_console_init(i))
			log_warn("console=%s: nothing answers there", names[i]);
		frame = cmdline_console_frame(&options, names[i]);
		if (frame && !serial_console_frame(i, frame))
			log_warn("console=%s,%s: not a speed, parity and bits", names[i], frame);
	}
	if (cmdline_console(&options, "tty0")) {
		error = vt_console_init(&handoff->framebuffer, options.font);
		if (error && error != -ENODEV)
			log_warn("no screen console: error %d", -error);
	}
}

static void terminals_init(void)
{
	int error = console_tty_init();

	if (error)
		panic("/dev/console cannot be made: error %d", -error);
	error = serial_tty_init();
	if (error)
		log_error("serial terminals: error %d", -error);
	error = pty_init();
	if (error)
		log_error("/dev/ptmx cannot be made: error %d", -error);
	error = vt_init(options.keymap);
	if (error)
		log_warn("no keyboard or terminals on the screen: error %d", -error);
	error = fb_init();
	if (error)
		log_warn("no /dev/fb0: error %d", -error);
	kmsg_init();
	efi_device_init();
	error = channel_init();
	if (!error)
		error = trace_init();
	if (!error && options.window)
		error = channel_follow_window();
	if (error)
		log_warn("no exec channel: error %d", -error);
}

void kernel_start(struct handoff *handoff)
{
	arch_early_init(handoff->stage_tsc[HANDOFF_STAGE_ENTRY], sched_boot_thread());
	if (serial_console_init(0))
		log_debug("no serial console: nothing answers at 0x3f8");
	log_info("Baton %s", BATON_BUILD_ID);
	check_handoff(handoff);
	arch_tables_init(handoff);
	read_command_line(handoff);
	memory_init(handoff);
	arch_memory_init(handoff, options.pti);
	if (options.pcid == OPTION_ON)
		arch_pcid_init();
	random_init(handoff->seed, handoff->seed_sources);
	arch_set_canary(random_u64());
	consoles_init(handoff);
	memory_take_over(handoff);
	if (BATON_KASAN)
		kasan_init(memory_top(handoff));
	if (acpi_init(handoff->rsdp))
		log_warn("no ACPI tables: power off and interrupt routing by default rules");
	arch_devices_init(handoff, acpi_info(), options.tscdeadline == OPTION_ON);
	firmware_runtime_init(handoff);
	bars_init(handoff);
	last_panic_init(handoff);
	if (options.notsc)
		arch_clock_leave_tsc();
	if (!options.rtcefi)
		realtime_init(acpi_info());
	sched_init((unsigned)options.hz, (ns_t)options.lock_limit_us * 1000);
	space_init();
	clocks_init();
	limits_init(usable_pages * PAGE_SIZE);
	futex_init();
	process_init();
	arch_start_cpus(acpi_info(), options.nosmp ? 1 : (unsigned)options.maxcpus);
	log_memory(handoff);
	files_init(handoff->initrd.base, handoff->initrd.size);
	arch_clock_settle();
	vdso_clock_changed();
	sysfs_machine_init();
	sysfs_firmware_init(handoff);
	proc_resources_init(handoff);
	last_panic_show();
	terminals_init();
	sysfs_class_init();
	check_mappings();
	start_first_process(handoff);
	sched_idle();
}
