/* SPDX-License-Identifier: MIT */
/* Names of core files by pattern, and what of others' names must not lead anywhere. */
#include "process/core_name.h"

#include <string.h>

#include "lib/check.h"
#include "lib/errno.h"

static struct core_facts facts = {.process = 12,
	.thread = 13,
	.signal = 11,
	.uid = 1,
	.gid = 2,
	.dumpable = 1,
	.time = 1700000000,
	.limit = 4096,
	.host = "host",
	.name = "a/b",
	.program = "/bin/x y"};
static char name[64];

static bool makes(const char *pattern, const char *expected)
{
	return !core_name(name, sizeof(name), pattern, &facts) && !strcmp(name, expected);
}

int main(void)
{
	CHECK(makes("core", "core"));
	CHECK(makes("%p.%P.%i.%I.%u.%g.%d.%s.%t.%c", "12.12.13.13.1.2.1.11.1700000000.4096"));
	CHECK(makes("/c/%e-%f-%E-%h", "/c/a!b-x y-!bin!x y-host"));
	CHECK(makes("%%p%q%", "%p"));
	facts.with_process = true;
	CHECK(makes("core", "core.12"));
	CHECK(makes("core-%p", "core-12"));
	CHECK(makes("core%P", "core12.12"));
	facts.with_process = false;
	facts.name = "..";
	facts.host = ".";
	facts.program = "";
	CHECK(makes("/c/%e/%h/%f", "/c/!./!/!"));
	facts.name = "0123456789abcdef0123456789abcdef";
	CHECK_EQUAL(core_name(name, sizeof(name), "%e%e", &facts), -ENAMETOOLONG);
	CHECK_EQUAL(core_name(name, 33, "%e", &facts), 0);
	CHECK_EQUAL(core_name(name, 32, "%e", &facts), -ENAMETOOLONG);
	return 0;
}
