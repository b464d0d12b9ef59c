/* SPDX-License-Identifier: MIT */
/* The machine as a whole: man 2 uname, sethostname, sysinfo, reboot. */
#include <linux/capability.h>
#include <linux/reboot.h>
#include <linux/sysinfo.h>
#include <linux/utsname.h>

#include "lib/errno.h"
#include "lib/string.h"
#include "memory/object.h"
#include "memory/pages.h"
#include "memory/user.h"
#include "power.h"
#include "process/credentials.h"
#include "process/process.h"
#include "process/sched.h"
#include "syscall/machine.h"
#include "syscall/table.h"

_Static_assert(MACHINE_NAME_MAX == __NEW_UTS_LEN, "as uname has it");

static struct spinlock name_lock;
/* guarded by name_lock */
static char names[][__NEW_UTS_LEN + 1] = {[MACHINE_NODE] = "baton", [MACHINE_DOMAIN] = "(none)"};

void machine_name(enum machine_name which, char *out)
{
	spin_lock(&name_lock);
	memcpy(out, names[which], sizeof(names[which]));
	spin_unlock(&name_lock);
}

void machine_set_name(enum machine_name which, const char *name, size_t length)
{
	char text[__NEW_UTS_LEN + 1] = {0};

	memcpy(text, name, length);
	spin_lock(&name_lock);
	memcpy(names[which], text, sizeof(text));
	spin_unlock(&name_lock);
}

long sys_uname(user_t out)
{
	struct new_utsname name = {0};

	string_copy(name.sysname, "Linux",
		sizeof(name.sysname)); /* the ABI's name: programs ask for it */
	string_copy(name.release, MACHINE_RELEASE, sizeof(name.release));
	string_copy(name.version, MACHINE_VERSION, sizeof(name.version));
	string_copy(name.machine, "x86_64", sizeof(name.machine));
	machine_name(MACHINE_NODE, name.nodename);
	machine_name(MACHINE_DOMAIN, name.domainname);
	return copy_to_user(out, &name, sizeof(name));
}

static long set_machine_name(enum machine_name which, user_t from, int length)
{
	char name[__NEW_UTS_LEN + 1];

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (length < 0 || length > __NEW_UTS_LEN)
		return -EINVAL;
	if (copy_from_user(name, from, (size_t)length))
		return -EFAULT;
	machine_set_name(which, name, (size_t)length);
	return 0;
}

long sys_sethostname(user_t name, size_t length)
{
	return set_machine_name(MACHINE_NODE, name, (int)length);
}

long sys_setdomainname(user_t name, size_t length)
{
	return set_machine_name(MACHINE_DOMAIN, name, (int)length);
}

long sys_sysinfo(user_t out)
{
	struct pages_stats pages;
	struct sysinfo info = {0};
	uint64_t load[3];

	pages_statistics(&pages);
	sched_load(load);
	for (unsigned i = 0; i < 3; i++)
		info.loads[i] = load[i];
	info.uptime = (long)DIV_ROUND_UP(arch_clock(), NS_PER_SECOND);
	info.totalram = limits_ram();
	info.sharedram = __atomic_load_n(&object_shmem_pages, __ATOMIC_RELAXED) * PAGE_SIZE;
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
		machine_set_ctrl_alt_del(CTRL_ALT_DEL_RESETS);
		return 0;
	case LINUX_REBOOT_CMD_CAD_OFF:
		machine_set_ctrl_alt_del(CTRL_ALT_DEL_TELLS);
		return 0;
	default:
		return -EINVAL;
	}
}
