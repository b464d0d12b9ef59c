/* SPDX-License-Identifier: MIT */
/* The system calls on files; see table.h. Included by it alone. */
#ifndef SYSCALL_TABLE_FILES_H
#define SYSCALL_TABLE_FILES_H

#define SYSCALL_TABLE_FILES(CALL0, CALL1, CALL2, CALL3, CALL4, CALL5, CALL6)                      \
	CALL3(0, read, FD, fd, OUT, buffer, SIZE, count)                                          \
	CALL3(1, write, FD, fd, IN, buffer, SIZE, count)                                          \
	CALL3(2, open, PATH, path, FLAGS, flags, MODE, mode)                                      \
	CALL1(3, close, FD, fd)                                                                   \
	CALL2(4, stat, PATH, path, OUT, stat)                                                     \
	CALL2(5, fstat, FD, fd, OUT, stat)                                                        \
	CALL2(6, lstat, PATH, path, OUT, stat)                                                    \
	CALL3(7, poll, INOUT, fds, UINT, count, INT, timeout)                                     \
	CALL3(8, lseek, FD, fd, OFFSET, offset, INT, whence)                                      \
	CALL3(16, ioctl, FD, fd, FLAGS, command, ADDRESS, argument)                               \
	CALL4(17, pread64, FD, fd, OUT, buffer, SIZE, count, OFFSET, offset)                      \
	CALL4(18, pwrite64, FD, fd, IN, buffer, SIZE, count, OFFSET, offset)                      \
	CALL3(19, readv, FD, fd, IN, vector, SIZE, count)                                         \
	CALL3(20, writev, FD, fd, IN, vector, SIZE, count)                                        \
	CALL2(21, access, PATH, path, MODE, mode)                                                 \
	CALL1(22, pipe, OUT, fds)                                                                 \
	CALL1(32, dup, FD, fd)                                                                    \
	CALL2(33, dup2, FD, fd, FD, to)                                                           \
	CALL4(40, sendfile, FD, out, FD, in, INOUT, offset, SIZE, count)                          \
	CALL3(72, fcntl, FD, fd, INT, command, ADDRESS, argument)                                 \
	CALL1(74, fsync, FD, fd)                                                                  \
	CALL1(75, fdatasync, FD, fd)                                                              \
	CALL2(76, truncate, PATH, path, OFFSET, size)                                             \
	CALL2(77, ftruncate, FD, fd, OFFSET, size)                                                \
	CALL2(79, getcwd, OUT, buffer, SIZE, size)                                                \
	CALL1(80, chdir, PATH, path)                                                              \
	CALL1(81, fchdir, FD, fd)                                                                 \
	CALL2(82, rename, PATH, from, PATH, to)                                                   \
	CALL2(83, mkdir, PATH, path, MODE, mode)                                                  \
	CALL1(84, rmdir, PATH, path)                                                              \
	CALL2(85, creat, PATH, path, MODE, mode)                                                  \
	CALL2(86, link, PATH, old, PATH, path)                                                    \
	CALL1(87, unlink, PATH, path)                                                             \
	CALL2(88, symlink, PATH, target, PATH, path)                                              \
	CALL3(89, readlink, PATH, path, OUT, buffer, INT, size)                                   \
	CALL2(90, chmod, PATH, path, MODE, mode)                                                  \
	CALL2(91, fchmod, FD, fd, MODE, mode)                                                     \
	CALL3(92, chown, PATH, path, UINT, uid, UINT, gid)                                        \
	CALL3(93, fchown, FD, fd, UINT, uid, UINT, gid)                                           \
	CALL3(94, lchown, PATH, path, UINT, uid, UINT, gid)                                       \
	CALL1(95, umask, MODE, mask)                                                              \
	CALL3(133, mknod, PATH, path, MODE, mode, UINT, device)                                   \
	CALL2(137, statfs, PATH, path, OUT, statfs)                                               \
	CALL2(138, fstatfs, FD, fd, OUT, statfs)                                                  \
	CALL0(162, sync)                                                                          \
	CALL3(217, getdents64, FD, fd, OUT, buffer, UINT, count)                                  \
	CALL4(257, openat, FD, directory, PATH, path, FLAGS, flags, MODE, mode)                   \
	CALL3(258, mkdirat, FD, directory, PATH, path, MODE, mode)                                \
	CALL4(259, mknodat, FD, directory, PATH, path, MODE, mode, UINT, device)                  \
	CALL5(260, fchownat, FD, directory, PATH, path, UINT, uid, UINT, gid, FLAGS, flags)       \
	CALL4(262, newfstatat, FD, directory, PATH, path, OUT, stat, FLAGS, flags)                \
	CALL3(263, unlinkat, FD, directory, PATH, path, FLAGS, flags)                             \
	CALL4(264, renameat, FD, from_directory, PATH, from, FD, to_directory, PATH, to)          \
	CALL5(265, linkat, FD, old_directory, PATH, old, FD, directory, PATH, path, FLAGS, flags) \
	CALL3(266, symlinkat, PATH, target, FD, directory, PATH, path)                            \
	CALL4(267, readlinkat, FD, directory, PATH, path, OUT, buffer, INT, size)                 \
	CALL3(268, fchmodat, FD, directory, PATH, path, MODE, mode)                               \
	CALL3(269, faccessat, FD, directory, PATH, path, MODE, mode)                              \
	CALL4(280, utimensat, FD, directory, PATH, path, IN, times, FLAGS, flags)                 \
	CALL3(292, dup3, FD, fd, FD, to, FLAGS, flags)                                            \
	CALL2(293, pipe2, OUT, fds, FLAGS, flags)                                                 \
	CALL4(295, preadv, FD, fd, IN, vector, SIZE, count, OFFSET, offset)                       \
	CALL4(296, pwritev, FD, fd, IN, vector, SIZE, count, OFFSET, offset)                      \
	CALL5(316, renameat2, FD, from_directory, PATH, from, FD, to_directory, PATH, to, FLAGS,  \
		flags)                                                                            \
	CALL3(436, close_range, UINT, first, UINT, last, FLAGS, flags)                            \
	CALL4(439, faccessat2, FD, directory, PATH, path, MODE, mode, FLAGS, flags)

#endif
