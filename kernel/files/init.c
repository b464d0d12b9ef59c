/* SPDX-License-Identifier: MIT */
/* The start of the files: the root, what the initrd puts there, /dev. */
#include "files/devfs.h"
#include "files/epoll.h"
#include "files/file.h"
#include "files/initrd.h"
#include "files/inotify.h"
#include "files/memfd.h"
#include "files/mount.h"
#include "files/open.h"
#include "files/sysfs.h"
#include "files/tmpfs.h"
#include "files/vfs.h"
#include "lib/log.h"

#define ROOT_DEVICE device_number(0, 2) /* st_dev of the root: any number that nothing else has */

void files_init(phys_t initrd, uint64_t size)
{
	struct superblock *root = tmpfs_create("tmpfs", ROOT_DEVICE);
	struct fs_context *fs;
	int error;

	inotify_init();
	open_init();
	epoll_init();
	if (!root || mount_add(root, NULL, "rootfs", MS_RELATIME))
		panic("files: no memory for the root");
	fs = fs_context_create();
	if (!fs)
		panic("files: no memory for the root");
	if (size)
		initrd_unpack(fs, initrd, size);
	tmpfs_limit_by_memory(root);
	memfd_init();
	sysfs_init();
	error = devfs_init(fs); /* keeps fs */
	if (error)
		log_error("files: /dev cannot be made: error %d", -error);
}
