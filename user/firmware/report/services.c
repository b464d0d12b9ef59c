/* SPDX-License-Identifier: MIT */
#include "uefi_tables.h"

static const struct {
	const char *name;
	uint8_t slot; /* in the runtime services table, after its header */
} services[EVIDENCE_SERVICES] = {
	[EVIDENCE_GET_TIME] = {"GetTime", 0},
	[EVIDENCE_SET_TIME] = {"SetTime", 1},
	[EVIDENCE_GET_WAKEUP_TIME] = {"GetWakeupTime", 2},
	[EVIDENCE_SET_WAKEUP_TIME] = {"SetWakeupTime", 3},
	[EVIDENCE_SET_VIRTUAL_ADDRESS_MAP] = {"SetVirtualAddressMap", 4},
	[EVIDENCE_CONVERT_POINTER] = {"ConvertPointer", 5},
	[EVIDENCE_GET_VARIABLE] = {"GetVariable", 6},
	[EVIDENCE_GET_NEXT_VARIABLE_NAME] = {"GetNextVariableName", 7},
	[EVIDENCE_SET_VARIABLE] = {"SetVariable", 8},
	[EVIDENCE_GET_NEXT_HIGH_MONOTONIC_COUNT] = {"GetNextHighMonotonicCount", 9},
	[EVIDENCE_RESET_SYSTEM] = {"ResetSystem", 10},
	[EVIDENCE_UPDATE_CAPSULE] = {"UpdateCapsule", 11},
	[EVIDENCE_QUERY_CAPSULE_CAPABILITIES] = {"QueryCapsuleCapabilities", 12},
	[EVIDENCE_QUERY_VARIABLE_INFO] = {"QueryVariableInfo", 13},
};

const char *service_name(uint32_t service)
{
	return service < EVIDENCE_SERVICES ? services[service].name : "an unknown service";
}

size_t service_offset(uint32_t service)
{
	return 24 + 8 * (size_t)services[service].slot;
}
