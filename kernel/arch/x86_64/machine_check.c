/* SPDX-License-Identifier: MIT */
/*
 * Errors that the machine itself notes: in memory, in caches, on its buses (Intel SDM 3B, chapter "Machine-Check
 * Architecture"; AMD APM 2, chapter 9). Each CPU has banks of registers, each for a part of the machine, which keep one error.
 *
 *  - One that was corrected says nothing by itself. Each CPU looks at its banks every five minutes, as Linux does: that
 *    costs nothing, and what comes more often is counted by the bank, and a sign in any case that a part is failing.
 *  - One that was not is an exception, and a panic that says which bank, what and where. Banks are left as they are: the
 *    next boot finds there what it finds.
 *  - When a CPU begins, its banks may hold what came before: in the firmware, or, since a reset does not clear them, in the
 *    system before. All of that is told, corrected or not, before it is cleared.
 *
 * The lines are Linux's, which programs that watch the log know.
 */
#include "machine_check.h"

#include "arch/arch.h"
#include "cpu.h"
#include "lib/log.h"
#include "process/cpu.h"
#include "process/timer.h"
#include "registers.h"
#include "trap_frame.h"
#include "traps.h"

#define LOOK_NS          (300 * NS_PER_SECOND)
#define MCG_CAP          0x179
#define MCG_STATUS       0x17a
#define MCG_CTL          0x17b
#define CAP_COUNT        0xffu
#define CAP_CTL          (UINT64_C(1) << 8)  /* there is MCG_CTL */
#define CAP_RECOVERY     (UINT64_C(1) << 24) /* STATUS_SIGNALLED means something */

#define BANKS            0x400 /* MC0_CTL; four registers a bank */
#define BANKS_MAX        32u
#define BANK_CTL         0
#define BANK_STATUS      1
#define BANK_ADDRESS     2
#define BANK_MISC        3

#define STATUS_VALID     (UINT64_C(1) << 63)
#define STATUS_LEFT      (UINT64_C(1) << 61) /* uncorrected */
#define STATUS_MISC      (UINT64_C(1) << 59)
#define STATUS_ADDRESS   (UINT64_C(1) << 58)
#define STATUS_SIGNALLED (UINT64_C(1) << 56)

struct bank {
	uint64_t status, address, misc; /* 0: not there */
};

static uint32_t register_of(unsigned bank, uint32_t which)
{
	return BANKS + 4 * bank + which;
}

static unsigned bank_count(void)
{
	unsigned count = cpu_has[CPU_MCA] ? msr_read(MCG_CAP) & CAP_COUNT : 0;

	return count < BANKS_MAX ? count : BANKS_MAX;
}

/* False: it holds no error. */
static bool read_bank(unsigned n, struct bank *out)
{
	*out = (struct bank){.status = msr_read(register_of(n, BANK_STATUS))};
	if (!(out->status & STATUS_VALID))
		return false;
	if (out->status & STATUS_ADDRESS)
		out->address = msr_read(register_of(n, BANK_ADDRESS));
	if (out->status & STATUS_MISC)
		out->misc = msr_read(register_of(n, BANK_MISC));
	return true;
}

static void tell(unsigned n, const struct bank *bank)
{
	const struct cpu *cpu = this_cpu();

	log_error("mce: [Hardware Error]: CPU %u: Machine Check: %lx Bank %u: %016lx", cpu->index,
		msr_read(MCG_STATUS), n, bank->status);
	log_error("mce: [Hardware Error]: TSC %lx ADDR %lx MISC %lx APIC %x", tsc_read(),
		bank->address, bank->misc, cpu->apic_id);
}

/* Its exception is on its way, or never came because it was turned off. */
static bool has_exception(uint64_t status)
{
	bool tells = msr_read(MCG_CAP) & CAP_RECOVERY;

	return (status & STATUS_LEFT) && (!tells || (status & STATUS_SIGNALLED));
}

enum errors { ALL_ERRORS, QUIET_ERRORS };

static void look(enum errors which)
{
	unsigned count = bank_count();
	struct bank bank;

	for (unsigned n = 0; n < count; n++) {
		if (!read_bank(n, &bank) || (which == QUIET_ERRORS && has_exception(bank.status)))
			continue;
		tell(n, &bank);
		msr_write(register_of(n, BANK_STATUS), 0);
	}
}

static void look_again(struct timer *timer)
{
	look(QUIET_ERRORS);
	timer_arm(timer, arch_clock() + LOOK_NS);
}

void machine_check_begin(void)
{
	struct timer *timer = &this_cpu()->machine_timer;
	unsigned count = bank_count();

	if (!count)
		return;
	look(ALL_ERRORS);
	if (msr_read(MCG_CAP) & CAP_CTL)
		msr_write(MCG_CTL, UINT64_MAX);
	for (unsigned n = cpu_has[CPU_MCA_FIRST] ? 0 : 1; n < count; n++)
		msr_write(register_of(n, BANK_CTL), UINT64_MAX);
	timer_init(timer, look_again);
	timer_arm(timer, arch_clock() + LOOK_NS);
}

void machine_check_panic(const struct trap_frame *frame)
{
	const char *where = frame->cs & 3 ? "" : " in kernel mode";
	unsigned count = bank_count();
	struct bank bank;

	for (unsigned n = 0; n < count; n++) {
		if (read_bank(n, &bank) && (bank.status & STATUS_LEFT))
			panic_at(frame, "machine check%s: bank %u: %lx, address %lx, misc %lx",
				where, n, bank.status, bank.address, bank.misc);
	}
	panic_at(frame, "machine check%s", where);
}
