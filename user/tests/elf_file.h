/* SPDX-License-Identifier: MIT */
/* ELF files made by hand, for tests of execve: a header, up to eight segments, code, in one page or
 * more of bytes, written to a file in /tmp and run. */
#ifndef USER_TESTS_ELF_FILE_H
#define USER_TESTS_ELF_FILE_H

#include <elf.h>
#include <fcntl.h>

#include "check.h"

#define ELF_BASE 0x400000ul
#define ELF_CODE 0x400ul /* where elf_simple puts the code, in the file and above ELF_BASE */

struct elf_file {
	union {
		unsigned char bytes[16384];
		struct {
			Elf64_Ehdr header;
			Elf64_Phdr segment[8];
		};
	};
	size_t size;
};

/* One R-X segment, the whole file, with `code` as its entry. */
static inline void elf_simple(struct elf_file *elf, const void *code, size_t size)
{
	*elf = (struct elf_file){.size = ELF_CODE + size};
	elf->header =
		(Elf64_Ehdr){.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
			.e_type = ET_EXEC,
			.e_machine = EM_X86_64,
			.e_version = EV_CURRENT,
			.e_entry = ELF_BASE + ELF_CODE,
			.e_phoff = sizeof(Elf64_Ehdr),
			.e_ehsize = sizeof(Elf64_Ehdr),
			.e_phentsize = sizeof(Elf64_Phdr),
			.e_phnum = 1};
	elf->segment[0] = (Elf64_Phdr){.p_type = PT_LOAD,
		.p_flags = PF_R | PF_X,
		.p_vaddr = ELF_BASE,
		.p_paddr = ELF_BASE,
		.p_filesz = elf->size,
		.p_memsz = elf->size,
		.p_align = 4096};
	memcpy(elf->bytes + ELF_CODE, code, size);
}

/* Writes it to a file, whose path is put in `path`. */
static inline void elf_write(const struct elf_file *elf, char *path, size_t size, unsigned int mode)
{
	int fd;

	snprintf(path, size, "/tmp/baton-elf-%d", getpid());
	unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	if (fd < 0 || write(fd, elf->bytes, elf->size) != (ssize_t)elf->size) {
		printf("# cannot write %s: %s\n", path, strerror(errno));
		exit(97);
	}
	close(fd);
}

/* The wait status of a run, or the negative errno of execve. */
static inline int elf_run(const struct elf_file *elf, char *const argv[])
{
	char path[64];
	pid_t pid;

	elf_write(elf, path, sizeof path, 0755);
	pid = spawn(path, argv, environ);
	unlink(path);
	return pid < 0 ? pid : wait_status(pid);
}

#endif
