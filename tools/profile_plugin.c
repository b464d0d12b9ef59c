/* SPDX-License-Identifier: MIT */
/*
 * A plugin of QEMU's (TCG) that counts how often each instruction runs between the bench program's two looks
 * at the clock: `lfence; rdtsc` in user mode begins a window, the same at another address ends it. The first
 * `skip` windows are warm-up. At the end one line for each instruction, address in hex and count, goes to the
 * file `out`. For `baton bench --profile`, which makes a table of it.
 *
 * Debian has no qemu-plugin.h: what is used of the interface, version 1, is declared here. One CPU.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define API __attribute__((visibility("default")))

struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_info;

enum register_use { REGISTERS_NONE };

void qemu_plugin_register_vcpu_tb_trans_cb(
	uint64_t id, void (*translated)(uint64_t id, struct qemu_plugin_tb *block));
void qemu_plugin_register_atexit_cb(
	uint64_t id, void (*ended)(uint64_t id, void *context), void *context);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *instruction,
	void (*runs)(unsigned cpu, void *context), enum register_use use, void *context);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *block);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *block, size_t index);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *instruction);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *instruction);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *instruction);

API extern int qemu_plugin_version;
API int qemu_plugin_install(uint64_t id, const struct qemu_info *info, int count, char **arguments);

int qemu_plugin_version = 1;

/* Instructions by address: a table that is never full, or counting ends with a message. */
#define SLOTS (1u << 20)

struct slot {
	uint64_t address; /* 0: free */
	uint64_t count;
};

static struct slot *slots;
static uint32_t used;
static const char *out;
static unsigned long skip, windows;
static bool open, counts;
static uint64_t begins; /* where windows do: the first such instruction that was seen */

static struct slot *slot_of(uint64_t address)
{
	uint32_t at = (uint32_t)(address * 0x9e3779b97f4a7c15u >> 44) % SLOTS;

	while (slots[at].address && slots[at].address != address)
		at = (at + 1) % SLOTS;
	if (!slots[at].address && ++used == SLOTS / 2) {
		fprintf(stderr, "profile: more than %u instructions\n", used);
		exit(1);
	}
	slots[at].address = address;
	return &slots[at];
}

static void runs(unsigned cpu, void *context)
{
	struct slot *slot = context;

	(void)cpu;
	slot->count += counts;
}

static void looks_at_clock(unsigned cpu, void *context)
{
	uint64_t address = (uintptr_t)context;

	(void)cpu;
	if (!begins)
		begins = address;
	if (address == begins && !open)
		windows++;
	open = address == begins;
	counts = open && windows > skip;
}

static bool is_lfence(const struct qemu_plugin_insn *instruction)
{
	static const unsigned char lfence[] = {0x0f, 0xae, 0xe8};

	return qemu_plugin_insn_size(instruction) == sizeof(lfence) &&
	       memcmp(qemu_plugin_insn_data(instruction), lfence, sizeof(lfence)) == 0;
}

static void translated(uint64_t id, struct qemu_plugin_tb *block)
{
	const uint64_t user_program = UINT64_C(1) << 46; /* the vDSO lies above */

	(void)id;
	for (size_t i = 0; i < qemu_plugin_tb_n_insns(block); i++) {
		struct qemu_plugin_insn *instruction = qemu_plugin_tb_get_insn(block, i);
		uint64_t address = qemu_plugin_insn_vaddr(instruction);

		qemu_plugin_register_vcpu_insn_exec_cb(
			instruction, runs, REGISTERS_NONE, slot_of(address));
		if (address < user_program && is_lfence(instruction))
			qemu_plugin_register_vcpu_insn_exec_cb(instruction, looks_at_clock,
				REGISTERS_NONE, (void *)(uintptr_t)address);
	}
}

static void ended(uint64_t id, void *context)
{
	FILE *file = fopen(out, "w");

	(void)id;
	(void)context;
	if (!file) {
		perror(out);
		return;
	}
	for (uint32_t i = 0; i < SLOTS; i++) {
		if (slots[i].count)
			fprintf(file, "%llx %llu\n", (unsigned long long)slots[i].address,
				(unsigned long long)slots[i].count);
	}
	if (fclose(file))
		perror(out);
}

int qemu_plugin_install(uint64_t id, const struct qemu_info *info, int count, char **arguments)
{
	(void)info;
	for (int i = 0; i < count; i++) {
		if (strncmp(arguments[i], "out=", 4) == 0)
			out = arguments[i] + 4;
		else if (strncmp(arguments[i], "skip=", 5) == 0)
			skip = strtoul(arguments[i] + 5, NULL, 10);
	}
	slots = calloc(SLOTS, sizeof(*slots));
	if (!slots || !out) {
		fprintf(stderr, "profile: no memory, or no out=\n");
		return -1;
	}
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	qemu_plugin_register_atexit_cb(id, ended, NULL);
	return 0;
}
