/* SPDX-License-Identifier: MIT */
/*
 * By the policy `trust` the firmware's thread calls the service in ring 0, as other kernels do: in the address space of
 * runtime.c, on the stack that the call is lent, with interrupts off and no limit. It is for firmware that gets on in no other
 * way. Nothing is seen of the call but its status and ticks, and a fault in it is a panic that names the address.
 *
 * SetVirtualAddressMap and what is only shown are behind bars by every policy: in the one firmware writes its own code, and of the
 * other nothing may leave the CPU.
 *
 * All under bars.c's calls_lock, but for the call itself, which the thread makes as the bars' own.
 */
#include <efi.h>

#include "firmware/bars_internal.h"
#include "lib/log.h"
#include "lib/string.h"
#include "main.h"

void bars_read_policy(void)
{
	static const char *const words[] = {[FIRMWARE_STRICT] = "strict",
		[FIRMWARE_SURVEY] = "survey",
		[FIRMWARE_TRUST] = "trust"};

	for (unsigned i = 0; options.runtime && i < ARRAY_SIZE(words); i++) {
		if (!strcmp(options.runtime, words[i])) {
			firmware_policy = i;
			return;
		}
	}
	if (options.runtime)
		log_warn("runtime=%s: found no policy, expected strict, survey or trust",
			options.runtime);
}

bool bars_is_trusted(const struct firmware_call *call)
{
	return __atomic_load_n(&firmware_policy, __ATOMIC_RELAXED) == FIRMWARE_TRUST &&
	       !call->shown && call->service != EVIDENCE_SET_VIRTUAL_ADDRESS_MAP;
}

/* A range of code of which nobody says what in it is data may be written. */
static int map_region(const struct bars_region *r)
{
	return arch_firmware_map(bars_virt(r->phys), r->phys, r->size,
		r->access | (bars_may_write_code(r) ? MAP_WRITE : 0),
		r->attributes & EFI_MEMORY_WB ? MAP_WRITE_BACK : MAP_UNCACHED);
}

int bars_map_plainly(void)
{
	static bool mapped[2]; /* [1]: at the addresses that SetVirtualAddressMap gave */
	int error = 0;

	if (mapped[bars.is_virtual])
		return 0;
	for (size_t i = 0; i < bars.regions.count && !error; i++)
		error = map_region(&bars.regions.all[i]);
	if (!error)
		error = arch_firmware_map(bars_virt(bars.block), bars.block, BLOCK_SIZE,
			MAP_READ | MAP_WRITE, MAP_WRITE_BACK);
	mapped[bars.is_virtual] = !error;
	return error;
}

void bars_call_plainly(void)
{
	struct arch_firmware_call call = {
		.function = bars.entry.function, .stack = bars.entry.stack};

	memcpy(call.arguments, bars.entry.arguments, sizeof(call.arguments));
	bars.started = arch_cycles();
	bars.call->status = arch_firmware_call(&call);
}
