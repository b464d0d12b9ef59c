/* SPDX-License-Identifier: MIT */
#include "sample.h"

static void stale_accepted(struct sample *s)
{
	s->exits[0].status = EFI_SUCCESS;
}

static void never_succeeds(struct sample *s)
{
	s->exits[1].status = EFI_INVALID_PARAMETER;
}

static void three_attempts(struct sample *s)
{
	for (; s->exit_count < 4; s->exit_count++)
		s->exits[s->exit_count] = s->exits[1];
	s->exits[1].status = s->exits[2].status = EFI_INVALID_PARAMETER;
}

static void no_stale_key(struct sample *s)
{
	s->exits[0] = s->exits[1];
	s->exit_count = 1;
}

static void console_left(struct sample *s)
{
	put(&s->system_after, 64, 8, 0x7202000);
	seal_table(&s->system_after);
}

static void boot_services_left(struct sample *s)
{
	put(&s->system_after, SYSTEM_BOOT, 8, 0x7202000);
	seal_table(&s->system_after);
}

static void crc_after_exit(struct sample *s)
{
	put(&s->system_after, 16, 4, 0x12345678);
}

static void wild_write(struct sample *s)
{
	s->canaries[2].changed = 8;
	s->canaries[2].first = 0x7351000;
}

static void dma_after_exit(struct sample *s)
{
	s->canaries[0].changed = 64;
}

static void bus_master(struct sample *s)
{
	s->pci[1].command |= 4;
}

static void bridge_is_master(struct sample *s)
{
	s->pci[0].command |= 4;
}

static void configuration_moved(struct sample *s)
{
	s->configuration_after[1].pointer += 0x1000;
}

static void configuration_shorter(struct sample *s)
{
	s->configuration_after_count--;
}

static void watchdog_stays(struct sample *s)
{
	s->watchdog.disable_status = EFI_UNSUPPORTED;
}

static const struct fault faults[] = {
	{"a stale key accepted", stale_accepted, {{"exit.stale-key", VERDICT_FAIL}}},
	{"a good key refused", never_succeeds, {{"exit.stale-key", VERDICT_FAIL}}},
	{"three attempts", three_attempts, {{"exit.attempts", VERDICT_WARN}}},
	{"no stale key tried", no_stale_key, {{"exit.stale-key", VERDICT_SKIP}}},
	{"ConOut left", console_left, {{"exit.system-table", VERDICT_WARN}}},
	{"BootServices left", boot_services_left, {{"exit.system-table", VERDICT_WARN}}},
	{"CRC32 not computed again", crc_after_exit, {{"exit.system-table", VERDICT_WARN}}},
	{"a wild write into freed memory", wild_write, {{"exit.canaries", VERDICT_FAIL}}},
	{"DMA into free memory", dma_after_exit, {{"exit.canaries", VERDICT_FAIL}}},
	{"a device is a bus master", bus_master, {{"exit.bus-masters", VERDICT_WARN}}},
	{"a bridge is a bus master: allowed", bridge_is_master, {{0}}},
	{"a configuration table moved", configuration_moved,
		{{"exit.configuration", VERDICT_WARN}}},
	{"a configuration table gone", configuration_shorter,
		{{"exit.configuration", VERDICT_WARN}}},
	{"the watchdog stays", watchdog_stays, {{"exit.watchdog", VERDICT_FAIL}}},
};

const struct fault_list faults_exit = {faults, sizeof faults / sizeof *faults};
