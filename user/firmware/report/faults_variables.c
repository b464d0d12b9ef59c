/* SPDX-License-Identifier: MIT */
#include "sample.h"

static void give(
	struct sample *s, enum evidence_case test, enum evidence_phase phase, uint64_t status)
{
	sample_call(s, test, phase)->call.status = status;
}

static void null_name(struct sample *s)
{
	give(s, EVIDENCE_CASE_GET_NULL_NAME, EVIDENCE_BEFORE_EXIT, EFI_NOT_FOUND);
	give(s, EVIDENCE_CASE_GET_NULL_NAME, EVIDENCE_PHYSICAL, EFI_NOT_FOUND);
	give(s, EVIDENCE_CASE_GET_NULL_NAME, EVIDENCE_VIRTUAL, EFI_NOT_FOUND);
}

static void other_when_virtual(struct sample *s)
{
	give(s, EVIDENCE_CASE_NEXT_ABSENT, EVIDENCE_VIRTUAL, EFI_NOT_FOUND);
}

static void boot_only_visible(struct sample *s)
{
	give(s, EVIDENCE_CASE_BOOT_ONLY, EVIDENCE_VIRTUAL, EFI_SUCCESS);
}

static void volatile_made(struct sample *s)
{
	give(s, EVIDENCE_CASE_SET_VOLATILE, EVIDENCE_PHYSICAL, EFI_SUCCESS);
}

static void append_replaces(struct sample *s)
{
	sample_call(s, EVIDENCE_CASE_READ_APPENDED, EVIDENCE_PHYSICAL)->call.result = 0;
}

static void mismatch_accepted(struct sample *s)
{
	give(s, EVIDENCE_CASE_MISMATCH, EVIDENCE_PHYSICAL, EFI_SUCCESS);
}

static void not_deleted(struct sample *s)
{
	give(s, EVIDENCE_CASE_READ_DELETED, EVIDENCE_VIRTUAL, EFI_SUCCESS);
}

static void more_than_all(struct sample *s)
{
	s->store[0].remaining = s->store[0].maximum + 1;
}

static void no_less(struct sample *s)
{
	s->store[1].remaining = s->store[0].remaining;
}

static void forgotten(struct sample *s)
{
	give(s, EVIDENCE_CASE_NEXT_BOOT_KEPT, EVIDENCE_BEFORE_EXIT, EFI_NOT_FOUND);
}

static void volatile_kept(struct sample *s)
{
	give(s, EVIDENCE_CASE_NEXT_BOOT_GONE, EVIDENCE_BEFORE_EXIT, EFI_SUCCESS);
}

static void no_end(struct sample *s)
{
	s->enumeration = (struct evidence_enumeration){EFI_SUCCESS, 4096, 4096};
}

static void ends_badly(struct sample *s)
{
	s->enumeration.status = EFI_INVALID_PARAMETER;
}

static void twice(struct sample *s)
{
	s->variables[s->variable_count++] = *sample_variable(s, "KEK", EVIDENCE_BEFORE_EXIT);
}

static void unreadable(struct sample *s)
{
	sample_variable(s, "KEK", EVIDENCE_BEFORE_EXIT)->head.status = EFI_NOT_FOUND;
}

static struct sample_variable *variable(struct sample *s, const char *name)
{
	return sample_variable(s, name, EVIDENCE_BEFORE_EXIT);
}

static void no_pk(struct sample *s)
{
	strcpy(variable(s, "PK")->name, "PQ");
}

static void bad_dbx(struct sample *s)
{
	variable(s, "dbx")->data[16]--;
}

static void secure_in_setup(struct sample *s)
{
	variable(s, "SetupMode")->data[0] = 1;
}

static void odd_byte(struct sample *s)
{
	variable(s, "SecureBoot")->data[0] = 2;
}

static void no_secure_boot(struct sample *s)
{
	strcpy(variable(s, "SetupMode")->name, "SetupMad");
	strcpy(variable(s, "SecureBoot")->name, "SecureBoat");
}

static void unsigned_accepted(struct sample *s)
{
	give(s, EVIDENCE_CASE_UNSIGNED_DB, EVIDENCE_PHYSICAL, EFI_SUCCESS);
}

static void order_dangles(struct sample *s)
{
	variable(s, "BootOrder")->data[2] = 7;
	variable(s, "BootOrder")->size = 4;
}

static void order_twice(struct sample *s)
{
	variable(s, "BootOrder")->size = 4;
}

static void option_broken(struct sample *s)
{
	variable(s, "Boot0000")->data[12] = 1;
}

static void not_us(struct sample *s)
{
	variable(s, "Boot0000")->data[6 + 4 + 24] = 'Y';
}

static void current_dangles(struct sample *s)
{
	variable(s, "BootCurrent")->data[0] = 9;
}

static void full_and_well(struct sample *s)
{
	s->fill = (struct evidence_store_fill){EFI_OUT_OF_RESOURCES, EFI_SUCCESS, 200000, 200};
}

static void bricked(struct sample *s)
{
	full_and_well(s);
	s->fill.after_delete_status = EFI_OUT_OF_RESOURCES;
}

static void never_full(struct sample *s)
{
	full_and_well(s);
	s->fill.full_status = EFI_SUCCESS;
}

static void aborted(struct sample *s)
{
	sample_call(s, EVIDENCE_CASE_QUERY_NULL, EVIDENCE_VIRTUAL)->call.outcome =
		EVIDENCE_ABORTED_ACCESS;
}

static void store_silent(struct sample *s)
{
	s->store[1].status = EFI_UNSUPPORTED;
}

static void two_pks(struct sample *s)
{
	struct sample_variable *pk = variable(s, "PK");

	memcpy(pk->data + pk->size, pk->data, pk->size);
	pk->size *= 2;
}

static void secure_without_pk(struct sample *s)
{
	variable(s, "SetupMode")->data[0] = 1;
	no_pk(s);
}

static void empty_db(struct sample *s)
{
	variable(s, "db")->size = 0;
}

static void odd_order(struct sample *s)
{
	variable(s, "BootOrder")->size = 3;
}

static void no_current(struct sample *s)
{
	strcpy(variable(s, "BootCurrent")->name, "BootCurrant");
}

#define ONE(check, verdict)            \
	{                              \
		{                      \
			check, verdict \
		}                      \
	}

static const struct fault faults[] = {
	{"a NULL name is not found", null_name, ONE("variables.arguments", VERDICT_FAIL)},
	{"another status when virtual", other_when_virtual,
		ONE("variables.arguments", VERDICT_FAIL)},
	{"a boot variable after exit", boot_only_visible, ONE("variables.boot-only", VERDICT_FAIL)},
	{"a volatile variable made", volatile_made, ONE("variables.volatile", VERDICT_FAIL)},
	{"append replaces", append_replaces, ONE("variables.lifecycle", VERDICT_FAIL)},
	{"other attributes accepted", mismatch_accepted, ONE("variables.lifecycle", VERDICT_FAIL)},
	{"not deleted", not_deleted, ONE("variables.lifecycle", VERDICT_FAIL)},
	{"more remains than there is", more_than_all, ONE("variables.store-info", VERDICT_WARN)},
	{"a write takes nothing", no_less, ONE("variables.store-info", VERDICT_WARN)},
	{"forgotten at reset", forgotten, ONE("variables.across-reset", VERDICT_FAIL)},
	{"a volatile one kept", volatile_kept, ONE("variables.across-reset", VERDICT_FAIL)},
	{"no end of names", no_end, ONE("variables.enumeration", VERDICT_FAIL)},
	{"the names end badly", ends_badly, ONE("variables.enumeration", VERDICT_FAIL)},
	{"a name twice", twice, ONE("variables.enumeration", VERDICT_FAIL)},
	{"a variable unreadable", unreadable, ONE("variables.enumeration", VERDICT_FAIL)},
	{"no PK in user mode", no_pk, ONE("variables.secure-boot", VERDICT_FAIL)},
	{"dbx does not parse", bad_dbx, ONE("variables.secure-boot", VERDICT_FAIL)},
	{"SecureBoot in setup mode", secure_in_setup,
		{{"variables.secure-boot", VERDICT_FAIL}, {"variables.unsigned-db", VERDICT_SKIP}}},
	{"SecureBoot is 2", odd_byte, ONE("variables.secure-boot", VERDICT_FAIL)},
	{"no Secure Boot", no_secure_boot,
		{{"variables.secure-boot", VERDICT_SKIP}, {"variables.unsigned-db", VERDICT_SKIP}}},
	{"db written without a signature", unsigned_accepted,
		ONE("variables.unsigned-db", VERDICT_FAIL)},
	{"BootOrder names nobody", order_dangles, ONE("variables.boot-order", VERDICT_WARN)},
	{"BootOrder names one twice", order_twice, ONE("variables.boot-order", VERDICT_WARN)},
	{"a boot option is broken", option_broken, ONE("variables.boot-order", VERDICT_WARN)},
	{"BootCurrent is not us", not_us, ONE("variables.boot-order", VERDICT_WARN)},
	{"BootCurrent is nobody", current_dangles, ONE("variables.boot-order", VERDICT_WARN)},
	{"the store filled and emptied", full_and_well, ONE("variables.store-fill", VERDICT_PASS)},
	{"the store stays full", bricked, ONE("variables.store-fill", VERDICT_FAIL)},
	{"the store is never full", never_full, ONE("variables.store-fill", VERDICT_FAIL)},
	{"QueryVariableInfo aborted", aborted,
		{{"variables.arguments", VERDICT_TAINTED},
			{"variables.store-info", VERDICT_TAINTED}}},
	{"QueryVariableInfo fails", store_silent, ONE("variables.store-info", VERDICT_WARN)},
	{"two PKs", two_pks, ONE("variables.secure-boot", VERDICT_FAIL)},
	{"SecureBoot without PK", secure_without_pk,
		{{"variables.secure-boot", VERDICT_FAIL}, {"variables.unsigned-db", VERDICT_SKIP}}},
	{"SecureBoot with an empty db", empty_db, ONE("variables.secure-boot", VERDICT_FAIL)},
	{"BootOrder of 3 bytes", odd_order, ONE("variables.boot-order", VERDICT_WARN)},
	{"no BootCurrent", no_current, ONE("variables.boot-order", VERDICT_WARN)},
};

const struct fault_list faults_variables = {faults, sizeof faults / sizeof *faults};
