/* SPDX-License-Identifier: MIT */
/* The machine as a whole: man 2 uname, sethostname, sysinfo, reboot. */
#include <linux/capability.h>
#include <linux/reboot.h>
#include <linux/sysinfo.h>
#include <linux/utsname.h>

#include "build_id.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "memory/pages.h"
#include "memory/user.h"
#include "power.h"
#include "process/credentials.h"
#include "process/process.h"
#include "syscall/table.h"

static struct spinlock name_lock;
static char node_name[__NEW_UTS_LEN + 1] = "baton";    /* guarded by name_lock */
static char domain_name[__NEW_UTS_LEN + 1] = "(none)"; /* the same */

long sys_uname(user_t out)
{
	struct new_utsname name = {0};

	string_copy(name.sysname, "Linux",
		sizeof(name.sysname)); /* the ABI's name: programs ask for it */
	string_copy(name.release, "6.1.0-baton", sizeof(name.release));
	string_copy(name.version, "Baton " BATON_BUILD_ID, sizeof(name.version));
	string_copy(name.machine, "x86_64", sizeof(name.machine));
	spin_lock(&name_lock);
	memcpy(name.nodename, node_name, sizeof(name.nodename));
	memcpy(name.domainname, domain_name, sizeof(name.domainname));
	spin_unlock(&name_lock);
	return copy_to_user(out, &name, sizeof(name));
}

static long set_machine_name(char to[__NEW_UTS_LEN + 1], user_t from, int length)
{
	char name[__NEW_UTS_LEN + 1] = {0};

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (length < 0 || length > __NEW_UTS_LEN)
		return -EINVAL;
	if (copy_from_user(name, from, (size_t)length))
		return -EFAULT;
	spin_lock(&name_lock);
	memcpy(to, name, sizeof(name));
	spin_unlock(&name_lock);
	return 0;
}

long sys_sethostname(user_t name, size_t length)
{
	return set_machine_name(node_name, name, (int)length);
}

long sys_setdomainname(user_t name, size_t length)
{
	return set_machine_name(domain_name, name, (int)length);
}

long sys_sysinfo(user_t out)
{
	struct pages_stats pages;
	struct sysinfo info = {0};

	pages_statistics(&pages);
	info.uptime = (long)DIV_ROUND_UP(arch_clock(), NS_PER_SECOND);
	info.totalram = limits_ram();
	info.freeram = pages.free * PAGE_SIZE;
	info.procs = (uint16_t)limits_thread_count();
	info.mem_unit = 1;
	return copy_to_user(out, &info, sizeof(info));
}

long sys_reboot(unsigned magic1, unsigned magic2, unsigned command, user_t argument)
{
	(void)argument;
	if (!capable(CAP_SYS_BOOT))
		return -EPERM;
	if (magic1 != LINUX_REBOOT_MAGIC1 ||
		(magic2 != LINUX_REBOOT_MAGIC2 && magic2 != LINUX_REBOOT_MAGIC2A &&
			magic2 != LINUX_REBOOT_MAGIC2B && magic2 != LINUX_REBOOT_MAGIC2C))
		return -EINVAL;
	switch (command) {
	case LINUX_REBOOT_CMD_POWER_OFF:
		machine_power_off("reboot(2)");
	case LINUX_REBOOT_CMD_RESTART:
		machine_reset("reboot(2)");
	case LINUX_REBOOT_CMD_HALT:
		machine_halt("reboot(2)");
	case LINUX_REBOOT_CMD_CAD_ON:
	case LINUX_REBOOT_CMD_CAD_OFF:
		return 0; /* no keyboard sends Ctrl-Alt-Del to the kernel yet: both are true */
	default:
		return -EINVAL;
	}
}
