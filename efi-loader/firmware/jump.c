/* SPDX-License-Identifier: MIT */
#include "jump.h"

#include <stddef.h>

#define SELECTOR_CODE32 8u
#define SELECTOR_CODE64 16u

extern const char jump_page_code[], jump_page_code_end[], jump_page_data[];
extern const char jump_page_code32[], jump_page_code64[];

_Static_assert(offsetof(struct jump, la57) == 40 && offsetof(struct jump, gdtr) == 48 &&
		       offsetof(struct jump, far32) == 64 && offsetof(struct jump, far64) == 72 &&
		       offsetof(struct jump, gdt) == 80 && sizeof(struct jump) <= 128,
	"jump.S knows these offsets");

static uint32_t within(uint64_t page, const char *label)
{
	return (uint32_t)(page + (uint64_t)(label - jump_page_code));
}

void jump_page_fill(uint64_t page, const struct jump *jump)
{
	uint64_t data = page + (uint64_t)(jump_page_data - jump_page_code);
	uint64_t gdt = data + offsetof(struct jump, gdt);
	uint16_t limit = sizeof(jump->gdt) - 1;
	struct jump *j = (struct jump *)data;

	__builtin_memcpy(
		(void *)page, jump_page_code, (size_t)(jump_page_code_end - jump_page_code));
	*j = *jump;
	__builtin_memcpy(j->gdtr, &limit, sizeof(limit));
	__builtin_memcpy(j->gdtr + sizeof(limit), &gdt, sizeof(gdt));
	j->far32[0] = within(page, jump_page_code32);
	j->far32[1] = SELECTOR_CODE32;
	j->far64[0] = within(page, jump_page_code64);
	j->far64[1] = SELECTOR_CODE64;
	j->gdt[0] = 0;
	j->gdt[1] = UINT64_C(0x00cf9b000000ffff);
	j->gdt[2] = UINT64_C(0x00af9b000000ffff);
	j->gdt[3] = UINT64_C(0x00cf93000000ffff);
}
