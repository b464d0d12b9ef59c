/* SPDX-License-Identifier: MIT */
/* syslog (man 2 syslog); what it does is kmsg.c's. */
#include "devices/kmsg.h"
#include "syscall/table.h"

long sys_syslog(int action, user_t buffer, int size)
{
	return kmsg_syslog(action, buffer, size);
}
