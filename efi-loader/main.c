/* SPDX-License-Identifier: MIT */
/*
 * The loader: from the firmware's call to the kernel's entry point.
 *
 * It has two halves. pure/ holds the thinking: functions from memory to memory that refuse bad
 * input with a verdict and a sentence; they are built for the host too, tested and fuzzed there.
 * firmware/ holds the doing, thin code around UEFI's services. This file is the story, top to
 * bottom.
 *
 * A chapter that fails has said so; all that was taken is given back and the firmware gets the
 * status, as if we had never run. That holds up to the first call of ExitBootServices (exit.c).
 * docs/loader.md tells it to people who boot with it, docs/handoff.md to those who write a kernel.
 */
#include "firmware/console.h"
#include "firmware/cpu.h"
#include "firmware/cpu_state.h"
#include "firmware/evidence.h"
#include "firmware/files.h"
#include "firmware/interface.h"
#include "firmware/loader.h"
#include "firmware/serial.h"
#include "firmware/trust.h"

#include "build_id.h"

#define WATCHDOG_SECONDS 300

static struct loader loader;

static void stage(enum handoff_stage which)
{
	loader.handoff.stage_tsc[which] = read_tsc();
}

/* A hang from here on resets the machine; while a person chooses in the menu there is no hurry. */
static void arm_watchdog(UINTN seconds)
{
	loader.boot->SetWatchdogTimer(seconds, 0x10000, 0, NULL);
}

static void greet(void)
{
	if (serial_present())
		say("Baton %s", BATON_BUILD_ID);
	else
		console_write("Baton " BATON_BUILD_ID "\n");
}

static EFI_STATUS check_cpu(void)
{
	if (!(cpu_paging_features() & PAGING_NO_EXECUTE))
		return fail(EFI_UNSUPPORTED, "the CPU has no no-execute bit in its page tables");
	return EFI_SUCCESS;
}

static void choose_slides(struct loader *l)
{
	uint64_t random[4];
	bool kaslr = !l->options.nokaslr;

	random_pool_take(&l->random, random, sizeof(random));
	l->slides = placement_slides(kaslr ? random : NULL);
	if (!l->elf.relocatable)
		l->slides.kernel = 0;
	if (kaslr)
		l->handoff.flags |= HANDOFF_KASLR;
}

static void log_plan(const struct loader *l)
{
	say("entry %s, kernel %s at 0x%lx, 0x%lx bytes, slide 0x%lx", l->entry_name, l->kernel.path,
		l->pieces[PIECE_KERNEL].base, l->elf.size, l->slides.kernel);
	say("initrd at 0x%lx, 0x%lx bytes, hand-off at 0x%lx, options \"%s\"",
		l->pieces[PIECE_INITRD].base, l->initrd_size, l->areas.handoff.base,
		l->command_line.text);
}

static EFI_STATUS load(struct loader *l)
{
	EFI_STATUS status = open_images(l);

	measure_firmware_tables(l);
	read_last_panic(l);
	if (EFI_ERROR(status))
		return status;
	clock_begin(l);
	gather_randomness(l);
	turn_seed(l);
	choose_slides(l);
	status = take_memory(l);
	if (EFI_ERROR(status))
		return status;
	log_plan(l);
	status = load_kernel(l);
	clock_end(l);
	stage(HANDOFF_STAGE_KERNEL);
	if (!EFI_ERROR(status))
		status = load_initrd(l);
	stage(HANDOFF_STAGE_INITRD);
	return status;
}

static EFI_STATUS boot(struct loader *l)
{
	struct complaint why;
	EFI_STATUS status = check_cpu();

	if (!EFI_ERROR(status))
		status = volume_open(l);
	if (!EFI_ERROR(status))
		status = read_own_file(l);
	if (!EFI_ERROR(status))
		status = choose_boot(l);
	stage(HANDOFF_STAGE_CONFIG);
	if (EFI_ERROR(status))
		return status;
	arm_watchdog(WATCHDOG_SECONDS);
	evidence_at_entry(l);
	status = load(l);
	if (EFI_ERROR(status))
		return status;
	choose_graphics(l);
	stage(HANDOFF_STAGE_GRAPHICS);
	gather_randomness(l);
	status = copy_firmware_tables(l);
	hand_over_last_panic(l);
	stage(HANDOFF_STAGE_TABLES);
	if (EFI_ERROR(status))
		return status;
	publish(l);
	evidence_before_exit(l);
	status = leave_firmware(l, &why);
	return fail(status, "%s", why.text);
}

static void release(struct loader *l)
{
	file_close(&l->kernel);
	for (size_t i = 0; i < l->initrd_count; i++)
		file_close(&l->initrds[i]);
	trust_release(l);
	release_memory(l);
	evidence_release(l);
	release_graphics();
	if (l->volume)
		l->volume->Close(l->volume);
	arm_watchdog(0);
}

EFI_STATUS EFIAPI loader_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system);

EFI_STATUS EFIAPI loader_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system)
{
	EFI_STATUS status;

	loader.image = image;
	loader.system = system;
	loader.boot = system->BootServices;
	loader.handoff.stage_tsc[HANDOFF_STAGE_ENTRY] = entry_tsc;
	cpu_state_read(&loader.handoff.cpu);
	console_start(system);
	greet();
	status = boot(&loader);
	release(&loader);
	return status;
}
