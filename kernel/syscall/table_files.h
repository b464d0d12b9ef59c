/* SPDX-License-Identifier: MIT */
/* The system calls on files; see table.h. Included by it alone. */
#ifndef SYSCALL_TABLE_FILES_H
#define SYSCALL_TABLE_FILES_H

/* clang-format off */
#define SYSCALL_TABLE_FILES(CALL0, CALL1, CALL2, CALL3, CALL4, CALL5, CALL6) \
	CALL3(0, read, FD, fd, DATA_OUT, buffer, SIZE, count) \
	CALL3(1, write, FD, fd, DATA_IN, buffer, SIZE, count) \
	CALL3(2, open, PATH, path, OPEN_FLAGS, flags, OPEN_MODE, mode) \
	CALL1(3, close, FD, fd) \
	CALL2(4, stat, PATH, path, STAT_OUT, stat) \
	CALL2(5, fstat, FD, fd, STAT_OUT, stat) \
	CALL2(6, lstat, PATH, path, STAT_OUT, stat) \
	CALL3(7, poll, POLL_FDS, fds, UINT, count, INT, timeout) RETURNS(READY) \
	CALL3(8, lseek, FD, fd, OFFSET, offset, WHENCE, whence) \
	CALL3(16, ioctl, FD, fd, IOCTL, command, IOCTL_ARGUMENT, argument) LACKS("block devices") \
	CALL4(17, pread64, FD, fd, DATA_OUT, buffer, SIZE, count, OFFSET, offset) \
	CALL4(18, pwrite64, FD, fd, DATA_IN, buffer, SIZE, count, OFFSET, offset) \
	CALL3(19, readv, FD, fd, VECTOR_OUT, vector, SIZE, count) \
	CALL3(20, writev, FD, fd, VECTOR_IN, vector, SIZE, count) \
	CALL2(21, access, PATH, path, ACCESS_MODE, mode) \
	CALL1(22, pipe, FD_PAIR_OUT, fds) \
	CALL5(23, select, INT, limit, FD_SET, read, FD_SET, write, FD_SET, except, TIMEVAL_INOUT, timeout) RETURNS(READY) \
	CALL1(32, dup, FD, fd) \
	CALL2(33, dup2, FD, fd, FD, to) \
	CALL4(40, sendfile, FD, out, FD, in, OFFSET_INOUT, offset, SIZE, count) \
	CALL3(72, fcntl, FD, fd, FCNTL, command, FCNTL_ARGUMENT, argument) RETURNS(BY_COMMAND) LACKS("leases, notification") \
	CALL2(73, flock, FD, fd, LOCK_OPERATION, operation) \
	CALL1(74, fsync, FD, fd) \
	CALL1(75, fdatasync, FD, fd) \
	CALL2(76, truncate, PATH, path, OFFSET, size) \
	CALL2(77, ftruncate, FD, fd, OFFSET, size) \
	CALL3(78, getdents, FD, fd, DIRECTORY_OUT, buffer, UINT, count) \
	CALL2(79, getcwd, PATH_OUT, buffer, SIZE, size) \
	CALL1(80, chdir, PATH, path) \
	CALL1(81, fchdir, FD, fd) \
	CALL2(82, rename, PATH, from, PATH, to) \
	CALL2(83, mkdir, PATH, path, MODE, mode) \
	CALL1(84, rmdir, PATH, path) \
	CALL2(85, creat, PATH, path, MODE, mode) \
	CALL2(86, link, PATH, old, PATH, path) \
	CALL1(87, unlink, PATH, path) \
	CALL2(88, symlink, PATH, target, PATH, path) \
	CALL3(89, readlink, PATH, path, PATH_OUT, buffer, INT, size) \
	CALL2(90, chmod, PATH, path, MODE, mode) \
	CALL2(91, fchmod, FD, fd, MODE, mode) \
	CALL3(92, chown, PATH, path, UID, uid, GID, gid) \
	CALL3(93, fchown, FD, fd, UID, uid, GID, gid) \
	CALL3(94, lchown, PATH, path, UID, uid, GID, gid) \
	CALL1(95, umask, MODE, mask) RETURNS(OCTAL) \
	CALL2(132, utime, PATH, path, IN, times) \
	CALL3(133, mknod, PATH, path, NODE_MODE, mode, DEVICE, device) \
	CALL2(137, statfs, PATH, path, STATFS_OUT, statfs) \
	CALL2(138, fstatfs, FD, fd, STATFS_OUT, statfs) \
	CALL2(155, pivot_root, PATH, new_root, PATH, put_old) \
	CALL1(161, chroot, PATH, path) \
	CALL0(162, sync) \
	CALL5(165, mount, TEXT, source, PATH, target, TEXT, type, MOUNT_FLAGS, flags, TEXT, options) LACKS("namespaces, and so MS_SHARED and MS_SLAVE") \
	CALL2(166, umount2, PATH, target, FLAGS, flags) \
	CALL3(187, readahead, FD, fd, OFFSET, offset, SIZE, count) \
	CALL5(188, setxattr, PATH, path, TEXT, name, DATA_IN, value, SIZE, size, XATTR_FLAGS, flags) LACKS("user.*, access control lists, file capabilities") \
	CALL5(189, lsetxattr, PATH, path, TEXT, name, DATA_IN, value, SIZE, size, XATTR_FLAGS, flags) LACKS("as setxattr") \
	CALL5(190, fsetxattr, FD, fd, TEXT, name, DATA_IN, value, SIZE, size, XATTR_FLAGS, flags) LACKS("as setxattr") \
	CALL4(191, getxattr, PATH, path, TEXT, name, DATA_OUT, value, SIZE, size) \
	CALL4(192, lgetxattr, PATH, path, TEXT, name, DATA_OUT, value, SIZE, size) \
	CALL4(193, fgetxattr, FD, fd, TEXT, name, DATA_OUT, value, SIZE, size) \
	CALL3(194, listxattr, PATH, path, DATA_OUT, names, SIZE, size) \
	CALL3(195, llistxattr, PATH, path, DATA_OUT, names, SIZE, size) \
	CALL3(196, flistxattr, FD, fd, DATA_OUT, names, SIZE, size) \
	CALL2(197, removexattr, PATH, path, TEXT, name) \
	CALL2(198, lremovexattr, PATH, path, TEXT, name) \
	CALL2(199, fremovexattr, FD, fd, TEXT, name) \
	CALL3(217, getdents64, FD, fd, DIRECTORY_OUT, buffer, UINT, count) \
	CALL4(221, fadvise64, FD, fd, OFFSET, offset, SIZE, length, FILE_ADVICE, advice) \
	CALL2(235, utimes, PATH, path, IN, times) \
	CALL4(257, openat, DIRFD, directory, PATH, path, OPEN_FLAGS, flags, OPEN_MODE, mode) \
	CALL3(258, mkdirat, DIRFD, directory, PATH, path, MODE, mode) \
	CALL4(259, mknodat, DIRFD, directory, PATH, path, NODE_MODE, mode, DEVICE, device) \
	CALL5(260, fchownat, DIRFD, directory, PATH, path, UID, uid, GID, gid, AT_FLAGS, flags) \
	CALL3(261, futimesat, DIRFD, directory, PATH, path, IN, times) \
	CALL4(262, newfstatat, DIRFD, directory, PATH, path, STAT_OUT, stat, AT_FLAGS, flags) \
	CALL3(263, unlinkat, DIRFD, directory, PATH, path, REMOVE_FLAGS, flags) \
	CALL4(264, renameat, DIRFD, from_directory, PATH, from, DIRFD, to_directory, PATH, to) \
	CALL5(265, linkat, DIRFD, old_directory, PATH, old, DIRFD, directory, PATH, path, AT_FLAGS, flags) \
	CALL3(266, symlinkat, PATH, target, DIRFD, directory, PATH, path) \
	CALL4(267, readlinkat, DIRFD, directory, PATH, path, PATH_OUT, buffer, INT, size) \
	CALL3(268, fchmodat, DIRFD, directory, PATH, path, MODE, mode) \
	CALL3(269, faccessat, DIRFD, directory, PATH, path, ACCESS_MODE, mode) \
	CALL6(270, pselect6, INT, limit, FD_SET, read, FD_SET, write, FD_SET, except, TIMESPEC_INOUT, timeout, SIGNAL_SET_SIZED, mask) RETURNS(READY) \
	CALL5(271, ppoll, POLL_FDS, fds, UINT, count, TIMESPEC_INOUT, timeout, SIGNAL_SET, mask, SIZE, size) RETURNS(READY) \
	CALL6(275, splice, FD, in, OFFSET_INOUT, in_offset, FD, out, OFFSET_INOUT, out_offset, SIZE, count, FLAGS, flags) \
	CALL4(276, tee, FD, in, FD, out, SIZE, count, FLAGS, flags) \
	CALL4(277, sync_file_range, FD, fd, OFFSET, offset, OFFSET, length, FLAGS, flags) \
	CALL4(278, vmsplice, FD, pipe, VECTOR_IN, vector, SIZE, count, FLAGS, flags) \
	CALL4(280, utimensat, DIRFD, directory, PATH, path, TIMESPEC_PAIR, times, AT_FLAGS, flags) \
	CALL4(285, fallocate, FD, fd, FALLOCATE_FLAGS, mode, OFFSET, offset, OFFSET, length) \
	CALL3(292, dup3, FD, fd, FD, to, PIPE_FLAGS, flags) \
	CALL2(293, pipe2, FD_PAIR_OUT, fds, PIPE_FLAGS, flags) \
	CALL4(295, preadv, FD, fd, VECTOR_OUT, vector, SIZE, count, OFFSET, offset) \
	CALL4(296, pwritev, FD, fd, VECTOR_IN, vector, SIZE, count, OFFSET, offset) \
	CALL1(306, syncfs, FD, fd) \
	CALL5(316, renameat2, DIRFD, from_directory, PATH, from, DIRFD, to_directory, PATH, to, RENAME_FLAGS, flags) LACKS("RENAME_WHITEOUT") \
	CALL2(319, memfd_create, TEXT, name, MEMFD_FLAGS, flags) LACKS("huge pages") \
	CALL6(326, copy_file_range, FD, in, OFFSET_INOUT, in_offset, FD, out, OFFSET_INOUT, out_offset, SIZE, count, FLAGS, flags) \
	CALL6(327, preadv2, FD, fd, VECTOR_OUT, vector, SIZE, count, OFFSET, offset, ULONG, high, FLAGS, flags) \
	CALL6(328, pwritev2, FD, fd, VECTOR_IN, vector, SIZE, count, OFFSET, offset, ULONG, high, FLAGS, flags) \
	CALL5(332, statx, DIRFD, directory, PATH, path, AT_FLAGS, flags, UINT, mask, STATX_OUT, statx) \
	CALL3(436, close_range, UINT, first, UINT, last, CLOSE_RANGE_FLAGS, flags) \
	CALL4(437, openat2, DIRFD, directory, PATH, path, IN, how, SIZE, size) \
	CALL4(439, faccessat2, DIRFD, directory, PATH, path, ACCESS_MODE, mode, AT_FLAGS, flags)
/* clang-format on */

#endif
