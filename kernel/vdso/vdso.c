/* SPDX-License-Identifier: MIT */
/*
 * The vDSO: a shared object that the kernel maps into every program (man 7 vdso), so that reading a
 * clock needs no system call. It runs in user mode, from the page behind its data (data.h); it has
 * neither relocations nor data of its own. Where the TSC is not the clock, and for every clock that is
 * a process's own, it makes the system call.
 *
 * The kernel computes the same from the same words (kernel/process/clocks.c), so that times taken
 * one way and the other stand in one order.
 */
#include <asm/unistd.h>
#include <linux/time.h>

#include "vdso/data.h"

#define NS_PER_SECOND UINT64_C(1000000000)
#define EXPORT        __attribute__((visibility("default")))
#define ALIAS(name)   __attribute__((weak, visibility("default"), alias(#name)))

#define CLOCKS_MONOTONIC                                                                    \
	(1u << CLOCK_MONOTONIC | 1u << CLOCK_MONOTONIC_RAW | 1u << CLOCK_MONOTONIC_COARSE | \
		1u << CLOCK_BOOTTIME)
#define CLOCKS_REALTIME (1u << CLOCK_REALTIME | 1u << CLOCK_REALTIME_COARSE)
#define CLOCKS_HERE     (CLOCKS_MONOTONIC | CLOCKS_REALTIME | 1u << CLOCK_TAI)

extern const struct vdso_data vdso_data __attribute__((visibility("hidden")));

struct timeval64 {
	int64_t seconds, microseconds;
};

static long system_call(long number, long first, long second)
{
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(first), "S"(second)
			 : "rcx", "r11", "memory");
	return result;
}

/* Not before the instructions that come before it are done. */
static inline uint64_t read_tsc(void)
{
	uint32_t low, high;

	__asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high) : : "memory");
	return (uint64_t)high << 32 | low;
}

/* Nanoseconds of a clock of CLOCKS_HERE; false: the kernel must be asked. */
static inline int read_clock(uint32_t bit, uint64_t *out)
{
	const volatile struct vdso_data *data = &vdso_data;
	uint32_t sequence;
	uint64_t now;

	do {
		sequence = __atomic_load_n(&data->sequence, __ATOMIC_ACQUIRE);
		if (!(data->flags & VDSO_CLOCK))
			return 0;
		now = (uint64_t)((unsigned __int128)(read_tsc() - data->start) * data->multiplier >>
				 32);
		if (!(bit & CLOCKS_MONOTONIC)) {
			now += data->realtime;
			if (bit & 1u << CLOCK_TAI)
				now += (uint64_t)data->tai;
		}
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
	} while ((sequence & 1) || sequence != data->sequence);
	*out = now;
	return 1;
}

static inline int is_here(int clock)
{
	return (unsigned)clock < 32 && (CLOCKS_HERE >> clock & 1);
}

EXPORT int __vdso_clock_gettime(int clock, struct __kernel_timespec *time);
EXPORT int __vdso_clock_getres(int clock, struct __kernel_timespec *resolution);
EXPORT int __vdso_gettimeofday(struct timeval64 *time, struct timezone *zone);
EXPORT long __vdso_time(long *out);
EXPORT long __vdso_getcpu(unsigned *cpu, unsigned *node, void *unused);

int __vdso_clock_gettime(int clock, struct __kernel_timespec *time)
{
	uint64_t now, seconds;

	if (!is_here(clock) || !read_clock(1u << clock, &now))
		return (int)system_call(__NR_clock_gettime, clock, (long)time);
	seconds = now / NS_PER_SECOND;
	time->tv_sec = (long)seconds;
	time->tv_nsec = (long)(now - seconds * NS_PER_SECOND);
	return 0;
}

int __vdso_clock_getres(int clock, struct __kernel_timespec *resolution)
{
	if (!is_here(clock))
		return (int)system_call(__NR_clock_getres, clock, (long)resolution);
	if (resolution) {
		resolution->tv_sec = 0;
		resolution->tv_nsec = 1;
	}
	return 0;
}

int __vdso_gettimeofday(struct timeval64 *time, struct timezone *zone)
{
	uint64_t now, seconds;

	if (time) {
		if (!read_clock(1u << CLOCK_REALTIME, &now))
			return (int)system_call(__NR_gettimeofday, (long)time, (long)zone);
		seconds = now / NS_PER_SECOND;
		time->seconds = (long)seconds;
		time->microseconds = (long)((now - seconds * NS_PER_SECOND) / 1000);
	}
	if (zone) {
		zone->tz_minuteswest = vdso_data.zone[0];
		zone->tz_dsttime = vdso_data.zone[1];
	}
	return 0;
}

long __vdso_time(long *out)
{
	uint64_t now;

	if (!read_clock(1u << CLOCK_REALTIME, &now))
		return system_call(__NR_time, (long)out, 0);
	now /= NS_PER_SECOND;
	if (out)
		*out = (long)now;
	return (long)now;
}

long __vdso_getcpu(unsigned *cpu, unsigned *node, void *unused)
{
	uint32_t low, high, number;

	(void)unused;
	if (!(vdso_data.flags & VDSO_CPU_NUMBER))
		return system_call(__NR_getcpu, (long)cpu, (long)node);
	__asm__ volatile("rdtscp" : "=a"(low), "=d"(high), "=c"(number));
	if (cpu)
		*cpu = number;
	if (node)
		*node = 0;
	return 0;
}

ALIAS(__vdso_clock_gettime) int clock_gettime(int clock, struct __kernel_timespec *time);
ALIAS(__vdso_clock_getres) int clock_getres(int clock, struct __kernel_timespec *resolution);
ALIAS(__vdso_gettimeofday) int gettimeofday(struct timeval64 *time, struct timezone *zone);
ALIAS(__vdso_time) long time(long *out);
ALIAS(__vdso_getcpu) long getcpu(unsigned *cpu, unsigned *node, void *unused);
