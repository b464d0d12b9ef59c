/* SPDX-License-Identifier: MIT */
/*
 * /dev: a tmpfs of device nodes, and the register of character devices by number.
 *
 * A node is only a number: opening one (on any file system, mknod's too) looks the number up and
 * puts the device's operations into the open file. Devices are never taken out again.
 *
 * Lock: devices_lock, a leaf.
 */
#include "files/devfs.h"

#include "files/file.h"
#include "files/mount.h"
#include "files/sysfs.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"
#include "memory/slab.h"

static struct spinlock devices_lock = SPINLOCK_INIT;
static struct list devices guarded_by(devices_lock) = LIST_INIT(devices);
static struct path dev_root; /* set once, at start */
static struct fs_context *kernel_fs;

static void device_register(struct device *device)
{
	spin_lock(&devices_lock);
	list_push_back(&devices, &device->link);
	spin_unlock(&devices_lock);
}

static struct device *device_find(uint64_t number)
{
	struct device *device, *found = NULL;

	spin_lock(&devices_lock);
	list_for_each(device, &devices, link)
	{
		if (device->number == number) {
			found = device;
			break;
		}
	}
	spin_unlock(&devices_lock);
	return found;
}

bool device_exists(uint32_t major, uint32_t first, uint32_t last)
{
	struct device *device;
	bool found = false;

	spin_lock(&devices_lock);
	list_for_each(device, &devices, link)
	{
		found |= device_major(device->number) == major &&
			 device_minor(device->number) >= first &&
			 device_minor(device->number) <= last;
	}
	spin_unlock(&devices_lock);
	return found;
}

static int device_open(struct file *file)
{
	struct device *device = device_find(file->inode->device);

	if (!device)
		return -ENXIO;
	file->operations = device->operations;
	file->private = device->driver;
	return device->operations->open ? device->operations->open(file) : 0;
}

const struct file_operations device_file_operations = {.open = device_open};

/* Makes what a walk from /dev to `path` leads to. */
static int make_node(const char *path, const struct new_inode *what)
{
	struct walk walk;
	int error;

	path_get(&dev_root);
	error = walk_start(&walk, kernel_fs, dev_root, path);
	if (!error)
		error = walk_parent(&walk);
	if (!error)
		error = vfs_make(&walk, what);
	walk_end(&walk);
	return error;
}

static int make_directories(const char *path)
{
	static const struct new_inode directory = {.mode = S_IFDIR | 0755};
	char part[NAME_MAX];
	int error = 0;

	for (const char *slash = strchr(path, '/'); slash && !error;
		slash = strchr(slash + 1, '/')) {
		if ((size_t)(slash - path) >= sizeof(part))
			return -ENAMETOOLONG;
		string_copy(part, path, (size_t)(slash - path) + 1);
		error = make_node(part, &directory);
		if (error == -EEXIST)
			error = 0;
	}
	return error;
}

int devfs_add(const char *name, uint32_t mode, struct device *device)
{
	const struct new_inode what = {.mode = mode, .device = device->number};
	struct path path;
	int error = make_directories(name);

	if (!error)
		error = make_node(name, &what);
	if (error)
		return error;
	if (S_ISCHR(mode)) {
		device_register(device);
		sysfs_add_device(name, device->number, mode);
		return 0;
	}
	path_get(&dev_root);
	error = path_find(kernel_fs, dev_root, name, 0, &path);
	if (error)
		return error;
	path.dentry->inode->file_operations = device->operations;
	path.dentry->inode->driver = device->driver;
	path_put(&path);
	return 0;
}

static int find_or_make_dev(struct fs_context *fs, struct path *out)
{
	static const struct new_inode directory = {.mode = S_IFDIR | 0755};
	struct walk walk;
	int error = walk_start(&walk, fs, fs_root(fs), "/dev");

	if (!error)
		error = walk_parent(&walk);
	if (!error)
		error = vfs_make(&walk, &directory);
	walk_end(&walk);
	if (error && error != -EEXIST)
		return error;
	return path_find(fs, fs_root(fs), "/dev", WALK_FOLLOW, out);
}

int devfs_init(struct fs_context *fs)
{
	struct superblock *superblock = tmpfs_create("devtmpfs", device_number(0, 5));
	struct path over;
	int error;

	if (!superblock)
		return -ENOMEM;
	error = find_or_make_dev(fs, &over);
	if (error)
		return error;
	error = mount_add(superblock, &over, "devtmpfs", MS_NOSUID | MS_RELATIME);
	if (!error) {
		mount_descend(&over);
		dev_root = over; /* keeps the references */
		kernel_fs = fs;
		memory_devices_init();
		return 0;
	}
	path_put(&over);
	return error;
}

struct superblock *devfs_superblock(void)
{
	return dev_root.mount ? dev_root.mount->superblock : NULL;
}
